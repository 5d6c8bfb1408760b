/** Services behind unix sockets: every road that leads to a port leads there as well. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Http2Server } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketUsers } from "../../src/system/socket-users.ts";
import { otherUid } from "../support/other-user.ts";
import { connectRaw } from "../support/raw-end.ts";
import { startTestProxy, type TestProxy, type TestProxyOptions } from "../support/test-proxy.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";

let folder: string;
let proxy: TestProxy;
let h2c: Http2Server;
const ends: (() => unknown)[] = [];

function at(name: string): { address: string; port: number } {
  return { address: join(folder, name), port: 0 };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "localhostess-sockets-"));
  const api = Bun.serve({
    unix: join(folder, "api"),
    async fetch(request, server) {
      if (server.upgrade(request)) return undefined;
      return new Response(`${request.headers.get("host")} ${await request.text()}`);
    },
    websocket: { message: (socket, message) => void socket.send(`heard ${message}`) },
  });
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor("tls.localhost");
  const tls = Bun.serve({
    unix: join(folder, "tls"),
    tls: { key: leaf.key, cert: leaf.certificate },
    fetch: () => new Response("inside TLS"),
  });
  h2c = createServer((_, response) => response.end("frames"));
  await new Promise<void>((resolve) => h2c.listen(join(folder, "h2c"), resolve));
  ends.push(
    () => api.stop(true),
    () => tls.stop(true),
    () => h2c.close(),
  );
  await writeFile(join(folder, "file"), "");
  proxy = await startTestProxy({
    services: Object.fromEntries(
      ["api", "tls", "h2c", "none", "file"].map((name) => [name, at(name)]),
    ),
  });
});

afterAll(async () => {
  await proxy.stop();
  for (const end of ends) await end();
  await rm(folder, { recursive: true });
});

async function get(name: string, more = ""): Promise<{ status: number; body: string }> {
  using client = await connectRaw(proxy.port);
  client.send(`GET / HTTP/1.1\r\nHost: ${name}.localhost\r\n${more}\r\n`);
  const { status, body } = await client.message();
  return { status, body };
}

test("a request reaches it, with the Host that every server is told", async () => {
  const host = `api.localhost:${proxy.port}`;
  using client = await connectRaw(proxy.port);
  client.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n\r\nhi`);
  expect((await client.message()).body).toBe(`${host} hi`);
  client.send("GET http://api/ HTTP/1.1\r\nHost: api\r\n\r\n");
  expect((await client.message()).body).toBe(`${host} `);
});

test("CONNECT makes a tunnel to it", async () => {
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await client.until("200 Connection Established\r\n\r\n");
  client.send("GET / HTTP/1.1\r\nHost: api\r\n\r\n");
  expect((await client.message()).status).toBe(200);
});

test("a WebSocket reaches it", async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, {
    headers: { Host: "api.localhost" },
  });
  const heard = Promise.withResolvers<unknown>();
  socket.onopen = () => socket.send("hello");
  socket.onerror = heard.reject;
  socket.onmessage = ({ data }) => heard.resolve(data);
  expect(await heard.promise).toBe("heard hello");
  socket.close();
});

test.each([
  ["TLS", "tls", "inside TLS"],
  ["HTTP/2 without TLS", "h2c", "frames"],
])("%s is learned there as on a port", async (_, name, body) => {
  expect(await get(name)).toEqual({ status: 200, body });
});

test.each([
  ["none", "there is no such socket; its server makes it when it starts"],
  ["file", "nothing accepts connections there any more"],
])("a 502 names the path, and says why: %s", async (name, why) => {
  const { status, body } = await get(name, "Accept: application/json\r\nUser-Agent: curl/8\r\n");
  expect(status).toBe(502);
  const path = join(folder, name);
  expect(JSON.parse(body)).toMatchObject({ error: { address: path, port: null, why } });
  expect((await get(name, "User-Agent: curl/8\r\n")).body).toContain(`at ${path} (`);
});

test("a socket that another user has put there gets no request", async () => {
  /** As a daemon of another user asks. */
  const isOwn: TestProxyOptions["isOwn"] = ({ address }, owners) =>
    socketUsers(address).every((uid) => [otherUid, ...owners].includes(uid));
  await using other = await startTestProxy({ services: { api: at("api") }, isOwn });
  using client = await connectRaw(other.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\nUser-Agent: curl/8\r\n\r\n");
  const { status, body } = await client.message();
  expect(status).toBe(502);
  expect(body).toContain("another user has put that socket there");
});

test("a path is printed without control characters, in every form", async () => {
  const path = "/run/a\x1b[31m\u202eb.sock";
  await using other = await startTestProxy({ services: { bad: { address: path, port: 0 } } });
  for (const accept of ["text/html", "application/json", "text/plain"]) {
    using client = await connectRaw(other.port);
    client.send(
      `GET / HTTP/1.1\r\nHost: bad.localhost\r\nAccept: ${accept}\r\nUser-Agent: curl/8\r\n\r\n`,
    );
    const { body } = await client.message();
    expect(body).toContain("x1b[31m");
    expect(body).not.toMatch(/[\x1b\u202e]/);
  }
});
