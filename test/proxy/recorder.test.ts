/** What the record says of requests, however they come and end. */
import { expect, test } from "bun:test";
import { once } from "node:events";
import http2 from "node:http2";
import { type Callers, callerFinder } from "../../src/discovery/callers.ts";
import { Recorder, recordLimit, targetLimit } from "../../src/proxy/request/recorder.ts";
import type { RecordedRequest } from "../../src/routes/traffic.ts";
import { systemClock } from "../../src/system/clock.ts";
import { peerSockets } from "../../src/system/peer-sockets.ts";
import { RequestHead } from "../../src/wire/head.ts";
import { encode } from "../../src/wire/bytes.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startH2Proxy } from "../support/h2-proxy.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxyOptions } from "../support/test-proxy.ts";
import { testTls } from "../support/test-tls.ts";

function newRecorder(): Recorder {
  return new Recorder({ clock: systemClock, now: () => performance.now() });
}

async function recorded(options: TestProxyOptions = {}) {
  const recorder = newRecorder();
  const proxy = await startTestProxy({ ...options, recorder });
  return {
    recorder,
    port: proxy.port,
    get connections() {
      return proxy.connections;
    },
    async next(count = 1): Promise<readonly RecordedRequest[]> {
      await eventually(
        "a request is recorded",
        () => recorder.recent({ limit: 2_000 }).length >= count,
      );
      return recorder.recent({ limit: count });
    },
    [Symbol.asyncDispose]: () => proxy.stop(),
  };
}

test("a request is recorded with its method, target, status, time and octets both ways", async () => {
  using api = new RawServer({ answer: () => ok("hello") });
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  const before = Date.now();
  client.send("POST /orders?id=7 HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 3\r\n\r\nabc");
  await client.message();
  const [request] = await proxy.next();
  expect(request).toMatchObject({
    id: 1,
    service: "api",
    method: "POST",
    target: "/orders?id=7",
    scheme: "http",
    status: 200,
    received: 3,
    sent: 5,
    caller: undefined,
  });
  expect(request!.time).toBeGreaterThanOrEqual(before - 1);
  expect(request!.milliseconds).toBeGreaterThan(0);
  expect(request!.milliseconds).toBeLessThan(10_000);
});

