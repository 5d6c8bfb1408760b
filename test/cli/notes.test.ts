import { expect, test } from "bun:test";
import type { Sight } from "../../src/cli/shared/look.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
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

const quiet = { verbose: false, json: false, infer: true };

test("where nothing has a name, it says how to give one", () => {
  expect(notes(sight([]), quiet)).toEqual(["no server has a NAME yet; try: NAME=api bun dev"]);
});

test("where servers have no name, it says where a name is read, and where not", () => {
  expect(notes(sight(["/usr/bin/node a.js"]), quiet)).toEqual([
    "a name is the NAME in a program's environment when it is started, in .env alone it is not seen; or that of the project in its folder",
  ]);
  expect(notes(sight(["/usr/bin/node a.js"]), { ...quiet, infer: false })).toEqual([
    "a name is the NAME in a program's environment when it is started, in .env alone it is not seen",
  ]);
  // The proxy itself is none.
  const own = { pid: 10, port: 9090 };
  expect(notes(sight(["localhostess"], { proxy: own }), quiet)).toEqual([
    "no server has a NAME yet; try: NAME=api bun dev",
  ]);
});

test("skipped processes are named only where more words are wanted", () => {
  const verbose = notes(sight([]), { ...quiet, verbose: true, json: true });
  expect(verbose).toEqual(["skipped process 99: gone\\x1b[2J"]);
  expect(notes(sight([]), { ...quiet, json: true })).toEqual([]);
});

test("without a proxy it says how to start one", () => {
  expect(notes(sight([], { proxy: undefined }), quiet).at(-1)).toBe(
    "the proxy is not running; start it with: localhostess server start",
  );
});

test("services in containers, and sites, have no process in the table: it says where they are listed", () => {
  const its = (routeName: string, type: string, state = "ready") =>
    ({
      routeName,
      type,
      state,
      service: routeName,
      id: routeName,
      warnings: [],
    }) as unknown as Supervised;
  const supervised = [its("search.shop", "container"), its("docs.shop", "site")];
  expect(notes(sight([], { supervised }), quiet)).toEqual([
    "search.shop and docs.shop run in containers or in the daemon, and so no process is listed; see: localhostess status --all",
  ]);
  expect(notes(sight([], { supervised: supervised.slice(0, 1) }), quiet)).toEqual([
    "search.shop runs in a container or in the daemon, and so no process is listed; see: localhostess status --all",
  ]);
});
