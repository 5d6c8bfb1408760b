/**
 * Services of the supervisor behind the proxy: held for while they start, explained while they are down, and never
 * a 502 in between.
 */
import { describe, expect, test } from "bun:test";
import http2 from "node:http2";
import type { Supervised } from "../../src/routes/supervised.ts";
import { routeTable } from "../../src/routes/table.ts";
import { belongsTo, listenersOn } from "../../src/system/listeners.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startH2Proxy } from "../support/h2-proxy.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { asRoot, canBeOther, otherListener, otherUid } from "../support/other-user.ts";
import {
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
  testService,
  testSupervised,
} from "../support/test-proxy.ts";

const host = "Host: api.shop.localhost\r\n";
const get = `GET /a HTTP/1.1\r\n${host}\r\n`;
const pageLoad = `GET /a HTTP/1.1\r\n${host}Accept: text/html,*/*;q=0.8\r\n\r\n`;
const starting = testSupervised({ state: "starting", pid: undefined });
const lastExit = {
  code: 3,
  signal: null,
  time: 1_700_000_000_000,
  lastLines: ["\x1b[31mno <database>\x1b[0m"],
};

async function held(proxy: TestProxy, count = 1): Promise<void> {
  await eventually(`${count} held`, () => proxy.proxy.waiting === count);
}

