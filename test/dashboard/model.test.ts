/** What the page makes of the daemon's answers and events. */
import { expect, test } from "bun:test";
import {
  clockText,
  countText,
  durationText,
  latencyText,
} from "../../src/dashboard/page/format.ts";
import {
  afterChange,
  afterCounts,
  afterRequest,
  afterSeconds,
  deniedOf,
  warningsOf,
  type Entry,
  entriesOf,
  groupsOf,
  shownText,
  marked,
  matching,
  matchingLines,
  matchingRequests,
  type SeenRequest,
  sorted,
  statesOf,
  withRequests,
} from "../../src/dashboard/page/model.ts";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import type { ServiceReport } from "../../src/routes/service-report.ts";

const api: ServiceReport = {
  name: "api",
  url: "http://api.localhost:9090",
  secure_url: "https://api.localhost:9090",
  address: "127.0.0.1",
  port: 3000,
  pid: 77,
  pids: [77],
  ports: [3000],
  command: "node server.js",
  cwd: "/home/ada/api",
  started_at: "2026-01-01T00:00:00.000Z",
  source: "NAME",
  because: null,
  checkout: null,
  origin: null,
  warnings: [],
  traffic: {
    requests: 0,
    errors: 0,
    active: 0,
    denied: 0,
    median_milliseconds: null,
    per_second: [1, ...Array(58).fill(0), 2],
  },
};
const web: ServiceReport = {
  ...api,
  name: "web",
  cwd: null,
  command: "vite",
  pid: 78,
  pids: [78, 79],
  ports: [5173, 24678],
};
const request: SeenRequest = {
  id: 1,
  time: "2026-01-01T00:00:00.000Z",
  service: "api",
  method: "GET",
  target: "/",
  scheme: "http",
  status: 200,
  milliseconds: 4,
  received: 0,
  sent: 10,
  stream: false,
  denied: null,
  caller: undefined,
};

test("what the guard refuses is counted, and is no request of the service", () => {
  const [refused] = afterRequest([api], { ...request, status: 403, denied: "refused" });
  expect(refused!.traffic).toEqual({ ...api.traffic, denied: 1 });
  const [passed] = afterRequest([api], { ...request, denied: "passed" });
  expect(passed!.traffic).toMatchObject({ requests: 1, denied: 0 });
  expect(deniedOf({ declared: undefined, found: refused })).toBe(1);
  expect(deniedOf({ declared: undefined, found: undefined })).toBe(0);
});

test("services are sorted by name, those without an address last", () => {
  const odd = { ...api, name: "A b", url: null };
  expect(sorted([web, odd, api]).map(({ name }) => name)).toEqual(["api", "web", "A b"]);
});

test("a service appears, changes in its place, and goes", () => {
  const both = afterChange([web], { change: "appeared", service: api });
  expect(both.map(({ name }) => name)).toEqual(["api", "web"]);
  const moved = afterChange(both, { change: "changed", service: { ...api, port: 4000 } });
  expect(moved.map(({ port }) => port)).toEqual([4000, 3000]);
  expect(afterChange(moved, { change: "gone", service: api })).toEqual([web]);
  expect(afterChange([web], { change: "gone", service: api })).toEqual([web]);
});

test("a request counts for its service, in the newest second, and as an error where it was one", () => {
  const [counted, other] = afterRequest([api, web], request);
  expect(counted!.traffic).toMatchObject({ requests: 1, errors: 0, median_milliseconds: 4 });
  expect(counted!.traffic.per_second.at(-1)).toBe(3);
  expect(other).toBe(web);
  for (const status of [0, 500, 599]) {
    expect(afterRequest([api], { ...request, status })[0]!.traffic.errors).toBe(1);
  }
  expect(afterRequest([api], { ...request, status: 404 })[0]!.traffic.errors).toBe(0);
});

test("a closed stream is no error, and no latency", () => {
  const closed = { ...request, stream: true, status: 0, milliseconds: 900_000 };
  const [counted] = afterRequest([api], closed);
  expect(counted!.traffic).toMatchObject({ requests: 1, errors: 0, median_milliseconds: null });
  expect(afterRequest([api], { ...closed, status: 502 })[0]!.traffic.errors).toBe(1);
});

test("counts that are told replace those that were counted", () => {
  const counts = { ...api.traffic, requests: 9_000 };
  const [its] = afterCounts([api], { service: "api", counts });
  expect(its!.traffic.requests).toBe(9_000);
});

test("seconds go by, and a service that was quiet stays the same value", () => {
  const quiet = { ...web, traffic: { ...web.traffic, per_second: Array(60).fill(0) } };
  const [moved, same] = afterSeconds([api, quiet], 1);
  expect(moved!.traffic.per_second).toEqual([...Array(58).fill(0), 2, 0]);
  expect(same).toBe(quiet);
  expect(afterSeconds([api], 1_000)[0]!.traffic.per_second).toEqual(Array(60).fill(0));
  expect(afterSeconds([api], -5)).toEqual([api]);
});

