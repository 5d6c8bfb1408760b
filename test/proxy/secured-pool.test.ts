/** Idle connections inside TLS: what waits to be read on one may be TLS's own, which is nobody's answer. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Upstream, type UpstreamPool, upstreamPool } from "../../src/proxy/upstream/pool.ts";
import type { Peeked } from "../../src/system/socket-calls.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startTlsServer, type TlsServer } from "../support/tls-servers.ts";
import { turns } from "../support/turn.ts";

let server: TlsServer;
let clock: FakeClock;
let pool: UpstreamPool;
let peeked: Peeked;

beforeAll(async () => {
  server = await startTlsServer("bun");
});

afterAll(() => server[Symbol.asyncDispose]());

/** In a pool of its own, and idle for long enough to be anybody's. */
async function idle(tls: { serverName: string } | undefined): Promise<Upstream> {
  clock = new FakeClock();
  peeked = "quiet";
  pool = upstreamPool({ clock, peek: () => peeked });
  const endpoint = { address: "127.0.0.1", port: server.port, dial: ["127.0.0.1"] };
  const upstream = await new Promise<Upstream>((connected, failed) => {
    pool.dial({ endpoint, key: "a", tls, client: {}, fresh: true }, { connected, failed });
  });
  pool.release(upstream);
  clock.advance(20);
  return upstream;
}

test("one on which a session ticket may wait is nobody's until it was read, and then as good as before", async () => {
  const upstream = await idle({ serverName: "secure.localhost" });
  peeked = "spoke";
  expect(pool.take("a", { own: undefined, safe: true })).toBeUndefined();
  expect(pool.idleCount).toBe(1);
  peeked = "quiet";
  expect(pool.take("a", { own: undefined, safe: true })).toBe(upstream);
  upstream.link.abort();
});

test("without TLS it is closed", async () => {
  await idle(undefined);
  peeked = "spoke";
  expect(pool.take("a", { own: undefined, safe: true })).toBeUndefined();
  expect(pool.idleCount).toBe(0);
});

test("the tickets that follow a handshake are no answer, and one that its server ends is let go of", async () => {
  await idle({ serverName: "secure.localhost" });
  await turns(50);
  expect(pool.idleCount).toBe(1);
  const kept = await idle({ serverName: "secure.localhost" });
  // A server that breaks off what it does not understand, and before that says so.
  kept.link.write(Buffer.from("\0\r\n\r\n"), 0, 5);
  await eventually("it is gone", () => pool.idleCount === 0);
});