/** Half seconds go by; each is a tick, and what it starts on sockets is done before the next. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let half = 0; half < seconds * 2; half++) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test.each<[what: string, request: string]>([
  ["a GET of a program", get],
  [
    "a GET of a script in a page",
    `GET /a HTTP/1.1\r\n${host}Accept: text/html\r\nSec-Fetch-Mode: cors\r\n\r\n`,
  ],
  ["a HEAD of a page", `HEAD /a HTTP/1.1\r\n${host}Accept: text/html\r\n\r\n`],
  ["a POST", `POST /a HTTP/1.1\r\n${host}Accept: text/html\r\nContent-Length: 2\r\n\r\nhi`],
  ["chunks", `PUT /a HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`],
  ["a whole URL", `GET http://api.shop.localhost/a HTTP/1.1\r\n${host}\r\n`],
  ["a name under it", "GET /a HTTP/1.1\r\nHost: x.api.shop.localhost\r\n\r\n"],
])(
  "%s is held while the service starts, and answered by it when it is ready",
  async (what, request) => {
    using api = new RawServer({
      answer: ({ start }) => ok(start.startsWith("HEAD") ? "" : "here"),
    });
    await using proxy = await startTestProxy({ supervised: [starting] });
    using client = await connectRaw(proxy.port);
    client.send(request);
    await held(proxy);
    proxy.setSupervised([{ ...starting, state: "running" }]);
    expect(proxy.proxy.waiting).toBe(1);
    // Discovery has not seen it yet: it is where its port was given.
    proxy.setSupervised([testSupervised({ port: api.port })]);
    expect((await client.message({ head: what.startsWith("a HEAD") })).status).toBe(200);
    expect(api.requests.length).toBe(1);
    expect(api.requests[0]!.body).toBe(request.includes("hi") ? "hi" : "");
    expect(proxy.proxy.waiting).toBe(0);
  },
);

test("requests of one connection behind a held one wait their turn", async () => {
  using api = new RawServer({ answer: ({ start }) => ok(start.split(" ")[1]) });
  await using proxy = await startTestProxy({ supervised: [starting] });
  using client = await connectRaw(proxy.port);
  client.send(get + get.replace("/a", "/b") + get.replace("/a", "/c"));
  await held(proxy);
  proxy.setSupervised([testSupervised()], { "api.shop": api });
  for (const path of ["/a", "/b", "/c"]) {
    expect((await client.message()).body).toBe(path);
  }
});

test("a WebSocket handshake and CONNECT are held", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ supervised: [starting] });
  using socket = await connectRaw(proxy.port);
  socket.send(
    `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nAccept: text/html\r\n\r\n`,
  );
  await held(proxy, 1);
  using tunnel = await connectRaw(proxy.port);
  tunnel.send(
    "CONNECT api.shop.localhost:80 HTTP/1.1\r\nHost: api.shop.localhost:80\r\n\r\n\x01early",
  );
  await held(proxy, 2);
  proxy.setSupervised([testSupervised()], { "api.shop": api });
  await tunnel.until("200 Connection Established\r\n\r\n");
  const both = [await api.next(), await api.next()];
  const upgrade = both.find((end) => end.received.toString().startsWith("GET")) ?? both[0]!;
  expect((await upgrade.message()).one("upgrade")).toBe("websocket");
  upgrade.send(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
  );
  expect(await socket.until("hello")).toContain("101");
  expect(await both.find((end) => end !== upgrade)!.until("early")).toBe("\x01early");
});

test("requests by HTTP/2 are held, with their bodies", async () => {
  using api = new RawServer({ answer: ({ body }) => ok(`got ${body.length}`) });
  await using proxy = await startH2Proxy({}, "api.shop.localhost");
  const tables = { now: routeTable([], { supervised: [starting] }) };
  proxy.shared.routes = () => tables.now;
  const session = http2.connect(`https://api.shop.localhost:${proxy.port}`, {
    ca: proxy.ca,
    lookup: (_host: string, _options: unknown, done: (...values: unknown[]) => void) =>
      done(null, [{ address: "127.0.0.1", family: 4 }]),
  } as http2.SecureClientSessionOptions);
  try {
    const answers = [1, 700_000].map((length) => {
      const stream = session.request({ ":method": "POST", ":path": "/" });
      stream.end(Buffer.alloc(length, 120));
      return new Promise<string>((resolve, reject) => {
        let text = "";
        stream.on("data", (piece: Buffer) => {
          text += piece;
        });
        stream.on("error", reject);
        stream.on("close", () => resolve(text));
      });
    });
    const gone = session.request({ ":path": "/gone" });
    gone.on("error", () => {});
    await eventually("three held", () => proxy.shared.waiting.size === 3);
    gone.close(http2.constants.NGHTTP2_CANCEL);
    await eventually("two held", () => proxy.shared.waiting.size === 2);
    tables.now = routeTable([testService("api.shop", api)], { supervised: [testSupervised()] });
    for (const waiting of [...proxy.shared.waiting]) waiting.news();
    expect(await Promise.all(answers)).toEqual(["got 1", "got 700000"]);
    expect(api.requests.length).toBe(2);
  } finally {
    session.destroy();
  }
});

test("a page load gets the starting page at once: its last lines escaped, loading itself again until the service is there", async () => {
  using api = new RawServer({ answer: () => ok("the app") });
  await using proxy = await startTestProxy({
    supervised: [{ ...starting, why: "waits for <db>" }],
    supervision: {
      wake() {},
      latest: () => ["\x1b[32mlistening\x1b[0m <script>alert(1)</script>", "two"],
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(pageLoad);
  const page = await client.message();
  expect(page.status).toBe(503);
  expect(page.one("retry-after")).toBe("1");
  expect(page.one("cache-control")).toBe("no-store");
  const text = page.body;
  expect(text).toContain("shop:api is starting");
  expect(text).toContain("waits for &lt;db&gt;");
  expect(text).toContain("listening &lt;script&gt;alert(1)&lt;/script&gt;\ntwo");
  expect(text).not.toContain("<script>alert");
  expect(page.one("refresh")).toBeUndefined();
  proxy.setSupervised([testSupervised()], { "api.shop": api });
  client.send(pageLoad);
  expect((await client.message()).body).toBe("the app");
});

test("the page of every state, in the form that is asked for", async () => {
  await using proxy = await startTestProxy();
  const say = async (supervised: Supervised, accept: string) => {
    proxy.setSupervised([supervised]);
    using client = await connectRaw(proxy.port);
    client.send(`GET / HTTP/1.1\r\n${host}Accept: ${accept}\r\n\r\n`);
    return await client.message();
  };
  for (const state of ["stopped", "exited", "failed"] as const) {
    const supervised = testSupervised({
      state,
      lastExit,
      pid: undefined,
      directory: "/srv/my shop",
    });
    const text = (await say(supervised, "*/*")).body;
    expect(text).toContain("shop:api");
    // One that was stopped is down because somebody said so, however it ended.
    expect(text.includes("exit code 3")).toBe(state !== "stopped");
    expect(text).toContain("localhostess up '/srv/my shop' api");
    expect(text.trimEnd()).not.toContain("\n");
    const page = await say(supervised, "text/html");
    expect(page.status).toBe(503);
    expect(page.one("retry-after")).toBeUndefined();
    expect(page.body).toContain("exit code 3");
    expect(page.body).toContain("no &lt;database&gt;");
    expect(page.body).toContain("localhostess up &#39;/srv/my shop&#39; api");
    const { error } = JSON.parse((await say(supervised, "application/json")).body);
    expect(error).toMatchObject({
      code: `service_${state}`,
      status: 503,
      id: "shop:api",
      state,
      exit: { code: 3, signal: null },
      lines: ["no <database>"],
    });
  }
});