const declared: SupervisedStatus = {
  name: "shop:web",
  pid: 78,
  port: 5173,
  status: "running",
  url: "http://web.shop.localhost:9090",
  domain: "web.shop.localhost",
  health_status: "Healthy",
  health_source: "None",
  path: "/srv/shop",
  workspace: null,
  constellation: null,
  warnings: [],
  started_at: "2026-01-01T00:00:00.000Z",
  command: "bun run web",
  project: "shop",
  service: "web",
  route_name: "web.shop",
  type: "exec",
  state: "ready",
  why: null,
  message: "shop:web is ready",
  says: null,
  ready: true,
  ready_at: null,
  uptime: 4,
  restarts: 0,
  exit: null,
  cpu: null,
  memory: null,
  memory_limit: null,
  denied: 0,
  denials: [],
  lazy: false,
  next_run: null,
  instance: null,
  plugin: null,
  pending: null,
};

test("a warning is told once, and not where the sentence of its service has it", () => {
  const message = "shop:web is ready; its last build failed";
  const own = { ...declared, message, warnings: ["its last build failed", "it listens on 1"] };
  const its = { declared: own, found: { ...web, warnings: ["it listens on 1", "two"] } };
  expect(warningsOf(its)).toEqual(["it listens on 1", "two"]);
  expect(warningsOf({ declared: undefined, found: its.found })).toEqual(["it listens on 1", "two"]);
});
const seen: ServiceReport = {
  ...web,
  name: "web.shop",
  url: "http://web.shop.localhost:9090",
  secure_url: "https://web.shop.localhost:9090",
};

test("a service of a project stands once, with the server that was found for it", () => {
  const all = entriesOf([declared], [seen, api]);
  expect(all.map(({ id, found }) => [id, found?.name])).toEqual([
    ["shop:web", "web.shop"],
    ["api", "api"],
  ]);
});

test("another server that has a stopped service's name stands for itself, and so does one without an address", () => {
  const stopped: SupervisedStatus = { ...declared, state: "stopped", pid: null };
  const odd = { ...seen, url: null };
  expect(entriesOf([stopped], [seen]).map(({ id }) => id)).toEqual(["shop:web", "web.shop"]);
  expect(entriesOf([declared], [odd]).map(({ id, state }) => [id, state])).toEqual([
    ["shop:web", "ready"],
    ["web.shop 78", "no address"],
  ]);
});

test("a worker has no server, and instances have one each", () => {
  const worker: SupervisedStatus = { ...declared, route_name: null, url: null };
  expect(entriesOf([worker], [seen])).toHaveLength(2);
  const two = ["web-1", "web-2"].map((name) => ({
    ...declared,
    name: `shop:${name}`,
    route_name: `${name}.shop`,
  }));
  const servers = two.map(({ route_name }) => ({ ...seen, name: route_name }));
  expect(entriesOf(two, servers).map(({ id, found }) => [id, found?.name])).toEqual([
    ["shop:web-1", "web-1.shop"],
    ["shop:web-2", "web-2.shop"],
  ]);
});

test("projects are groups by their folders, in the order of names, and the rest comes last", () => {
  const rows = [
    { ...declared, name: "shop:web" },
    { ...declared, name: "billing:web", project: "billing", path: "/srv/billing" },
    { ...declared, name: "shop:api" },
    { ...declared, name: "shop-fix:web", project: "shop", path: "/srv/shop-fix" },
  ];
  const groups = groupsOf(entriesOf(rows, [api]));
  expect(groups.map(({ key, name, entries }) => [key, name, entries.map(({ id }) => id)])).toEqual([
    ["/srv/billing", "billing", ["billing:web"]],
    ["/srv/shop", "shop", ["shop:api", "shop:web"]],
    ["/srv/shop-fix", "shop", ["shop-fix:web"]],
    ["", "No project", ["api"]],
  ]);
});

test("a project's worktrees come behind it, and servers of one repository stand together", () => {
  const rows = ["zoo", "old.shop", "shop", "fix-nav.shop"].map((project) => ({
    ...declared,
    ...{ name: `${project}:web`, project, path: `/srv/${project}`, route_name: project },
  }));
  const of = (name: string, label: string | null) => ({
    ...{ ...api, name, url: `http://${name}.localhost` },
    checkout: { repository: "/srv/app/.git", root: "/srv/app", label, branch: null },
  });
  const found = [
    of("app", null),
    of("fix-nav.app", "fix-nav"),
    { ...api, name: "b" },
    of("z", null),
  ];
  const groups = groupsOf(entriesOf(rows, found));
  expect(groups.map(({ name }) => name)).toEqual([
    "shop",
    "fix-nav.shop",
    "old.shop",
    "zoo",
    "No project",
  ]);
  expect(groups.at(-1)!.entries.map(({ id }) => id)).toEqual(["app", "z", "fix-nav.app", "b"]);
});

