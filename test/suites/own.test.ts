/** The suites of our own against our own proxy in this process: a part of the payloads and of HTTP/2, all of TLS. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { h2Bridge, tlsBridge } from "./bridges.ts";
import { attackAll } from "./desync.ts";
import { dirtyOnes } from "./desync/judge.ts";
import { type Payload, payloads } from "./desync/payloads.ts";
import { startEchoServer } from "./echo-server.ts";
import { h2Cases, runCases } from "./h2-semantics.ts";
import { socketsServer } from "./sockets-server.ts";
import { runProbes } from "./tls-probes.ts";

const host = "suite.localhost";
const echo = startEchoServer();
let tls: TestTls;
let proxy: TestProxy;

beforeAll(async () => {
  tls = await testTls({ services: ["suite"] });
  proxy = await startTestProxy({
    services: { suite: { port: echo.port } },
    terminator: tls.terminator,
  });
});
afterAll(async () => {
  await proxy.stop();
  await tls[Symbol.asyncDispose]();
  echo.stop();
});

const target = () => ({ port: proxy.port, securePort: proxy.port, host });

/** A third of what is known by name, and one octet in a hundred: the rest is for `main.ts`. */
const isNamed = ({ name }: Payload): boolean => /^body|^chunk "|^"|^length then "/.test(name);
const some = [
  ...payloads().filter((it, index) => !isNamed(it) && index % 97 === 0),
  ...payloads()
    .filter(isNamed)
    .filter((_, index) => index % 3 === 0),
];

test("no payload leaves the server with a request that nobody sent", async () => {
  echo.take();
  const sent = await attackAll(some, { ...target(), firstWithin: 100 });
  expect(dirtyOnes(sent, echo.take())).toEqual([]);
}, 30_000);

test("every third case of HTTP/2 has its outcome, at the client and at the server", async () => {
  const cases = h2Cases.filter((_, index) => index % 3 === 0);
  const turn = { ...target(), cases, quiet: 5 };
  const { failures } = await runCases(turn, async () => echo.take());
  expect(failures).toEqual([]);
}, 30_000);

test("every probe of TLS has its answer", async () => {
  const { failures } = await runProbes(target());
  expect(failures).toEqual([]);
}, 30_000);

test.each([
  ["TLS", tlsBridge],
  ["HTTP/2", h2Bridge],
] as const)(
  "a program's plain WebSocket goes through the proxy by %s",
  async (_, open) => {
    using sockets = socketsServer();
    proxy.setServices({ suite: { port: echo.port }, sockets: { port: sockets.port } });
    const host = "sockets.localhost";
    const bridge = await open({ securePort: proxy.port, host });
    const socket = new WebSocket(`ws://127.0.0.1:${bridge.port}`, { headers: { Host: host } });
    const text = "x".repeat(100_000);
    const heard = await new Promise((resolve, reject) => {
      socket.onopen = () => socket.send(text);
      socket.onmessage = ({ data }) => resolve(data);
      socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    });
    expect(heard).toBe(text);
    socket.close();
    bridge.stop();
  },
  30_000,
);
