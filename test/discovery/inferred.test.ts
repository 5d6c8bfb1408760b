/** Servers without a NAME, scan after scan -> one name each, which stays, and takes none from anybody. */
import { expect, test } from "bun:test";
import type { Checkout } from "../../src/discovery/checkouts.ts";
import { inference, type InferenceOptions } from "../../src/discovery/inference.ts";
import { type KeptName, mostKept } from "../../src/discovery/kept-names.ts";
import { heldFor } from "../../src/discovery/past-names.ts";
import type { ObservedProcess, Scan } from "../../src/discovery/observation.ts";
import { servicesIn } from "../../src/discovery/services.ts";
import { worktreeLabels } from "../../src/discovery/worktree-labels.ts";
import type { Claim } from "../../src/routes/claim.ts";
import type { Service } from "../../src/routes/service.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { type Files, virtualFolders } from "./virtual-folders.ts";

type Listener = Partial<ObservedProcess> & { ports?: readonly number[] };

/** Each process has the next pid, from 100, its own group, and a port of the same number, unless it is told. */
function scanOf(...listeners: readonly Listener[]): Scan {
  const processes = new Map<number, ObservedProcess>();
  const places = new Map<number, number[]>();
  listeners.forEach(({ ports, ...its }, at) => {
    const pid = its.pid ?? 100 + at;
    const plain = { pid, startedAt: 1000 + at, parent: 1, group: pid, uid: 7, name: undefined };
    processes.set(pid, { ...plain, command: "node server.js", cwd: "/w/shop", ...its });
    for (const port of ports ?? [pid]) places.set(port, [...(places.get(port) ?? []), pid]);
  });
  const observations = [...places].map(([port, pids]) => ({ address: "127.0.0.1", port, pids }));
  return { observations, processes, skipped: [] };
}

const files: Files = {
  "/w/shop/package.json": '{"name": "shop"}',
  "/x/shop/package.json": '{"name": "@other/shop"}',
  "/w/mono/package.json": '{"name": "mono", "workspaces": ["*"]}',
  "/w/mono/web/package.json": '{"name": "web"}',
  "/x/mono/package.json": '{"name": "mono", "workspaces": ["*"]}',
  "/x/mono/web/package.json": '{"name": "web"}',
  "/w/fix/.git": "fix-nav of shop",
  "/w/try/.git": "try of shop",
};

type World = Partial<Pick<InferenceOptions, "names" | "supervised" | "wall">> & { files?: Files };

function checkoutAt(folder: string): Checkout | undefined {
  const [, text] = Object.entries(files).find(
    ([path]) => path.endsWith("/.git") && folder.startsWith(path.slice(0, -5)),
  ) ?? [undefined, undefined];
  if (text === undefined) return undefined;
  const [label, repository = ""] = text.split(" of ");
  return { root: folder, repository, main: undefined, label, branch: label };
}

/** A daemon: it remembers, as the next one would that reads `state()`. */
function daemon({ files: its = files, ...more }: World = {}) {
  let state: readonly KeptName[] = more.names ?? [];
  let saved = 0;
  const forgotten = new Set<string>();
  const infer = inference({
    ...{ uid: 7, supervised: () => [], wall: () => 0, ...more },
    folders: virtualFolders(its),
    names: state,
    forgotten: () => forgotten,
    onChange(next) {
      state = next;
      saved++;
    },
  });
  const services = (scan: Scan, claims: readonly Claim[] = []): readonly Service[] =>
    servicesIn(scan, {
      ...{ hostName: "desk", wsl: false, ownPid: 1, uid: 7, claims },
      ...{ infer, worktrees: worktreeLabels({ of: checkoutAt, asOf: (its) => its, renew() {} }) },
    });
  return {
    services,
    names: (...listeners: readonly Listener[]) =>
      services(scanOf(...listeners)).map(({ name, ports }) => `${name} ${ports.join(" ")}`),
    state: () => state,
    saved: () => saved,
    forgotten,
  };
}

const vite = { command: "node /w/shop/node_modules/.bin/vite" };
const other = { cwd: "/x/shop" };

test("the service says that its name is of the folder, and of which file", () => {
  const [service] = daemon().services(scanOf({}));
  expect(service).toMatchObject({
    ...{ name: "shop", routable: true, source: "folder", warnings: [] },
    because: "package.json of /w/shop",
  });
});

