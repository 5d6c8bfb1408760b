/** Names under a configured domain on the wire: what reaches the server, what comes back, and what nobody has. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";

let api: RawServer;
let proxy: TestProxy;

beforeAll(async () => {
  api = new RawServer({
    answer: () =>
      `HTTP/1.1 302 Found\r\nLocation: http://${api.requests.at(-1)!.one("host")}/in\r\nContent-Length: 0\r\n\r\n`,
  });
  proxy = await startTestProxy({ services: { api }, tlds: ["test", "dev.test"] });
});

afterAll(async () => {
  await proxy.stop();
  api[Symbol.dispose]();
});

test.each([
  ["a URL", "GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n"],
  ["a URL in capitals", "GET http://API.Test/ HTTP/1.1\r\nHost: x\r\n"],
  ["a path and a Host", "GET / HTTP/1.1\r\nHost: api.test\r\n"],
])(
  "by %s, the server sees the name that it knows, and the client the one that it asked for",
  async (_, head) => {
    using client = await connectRaw(proxy.port);
    client.send(`${head}Origin: http://api.test\r\nReferer: http://api.test/login\r\n\r\n`);
    const answer = await client.message();
    const seen = api.requests.at(-1)!;
    const local = `api.localhost:${proxy.port}`;
    expect(seen.one("host")).toBe(local);
    expect(seen.one("origin")).toBe(`http://${local}`);
    expect(seen.one("referer")).toBe(`http://${local}/login`);
    expect(seen.one("x-forwarded-host")).toBe(local);
    expect(seen.one("x-forwarded-port")).toBe(String(proxy.port));
    expect(answer.one("location")).toBe("http://api.test/in");
  },
);

test("the longer domain is the one that was meant, and further labels lead to the same server", async () => {
  for (const [host, told] of [
    ["api.dev.test", "api"],
    ["x.y.api.test", "x.y.api"],
  ] as const) {
    using client = await connectRaw(proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect((await client.message()).one("location")).toBe(`http://${host}/in`);
    expect(api.requests.at(-1)!.one("host")).toBe(`${told}.localhost:${proxy.port}`);
  }
});

test("a WebSocket in a tunnel takes the road of every other request", async () => {
  using client = await connectRaw(proxy.port);
  client.send("CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\n\r\n");
  expect(await client.until("\r\n\r\n")).toContain(" 200 ");
  client.send(
    "GET /hmr HTTP/1.1\r\nHost: api.test\r\nOrigin: http://api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await client.message();
  expect(api.requests.at(-1)!.one("host")).toBe(`api.localhost:${proxy.port}`);
});

test("a name that nobody has is left to the PAC file's DIRECT, and explained where it is a Host", async () => {
  for (const head of [
    "GET http://nosuch.test/ HTTP/1.1\r\nHost: nosuch.test\r\n",
    "CONNECT nosuch.test:443 HTTP/1.1\r\nHost: nosuch.test:443\r\n",
    "GET http://api.dev/ HTTP/1.1\r\nHost: api.dev\r\n",
  ]) {
    using client = await connectRaw(proxy.port);
    client.send(`${head}\r\n`);
    expect(await client.rest()).toBe("");
  }
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: nosuch.test\r\nAccept: application/json\r\n\r\n");
  const answer = await client.message();
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.body).error).toMatchObject({ name: "nosuch" });
  using other = await connectRaw(proxy.port);
  other.send("GET / HTTP/1.1\r\nHost: api.dev\r\n\r\n");
  expect((await other.message()).status).toBe(421);
});
