/** Instances of a service behind one name: each in turn, and none that cannot answer. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Supervised } from "../../src/routes/supervised.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy, testSupervised } from "../support/test-proxy.ts";

const host = "Host: shop.localhost\r\n";
const get = `GET /a HTTP/1.1\r\n${host}\r\n`;

let servers: RawServer[];

beforeEach(() => {
  servers = ["1", "2", "3"].map((body) => new RawServer({ answer: () => ok(body) }));
});

afterEach(() => {
  for (const server of servers) server[Symbol.dispose]();
});

function instance(number: number, overrides: Partial<Supervised> = {}): Supervised {
  return testSupervised({
    id: `shop:web-${number}`,
    service: `web-${number}`,
    routeName: `web-${number}.shop`,
    instance: { of: "web", number, routeName: "shop" },
    port: servers[number - 1]!.port,
    ...overrides,
  });
}

const all = (overrides: Partial<Supervised> = {}) =>
  [1, 2, 3].map((its) => instance(its, overrides));

/** The bodies of so many answers, in the order in which they came, on one connection or each on its own. */
async function answers(
  proxy: TestProxy,
  {
    count = 6,
    apart = false,
    request = get,
  }: { count?: number; apart?: boolean; request?: string } = {},
): Promise<string[]> {
  const bodies: string[] = [];
  let client = await connectRaw(proxy.port);
  for (let at = 0; at < count; at++) {
    client.send(request);
    bodies.push((await client.message()).body.toString());
    if (!apart) continue;
    client[Symbol.dispose]();
    client = await connectRaw(proxy.port);
  }
  client[Symbol.dispose]();
  return bodies;
}

for (const apart of [false, true]) {
  test(`get each request in turn, ${apart ? "from many connections" : "on one connection"}`, async () => {
    await using proxy = await startTestProxy({ supervised: all() });
    const bodies = await answers(proxy, { apart });
    expect(bodies.slice(0, 3).sort()).toEqual(["1", "2", "3"]);
    expect(bodies.slice(3)).toEqual(bodies.slice(0, 3));
  });
}

test("have an address each, which leads to no other", async () => {
  await using proxy = await startTestProxy({ supervised: all() });
  const request = get.replace("shop", "web-2.shop");
  expect(await answers(proxy, { count: 3, request })).toEqual(["2", "2", "2"]);
  const below = get.replace("shop", "x.shop");
  expect((await answers(proxy, { count: 3, request: below })).sort()).toEqual(["1", "2", "3"]);
});

test("that are not ready get none, and a changed table begins with another one", async () => {
  await using proxy = await startTestProxy({ supervised: all() });
  const first = new Set<string>();
  for (const state of ["starting", "backoff", "stopped"] as const) {
    proxy.setSupervised([instance(1), instance(2, { state }), instance(3)]);
    const bodies = await answers(proxy, { count: 4 });
    first.add(bodies[0]!);
    expect(bodies.toSorted()).toEqual(["1", "1", "3", "3"]);
  }
  expect(first.size).toBe(2);
  proxy.setSupervised([
    instance(1, { state: "failed" }),
    instance(2),
    instance(3, { state: "exited" }),
  ]);
  expect(await answers(proxy, { count: 2 })).toEqual(["2", "2"]);
});

test("of which none is ready are waited for, and the first that is answers", async () => {
  const states = (second: Supervised["state"]) => [
    instance(1, { state: "failed" }),
    instance(2, { state: second }),
    instance(3, { state: "stopped" }),
  ];
  await using proxy = await startTestProxy({ supervised: states("starting") });
  using client = await connectRaw(proxy.port);
  client.send(get);
  while (proxy.proxy.waiting === 0) await Bun.sleep(1);
  proxy.setSupervised(states("ready"));
  expect((await client.message()).body).toBe("2");
});

test("that sleep are woken by a request for their name", async () => {
  const woken: string[] = [];
  await using proxy = await startTestProxy({
    supervised: all({ state: "stopped", lazy: true }),
    supervision: { wake: (id) => void woken.push(id), latest: () => [] },
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  while (woken.length === 0) await Bun.sleep(1);
  proxy.setSupervised([
    instance(1, { state: "starting" }),
    instance(2),
    instance(3, { state: "starting" }),
  ]);
  expect((await client.message()).body).toBe("2");
  expect(woken).toEqual(["shop:web-1"]);
});

const requests: [what: string, request: string][] = [
  ["a GET", get],
  ["a POST", `POST /a HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi`],
  ["a page load", get.replace("\r\n\r\n", "\r\nAccept: text/html\r\n\r\n")],
];

test.each(requests)("that refuse a connection leave %s to the next", async (_, request) => {
  servers[0]!.unlisten();
  servers[2]!.unlisten();
  await using proxy = await startTestProxy({ supervised: all() });
  expect(await answers(proxy, { count: 3, apart: true, request })).toEqual(["2", "2", "2"]);
});

test("that all refuse are each asked once, and the request waits for them", async () => {
  for (const server of servers) server.unlisten();
  await using proxy = await startTestProxy({ supervised: all() });
  using client = await connectRaw(proxy.port);
  client.send(get);
  while (proxy.proxy.waiting === 0) await Bun.sleep(1);
  proxy.setSupervised(all({ state: "failed" }));
  const { status, body } = await client.message();
  expect(status).toBe(503);
  expect(body.toString()).toContain("shop:web-");
});

test("that are killed under a GET leave it to another; a POST may have been carried out", async () => {
  servers[0]![Symbol.dispose]();
  servers[0] = new RawServer({ answer: () => (end) => end.reset() });
  await using proxy = await startTestProxy({ supervised: all() });
  const bodies = await answers(proxy, { count: 6, apart: true });
  expect(new Set(bodies)).toEqual(new Set(["2", "3"]));
  expect(servers[0]!.requests.length).toBeGreaterThan(0);
  const post = requests[1]![1];
  const statuses: number[] = [];
  for (let at = 0; at < 3; at++) {
    using client = await connectRaw(proxy.port);
    client.send(post);
    statuses.push((await client.message()).status);
  }
  expect(statuses.toSorted()).toEqual([200, 200, 502]);
});

test("get tunnels and upgrades in turn as well, and keep them", async () => {
  for (const server of servers) server[Symbol.dispose]();
  servers = [1, 2, 3].map(() => new RawServer());
  servers[1]!.unlisten();
  await using proxy = await startTestProxy({ supervised: all() });
  const connect = "CONNECT shop.localhost:80 HTTP/1.1\r\nHost: shop.localhost:80\r\n\r\n";
  for (let at = 0; at < 4; at++) {
    using client = await connectRaw(proxy.port);
    client.send(connect);
    await client.until("200 Connection Established\r\n\r\n");
  }
  const counts = servers.map((server) => server.accepted.length);
  expect(counts[1]).toBe(0);
  expect(Math.min(counts[0]!, counts[2]!)).toBeGreaterThan(0);
  expect(counts[0]! + counts[2]!).toBe(4);
});
