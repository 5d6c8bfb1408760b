/** A client that sends no more: answered while it is there, given up when it is gone. */
import { expect, test } from "bun:test";
import { departedClients } from "../../src/discovery/departed-clients.ts";
import { peerSockets } from "../../src/system/peer-sockets.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const request = "GET /poll HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
const peers = peerSockets(process.platform);
const departed = peers && departedClients(peers);

test("a client that half-closes behind its request gets its answer", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request).finish();
  const upstream = await api.next();
  await upstream.message();
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  await client.until("hello\r\n");
  upstream.send("0\r\n\r\n");
  expect(await client.rest()).toBe("0\r\n\r\n");
  expect(client.broken).toBe(false);
});

test("a client that half-closes while its name is looked for gets its answer", async () => {
  const { promise: looked, resolve: found } = Promise.withResolvers<void>();
  using api = new RawServer({ answer: () => ok("found") });
  await using proxy = await startTestProxy({
    refresh: async () => {
      await looked;
      proxy.setServices({ api });
    },
  });
  using client = await connectRaw(proxy.port);
  client.send(request).finish();
  await turn();
  found();
  expect((await client.message()).body).toBe("found");
  expect(await client.rest()).toBe("");
});

test("a client that half-closes within a head is closed without an answer", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHo").finish();
  expect(await client.rest()).toBe("");
  await client.gone();
});

test("a client that half-closes before it said anything is closed", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.finish();
  await client.gone();
});

describeLinux("on Linux", () => {
  for (const address of ["127.0.0.1", "::1"]) {
    for (const how of ["close", "reset"] as const) {
      test(`a client on ${address} that goes away (${how}) while its long poll is unanswered has it closed within 2 s`, async () => {
        const clock = new FakeClock();
        using api = new RawServer();
        await using proxy = await startTestProxy({ services: { api }, clock, departed });
        using client = await connectRaw(proxy.port, { address });
        client.send(request);
        const upstream = await api.next();
        await upstream.message();
        client[how]();
        await client.gone();
        // The proxy hears of the FIN in a turn of its own; each second it looks.
        for (let turns = 0; turns < 2_000 && !upstream.closed; turns++) {
          await turn();
          if (turns > 0 && turns % 1_000 === 0) clock.advance(1_000);
        }
        expect(upstream.closed).toBe(true);
      });
    }

    test(`a client on ${address} that only half-closes is waited for, although nothing comes from it any more`, async () => {
      const clock = new FakeClock();
      using api = new RawServer();
      await using proxy = await startTestProxy({ services: { api }, clock, departed });
      using client = await connectRaw(proxy.port, { address });
      client.send(request).finish();
      const upstream = await api.next();
      await upstream.message();
      for (let looks = 0; looks < 6; looks++) {
        clock.advance(1_000);
        await turn();
      }
      expect(upstream.closed).toBe(false);
      upstream.send(ok("late"));
      expect((await client.message()).body).toBe("late");
    });
  }

  test("a client that goes away in the middle of a quiet stream has it closed within 2 s", async () => {
    await using its = await scene({ departed });
    const { api, client, clock } = its;
    client.send(request);
    const upstream = await api.next();
    await upstream.message();
    upstream.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    await client.until("data: 1\n\n");
    client.close();
    for (let turns = 0; turns < 2_000 && !upstream.closed; turns++) {
      await turn();
      if (turns > 0 && turns % 1_000 === 0) clock.advance(1_000);
    }
    expect(upstream.closed).toBe(true);
  });

  test("a client that goes away with a pipelined request behind its long poll has it closed within 2 s", async () => {
    await using its = await scene({ departed });
    const { api, client, clock } = its;
    client.send(request + request);
    const upstream = await api.next();
    await upstream.message();
    client.close();
    for (let turns = 0; turns < 2_000 && !upstream.closed; turns++) {
      await turn();
      if (turns > 0 && turns % 1_000 === 0) clock.advance(1_000);
    }
    expect(upstream.closed).toBe(true);
  });

  test("a client that goes away with more pipelined than is read ahead has its long poll closed within 2 s", async () => {
    await using its = await scene({ departed });
    const { api, client, clock } = its;
    client.send(request.repeat(5_000));
    const upstream = await api.next();
    await upstream.message();
    await client.sent();
    client.close();
    for (let turns = 0; turns < 2_000 && !upstream.closed; turns++) {
      await turn();
      if (turns > 0 && turns % 500 === 0) clock.advance(500);
    }
    expect(upstream.closed).toBe(true);
  });

  test("a client that goes away with an upload that its upstream does not read is forgotten within 2 s", async () => {
    await using its = await scene({ departed });
    const { api, proxy, client, clock } = its;
    client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 100000000\r\n\r\n");
    const upstream = await api.next();
    await upstream.until("\r\n\r\n");
    upstream.pause();
    client.send(Buffer.alloc(40_000_000));
    for (let turns = 0; turns < 300; turns++) await turn();
    client.close();
    for (let turns = 0; turns < 2_000 && proxy.connections > 0; turns++) {
      await turn();
      if (turns > 0 && turns % 500 === 0) clock.advance(500);
    }
    expect(proxy.connections).toBe(0);
  });
});

function describeLinux(what: string, tests: () => void): void {
  if (departed === undefined) test.skip(what, () => {});
  else tests();
}
