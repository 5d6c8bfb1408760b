/** CONNECT: bytes both ways, to services and to nobody else. */
import { expect, test } from "bun:test";
import { turn } from "../support/turn.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const established = "HTTP/1.1 200 Connection Established\r\n\r\n";

function connect(name: string): string {
  return `CONNECT ${name} HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
}

async function tunnelled(port: number, name = "api:80"): Promise<RawEnd> {
  const client = await connectRaw(port);
  client.send(connect(name));
  expect(await client.until("\r\n\r\n")).toBe(established);
  return client;
}

test("bytes go both ways unread, every octet of them", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  const upstream = await api.next();
  const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet);
  client.send(octets);
  expect(await upstream.bytes(256)).toEqual(Buffer.from(octets));
  upstream.send(octets);
  expect(await client.bytes(256)).toEqual(Buffer.from(octets));
  client.send("again");
  expect(await upstream.until("again")).toBe("again");
});

for (const name of ["api:80", "API:443", "api:1", "api.localhost:80", "x.api.localhost:9090"]) {
  test(`CONNECT ${name} reaches api, on the port it has`, async () => {
    using api = new RawServer();
    await using proxy = await startTestProxy({ services: { api } });
    using client = await tunnelled(proxy.port, name);
    client.send("\0hello");
    expect(await (await api.next()).until("hello")).toBe("\0hello");
  });
}

test("bytes sent along with CONNECT are not lost", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(`${connect("api:80")}\x16\x03\x01early`);
  expect(await client.until("\r\n\r\n")).toBe(established);
  const upstream = await api.next();
  client.send("late");
  expect(await upstream.until("late")).toBe("\x16\x03\x01earlylate");
});

test("CONNECT in single octets is CONNECT, and what follows it comes through", async () => {
  await using its = await scene();
  const { api, client } = its;
  for (const octet of `${connect("api:80")}PING\r\n`) {
    client.send(octet);
    await turn();
  }
  await client.until(established);
  expect(await (await api.next()).until("\r\n")).toBe("PING\r\n");
});

test("a server that speaks first is heard before the client says anything", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  const upstream = await api.next();
  upstream.send("220 ready\r\n");
  expect(await client.until("\r\n")).toBe("220 ready\r\n");
  client.send("EHLO me\r\n");
  expect(await upstream.until("\r\n")).toBe("EHLO me\r\n");
});

test("what a server says at once when it accepts comes behind the 200", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  const greeting = api.next().then((end) => end.send("220 ready\r\n"));
  using client = await connectRaw(proxy.port);
  client.send(connect("api:80"));
  await greeting;
  expect(await client.until("ready\r\n")).toBe(`${established}220 ready\r\n`);
});

test("a server that speaks while the client's first line could still be a request is heard", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  client.send("GET ");
  const upstream = await api.next();
  upstream.send("hello\r\n");
  await client.until("hello\r\n");
  client.send("on");
  expect(await upstream.until("on")).toBe("GET on");
});

test("a client that stops sending still gets all the server has to say", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  const upstream = await api.next();
  client.send("\x01ask").finish();
  expect(await upstream.rest()).toBe("\x01ask");
  upstream.send("answer");
  expect(await client.until("answer")).toBe("answer");
  upstream.send("more").finish();
  expect(await client.rest()).toBe("more");
  await upstream.gone();
  await client.gone();
});

test("a server that stops sending still hears the client to its end", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  const upstream = await api.next();
  upstream.send("bye").finish();
  expect(await client.rest()).toBe("bye");
  client.send("\x01one");
  await upstream.until("one");
  client.send("two").finish();
  expect(await upstream.rest()).toBe("two");
  await client.gone();
});

test("a client that stops sending right behind CONNECT still gets its answer", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(`${connect("api:80")}\x01ask`).finish();
  const upstream = await api.next();
  expect(await upstream.rest()).toBe("\x01ask");
  upstream.send("answer").finish();
  expect(await client.rest()).toBe(`${established}answer`);
});

test("a client that stops in the middle of what could be a request has it delivered", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  client.send("GET key").finish();
  const upstream = await api.next();
  expect(await upstream.rest()).toBe("GET key");
  upstream.send("value").finish();
  expect(await client.rest()).toBe("value");
});

test("a reset of one end is a reset of the other", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using first = await tunnelled(proxy.port);
  const one = await api.next();
  first.send("\x01");
  await one.bytes(1);
  first.reset();
  await one.gone();
  expect(one.broken).toBe(true);

  using second = await tunnelled(proxy.port);
  const two = await api.next();
  second.send("\x01");
  await two.bytes(1);
  two.reset();
  await second.gone();
  expect(second.broken).toBe(true);
});

test("a client that leaves before it has said anything takes the server's end with it", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  const upstream = await api.next();
  client.reset();
  expect(await upstream.rest()).toBe("");
});

test("a server that is gone before the client has said anything ends the tunnel", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port);
  (await api.next()).reset();
  expect(await client.rest()).toBe("");
});

for (const name of ["nobody:80", "example.com:443", "93.184.216.34:80", "[2606:2800::1]:443"]) {
  test(`CONNECT ${name} is closed without an answer`, async () => {
    await using proxy = await startTestProxy();
    using client = await connectRaw(proxy.port);
    client.send(connect(name));
    expect(await client.rest()).toBe("");
    expect(client.broken).toBe(false);
  });
}

test("a listener that is no service is dialled by none of its names", async () => {
  using other = new RawServer();
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  const names = ["127.0.0.1", "localhost", "[::1]", "127.1", "0x7f000001", "2130706433", "0.0.0.0"];
  for (const name of names) {
    using client = await connectRaw(proxy.port);
    client.send(`${connect(`${name}:${other.port}`)}hello`);
    expect(await client.rest()).toBe("");
  }
  expect(other.accepted.length).toBe(0);
});

test("a port in CONNECT never chooses what is dialled", async () => {
  using other = new RawServer();
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await tunnelled(proxy.port, `api:${other.port}`);
  client.send("\x01");
  await (await api.next()).bytes(1);
  expect(other.accepted.length).toBe(0);
});

test("CONNECT to the proxy itself is closed, so it cannot be made to dial itself", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send(connect(`localhost:${proxy.port}`));
  expect(await client.rest()).toBe("");
});

test("a service that refuses is 502 and never 200", async () => {
  const gone = new RawServer();
  gone[Symbol.dispose]();
  await using proxy = await startTestProxy({ services: { api: { port: gone.port } } });
  using client = await connectRaw(proxy.port);
  client.send(connect("api:80"));
  const answer = await client.message();
  expect(answer.status).toBe(502);
  expect(answer.body).toContain(`127.0.0.1:${gone.port}`);
  expect(await client.rest()).toBe("");
});

for (const target of ["api", "api:", "/path", "http://api:80/", "api:80/", "*", "api:80:80"]) {
  test(`CONNECT ${target} is 400`, async () => {
    await using its = await scene();
    const { api, client } = its;
    client.send(`CONNECT ${target} HTTP/1.1\r\nHost: api\r\n\r\n`);
    expect((await client.message()).status).toBe(400);
    expect(api.accepted.length).toBe(0);
  });
}

test("CONNECT by HTTP/1.0, without Host, is CONNECT", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send("CONNECT api:80 HTTP/1.0\r\n\r\n\x01");
  await client.until("200 Connection Established\r\n\r\n");
  await (await api.next()).bytes(1);
});

test("a CONNECT with a body is 400", async () => {
  await using its = await scene();
  const { client } = its;
  client.send("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\nContent-Length: 5\r\n\r\nhello");
  expect((await client.message()).status).toBe(400);
});

test("a tunnel takes no connection from the pool and gives none to it", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await client.message();
  client.send(connect("api:80"));
  await client.until(established);
  expect(api.accepted.length).toBe(2);
});

test("a request before CONNECT on the same connection is answered first", async () => {
  await using its = await scene({ answer: ({ start }) => ok(start) });
  const { api, client } = its;
  client.send(
    `GET /1 HTTP/1.1\r\nHost: api.localhost\r\n\r\n${connect("api:80")}GET /2 HTTP/1.1\r\nHost: api\r\n\r\n`,
  );
  expect((await client.message()).body).toBe("GET /1 HTTP/1.1");
  expect(await client.until("\r\n\r\n")).toBe(established);
  expect((await client.message()).body).toBe("GET /2 HTTP/1.1");
  expect(api.requests[1]!.lines).toEqual(["Host: api"]);
});

const handshake =
  "GET /ws HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://api\r\n\r\n";
const switched =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

for (const [how, pieces] of [
  ["in one piece", [handshake]],
  ["in two pieces", [handshake.slice(0, 30), handshake.slice(30)]],
  ["in single octets", [...handshake]],
] as const) {
  test(`a WebSocket handshake to a bare name in a tunnel, ${how}, has its Host and Origin rewritten`, async () => {
    using api = new RawServer();
    await using proxy = await startTestProxy({ services: { api } });
    using client = await tunnelled(proxy.port);
    for (const piece of pieces) {
      client.send(piece);
      await turn();
    }
    const upstream = await api.next();
    const request = await upstream.message();
    expect(request.one("host")).toBe(`api.localhost:${proxy.port}`);
    expect(request.one("origin")).toBe(`http://api.localhost:${proxy.port}`);
    expect(request.one("sec-websocket-key")).toBe("dGhlIHNhbXBsZSBub25jZQ==");
    upstream.send(`${switched}\x81\x02hi`);
    expect(await client.until("\x81\x02hi")).toBe(`${switched}\x81\x02hi`);
    client.send("\x82\x03abc");
    expect(await upstream.until("abc")).toBe("\x82\x03abc");
    expect(api.accepted.length).toBe(1);
  });
}

