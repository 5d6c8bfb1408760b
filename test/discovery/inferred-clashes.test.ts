/** Projects whose names, packages and tools would make one name twice -> names apart, whichever begin first. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Checkout } from "../../src/discovery/checkouts.ts";
import { inference } from "../../src/discovery/inference.ts";
import type { KeptName } from "../../src/discovery/kept-names.ts";
import type { ObservedProcess } from "../../src/discovery/observation.ts";
import { servicesIn } from "../../src/discovery/services.ts";
import { worktreeLabels } from "../../src/discovery/worktree-labels.ts";
import { holdsFor } from "../support/property.ts";
import { type Files, virtualFolders } from "./virtual-folders.ts";

const files: Files = {
  "/w/a/package.json": '{"name": "a", "workspaces": ["*"]}',
  "/w/a/b/package.json": '{"name": "b"}',
  "/w/a/a/package.json": '{"name": "a"}',
  "/w/a/web/package.json": '{"name": "web"}',
  "/w/a/a-web/package.json": '{"name": "a-web"}',
  "/x/a/package.json": '{"name": "a", "workspaces": ["*"]}',
  "/x/a/b/package.json": '{"name": "b"}',
  "/y/a-2/.git": "",
  "/y/b/.git": "a of b",
  "/z/b.a/package.json": '{"name": "b.a"}',
  "/z/b/package.json": '{"name": "b", "workspaces": ["*"]}',
  "/z/b/a/package.json": '{"name": "a"}',
};

const folders = Object.keys(files).map((path) => path.slice(0, path.lastIndexOf("/")));
const commands = [
  "node server.js",
  "node b.js",
  "node web.js",
  "node a.js",
  "node /n/node_modules/.bin/vite",
  "node /n/node_modules/.bin/storybook dev",
  "postgres -D data",
];

const listener = fc.record({
  cwd: fc.constantFrom(...folders),
  command: fc.constantFrom(...commands),
});

const worktrees = {
  renew() {},
  asOf: (its: Checkout) => its,
  of: (folder: string) =>
    folder === "/y/b"
      ? { root: folder, repository: "b", main: undefined, label: "a", branch: "a" }
      : undefined,
};

type Listener = { cwd: string; command: string };

function scanOf(all: readonly Listener[]) {
  const processes = new Map<number, ObservedProcess>(
    all.map((its, at) => {
      const pid = 3000 + at;
      const plain = { startedAt: 1000 + at, parent: 1, group: pid, uid: 7, name: undefined };
      return [pid, { pid, ...plain, ...its }];
    }),
  );
  const observations = [...processes.keys()].map((pid) => ({
    ...{ address: "127.0.0.1", port: pid, pids: [pid] },
  }));
  return { observations, processes, skipped: [] };
}

test("no two servers have one name, and all have the same with the next daemon", () => {
  const property = fc.property(fc.array(listener, { maxLength: 12 }), (all) => {
    const scan = scanOf(all);
    let kept: readonly KeptName[] = [];
    const look = () =>
      servicesIn(scan, {
        ...{ hostName: "desk", wsl: false, ownPid: 1, uid: 7 },
        worktrees: worktreeLabels(worktrees),
        infer: inference({
          ...{ uid: 7, supervised: () => [], wall: () => 0, names: kept },
          folders: virtualFolders(files),
          onChange: (names) => (kept = names),
        }),
      }).map(({ name, pids }) => `${name} ${pids}`);
    const first = look();
    expect(first).toHaveLength(all.length);
    expect(new Set(first.map((its) => its.split(" ")[0])).size).toBe(all.length);
    expect(look()).toEqual(first);
  });
  holdsFor(property, { runs: 300 });
});
