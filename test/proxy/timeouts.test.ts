/** What is cut for taking too long, and what never is; an hour takes no time here. */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";

const second = 1_000;
const minute = 60 * second;
const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

/** A connection that the proxy has accepted, so that time counts for it. */
async function accepted(proxy: TestProxy): Promise<RawEnd> {
  const before = proxy.connections;
  const client = await connectRaw(proxy.port);
  while (proxy.connections === before) await turn();
  return client;
}

/** What was sent before has been read: an answer came back behind it, on another connection. */
async function settled(proxy: TestProxy): Promise<void> {
  for (let round = 0; round < 3; round++) {
    using other = await connectRaw(proxy.port);
    other.send("GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await other.message();
  }
}

test("a head that is not complete after 15 s is 408, and the connection ends", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock });
  using client = await accepted(proxy);
  client.send("GET / HTTP/1.1\r\nHost: lo");
  await settled(proxy);
  clock.advance(14 * second);
  await settled(proxy);
  expect(client.total).toBe(0);
  clock.advance(2 * second);
  const answer = await client.message();
  expect(answer.status).toBe(408);
  expect(answer.one("connection")).toBe("close");
  expect(await client.rest()).toBe("");
});

test.each(["the same client", "another client"])(
  "a slow head behind a HEAD of %s is told so in full",
  async (who) => {
    const clock = new FakeClock();
    await using proxy = await startTestProxy({ clock });
    using first = await accepted(proxy);
    first.send("HEAD /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await first.message({ head: true });
    if (who === "another client") first.close();
    await eventually(
      "the first is gone",
      () => proxy.connections === (who === "another client" ? 0 : 1),
    );
    using other = who === "another client" ? await accepted(proxy) : undefined;
    const client = other ?? first;
    client.send("GET / HTTP/1.1\r\nHost: lo");
    await settled(proxy);
    clock.advance(16 * second);
    const answer = await client.message();
    expect(answer.status).toBe(408);
    expect(answer.body.length).toBeGreaterThan(0);
  },
);

test("an octet every second does not lengthen the 15 s", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock });
  using client = await accepted(proxy);
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
  for (let seconds = 0; seconds < 17 && client.total === 0; seconds++) {
    client.send("x");
    await settled(proxy);
    clock.advance(second);
  }
  expect((await client.message()).status).toBe(408);
});

test("200 connections that send their heads an octet at a time are shed, and others are answered meanwhile", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok("api") });
  await using proxy = await startTestProxy({ services: { api }, clock });
  const slow = await Promise.all(Array.from({ length: 200 }, () => connectRaw(proxy.port)));
  using other = await connectRaw(proxy.port);
  for (let seconds = 0; seconds < 16; seconds++) {
    for (const one of slow) one.send("G");
    other.send(request);
    expect((await other.message()).body).toBe("api");
    clock.advance(second);
  }
  await Promise.all(slow.map((one) => one.rest()));
});

test("a connection that never says a byte is closed after 30 s, without one", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock });
  using client = await accepted(proxy);
  clock.advance(29 * second);
  await settled(proxy);
  expect(client.ended).toBe(false);
  clock.advance(2 * second);
  expect(await client.rest()).toBe("");
});