test("a WebSocket handshake sent along with CONNECT is rewritten too, and early frames come behind it", async () => {
  await using its = await scene();
  const { api, client, proxy } = its;
  client.send(`${connect("api:80")}${handshake}\x81\x05early`);
  const upstream = await api.next();
  expect((await upstream.message()).one("host")).toBe(`api.localhost:${proxy.port}`);
  upstream.send(switched);
  expect(await client.until("xOo=\r\n\r\n")).toBe(`${established}${switched}`);
  expect(await upstream.until("early")).toBe("\x81\x05early");
});

for (const host of ["nobody", "web", "web.localhost", "localhost", "example.com"]) {
  test(`a handshake for ${host} in a tunnel to api goes to api as it is`, async () => {
    using api = new RawServer();
    using web = new RawServer();
    await using proxy = await startTestProxy({ services: { api, web } });
    using client = await tunnelled(proxy.port);
    const asked = handshake.replace("Host: api", `Host: ${host}`);
    client.send(asked);
    expect(await (await api.next()).until("\r\n\r\n")).toBe(asked);
    expect(web.accepted.length).toBe(0);
  });
}

const untouched: Record<string, string> = {
  "a plain GET for the bare name": "GET / HTTP/1.1\r\nHost: api\r\nConnection: keep-alive\r\n\r\n",
  "a handshake for a name of ours": handshake
    .replace("Host: api", "Host: api.localhost")
    .replace("http://api", "http://api.localhost:9090"),
  "an inline command of redis": "GET key\r\n",
  "a long inline command of redis": `GET ${"k".repeat(70_000)}\r\n`,
  "an inline command of redis with a space too many": "GET  HTTP/1.1\r\n",
  "a lone LF": "GET / HTTP/1.1\nHost: api\n\n",
  "another method": handshake.replace("GET", "PUT"),
  "lower-case get": handshake.replace("GET", "get"),
  "the array form of redis": "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n",
  "PostgreSQL's SSLRequest": "\x00\x00\x00\x08\x04\xd2\x16\x2f",
  "a TLS ClientHello": "\x16\x03\x01\x00\x05GET /",
  "HTTP/2 in clear": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  NULs: "GET \0\0\0\0 HTTP/1.1\r\n\r\n",
};
for (const [what, bytes] of Object.entries(untouched)) {
  test(`${what} goes through a tunnel as it is`, async () => {
    using api = new RawServer();
    await using proxy = await startTestProxy({ services: { api } });
    using client = await tunnelled(proxy.port);
    client.send(bytes);
    const upstream = await api.next();
    expect((await upstream.bytes(bytes.length)).toString("latin1")).toBe(bytes);
    upstream.send("reply");
    expect(await client.until("reply")).toBe("reply");
    client.send(handshake);
    expect(await upstream.until("\r\n\r\n")).toBe(handshake);
  });
}

test("a redis that waits for the line it was sent answers, because the line reaches it", async () => {
  using redis = new RawServer();
  await using proxy = await startTestProxy({ services: { redis } });
  using client = await tunnelled(proxy.port, "redis:6379");
  const upstream = await redis.next();
  for (const line of ["GET key\r\n", "GET a b c\r\n", "GET /x HTTP/1.1\r\n\r\n"]) {
    client.send(line);
    expect(await upstream.until("\r\n")).toBe(line.slice(0, line.indexOf("\r\n") + 2));
    upstream.send("$-1\r\n");
    expect(await client.until("\r\n")).toBe("$-1\r\n");
    if (line.endsWith("\r\n\r\n")) await upstream.until("\r\n");
  }
});