test("processes of which one has come of the other are one server, whatever is between them", () => {
  expect(
    daemon().names(
      { pid: 1000, ports: [], command: "npm run dev" },
      {
        pid: 1001,
        parent: 1000,
        ports: [3000],
        command: "node /w/shop/node_modules/.bin/next dev",
      },
      { pid: 1002, parent: 1001, ports: [], command: "sh -c x" },
      { pid: 1003, parent: 1002, ports: [41_000], command: "node worker.js" },
    ),
  ).toEqual(["shop 3000 41000"]);
});

test("workers that share a socket are one server, in one group or not", () => {
  expect(daemon().names({ ports: [3000] }, { ports: [3000] }, { ports: [3000] })).toEqual([
    "shop 3000",
  ]);
});

test("a server and the socket of its pages' updates are one", () => {
  expect(daemon().names({ ...vite, ports: [5173, 24_678, 9229] })).toEqual([
    "shop 5173 9229 24678",
  ]);
});

test("servers that a common parent has started beside each other have words of their own", () => {
  expect(
    daemon().names(
      { pid: 1000, ports: [], command: "node /w/shop/node_modules/.bin/concurrently" },
      { pid: 1001, parent: 1000, group: 1000, ports: [4000], command: "node api.js" },
      { pid: 1002, parent: 1000, group: 1000, ports: [5173], ...vite },
      {
        pid: 1003,
        parent: 1000,
        group: 1000,
        ports: [6006],
        command: "node /n/node_modules/.bin/storybook dev",
      },
    ),
  ).toEqual(["api.shop 4000", "shop 5173", "storybook.shop 6006"]);
});

test("the script's word comes before the file's", () => {
  expect(
    daemon().names(
      { ports: [5173], ...vite },
      { pid: 1000, ports: [], command: "npm run dev:admin" },
      { pid: 1001, parent: 1000, ports: [4000], command: "node src/server.js" },
    ),
  ).toEqual(["admin.shop 4000", "shop 5173"]);
});

test("a second server of one kind in the folder has its port in its name, and the first keeps its own", () => {
  const subject = daemon();
  const first = { pid: 200, startedAt: 1, ports: [5173], ...vite };
  const second = { pid: 201, startedAt: 2, ports: [5174], ...vite };
  expect(subject.names(first, second)).toEqual(["shop 5173", "shop-5174 5174"]);
  expect(subject.names(second)).toEqual(["shop-5174 5174"]);
  const again = { ...first, pid: 202, startedAt: 3 };
  expect(subject.names(second, again)).toEqual(["shop 5173", "shop-5174 5174"]);
  const next = daemon({ names: subject.state() });
  expect(next.names(second, again)).toEqual(["shop 5173", "shop-5174 5174"]);
});

test("which of two servers had the project's name first stays so over a restart of all", () => {
  const first = daemon();
  const plain = { ports: [4000], command: "node main.js" };
  expect(first.names(plain)).toEqual(["shop 4000"]);
  expect(first.names(plain, { ports: [5173], ...vite })).toEqual(["shop 4000", "web.shop 5173"]);
  const next = daemon({ names: first.state() });
  expect(next.names({ ports: [5173], ...vite })).toEqual(["web.shop 5173"]);
  expect(next.names({ ports: [5173], ...vite }, plain)).toEqual(["shop 4000", "web.shop 5173"]);
});

test("of two folders that ask for one name, the later gets a number, and keeps it when it is alone", () => {
  const first = daemon();
  expect(first.names({ ports: [3000] })).toEqual(["shop 3000"]);
  expect(first.names({ ports: [3000], startedAt: 9 }, { ...other, ports: [4000] })).toEqual([
    "shop 3000",
    "shop-2 4000",
  ]);
  const next = daemon({ names: first.state() });
  expect(next.names({ ...other, ports: [4000] })).toEqual(["shop-2 4000"]);
});

test("a folder that gives way to a NAME takes no number that is another folder's, be its server there or not", () => {
  const subject = daemon();
  const [own, its] = [{ ports: [3000] }, { ...other, ports: [4000] }];
  expect(subject.names(own, its)).toEqual(["shop 3000", "shop-2 4000"]);
  const named = { pid: 900, name: "shop", cwd: "/tmp", ports: [9000] };
  expect(subject.names(own, its, named)).toEqual(["shop 9000", "shop-2 4000", "shop-3 3000"]);
  expect(subject.names(own, named)).toEqual(["shop 9000", "shop-3 3000"]);
});

