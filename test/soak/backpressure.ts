/**
 * 1 GiB down and up through readers at 1 MB/s for 20 s and then fast, beside the proxy's memory. By hand:
 * `bun test/soak/backpressure.ts`. Linux, by /proc. Exits 1 where the slow part costs 32 MiB or more.
 */
import { type ProxyProcess, startProxyProcess } from "../support/proxy-process.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";

const mebibyte = 1_048_576;
const size = 1_024 * mebibyte;
const allowed = 32 * mebibyte;
const slowSeconds = 20;
const piece = Buffer.alloc(mebibyte, "0123456789abcdef");
/** Far longer than a GiB takes over loopback. */
const patience = 600_000;

async function pump(end: RawEnd): Promise<void> {
  for (let sent = 0; sent < size; sent += piece.length) {
    end.send(piece);
    await end.sent(patience);
  }
}

/** Ten times a second, lets come what 1 MB/s allows; after `slowSeconds` everything. */
async function readSlowly(
  reader: RawEnd,
  { count, proxy }: { count: number; proxy: ProxyProcess },
): Promise<void> {
  proxy.forgetPeak();
  const before = proxy.memory();
  const cost = (): string => `${((proxy.peak() - before) / mebibyte).toFixed(1)} MiB at most`;
  reader.keep = false;
  const begin = performance.now();
  const from = reader.total;
  while (performance.now() - begin < slowSeconds * 1_000) {
    const due = ((performance.now() - begin) / 1_000) * 1_000_000;
    if (reader.total - from < due) reader.resume();
    else reader.pause();
    await Bun.sleep(20);
  }
  const slow = reader.total - from;
  if (proxy.peak() - before >= allowed) failed = true;
  console.log(
    `  slow: ${(slow / slowSeconds / 1e6).toFixed(2)} MB/s for ${slowSeconds} s, ${cost()}`,
  );
  reader.resume();
  const fast = performance.now();
  await reader.counted(count, patience);
  const rate = (count - slow) / 1e6 / ((performance.now() - fast) / 1_000);
  console.log(`  then fast: ${rate.toFixed(0)} MB/s, ${cost()}`);
}

let failed = false;

async function measured(
  what: string,
  transfer: (proxy: ProxyProcess, api: RawServer) => Promise<void>,
) {
  console.log(what);
  using api = new RawServer();
  await using proxy = await startProxyProcess({ api: api.port });
  using warm = await connectRaw(proxy.port);
  warm.send("GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\r\n");
  const first = await api.next();
  await first.message();
  first.send(ok("w".repeat(1_000_000), ["Connection: close"]));
  await warm.message();
  console.log(`  before: ${(proxy.memory() / mebibyte).toFixed(1)} MiB`);
  await transfer(proxy, api);
}

await measured("1 GiB down", async (proxy, api) => {
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const upstream = await api.next();
  await upstream.message();
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  await client.until("\r\n\r\n");
  await Promise.all([pump(upstream), readSlowly(client, { count: client.total + size, proxy })]);
});

await measured("1 GiB up", async (proxy, api) => {
  using client = await connectRaw(proxy.port);
  client.send(`POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: ${size}\r\n\r\n`);
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  await Promise.all([pump(client), readSlowly(upstream, { count: upstream.total + size, proxy })]);
  upstream.send(ok());
  await client.message();
});

await measured("1 GiB down through CONNECT", async (proxy, api) => {
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n\x01");
  const upstream = await api.next();
  await client.until("\r\n\r\n");
  await Promise.all([pump(upstream), readSlowly(client, { count: client.total + size, proxy })]);
});

process.exit(failed ? 1 : 0);
