/**
 * Bare names of services: who may ask for them, and https, for which no authority signs: the certificate of the
 * other name, and behind it what helps.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../src/system/clock.ts";
import { ensureCertificateAuthority } from "../../src/tls/certificate-authority.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { identity } from "../support/throwaway-certificate-authority.ts";

let tls: TestTls;
let api: RawServer;
let proxy: TestProxy;

beforeAll(async () => {
  tls = await testTls({ services: ["api", "web"], note() {} });
  api = new RawServer({ answer: () => ok("by the service") });
  proxy = await startTestProxy({
    services: { api, web: api },
    // As the hosts file may have it.
    answersBare: new Set(["api"]),
    bareNames: () => tls.names.bareNames,
    terminator: tls.terminator,
  });
});

afterAll(async () => {
  await proxy.stop();
  api[Symbol.dispose]();
  await tls[Symbol.asyncDispose]();
});

/** Whoever goes on in spite of the certificate. */
function client(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port: proxy.port, rejectUnauthorized: false, ...options },
      () => resolve(socket),
    );
    socket.on("error", reject);
  });
}

async function tunnel(authority: string): Promise<Socket> {
  const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
  tcp.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await new Promise((resolve) => tcp.once("data", resolve));
  return tcp;
}

async function ask(socket: TLSSocket, accept: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: api\r\nAccept: ${accept}\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const piece of socket) text += piece;
  return text;
}

for (const way of ["directly", "through CONNECT"] as const) {
  const open = async (): Promise<TLSSocket> =>
    await client({
      servername: "api",
      ...(way === "directly" ? {} : { socket: await tunnel("api:443") }),
    });

  test(`asked ${way}, the certificate says which name has one, and the page says what helps`, async () => {
    const socket = await open();
    expect(socket.getPeerCertificate().subjectaltname).toContain("DNS:api.localhost");
    const page = await ask(socket, "text/html");
    expect(page).toStartWith("HTTP/1.1 421 ");
    expect(page).toContain(`href="https://api.localhost:${proxy.port}/"`);
    expect(page).toContain("localhostess trust --bare-names");
    const line = (await ask(await open(), "*/*")).split("\r\n\r\n")[1]!;
    expect(line).toContain(`https://api.localhost:${proxy.port}/`);
    const json = JSON.parse((await ask(await open(), "application/json")).split("\r\n\r\n")[1]!);
    expect(json.error).toMatchObject({
      code: "no_certificate_for_bare_name",
      status: 421,
      name: "api",
      url: `https://api.localhost:${proxy.port}`,
    });
    expect(api.requests).toEqual([]);
  });
}

test("by h2 it is the same", async () => {
  const session = connectH2("https://api", {
    createConnection: () =>
      connect({
        host: "127.0.0.1",
        port: proxy.port,
        servername: "api",
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
      }),
  });
  const stream = session.request({ ":path": "/", ":authority": "api" });
  const status = new Promise((resolve) => {
    stream.once("response", (head) => resolve(head[":status"]));
  });
  let text = "";
  for await (const piece of stream.setEncoding("utf8")) text += piece;
  expect(await status).toBe(421);
  expect(text).toContain("localhostess trust --bare-names");
  session.destroy();
});

test("a bare name that no service has is refused in the handshake", async () => {
  await expect(client({ servername: "nosuch" })).rejects.toThrow(/unrecognized.name/i);
});

test("by plain http the bare name works as before", async () => {
  const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
  tcp.write("GET http://api/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const piece of tcp) text += piece;
  expect(text).toEndWith("by the service");
});

const unproxied = { code: "bare_name_not_proxied", status: 421, name: "web" };
const asJson = "Accept: application/json\r\nConnection: close\r\n\r\n";

/** All that comes behind the first empty line. */
async function bodyOf(socket: Socket | TLSSocket): Promise<string> {
  let text = "";
  for await (const piece of socket) text += piece;
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

for (const [what, name] of [
  ["that a service has", "web"],
  ["that nobody has", "nosuch"],
] as const) {
  test(`a bare name ${what}, by a path and not by a proxy's URL, is 421 with what helps, and reaches nobody`, async () => {
    const before = api.requests.length;
    const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
    tcp.write(`GET / HTTP/1.1\r\nHost: ${name.toUpperCase()}.:${proxy.port}\r\n${asJson}`);
    const { error } = JSON.parse(await bodyOf(tcp));
    const url = `http://${name}.localhost:${proxy.port}`;
    expect(error).toMatchObject({ ...unproxied, name, url });
    for (const part of [`${url}/`, "proxy.pac", "/etc/hosts", "bare_names"]) {
      expect(error.message).toContain(part);
    }
    const page = connectTcp({ host: "127.0.0.1", port: proxy.port });
    page.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
    expect(await bodyOf(page)).toContain(`href="${url}/"`);
    expect(api.requests.length).toBe(before);
  });
}

test("a bare name's WebSocket and its POST are 421, too", async () => {
  const before = api.requests.length;
  for (const head of [
    "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket",
    "POST / HTTP/1.1\r\nContent-Length: 0",
  ]) {
    const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
    tcp.write(`${head}\r\nHost: web\r\nAccept: application/json\r\n\r\n`);
    expect(JSON.parse(await bodyOf(tcp)).error).toMatchObject(unproxied);
  }
  expect(api.requests.length).toBe(before);
});

test("a bare name that the hosts file has is answered by a path", async () => {
  const tcp = connectTcp({ host: "127.0.0.1", port: proxy.port });
  tcp.write("GET / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n");
  expect(await bodyOf(tcp)).toBe("by the service");
});

test("once there is an authority for bare names, the next connection is served", async () => {
  const made = await ensureCertificateAuthority({
    stateDirectory: tls.stateDirectory,
    kind: "bare",
    clock: systemClock,
    identity,
    tlds: [],
  });
  if (made.kind !== "ready") throw new Error(made.problems.join());
  const socket = await client({
    servername: "api",
    ca: made.ca.pem,
    rejectUnauthorized: true,
    socket: await tunnel("api:443"),
  });
  expect(socket.authorized).toBe(true);
  expect(await ask(socket, "*/*")).toEndWith("by the service");
});

/** Who trusts the second authority. */
const trusting = (): ConnectionOptions => ({
  ca: readFileSync(`${tls.stateDirectory}/authority-bare/certificate.pem`, "utf8"),
  rejectUnauthorized: true,
});

test("with that authority, a bare name by https is answered inside a tunnel to it, by HTTP/1.1 and h2, and not without one", async () => {
  const get = `GET / HTTP/1.1\r\nHost: web\r\n${asJson}`;
  const direct = await client({ servername: "web", ...trusting() });
  direct.write(get);
  const { error } = JSON.parse(await bodyOf(direct));
  expect(error).toMatchObject({ ...unproxied, url: `https://web.localhost:${proxy.port}` });
  const inside = { servername: "web", ...trusting() };
  const tunnelled = await client({ ...inside, socket: await tunnel("web:443") });
  tunnelled.write(get);
  expect(await bodyOf(tunnelled)).toBe("by the service");
  for (const [way, status] of [
    ["directly", 421],
    ["through CONNECT", 200],
  ] as const) {
    const socket = way === "directly" ? {} : { socket: await tunnel("web:443") };
    const secured = await client({ ...inside, ...socket, ALPNProtocols: ["h2"] });
    const session = connectH2("https://web", { createConnection: () => secured });
    const stream = session.request({ ":path": "/", ":authority": "web" });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    stream.once("response", (head) => resolve(head[":status"]));
    stream.resume();
    expect(await promise).toBe(status);
    session.destroy();
  }
});
