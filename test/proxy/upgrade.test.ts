/** Upgrade: the upstream's own 101 and then bytes both ways, or its answer like any other. */
import { expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const request =
  "GET /ws HTTP/1.1\r\nHost: api.localhost:9090\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
  "Origin: http://api.localhost:9090\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Protocol: vite-hmr\r\n\r\n";
const switched =
  "HTTP/1.1 101 Web Socket Protocol Handshake\r\nupgrade: WebSocket\r\nconnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: vite-hmr\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n";

test("the upstream's 101 is relayed as it is, then bytes go both ways", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  const asked = await upstream.message();
  expect(asked.one("upgrade")).toBe("websocket");
  expect(asked.one("connection")?.toLowerCase()).toBe("upgrade");
  expect(asked.one("host")).toBe("api.localhost:9090");
  expect(asked.one("origin")).toBe("http://api.localhost:9090");
  expect(asked.one("sec-websocket-protocol")).toBe("vite-hmr");
  upstream.send(switched);
  expect(await client.until("\r\n\r\n")).toBe(switched);
  const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet);
  client.send(octets);
  expect(await upstream.bytes(256)).toEqual(Buffer.from(octets));
  upstream.send(octets);
  expect(await client.bytes(256)).toEqual(Buffer.from(octets));
});

for (const [what, lax] of [
  ["bare LFs", switched.replaceAll("\r\n", "\n")],
  ["a fold", switched.replace("upgrade: ", "upgrade:\r\n ")],
  [
    "two lengths and control characters",
    switched.replace(
      "Set-Cookie: a=1",
      "Content-Length: 0\r\nContent-Length: 0\r\nSet-Cookie: a=\x011",
    ),
  ],
] as const) {
  test(`a 101 with ${what} is relayed as RFC 9112 has it, and what comes with it is not touched`, async () => {
    await using its = await scene();
    const { api, client } = its;
    client.send(request);
    const upstream = await api.next();
    await upstream.message();
    await upstream.sendEach(`${lax}\n\r\x00first\n`, 7);
    const { status, fields } = await client.message();
    expect({ status, lengths: fields.filter(([name]) => /length/i.test(name)) }).toEqual({
      status: 101,
      lengths: [],
    });
    expect(fields).toContainEqual(["upgrade", "WebSocket"]);
    expect(await client.until("first\n")).toBe("\n\r\x00first\n");
    client.send("second");
    expect(await upstream.until("second")).toBe("second");
  });
}

test("any other protocol is switched to as well", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(
    "POST /containers/1/attach HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\nhi",
  );
  const upstream = await api.next();
  expect((await upstream.message()).body).toBe("hi");
  upstream.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw");
  expect((await client.message()).status).toBe(101);
  expect(await client.until("raw")).toBe("raw");
});

test("early bytes, sent with the request or before the 101, reach the upstream behind it, in order", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(`${request}one,`);
  const upstream = await api.next();
  await upstream.message();
  client.send("two,");
  upstream.send(switched);
  await client.until("\r\n\r\n");
  client.send("three");
  expect(await upstream.until("three")).toBe("one,two,three");
});

test("early bytes are no second request and reach nobody before the upstream has agreed", async () => {
  await using its = await scene();
  const { api, client } = its;
  const early = "GET /smuggled HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
  client.send(`${request}${early}`);
  const upstream = await api.next();
  await upstream.message();
  upstream.send(switched);
  await client.until("\r\n\r\n");
  expect(await upstream.until("\r\n\r\n")).toBe(early);
  expect(api.accepted.length).toBe(1);
});

test("bytes that come together with the 101 reach the client behind it", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send(`${switched}\x81\x05hello`);
  expect(await client.until("hello")).toBe(`${switched}\x81\x05hello`);
});

test("a 100 and a 103 before the 101 are relayed too", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
  upstream.send(interim + switched);
  expect(await client.until("b=2\r\n\r\n")).toBe(interim + switched);
});

for (const [status, fields] of [
  ["426 Upgrade Required", ["Upgrade: websocket", "X-Why: version"]],
  ["400 Bad Request", []],
  ["200 OK", []],
  ["404 Not Found", []],
  ["302 Found", ["Location: /login"]],
] as const) {
  test(`${status} instead of a 101 is an answer, and the connection goes on`, async () => {
    await using its = await scene({
      answer: ({ start }) =>
        start.includes("/ws") ? ok("no", fields).replace("200 OK", status) : ok("and on it goes"),
    });
    const { client } = its;
    client.send(request);
    const answer = await client.message();
    expect(answer.start).toBe(`HTTP/1.1 ${status}`);
    expect(answer.body).toBe("no");
    client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    expect((await client.message()).body).toBe("and on it goes");
  });
}

test("half-close is kept each way after the switch", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send(switched);
  await client.until("\r\n\r\n");
  client.send("last").finish();
  expect(await upstream.rest()).toBe("last");
  upstream.send("mine");
  await client.until("mine");
  upstream.finish();
  expect(await client.rest()).toBe("");
});

