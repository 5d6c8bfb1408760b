/** HTTP/2 from clients that know beforehand that we speak it, without TLS and inside of it: RFC 9113 section 3.3. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import http2 from "node:http2";
import { connect, type Socket } from "node:net";
import { FrameType, preface } from "../../src/wire/h2/frame.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { H2Frames } from "../support/h2-frames.ts";
import { connectRaw, RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { connectSecure } from "../support/secure-end.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { turns } from "../support/turn.ts";

const api = new RawServer({ answer: ({ raw }) => ok(raw) });
let secured: TestTls;
let proxy: TestProxy;
beforeAll(async () => {
  secured = await testTls({ services: ["api"] });
  proxy = await startTestProxy({
    services: { api },
    terminator: secured.terminator,
    httpsRedirect: true,
  });
});
afterAll(async () => {
  await proxy.stop();
  api.stop();
  await secured[Symbol.asyncDispose]();
});

/** The bytes of a session's beginning, with a request on stream 1. */
function opening(authority = "api.localhost"): Buffer {
  const pieces: Uint8Array[] = [preface];
  const recorder = new H2Frames({});
  recorder.send = (bytes) => void pieces.push(bytes);
  recorder.frame(FrameType.settings, { stream: 0 });
  recorder.request(1, { path: "/first", authority });
  recorder.abort();
  return Buffer.concat(pieces);
}

async function answered(client: RawEnd): Promise<void> {
  const head = await client.bytes(9);
  expect(head[3]).toBe(FrameType.settings);
  await client.until("GET /first HTTP/1.1");
}

type Answer = { status: number; body: string; location: unknown };

async function asked(
  session: http2.ClientHttp2Session,
  fields: http2.OutgoingHttpHeaders,
): Promise<Answer> {
  const stream = session.request({ ":authority": "api.localhost", ":path": "/", ...fields });
  const head = Promise.withResolvers<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>();
  stream.on("response", head.resolve);
  stream.on("error", head.reject);
  const { ":status": status = 0, location } = await head.promise;
  let body = "";
  for await (const piece of stream) body += piece;
  return { status, body, location };
}

async function withSession<T>(
  work: (session: http2.ClientHttp2Session) => Promise<T>,
  through?: Socket,
): Promise<T> {
  const made = through && { createConnection: () => through };
  const session = http2.connect(`http://127.0.0.1:${proxy.port}`, made);
  try {
    return await work(session);
  } finally {
    session.destroy();
  }
}

test("the preface may be cut anywhere", async () => {
  const bytes = opening();
  await Promise.all(
    Array.from({ length: preface.length + 2 }, async (_, cut) => {
      using client = await connectRaw(proxy.port);
      client.send(bytes.subarray(0, cut));
      await client.sent();
      await turns(3);
      client.send(bytes.subarray(cut));
      await answered(client);
    }),
  );
});

test("octet by octet, with a request behind it", async () => {
  using client = await connectRaw(proxy.port);
  for (const octet of opening()) {
    client.send(Uint8Array.of(octet));
    await client.sent();
  }
  await answered(client);
});

test.each([
  "PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\n\r\n\r\n\r\n\r\n",
  "PRI * HTTP/1.1\r\nHost: api.localhost\r\n\r\n",
  "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
])("%j is no preface, and no request either", async (text) => {
  using client = await connectRaw(proxy.port, { send: text });
  expect((await client.message()).status).toBeGreaterThanOrEqual(400);
  expect(await client.rest()).toBe("");
});

test.each(["P", "PR"])("a request of HTTP/1.1 may begin with %s and a pause", async (begun) => {
  using client = await connectRaw(proxy.port, { send: begun });
  await client.sent();
  await turns(3);
  client.send("PRIVATE / HTTP/1.1\r\nHost: api.localhost\r\n\r\n".slice(begun.length));
  expect((await client.message()).status).toBe(200);
});

test("the preface does not come behind a request of HTTP/1.1", async () => {
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await client.message();
  client.send(opening());
  expect((await client.message()).status).toBeGreaterThanOrEqual(400);
});

test("a preface that stops halfway is shed like a slow head", async () => {
  const clock = new FakeClock();
  await using other = await startTestProxy({ clock });
  using client = await connectRaw(other.port, { send: preface.subarray(0, 20) });
  await client.sent();
  await turns(5);
  clock.advance(16_000);
  expect((await client.message()).status).toBe(408);
  await client.rest();
});