test("requests on one connection are recorded one by one, the newest first", async () => {
  using api = new RawServer({ answer: () => ok("x") });
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  for (const path of ["/1", "/2", "/3"]) {
    client.send(`GET ${path} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`);
    await client.message();
  }
  expect((await proxy.next(3)).map(({ id, target }) => [id, target])).toEqual([
    [3, "/3"],
    [2, "/2"],
    [1, "/1"],
  ]);
  expect(proxy.recorder.counts("api")).toMatchObject({ requests: 3, errors: 0, active: 0 });
  expect(proxy.recorder.counts("api").medianMilliseconds).toBeGreaterThan(0);
  expect(proxy.recorder.counts("api").perSecond.reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(proxy.recorder.counts("web")).toMatchObject({ requests: 0, medianMilliseconds: null });
});

test("our own answers are recorded: a name that nobody has, and a server that is not there", async () => {
  using gone = new RawServer();
  const { port } = gone;
  gone[Symbol.dispose]();
  await using proxy = await recorded({ services: { gone: { port } } });
  using stranger = await connectRaw(proxy.port);
  stranger.send("GET /a HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n");
  await stranger.message();
  const [first] = await proxy.next(1);
  expect(first).toMatchObject({ service: "", status: 404, method: "GET", target: "/a" });
  expect(first!.sent).toBeGreaterThan(10);
  using client = await connectRaw(proxy.port);
  client.send("GET /b HTTP/1.1\r\nHost: gone.localhost\r\n\r\n");
  await client.message();
  const [second] = await proxy.next(2);
  expect(second).toMatchObject({ service: "gone", status: 502, target: "/b" });
  expect(proxy.recorder.counts("gone")).toMatchObject({ requests: 1, errors: 1, active: 0 });
});

test("a request that its client breaks off has status 0 and counts as an error", async () => {
  using api = new RawServer();
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("GET /slow HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await (await api.next()).message();
  expect(proxy.recorder.counts("api").active).toBe(1);
  client.reset();
  const [request] = await proxy.next();
  expect(request).toMatchObject({ status: 0, target: "/slow", sent: 0 });
  expect(proxy.recorder.counts("api")).toMatchObject({ requests: 1, errors: 1, active: 0 });
});

test("an answer that breaks off in the middle keeps its status and counts as an error", async () => {
  using api = new RawServer();
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("GET /half HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  await client.until("half");
  upstream.reset();
  const [request] = await proxy.next();
  expect(request).toMatchObject({ status: 200, sent: 4 });
  expect(proxy.recorder.counts("api").errors).toBe(1);
});

test("an upgraded connection is under way until its end, and then recorded with all its octets", async () => {
  using api = new RawServer();
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(
    "GET /ws HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi");
  await client.until("hi");
  client.send("12345");
  await upstream.bytes(5);
  upstream.send("678");
  await client.until("678");
  expect(proxy.recorder.recent({ limit: 10 })).toEqual([]);
  expect(proxy.recorder.counts("api")).toMatchObject({ requests: 1, active: 1 });
  client.finish();
  upstream.finish();
  const [request] = await proxy.next();
  expect(request).toMatchObject({ status: 101, received: 5, sent: 5, target: "/ws", stream: true });
  const counts = { requests: 1, active: 0, errors: 0, medianMilliseconds: null };
  expect(proxy.recorder.counts("api")).toMatchObject(counts);
});

test("a tunnel is recorded at its end, as name and port", async () => {
  using api = new RawServer();
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await client.until("\r\n\r\n");
  client.send("SSH-2.0\r\n");
  const upstream = await api.next();
  await upstream.bytes(9);
  client.finish();
  upstream.finish();
  const [request] = await proxy.next();
  expect(request).toMatchObject({
    service: "api",
    method: "CONNECT",
    target: "api:80",
    status: 200,
    received: 9,
  });
});

test("each stream of HTTP/2 is a request of its own, under https", async () => {
  using api = new RawServer({ answer: () => ok("x") });
  const recorder = newRecorder();
  await using proxy = await startH2Proxy({ api });
  // Before the first client comes: sessions take what is shared when they begin.
  Object.assign(proxy.shared, { recorder });
  const child = Bun.spawn(
    [
      "curl",
      "-sk",
      "--http2",
      "--noproxy",
      "*",
      "--resolve",
      `api.localhost:${proxy.port}:127.0.0.1`,
    ].concat([1, 2].map((n) => `https://api.localhost:${proxy.port}/${n}`)),
    { stdout: "ignore" },
  );
  expect(await child.exited).toBe(0);
  await eventually("both are recorded", () => recorder.recent({ limit: 9 }).length === 2);
  expect(recorder.recent({ limit: 9 })).toMatchObject([
    { target: "/2", scheme: "https", status: 200, sent: 1 },
    { target: "/1", scheme: "https", status: 200, sent: 1 },
  ]);
});

test("nothing of a body, Authorization, Cookie, Set-Cookie or userinfo is in the record", async () => {
  using api = new RawServer({ answer: () => ok("secret-body", ["Set-Cookie: s=secret-set"]) });
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(
    "POST http://api/p HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer secret-a\r\nCookie: c=secret-c\r\nContent-Length: 6\r\n\r\nsecret",
  );
  await client.message();
  await proxy.next(1);
  using other = await connectRaw(proxy.port);
  other.send("GET http://ada:secret@api/q HTTP/1.1\r\nHost: api\r\n\r\n");
  await other.message();
  const [second, first] = await proxy.next(2);
  expect(first!.target).toBe("/p");
  expect(second!.target).toBe("/q");
  expect(JSON.stringify([first, second])).not.toContain("secret");
});

test("an endless target is cut, and what a terminal or a page could obey is shown, not sent", () => {
  const recorder = newRecorder();
  for (const target of [`/${"a".repeat(5_000)}`, "/\u{9b}x", "/short"]) {
    record(recorder, `GET ${target} HTTP/1.1`, "api");
  }
  const [short, control, long] = recorder.recent({ limit: 3 });
  expect(short!.target).toBe("/short");
  expect(control!.target).not.toContain("\u{9b}");
  expect(long!.target).toHaveLength(targetLimit);
});

test("the last thousand are kept, and their places are used again", () => {
  const recorder = newRecorder();
  for (let at = 1; at <= recordLimit + 500; at++) {
    record(recorder, `GET /${at} HTTP/1.1`, at % 2 === 0 ? "even" : "odd");
  }
  const all = recorder.recent({ limit: 10_000 });
  expect(all).toHaveLength(recordLimit);
  expect(all[0]!.target).toBe("/1500");
  expect(all.at(-1)!.target).toBe("/501");
  expect(recorder.recent({ service: "odd", limit: 2 }).map(({ id }) => id)).toEqual([1_499, 1_497]);
  expect(recorder.counts("odd").requests).toBe(750);
});

test("requests under way are told apart from those that ended", () => {
  const recorder = newRecorder();
  const first = begin(recorder, "GET /first HTTP/1.1");
  recorder.routed(first, "api");
  record(recorder, "GET /second HTTP/1.1", "api");
  expect(recorder.recent({ limit: 5 }).map(({ target }) => target)).toEqual(["/second"]);
  first.status = 204;
  recorder.end(first, false);
  expect(recorder.recent({ limit: 5 }).map(({ target }) => target)).toEqual(["/first", "/second"]);
});

test("each of the last 60 seconds has its count, and older ones are forgotten", () => {
  let now = 5_000;
  const recorder = new Recorder({ clock: new FakeClock(), now: () => now });
  record(recorder, "GET / HTTP/1.1", "api");
  now += 2_000;
  record(recorder, "GET / HTTP/1.1", "api");
  record(recorder, "GET / HTTP/1.1", "api");
  expect(recorder.counts("api").perSecond.slice(-3)).toEqual([1, 0, 2]);
  now += 58_000;
  expect(recorder.counts("api").perSecond.slice(0, 3)).toEqual([0, 2, 0]);
  now += 600_000;
  expect(recorder.counts("api").perSecond).toEqual(Array(60).fill(0));
  expect(recorder.counts("api").requests).toBe(3);
});

test("the median is of the last hundred", () => {
  let now = 0;
  const recorder = new Recorder({ clock: new FakeClock(), now: () => now });
  const take = (milliseconds: number) => {
    const entry = begin(recorder, "GET / HTTP/1.1");
    recorder.routed(entry, "api");
    now += milliseconds;
    recorder.end(entry, false);
  };
  for (let at = 0; at < 100; at++) take(1_000);
  expect(recorder.counts("api").medianMilliseconds).toBe(1_000);
  for (let at = 0; at < 50; at++) take(2);
  expect(recorder.counts("api").medianMilliseconds).toBe(501);
  for (let at = 0; at < 1; at++) take(2);
  expect(recorder.counts("api").medianMilliseconds).toBe(2);
});

test("ten thousand names do not make it grow: those quiet for longest are forgotten", () => {
  let now = 0;
  const recorder = new Recorder({ clock: new FakeClock(), now: () => now });
  const busy = begin(recorder, "GET / HTTP/1.1");
  recorder.routed(busy, "busy");
  for (let at = 0; at < 3_000; at++) {
    now += 1_000;
    record(recorder, "GET / HTTP/1.1", `s${at}`);
  }
  expect(recorder.counts("s0").requests).toBe(0);
  expect(recorder.counts("s2999").requests).toBe(1);
  expect(recorder.counts("busy").active).toBe(1);
});

test("who called is the process that has the client's socket", async () => {
  using api = new RawServer({ answer: () => ok("x") });
  const callers = callerFinder({
    root: "/proc",
    clock: systemClock,
    // Time stands still: a look that the busy machine interrupts is not given up.
    now: () => 0,
    peers: peerSockets(process.platform)!,
  });
  await using proxy = await recorded({ services: { api }, callers });
  const { port } = proxy;
  const child = Bun.spawn(
    ["curl", "-s", "--noproxy", "*", "-H", "Host: api.localhost", `http://127.0.0.1:${port}/`],
    { stdout: "ignore" },
  );
  await child.exited;
  const [request] = await proxy.next();
  callers.stop();
  expect(request!.caller).toMatchObject({ pid: child.pid });
  expect(request!.caller!.command).toStartWith("curl -s");
});

test("who called is asked for each client, also for one that comes after a session of HTTP/2", async () => {
  using api = new RawServer({ answer: () => ok("x") });
  await using tls = await testTls({ services: ["api"] });
  const asked: number[] = [];
  const callers: Callers = {
    ask(end) {
      asked.push(end.remotePort);
      return { end, caller: undefined };
    },
    forget() {},
    stop() {},
  };
  const { terminator } = tls;
  await using proxy = await recorded({ services: { api }, callers, terminator });
  const session = http2.connect(`https://localhost:${proxy.port}`, {
    ca: tls.ca,
    servername: "api.localhost",
  });
  const stream = session.request({ ":authority": "api.localhost" });
  await once(stream.resume(), "end");
  session.close();
  await once(session, "close");
  await eventually("the session's connection is gone", () => proxy.connections === 0);
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await client.message();
  expect(asked).toEqual([expect.any(Number), client.localPort]);
});

function begin(recorder: Recorder, line: string) {
  const bytes = encode(`${line}\r\nHost: x\r\n\r\n`);
  const head = new RequestHead();
  head.begin(0);
  head.read(bytes);
  return recorder.begin(head, bytes, false);
}

function record(recorder: Recorder, line: string, service: string): void {
  const entry = begin(recorder, line);
  recorder.routed(entry, service);
  entry.status = 200;
  recorder.end(entry, false);
}

const untilClosed = "Content-Type: text/event-stream";
const eventSource = "Accept: text/event-stream";

/** `asks`, `says`: field lines. The client leaves after the answer's head; without one, before it. */
async function left({ asks, says }: { asks?: string; says: string | undefined }) {
  using api = new RawServer();
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  const more = asks === undefined ? "" : `${asks}\r\n`;
  client.send(`GET /events HTTP/1.1\r\nHost: api.localhost\r\n${more}\r\n`);
  const upstream = await api.next();
  await upstream.message();
  if (says !== undefined) {
    upstream.send(`HTTP/1.1 200 OK\r\n${says}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await client.until("\r\n\r\n");
  }
  client.reset();
  const [request] = await proxy.next();
  const { errors, medianMilliseconds, requests } = proxy.recorder.counts("api");
  expect(requests).toBe(1);
  return { stream: request!.stream, errors, median: medianMilliseconds };
}

test("a closed stream of events is no error, and the time it was open is no latency", async () => {
  const closed = { stream: true, errors: 0, median: null };
  expect(await left({ asks: eventSource, says: untilClosed })).toEqual(closed);
  expect(await left({ says: "content-type:TEXT/Event-Stream; charset=utf-8" })).toEqual(closed);
  const camera = "Content-Type: multipart/x-mixed-replace;boundary=x";
  expect(await left({ says: camera })).toEqual(closed);
  // An EventSource is closed before its server has sent a byte.
  expect(await left({ asks: eventSource, says: undefined })).toEqual(closed);
});

test("what only looks like a stream of events is counted like any answer", async () => {
  const counted = { stream: false, errors: 1, median: expect.any(Number) };
  expect(await left({ says: "Content-Type: text/event-streams" })).toEqual(counted);
  expect(await left({ asks: eventSource, says: "Content-Type: text/html" })).toEqual(counted);
  expect(await left({ says: undefined })).toEqual(counted);
  const many = "Accept: application/json, text/event-stream";
  expect(await left({ asks: many, says: undefined })).toEqual(counted);
});

test("a stream that its service cannot answer is an error, and so is one answered with 500", async () => {
  using api = new RawServer({
    answer: () => "HTTP/1.1 500 No\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n",
  });
  await using proxy = await recorded({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(`GET / HTTP/1.1\r\nHost: api.localhost\r\n${eventSource}\r\n\r\n`);
  await client.message();
  await proxy.next();
  expect(proxy.recorder.counts("api")).toMatchObject({ errors: 1, medianMilliseconds: null });
});
