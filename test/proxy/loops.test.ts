/** Requests that come back to the proxy: refused where they turn in a circle, served where they do not. */
import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect as connectH2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import type { Message } from "../support/strict-reader.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { testTls } from "../support/test-tls.ts";

/** What a development server's proxy does: the same fields, and perhaps another Host. */
async function passOn(request: Message, { port, host }: { port: number; host?: string }) {
  using onward = await connectRaw(port);
  const lines = request.lines.map((line) =>
    host !== undefined && /^host:/i.test(line) ? `Host: ${host}` : line,
  );
  onward.send(`${request.start}\r\n${lines.join("\r\n")}\r\n\r\n`).send(request.body);
  const answer = await onward.message();
  return answer.raw;
}

for (const [how, target, name] of [
  ["by its subdomain", "/", "web.localhost"],
  ["by its bare name", "http://web/", "web"],
] as const) {
  test(`a service that forwards to the proxy under its own name gets 508 at the first return, ${how}`, async () => {
    using web = new RawServer({
      answer: (request) => passOn(request, { port: proxy.port, host: "web.localhost" }),
    });
    await using proxy = await startTestProxy({ services: { web } });
    using client = await connectRaw(proxy.port);
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
    const answer = await client.message();
    expect(answer.status).toBe(508);
    expect(answer.body).toContain("web");
    expect(web.requests.length).toBe(1);
  });
}

