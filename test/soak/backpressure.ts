/**
 * 1 GiB down and up through readers at 1 MB/s for 20 s and then fast, beside the proxy's memory. By hand:
 * `bun test/soak/backpressure.ts`. Linux, by /proc. Exits 1 where the slow part costs 32 MiB or more.
 */
import { type ProxyProcess, startProxyProcess } from "../support/proxy-process.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { mebibyte, pump, readSlowly, size } from "./slow-transfer.ts";

let failed = false;

async function measured(
  what: string,
  transfer: (proxy: ProxyProcess, api: RawServer) => Promise<boolean>,
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
  if (!(await transfer(proxy, api))) failed = true;
}

await measured("1 GiB down", async (proxy, api) => {
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const upstream = await api.next();
  await upstream.message();
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  await client.until("\r\n\r\n");
  const count = client.total + size;
  const [, within] = await Promise.all([pump(upstream), readSlowly(client, { count, proxy })]);
  return within;
});

await measured("1 GiB up", async (proxy, api) => {
  using client = await connectRaw(proxy.port);
  client.send(`POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: ${size}\r\n\r\n`);
  const upstream = await api.next();
  await upstream.until("\r\n\r\n");
  const count = upstream.total + size;
  const [, within] = await Promise.all([pump(client), readSlowly(upstream, { count, proxy })]);
  upstream.send(ok());
  await client.message();
  return within;
});

await measured("1 GiB down through CONNECT", async (proxy, api) => {
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n\x01");
  const upstream = await api.next();
  await client.until("\r\n\r\n");
  const count = client.total + size;
  const [, within] = await Promise.all([pump(upstream), readSlowly(client, { count, proxy })]);
  return within;
});

process.exit(failed ? 1 : 0);
