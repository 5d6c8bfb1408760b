/**
 * Every way to a service by every kind of its names: what it is told of where the request went agrees, as frameworks
 * check it, and its answer leads back to the name that was asked for.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect as connectH2,
  createServer as createHttp2,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { systemClock } from "../../src/system/clock.ts";
import { RawServer } from "../support/raw-server.ts";
import { type Message, readMessage } from "../support/strict-reader.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { type TestTls, testTerminator, testTls } from "../support/test-tls.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";

let tls: TestTls;
let api: RawServer;
let proxy: TestProxy;

/** The fields of an answer that lead to `origin`. */
function leadingTo(origin: string): string[] {
  const { host, hostname } = new URL(origin);
  return [
    `Location: ${origin}/next?to=${origin}/`,
    `Content-Location: ${origin}/here`,
    `Refresh: 5; url='${origin}/again'`,
    `Link: <${origin}/a,b>; rel=preload; title="<${origin}/>, a", <//${host}/c>; rel=next`,
    `Access-Control-Allow-Origin: ${origin}`,
    `Set-Cookie: a=1; Domain=${hostname}; Path=/`,
    `Set-Cookie: b=2; domain=.${hostname}`,
    "Set-Cookie: c=3; Domain=elsewhere.example",
  ];
}

beforeAll(async () => {
  tls = await testTls();
  api = new RawServer({
    answer: (request) => {
      const origin = `${request.one("x-forwarded-proto")}://${request.one("x-forwarded-host")}`;
      const lines = leadingTo(origin).map((line) => `${line}\r\n`);
      const hints = lines.filter((line) => line.startsWith("Link"));
      const trailers = lines.filter((line) => line.startsWith("Refresh"));
      return (
        `HTTP/1.1 103 Early Hints\r\n${hints.join("")}\r\n` +
        `HTTP/1.1 200 OK\r\nVary: Origin, Accept\r\n${lines.join("")}Transfer-Encoding: chunked\r\n\r\n` +
        `0\r\n${trailers.join("")}\r\n`
      );
    },
  });
  proxy = await startTestProxy({
    services: { api, "v1.shop": api },
    tlds: ["test", "dev.test"],
    answersBare: new Set(["api"]),
    bareNames: () => true,
    terminator: testTerminator(() => tls.names.certificateFor("api.localhost")),
  });
});

afterAll(async () => {
  await proxy.stop();
  api[Symbol.dispose]();
  await tls[Symbol.asyncDispose]();
});

const plain = async (): Promise<Duplex> => connectTcp({ host: "127.0.0.1", port: proxy.port });

const secured = async (servername: string, socket?: Duplex): Promise<Duplex> =>
  connectTls({
    ...(socket === undefined ? { host: "127.0.0.1", port: proxy.port } : { socket }),
    servername,
    rejectUnauthorized: false,
  });

async function tunnel(outer: Duplex, authority: string): Promise<Duplex> {
  outer.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await new Promise((resolve) => outer.once("data", resolve));
  return outer;
}

/** The interim answer and the final one. */
async function answersOn(stream: Duplex, request: string): Promise<[Message, Message]> {
  stream.write(request);
  let bytes = Buffer.alloc(0);
  for await (const piece of stream) bytes = Buffer.concat([bytes, piece]);
  const end = bytes.indexOf("\r\n\r\n") + 4;
  const hints = readMessage(bytes.subarray(0, end), { ended: true });
  return [hints!, readMessage(bytes.subarray(end), { ended: true })!];
}

type Asked = { name: string; scheme: "http" | "https"; port: number };