test("the name of a folder that is gone is free again", () => {
  const first = daemon();
  first.names({});
  const rest = Object.fromEntries(
    Object.entries(files).filter(([path]) => !path.startsWith("/w/shop")),
  );
  const next = daemon({ files: rest, names: first.state() });
  expect(next.names({ ...other, ports: [4000] })).toEqual(["shop 4000"]);
});

test("two clones of a workspace are apart by their roots, and every package follows", () => {
  expect(
    daemon().names(
      { cwd: "/w/mono/web", ports: [3000] },
      { cwd: "/x/mono/web", ports: [4000] },
      { cwd: "/x/mono", ports: [4001] },
    ),
  ).toEqual(["mono-2 4001", "web.mono 3000", "web.mono-2 4000"]);
});

test("a name that a server has by NAME is not taken, also while it starts again in another folder", () => {
  let now = 0;
  const subject = daemon({ wall: () => now });
  const named = { pid: 900, name: "shop", cwd: "/tmp", ports: [9000] };
  expect(subject.names({ ports: [3000] })).toEqual(["shop 3000"]);
  expect(subject.names({ ports: [3000] }, named)).toEqual(["shop 9000", "shop-2 3000"]);
  now += heldFor - 1;
  expect(subject.names({ ports: [3000] })).toEqual(["shop-2 3000"]);
  now += 1;
  expect(subject.names({ ports: [3000] })).toEqual(["shop 3000"]);
});

test("a name that the same folder's server had by NAME is back at once", () => {
  const subject = daemon();
  expect(subject.names({ name: "shop", ports: [3000] })).toEqual(["shop 3000"]);
  expect(subject.names({ pid: 200, ports: [3000] })).toEqual(["shop 3000"]);
});

test("a container's name is not taken while the container starts again, and a given one is free once taken back", () => {
  for (const [source, expected] of [
    ["container", "shop-2"],
    ["given", "shop"],
  ] as const) {
    const subject = daemon();
    const place = { kind: "port", port: 9 } as const;
    const claim: Claim = { name: "shop", source, because: "so it is", place };
    subject.services(scanOf({ ports: [3000] }), [claim]);
    expect(subject.names({ ports: [3000] })).toEqual([`${expected} 3000`]);
  }
});

test("a name that is claimed is not taken, whether or not the claim leads anywhere", () => {
  const claim: Claim = {
    ...{ name: "shop", source: "given", because: "given by localhostess name" },
    place: { kind: "port", port: 9 },
  };
  const names = daemon().services(scanOf({ ports: [3000] }), [claim]);
  expect(names.filter(({ source }) => source === "folder").map(({ name }) => name)).toEqual([
    "shop-2",
  ]);
});

function declared(its: Partial<Supervised>): Supervised {
  return {
    ...{ id: "shop:web", project: "shop", domain: "shop.localhost", service: "web" },
    ...{ routeName: "shop", directory: "/y/shop", state: "stopped", listens: [], ...its },
  } as Supervised;
}

test("names of a project's services are not taken, and none below a project in another folder", () => {
  const elsewhere = daemon({ supervised: () => [declared({})] });
  expect(elsewhere.names({ ports: [3000] })).toEqual(["shop-2 3000"]);
  expect(elsewhere.names({ ports: [3000] }, { ports: [4000], command: "node jobs.js" })).toEqual([
    "jobs.shop-2 4000",
    "shop-2 3000",
  ]);
  const inside = daemon({ supervised: () => [declared({ directory: "/w/shop" })] });
  expect(inside.names({ ports: [3000] }, { ports: [4000], command: "node jobs.js" })).toEqual([
    "jobs.shop 4000",
    "shop-2 3000",
  ]);
});

test("what a project has started, or what listens for it, is the project's", () => {
  const its = { pid: 5000, listens: [4000] };
  const subject = daemon({ supervised: () => [declared({ ...its, directory: "/w/shop" })] });
  expect(subject.names({ pid: 5001, parent: 5000, ports: [3000] }, { ports: [4000] })).toEqual([]);
});

test("servers of one project in several worktrees have one name, each behind its label", () => {
  const subject = daemon();
  expect(
    subject.names(
      { ports: [3000] },
      { cwd: "/w/fix", ports: [4000] },
      { cwd: "/w/try", ports: [5000] },
      { cwd: "/w/try", ports: [5001], command: "node jobs.js" },
    ),
  ).toEqual(["fix-nav.shop 4000", "shop 3000", "try.jobs.shop 5001", "try.shop 5000"]);
});