test("an idle connection stands for 75 s behind an answer, and then is closed without a byte", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  for (const [what, text] of [
    ["of a service", request],
    ["of ours", "GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ] as const) {
    using client = await accepted(proxy);
    client.send(text);
    await client.message();
    clock.advance(74 * second);
    await settled(proxy);
    expect(`${what} ${client.ended}`).toBe(`${what} false`);
    client.send(text);
    await client.message();
    clock.advance(74 * second);
    await settled(proxy);
    expect(client.ended).toBe(false);
    clock.advance(2 * second);
    expect(await client.rest()).toBe("");
  }
});

test("a client that was silent for 14 s has 15 s for its head", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using client = await accepted(proxy);
  clock.advance(14 * second);
  client.send("GET / HT");
  await settled(proxy);
  clock.advance(14 * second);
  await settled(proxy);
  client.send("TP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(200);
});

test("a next head that begins late has its own 15 s", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using client = await accepted(proxy);
  client.send(request);
  await client.message();
  clock.advance(70 * second);
  client.send("GET / HT");
  await settled(proxy);
  clock.advance(14 * second);
  await settled(proxy);
  expect(client.total).toBeGreaterThan(0);
  expect(client.ended).toBe(false);
  client.send("TP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(200);
});

test("an answer that takes an hour to begin comes", async () => {
  await using its = await scene();
  const { api, client, clock } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  clock.advance(60 * minute);
  upstream.send(ok("late"));
  expect((await client.message()).body).toBe("late");
});

test("an answer that trickles for an hour is not cut, and the connection goes on behind it", async () => {
  await using its = await scene();
  const { api, client, clock } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  await client.until("\r\n\r\n");
  for (let minutes = 0; minutes < 60; minutes++) {
    clock.advance(minute);
    upstream.send("1\r\nx\r\n");
    await client.until("1\r\nx\r\n");
  }
  upstream.send("0\r\n\r\n");
  await client.until("0\r\n\r\n");
  clock.advance(60 * second);
  client.send(request);
  const again = await Promise.race([api.next(), upstream.message()]);
  expect(again).toBeDefined();
});

test("an upload that takes an hour is not cut", async () => {
  await using its = await scene();
  const { api, client, clock } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 60\r\n\r\n");
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  for (let minutes = 0; minutes < 60; minutes++) {
    clock.advance(minute);
    client.send("x");
    await upstream.until("x");
  }
  upstream.send(ok("thanks"));
  expect((await client.message()).body).toBe("thanks");
});

test("a tunnel that is quiet for an hour, before its first byte and after, is not cut", async () => {
  await using its = await scene();
  const { api, client, clock } = its;
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await client.until("\r\n\r\n");
  const upstream = await api.next();
  clock.advance(60 * minute);
  client.send("\x01");
  await upstream.bytes(1);
  clock.advance(60 * minute);
  upstream.send("x");
  await client.until("x");
});

test("half a head inside a tunnel goes on as it is after 15 s", async () => {
  await using its = await scene();
  const { api, client, clock } = its;
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await client.until("\r\n\r\n");
  const upstream = await api.next();
  clock.advance(60 * minute);
  client.send("GET /ws HT");
  await settled(its.proxy);
  clock.advance(14 * second);
  await settled(its.proxy);
  expect(upstream.total).toBe(0);
  clock.advance(2 * second);
  expect(await upstream.until("HT")).toBe("GET /ws HT");
  client.send("more");
  expect(await upstream.until("more")).toBe("more");
});

test("a WebSocket that is quiet for an hour is not cut", async () => {
  await using its = await scene();
  const { api, client, clock } = its;
  client.send(
    "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await client.until("\r\n\r\n");
  clock.advance(60 * minute);
  upstream.send("x");
  await client.until("x");
});

test("a client that reads nothing for an hour gets the rest of its answer when it does", async () => {
  await using its = await scene();
  const { api, proxy, client, clock } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  client.pause();
  client.keep = false;
  const size = 30_000_000;
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
  upstream.send(head).send(Buffer.alloc(size));
  await settled(proxy);
  clock.advance(60 * minute);
  client.resume();
  await client.counted(head.length + size);
});

test("a client that reads the end of its last answer slowly is not cut after the linger", async () => {
  await using its = await scene();
  const { api, proxy, client, clock } = its;
  client.send(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  const upstream = await api.next();
  await upstream.message();
  client.pause();
  client.keep = false;
  const size = 3_000_000;
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n`;
  upstream.send(`${head}\r\n`).send(Buffer.alloc(size));
  await settled(proxy);
  for (let seconds = 0; seconds < 10; seconds++) {
    clock.advance(second);
    await settled(proxy);
  }
  client.resume();
  await client.counted(head.length + "Connection: close\r\n\r\n".length + size);
});

test("a client that sends on and on behind a refused request is let go of after 2 s", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock });
  using client = await accepted(proxy);
  client.send("nonsense\r\n\r\n");
  expect((await client.message()).status).toBe(400);
  client.send("more and more");
  await settled(proxy);
  expect(proxy.connections).toBeGreaterThan(0);
  clock.advance(4 * second);
  for (let turns = 0; turns < 1_000 && proxy.connections > 0; turns++) {
    client.send("x");
    await turn();
  }
  expect(proxy.connections).toBe(0);
});

/** Listens with a queue for one and never accepts, so that further connections get no answer at all. */
const deafListener = `
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
held = []
for _ in range(4):
    c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); held.append(c)
print(s.getsockname()[1], flush=True)
sys.stdin.read()
`;

const python = Bun.which("python3");

test.skipIf(python === null || process.platform !== "linux")(
  "a server that does not take a connection within 5 s is 504",
  async () => {
    const clock = new FakeClock();
    await using deaf = Bun.spawn([python!, "-c", deafListener], { stdin: "pipe", stdout: "pipe" });
    const reader = deaf.stdout.getReader();
    const port = Number(new TextDecoder().decode((await reader.read()).value));
    await using proxy = await startTestProxy({ services: { api: { port } }, clock });
    for (const text of [request, "CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n"]) {
      using client = await accepted(proxy);
      client.send(text);
      await settled(proxy);
      clock.advance(4 * second);
      await settled(proxy);
      expect(client.total).toBe(0);
      clock.advance(2 * second);
      await settled(proxy);
      // The name is looked for anew, and the same server is dialled once only.
      const answer = await client.message();
      expect(answer.status).toBe(504);
      expect(answer.body).toContain(`127.0.0.1:${port}`);
      await client.rest();
    }
    await deaf.stdin.end();
  },
);

test("no timer is left when the proxy has stopped", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  const proxy = await startTestProxy({ services: { api }, clock });
  using client = await connectRaw(proxy.port);
  client.send(request);
  await client.message();
  await proxy.stop();
  expect(clock.waiting).toBe(0);
});
