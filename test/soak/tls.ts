/**
 * 1 GiB over TLS and over HTTP/2, down and up, through readers at 1 MB/s for 20 s and then fast, beside the
 * proxy's memory. By hand: `bun test/soak/tls.ts [part of a title]`. Linux, by /proc. Exits 1 where the slow
 * part costs 32 MiB or more.
 */
import { connectH2 } from "../support/h2-end.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy-process.ts";
import { RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { connectSecure } from "../support/secure-end.ts";
import { mebibyte, patience, pump, readSlowly, size } from "./slow-transfer.ts";

type World = { proxy: ProxyProcess; api: RawServer };

/** What is moved before anything is counted: code is compiled and buffers have their usual size. */
const warmth = 16 * mebibyte;

const connectTls = ({ proxy }: World): Promise<RawEnd> =>
  connectSecure(proxy.port, proxy, {
    protocol: "http/1.1",
    make: (socket) => new RawEnd(socket),
  });

async function downByTls(world: World): Promise<boolean> {
  using client = await connectTls(world);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const upstream = await world.api.next();
  await upstream.message();
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  await client.until("\r\n\r\n");
  const slowly = readSlowly(client, { count: client.total + size, proxy: world.proxy });
  const [within] = await Promise.all([slowly, pump(upstream)]);
  return within;
}

async function upByTls(world: World): Promise<boolean> {
  using client = await connectTls(world);
  client.send(`POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: ${size}\r\n\r\n`);
  const upstream = await world.api.next();
  await upstream.until("\r\n\r\n");
  const slowly = readSlowly(upstream, { count: upstream.total + size, proxy: world.proxy });
  const [within] = await Promise.all([slowly, pump(client)]);
  upstream.send(ok());
  await client.message();
  return within;
}

async function downByH2(world: World, windows: "opened" | "wide"): Promise<boolean> {
  using client = await connectH2(world.proxy.port, { ca: world.proxy.ca, windows });
  client.ask("/");
  const upstream = await world.api.next();
  await upstream.message();
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  const slowly = readSlowly(client, { count: size, proxy: world.proxy });
  const [within] = await Promise.all([slowly, pump(upstream)]);
  return within;
}

async function upByH2(world: World): Promise<boolean> {
  using client = await connectH2(world.proxy.port, { ca: world.proxy.ca });
  client.ask("/", size);
  const upstream = await world.api.next();
  await upstream.until("\r\n\r\n");
  const slowly = readSlowly(upstream, { count: upstream.total + size, proxy: world.proxy });
  const [within] = await Promise.all([slowly, client.pump(size, patience)]);
  upstream.send(ok());
  return within;
}

async function warmUp(world: World): Promise<void> {
  const { proxy, api } = world;
  using client = await connectH2(proxy.port, { ca: proxy.ca });
  client.ask("/", warmth);
  const upstream = await api.next();
  upstream.keep = false;
  await Promise.all([client.pump(warmth, patience), upstream.counted(warmth, patience)]);
  upstream.send(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${warmth}\r\n\r\n`);
  upstream.send(Buffer.alloc(warmth)).finish();
  await client.counted(warmth, patience);
}

const transfers: [string, (world: World) => Promise<boolean>][] = [
  ["1 GiB down over TLS", downByTls],
  ["1 GiB up over TLS", upByTls],
  ["1 GiB down over HTTP/2, to a client that opens no window", (w) => downByH2(w, "opened")],
  ["1 GiB down over HTTP/2, to a client that does not read", (w) => downByH2(w, "wide")],
  ["1 GiB up over HTTP/2", upByH2],
];

let failed = false;
for (const [title, transfer] of transfers) {
  if (!title.includes(process.argv[2] ?? "")) continue;
  console.log(title);
  using api = new RawServer();
  await using proxy = await startProxyProcess({ api: api.port }, { tls: true });
  const world = { proxy, api };
  await warmUp(world);
  console.log(`  before: ${(proxy.memory() / mebibyte).toFixed(1)} MiB`);
  if (!(await transfer(world))) failed = true;
}
process.exit(failed ? 1 : 0);
