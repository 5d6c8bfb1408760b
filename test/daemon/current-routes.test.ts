/** The route table of now: made anew when something in it changes, and not before. */
import { expect, test } from "bun:test";
import { CurrentRoutes } from "../../src/daemon/current-routes.ts";
import { CheckoutsNow } from "../../src/daemon/known-checkouts.ts";
import type { Changes } from "../../src/discovery/scanner.ts";
import type { ConfiguredNames, DeclaredSettings } from "../../src/manifest/name-settings.ts";
import type { KnownLabel } from "../../src/routes/checkout.ts";
import type { Choice } from "../../src/routes/origins.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import type { WaitingName } from "../../src/routes/waiting-name.ts";
import { decide } from "../../src/routes/decide.ts";
import { api } from "../support/fake-backend.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const none: Changes = { appeared: [], changed: [], gone: [] };

function scene(bareNames: readonly string[] | boolean = false) {
  let hostsNames: ReadonlySet<string> = new Set();
  let configured: ConfiguredNames = { all: {}, byName: new Map() };
  let waiting: readonly WaitingName[] = [];
  const routes = new CurrentRoutes({
    tlds: ["test"],
    bareNames,
    waiting: () => waiting,
    hosts: { names: () => hostsNames },
    names: { now: () => configured, remotes: () => new Map() },
  });
  return {
    routes,
    configure: (all: DeclaredSettings) => {
      configured = { all, byName: new Map() };
    },
    keep: (...names: string[]) => {
      const its = { source: "given", because: "", kind: "waits", why: "" } as const;
      waiting = names.map((name) => ({ name, ...its }));
    },
    hostsHave: (...names: string[]) => {
      hostsNames = new Set(names);
    },
  };
}

test("before the first scan there is nothing, and the first scan makes a table even if it sees nothing", () => {
  const { routes } = scene();
  const empty = routes.table;
  expect(empty.names).toEqual([]);
  expect(empty.tlds).toEqual(["test"]);
  routes.scanned([], none);
  expect(routes.table).not.toBe(empty);
});

test("the table stays the same object until something changes", () => {
  const { routes } = scene();
  routes.scanned([api], { ...none, appeared: [api] });
  const { table } = routes;
  expect(table.names).toEqual(["api"]);
  routes.scanned([api], none);
  expect(routes.table).toBe(table);
  routes.scanned([api], { ...none, reopened: true });
  expect(routes.table).not.toBe(table);
  routes.scanned([], { ...none, gone: [api] });
  expect(routes.table.names).toEqual([]);
});

test("a change of the hosts file counts with the next scan, though no service has changed", () => {
  const { routes, hostsHave } = scene();
  routes.scanned([], none);
  hostsHave("shop");
  expect(routes.table.answersBare("shop")).toBe(false);
  routes.scanned([], none);
  expect(routes.table.answersBare("shop")).toBe(true);
});

test("a name that is kept counts with the next scan, though no service has changed", () => {
  const { routes, keep } = scene();
  routes.scanned([api], { ...none, appeared: [api] });
  expect(routes.table.find("db.api")?.name).toBe("api");
  keep("db.api");
  routes.scanned([api], none);
  expect(routes.table.find("db.api")).toBeUndefined();
  const { table } = routes;
  routes.scanned([api], none);
  expect(routes.table).toBe(table);
  keep();
  routes.scanned([api], none);
  expect(routes.table.find("db.api")?.name).toBe("api");
});

test("a new branch counts with the next scan, though no service has changed", () => {
  let labels: ReadonlyMap<string, KnownLabel> = new Map();
  const checkouts = new CheckoutsNow({
    ...{ renew() {}, of: () => undefined, worktrees: () => [] },
    asOf: (its) => its,
    labels: () => labels,
  });
  const noNames = new Set<string>();
  const hosts = { names: () => noNames };
  const routes = new CurrentRoutes({ tlds: [], bareNames: false, hosts, checkouts });
  const inGit = { ...api, checkout: { repository: "/shop/.git", root: "/shop" } };
  routes.scanned([inGit], { ...none, appeared: [inGit] });
  const { table } = routes;
  routes.scanned([inGit], none);
  expect(routes.table).toBe(table);
  labels = new Map([["fix", { branch: "fix", root: undefined }]]);
  routes.scanned([inGit], none);
  expect(routes.table.checkouts!.labels("/shop/.git").has("fix")).toBe(true);
});

test("a change of config.toml counts with the next scan, in a table of its own", () => {
  const { routes, configure } = scene();
  routes.scanned([], none);
  const before = routes.table;
  configure({ guard: "off" });
  routes.scanned([], none);
  expect(routes.table).not.toBe(before);
  expect(routes.table.settings({ name: "api", supervised: undefined }).guard).toBe("off");
});

