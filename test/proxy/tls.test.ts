/** TLS on the proxy's port: ended here, and what is inside takes the road of every other request. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../src/system/clock.ts";
import {
  type CertificateAuthorityOptions,
  renewCertificateAuthority,
} from "../../src/tls/certificate-authority.ts";
import { type Certificates, certificates } from "../../src/tls/certificates.ts";
import type { Terminator } from "../../src/tls/terminate.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { testTerminator, type TestTls, testTls } from "../support/test-tls.ts";
import { turnsUntil } from "../support/turn.ts";
import {
  chainVerdict,
  identity,
  throwawayStateDirectory,
} from "../support/throwaway-certificate-authority.ts";

let authority: TestTls;
let ca: string;
let tls: Terminator;

beforeAll(async () => {
  authority = await testTls({ services: ["api"] });
  ({ ca } = authority);
  tls = testTerminator(certificateFor);
});

afterAll(async () => {
  const about = { ca: { pem: ca }, now: Date.now() };
  const verdicts = await Promise.all([...minted].map((leaf) => chainVerdict(leaf, about)));
  expect(new Set(verdicts)).toEqual(new Set(["good"]));
  await authority[Symbol.asyncDispose]();
});

/** What any client here was given. */
const minted = new Set<string>();

function certificateFor(name: string | undefined): ReturnType<Certificates["certificateFor"]> {
  const found = authority.names.certificateFor(name);
  if (found instanceof Promise) found.then((leaf) => leaf && minted.add(leaf.certificate));
  return found;
}

/** A client that trusts only our authority. */
function secureClient(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port, ca, servername: "api.localhost", ...options },
      () => resolve(socket),
    );
    // Not once: what was on its way when the other end closed is an error of its own.
    socket.on("error", reject);
  });
}

/** All that comes until the connection ends. */
async function ask(socket: TLSSocket, request: string): Promise<string> {
  socket.write(request);
  let text = "";
  for await (const piece of socket) text += piece;
  return text;
}

const get = (host: string, more = ""): string =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;

test("a name has a certificate that its client verifies, and its server is told of https", async () => {
  using api = new RawServer({ answer: () => ok("inside") });
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  const socket = await secureClient(proxy.port);
  expect(socket.authorized).toBe(true);
  expect(socket.getPeerCertificate().subjectaltname).toContain("DNS:api.localhost");
  const answer = await ask(socket, get("api.localhost", "X-Forwarded-Proto: http\r\n"));
  expect(answer).toEndWith("inside");
  expect(api.requests[0]!.all("x-forwarded-proto")).toEqual(["https"]);
  expect(api.requests[0]!.one("x-forwarded-port")).toBe("443");
});

