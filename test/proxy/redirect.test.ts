/** `httpsRedirect` over a socket: what is sent to https, and what never is. */
import { expect, test } from "bun:test";
import type { Message } from "../support/strict-reader.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";

const html = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
const navigate = "Sec-Fetch-Mode: navigate\r\n";

type Asked = { line?: string; host?: string; fields?: string };

async function ask(
  proxy: TestProxy,
  { line = "GET /", host = "api.localhost", fields = html }: Asked = {},
): Promise<Message> {
  using client = await connectRaw(proxy.port);
  client.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
  return await client.message({ head: line.startsWith("HEAD") });
}

async function redirecting(more: Parameters<typeof startTestProxy>[0] = {}) {
  const api = new RawServer({ answer: () => ok("api") });
  const proxy = await startTestProxy({ services: { api }, httpsRedirect: true, ...more });
  return {
    api,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      api[Symbol.dispose]();
    },
  };
}

test("a page load is answered with 308, which nobody remembers, and does not reach the server", async () => {
  await using its = await redirecting();
  const answer = await ask(its.proxy);
  expect(answer.start).toBe("HTTP/1.1 308 Permanent Redirect");
  expect(answer.one("location")).toBe(`https://api.localhost:${its.proxy.port}/`);
  expect(answer.one("cache-control")).toBe("no-store");
  expect(answer.one("vary")).toBe("Sec-Fetch-Mode, Accept");
  expect(answer.one("content-length")).toBe(String(answer.body.length));
  expect(its.api.requests.length).toBe(0);
});

for (const [what, asked] of [
  ["a browser that says so", { fields: `Accept: */*\r\n${navigate}` }],
  ["HEAD", { line: "HEAD /", fields: navigate }],
  ["an Accept in two lines", { fields: "Accept: image/png\r\nAccept: text/html;q=0.5\r\n" }],
  ["its mode in other letters", { fields: "sEC-fETCH-mODE: navigate\r\n" }],
] as const) {
  test(`a page load is ${what}`, async () => {
    await using its = await redirecting();
    expect((await ask(its.proxy, asked)).status).toBe(308);
  });
}

test("under a configured domain it is the same name, and a bare name is the one under localhost", async () => {
  await using its = await redirecting({ tlds: ["test"] });
  for (const [host, to] of [
    ["x.api.test", "x.api.test"],
    ["api", "api.localhost"],
  ]) {
    const answer = await ask(its.proxy, { line: `GET http://${host}/a`, host: host! });
    expect(answer.one("location")).toBe(`https://${to}:${its.proxy.port}/a`);
  }
});

for (const [what, asked] of [
  ["curl", { fields: "Accept: */*\r\n" }],
  ["a program that says nothing", { fields: "" }],
  ["a fetch for HTML", { fields: `${html}Sec-Fetch-Mode: cors\r\n` }],
  ["a script's own reading of a page", { fields: `Sec-Fetch-Mode: same-origin\r\n${html}` }],
  ["HTML that is not wanted", { fields: "Accept: text/html;q=0, */*\r\n" }],
  ["a media type that only begins so", { fields: "Accept: text/html5\r\n" }],
  ["POST", { line: "POST /", fields: `${html}${navigate}Content-Length: 0\r\n` }],
  ["OPTIONS", { line: "OPTIONS /", fields: `${html}${navigate}` }],
  ["a GET with a body", { fields: `${html}Transfer-Encoding: chunked\r\n\r\n0\r\n` }],
  ["an upgrade", { fields: `${navigate}Connection: Upgrade\r\nUpgrade: websocket\r\n` }],
] as const) {
  test(`${what} takes its road as before`, async () => {
    await using its = await redirecting();
    expect((await ask(its.proxy, asked)).body).toBe("api");
  });
}

for (const [what, asked, location] of [
  ["a path and a query", { line: "GET /a/../b%2Fc?x=//y?z&%" }, "/a/../b%2Fc?x=//y?z&%"],
  ["what has to be encoded", { line: "GET /\xc3\xbc|{}?^`" }, "/%C3%BC%7C%7B%7D?%5E%60"],
  ["two slashes first", { line: "GET //example.com/" }, "//example.com/"],
  ["a URL", { line: "GET http://api.localhost/a?b", host: "x" }, "/a?b"],
  ["a URL without a path", { line: "GET http://api.localhost?b", host: "x" }, "/?b"],
  ["a URL with any port", { line: "GET http://api.localhost:81", host: "x" }, "/"],
  ["a bare name", { line: "GET http://api/a", host: "api" }, "/a"],
  ["a bare name as Host", { line: "GET /a", host: "api:80" }, "/a"],
  ["capitals and a final dot", { host: "API.LocalHost.:8080" }, "/"],
] as const) {
  test(`${what} ends up where it would have`, async () => {
    await using its = await redirecting({ answersBare: "all" });
    const answer = await ask(its.proxy, asked);
    expect(answer.one("location")).toBe(`https://api.localhost:${its.proxy.port}${location}`);
  });
}