for (const offer of ["h2c", "H2C", "h2c, websocket", "websocket, h2c"]) {
  test(`an upgrade to ${offer} is never offered to an upstream as h2c`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(
      `GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${offer}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
    );
    expect((await client.message()).status).toBe(200);
    expect(api.requests[0]!.raw).not.toMatch(/h2c|http2-settings/i);
  });
}

test("Upgrade without Connection: upgrade is not passed on, nor the other way round", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\nUpgrade: websocket\r\n\r\n");
  await client.message();
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: upgrade\r\n\r\n");
  await client.message();
  for (const asked of api.requests) {
    expect(asked.one("upgrade")).toBeUndefined();
    expect(asked.one("connection")).toBeUndefined();
  }
});

test("HTTP/1.0 cannot ask for an upgrade", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send(request.replace("HTTP/1.1", "HTTP/1.0"));
  await client.message();
  expect(api.requests[0]!.one("upgrade")).toBeUndefined();
});

test("a 101 that nobody asked for is 502", async () => {
  await using its = await scene({ answer: () => switched });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(502);
});

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const to = (protocol: string): string[] => ["Connection: Upgrade", `Upgrade: ${protocol}`];

/** What becomes of a request for an upgrade and the 101 that it gets, and of what stands behind both. */
async function switchedTo(asked: readonly string[], answered: readonly string[]) {
  await using its = await scene();
  const { api, client } = its;
  client.send(`GET /ws HTTP/1.1\r\nHost: api.localhost\r\n${asked.join("\r\n")}\r\n\r\nearly`);
  const upstream = await api.next();
  await upstream.message();
  upstream.send(`HTTP/1.1 101 Go\r\n${answered.join("\r\n")}\r\n\r\nlate`);
  const { status } = await client.message();
  if (status === 101) {
    expect(await client.until("late")).toBe("late");
    expect(await upstream.until("early")).toBe("early");
  } else {
    await upstream.gone();
    expect(upstream.received.toString()).not.toContain("early");
  }
  return status;
}

test.each<[what: string, asked: string[], answered: string[]]>([
  ["of several protocols the last", to("tcp, websocket"), to("websocket")],
  [
    "of protocols in two fields the second",
    ["Connection: Upgrade", "Upgrade: tcp", "Upgrade: echo"],
    to("echo"),
  ],
  ["the protocol in other letters", to("WebSocket"), to("WEBSOCKET")],
  ["two layers that were both offered", to("TLS/1.2, tcp"), to("tls/1.2, tcp")],
  ["a WebSocket without a key", to("websocket"), to("websocket")],
  ["a WebSocket with the key's answer", [...to("websocket"), key], [...to("websocket"), accept]],
  [
    "a WebSocket with the answer to a key that is malformed",
    [...to("websocket"), "Sec-WebSocket-Key: x"],
    [...to("websocket"), "Sec-WebSocket-Accept: JVxkmtKFjDcI/Pm/AGPEKSN6wT8="],
  ],
  ["another protocol, beside a key that is not for it", [...to("tcp, websocket"), key], to("tcp")],
])("a 101 is passed on that names %s", async (_, asked, answered) => {
  expect(await switchedTo(asked, answered)).toBe(101);
});

test.each<[what: string, asked: string[], answered: string[]]>([
  ["no protocol", to("tcp"), ["Connection: Upgrade"]],
  ["an empty one", to("tcp"), to("")],
  ["a list of nothing", [...to("websocket"), key], to(" , ,")],
  ["one that is not in its Connection", to("tcp"), ["Upgrade: tcp"]],
  ["another than was asked for", to("websocket"), to("tcp")],
  ["one more than was asked for", to("tcp"), to("tcp, echo")],
  ["another version than was asked for", to("echo/1"), to("echo/2")],
  ["h2c", to("tcp"), to("h2c")],
  ["a WebSocket, without an answer to its key", [...to("websocket"), key], to("websocket")],
  [
    "a WebSocket, with an answer to another key",
    [...to("websocket"), key],
    [...to("websocket"), accept.replace("s3p", "s3q")],
  ],
  [
    "a WebSocket, with an answer in other letters",
    [...to("websocket"), key],
    [...to("websocket"), accept.toLowerCase()],
  ],
  [
    "a WebSocket, with two answers",
    [...to("websocket"), key],
    [...to("websocket"), accept, accept],
  ],
])("a 101 that names %s is a 502, and no byte goes through", async (_, asked, answered) => {
  expect(await switchedTo(asked, answered)).toBe(502);
});

test("a bare name's handshake has Host and Origin rewritten, and its 101 passes", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(
    "GET http://api/ws HTTP/1.1\r\nHost: api\r\nOrigin: http://api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  const upstream = await api.next();
  const asked = await upstream.message();
  expect(asked.one("host")).toBe(`api.localhost:${its.proxy.port}`);
  expect(asked.one("origin")).toBe(`http://api.localhost:${its.proxy.port}`);
  upstream.send(switched);
  expect(await client.until("\r\n\r\n")).toBe(switched);
});

test("a client that resets after the switch has its upstream reset, and the other way round", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  for (const who of ["client", "upstream"]) {
    using client = await connectRaw(proxy.port);
    client.send(request);
    const upstream = await api.next();
    await upstream.message();
    upstream.send(switched);
    await client.until("\r\n\r\n");
    const [one, other] = who === "client" ? [client, upstream] : [upstream, client];
    one.reset();
    await other.gone();
    expect(other.broken).toBe(true);
  }
});

test("a switched connection never goes back to the pool", async () => {
  await using its = await scene();
  const { api, proxy, client } = its;
  client.send(request);
  const upstream = await api.next();
  await upstream.message();
  upstream.send(switched);
  await client.until("\r\n\r\n");
  client.reset();
  await upstream.gone();
  using second = await connectRaw(proxy.port);
  second.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  const fresh = await api.next();
  await fresh.message();
  fresh.send(ok("fresh"));
  expect((await second.message()).body).toBe("fresh");
});
