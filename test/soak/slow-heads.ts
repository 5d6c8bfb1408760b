/**
 * 200 connections that send their heads an octet every 100 ms, without end, and others that want an answer
 * meanwhile. By hand: `bun test/soak/slow-heads.ts`. Exits 1 where one is held for more than 16 s, or an answer
 * takes 50 ms.
 */
import { startProxyProcess } from "../support/proxy-process.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";

const slow = 200;
const octetMilliseconds = 100;
/** A probe every this many milliseconds, alternately on a connection that is kept and on a new one. */
const probeMilliseconds = 20;
/** 15 s for a head, and the second at which the proxy looks. */
const shedSeconds = 16;
const answerMilliseconds = 50;

const request = "GET /probe HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
const head = `GET /slow HTTP/1.1\r\nHost: api.localhost\r\nX: ${"x".repeat(4_000)}`;

using api = new RawServer({ answer: () => ok("probed") });
await using proxy = await startProxyProcess({ api: api.port });

const started = performance.now();
const seconds = (): number => (performance.now() - started) / 1_000;
const shed: number[] = [];
const statuses = new Map<string, number>();

async function sendSlowly(): Promise<void> {
  const client = await connectRaw(proxy.port);
  const began = performance.now();
  for (let at = 0; !client.over && at < head.length; at++) {
    client.send(head[at]!);
    await Bun.sleep(octetMilliseconds);
  }
  shed.push((performance.now() - began) / 1_000);
  const status = client.text.slice(9, 12) || "closed";
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  client.close();
}

const slowOnes = Array.from({ length: slow }, sendSlowly);
let over = false;
const all = Promise.all(slowOnes).then(() => {
  over = true;
});

const times: number[] = [];
const kept = await connectRaw(proxy.port);
let answers = 0;
for (let probe = 0; !over; probe++) {
  await Bun.sleep(probeMilliseconds);
  const before = performance.now();
  if (probe % 2 === 0) {
    kept.send(request);
    answers++;
    await kept.enough((text) => text.split("probed").length > answers);
  } else {
    const fresh = await connectRaw(proxy.port, { send: request });
    await fresh.until("probed");
    fresh.close();
  }
  times.push(performance.now() - before);
}
await all;
kept.close();

times.sort((a, b) => a - b);
shed.sort((a, b) => a - b);
const share = (of: number): string => times[Math.floor(of * (times.length - 1))]!.toFixed(2);
console.log(`${slow} slow heads: ${JSON.stringify(Object.fromEntries(statuses))}`);
console.log(
  `shed after ${shed[0]!.toFixed(1)} to ${shed.at(-1)!.toFixed(1)} s (${seconds().toFixed(1)} s in all)`,
);
console.log(
  `${times.length} answers meanwhile: median ${share(0.5)} ms, 99 % ${share(0.99)} ms, worst ${share(1)} ms`,
);
const failed = shed.at(-1)! > shedSeconds || times.at(-1)! >= answerMilliseconds;
if (failed) console.log(`more than ${shedSeconds} s, or ${answerMilliseconds} ms`);
process.exitCode = failed ? 1 : 0;
