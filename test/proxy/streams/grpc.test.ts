/** Real servers and clients of gRPC, with the proxy between them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { startTestProxy, type TestProxy } from "../../support/test-proxy.ts";
import { testTerminator } from "../../support/test-tls.ts";
import {
  type ThrowawayCertificateAuthority,
  throwawayCertificateAuthority,
} from "../../support/throwaway-certificate-authority.ts";
import { describeWith } from "../../support/with-programs.ts";

type Results = Record<string, Record<string, unknown>>;

/** A port that nothing listens on. */
const nowhere = 1;

/** The first call of each is the first request that its server gets. */
const walks = [
  "by https",
  "by https to a server with TLS",
  "inside CONNECT",
  "by http",
  "by http to a server with TLS",
  "by http inside CONNECT",
  "by a bare name inside CONNECT",
];

describeWith(["node"])("gRPC", () => {
  let throwaway: ThrowawayCertificateAuthority;
  let proxy: TestProxy | undefined;
  let results: Results & { cancelled: number };
  let child: ReturnType<typeof startNode>;

  beforeAll(async () => {
    throwaway = await throwawayCertificateAuthority();
    const leaf = await throwaway.leafFor("other.localhost");
    const folder = throwaway.ca.certificatePath.replace(/[^/]*$/, "");
    await Bun.write(`${folder}server.key`, leaf.key);
    await Bun.write(`${folder}server.pem`, leaf.certificate);
    child = startNode();
    const lines = createInterface({ input: Readable.fromWeb(child.stdout as never) })[
      Symbol.asyncIterator
    ]();
    const say = (value: unknown): void => {
      child.stdin.write(`${JSON.stringify(value)}\n`);
      child.stdin.flush();
    };
    say({ key: `${folder}server.key`, cert: `${folder}server.pem` });
    const ports = (await heard(lines)) as { plain: number; secured: number };
    proxy = await startTestProxy({
      services: {
        api: { port: ports.plain },
        secure: { port: ports.secured },
        tunnelled: { port: ports.plain, pid: process.ppid },
        clear: { port: ports.plain, pid: 1 },
        bare: { port: ports.plain, pid: 2 },
        down: { port: nowhere },
      },
      terminator: testTerminator((name) => throwaway.leafFor(name)),
    });
    const target = `127.0.0.1:${proxy.port}`;
    const ca = throwaway.ca.certificatePath;
    say({
      roads: [
        { name: walks[0], target, authority: "api.localhost", ca },
        { name: walks[1], target, authority: "secure.localhost", ca },
        {
          name: walks[2],
          target: "tunnelled.localhost:443",
          authority: "tunnelled.localhost",
          ca,
          proxy: `http://${target}`,
        },
        { name: walks[3], target, authority: "clear.localhost" },
        { name: walks[4], target, authority: "secure.localhost" },
        {
          name: walks[5],
          target: "clear.localhost:80",
          authority: "clear.localhost",
          proxy: `http://${target}`,
        },
        { name: walks[6], target: "bare:80", authority: "bare", proxy: `http://${target}` },
        { name: "down", target, authority: "down.localhost", ca, only: "unary" },
        { name: "nobody", target, authority: "nobody.localhost", ca, only: "unary" },
      ],
    });
    results = (await heard(lines)) as typeof results;
  });

  afterAll(async () => {
    child.kill("SIGKILL");
    await child.exited;
    await proxy?.stop();
    await throwaway[Symbol.asyncDispose]();
  });

  for (const road of walks) {
    test(`${road}: calls of every kind, with metadata and trailers`, () => {
      const its = results[road]!;
      expect(its["unary"]).toEqual({ code: 0, length: 3, first: "1", last: "hello", bin: "00ff" });
      expect(its["down"]).toEqual({ code: 0, messages: ["m0", "m1", "m2"] });
      expect(its["up"]).toBe("10000");
      expect(its["both"]).toEqual({ code: 0, messages: ["ping0", "ping1", "ping2"] });
      expect(its["fail"]).toMatchObject({ code: 9, details: "not so: ü %", why: "because" });
      expect(its["big"]).toMatchObject({ code: 0, length: 4 << 20 });
      expect(its["many"]).toBe(50);
    });

    test(`${road}: a deadline and a client that leaves reach the server`, () => {
      expect(results[road]!["deadline"]).toMatchObject({ code: 4 });
      expect(results[road]!["cancel"]).toEqual({ code: 1, messages: ["begun"] });
      expect(results.cancelled).toBe(2 * walks.length);
    });
  }

  test("our own errors are statuses of gRPC, with the sentence that everybody gets", () => {
    expect(results["down"]!["unary"]).toMatchObject({ code: 14 });
    const { details } = results["down"]!["unary"] as { details: string };
    expect(details).toStartWith("localhostess: down runs but did not answer");
    expect(results["nobody"]!["unary"]).toMatchObject({ code: 12 });
    expect((results["nobody"]!["unary"] as { details: string }).details).toContain(
      "no server is named nobody",
    );
  });
});

function startNode() {
  return Bun.spawn(["node", `${import.meta.dir}/fixtures/grpc-world.mjs`], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
}

async function heard(lines: AsyncIterator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error("Node has ended");
  return JSON.parse(value as string);
}
