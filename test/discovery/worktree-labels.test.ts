/** Named processes in git worktrees -> their names with the worktree's label in front. */
import { expect, test } from "bun:test";
import type { Checkout } from "../../src/discovery/checkouts.ts";
import type { ObservedProcess, Scan } from "../../src/discovery/observation.ts";
import { naming, servicesIn } from "../../src/discovery/services.ts";
import { type WorktreeLabels, worktreeLabels } from "../../src/discovery/worktree-labels.ts";

const repository = "/w/shop/.git";
const main = "/w/shop";

/** By the beginning of the folder. */
function git(labels: Record<string, string | undefined>) {
  const asked: string[] = [];
  return {
    asked,
    labels,
    renew() {},
    asOf: (checkout: Checkout) => checkout,
    of(folder: string): Checkout | undefined {
      asked.push(folder);
      const root = Object.keys(labels).find(
        (its) => folder === its || folder.startsWith(`${its}/`),
      );
      if (root === undefined) return undefined;
      return { root, repository, main, label: labels[root], branch: labels[root] };
    },
  };
}

const usual = () => git({ "/w/fix": "fix-nav", "/w/shop": undefined, "/w/two": "two" });

type Listener = Partial<ObservedProcess> & { pid: number; port?: number };

function scanOf(...listeners: Listener[]): Scan {
  const processes = listeners.map(({ port, ...its }) => ({
    startedAt: 1000,
    parent: 0,
    group: its.pid,
    uid: 0,
    name: "api",
    command: "server",
    cwd: "/w/fix",
    ...its,
  }));
  return {
    observations: listeners.flatMap(({ pid, port }) =>
      port === undefined ? [] : [{ address: "127.0.0.1", port, pids: [pid] }],
    ),
    processes: new Map(processes.map((its) => [its.pid, its])),
    skipped: [],
  };
}

function found(scan: Scan, worktrees: WorktreeLabels = worktreeLabels(usual())) {
  const options = { hostName: "desk", wsl: false, ownPid: 1, uid: 0, worktrees };
  return servicesIn(scan, options);
}

function names(...listeners: Listener[]): string[] {
  return found(scanOf(...listeners)).map(({ name, routable }) => (routable ? name : `(${name})`));
}

test("a server in a linked worktree has its label in front, and its row says which worktree", () => {
  const [service] = found(scanOf({ pid: 7, port: 3000, cwd: "/w/fix/api" }));
  expect(service).toMatchObject({
    name: "fix-nav.api",
    source: "NAME",
    because: "NAME in its environment; fix-nav is its git worktree, /w/fix",
    checkout: { repository, root: "/w/fix", label: "fix-nav", branch: "fix-nav" },
  });
});

test("a server in the main checkout, in no repository, or in an unknown folder has the plain name", () => {
  expect(names({ pid: 7, port: 1, cwd: "/w/shop/api" })).toEqual(["api"]);
  expect(names({ pid: 7, port: 1, cwd: "/srv" })).toEqual(["api"]);
  expect(names({ pid: 7, port: 1, cwd: undefined })).toEqual(["api"]);
});

test("one NAME in several worktrees is as many services, also within one job", () => {
  expect(
    names(
      { pid: 7, port: 1, cwd: "/w/shop", group: 5 },
      { pid: 8, port: 2, cwd: "/w/fix", group: 5 },
      { pid: 9, port: 3, cwd: "/w/two", group: 5 },
    ),
  ).toEqual(["api", "fix-nav.api", "two.api"]);
});

test.each([
  ["fix-nav.api", "fix-nav.api"],
  ["Fix-Nav.api", "fix-nav.api"],
  ["fix-nav", "fix-nav"],
  ["fix-navy.api", "fix-nav.fix-navy.api"],
  ["api.shop", "fix-nav.api.shop"],
  ["my_app", "(my_app)"],
])("NAME=%s in the worktree fix-nav is %s", (name, expected) => {
  expect(names({ pid: 7, port: 1, name })).toEqual([expected]);
});

test("the supervisor's name stays as it is, also where a child has it of its parent", () => {
  const variable = "LOCALHOSTESS_NAME";
  expect(names({ pid: 7, port: 1, variable })).toEqual(["api"]);
  expect(
    names(
      { pid: 7, variable, group: 7 },
      { pid: 8, port: 1, parent: 7, group: 7, name: undefined, overwritten: true },
    ),
  ).toEqual(["api"]);
});

test("a name that is too long with its label is listed with the reason", () => {
  const name = Array.from({ length: 4 }, () => "x".repeat(60)).join(".");
  const [service] = found(scanOf({ pid: 7, port: 1, name }));
  expect(service).toMatchObject({ name: `fix-nav.${name}`, routable: false });
  expect(service!.warnings[0]).toContain("at most 243 characters");
});