test("a change of config.toml counts before a scan, for whoever asks", () => {
  const { routes, configure } = scene();
  routes.scanned([api], { ...none, appeared: [api] });
  const before = routes.table;
  expect(routes.reread()).toBe(false);
  expect(routes.table).toBe(before);
  configure({ guard: "off" });
  expect(routes.reread()).toBe(true);
  expect(routes.table.settings({ name: "api", supervised: undefined }).guard).toBe("off");
  expect(routes.reread()).toBe(false);
});

test.each<[readonly string[] | boolean, Record<string, boolean>]>([
  [false, { shop: false, docs: false, hosted: true }],
  [["shop"], { shop: true, docs: false, hosted: true }],
  [true, { shop: true, docs: true, hosted: true }],
])("with bare_names = %p", (bareNames, wanted) => {
  const { routes, hostsHave } = scene(bareNames);
  hostsHave("hosted");
  routes.scanned([], none);
  const answered = Object.keys(wanted).map((name) => [name, routes.table.answersBare(name)]);
  expect(Object.fromEntries(answered)).toEqual(wanted);
});

test("what is supervised is looked at whenever the table is made, and not only then when it was told of", () => {
  const { routes } = scene();
  let supervised: Supervised[] = [];
  routes.include(() => supervised);
  routes.renew();
  supervised = [{ id: "shop:web", routeName: "web.shop", domain: "shop.localhost" } as Supervised];
  expect(routes.table.supervised("web.shop")).toBeUndefined();
  routes.renew();
  expect(routes.table.supervised("web.shop")?.id).toBe("shop:web");
});

test("a scan's changes are given back as the table has judged them", () => {
  const { routes } = scene();
  const shop = {
    id: "shop:web",
    project: "shop",
    domain: "shop.localhost",
    routeName: "web.shop",
    pid: 1,
    state: "ready",
    listens: [0],
    directory: "/nowhere",
  } as unknown as Supervised;
  routes.include(() => [shop]);
  const thief = { ...api, name: "web.shop" };
  const { appeared } = routes.scanned([thief], { ...none, appeared: [thief] });
  expect(appeared.map((its) => [its.name, its.routable])).toEqual([["web.shop", false]]);
  expect(appeared).toEqual([...routes.table.services]);
});

test("a choice counts with the next scan, and both servers of the name are news", () => {
  let chosen: readonly Choice[] = [];
  const repository = "/srv/shop/.git";
  const of = (root: string, label?: string) => ({ checkout: { repository, root, label } });
  const main = { ...api, ...of("/srv/shop") };
  const fixed = {
    ...api,
    ...of("/srv/fix", "fix-nav"),
    name: "fix-nav.api",
    process: { ...api.process!, pid: 4_343 },
  };
  const worktrees = [{ root: "/srv/fix", label: "fix-nav", branch: "fix-nav" }];
  const labels = new Map([["fix-nav", { root: "/srv/fix", branch: "fix-nav" }]]);
  const routes = new CurrentRoutes({
    ...{ tlds: [], bareNames: false, hosts: { names: () => new Set<string>() } },
    choices: { now: () => chosen },
    checkouts: new CheckoutsNow({
      of: () => undefined,
      worktrees: () => worktrees,
      labels: () => labels,
      asOf: (its) => its,
      renew() {},
    }),
  });
  routes.scanned([main, fixed], { ...none, appeared: [main, fixed] });
  expect(routes.scanned([main, fixed], none)).toEqual(none);
  const shows = () => routes.table.services.map(({ origin }) => origin?.shown);
  expect(shows()).toEqual([true, false]);
  chosen = [{ repository, root: "/srv/fix", label: "fix-nav", of: undefined, names: ["api"] }];
  const { changed } = routes.scanned([main, fixed], none);
  expect(changed.map(({ name, origin }) => [name, origin?.shown])).toEqual([
    ["api", false],
    ["fix-nav.api", true],
  ]);
  chosen = [];
  expect(routes.scanned([main, fixed], none).changed).toHaveLength(2);
  expect(shows()).toEqual([true, false]);
});

test("a project's service that has given its port up is looked for in its own sockets, until it is started again", () => {
  const { routes } = scene();
  let web = testSupervised({ port: 4000 });
  routes.include(() => [web]);
  const sockets = () => {
    const asked = { host: "api.shop.localhost", port: undefined, mode: "direct" } as const;
    const found = decide(asked, routes.table, []);
    return found.kind === "proxy" ? found.service.endpoint.sockets : found.kind;
  };
  const place = testService("api.shop", { port: 4000, sockets: [7] });
  const seen = { ...place, source: "LOCALHOSTESS_NAME" } as const;
  routes.scanned([], none);
  expect(sockets()).toBeUndefined();
  routes.scanned([seen], { ...none, appeared: [seen] });
  routes.scanned([], { ...none, gone: [seen] });
  expect(sockets()).toEqual([7]);
  web = { ...web, pid: 4711 };
  routes.renew();
  expect(sockets()).toBeUndefined();
});
