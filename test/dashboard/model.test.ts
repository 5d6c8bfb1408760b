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
  matching,
  type SeenRequest,
  sorted,
  withRequests,
} from "../../src/dashboard/page/model.ts";
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
  warnings: [],
  traffic: {
    requests: 0,
    errors: 0,
    active: 0,
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
  caller: undefined,
};

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

test("a search looks at names, commands, folders, ports and pids, and all its words must be there", () => {
  const names = (query: string) => matching([api, web], query).map(({ name }) => name);
  expect(names("")).toEqual(["api", "web"]);
  expect(names("  ")).toEqual(["api", "web"]);
  expect(names("API")).toEqual(["api"]);
  expect(names("vite")).toEqual(["web"]);
  expect(names("24678")).toEqual(["web"]);
  expect(names("79")).toEqual(["web"]);
  expect(names("node ada")).toEqual(["api"]);
  expect(names("node vite")).toEqual([]);
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