test("a name that another checkout's server has by NAME is taken with its label only", () => {
  const named = { name: "shop", cwd: "/w/fix", ports: [4000] };
  expect(daemon().names(named, { ports: [3000] })).toEqual(["fix-nav.shop 4000", "shop 3000"]);
  expect(daemon().names(named, { cwd: "/w/fix", ports: [3000] })).toEqual([
    "fix-nav.shop 4000",
    "fix-nav.shop-2 3000",
  ]);
});

test("a worktree's server stands beside the project of its repository that is up elsewhere", () => {
  const up = { checkout: { repository: "shop", root: "/w/shop", label: undefined } };
  const subject = daemon({ supervised: () => [declared({ ...up, directory: "/w/shop" })] });
  expect(subject.names({ cwd: "/w/fix", ports: [3000] })).toEqual(["fix-nav.shop 3000"]);
});

test("NAME=- and other users' processes have none, and a NAME that cannot be used is not replaced", () => {
  expect(daemon().names({ name: "-" }, { uid: 8 }, { name: "my_shop", ports: [5] })).toEqual([
    "my_shop 5",
  ]);
  expect(
    daemon().names(
      { pid: 300, name: "-", ports: [], group: 300 },
      { pid: 301, parent: 300, group: 300, overwritten: true },
    ),
  ).toEqual([]);
});

test("a process that shares its socket with one that has a NAME is not named", () => {
  expect(daemon().names({ name: "api", ports: [3000] }, { ports: [3000] })).toEqual(["api 3000"]);
});

test("a program that has written its title over its NAME, if it had one, is named by its folder", () => {
  expect(
    daemon().names({ overwritten: true, command: "puma 6 (x) [shop]", ports: [3000] }),
  ).toEqual(["shop 3000"]);
});

test("a folder that is forgotten has no name until it is remembered", () => {
  const subject = daemon();
  expect(subject.names({ ports: [3000] })).toEqual(["shop 3000"]);
  subject.forgotten.add("/w/shop");
  expect(subject.names({ ports: [3000] })).toEqual([]);
  subject.forgotten.clear();
  expect(subject.names({ ports: [3000] })).toEqual(["shop 3000"]);
});

test("a project that changes its name has the new one, and one whose file is half written keeps it", () => {
  const first = daemon();
  first.names({ ports: [3000] });
  const renamed = { ...files, "/w/shop/package.json": '{"name": "store"}' };
  expect(daemon({ files: renamed, names: first.state() }).names({ ports: [3000] })).toEqual([
    "store 3000",
  ]);
  const torn = { ...files, "/w/shop/package.json": '{"name": "sto' };
  const second = daemon({ files: renamed });
  second.names({});
  expect(daemon({ files: torn, names: second.state() }).names({ ports: [3000] })).toEqual([
    "store 3000",
  ]);
});

test("a workspace whose file is half written keeps its name", () => {
  const web = { cwd: "/x/mono/web", ports: [3000] };
  const named = { ...files, "/x/mono/package.json": '{"name": "store", "workspaces": ["*"]}' };
  const before = daemon({ files: named });
  expect(before.names(web)).toEqual(["web.store 3000"]);
  const torn = { ...named, "/x/mono/package.json": '{"name": "st', "/x/mono/turbo.json": "" };
  expect(daemon({ files: torn, names: before.state() }).names(web)).toEqual(["web.store 3000"]);
});

test("names are written when there is a new one, and not with every scan", () => {
  const subject = daemon();
  for (let scan = 0; scan < 5; scan++)
    subject.names({ ports: [3000] }, { ...other, ports: [4000] });
  expect(subject.saved()).toBe(1);
});

test("a thousand folders do not make the list longer than it may be", () => {
  const many = Object.fromEntries(
    Array.from({ length: 700 }, (_, at) => [`/w/p${at}/package.json`, `{"name": "p${at}"}`]),
  );
  const subject = daemon({ files: many });
  const names = subject.names(
    ...Array.from({ length: 700 }, (_, at) => ({ cwd: `/w/p${at}`, pid: 2000 + at })),
  );
  expect(new Set(names).size).toBe(700);
  expect(subject.state().length).toBe(mostKept);
});
