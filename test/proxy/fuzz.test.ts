/**
 * Thousands of connections that send anything, and go whenever they like: the proxy serves on and holds none of
 * them.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { anyText, madeRequest, mutated } from "../support/arbitrary-request.ts";
import { eventually } from "../support/eventually.ts";
import { inParallel } from "../support/in-parallel.ts";
import { suiteSeed, Random } from "../support/random.ts";
import { connectRaw } from "../support/raw-end.ts";
import { echo, RawServer } from "../support/raw-server.ts";
import { some } from "../support/property.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const connections = 10_000;
const atOnce = 64;

const request = "GET /after HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

const beginnings = fc.constantFrom(
  "CONNECT raw:80 HTTP/1.1\r\nHost: raw:80\r\n\r\n",
  "GET /x HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "GET http://api/ HTTP/1.1\r\nHost: api\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "POST /x HTTP/1.1\r\nHost: api.localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

const anything = fc.oneof(
  anyText,
  fc.tuple(beginnings, anyText).map(([first, second]) => first + second),
  mutated(fc.tuple(beginnings, madeRequest).map(([first, { bytes }]) => bytes + first)),
);

test("after thousands of connections of anything the proxy serves, and holds none", async () => {
  const seed = suiteSeed();
  const random = new Random(seed);
  const texts = fc.sample(anything, { numRuns: 2_000, seed });
  const upstream = new RawServer({ answer: echo });
  // Tunnels end here: what goes through them is nobody's business.
  const raw = new RawServer({ answer: echo });
  const services = { api: { port: upstream.port }, raw: { port: raw.port } };
  const proxy = await startTestProxy({ services });
  try {
    const all = Array.from({ length: connections });
    await inParallel(some(all, { atLeast: 500 }), atOnce, async () => {
      const text = random.pick(texts);
      const cut = random.chance(0.5) ? text : text.slice(0, random.below(text.length + 1));
      const client = await connectRaw(proxy.port, { address: random.pick(["127.0.0.1", "::1"]) });
      if (random.chance(0.2)) await client.sendEach(cut, 1 + random.below(20));
      else client.send(cut);
      // Few end first: such a client's port is kept from others for a minute.
      const ending = random.below(20);
      if (ending === 0) {
        client.close();
      } else if (ending < 4 && cut.length > 0) {
        client.finish();
        // Half a request, a whole one or none: each has its end.
        await client.rest().catch((error: Error) => {
          throw new Error(`${JSON.stringify(cut)} is neither answered nor closed`, {
            cause: error,
          });
        });
      } else if (ending < 8) {
        await client.sendEach(random.bytes(random.below(40)), 7);
      }
      client.reset();
    });
    const after = await connectRaw(proxy.port, { send: request });
    await after.until("GET /after");
    after.close();
    await eventually("no connection is held", () => proxy.connections === 0);
    // What reached the upstream in all of this was HTTP.
    expect(upstream.faults).toEqual([]);
    await proxy.stop();
  } catch (error) {
    throw new Error(`with SEED=${seed}`, { cause: error });
  } finally {
    upstream.stop();
    raw.stop();
  }
});
