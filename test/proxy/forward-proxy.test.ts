/** Requests with an absolute URI: to whom they go, and what is rewritten on the way. */
import { expect, test } from "bun:test";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
import { startTestProxy } from "../support/test-proxy.ts";

test("an absolute URI becomes a path, and Host, Origin and Referer that name the bare host become its name under localhost", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  const told = `api.localhost:${its.proxy.port}`;
  client.send(
    "POST http://api/p/q?x=http://api/ HTTP/1.1\r\nX-One: 1\r\nhOST: api\r\nOrigin: http://api\r\n" +
      "Referer: http://api/from?u=http://api/\r\nContent-Length: 0\r\n\r\n",
  );
  await client.message();
  expect(api.requests[0]!.start).toBe("POST /p/q?x=http://api/ HTTP/1.1");
  expect(api.requests[0]!.lines.slice(0, 5)).toEqual([
    "X-One: 1",
    `Host: ${told}`,
    `Origin: http://${told}`,
    `Referer: http://${told}/from?u=http://api/`,
    "Content-Length: 0",
  ]);
  expect(api.requests[0]!.one("x-forwarded-host")).toBe(told);
  expect(api.requests[0]!.one("x-forwarded-port")).toBe(String(its.proxy.port));
  expect(api.requests[0]!.one("x-forwarded-proto")).toBe("http");
});

test("the case of the scheme and of the name makes no difference", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("GET HTTP://APi/x HTTP/1.1\r\nHost: APi\r\nOrigin: http://api\r\n\r\n");
  await client.message();
  expect(api.requests[0]!.start).toBe("GET /x HTTP/1.1");
  expect(api.requests[0]!.one("host")).toBe(`api.localhost:${its.proxy.port}`);
  expect(api.requests[0]!.one("origin")).toBe(`http://api.localhost:${its.proxy.port}`);
});

for (const value of [
  "http://web",
  "http://apis",
  "http://api.localhost:9090",
  "https://api",
  "http://api:8080",
  "null",
  "",
  "http://example.com/http://api/",
]) {
  test(`an Origin or Referer of ${JSON.stringify(value)} is not touched`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(
      `GET http://api/ HTTP/1.1\r\nHost: api\r\nOrigin: ${value}\r\nReferer: ${value}\r\n\r\n`,
    );
    await client.message();
    expect(api.requests[0]!.one("origin")).toBe(value);
    expect(api.requests[0]!.one("referer")).toBe(value);
  });
}

test("a port in the URL belongs to what is rewritten, and is the client's again in the answer", async () => {
  await using its = await scene({
    answer: () => ok("", [`Location: http://api.localhost:${its.proxy.port}/next`]),
  });
  const { api, client } = its;
  client.send(
    "GET http://api:8080/ HTTP/1.1\r\nHost: api:8080\r\nOrigin: http://api:8080\r\nReferer: http://api/\r\n\r\n",
  );
  expect((await client.message()).one("location")).toBe("http://api:8080/next");
  const [request] = api.requests;
  expect(request!.one("origin")).toBe(`http://api.localhost:${its.proxy.port}`);
  expect(request!.one("referer")).toBe("http://api/");
  expect(request!.one("x-forwarded-port")).toBe(String(its.proxy.port));
  expect(request!.one("x-forwarded-host")).toBe(`api.localhost:${its.proxy.port}`);
});

test("*.localhost by an absolute URI keeps its name in Host, Origin and Location", async () => {
  await using its = await scene({
    answer: () => ok("", [`Location: http://localhost:${api.port}/next`]),
  });
  const { api, client } = its;
  client.send(
    "GET http://api.localhost:9090/x HTTP/1.1\r\nHost: api.localhost:9090\r\nOrigin: http://api.localhost:9090\r\n\r\n",
  );
  expect((await client.message()).one("location")).toBe(`http://localhost:${api.port}/next`);
  expect(api.requests[0]!.start).toBe("GET /x HTTP/1.1");
  expect(api.requests[0]!.one("host")).toBe("api.localhost:9090");
  expect(api.requests[0]!.one("origin")).toBe("http://api.localhost:9090");
});

test("the absolute URI beats a Host that says something else", async () => {
  using api = new RawServer({ answer: () => ok("api") });
  using web = new RawServer({ answer: () => ok("web") });
  await using proxy = await startTestProxy({ services: { api, web } });
  using client = await connectRaw(proxy.port);
  client.send("GET http://api.localhost/ HTTP/1.1\r\nHost: web.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("api");
  expect(api.requests[0]!.one("host")).toBe("api.localhost");
  client.send("GET http://web/ HTTP/1.1\r\nHost: example.com\r\n\r\n");
  expect((await client.message()).body).toBe("web");
});

for (const [target, path] of [
  ["http://api", "/"],
  ["http://api?x=1", "/?x=1"],
  ["http://api/?", "/?"],
  ["http://api:/x", "/x"],
  ["http://api.", "/"],
] as const) {
  test(`${target} asks for ${path}`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(`GET ${target} HTTP/1.1\r\nHost: api\r\n\r\n`);
    await client.message();
    expect(api.requests[0]!.start).toBe(`GET ${path} HTTP/1.1`);
  });
}

