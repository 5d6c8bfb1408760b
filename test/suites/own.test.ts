/** The suites of our own against our own proxy in this process: a part of the payloads, all cases of HTTP/2. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type TestTls, testTls } from "../support/test-tls.ts";
import { startTestProxy, type TestProxy } from "../support/test-proxy.ts";
import { attackAll } from "./desync.ts";
import { dirtyOnes } from "./desync/judge.ts";
import { payloads } from "./desync/payloads.ts";
import { startEchoServer } from "./echo-server.ts";
import { h2Cases, runCases } from "./h2-semantics.ts";
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

const notYet = /^:scheme that|^:scheme with a colon|depends on itself|^CBC with SHA-1/;

const target = () => ({ port: proxy.port, securePort: proxy.port, host });

/** Every payload that is known by name, and one octet in a hundred. */
const some = payloads().filter(
  ({ name }, index) => index % 97 === 0 || /^body|^chunk "/.test(name),
);

test("no payload leaves the server with a request that nobody sent", async () => {
  echo.take();
  const sent = await attackAll(some, { ...target(), firstWithin: 100 });
  expect(dirtyOnes(sent, echo.take())).toEqual([]);
});

test("every case of HTTP/2 has its outcome, at the client and at the server", async () => {
  const cases = h2Cases.filter(({ name }) => !notYet.test(name));
  const turn = { ...target(), cases, quiet: 5 };
  const { failures } = await runCases(turn, async () => echo.take());
  expect(failures.filter(({ name }) => !notYet.test(name))).toEqual([]);
});

test("every probe of TLS has its answer", async () => {
  const { failures } = await runProbes(target());
  expect(failures.filter(({ name }) => !notYet.test(name))).toEqual([]);
});
