/** stop(): what is under way ends well, what is idle ends at once, and it always ends. */
import { expect, test } from "bun:test";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

test("an answer under way ends whole, with Connection: close, and then stop is done", async () => {
  await using its = await scene();
  const { api, proxy, client, clock } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  const stopped = proxy.proxy.stop(10_000);
  upstream.send(ok("whole"));
  const answer = await client.message();
  expect(answer.body).toBe("whole");
  expect(answer.one("connection")).toBe("close");
  expect(await client.rest()).toBe("");
  client.close();
  await stopped;
  expect(proxy.connections).toBe(0);
  expect(clock.waiting).toBe(0);
});

test("an answer whose head has gone already ends whole too", async () => {
  await using its = await scene();
  const { api, proxy, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
  await client.until("first");
  const stopped = proxy.proxy.stop(10_000);
  upstream.send(" half");
  await client.until(" half");
  expect(await client.rest()).toBe("");
  expect(client.broken).toBe(false);
  client.close();
  await stopped;
});

test("idle connections and ones that never spoke end at once", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using idle = await connectRaw(proxy.port);
  using silent = await connectRaw(proxy.port);
  idle.send(request);
  await idle.message();
  while (proxy.connections < 2) await turn();
  await proxy.proxy.stop(10_000);
  expect(await idle.rest()).toBe("");
  expect(await silent.rest()).toBe("");
  expect(await api.accepted[0]!.rest()).toBe("");
});

test("nobody is accepted any more", async () => {
  await using its = await scene();
  const { api, proxy, client } = its;
  client.send(request);
  const upstream = await api.next();
  const stopped = proxy.proxy.stop(10_000);
  for (const address of ["127.0.0.1", "::1"]) {
    await expect(connectRaw(proxy.port, { address })).rejects.toThrow();
  }
  upstream.send(ok());
  await client.rest();
  client.close();
  await stopped;
});

test("a request whose head had begun is still answered, once", async () => {
  await using its = await scene({ answer: () => ok("late") });
  const { proxy, client } = its;
  client.send("GET / HTTP/1.1\r\nHo");
  using other = await connectRaw(proxy.port);
  other.send(request);
  await other.message();
  const stopped = proxy.proxy.stop(10_000);
  client.send("st: api.localhost\r\n\r\n");
  const answer = await client.message();
  expect(answer.body).toBe("late");
  expect(answer.one("connection")).toBe("close");
  client.close();
  await stopped;
});

test("requests pipelined behind the answer under way are not begun", async () => {
  await using its = await scene();
  const { api, proxy, client } = its;
  client.send(request + request);
  const upstream = await api.next();
  await upstream.message();
  const stopped = proxy.proxy.stop(10_000);
  upstream.send(ok("only"));
  expect((await client.message()).body).toBe("only");
  expect(await client.rest()).toBe("");
  client.close();
  await stopped;
  expect(upstream.received.length).toBe(0);
});

test("what does not end is broken off after the time given: answers, tunnels, sockets", async () => {
  const clock = new FakeClock();
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api }, clock });
  using waiting = await connectRaw(proxy.port);
  waiting.send(request);
  await (await api.next()).message();
  using tunnel = await connectRaw(proxy.port);
  tunnel.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await tunnel.until("\r\n\r\n");
  const far = await api.next();
  tunnel.send("\x01");
  await far.bytes(1);
  const stopped = proxy.proxy.stop(10_000);
  clock.advance(9_999);
  expect(proxy.connections).toBe(2);
  clock.advance(1);
  await stopped;
  await waiting.gone();
  await tunnel.gone();
  await far.rest();
  expect(clock.waiting).toBe(0);
});

test("stopping twice is stopping once", async () => {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock });
  const first = proxy.proxy.stop(10_000);
  const second = proxy.proxy.stop(10_000);
  await Promise.all([first, second]);
  await proxy.proxy.stop(0);
  expect(clock.waiting).toBe(0);
});

test("the port can be had again at once", async () => {
  const clock = new FakeClock();
  const first = await startTestProxy({ clock });
  using client = await connectRaw(first.port);
  client.send("GET /proxy.pac HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await client.message();
  await first.stop();
  await using again = await startTestProxy({ clock, port: first.port });
  expect(again.port).toBe(first.port);
});

test("a dial under way when it stops leaves no timer", async () => {
  const clock = new FakeClock();
  const { promise: never } = Promise.withResolvers<void>();
  await using proxy = await startTestProxy({ clock, refresh: () => never });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n");
  while (proxy.connections === 0) await turn();
  const stopped = proxy.proxy.stop(1_000);
  clock.advance(1_000);
  await stopped;
  expect(clock.waiting).toBe(0);
});
