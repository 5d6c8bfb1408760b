/** The guard by every road: before a server is dialled or woken, and with one answer, one count and one word. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";
import { Denials, mostTold } from "../../src/proxy/request/denials.ts";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { eventually } from "../support/eventually.ts";
import { Flag, FrameType } from "../../src/wire/h2/frame.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { H2Frames } from "../support/h2-frames.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { type Message, readMessage } from "../support/strict-reader.ts";
import { startTestProxy, type TestProxyOptions, testSupervised } from "../support/test-proxy.ts";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { startTlsServer } from "../support/tls-servers.ts";

let tls: TestTls;
beforeAll(async () => {
  tls = await testTls({ services: ["api"] });
});
afterAll(() => tls[Symbol.asyncDispose]());

const foreign = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" };
const ours = { "Sec-Fetch-Site": "cross-site", Origin: "http://web.localhost" };
type Fields = Record<string, string>;
type Answer = { status: number; body: string };

function text(line: string, host: string, fields: Fields): string {
  const all = { Host: host, ...fields, Connection: fields.Connection ?? "close" };
  return `${line} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
}

async function exchanged(
  stream: AsyncIterable<Buffer> & { write(text: string): unknown },
  request: string,
): Promise<Answer> {
  stream.write(request);
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  const message = readMessage(Buffer.concat(pieces), { ended: true, http10: true }) as Message;
  return { status: message.status!, body: message.body };
}

/** A stream inside a tunnel. */
async function tunnel(port: number, name: string, more = "") {
  const tcp = connectTcp({ host: "127.0.0.1", port });
  tcp.write(`CONNECT ${name} HTTP/1.1\r\nHost: ${name}\r\n${more}\r\n`);
  const granted = await new Promise<Buffer>((resolve) => tcp.once("data", resolve));
  expect(granted.toString()).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  return tcp;
}