test("http and https have one port, one table and one front page", async () => {
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  using plain = await connectRaw(proxy.port);
  plain.send("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
  expect((await plain.message()).status).toBe(200);
  const own = await ask(
    await secureClient(proxy.port, { servername: "localhost" }),
    get("localhost"),
  );
  expect(own).toContain("http://api.localhost");
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version} is spoken, and a second connection resumes the session of the first`, async () => {
    using api = new RawServer({ answer: () => ok() });
    await using proxy = await startTestProxy({ services: { api }, terminator: tls });
    const options = { minVersion: version, maxVersion: version } as const;
    const first = await secureClient(proxy.port, options);
    expect(first.getProtocol()).toBe(version);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    first.once("session", resolve);
    if (version === "TLSv1.2") resolve(first.getSession()!);
    await ask(first, get("api.localhost"));
    const second = await secureClient(proxy.port, { ...options, session: await promise });
    expect(second.isSessionReused()).toBe(true);
    second.destroy();
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const way of ["directly", "through CONNECT"] as const) {
    test(`a session of the authority before is not resumed after a renewal, by ${version} ${way}`, async () => {
      await using state = await throwawayStateDirectory();
      const options: CertificateAuthorityOptions = {
        stateDirectory: state.path,
        kind: "names",
        clock: systemClock,
        identity,
        tlds: [],
      };
      const notes: string[] = [];
      const its = certificates({
        ...options,
        isService: () => false,
        note: (text) => notes.push(text),
      });
      using api = new RawServer({ answer: () => ok() });
      await using proxy = await startTestProxy({
        services: { api },
        terminator: testTerminator(its.certificateFor),
      });
      const open = async (more: ConnectionOptions): Promise<TLSSocket> => {
        const copy = await Bun.file(`${state.path}/authority/certificate.pem`).text();
        const socket = way === "directly" ? {} : { socket: await tunnel(proxy.port) };
        const versions = { minVersion: version, maxVersion: version };
        return await secureClient(proxy.port, { ca: copy, ...versions, ...socket, ...more });
      };
      await its.certificateFor("api.localhost");
      const first = await open({});
      const before = first.getPeerCertificate().fingerprint256;
      const { promise, resolve } = Promise.withResolvers<Buffer>();
      first.once("session", resolve);
      if (version === "TLSv1.2") resolve(first.getSession()!);
      await ask(first, get("api.localhost"));
      const session = await promise;

      await renewCertificateAuthority(options);
      const second = await open({ session });
      expect(second.isSessionReused()).toBe(false);
      expect(second.authorized).toBe(true);
      expect(second.getPeerCertificate().fingerprint256).not.toBe(before);
      expect(await ask(second, get("api.localhost"))).toStartWith("HTTP/1.1 200");
      expect(notes).toHaveLength(1);
    });
  }
}

async function tunnel(port: number): Promise<Socket> {
  const tcp = connectTcp({ host: "127.0.0.1", port });
  tcp.write("CONNECT api.localhost:443 HTTP/1.1\r\nHost: api.localhost:443\r\n\r\n");
  await new Promise((resolve) => tcp.once("data", resolve));
  return tcp;
}

test("h2 is agreed on where the client offers it, and http/1.1 where it does not", async () => {
  using api = new RawServer({ answer: () => ok("by h2") });
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  const { connect: connectH2 } = await import("node:http2");
  const session = connectH2(`https://api.localhost:${proxy.port}`, {
    createConnection: () =>
      connect({
        host: "127.0.0.1",
        port: proxy.port,
        ca,
        servername: "api.localhost",
        ALPNProtocols: ["h2", "http/1.1"],
      }),
  });
  const stream = session.request({ ":path": "/x", ":authority": "api.localhost" });
  let text = "";
  for await (const piece of stream.setEncoding("utf8")) text += piece;
  expect(text).toBe("by h2");
  expect(api.requests[0]!.one("x-forwarded-proto")).toBe("https");
  session.destroy();
  const plain = await secureClient(proxy.port, { ALPNProtocols: ["http/1.1"] });
  expect(plain.alpnProtocol).toBe("http/1.1");
  plain.destroy();
});

test("a hello in any number of pieces is heard", async () => {
  using api = new RawServer({ answer: () => ok("in pieces") });
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  const { Duplex } = await import("node:stream");
  const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port, noDelay: true });
  // Each octet of what the client says goes out by itself.
  const pieces = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, written) {
      const next = (at: number): void => {
        if (at === chunk.length) written();
        else tcp.write(chunk.subarray(at, at + 1), () => setImmediate(next, at + 1));
      };
      next(0);
    },
  });
  // The client's last words are still going out, octet by octet, when the proxy has closed.
  tcp.on("error", () => {});
  tcp.on("data", (bytes) => pieces.push(bytes));
  tcp.on("end", () => pieces.push(null));
  const socket = await secureClient(proxy.port, { socket: pieces });
  expect(await ask(socket, get("api.localhost"))).toEndWith("in pieces");
});

test("a name that is not ours gets the alert unrecognized_name, and no certificate", async () => {
  const text = await Bun.file(`${import.meta.dir}/../corpus/client-hello/curl.hex`).text();
  const hello = Buffer.from(text.replace(/\s/g, ""), "hex").toString("latin1");
  await using proxy = await startTestProxy({ terminator: tls });
  using client = await connectRaw(proxy.port);
  const foreign = hello.replace(".localhost", ".localhosx");
  expect(foreign).not.toBe(hello);
  client.send(foreign);
  const rest = Buffer.from(await client.rest(), "latin1");
  expect([...rest]).toEqual([21, 3, 3, 0, 2, 2, 112]);
});

test("what only begins like TLS is closed with an alert", async () => {
  await using proxy = await startTestProxy({ terminator: tls });
  using client = await connectRaw(proxy.port);
  client.send("\x16garbage that is no record");
  const rest = Buffer.from(await client.rest(), "latin1");
  expect(rest[0]).toBe(21);
  expect(rest.length).toBe(7);
});