test("a row says what its address shows, where that is not itself", () => {
  const textOf = (name: string, origin: ServiceReport["origin"]) =>
    shownText({ found: { ...api, name, origin } });
  expect(textOf("api", null)).toBeUndefined();
  expect(textOf("api", { name: "api", shown: true })).toBeUndefined();
  expect(textOf("api", { name: "api", shown: false })).toBe("its address shows a worktree");
  expect(textOf("x.api", { name: "api", shown: true })).toBe("shown at api.localhost");
  expect(textOf("x.api", { name: "api", shown: false })).toBeUndefined();
});

test("in one look: how many are in each state, those first that somebody has to look at", () => {
  const exit = { code: 1, signal: null, time: "2026-01-01T00:00:00.000Z", last_lines: [] };
  const rows: SupervisedStatus[] = [
    { ...declared, name: "a:1" },
    { ...declared, name: "a:2" },
    { ...declared, name: "a:3", state: "stopped" },
    { ...declared, name: "a:4", state: "failed" },
    { ...declared, name: "a:5", state: "exited", exit },
    { ...declared, name: "a:6", state: "starting" },
  ];
  const states = statesOf(entriesOf(rows, [{ ...api, warnings: ["two have it"] }]));
  expect(states.map(({ state, tone, count }) => `${count} ${state} ${tone}`)).toEqual([
    "1 exited bad",
    "1 failed bad",
    "1 running warn",
    "1 starting busy",
    "2 ready good",
    "1 stopped off",
  ]);
});

const idsOf = (entries: readonly Entry[], query: string, kept: readonly string[] = []) =>
  matching(entries, { query, kept: new Set(kept) }).map(({ id }) => id);

test("a search looks at all that is known of a service, and all its words must be there", () => {
  const all = entriesOf(
    [{ ...declared, message: "shop:web has failed (exit code 3)", says: "warming up" }],
    [seen, api],
  );
  for (const query of ["", "  "]) expect(idsOf(all, query)).toEqual(["shop:web", "api"]);
  const found: Record<string, string[]> = {
    "API SERVER.js": ["api"],
    vite: ["shop:web"],
    24678: ["shop:web"],
    79: ["shop:web"],
    "node ada": ["api"],
    "node vite": [],
    "shop ready": ["shop:web"],
    running: ["api"],
    "/srv/shop": ["shop:web"],
    "https://api.localhost": ["api"],
    "http://web.shop.localhost": ["shop:web"],
    "exit code 3": ["shop:web"],
    warming: ["shop:web"],
    "is:ready": ["shop:web"],
    "is:read": [],
    "is:running docs": [],
    "is:running node": ["api"],
  };
  for (const [query, ids] of Object.entries(found))
    expect([query, idsOf(all, query)]).toEqual([query, ids]);
});

test("a service that a person has just stopped stays where it was found", () => {
  const stopped = entriesOf([{ ...declared, state: "stopped", pid: null }], []);
  expect(idsOf(stopped, "ready running")).toEqual([]);
  expect(idsOf(stopped, "ready running", ["shop:web"])).toEqual(["shop:web"]);
});

test("a search finds requests and lines of output, the newest first, and marks what it has found", () => {
  const requests = [
    { ...request, id: 2, target: "/orders/2", status: 503 },
    { ...request, id: 1, target: "/carts" },
  ];
  expect(matchingRequests(requests, "api ORDERS").map(({ id }) => id)).toEqual([2]);
  expect(matchingRequests(requests, "503").map(({ id }) => id)).toEqual([2]);
  expect(matchingRequests(requests, "")).toEqual([]);
  const lines = ["one", "two (x)", "one more"].map((text, at) => ({
    service: "shop:api",
    text,
    time: `2026-01-01T00:00:0${at}.000Z`,
  }));
  expect(matchingLines(lines, "one").map(({ text }) => text)).toEqual(["one more", "one"]);
  expect(matchingLines(lines, "shop (x)").map(({ text }) => text)).toEqual(["two (x)"]);
  expect(matchingLines(lines, " ")).toEqual([]);
  expect(marked("two (x) Two", ["(x)", "two"])).toEqual(["", "two", " ", "(x)", " ", "Two", ""]);
  expect(marked("as it is", [])).toEqual(["as it is"]);
});

test("requests are listed the newest first, each once, and at most a hundred", () => {
  const made = (id: number): SeenRequest => ({ ...request, id });
  const all = withRequests([made(2), made(1)], [made(3), made(2)]);
  expect(all.map(({ id }) => id)).toEqual([3, 2, 1]);
  const many = Array.from({ length: 500 }, (_, at) => made(at));
  expect(withRequests([], many)).toHaveLength(100);
});

test("numbers are as people read them", () => {
  expect([0, 59_999, 60_000, 7_500_000, 7_200_000, 90_000_000, -5].map(durationText)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "2 h 5 min",
    "2 h",
    "1 d 1 h",
    "0 s",
  ]);
  expect([null, 0.421, 3.14, 12.6, 1_234, 125_000].map(latencyText)).toEqual([
    "–",
    "0.42 ms",
    "3.1 ms",
    "13 ms",
    "1.2 s",
    "2 min",
  ]);
  expect(countText(1_234_567)).toBe("1,234,567");
  expect(clockText(new Date(2026, 0, 1, 9, 5, 7).getTime())).toBe("09:05:07");
});