test("a name under a service's keeps its whole name", async () => {
  await using its = await redirecting();
  const answer = await ask(its.proxy, { host: "x.api.localhost" });
  expect(answer.one("location")).toBe(`https://x.api.localhost:${its.proxy.port}/`);
});

test("a port of https that is shown is the one that is named", async () => {
  await using its = await redirecting({
    extraPorts: [{ scheme: "https", port: 0, shown: true }],
  });
  const { https } = its.proxy.proxy.urlPorts;
  expect(https).not.toBe(its.proxy.port);
  expect((await ask(its.proxy)).one("location")).toBe(`https://api.localhost:${https}/`);
});

test("the front page goes to https by its name, also from an address", async () => {
  await using its = await redirecting();
  for (const host of ["localhost", "127.0.0.1", `[::1]:${its.proxy.port}`]) {
    const answer = await ask(its.proxy, { line: "GET /?x", host });
    expect(answer.one("location")).toBe(`https://localhost:${its.proxy.port}/?x`);
  }
});

test("proxy.pac, pages that are not there and names that nobody has are as before", async () => {
  await using its = await redirecting();
  const pac = await ask(its.proxy, { line: "GET /proxy.pac", host: "localhost" });
  expect(pac.body).toContain("FindProxyForURL");
  expect((await ask(its.proxy, { line: "GET /nothing", host: "localhost" })).status).toBe(404);
  expect((await ask(its.proxy, { host: "nosuch.localhost" })).status).toBe(404);
  expect((await ask(its.proxy, { host: "example.com" })).status).toBe(421);
});

test("the connection goes on, and what was sent in one piece is answered in order", async () => {
  await using its = await redirecting();
  using client = await connectRaw(its.proxy.port);
  const get = (fields: string) => `GET / HTTP/1.1\r\nHost: api.localhost\r\n${fields}\r\n`;
  const head = `HEAD / HTTP/1.1\r\nHost: api.localhost\r\n${html}\r\n`;
  client.send(get(html) + head + get("") + get(html) + get("Connection: close\r\n"));
  expect((await client.message()).status).toBe(308);
  expect((await client.message({ head: true })).status).toBe(308);
  expect((await client.message()).body).toBe("api");
  expect((await client.message()).status).toBe(308);
  expect((await client.message()).body).toBe("api");
  expect(await client.rest()).toBe("");
});

test("a client that closes after it, and one of HTTP/1.0, are told that it ends", async () => {
  await using its = await redirecting();
  for (const request of [
    `GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n${html}\r\n`,
    `GET / HTTP/1.0\r\nHost: api.localhost\r\n${html}\r\n`,
  ]) {
    using client = await connectRaw(its.proxy.port);
    client.send(request);
    const answer = await client.message();
    expect([answer.status, answer.one("connection")]).toEqual([308, "close"]);
    expect(await client.rest()).toBe("");
  }
});

test("a target as long as a head may be is redirected whole", async () => {
  await using its = await redirecting();
  // One character an octet: ü in UTF-8.
  const path = `/${"\xc3\xbc".repeat(30_000)}`;
  const answer = await ask(its.proxy, { line: `GET ${path}` });
  expect(answer.one("location")).toEndWith(`/${"%C3%BC".repeat(30_000)}`);
});

test("a server that starts within the request is redirected to", async () => {
  using web = new RawServer();
  await using proxy = await startTestProxy({
    httpsRedirect: true,
    refresh: async () => proxy.setServices({ web }),
  });
  const answer = await ask(proxy, { host: "web.localhost" });
  expect(answer.one("location")).toBe(`https://web.localhost:${proxy.port}/`);
});

test("without the option nothing is redirected", async () => {
  await using its = await redirecting({ httpsRedirect: false });
  expect((await ask(its.proxy, { fields: html + navigate })).body).toBe("api");
});
