/** leave(): another process accepts on our sockets, so nothing that has begun ends before its time. */
import { expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy, testSupervised } from "../support/test-proxy.ts";
import { turn } from "../support/turn.ts";

const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

test("an idle connection and one that never spoke are answered once more, with Connection: close", async () => {
  await using its = await scene({ answer: () => ok("more") });
  const { proxy, client, clock } = its;
  client.send(request);
  await client.message();
  const silent = await its.connect();
  while (proxy.connections < 2) await turn();
  // Idle for long before, which does not count.
  clock.advance(20_000);
  const left = proxy.proxy.leave(60_000);
  clock.advance(1_500);
  for (const one of [client, silent]) {
    one.send(request);
    const answer = await one.message();
    expect([answer.body, answer.one("connection")]).toEqual(["more", "close"]);
    expect(await one.rest()).toBe("");
    one.close();
  }
  await left;
  expect(proxy.connections).toBe(0);
});

test("after two seconds without a word they end, without a reset", async () => {
  await using its = await scene({ answer: () => ok() });
  const { proxy, client, clock } = its;
  client.send(request);
  await client.message();
  const left = proxy.proxy.leave(60_000);
  clock.advance(2_000);
  expect(await client.rest()).toBe("");
  expect(client.broken).toBe(false);
  client.close();
  await left;
});

test("a request that came just before its connection would have ended is answered", async () => {
  await using its = await scene({ answer: () => ok("just") });
  const { proxy, client, clock } = its;
  client.send(request);
  await client.message();
  const left = proxy.proxy.leave(60_000);
  clock.advance(1_500);
  // In the kernel, and not read: no turn of the loop lies between.
  client.send(request);
  clock.advance(500);
  const answer = await client.message();
  expect([answer.body, answer.one("connection")]).toEqual(["just", "close"]);
  client.close();
  await left;
});

test("an answer that promised to keep its connection is followed by another one", async () => {
  await using its = await scene();
  const { api, proxy, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
  await client.until("first");
  const left = proxy.proxy.leave(60_000);
  upstream.send(" half");
  await client.until(" half");
  client.send(request);
  await upstream.message();
  upstream.send(ok("second"));
  const answer = await client.message();
  expect([answer.body, answer.one("connection")]).toEqual(["second", "close"]);
  client.close();
  await left;
});

test("answers and tunnels go on, and are broken off after the time given", async () => {
  await using its = await scene();
  const { api, proxy, client, clock } = its;
  client.send(request);
  await (await api.next()).message();
  const tunnel = await its.connect();
  tunnel.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await tunnel.until("\r\n\r\n");
  const far = await api.next();
  tunnel.send("\x01");
  await far.bytes(1);
  const left = proxy.proxy.leave(60_000);
  clock.advance(59_500);
  far.send("still");
  await tunnel.until("still");
  expect(proxy.connections).toBe(2);
  clock.advance(500);
  await left;
  await Promise.all([client.gone(), tunnel.gone()]);
  expect(clock.waiting).toBe(0);
});

test("a request that waits for a service waits on, and is answered when the service is ready", async () => {
  using api = new RawServer({ answer: () => ok("here") });
  const starting = testSupervised({ state: "starting", pid: undefined });
  await using proxy = await startTestProxy({ supervised: [starting] });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.shop.localhost\r\n\r\n");
  await eventually("it waits", () => proxy.proxy.waiting === 1);
  const left = proxy.proxy.leave(60_000);
  proxy.setSupervised([{ ...starting, state: "running" }]);
  await turn();
  expect(proxy.proxy.waiting).toBe(1);
  proxy.setSupervised([testSupervised({ port: api.port })]);
  const answer = await client.message();
  expect([answer.body, answer.one("connection")]).toEqual(["here", "close"]);
  client.close();
  await left;
});

test("nobody is accepted any more, and leaving and stopping in any order is harmless", async () => {
  const clock = new FakeClock();
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, clock });
  using client = await connectRaw(proxy.port);
  client.send(request);
  await client.message();
  const left = proxy.proxy.leave(60_000);
  await expect(connectRaw(proxy.port)).rejects.toThrow();
  const again = proxy.proxy.leave(60_000);
  const stopped = proxy.proxy.stop(10_000);
  expect(await client.rest()).toBe("");
  client.close();
  await Promise.all([left, again, stopped]);
  expect(clock.waiting).toBe(0);
});
