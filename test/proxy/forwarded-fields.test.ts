/** What an upstream sees of a client's request, and a client of its answer, octet for octet. */
import { expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

const mark = "CDN-Loop: api.0123abcd.localhostess";

test("a request to a subdomain goes on with its Host, path, order, case and repeats as they were", async () => {
  await using its = await scene();
  const { api, client } = its;
  client.send(
    "PATCH /a%2Fb/../c?x=1&y[]=2 HTTP/1.1\r\n" +
      "x-FIRST: 1\r\nhOsT: API.localhost:9090\r\nCookie: a=1\r\nX-Dup: one\r\nx-dup:two\r\n" +
      "COOKIE:   b=2  \r\nX-Dup: one\r\ncontent-length: 0\r\nOrigin: http://api.localhost:9090\r\n\r\n",
  );
  const upstream = await api.next();
  expect((await upstream.message()).raw).toBe(
    "PATCH /a%2Fb/../c?x=1&y[]=2 HTTP/1.1\r\n" +
      "x-FIRST: 1\r\nhOsT: API.localhost:9090\r\nCookie: a=1\r\nX-Dup: one\r\nx-dup:two\r\n" +
      "COOKIE:   b=2  \r\nX-Dup: one\r\ncontent-length: 0\r\nOrigin: http://api.localhost:9090\r\n" +
      "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" +
      `X-Forwarded-Host: API.localhost:9090\r\nX-Forwarded-Port: 9090\r\n${mark}\r\n\r\n`,
  );
});

test("an answer comes with its status line, order, case and repeated Set-Cookie as they were", async () => {
  const answer =
    "HTTP/1.1 299 Fine  indeed\r\nset-COOKIE: a=1; Path=/\r\nX-B: 1\r\nSet-Cookie: b=2\r\n" +
    "set-COOKIE: a=1; Path=/\r\nSERVER: it\r\nContent-length: 2\r\nx-b:2\r\n\r\nhi";
  await using its = await scene({ answer: () => answer });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).raw).toBe(answer);
});

test("octets above 127 in a field go through both ways as they are", async () => {
  await using its = await scene({ answer: () => ok("", ["X-Name: caf\xe9 \xf0\x9f\x8d\xb0"]) });
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\nX-Who: \xff\xfe\r\n\r\n");
  expect((await client.message()).one("x-name")).toBe("caf\xe9 \xf0\x9f\x8d\xb0");
  expect(api.requests[0]!.one("x-who")).toBe("\xff\xfe");
});

test("what belongs to one hop goes from a request, with what Connection nominates", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send(
    "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: keep-alive, X-Mine , close-to-me\r\n" +
      "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic Zm9v\r\n" +
      "TE: trailers, gzip\r\nX-Mine: 1\r\nClose-To-Me: 1\r\nHTTP2-Settings: AAA\r\nUpgrade: h2c\r\n" +
      "X-Kept: 1\r\n\r\n",
  );
  await client.message();
  const seen = api.requests[0]!.lines.map((line) => line.slice(0, line.indexOf(":")));
  expect(seen).toEqual([
    "Host",
    "X-Kept",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "CDN-Loop",
  ]);
});

test("a client's Proxy field reaches no server, by which CGI programs would be told of a proxy, in head or trailer", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send(
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nPROXY: http://evil:1\r\nproxy: http://evil:2\r\nX-Proxy: kept\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nProxy: http://evil:3\r\nX-Sum: 1\r\n\r\n",
  );
  await client.message();
  const seen = api.requests[0]!.raw;
  expect(seen).not.toContain("evil");
  expect(seen).toContain("X-Proxy: kept");
  expect(seen).toContain("X-Sum: 1");
});

test("what belongs to one hop goes from an answer, with what Connection nominates", async () => {
  await using its = await scene({
    answer: () =>
      ok("hi", [
        "Connection: X-Mine",
        "X-Mine: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authenticate: Basic",
        "Upgrade: h2c",
        "X-Kept: 1",
      ]),
  });
  const { client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).lines).toEqual(["X-Kept: 1", "Content-Length: 2"]);
});

