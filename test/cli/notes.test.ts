import { expect, test } from "bun:test";
import type { Sight } from "../../src/cli/shared/look.ts";
import { notes } from "../../src/cli/servers/notes.ts";
import type { ObservedProcess } from "../../src/discovery/observation.ts";

function sight(commands: readonly string[], its: Partial<Sight> = {}): Sight {
  const listening = commands.map((command, index) => ({ command, pid: 10 + index }));
  const processes = listening.map(({ command, pid }): [number, ObservedProcess] => [
    pid,
    { pid, startedAt: 0, parent: 1, group: pid, uid: 0, name: undefined, command, cwd: undefined },
  ]);
  return {
    scan: {
      observations: listening.map(({ pid }) => ({
        address: "127.0.0.1",
        port: 3000 + pid,
        pids: [pid],
      })),
      processes: new Map(processes),
      skipped: [{ pid: 99, why: "gone\x1b[2J" }],
    },
    supervised: [],
    services: [],
    proxy: { pid: 1, port: 9090 },
    port: 9090,
    tlds: [],
    urlPorts: { http: 9090, https: 9090 },
    ...its,
  };
}

const quiet = { verbose: false, json: false };

test("where nothing has a name, it says how to give one", () => {
  expect(notes(sight([]), quiet)).toEqual(["no server has a NAME yet; try: NAME=api bun dev"]);
});

test("servers without a name are counted and named by their program", () => {
  expect(notes(sight(["/usr/bin/node a.js"]), quiet)[1]).toBe(
    "1 server listens without a NAME: node :3010 pid 10",
  );
  const many = Array.from({ length: 7 }, () => "node a.js");
  expect(notes(sight(many), quiet)[1]).toBe(
    "7 servers listen without a NAME: node :3010 pid 10, node :3011 pid 11, node :3012 pid 12, node :3013 pid 13, node :3014 pid 14 and 2 more",
  );
});

test("the proxy itself is not counted, and two sockets on one port are one server", () => {
  const seen = sight(["localhostess", "node a.js"]);
  const [own, other] = seen.scan.observations;
  const twice = { ...seen.scan, observations: [own!, other!, { ...other!, address: "::1" }] };
  const proxy = { ...seen.proxy!, pid: 10 };
  expect(notes({ ...seen, scan: twice, proxy }, quiet)[1]).toBe(
    "1 server listens without a NAME: node :3011 pid 11",
  );
});

test("a program's own text cannot reach the terminal as an escape", () => {
  const lines = notes(sight(["/bin/\x1b[2J\u202eevil"]), { verbose: true, json: false });
  expect(lines.join("\n")).toContain("\\x1b[2J\\u202eevil");
  expect(lines.join("\n")).not.toMatch(/\x1b|\u202e/);
});

test("skipped processes are named only where more words are wanted", () => {
  const verbose = notes(sight([]), { verbose: true, json: true });
  expect(verbose).toEqual(["skipped process 99: gone\\x1b[2J"]);
  expect(notes(sight([]), { verbose: false, json: true })).toEqual([]);
});

test("without a proxy it says how to start one", () => {
  expect(notes(sight([], { proxy: undefined }), quiet).at(-1)).toBe(
    "the proxy is not running; start it with: localhostess server start",
  );
});