test("without a terminator TLS is closed without a word", async () => {
  await using proxy = await startTestProxy();
  using client = await connectRaw(proxy.port);
  client.send("\x16\x03\x01\x00\x05hello");
  expect(await client.rest()).toBe("");
});

test("TLS inside CONNECT ends here where the service speaks plain HTTP", async () => {
  await using api = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response("tunnelled"),
  });
  const { port } = api;
  await using proxy = await startTestProxy({
    services: { api: { port: port! } },
    terminator: tls,
  });
  const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
  tcp.write("CONNECT api.localhost:443 HTTP/1.1\r\nHost: api.localhost:443\r\n\r\n");
  await new Promise((resolve) => tcp.once("data", resolve));
  const socket = await secureClient(proxy.port, { socket: tcp });
  expect(await ask(socket, get("api.localhost"))).toEndWith("tunnelled");
});

test("inside TLS inside CONNECT, one request follows another, and an upgraded connection goes both ways", async () => {
  await using api = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, server) {
      if (server.upgrade(request)) return undefined;
      return new Response("served");
    },
    websocket: { message: (socket, text) => void socket.send(text) },
  });
  await using proxy = await startTestProxy({
    services: { api: { port: api.port! } },
    terminator: tls,
  });
  const socket = await secureClient(proxy.port, { socket: await tunnel(proxy.port) });
  let said = "";
  let heard = (): void => {};
  socket.on("data", (bytes) => {
    said += bytes.toString("latin1");
    heard();
  });
  const until = async (wanted: string): Promise<void> => {
    while (!said.includes(wanted)) await new Promise<void>((resolve) => (heard = resolve));
    said = "";
  };
  for (let request = 0; request < 3; request++) {
    socket.write("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    await until("served");
  }
  socket.write(
    "GET / HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await until("101 Switching Protocols");
  for (const text of ["one", "two"]) {
    // A masked text frame whose mask is all zeros.
    socket.write(Buffer.from([0x81, 0x83, 0, 0, 0, 0, ...Buffer.from(text)]));
    await until(`\x81\x03${text}`);
  }
  socket.destroy();
});

test("TLS inside CONNECT goes by untouched where the service speaks TLS itself", async () => {
  const leaf = (await authority.names.certificateFor("own.localhost"))!;
  using service = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: leaf.key, cert: leaf.certificate },
    socket: {
      data(socket) {
        socket.end("by the service itself");
      },
    },
  });
  await using proxy = await startTestProxy({
    services: { api: { port: service.port } },
    terminator: tls,
  });
  const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
  tcp.write("CONNECT api:443 HTTP/1.1\r\nHost: api:443\r\n\r\n");
  await new Promise((resolve) => tcp.once("data", resolve));
  const socket = await secureClient(proxy.port, { socket: tcp, servername: "own.localhost" });
  expect(socket.getPeerCertificate().subjectaltname).toContain("DNS:own.localhost");
  expect(await ask(socket, "anything")).toBe("by the service itself");
});

const roads: [road: string, open: (port: number) => Promise<ConnectionOptions>][] = [
  ["directly", async () => ({})],
  [
    "in a hello that comes in pieces",
    async (port) => {
      const { Duplex } = await import("node:stream");
      const tcp = connectTcp({ host: "127.0.0.1", port, noDelay: true });
      tcp.on("error", () => {});
      let first = true;
      const pieces = new Duplex({
        read() {},
        write(chunk: Buffer, _encoding, written) {
          const cut = first ? 50 : chunk.length;
          first = false;
          tcp.write(chunk.subarray(0, cut), () =>
            setImmediate(() => tcp.write(chunk.subarray(cut), () => written())),
          );
        },
      });
      tcp.on("data", (bytes) => pieces.push(bytes));
      tcp.on("end", () => pieces.push(null));
      return { socket: pieces };
    },
  ],
  ["through CONNECT", async (port) => ({ socket: await tunnel(port) })],
];

