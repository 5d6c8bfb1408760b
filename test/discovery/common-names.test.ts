import { describe, expect, test } from "bun:test";
import { commonNames } from "../../src/discovery/common-names.ts";
import type { ObservedProcess, Scan, Session } from "../../src/discovery/observation.ts";
import { servicesIn } from "../../src/discovery/services.ts";
import { unusableServers } from "../../src/discovery/unusable.ts";
import { commonNameText } from "../../src/routes/common-name.ts";

/** `terminal`: the first program of one. Each has a group, a session and a folder of its own unless said otherwise. */
type Seen = Partial<ObservedProcess> & {
  pid: number;
  port?: number;
  session?: number;
  terminal?: boolean;
};

const home = "/home/me";
const options = {
  commonFolders: new Set([home]),
  repositoryOf: (folder: string) => /^\/srv\/shop/.exec(folder)?.[0],
};

function scanOf(...all: Seen[]): Scan {
  const listed = all.map(({ port: _, session: __, terminal: ___, ...its }): ObservedProcess => ({
    startedAt: its.pid * 1000,
    parent: 1,
    group: its.pid,
    uid: 0,
    name: "desk",
    command: `program ${its.pid}`,
    cwd: `/srv/${its.pid}`,
    ...its,
  }));
  const listening = new Set(all.filter(({ port }) => port !== undefined).map(({ pid }) => pid));
  return {
    observations: all.flatMap(({ pid, port }) =>
      port === undefined ? [] : [{ address: "127.0.0.1", port, pids: [pid] }],
    ),
    processes: new Map(listed.filter(({ pid }) => listening.has(pid)).map((its) => [its.pid, its])),
    bystanders: listed.filter(({ pid }) => !listening.has(pid)),
    sessions: new Map(
      all.map(({ pid, session = pid, terminal = false }): [number, Session] => [
        pid,
        { id: session, terminal },
      ]),
    ),
    skipped: [],
  };
}

const judged = (...all: Seen[]) =>
  commonNames(options)(scanOf(...all)).common?.map((its) => its.name);

const server = { pid: 10, port: 3000 };

describe("a NAME that unrelated programs have is no name", () => {
  test.each<[what: string, all: Seen[]]>([
    ["a server, and two programs elsewhere", [server, { pid: 20 }, { pid: 30 }]],
    [
      "the same in the home, where everything is started",
      [server, { pid: 20, cwd: home }, { pid: 30, cwd: home }, { pid: 40, cwd: "/" }],
    ],
    ["four servers of four folders", [1, 2, 3, 4].map((at) => ({ pid: at * 10, port: at }))],
    [
      "two terminals, whose shells have it, with a server each",
      [
        { pid: 20, terminal: true },
        { pid: 21, parent: 20, session: 20, port: 1 },
        { pid: 30, terminal: true },
        { pid: 31, parent: 30, session: 30, port: 2 },
        { pid: 40 },
      ],
    ],
    [
      "a terminal program with two shells of its own",
      [
        { pid: 5 },
        { pid: 20, parent: 5, terminal: true },
        { pid: 21, parent: 20, session: 20, port: 1 },
        { pid: 30, parent: 5, terminal: true },
      ],
    ],
  ])("%s", (_, all) => {
    expect(judged(...all)).toEqual(["desk"]);
  });

  test("and its servers have none, each told of it, also one that has it of an ancestor", () => {
    const hidden = { pid: 11, port: 3001, parent: 10, name: undefined, overwritten: true };
    const scan = commonNames(options)(scanOf(server, hidden, { pid: 20 }, { pid: 30 }));
    const host = { hostName: "box", wsl: false, uid: 0, ownPid: 999 };
    expect(servicesIn(scan, host)).toEqual([]);
    const facts = { ...host, services: [], supervised: [], ownPids: new Set<number>() };
    expect(unusableServers(scan, facts).map(({ fault }) => fault)).toEqual([
      { kind: "common name", name: "desk" },
      { kind: "common name", name: "desk" },
    ]);
    expect(commonNameText(scan.common![0]!)).toStartWith(
      "NAME=desk is ignored, because unrelated programs have it (pid 10, 20, 30)",
    );
  });

  test("for as long as anybody has it, so that servers do not change their names", () => {
    const judge = commonNames(options);
    expect(judge(scanOf(server, { pid: 20 }, { pid: 30 })).common).toHaveLength(1);
    expect(judge(scanOf(server)).common).toHaveLength(1);
    expect(judge(scanOf({ ...server, name: "x" })).common).toBeUndefined();
    expect(judge(scanOf(server)).common).toBeUndefined();
  });
});

describe("a NAME that a person has given is one", () => {
  const many = (count: number, its: (at: number) => Partial<Seen>): Seen[] =>
    Array.from({ length: count }, (_, at) => ({ pid: 100 + at, ...its(at) }));

  test.each<[what: string, all: Seen[]]>([
    [
      "npm start with 30 workers",
      [server, ...many(30, () => ({ parent: 10, group: 10, session: 10 }))],
    ],
    [
      "30 workers with sessions of their own",
      [server, ...many(30, (at) => ({ parent: 10, port: at + 1 }))],
    ],
    ["workers of workers", [server, ...many(30, (at) => ({ parent: at === 0 ? 10 : 99 + at }))]],
    [
      "two servers of one terminal, in two folders, and an editor",
      [
        { ...server, session: 7 },
        { pid: 20, port: 3001, session: 7 },
        { pid: 30, session: 7 },
      ],
    ],
    [
      "a server that is started a second time in another terminal",
      [server, { pid: 20, port: 3001 }],
    ],
    ["a server, and a program beside it", [server, { pid: 20 }]],
    ["three servers in three folders", many(3, (at) => ({ port: at + 1 }))],
    [
      "five worktrees of one repository",
      many(5, (at) => ({ port: at + 1, cwd: `/srv/shop/${at}` })),
    ],
    ["a server and its tasks in one folder", [server, ...many(6, () => ({ cwd: "/srv/10" }))]],
    [
      "one terminal whose shell has it",
      [
        { pid: 20, terminal: true },
        { pid: 21, parent: 20, session: 20, port: 1 },
        { pid: 22, parent: 20, session: 20, port: 2 },
      ],
    ],
    [
      "services that a supervisor has named",
      many(9, (at) => ({ port: at + 1, variable: "LOCALHOSTESS_NAME" })),
    ],
    ["programs that are to have none", many(9, () => ({ name: "-" }))],
    ["programs with an empty one", many(9, () => ({ name: "" }))],
  ])("%s", (_, all) => {
    expect(judged(...all)).toBeUndefined();
  });

  test("but not on WSL, where it was there when the terminal began", () => {
    const wsl = (scan: Scan) => commonNames({ ...options, wsl: true })(scan);
    const shell = { pid: 20, terminal: true };
    const child = { pid: 21, parent: 20, session: 20, port: 1 };
    expect(wsl(scanOf(shell, child)).common).toMatchObject([{ name: "desk" }]);
    expect(wsl(scanOf({ ...shell, name: undefined }, child)).common).toBeUndefined();
  });

  test("where the system tells no sessions, what has one parent is related", () => {
    const { sessions: _, ...scan } = scanOf(...many(9, () => ({ parent: 50 })));
    expect(commonNames(options)(scan).common).toBeUndefined();
  });
});