const webSocket = {
  ...{ Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const secured = (port: number, ALPNProtocols: string[] = []) =>
  connect({ host: "127.0.0.1", port, ca: tls.ca, servername: "api.localhost", ALPNProtocols });

const roads: Record<string, (port: number, fields: Fields) => Promise<Answer>> = {
  http: (port, fields) =>
    exchanged(
      connectTcp({ host: "127.0.0.1", port }),
      text("PUT /a?secret", "api.localhost", fields),
    ),
  https: (port, fields) => exchanged(secured(port), text("PUT /a", "api.localhost", fields)),
  "a proxy's URL": (port, fields) =>
    exchanged(connectTcp({ host: "127.0.0.1", port }), text("PUT http://api/a", "api", fields)),
  "https inside CONNECT": async (port, fields) => {
    const socket = await tunnel(port, "api.localhost:443");
    const inside = connect({ socket, ca: tls.ca, servername: "api.localhost" });
    return exchanged(inside, text("PUT /a", "api.localhost", fields));
  },
  h2: async (port, fields) => {
    const session = connectH2(`https://api.localhost:${port}`, {
      createConnection: () => secured(port, ["h2"]),
    });
    try {
      const stream = session.request({ ":method": "PUT", ":path": "/a", ...fields });
      let status = 0;
      stream.on("response", (head) => {
        status = head[":status"]!;
      });
      stream.end();
      let body = "";
      for await (const piece of stream.setEncoding("utf8")) body += piece;
      return { status, body };
    } finally {
      session.destroy();
    }
  },
};

for (const [road, ask] of Object.entries(roads)) {
  test(`by ${road}, a page of another site reaches no server, and one of ours does`, async () => {
    using api = new RawServer({ answer: () => ok("hello") });
    await using proxy = await startTestProxy({ services: { api }, terminator: tls.terminator });
    const refused = await ask(proxy.port, foreign);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('allow_origins = ["https://evil.example"]');
    expect(refused.body).not.toContain("secret");
    // CONNECT itself says nothing of the page; a tunnel is dialled before there is a request in it.
    const sent = api.accepted.map(({ text }) => text).filter((text) => text.includes("/a"));
    expect(road.includes("CONNECT") ? sent : api.accepted).toEqual([]);
    expect(await ask(proxy.port, ours)).toEqual({ status: 200, body: "hello" });
  });
}

describe("a WebSocket of another site's page", () => {
  const from = { Origin: "https://evil.example", ...webSocket };
  const sockets: Record<string, (port: number) => Promise<Answer>> = {
    http: (port) =>
      exchanged(connectTcp({ host: "127.0.0.1", port }), text("GET /", "api.localhost", from)),
    https: (port) => exchanged(secured(port), text("GET /", "api.localhost", from)),
    "CONNECT for a bare name": async (port) =>
      exchanged(await tunnel(port, "api:80"), text("GET /", "api", from)),
    "CONNECT for a name under localhost": async (port) =>
      exchanged(await tunnel(port, "api.localhost:80"), text("GET /", "api.localhost", from)),
  };
  for (const [road, ask] of Object.entries(sockets)) {
    test(`is refused by ${road}`, async () => {
      using api = new RawServer();
      await using proxy = await startTestProxy({ services: { api }, terminator: tls.terminator });
      expect((await ask(proxy.port)).status).toBe(403);
      for (const end of api.accepted) expect(end.text).toBe("");
    });
  }

  test("is refused by HTTP/2, and one of ours reaches its server", async () => {
    using api = new RawServer();
    const client = new H2Frames({ api }).greet();
    const ask = (stream: number, origin: string): void => {
      const payload = client.block([
        [":method", "CONNECT"],
        [":protocol", "websocket"],
        [":scheme", "https"],
        [":path", "/ws"],
        [":authority", "api.localhost"],
        ["origin", origin],
        ["sec-websocket-version", "13"],
      ]);
      client.frame(FrameType.headers, { stream, flags: Flag.endHeaders, payload });
    };
    ask(1, "https://evil.example");
    expect((await client.next(FrameType.headers, 1)).lines[0]).toBe(":status: 403");
    expect(api.accepted.length).toBe(0);
    ask(3, "https://web.localhost");
    expect((await (await api.next()).message()).one("origin")).toBe("https://web.localhost");
    client.abort();
  });
});

describe("inside a browser's CONNECT", () => {
  const browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n";
  const safari = "User-Agent: com.apple.WebKit.Networking/21624.2 Network/5812.121 macOS/26.5\r\n";
  const inside = async (port: number, name: string, fields: Fields, agent = browser) => {
    const socket = await tunnel(port, `${name}:443`, agent);
    return exchanged(
      connect({ socket, ca: tls.ca, servername: name }),
      text("PUT /a", name, fields),
    );
  };

  test("another site's page reaches no server that speaks TLS itself", async () => {
    await using api = await startTlsServer("bun");
    const services = { api: { port: api.port } };
    await using proxy = await startTestProxy({ services, terminator: tls.terminator });
    for (const agent of [browser, safari]) {
      expect((await inside(proxy.port, "api.localhost", foreign, agent)).status).toBe(403);
      expect((await inside(proxy.port, "api.localhost", ours, agent)).status).toBe(200);
    }
  });

  test("another site's page wakes no service, and one of ours does", async () => {
    const woken: string[] = [];
    const lazy = testSupervised({
      ...{ state: "stopped", lazy: true, pid: undefined, routeName: "api" },
    });
    await using proxy = await startTestProxy({
      supervised: [lazy],
      supervision: { wake: (id) => woken.push(id), latest: () => [] },
      terminator: tls.terminator,
    });
    expect((await inside(proxy.port, "api.localhost", foreign)).status).toBe(403);
    expect(woken).toEqual([]);
    const socket = await tunnel(proxy.port, "api.localhost:443", browser);
    const wakes = connect({ socket, ca: tls.ca, servername: "api.localhost" });
    wakes.write(text("PUT /a", "api.localhost", ours));
    await eventually("it is woken", () => woken.length === 1);
    wakes.destroy();
  });

  test("a WebSocket is read before anything is dialled", async () => {
    using api = new RawServer();
    await using proxy = await startTestProxy({ services: { api }, terminator: tls.terminator });
    const from = { Origin: "https://evil.example", ...webSocket };
    const stream = await tunnel(proxy.port, "api:80", browser);
    expect((await exchanged(stream, text("GET /", "api", from))).status).toBe(403);
    expect(api.accepted.length).toBe(0);
  });

  test("a server at a bare name that has no certificate of ours shows its own", async () => {
    await using api = await startTlsServer("bun");
    await using proxy = await startTestProxy({
      ...{ services: { api: { port: api.port } }, terminator: tls.terminator },
      bareNames: () => false,
    });
    const socket = await tunnel(proxy.port, "api:443", browser);
    const through = connect({ socket, rejectUnauthorized: false });
    expect((await exchanged(through, text("GET /", "api", {}))).status).toBe(200);
  });

  test('with guard = "off", the tunnel is passed on unread', async () => {
    using api = new RawServer();
    await using proxy = await startTestProxy({
      ...{ services: { api }, terminator: tls.terminator },
      configured: { all: { guard: "off" }, byName: new Map() },
    });
    const stream = await tunnel(proxy.port, "api:80", browser);
    stream.write("PING\r\n");
    expect(await (await api.next()).until("PING\r\n")).toBe("PING\r\n");
    stream.destroy();
  });
});

function watched(options: TestProxyOptions) {
  const clock = new FakeClock();
  const told: string[] = [];
  const denials = new Denials({ clock, tell: ({ name }, line) => told.push(`${name} ${line}`) });
  const recorder = new Recorder({ clock, now: () => performance.now(), denials });
  return { told, recorder, starting: startTestProxy({ ...options, recorder }) };
}

test("a lazy service is not woken, not counted as used, and its log has the line that allows it", async () => {
  const woken: string[] = [];
  const lazy = testSupervised({ state: "stopped", lazy: true, pid: undefined });
  const { told, recorder, starting } = watched({
    supervised: [lazy],
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  await using proxy = await starting;
  using client = await connectRaw(proxy.port);
  for (let time = 0; time < 3; time++) {
    client.send(text("GET /a", "api.shop.localhost", { ...foreign, Connection: "keep-alive" }));
    const refused = await client.message();
    expect(refused.status).toBe(403);
    expect(refused.fields.filter(([name]) => /^access-control/i.test(name))).toEqual([]);
    expect(refused.one("content-type")).toBe("text/plain; charset=utf-8");
    expect(refused.body).toContain('[names."api.shop"] of config.toml');
  }
  expect(woken).toEqual([]);
  expect(told).toEqual([
    'api.shop refused: a page of https://evil.example asked for GET /a; to allow it: allow_origins = ["https://evil.example"] in [services.api] of its locald.toml',
  ]);
  expect(recorder.counts("api.shop")).toMatchObject({ requests: 0, active: 0, denied: 3 });
  expect(recorder.recent({ service: "api.shop", limit: 9 })).toMatchObject(
    Array(3).fill({ status: 403, denied: "refused", target: "/a" }),
  );
  expect(recorder.denials("api.shop")).toMatchObject([
    {
      ...{ origin: "https://evil.example", kind: "request", count: 3, refused: true },
      allow: 'allow_origins = ["https://evil.example"]',
    },
  ]);
});

test("a form to a path of allow_posts wakes its service, also where browsers say nothing but Origin", async () => {
  const woken: string[] = [];
  const lazy = testSupervised({
    ...{ state: "stopped", lazy: true, pid: undefined },
    settings: { allowPosts: ["/auth/callback"] },
  });
  await using proxy = await startTestProxy({
    ...{ supervised: [lazy], tlds: ["test"] },
    supervision: { wake: (id) => woken.push(id), latest: () => [] },
  });
  const form = {
    ...{ Origin: "https://provider.example", "Content-Length": "0" },
    "Content-Type": "application/x-www-form-urlencoded",
  };
  for (const line of ["POST /auth/callback?x=1", "POST http://api.shop.test/auth/callback"]) {
    woken.length = 0;
    using client = await connectRaw(proxy.port);
    client.send(text(line, "api.shop.test", form));
    await eventually("it is woken", () => woken.length === 1);
  }
  woken.length = 0;
  using client = await connectRaw(proxy.port);
  client.send(text("POST /auth", "api.shop.test", form));
  expect((await client.message()).status).toBe(403);
  expect(woken).toEqual([]);
});

test('with guard = "log", the request is answered by its server, counted and told', async () => {
  using api = new RawServer({ answer: () => ok("hello") });
  const { told, recorder, starting } = watched({
    services: { api },
    configured: { all: { guard: "log" }, byName: new Map() },
  });
  await using proxy = await starting;
  using client = await connectRaw(proxy.port);
  client.send(text("PUT /a", "api.localhost", foreign));
  expect((await client.message()).body).toBe("hello");
  expect(told).toEqual([
    'api let pass by guard = "log": a page of https://evil.example asked for PUT /a; to allow it: allow_origins = ["https://evil.example"] in [names.api] of config.toml',
  ]);
  expect(recorder.counts("api")).toMatchObject({ requests: 1, denied: 1 });
  expect(recorder.recent({ limit: 1 })).toMatchObject([{ status: 200, denied: "passed" }]);
});

test('with guard = "log", a request for a server that is found meanwhile is told of, once', async () => {
  using api = new RawServer({ answer: () => ok("hello") });
  let found = (): void => {};
  const { told, recorder, starting } = watched({
    configured: { all: { guard: "log" }, byName: new Map() },
    refresh: async () => found(),
  });
  await using proxy = await starting;
  found = () => proxy.setServices({ api });
  using client = await connectRaw(proxy.port);
  client.send(text("PUT /a", "api.localhost", foreign));
  expect((await client.message()).body).toBe("hello");
  expect(told.length).toBe(1);
  expect(recorder.counts("api")).toMatchObject({ requests: 1, denied: 1 });
});

test("a page at a bare name is ours once a client has come for it by our PAC file, and not before", async () => {
  using api = new RawServer({ answer: () => ok("hello") });
  using web = new RawServer({ answer: () => ok("a page") });
  await using proxy = await startTestProxy({ services: { api, web } });
  using client = await connectRaw(proxy.port);
  const fields = { "Sec-Fetch-Site": "cross-site", Origin: "http://web", Connection: "keep-alive" };
  const asked = text("GET /", "api.localhost", fields);
  client.send(asked);
  expect((await client.message()).status).toBe(403);
  client.send(text("GET http://web/", "web", { Connection: "keep-alive" }));
  expect((await client.message()).body).toBe("a page");
  client.send(asked);
  expect((await client.message()).body).toBe("hello");
});

test("a body behind a refused request is no request of its own", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  const inside = text("GET /inside", "api.localhost", {});
  client.send(
    text("POST /", "api.localhost", {
      ...{ ...foreign, Connection: "keep-alive", "Content-Length": String(inside.length) },
    }) + inside,
  );
  expect((await client.message()).status).toBe(403);
  await client.end();
  expect(client.received.length).toBe(0);
  expect(api.accepted.length).toBe(0);
});

test("behind a refused request without a body, the connection goes on", async () => {
  using api = new RawServer({ answer: () => ok("hello") });
  await using proxy = await startTestProxy({ services: { api } });
  using client = await connectRaw(proxy.port);
  client.send(text("GET /", "api.localhost", { ...foreign, Connection: "keep-alive" }));
  client.send(text("GET /", "api.localhost", {}));
  expect((await client.message()).status).toBe(403);
  expect((await client.message()).body).toBe("hello");
});

test("pages of the proxy itself, and names that nobody has, are not guarded", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send(text("GET /proxy.pac", "localhost", { ...foreign, Connection: "keep-alive" }));
  expect((await client.message()).status).toBe(200);
  client.send(text("GET /", "nobody.localhost", foreign));
  expect((await client.message()).status).toBe(404);
});

test("a site with ever more origins is told of a bounded number of times, and counted on", async () => {
  using api = new RawServer();
  const { told, recorder, starting } = watched({ services: { api } });
  await using proxy = await starting;
  using client = await connectRaw(proxy.port);
  for (let number = 0; number < mostTold + 5; number++) {
    const fields = { ...foreign, Origin: `https://n${number}.example`, Connection: "keep-alive" };
    client.send(text("GET /", "api.localhost", fields));
    expect((await client.message()).status).toBe(403);
  }
  expect(told.length).toBe(mostTold + 1);
  expect(told.at(-1)).toBe(
    "api pages of more sites are refused; from here on, they are counted only",
  );
  expect(recorder.denials("api").length).toBe(mostTold);
  expect(recorder.counts("api").denied).toBe(mostTold + 5);
});