test("nobody can nominate Host or the length away", async () => {
  await using its = await scene({ answer: () => ok("hello", ["Connection: Content-Length"]) });
  const { api, client } = its;
  client.send(
    "POST / HTTP/1.1\r\nHost: api.localhost\r\nConnection: Host, Content-Length\r\nContent-Length: 3\r\n\r\nabc",
  );
  expect((await client.message()).body).toBe("hello");
  expect(api.requests[0]!.one("host")).toBe("api.localhost");
  expect(api.requests[0]!.body).toBe("abc");
});

for (const chunked of ["Transfer-Encoding", "transfer-encoding"]) {
  test(`${chunked} stays although Connection nominates it`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(
      `POST / HTTP/1.1\r\nHost: api.localhost\r\nConnection: ${chunked}\r\n${chunked}: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    );
    await client.message();
    expect(api.requests[0]!.body).toBe("abc");
  });
}

test("X-Forwarded-For, -Proto, -Host, -Port and Forwarded are ours, whatever the client says", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send(
    "GET / HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n" +
      "X-Forwarded-Proto: https\r\nX-FORWARDED-HOST: evil\r\nX-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\n" +
      "Host: api.localhost:8123\r\n\r\n",
  );
  await client.message();
  const [request] = api.requests;
  expect(request!.one("x-forwarded-for")).toBe("127.0.0.1");
  expect(request!.one("x-forwarded-proto")).toBe("http");
  expect(request!.one("x-forwarded-host")).toBe("api.localhost:8123");
  expect(request!.one("x-forwarded-port")).toBe("8123");
  expect(request!.raw).not.toContain("6.6.6.6");
});

test("a client that came by IPv6 is named by its IPv6 address", async () => {
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port, { address: "::1" });
  client.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await client.message();
  expect(api.requests[0]!.one("x-forwarded-for")).toBe("::1");
  expect(api.requests[0]!.one("x-forwarded-port")).toBe("80");
});

test("Via of others stays, and ours comes behind it", async () => {
  await using its = await scene({ answer: () => ok("", ["Via: 1.1 inner"]) });
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nVia: 1.0 fred, 1.1 p.example\r\nHost: api.localhost\r\n\r\n");
  expect((await client.message()).all("via")).toEqual(["1.1 inner"]);
  expect(api.requests[0]!.all("via")).toEqual([
    "1.0 fred, 1.1 p.example",
    "1.1 api.0123abcd.localhostess",
  ]);
});

test("a deeper name reaches the service with the longest ending of it, its Host untouched", async () => {
  using api = new RawServer({ answer: () => ok("api") });
  using shop = new RawServer({ answer: () => ok("api.shop") });
  await using proxy = await startTestProxy({ services: { api, "api.shop": shop } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: x.api.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("api");
  client.send("GET / HTTP/1.1\r\nHost: v2.api.shop.localhost:9090\r\n\r\n");
  expect((await client.message()).body).toBe("api.shop");
  expect(shop.requests[0]!.one("host")).toBe("v2.api.shop.localhost:9090");
});

test("a bare name as Host of a path that may be answered is rewritten as in a URL", async () => {
  await using its = await scene({ answer: () => ok("api"), answersBare: new Set(["api"]) });
  const { api, client } = its;
  client.send("GET / HTTP/1.1\r\nHost: api\r\n\r\n");
  expect((await client.message()).body).toBe("api");
  expect(api.requests[0]!.one("host")).toBe(`api.localhost:${its.proxy.port}`);
});

for (const [target, path] of [
  ["/a|b^c`d{e}", "/a%7Cb%5Ec%60d%7Be%7D"],
  ["/caf\xc3\xa9?q=\xc3\xbf", "/caf%C3%A9?q=%C3%BF"],
  ["/?p=a\\b", "/?p=a%5Cb"],
  ["/%zz//./..?", "/%zz//./..?"],
] as const) {
  test(`the target ${JSON.stringify(target)} goes on as ${path}`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(`GET ${target} HTTP/1.1\r\nHost: api.localhost\r\n\r\n`);
    await client.message();
    expect(api.requests[0]!.start).toBe(`GET ${path} HTTP/1.1`);
  });
}
