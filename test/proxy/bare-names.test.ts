/** https under a service's bare name, for which no authority signs: the certificate of its other name, and behind it what helps. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect as connectH2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../src/system/clock.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";
import { type Certificates, certificates } from "../../src/tls/certificates.ts";
import { terminator } from "../../src/tls/terminate.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { identity, throwawayStateDirectory } from "../support/throwaway-authority.ts";

let directory: Awaited<ReturnType<typeof throwawayStateDirectory>>;
let names: Certificates;
let api: RawServer;
let proxy: TestProxy;

beforeAll(async () => {
  directory = await throwawayStateDirectory();
  names = certificates({
    stateDirectory: directory.path,
    clock: systemClock,
    identity,
    tlds: [],
    isService: (name) => name === "api",
    note() {},
  });
  api = new RawServer({ answer: () => ok("by the service") });
  proxy = await startTestProxy({
    services: { api },
    bareNames: () => names.bareNames,
    terminator: terminator({
      clock: systemClock,
      certificateFor: names.certificateFor,
      fault: (fault) => {
        throw fault;
      },
    }),
  });
});

afterAll(async () => {
  await proxy.stop();
  api[Symbol.dispose]();
  await directory[Symbol.asyncDispose]();
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
      code: "no-certificate-for-bare-name",
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

test("once there is an authority for bare names, the next connection is served", async () => {
  const made = await ensureAuthority({
    stateDirectory: directory.path,
    kind: "bare",
    clock: systemClock,
    identity,
    tlds: [],
  });
  if (made.kind !== "ready") throw new Error(made.problems.join());
  const socket = await client({
    servername: "api",
    ca: made.authority.pem,
    rejectUnauthorized: true,
    socket: await tunnel("api:443"),
  });
  expect(socket.authorized).toBe(true);
  expect(await ask(socket, "*/*")).toEndWith("by the service");
});