test("a name that was given to a host that turns out to be us gets 508 at the first return", async () => {
  await using proxy = await startTestProxy();
  proxy.setServices({ self: { address: "localhost", port: proxy.port } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: self.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(508);
});

test("a host is looked up by its name", async () => {
  using box = new RawServer({ answer: () => ok("by name") });
  await using proxy = await startTestProxy({
    services: { box: { address: "localhost", port: box.port } },
  });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: box.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("by name");
});

test("two services that forward to each other are stopped when the first is reached again", async () => {
  using web = new RawServer({
    answer: (request) => passOn(request, { port: proxy.port, host: "api.localhost" }),
  });
  using api = new RawServer({
    answer: (request) => passOn(request, { port: proxy.port, host: "web.localhost" }),
  });
  await using proxy = await startTestProxy({ services: { web, api } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n");
  expect((await client.message()).status).toBe(508);
  expect(web.requests.length + api.requests.length).toBe(2);
});

test("a page's server that asks another service through us, copying all fields, is answered", async () => {
  using web = new RawServer({
    answer: (request) => passOn(request, { port: proxy.port, host: "api.localhost" }),
  });
  using api = new RawServer({ answer: ({ body }) => ok(`api got ${body}`) });
  await using proxy = await startTestProxy({ services: { web, api } });
  using client = await connectRaw(proxy.port);
  client.send("POST /x HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: 2\r\n\r\nhi");
  expect((await client.message()).body).toBe("api got hi");
  expect(api.requests[0]!.all("cdn-loop")).toEqual([
    "web.0123abcd.localhostess, api.0123abcd.localhostess",
  ]);
});

test("a chain of three services is no loop", async () => {
  using web = new RawServer({
    answer: (request) => passOn(request, { port: proxy.port, host: "api.localhost" }),
  });
  using api = new RawServer({
    answer: (request) => passOn(request, { port: proxy.port, host: "db.localhost" }),
  });
  using db = new RawServer({ answer: () => ok("the end") });
  await using proxy = await startTestProxy({ services: { web, api, db } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("the end");
});

test("a chain through another proxy of our kind is no loop", async () => {
  using web = new RawServer({ answer: () => ok("inner web") });
  await using inner = await startTestProxy({ services: { web }, instance: "ffffffff" });
  using forward = new RawServer({ answer: (request) => passOn(request, { port: inner.port }) });
  await using proxy = await startTestProxy({ services: { web: forward } });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("inner web");
});

test("a loop through two proxies of our kind ends, although what lies between keeps one line of each name", async () => {
  // As a program does that copies fields into a dictionary.
  const oneOfEach = (request: Message, port: number) => {
    const last = new Map(request.fields.map(([name, value]) => [name.toLowerCase(), value]));
    const lines = [...last].map(([name, value]) => `${name}: ${value}`);
    return passOn({ ...request, start: request.start, lines } as Message, { port });
  };
  using web = new RawServer({ answer: (request) => oneOfEach(request, second.port) });
  using back = new RawServer({ answer: (request) => oneOfEach(request, first.port) });
  await using first = await startTestProxy({ services: { web } });
  await using second = await startTestProxy({ services: { web: back }, instance: "ffffffff" });
  using client = await connectRaw(first.port);
  client.send("GET / HTTP/1.1\r\nHost: web.localhost\r\nCDN-Loop: another\r\n\r\n");
  expect((await client.message()).status).toBe(508);
  expect([web.requests.length, back.requests.length]).toEqual([1, 1]);
  expect(back.requests[0]!.all("cdn-loop")).toEqual([
    "another, web.0123abcd.localhostess, web.ffffffff.localhostess",
  ]);
});

test("a loop that comes back by HTTP/2 ends as well", async () => {
  await using tls = await testTls();
  using web = new RawServer({
    answer: async (request) => {
      const session = connectH2("https://web.localhost", {
        createConnection: () =>
          connectTls({
            host: "127.0.0.1",
            port: proxy.port,
            servername: "web.localhost",
            ca: tls.ca,
            ALPNProtocols: ["h2"],
          }),
      });
      const kept = request.fields.map(([name, value]) => [name.toLowerCase(), value]);
      const stream = session.request({ ...Object.fromEntries(kept), ":authority": kept[0]![1]! });
      const [fields] = await once(stream, "response");
      session.destroy();
      return ok(`the answer was ${fields[":status"]}`);
    },
  });
  await using proxy = await startTestProxy({ services: { web }, terminator: tls.terminator });
  using client = await connectRaw(proxy.port);
  client.send("GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n");
  expect((await client.message()).body).toBe("the answer was 508");
  expect(web.requests.length).toBe(1);
});

test("a request without a Via gets none, and one with a Via gets ours behind it", async () => {
  using web = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { web } });
  using client = await connectRaw(proxy.port);
  for (const line of ["", "CDN-Loop: a\r\n", "Via: 1.0 fred\r\n"]) {
    client.send(`GET / HTTP/1.1\r\nHost: web.localhost\r\n${line}\r\n`);
    await client.message();
  }
  expect(web.requests.map((request) => request.all("via"))).toEqual([
    [],
    [],
    ["1.0 fred", "1.1 web.0123abcd.localhostess"],
  ]);
});

for (const [what, line] of [
  ["in a list", "Via: 1.1 a, 1.1 web.0123abcd.localhostess , 1.1 b"],
  ["in any case of the field", "vIA: 1.1 web.0123abcd.localhostess"],
  ["in CDN-Loop", "CDN-Loop: web.0123abcd.localhostess"],
  ["among those of networks", "cdn-loop: a.example;v=1, web.0123abcd.localhostess;x=y"],
  ["in the second CDN-Loop", "CDN-Loop: a\r\nCDN-Loop: b, web.0123abcd.localhostess"],
  ["with a comment", "Via: 1.1 web.0123abcd.localhostess (that is us)"],
  ["in the second of two fields", "Via: 1.1 a\r\nVia: 1.1 web.0123abcd.localhostess"],
] as const) {
  test(`our mark ${what} is seen`, async () => {
    using web = new RawServer({ answer: () => ok() });
    await using proxy = await startTestProxy({ services: { web } });
    using client = await connectRaw(proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: web.localhost\r\n${line}\r\n\r\n`);
    expect((await client.message()).status).toBe(508);
    expect(web.accepted.length).toBe(0);
  });
}

for (const [what, line] of [
  ["another proxy's", "Via: 1.1 web.ffffffff.localhostess"],
  ["another service's", "Via: 1.1 api.0123abcd.localhostess"],
  ["a longer name's", "Via: 1.1 x.web.0123abcd.localhostess"],
  ["empty", "Via:"],
  ["empty, and so is CDN-Loop", "Via: 1.1 a\r\nCDN-Loop:"],
  [
    "another's, and so is CDN-Loop",
    "CDN-Loop: web.ffffffff.localhostess, x.web.0123abcd.localhostess",
  ],
] as const) {
  test(`a Via that is ${what} is no loop`, async () => {
    using web = new RawServer({ answer: () => ok() });
    await using proxy = await startTestProxy({ services: { web } });
    using client = await connectRaw(proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: web.localhost\r\n${line}\r\n\r\n`);
    expect((await client.message()).status).toBe(200);
  });
}

test("a service that opens tunnels to itself through us does not hold up others", async () => {
  using api = new RawServer({ answer: () => ok("api") });
  await using proxy = await startTestProxy({ services: { api } });
  // A tunnel to the proxy's own port cannot be asked for: only services are dialled, and it is none.
  using client = await connectRaw(proxy.port);
  client.send(`CONNECT 127.0.0.1:${proxy.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(await client.rest()).toBe("");
  using other = await connectRaw(proxy.port);
  other.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await other.message()).body).toBe("api");
});
