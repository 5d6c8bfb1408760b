/** A slow side slows the other down: large transfers cost the proxy next to no memory. Linux, by /proc. */
import { describe, expect, test } from "bun:test";
import { turn } from "../support/turn.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy-process.ts";

const mebibyte = 1_048_576;
const size = 256 * mebibyte;
/** While a side is slow. */
const allowed = 32 * mebibyte;
/** At full speed pieces are thrown away faster than they are collected; nothing like the size of the transfer. */
const allowedFast = 96 * mebibyte;
const piece = Buffer.alloc(mebibyte, "0123456789abcdef");

/** Sends `count` bytes as fast as they are taken. */
async function pump(end: RawEnd, count = size): Promise<void> {
  for (let sent = 0; sent < count; sent += piece.length) {
    end.send(piece);
    await end.sent(60_000);
  }
}

/** Until `end` cannot send any more: everything on the way is full. */
async function stuck(end: RawEnd): Promise<void> {
  for (let quiet = 0, before = -1; quiet < 200; quiet++) {
    await turn();
    if (end.unsent !== before) quiet = 0;
    before = end.unsent;
  }
}

/** Reads in bursts with the way full in between, then all that is left; looks at the memory of both. */
async function readSlowly(
  reader: RawEnd,
  { from: writer, count, proxy }: { from: RawEnd; count: number; proxy: ProxyProcess },
): Promise<void> {
  proxy.forgetPeak();
  const before = proxy.memory();
  reader.keep = false;
  for (let burst = 1; burst <= 4; burst++) {
    reader.pause();
    await stuck(writer);
    reader.resume();
    await reader.counted(Math.min(count, reader.total + 4 * mebibyte));
  }
  expect(proxy.peak() - before).toBeLessThan(allowed);
  await reader.counted(count, 60_000);
  expect(proxy.peak() - before).toBeLessThan(allowedFast);
}

/** Warm: code is compiled and buffers have their usual size. */
async function warmed(services: Record<string, number>): Promise<ProxyProcess> {
  const proxy = await startProxyProcess(services);
  for (let i = 0; i < 20; i++) {
    using client = await connectRaw(proxy.port);
    client.send("GET /warm HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    await client.message();
  }
  return proxy;
}

function server(body?: (end: RawEnd) => Promise<void>) {
  return new RawServer({
    answer: ({ start }) => {
      if (start.includes("/warm")) return ok("w".repeat(100_000));
      return body;
    },
  });
}

describe.skipIf(process.platform !== "linux")("256 MiB", () => {
  for (const [what, head, version] of [
    ["with a length", `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`, "1.1"],
    ["until the close", "HTTP/1.1 200 OK\r\n\r\n", "1.1"],
    [
      "in one chunk",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      "1.1",
    ],
    [
      "in one chunk, to HTTP/1.0",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      "1.0",
    ],
  ] as const) {
    test(`down, ${what}, through a client that stops reading, costs less than 32 MiB`, async () => {
      using api = server((end) => pump(end.send(head)));
      await using proxy = await warmed({ api: api.port });
      const known = api.accepted.length;
      using client = await connectRaw(proxy.port);
      client.send(`GET / HTTP/${version}\r\nHost: api.localhost\r\nConnection: close\r\n\r\n`);
      await client.until("\r\n\r\n");
      const upstream = api.accepted.find((end) => end.unsent > 0) ?? api.accepted[known - 1]!;
      await readSlowly(client, { from: upstream, count: size, proxy });
    });
  }

  test("up, to a server that stops reading, costs less than 32 MiB", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<RawEnd>();
    using api = new RawServer();
    const serveWarm = (async () => {
      const first = await api.next();
      for (let i = 0; i < 20; i++) {
        await first.message();
        first.send(ok("w"));
      }
      arrive(first);
    })();
    await using proxy = await startProxyProcess({ api: api.port });
    using client = await connectRaw(proxy.port);
    for (let i = 0; i < 20; i++) {
      client.send("GET /warm HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
      await client.message();
    }
    await serveWarm;
    const upstream = await arrived;
    client.send(`POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: ${size}\r\n\r\n`);
    await upstream.until("\r\n\r\n");
    const sent = pump(client);
    await readSlowly(upstream, { from: client, count: upstream.total + size, proxy });
    await sent;
    upstream.send(ok("thanks"));
    expect((await client.message()).body).toBe("thanks");
  });

  for (const [what, opening] of [
    ["CONNECT", "CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n"],
    [
      "an upgrade",
      "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
  ] as const) {
    test(`both ways through ${what}, to readers that stop, costs less than 32 MiB`, async () => {
      using api = new RawServer();
      await using proxy = await startProxyProcess({ api: api.port });
      using client = await connectRaw(proxy.port);
      client.send(opening);
      const upstream = await api.next();
      if (what === "an upgrade") {
        await upstream.message();
        upstream.send("HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      }
      await client.until("\r\n\r\n");
      client.send("\x01");
      await upstream.bytes(1);
      const down = pump(upstream);
      await readSlowly(client, { from: upstream, count: client.total + size, proxy });
      await down;
      const up = pump(client);
      await readSlowly(upstream, { from: client, count: upstream.total + size, proxy });
      await up;
    });
  }
});