for (const [road, open] of roads) {
  test(`${road}, a Host that the handshake's name does not cover is 421, and reaches no server`, async () => {
    using api = new RawServer({ answer: () => ok("by api") });
    using web = new RawServer({ answer: () => ok("by web") });
    await using proxy = await startTestProxy({
      services: { api, web, "x.api": web },
      terminator: tls,
    });
    const asked = async (host: string, servername = "api.localhost"): Promise<string> => {
      const way = await open(proxy.port);
      return await ask(await secureClient(proxy.port, { ...way, servername }), get(host));
    };
    for (const host of [
      "web.localhost",
      "localhost",
      "127.0.0.1",
      "y.x.api.localhost",
      "nobody.localhost",
    ]) {
      const answer = await asked(host);
      expect(answer).toStartWith("HTTP/1.1 421 ");
      expect(answer).toContain("on a connection to api.localhost");
    }
    expect(await asked("api.localhost", "web.localhost")).toStartWith("HTTP/1.1 421 ");
    expect(await asked("api.localhost", "localhost")).toStartWith("HTTP/1.1 421 ");
    expect(await asked("example.com")).toContain("example.com is not served here");
    expect([...api.requests, ...web.requests]).toEqual([]);
    expect(await asked(`API.localhost.:${proxy.port}`, "Api.Localhost")).toEndWith("by api");
    expect(await asked("x.api.localhost")).toEndWith("by web");
    expect(await asked("127.0.0.1", "localhost")).toStartWith("HTTP/1.1 200 ");
  });
}

test("each request of a connection is asked for its Host again, as each stream is", async () => {
  using api = new RawServer({ answer: () => ok("by api") });
  using web = new RawServer({ answer: () => ok("by web") });
  await using proxy = await startTestProxy({ services: { api, web }, terminator: tls });
  const socket = await secureClient(proxy.port);
  const keep = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
  const text = await ask(socket, keep + keep + keep.replace("api", "web"));
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 421"]);
  expect(web.requests).toEqual([]);
});

test("a client that names no server, and one that has us for its proxy by https, ask for any name", async () => {
  using api = new RawServer({ answer: () => ok("by api") });
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  const unnamed = { servername: "", rejectUnauthorized: false };
  expect(await ask(await secureClient(proxy.port, unnamed), get("api.localhost"))).toEndWith(
    "by api",
  );
  const asProxy = { servername: "localhost" };
  const whole = get("api").replace("GET /", "GET http://api/");
  expect(await ask(await secureClient(proxy.port, asProxy), whole)).toEndWith("by api");
  const connecting = "CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n";
  const socket = await secureClient(proxy.port, asProxy);
  socket.write(connecting);
  const [established] = await once(socket, "data");
  expect(String(established)).toStartWith("HTTP/1.1 200 ");
  // A tunnel is nobody's handshake any more: it has what the service says.
  socket.write(get("api"));
  const [answer] = await once(socket, "data");
  expect(String(answer)).toEndWith("by api");
  socket.destroy();
});

test("a WebSocket to a bare name in a tunnel is served, although the handshake was made with the proxy", async () => {
  using api = new RawServer();
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  const socket = await secureClient(proxy.port, { servername: "localhost" });
  socket.write("CONNECT api:80 HTTP/1.1\r\nHost: api:80\r\n\r\n");
  await once(socket, "data");
  socket.write(
    "GET /ws HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  const seen = await (await api.next()).message();
  expect(seen.one("host")).toBe(`api.localhost:${proxy.port}`);
  // The tunnel's inside is in plain, whatever the client and the proxy have around it.
  expect(seen.one("x-forwarded-proto")).toBe("http");
  socket.destroy();
});

test("a client that stops in the middle of a handshake is dropped after 10 s", async () => {
  const clock = new FakeClock();
  const patient = testTerminator(certificateFor, { clock });
  await using proxy = await startTestProxy({ clock, terminator: patient });
  using client = await connectRaw(proxy.port);
  client.send("\x16\x03\x01\x02");
  await turnsUntil("the limit is set", () => proxy.connections > 0 && clock.waiting > 1);
  clock.advance(9_999);
  expect(proxy.connections).toBe(1);
  clock.advance(1);
  await client.gone();
  expect(proxy.connections).toBe(0);
});

test("300 handshakes to 100 names at once make 100 certificates at most, and all are served", async () => {
  using api = new RawServer({ answer: () => ok() });
  await using proxy = await startTestProxy({ services: { api }, terminator: tls });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < 300; index = next++) {
      const name = `n${index % 100}.api.localhost`;
      const socket = await secureClient(proxy.port, { servername: name });
      expect(await ask(socket, get(name))).toStartWith("HTTP/1.1 200");
    }
  };
  await Promise.all(Array.from({ length: 50 }, worker));
});
