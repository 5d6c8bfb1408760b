/**
 * Requests that wait for a service which starts -> the processor time that each half second of waiting costs. By hand:
 * `bun test/bench/waiting.ts [requests] [seconds]`. Real sockets, and the proxy's clock turned by hand: nothing
 * else runs.
 */
import { connectRaw } from "../support/raw-end.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { startTestProxy, testSupervised } from "../support/test-proxy.ts";
import { median } from "./median.ts";

const requests = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 5);
const rounds = 9;

/** As large as a browser's request with its cookies. */
const request =
  "GET /x HTTP/1.1\r\nHost: api.shop.localhost\r\nAccept: */*\r\n" +
  `Cookie: ${"a=b; ".repeat(100)}\r\n\r\n`;

const starting = testSupervised({ state: "starting", pid: undefined });

/** Milliseconds of processor time for one wait of `seconds`. */
async function waited(): Promise<number> {
  const clock = new FakeClock();
  await using proxy = await startTestProxy({ clock, supervised: [starting] });
  const clients = await Promise.all(Array.from({ length: requests }, () => connectRaw(proxy.port)));
  for (const client of clients) client.send(request);
  // Read by the proxy, each by itself.
  await Bun.sleep(100);
  const before = process.cpuUsage();
  for (let half = 0; half < seconds * 2; half++) clock.advance(500);
  const { user, system } = process.cpuUsage(before);
  for (const client of clients) client[Symbol.dispose]();
  return (user + system) / 1_000;
}

await waited();
const times: number[] = [];
for (let round = 0; round < rounds; round++) times.push(await waited());
console.log(
  `${requests} requests that wait ${seconds} s: ${median(times).toFixed(2)} ms of processor time`,
);