test("OPTIONS for the whole server is *", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("OPTIONS http://api HTTP/1.1\r\nHost: api\r\n\r\n");
  await client.message();
  client.send("OPTIONS * HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  await client.message();
  client.send("OPTIONS http://api?x HTTP/1.1\r\nHost: api\r\n\r\n");
  await client.message();
  expect(api.requests.map(({ start }) => start)).toEqual([
    "OPTIONS * HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "OPTIONS /?x HTTP/1.1",
  ]);
});

test("each request on one connection is routed by itself, absolute and by path, bare and not", async () => {
  using api = new RawServer({ answer: ({ start }) => ok(`api ${start}`) });
  using web = new RawServer({ answer: ({ start }) => ok(`web ${start}`) });
  await using proxy = await startTestProxy({
    services: { api, web },
    answersBare: new Set(["web"]),
  });
  using client = await connectRaw(proxy.port);
  const asked = [
    ["GET http://api/1", "api", "api GET /1"],
    ["GET http://web/2", "web", "web GET /2"],
    ["GET http://api/3", "api", "api GET /3"],
    ["GET /4", "api.localhost", "api GET /4"],
    ["GET http://web.localhost/5", "web.localhost", "web GET /5"],
    ["GET /6", "web", "web GET /6"],
    ["GET http://api/7", "api", "api GET /7"],
  ] as const;
  for (const [line, host, body] of asked) {
    client.send(`${line} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect((await client.message()).body).toBe(`${body} HTTP/1.1`);
  }
  const apiHost = `api.localhost:${proxy.port}`;
  const webHost = `web.localhost:${proxy.port}`;
  expect(api.requests.map((r) => r.one("host"))).toEqual([
    apiHost,
    apiHost,
    "api.localhost",
    apiHost,
  ]);
  expect(web.requests.map((r) => r.one("host"))).toEqual([webHost, "web.localhost", webHost]);
});

test("a redirect to what the back end was told is mapped back to the bare name, another is not", async () => {
  let location = "";
  await using its = await scene({ answer: () => ok("", [`locATION: ${location}`]) });
  const { client } = its;
  const own = `api.localhost:${its.proxy.port}`;
  for (const [from, to] of [
    [`http://${own}/login?next=http://${own}/`, `http://api/login?next=http://${own}/`],
    [`http://${own}`, "http://api"],
    [`http://${own}?x`, "http://api?x"],
    [`http://${own}#x`, "http://api#x"],
    [`HTTP://API.Localhost:${its.proxy.port}/x`, "http://api/x"],
    [`http://${own}0/`, `http://${own}0/`],
    [`https://${own}/`, `https://${own}/`],
    [`//${own}/`, "//api/"],
    ["/relative", "/relative"],
    ["http://example.com/", "http://example.com/"],
  ] as const) {
    location = from;
    client.send("GET http://api/ HTTP/1.1\r\nHost: api\r\n\r\n");
    expect((await client.message()).lines[0]).toBe(`locATION: ${to}`);
  }
});

for (const [what, target] of [
  ["an unknown bare name", "http://nobody/"],
  ["an unknown bare name with a port", "http://nobody:81/"],
  ["a name of the rest of the world", "http://example.com/"],
  ["an address of the rest of the world", "http://93.184.216.34/"],
  ["localhost on another port", "http://localhost:1/"],
] as const) {
  test(`${what} is closed without a byte, so that DIRECT takes over`, async () => {
    await using proxy = await startTestProxy();
    using client = await connectRaw(proxy.port);
    const host = new URL(target).host;
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(await client.rest()).toBe("");
    expect(client.broken).toBe(false);
  });
}

test("an unknown *.localhost by an absolute URI is explained with 404", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send("GET http://nobody.localhost:9090/ HTTP/1.1\r\nHost: nobody.localhost:9090\r\n\r\n");
  expect((await client.message()).status).toBe(404);
});

test("our own page can be asked for by an absolute URI with our port", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    client.send(
      `GET http://${host}:${proxy.port}/proxy.pac HTTP/1.1\r\nHost: ${host}:${proxy.port}\r\n\r\n`,
    );
    expect((await client.message()).one("content-type")).toBe("application/x-ns-proxy-autoconfig");
  }
});

for (const target of [
  "ftp://api/",
  "http:///x",
  "http://user:pw@api/",
  "http://api:99999/",
  "http://api:8x/",
  "http://[::1/",
  "api/x",
  "*",
  "http:/api/",
  "http://api#x",
  'http://api/"',
  "http://api\\x/",
]) {
  test(`the target ${target} is 400 and reaches nobody`, async () => {
    await using its = await scene({ answer: () => ok() });
    const { api, client } = its;
    client.send(`GET ${target} HTTP/1.1\r\nHost: api\r\n\r\n`);
    expect((await client.message()).status).toBe(400);
    expect(await client.rest()).toBe("");
    expect(api.accepted.length).toBe(0);
  });
}

test("an https URL in plain is 400, and the answer says how a proxy is asked for one", async () => {
  await using its = await scene({ answer: () => ok() });
  const { api, client } = its;
  client.send("GET https://api/ HTTP/1.1\r\nHost: api\r\n\r\n");
  const answer = await client.message();
  expect(answer.status).toBe(400);
  expect(answer.body).toContain("CONNECT");
  expect(api.accepted.length).toBe(0);
});