/** `own`: the page's own origin. */
function requestTo(target: string, { host, own }: { host: string; own: string }): string {
  return (
    `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${own}\r\nReferer: ${own}/from?at=${own}\r\n` +
    `Destination: ${own}/moved\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
  );
}

type Way = (asked: Asked & { host: string; own: string }) => Promise<[Message, Message]>;

async function byH2(
  { own, host, scheme }: { own: string; host: string; scheme: string },
  socket: Duplex,
): Promise<[Message, Message]> {
  const session: ClientHttp2Session = connectH2(own, { createConnection: () => socket });
  const stream = session.request({
    ":method": "POST",
    ":path": "/x",
    ":scheme": scheme,
    ":authority": host,
    origin: own,
    referer: `${own}/from?at=${own}`,
    destination: `${own}/moved`,
  });
  stream.end();
  const heads: Record<string, unknown>[] = [];
  stream.on("headers", (fields) => heads.push(fields));
  stream.on("response", (fields) => heads.push(fields));
  stream.on("trailers", (fields) => heads.push(fields));
  stream.resume();
  await new Promise((resolve, reject) => stream.on("close", resolve).on("error", reject));
  session.destroy();
  const messageOf = (fields: Record<string, unknown>, trailers: object = {}) =>
    ({
      all: (name: string) => [fields[name] ?? []].flat(),
      trailers: Object.entries(trailers),
    }) as unknown as Message;
  return [messageOf(heads[0]!), messageOf(heads[1]!, heads[2])];
}

const offersH2 = (servername: string): Duplex =>
  connectTls({
    host: "127.0.0.1",
    port: proxy.port,
    servername,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
  });

const ways: Record<string, { scheme: "http" | "https"; proxied: boolean; go: Way }> = {
  "a path": {
    scheme: "http",
    proxied: false,
    go: async (asked) => answersOn(await plain(), requestTo("/x", asked)),
  },
  "a URL": {
    scheme: "http",
    proxied: true,
    go: async (asked) => answersOn(await plain(), requestTo(`${asked.own}/x`, asked)),
  },
  "a URL inside TLS with the proxy": {
    scheme: "http",
    proxied: true,
    go: async (asked) => answersOn(await secured("localhost"), requestTo(`${asked.own}/x`, asked)),
  },
  "a URL of https inside TLS": {
    scheme: "https",
    proxied: true,
    go: async (asked) => answersOn(await secured("localhost"), requestTo(`${asked.own}/x`, asked)),
  },
  "a URL by h2 with the proxy": {
    scheme: "http",
    proxied: true,
    go: async (asked) => byH2(asked, offersH2("localhost")),
  },
  https: {
    scheme: "https",
    proxied: false,
    go: async (asked) => answersOn(await secured(asked.name), requestTo("/x", asked)),
  },
  h2: {
    scheme: "https",
    proxied: false,
    go: async (asked) => byH2(asked, offersH2(asked.name)),
  },
  "TLS inside CONNECT": {
    scheme: "https",
    proxied: true,
    go: async (asked) => {
      const inside = await tunnel(await plain(), `${asked.name}:443`);
      return answersOn(await secured(asked.name, inside), requestTo("/x", asked));
    },
  },
  "TLS inside CONNECT inside TLS": {
    scheme: "https",
    proxied: true,
    go: async (asked) => {
      const inside = await tunnel(await secured("localhost"), `${asked.name}:443`);
      return answersOn(await secured(asked.name, inside), requestTo("/x", asked));
    },
  },
};

const names = {
  api: "api.localhost",
  "api.test": "api.localhost",
  "x.api.dev.test": "x.api.localhost",
  "v1.shop.test": "v1.shop.localhost",
  "api.localhost": "api.localhost",
  "x.v1.shop.localhost": "x.v1.shop.localhost",
};

/** Next: a Server Action's Origin has to be that of X-Forwarded-Host, or else of Host. */
function nextTakes(request: Message): boolean {
  return new URL(request.one("origin")!).host === request.one("x-forwarded-host");
}

/** Rails: `request.base_url == request.origin`, and both hosts are among `config.hosts`. */
function railsTakes(request: Message): boolean {
  const host = request.one("x-forwarded-host")!.split(/,\s?/).at(-1)!;
  const known = [host, request.one("host")!].every((its) => /\.localhost(:\d+)?$/.test(its));
  return known && `${request.one("x-forwarded-proto")}://${host}` === request.one("origin");
}

/** Django, told of X-Forwarded-Proto: Origin has to be the scheme and Host, and so has Referer by https. */
function djangoTakes(request: Message): boolean {
  const own = `${request.one("x-forwarded-proto")}://${request.one("host")}`;
  return own === request.one("origin") && new URL(request.one("referer")!).origin === own;
}

const defaults = { http: 80, https: 443 };

/** By the other ways, one name of each kind. */
const few = ["api", "x.api.dev.test", "x.v1.shop.localhost"];
const all = ["a path", "a URL"];

for (const [way, { scheme, proxied, go }] of Object.entries(ways)) {
  for (const [name, told] of Object.entries(names)) {
    if (!all.includes(way) && !few.includes(name)) continue;
    test(`by ${way} to ${name}, all that the server is told agrees, and its answer leads back`, async () => {
      // A client of a proxy has the scheme's own port, any other ours.
      const host = proxied ? name : `${name}:${proxy.port}`;
      const own = `${scheme}://${host}`;
      const asked = { name, scheme, port: proxied ? defaults[scheme] : proxy.port, host, own };
      const [hints, answer] = await go(asked);
      const seen = api.requests.at(-1)!;
      const isMapped = !name.endsWith(".localhost");
      const seenHost = isMapped ? `${told}:${proxy.port}` : host;
      const seenOwn = `${scheme}://${seenHost}`;
      expect(seen.one("host")).toBe(seenHost);
      expect(seen.one("origin")).toBe(seenOwn);
      expect(seen.one("referer")).toBe(`${seenOwn}/from?at=${own}`);
      expect(seen.one("destination")).toBe(`${seenOwn}/moved`);
      expect(seen.one("x-forwarded-host")).toBe(seenHost);
      expect(seen.one("x-forwarded-proto")).toBe(scheme);
      expect(seen.one("x-forwarded-port")).toBe(String(isMapped ? proxy.port : asked.port));
      expect([nextTakes(seen), railsTakes(seen), djangoTakes(seen)]).toEqual([true, true, true]);

      const links = `<${own}/a,b>; rel=preload; title="<${seenOwn}/>, a", <//${host}/c>; rel=next`;
      expect(hints.all("link")).toEqual([links]);
      expect(answer.all("location")).toEqual([`${own}/next?to=${seenOwn}/`]);
      expect(answer.all("content-location")).toEqual([`${own}/here`]);
      expect(answer.all("refresh")).toEqual([`5; url='${own}/again'`]);
      expect(answer.all("link")).toEqual([links]);
      expect(answer.all("access-control-allow-origin")).toEqual([own]);
      expect(answer.all("vary")).toEqual(["Origin, Accept"]);
      expect(answer.trailers.map(([, value]) => value)).toEqual([`5; url='${own}/again'`]);
      const cookies = name.includes(".")
        ? [`a=1; Domain=${name}; Path=/`, `b=2; domain=.${name}`]
        : ["a=1; Path=/", "b=2"];
      expect(answer.all("set-cookie")).toEqual([...cookies, "c=3; Domain=elsewhere.example"]);
    });
  }
}

/** What `api` allows for a request to http://api/ with this Origin, if it echoes it, or says what is given. */
async function allowed(origin: string | undefined, says?: string): Promise<[string, string]> {
  using echo = new RawServer({
    answer: (request) =>
      `HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: ${says ?? request.one("origin")}\r\n\r\n`,
  });
  await using its = await startTestProxy({ services: { api: echo } });
  const stream = connectTcp({ host: "127.0.0.1", port: its.port });
  const mine = (text: string): string => text.replace("{told}", `http://api.localhost:${its.port}`);
  const line = origin === undefined ? "" : `Origin: ${mine(origin)}\r\n`;
  stream.write(`GET http://api/ HTTP/1.1\r\nHost: api\r\n${line}Connection: close\r\n\r\n`);
  let bytes = Buffer.alloc(0);
  for await (const piece of stream) bytes = Buffer.concat([bytes, piece]);
  const value = readMessage(bytes, { ended: true })!.one("access-control-allow-origin")!;
  const told = (text: string): string => text.replace(`http://api.localhost:${its.port}`, "{told}");
  return [told(echo.requests[0]!.one("origin") ?? ""), told(value)];
}

test.each([
  ["the service's own page", "http://api", "{told}", "http://api"],
  ["another service's page", "http://web", "http://web", "http://web"],
  ["a page of its other scheme", "https://api", "https://api", "https://api"],
  ["a page by the name that it is told", "{told}", "{told}", "{told}"],
  ["a file", "null", "null", "null"],
])("a service that echoes the Origin of %s allows that page", async (_, origin, seen, value) => {
  expect(await allowed(origin)).toEqual([seen, value]);
});

test("an origin that a service always allows is the client's name for it, and * is *", async () => {
  expect(await allowed(undefined, "*")).toEqual(["", "*"]);
  expect(await allowed("http://web", "*")).toEqual(["http://web", "*"]);
  expect(await allowed("http://api", "http://web")).toEqual(["{told}", "http://web"]);
});

test("the Origin of an upgrade is told by both of its names, and the 101 comes as it is", async () => {
  const stream = connectTcp({ host: "127.0.0.1", port: proxy.port });
  stream.end(
    "GET http://api/ws HTTP/1.1\r\nHost: api\r\nOrigin: http://api\r\nSec-WebSocket-Origin: http://api\r\n" +
      "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  await new Promise((resolve) => stream.on("close", resolve).resume());
  const seen = api.requests.at(-1)!;
  expect(seen.one("origin")).toBe(`http://api.localhost:${proxy.port}`);
  expect(seen.one("sec-websocket-origin")).toBe(`http://api.localhost:${proxy.port}`);
});

test("a request trailer and a field that only looks like ours go on as they are", async () => {
  const [, answer] = await answersOn(
    await plain(),
    "POST http://api/ HTTP/1.1\r\nHost: api\r\nX-Origin: http://api\r\nX-Location: http://api\r\n" +
      "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\nDestination: http://api/\r\n\r\n",
  );
  expect(answer.status).toBe(200);
  const seen = api.requests.at(-1)!;
  expect([seen.one("x-origin"), seen.one("x-location")]).toEqual(["http://api", "http://api"]);
  expect(seen.trailers).toEqual([["Destination", "http://api/"]]);
});

test("a name without forwarded fields is told nothing of the client, whatever the client says, and loops still end", async () => {
  await using its = await startTestProxy({
    services: { api },
    configured: { all: { forwarded: "none" }, byName: new Map() },
  });
  for (const target of ["http://api/", "http://api.localhost/"]) {
    const stream = connectTcp({ host: "127.0.0.1", port: its.port });
    await answersOn(
      stream,
      `GET ${target} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_Host: x\r\n` +
        "Forwarded: for=6.6.6.6\r\nConnection: close\r\n\r\n",
    );
    const seen = api.requests.at(-1)!;
    expect(seen.raw).not.toMatch(/forwarded|via|6\.6\.6\.6/i);
    expect(seen.one("cdn-loop")).toBe("api.0123abcd.localhostess");
  }
});

test("an http URL inside TLS with the proxy is redirected and recorded as one", async () => {
  const recorder = new Recorder({ clock: systemClock, now: () => performance.now() });
  await using its = await startTestProxy({
    services: { api },
    httpsRedirect: true,
    recorder,
    terminator: testTerminator(() => tls.names.certificateFor("api.localhost")),
  });
  const stream = connectTls({
    host: "127.0.0.1",
    port: its.port,
    servername: "localhost",
    rejectUnauthorized: false,
  });
  stream.write(
    "GET http://api/x HTTP/1.1\r\nHost: api\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n",
  );
  let bytes = Buffer.alloc(0);
  for await (const piece of stream) bytes = Buffer.concat([bytes, piece]);
  const answer = readMessage(bytes, { ended: true })!;
  expect(answer.status).toBe(308);
  expect(answer.one("location")).toBe(`https://api.localhost:${its.port}/x`);
  expect(recorder.recent({ limit: 1 })[0]).toMatchObject({ scheme: "http" });
});

test("an authority of h2 that is none is refused, also where it would stand in a URL", async () => {
  const before = api.requests.length;
  for (const authority of ["api/evil", "api?x", "me@api", "api api", "api:1:2"]) {
    const session = connectH2("http://api", { createConnection: () => offersH2("localhost") });
    const stream = session.request({ ":path": "/x", ":scheme": "http", ":authority": authority });
    const [fields] = await once(stream, "response");
    expect(fields[":status"]).toBe(400);
    session.destroy();
  }
  expect(api.requests.length).toBe(before);
});

test("a server that speaks TLS, and goes by that, is told the client's scheme and leads back to it all the same", async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor("api.localhost");
  const seen: (string | string[] | undefined)[][] = [];
  const server = createHttps({ key: leaf.key, cert: leaf.certificate }, (request, response) => {
    const { host, origin, "x-forwarded-proto": proto } = request.headers;
    seen.push([host, origin, proto, (request.socket as TLSSocket).servername as string]);
    response.writeHead(302, { Location: `https://${host}/in` }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  {
    await using its = await startTestProxy({ services: { api: { port } }, tlds: ["test"] });
    const told = `api.localhost:${its.port}`;
    for (const [host, to] of [
      ["api", "http://api/in"],
      ["api.test", "http://api.test/in"],
      [told, `https://${told}/in`],
    ] as const) {
      const stream = connectTcp({ host: "127.0.0.1", port: its.port });
      stream.write(
        `GET http://${host}/ HTTP/1.1\r\nHost: x\r\nOrigin: http://${host}\r\nConnection: close\r\n\r\n`,
      );
      let bytes = Buffer.alloc(0);
      for await (const piece of stream) bytes = Buffer.concat([bytes, piece]);
      expect(readMessage(bytes, { ended: true })!.one("location")).toBe(to);
      expect(seen.at(-1)!).toEqual([told, `http://${told}`, "http", "api.localhost"]);
    }
  }
  server.close();
  server.closeAllConnections();
});

test("the port that a server is told is the one of our URLs by that scheme", async () => {
  await using its = await startTestProxy({
    services: { api },
    tlds: ["test"],
    extraPorts: [{ scheme: "https", port: 0, shown: true }],
    terminator: testTerminator(() => tls.names.certificateFor("api.localhost")),
  });
  const { http, https } = its.proxy.urlPorts;
  expect(https).not.toBe(http);
  const to = { host: "127.0.0.1", port: its.port };
  const inside = { ...to, servername: "localhost", rejectUnauthorized: false };
  for (const [stream, scheme, port] of [
    [connectTcp(to), "http", http],
    [connectTls(inside), "https", https],
    [connectTls(inside), "http", http],
  ] as const) {
    const own = `${scheme}://api.test`;
    const [, answer] = await answersOn(stream, requestTo(`${own}/x`, { host: "x", own }));
    const seen = api.requests.at(-1)!;
    expect(seen.one("host")).toBe(`api.localhost:${port}`);
    expect(seen.one("x-forwarded-port")).toBe(String(port));
    expect([nextTakes(seen), railsTakes(seen), djangoTakes(seen)]).toEqual([true, true, true]);
    expect(answer.one("content-location")).toBe(`${own}/here`);
  }
});

test("a server that speaks HTTP/2 alone is told the same, and its answer leads back", async () => {
  const server = createHttp2();
  const heads: Record<string, unknown>[] = [];
  server.on("stream", (stream: ServerHttp2Stream, head) => {
    heads.push(head);
    const own = `http://${head[":authority"]}`;
    stream.respond({ ":status": 200, location: `${own}/next` }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ refresh: `5; url=${own}/again` }));
    stream.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  {
    await using its = await startTestProxy({ services: { api: { port } }, tlds: ["test"] });
    const stream = connectTcp({ host: "127.0.0.1", port: its.port });
    stream.write(requestTo("http://api.test/x", { host: "x", own: "http://api.test" }));
    let bytes = Buffer.alloc(0);
    for await (const piece of stream) bytes = Buffer.concat([bytes, piece]);
    const answer = readMessage(bytes, { ended: true })!;
    expect(answer.one("location")).toBe("http://api.test/next");
    expect(answer.trailers).toEqual([["refresh", "5; url=http://api.test/again"]]);
    const told = `api.localhost:${its.port}`;
    expect(heads.at(-1)).toMatchObject({
      ":authority": told,
      origin: `http://${told}`,
      "x-forwarded-host": told,
      "x-forwarded-proto": "http",
    });
  }
  server.close();
});

test("a page's WebSocket by HTTP/2 has its Origin told by the same name", async () => {
  const host = `api.test:${proxy.port}`;
  const own = `https://${host}`;
  const session = connectH2(own, { createConnection: () => offersH2("api.test") });
  await once(session, "remoteSettings");
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "https",
    ":path": "/ws",
    ":authority": host,
    origin: own,
    "sec-websocket-version": "13",
  });
  // The server answers 200.
  await once(stream, "response");
  session.destroy();
  const seen = api.requests.at(-1)!;
  expect(seen.one("host")).toBe(`api.localhost:${proxy.port}`);
  expect(seen.one("origin")).toBe(`https://api.localhost:${proxy.port}`);
  expect(seen.one("x-forwarded-proto")).toBe("https");
});