test("a running server keeps its name when its branch changes or its worktree goes, and a new one has the new name", () => {
  const its = usual();
  const worktrees = worktreeLabels(its);
  const old = { pid: 7, port: 1, startedAt: 1000 };
  const namesNow = (scan: Scan) => found(scan, worktrees).map(({ name }) => name);
  expect(namesNow(scanOf(old))).toEqual(["fix-nav.api"]);
  its.labels["/w/fix"] = "other";
  expect(namesNow(scanOf(old))).toEqual(["fix-nav.api"]);
  delete its.labels["/w/fix"];
  expect(namesNow(scanOf({ ...old, cwd: "/w/fix (deleted)" }))).toEqual(["fix-nav.api"]);
  its.labels["/w/fix"] = "other";
  expect(namesNow(scanOf({ ...old, startedAt: 2000 }))).toEqual(["other.api"]);
  expect(its.asked).toEqual(["/w/fix", "/w/fix"]);
});

test("a server that is first seen after another branch was checked out has the label of its start", () => {
  const its = usual();
  const worktrees = worktreeLabels({
    ...its,
    asOf: (checkout, time) => (time < 5000 ? { ...checkout, label: "before" } : checkout),
  });
  const namesOf = (startedAt: number) =>
    found(scanOf({ pid: 7, port: 1, startedAt }), worktrees).map(({ name }) => name);
  expect(namesOf(4000)).toEqual(["before.api"]);
  expect(namesOf(6000)).toEqual(["fix-nav.api"]);
});

test("a child that is started again under its parent keeps the parent's label", () => {
  const its = usual();
  const worktrees = worktreeLabels(its);
  const parent = { pid: 7, group: 7 };
  const child = { pid: 8, port: 1, parent: 7, group: 7 };
  found(scanOf(parent, child), worktrees);
  its.labels["/w/fix"] = "other";
  const scan = scanOf(parent, { ...child, pid: 9 });
  expect(found(scan, worktrees).map(({ name }) => name)).toEqual(["fix-nav.api"]);
});

test("a child that left for a folder of the system has its parent's label; one in another checkout has its own", () => {
  const parent = { pid: 7, group: 7 };
  const child = { pid: 8, port: 1, parent: 7, group: 7 };
  expect(names(parent, { ...child, cwd: "/" })).toEqual(["fix-nav.api"]);
  expect(names(parent, { ...child, cwd: "/w/two" })).toEqual(["two.api"]);
  expect(names(parent, { ...child, cwd: "/w/shop" })).toEqual(["api"]);
});

test("parents that form a loop end the search", () => {
  const loop = [
    { pid: 7, port: 1, parent: 8 },
    { pid: 8, parent: 7 },
  ];
  expect(names(...loop)).toEqual(["fix-nav.api"]);
});

test("a name that a person gives has no label, and its server is still known to be in the worktree", () => {
  const claim = { name: "mine", source: "given", because: "given" } as const;
  const scan = scanOf({ pid: 7, port: 3000, name: undefined });
  const given = (source: "given" | "remote") =>
    naming(scan, {
      ...{ hostName: "desk", wsl: false, ownPid: 1, uid: 0, worktrees: worktreeLabels(usual()) },
      claims: [{ ...claim, source, place: { kind: "port", port: 3000 }, cwd: "/w/fix" }],
    }).services;
  expect(given("given")).toMatchObject([
    { name: "mine", checkout: { repository, root: "/w/fix", label: "fix-nav" } },
  ]);
  expect(given("remote")[0]).toMatchObject({ name: "mine" });
  expect(given("remote")[0]!.checkout).toBeUndefined();
});

test("a branch that is called like a server does not give its server the main checkout's name", () => {
  const own = { pid: 7, port: 1, cwd: "/w/fix", name: "fix-nav" };
  const main = { pid: 8, port: 2, cwd: "/w/shop", name: "fix-nav" };
  expect(names(own)).toEqual(["fix-nav"]);
  expect(names(own, main)).toEqual(["fix-nav", "fix-nav.fix-nav"]);
  const longer = "fix-nav.shop";
  expect(names({ ...own, name: longer })).toEqual([longer]);
  expect(names({ ...own, name: longer }, { ...main, name: longer })).toEqual([
    `fix-nav.${longer}`,
    longer,
  ]);
  const worktrees = worktreeLabels(usual());
  found(scanOf(own, main), worktrees);
  // While the main checkout's starts again, too.
  expect(found(scanOf(own), worktrees).map(({ name }) => name)).toEqual(["fix-nav.fix-nav"]);
});