test("a lazy service is started by the first request, once, and answers it", async () => {
  using api = new RawServer({ answer: () => ok("awake") });
  const woken: string[] = [];
  const lazy = testSupervised({ state: "stopped", lazy: true, pid: undefined });
  await using proxy = await startTestProxy({
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  expect(woken).toEqual(["shop:api"]);
  using browser = await connectRaw(proxy.port);
  browser.send(pageLoad);
  expect((await browser.message()).body).toContain("shop:api is starting");
  woken.length = 1;
  proxy.setSupervised([{ ...lazy, state: "starting" }]);
  proxy.setSupervised([testSupervised({ lazy: true })], { "api.shop": api });
  expect((await client.message()).body).toBe("awake");
  expect(woken).toEqual(["shop:api"]);
});

test("a request that comes while a lazy service is being stopped starts it again, once", async () => {
  using api = new RawServer({ answer: () => ok("awake") });
  const woken: string[] = [];
  const lazy = testSupervised({ state: "stopping", lazy: true });
  await using proxy = await startTestProxy({
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  expect(woken).toEqual([]);
  const stopped = { ...lazy, state: "stopped" as const, pid: undefined };
  proxy.setSupervised([stopped]);
  await eventually("it is woken", () => woken.length === 1);
  proxy.setSupervised([{ ...stopped, warnings: ["news"] }]);
  proxy.setSupervised([{ ...lazy, state: "starting" }]);
  proxy.setSupervised([testSupervised({ lazy: true })], { "api.shop": api });
  expect((await client.message()).body).toBe("awake");
  expect(woken).toEqual([lazy.id]);
});

test("a request that wakes a service does not disturb another that is read because of it", async () => {
  using api = new RawServer({ answer: ({ start, body }) => ok(`${start.split(" ")[0]} ${body}`) });
  const lazy = testSupervised({ state: "stopped", lazy: true, pid: undefined });
  const other = testSupervised({ ...starting, id: "shop:other", routeName: "other.shop" });
  await using proxy = await startTestProxy({
    supervised: [lazy, other],
    supervision: {
      wake: () => proxy.setSupervised([{ ...lazy, state: "starting" }, testSupervised(other)]),
      latest: () => [],
    },
  });
  using waiting = await connectRaw(proxy.port);
  waiting.send(get.replace("api.", "other."));
  await held(proxy, 1);
  using posting = await connectRaw(proxy.port);
  posting.send(`POST /a HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`);
  await held(proxy, 2);
  const ready = [testSupervised(), testSupervised({ id: "shop:other", routeName: "other.shop" })];
  proxy.setSupervised(ready, { "api.shop": api, "other.shop": api });
  expect((await posting.message()).body).toBe("POST hello");
  expect((await waiting.message()).body).toBe("GET ");
});

test("a lazy service that could not be started is explained to those who waited", async () => {
  const lazy = testSupervised({ state: "stopped", lazy: true, pid: undefined });
  await using proxy = await startTestProxy({
    supervised: [lazy],
    supervision: {
      wake: () => proxy.setSupervised([{ ...lazy, state: "failed", lastExit }]),
      latest: () => [],
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  expect((await client.message()).body).toContain("shop:api has failed (exit code 3)");
});

for (const [state, restarts, seconds] of [
  ["starting", 0, 30],
  ["running", 0, 30],
  ["starting", 2, 10],
  ["backoff", 1, 10],
  ["stopping", 0, 10],
] as const) {
  test(`${state} after ${restarts} restarts: held for ${seconds} s, then 503 with Retry-After`, async () => {
    const clock = new FakeClock();
    await using proxy = await startTestProxy({
      clock,
      supervised: [testSupervised({ state, restarts })],
    });
    using client = await connectRaw(proxy.port);
    client.send(get);
    await held(proxy);
    await pass(clock, seconds - 1);
    expect(proxy.proxy.waiting).toBe(1);
    await pass(clock, 1.5);
    const answer = await client.message();
    expect(answer.status).toBe(503);
    expect(answer.one("retry-after")).toBe("1");
    expect(answer.body).toContain(`within ${seconds} s`);
  });
}

/** A port that refuses. */
function closedPort(): number {
  const server = new RawServer();
  server[Symbol.dispose]();
  return server.port;
}

test.each<[what: string, request: string]>([
  ["a GET", get],
  ["a page load", pageLoad],
  ["a POST", `POST /a HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi`],
])(
  "%s whose service restarts without anybody's knowing waits until it listens again",
  async (_, request) => {
    const clock = new FakeClock();
    const port = closedPort();
    await using proxy = await startTestProxy({
      clock,
      services: { "api.shop": { port } },
      supervised: [testSupervised()],
    });
    using client = await connectRaw(proxy.port);
    client.send(request);
    await held(proxy);
    await pass(clock, 2);
    using api = new RawServer({ port, answer: ({ body }) => ok(`back ${body}`) });
    await pass(clock, 1);
    expect((await client.message()).body).toStartWith("back");
    expect(api.requests.length).toBe(1);
  },
);

test("a body that is too large to be held is refused there too, however it comes", async () => {
  await using proxy = await startTestProxy({
    services: { "api.shop": { port: closedPort() } },
    supervised: [testSupervised()],
  });
  using large = await connectRaw(proxy.port);
  large.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${(1 << 20) + 1}\r\n\r\n`);
  expect((await large.message()).body.toString()).toContain("more than 1 MiB");
  using endless = await connectRaw(proxy.port);
  endless.send(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`);
  await held(proxy);
  endless.send(`4000\r\n${"x".repeat(0x4000)}\r\n`.repeat(80));
  expect((await endless.message()).body.toString()).toContain("more than 1 MiB");
  expect(proxy.proxy.waiting).toBe(0);
});

test("a connection is not kept for a request whose service stops meanwhile", async () => {
  using api = new RawServer();
  const stopping = testSupervised({ state: "stopping" });
  let stops = true;
  await using proxy = await startTestProxy({
    services: { "api.shop": api },
    supervised: [testSupervised()],
    // Asked right before the service is dialled.
    stillThere: () => {
      if (stops) proxy.setSupervised([stopping]);
      return true;
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  const first = await api.next();
  stops = false;
  // A service that stops may wait for this.
  await first.rest();
  proxy.setSupervised([testSupervised()]);
  const second = await api.next();
  await second.message();
  second.send(ok("here"));
  expect((await client.message()).body.toString()).toBe("here");
});

test("where it never listens again, that is 503 after 10 s and no 502", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({
    clock,
    services: { "api.shop": { port: closedPort() } },
    supervised: [testSupervised()],
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  await pass(clock, 12);
  expect((await client.message()).status).toBe(503);
});

test("a GET whose service is killed under it is answered by its successor", async () => {
  using first = new RawServer();
  await using proxy = await startTestProxy({
    services: { "api.shop": first },
    supervised: [testSupervised()],
  });
  using client = await connectRaw(proxy.port);
  client.send(pageLoad);
  const upstream = await first.next();
  await upstream.message();
  first.unlisten();
  upstream.reset();
  await held(proxy);
  proxy.setSupervised([testSupervised({ state: "backoff", restarts: 1, lastExit })]);
  expect(proxy.proxy.waiting).toBe(1);
  using second = new RawServer({ answer: () => ok("second") });
  proxy.setSupervised([testSupervised({ restarts: 1 })], { "api.shop": second });
  expect((await client.message()).body).toBe("second");
  expect(proxy.proxy.waiting).toBe(0);
});

test("a GET on a connection that dies while it is idle waits for the successor, too", async () => {
  using first = new RawServer({
    answer: ({ start }) => (start.includes("/last") ? undefined : ok("first")),
  });
  await using proxy = await startTestProxy({
    services: { "api.shop": first },
    supervised: [testSupervised()],
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  expect((await client.message()).body).toBe("first");
  first.unlisten();
  // The service takes the request, and is gone.
  client.send(get.replace("/a", "/last"));
  const end = first.accepted[0]!;
  await eventually("it is asked", () => first.requests.length === 2);
  expect(end.closed).toBe(false);
  end.reset();
  await held(proxy);
  using second = new RawServer({ answer: () => ok("second") });
  proxy.setSupervised([testSupervised({ restarts: 1 })], { "api.shop": second });
  expect((await client.message()).body).toBe("second");
});

test("a GET that kills its service twice is told so, and not sent a third time", async () => {
  let asked = 0;
  using api = new RawServer({
    answer: () => (end) => {
      asked++;
      end.reset();
    },
  });
  await using proxy = await startTestProxy({
    services: { "api.shop": api },
    supervised: [testSupervised()],
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  proxy.setSupervised([testSupervised({ restarts: 1 })]);
  expect((await client.message()).status).toBe(502);
  expect(asked).toBe(2);
});

test("a POST that a killed service may have begun is not sent again", async () => {
  using api = new RawServer({ answer: () => (end) => end.reset() });
  await using proxy = await startTestProxy({
    services: { "api.shop": api },
    supervised: [testSupervised()],
  });
  using client = await connectRaw(proxy.port);
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi`);
  expect((await client.message()).status).toBe(502);
  expect(api.requests.length).toBe(1);
});

test("a service that is given up while requests wait for it is explained to them", async () => {
  await using proxy = await startTestProxy({ supervised: [starting] });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  proxy.setSupervised([testSupervised({ state: "failed", lastExit, why: "ended 10 times" })]);
  expect((await client.message()).body).toMatch(/shop:api has failed .*ended 10 times/);
});

test("a body of 1 MiB is held whole, however it comes; a larger one is refused at once", async () => {
  using api = new RawServer({ answer: ({ body }) => ok(`got ${body.length}`) });
  await using proxy = await startTestProxy({ supervised: [starting] });
  const mebibyte = "x".repeat(1 << 20);
  const counted = `POST / HTTP/1.1\r\n${host}Content-Length: ${1 << 20}\r\n\r\n${mebibyte}`;
  const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
  const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
  using one = await connectRaw(proxy.port);
  one.send(counted);
  using two = await connectRaw(proxy.port);
  two.send(`${chunked}${chunk.repeat(64)}0\r\n\r\n`);
  await held(proxy, 2);
  await Promise.all([one.sent(), two.sent()]);

  using large = await connectRaw(proxy.port);
  large.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${(1 << 20) + 1}\r\n\r\n`);
  expect((await large.message()).status).toBe(503);
  using endless = await connectRaw(proxy.port);
  endless.send(`${chunked}${chunk.repeat(80)}`);
  const refusal = await endless.message();
  expect(refusal.status).toBe(503);
  expect(refusal.body).toContain("more than 1 MiB");
  expect(refusal.one("retry-after")).toBe("1");

  proxy.setSupervised([testSupervised()], { "api.shop": api });
  for (const client of [one, two]) {
    expect((await client.message()).body).toBe("got 1048576");
  }
});

test("a client that goes away while it is held leaves nothing", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ supervised: [starting] });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  client.reset();
  await held(proxy, 0);
  expect(proxy.connections).toBe(0);
  proxy.setSupervised([testSupervised()], { "api.shop": api });
  expect(api.accepted.length).toBe(0);
});

test("a proxy that stops does not wait for services that start", async () => {
  const proxy = await startTestProxy({ supervised: [starting] });
  using client = await connectRaw(proxy.port);
  client.send(get);
  await held(proxy);
  const stopped = proxy.stop(60_000);
  expect((await client.message()).status).toBe(503);
  client.finish();
  await stopped;
});

test("a server that somebody runs by hand under the name of a stopped service is reached", async () => {
  using api = new RawServer({ answer: () => ok("by hand") });
  await using proxy = await startTestProxy({
    supervised: [testSupervised({ state: "stopped" })],
    refresh: async () => {
      proxy.setServices({ "api.shop": api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(get);
  expect((await client.message()).body).toBe("by hand");
});

const stranger = "Sec-Fetch-Site: cross-site\r\nReferer: https://example.com/\r\n";
const image = `${stranger}Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n`;
/** The guard refuses most of them before; without it, they still wake nothing. */
const unguarded = { settings: { guard: "off" } } as const;

test.each<[what: string, request: string, wakes: boolean]>([
  ["an image of a stranger's page", `GET /a HTTP/1.1\r\n${host}${image}\r\n`, false],
  [
    "a frame of one",
    `GET /a HTTP/1.1\r\n${host}${stranger}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\nAccept: text/html\r\n\r\n`,
    false,
  ],
  [
    "a form that one's script sends away",
    `POST /a HTTP/1.1\r\n${host}${stranger}Sec-Fetch-Mode: no-cors\r\nOrigin: https://example.com\r\nContent-Length: 2\r\n\r\nhi`,
    false,
  ],
  [
    "a link of one",
    `GET /a HTTP/1.1\r\n${host}${stranger}Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nAccept: text/html\r\n\r\n`,
    true,
  ],
  [
    "an image of a page of ours",
    `GET /a HTTP/1.1\r\n${host}${image.replace("https://example.com", "http://web.localhost")}\r\n`,
    true,
  ],
  ["a program", get, true],
])("%s starts a lazy service or is told why not: %#", async (_, request, wakes) => {
  const woken: string[] = [];
  const lazy = testSupervised({
    ...{ state: "stopped", lazy: true, pid: undefined, lastExit },
    ...unguarded,
  });
  await using proxy = await startTestProxy({
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => ["secret line"] },
  });
  using client = await connectRaw(proxy.port);
  client.send(request.replace("Accept: text/html", "Accept: text/html, */*;q=0.1"));
  if (wakes) await eventually("it is woken", () => woken.length === 1);
  else {
    const answer = await client.message();
    expect(answer.status).toBe(503);
    expect(answer.one("retry-after")).toBeUndefined();
    expect(answer.one("refresh")).toBeUndefined();
    expect(answer.body).toContain("of another site");
    expect(answer.body).not.toMatch(/secret|database|\/srv/);
    expect(proxy.proxy.waiting).toBe(0);
    expect(woken).toEqual([]);
  }
});

test("a stranger's request that was held while the service stopped does not start it again", async () => {
  const woken: string[] = [];
  const lazy = testSupervised({ state: "stopping", lazy: true, ...unguarded });
  await using proxy = await startTestProxy({
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  using client = await connectRaw(proxy.port);
  client.send(`GET /a HTTP/1.1\r\n${host}${image}\r\n`);
  await held(proxy);
  proxy.setSupervised([{ ...lazy, state: "stopped", pid: undefined }]);
  expect((await client.message()).body).toContain("of another site");
  expect(woken).toEqual([]);
});

test("nor does one that the service had before it was stopped", async () => {
  using api = new RawServer();
  const woken: string[] = [];
  const lazy = testSupervised({ lazy: true, ...unguarded });
  await using proxy = await startTestProxy({
    services: { "api.shop": api },
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  using client = await connectRaw(proxy.port);
  client.send(`GET /a HTTP/1.1\r\n${host}${image}\r\n`);
  const upstream = await api.next();
  await upstream.message();
  proxy.setSupervised([{ ...lazy, state: "stopping" }], {});
  upstream.reset();
  await held(proxy);
  proxy.setSupervised([{ ...lazy, state: "stopped", pid: undefined }], {});
  expect((await client.message()).body).toContain("of another site");
  expect(woken).toEqual([]);
});

test("a stranger's stream by HTTP/2 starts nothing either", async () => {
  const woken: string[] = [];
  await using proxy = await startH2Proxy({}, "api.shop.localhost");
  const lazy = testSupervised({ state: "stopped", lazy: true, pid: undefined, ...unguarded });
  proxy.shared.routes = () => routeTable([], { supervised: [lazy] });
  Object.assign(proxy.shared, {
    supervision: { wake: (id: string) => woken.push(id), latest: () => ["secret line"] },
  });
  const { status, text } = await askH2(proxy.port, proxy.ca, {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
  });
  expect(status).toBe(503);
  expect(text).toContain("of another site");
  expect(woken).toEqual([]);
});

function askH2(
  port: number,
  ca: string,
  fields: Record<string, string>,
): Promise<{ status: unknown; text: string }> {
  const session = http2.connect(`https://api.shop.localhost:${port}`, {
    ca,
    lookup: (_host: string, _options: unknown, done: (...values: unknown[]) => void) =>
      done(null, [{ address: "127.0.0.1", family: 4 }]),
  } as http2.SecureClientSessionOptions);
  return new Promise<{ status: unknown; text: string }>((resolve, reject) => {
    const stream = session.request({ ":path": "/", ...fields });
    let status: unknown;
    let text = "";
    stream.on("response", (head) => {
      status = head[":status"];
    });
    stream.on("data", (piece: Buffer) => {
      text += piece;
    });
    stream.on("error", reject);
    stream.on("close", () => resolve({ status, text }));
  }).finally(() => session.destroy());
}

const browser = "User-Agent: Mozilla/5.0 (X11)\r\nAccept-Language: en\r\n";
const script = `${browser}Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n`;
const secrets = /secret|database|\/srv|31337|exit code|4242|not for scripts/;

test.each<[what: string, fields: string]>([
  ["an app's own script", script],
  ["its frame", script.replace("cors", "navigate").replace("empty", "iframe")],
  ["its service worker", script.replace("cors", "navigate")],
  ["a browser that does not say what for", browser],
])("%s hears a service's state, and no line, folder, process or command", async (_, fields) => {
  const down = testSupervised({
    state: "failed",
    why: "not for scripts",
    status: "not for scripts",
    pid: 4242,
    port: 31_337,
    restarts: 3,
    lastExit,
  });
  await using proxy = await startTestProxy({
    supervised: [down],
    supervision: { wake() {}, latest: () => ["secret line"] },
  });
  for (const line of ["GET /", "GET http://api.shop.localhost/", "POST /"]) {
    for (const accept of ["text/html", "application/json", "*/*"]) {
      using client = await connectRaw(proxy.port);
      client.send(
        `${line} HTTP/1.1\r\n${host}${fields}Accept: ${accept}\r\nContent-Length: 0\r\n\r\n`,
      );
      const answer = await client.message();
      expect(answer.status).toBe(503);
      expect(answer.raw).not.toMatch(secrets);
      expect(answer.body).toContain("shop:api has failed");
      expect(answer.body).toContain("localhostess logs shop:api");
      if (accept === "application/json") {
        const { error } = JSON.parse(answer.body);
        expect(Object.keys(error).sort()).toEqual([
          "code",
          "hint",
          "id",
          "message",
          "project",
          "service",
          "state",
          "status",
        ]);
        expect(error).toMatchObject({ code: "service_failed", state: "failed", id: "shop:api" });
      }
    }
  }
});

test("a script that waited for too long hears that, with Retry-After, and not why; a page load hears why", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({
    clock,
    supervised: [{ ...starting, why: "not for scripts" }],
    supervision: { wake() {}, latest: () => ["secret line"] },
  });
  using client = await connectRaw(proxy.port);
  client.send(`GET / HTTP/1.1\r\n${host}${script}Accept: application/json\r\n\r\n`);
  await held(proxy);
  await pass(clock, 31);
  const answer = await client.message();
  expect(answer.one("retry-after")).toBe("1");
  expect(answer.raw).not.toMatch(secrets);
  expect(JSON.parse(answer.body).error).toMatchObject({
    code: "service_starting",
    state: "starting",
  });
  using tab = await connectRaw(proxy.port);
  const navigation = script.replace("cors", "navigate").replace("empty", "document");
  tab.send(`GET / HTTP/1.1\r\n${host}${navigation}Accept: text/html\r\n\r\n`);
  const page = await tab.message();
  expect(page.body).toContain("secret line");
  expect(page.body).toContain("not for scripts");
  expect(page.one("content-security-policy")).toContain("sandbox");
});

test("by HTTP/2 a script hears no line, and a page load does", async () => {
  await using proxy = await startH2Proxy({}, "api.shop.localhost");
  proxy.shared.routes = () => routeTable([], { supervised: [testSupervised({ state: "failed" })] });
  Object.assign(proxy.shared, { supervision: { wake() {}, latest: () => ["secret line"] } });
  const asked = { "accept-language": "en", accept: "application/json" };
  const fetched = await askH2(proxy.port, proxy.ca, {
    ...asked,
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
  });
  expect(fetched.text).not.toContain("secret");
  const loaded = await askH2(proxy.port, proxy.ca, {
    ...asked,
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  });
  expect(loaded.text).toContain("secret line");
});

/** As the daemon joins it. */
const users = [process.getuid?.() ?? 0, 0];
const isOwn: TestProxyOptions["isOwn"] = (place, owners) =>
  belongsTo(listenersOn(place.port), { place, users: [...users, ...owners] });

describe.skipIf(!canBeOther)(`another user on the port ${asRoot}`, () => {
  test.each<[what: string, request: string]>([
    ["a GET", get],
    ["CONNECT", `CONNECT api.shop.localhost:80 HTTP/1.1\r\n${host}\r\n${get}`],
    ["a POST", `POST /a HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\nhi`],
  ])(
    "%s does not reach it while a service is ready and does not listen yet",
    async (_, request) => {
      const other = await otherListener();
      await using proxy = await startTestProxy({
        isOwn,
        supervised: [testSupervised({ port: other.port })],
      });
      using client = await connectRaw(proxy.port);
      client.send(request);
      await held(proxy);
      expect(other.heard()).toBe("");
      await other[Symbol.asyncDispose]();
      using api = new RawServer({ port: other.port, answer: () => ok("ours") });
      if (request.startsWith("CONNECT")) await client.until("200 Connection Established\r\n\r\n");
      expect((await client.message()).body).toBe("ours");
      expect(api.requests.length).toBe(1);
      expect(other.heard()).toBe("");
    },
  );

  test("where it is on one address only, the other one is asked", async () => {
    await using other = await otherListener();
    using api = new RawServer({ address: "::1", port: other.port, answer: () => ok("ours") });
    await using proxy = await startTestProxy({
      isOwn,
      supervised: [testSupervised({ port: api.port })],
    });
    using client = await connectRaw(proxy.port);
    client.send(get);
    expect((await client.message()).body).toBe("ours");
    expect(other.heard()).toBe("");
  });

  test("it is no stranger where the service's own processes listen as that user", async () => {
    await using other = await otherListener();
    await using proxy = await startTestProxy({
      isOwn,
      supervised: [
        testSupervised({ port: other.port, listens: [other.port], listensAs: [otherUid] }),
      ],
    });
    using client = await connectRaw(proxy.port);
    client.send(get);
    expect((await client.message()).body).toBe("stranger");
  });
});