describe("a session without TLS", () => {
  test("is told to the service as http, and its names are those of HTTP/1.1", async () => {
    await withSession(async (session) => {
      const { status, body } = await asked(session, { ":path": "/a" });
      expect(status).toBe(200);
      expect(body).toContain("GET /a HTTP/1.1\r\nHost: api.localhost\r\n");
      expect(body).toContain("X-Forwarded-Proto: http\r\n");
      const statuses = async (authority: string): Promise<number> =>
        (await asked(session, { ":authority": authority })).status;
      expect(await statuses("x.api.localhost")).toBe(200);
      expect(await statuses("nobody.localhost")).toBe(404);
      expect(await statuses("localhost")).toBe(200);
      expect(await statuses("example.com")).toBe(421);
      expect(await statuses("api")).toBe(421);
    });
  });

  test("is redirected to https where pages are", async () => {
    await withSession(async (session) => {
      const page = await asked(session, { accept: "text/html", "sec-fetch-mode": "navigate" });
      expect(page.status).toBe(308);
      expect(String(page.location)).toStartWith("https://api.localhost");
    });
  });
});

test("inside CONNECT, a service that speaks it is left to speak for itself", async () => {
  const service = new RawServer();
  await using other = await startTestProxy({ services: { api: service } });
  using client = await connectRaw(other.port, {
    send: "CONNECT api:80 HTTP/1.1\r\nHost: api\r\n\r\n",
  });
  await client.until("\r\n\r\n");
  client.send(opening());
  const upstream = await service.next();
  const length = opening().length;
  expect(await upstream.bytes(length)).toEqual(opening());
  const settings = Uint8Array.of(0, 0, 0, FrameType.settings, 0, 0, 0, 0, 0);
  upstream.send(settings);
  expect(await client.bytes(9)).toEqual(Buffer.from(settings));
  client.finish();
  expect(await upstream.rest()).toBe("");
  service.stop();
});

test.each([
  ["an error of HTTP/1.1", (end: RawEnd) => end.send("HTTP/1.1 505 No\r\n\r\n")],
  ["its end", (end: RawEnd) => end.end()],
  ["a reset", (end: RawEnd) => end.reset()],
  ["nothing", () => {}],
])(
  "inside CONNECT, a service that answers the preface with %s gets HTTP/1.1",
  async (_, answer) => {
    const clock = new FakeClock();
    const service = new RawServer();
    await using other = await startTestProxy({ services: { api: service }, clock });
    using client = await connectRaw(other.port, {
      send: "CONNECT api:80 HTTP/1.1\r\nHost: api\r\n\r\n",
    });
    await client.until("\r\n\r\n");
    client.send(opening());
    const first = await service.next();
    await first.bytes(preface.length);
    answer(first);
    await turns(3);
    clock.advance(2_000);
    const upstream = await service.next();
    const { raw } = await upstream.message();
    expect(raw).toStartWith("GET /first HTTP/1.1\r\nHost: api.localhost\r\n");
    upstream.send(ok("here"));
    await client.until("here");
    service.stop();
  },
);

test("inside CONNECT, a service that is known to speak HTTP/1.1 gets no preface", async () => {
  const service = new RawServer({ answer: ({ target }) => ok(target) });
  await using other = await startTestProxy({ services: { api: service } });
  using first = await connectRaw(other.port, {
    send: "GET /one HTTP/1.1\r\nHost: api.localhost\r\n\r\n",
  });
  await first.message();
  using client = await connectRaw(other.port, {
    send: "CONNECT api:80 HTTP/1.1\r\nHost: api\r\n\r\n",
  });
  await client.until("\r\n\r\n");
  client.send(opening());
  await client.until("/first");
  expect(service.requests.map(({ target }) => target)).toEqual(["/one", "/first"]);
  service[Symbol.dispose]();
});

test("inside CONNECT, the tunnel's own name and the others are served", async () => {
  const socket = connect(proxy.port, "127.0.0.1");
  socket.write("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await once(socket, "data");
  await withSession(async (session) => {
    const { status, body } = await asked(session, { ":authority": "api" });
    expect(status).toBe(200);
    expect(body).toContain("X-Forwarded-Proto: http\r\n");
    expect((await asked(session, { ":authority": "api.localhost" })).status).toBe(200);
  }, socket);
});

test("inside TLS, a client that offered no protocol may speak it, and its certificate counts", async () => {
  const options = { ca: secured.ca, serverName: "api.localhost" };
  const make = (socket: Bun.Socket<RawEnd>): RawEnd => new RawEnd(socket);
  using client = await connectSecure(proxy.port, options, { make });
  client.send(opening());
  await answered(client);
  expect(client.text).toContain("X-Forwarded-Proto: https\r\n");
  using other = await connectSecure(proxy.port, options, { make });
  other.send(opening("web.localhost"));
  await other.until("web.localhost");
  expect(other.text).toContain("certificate");
});

test("a proxy that stops lets a session's answers end, and closes it", async () => {
  const slow = new RawServer();
  await using other = await startTestProxy({ services: { api: slow } });
  using client = await connectRaw(other.port, { send: opening() });
  const upstream = await slow.next();
  await upstream.message();
  const stopped = other.proxy.stop(10_000);
  upstream.send(ok("at last"));
  await client.until("at last");
  client.finish();
  await stopped;
  slow.stop();
});
