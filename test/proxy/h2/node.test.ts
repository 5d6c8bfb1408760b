/** Real Node in front of the proxy, by HTTP/2 over TLS, and real Node behind it. */
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

describeWith(["node"])("Node's http2", () => {
  let throwaway: ThrowawayCertificateAuthority;
  let proxy: TestProxy | undefined;
  let results: Results;
  let child: ReturnType<typeof startNode>;
  let lines: AsyncIterator<string>;

  beforeAll(async () => {
    throwaway = await throwawayCertificateAuthority();
    child = startNode();
    lines = createInterface({ input: Readable.fromWeb(child.stdout as never) })[
      Symbol.asyncIterator
    ]();
    const port = Number(await line(lines));
    proxy = await startTestProxy({
      services: { api: { port } },
      terminator: testTerminator((name) => throwaway.leafFor(name)),
    });
    const caFile = throwaway.ca.certificatePath;
    child.stdin.write(`${JSON.stringify({ port: proxy.port, caFile })}\n`);
    child.stdin.flush();
    results = JSON.parse(await line(lines)) as Results;
  });

  afterAll(async () => {
    child.kill("SIGKILL");
    await child.exited;
    await proxy?.stop();
    await throwaway[Symbol.asyncDispose]();
  });

  test("GET", () => {
    expect(results.get).toMatchObject({ status: 200, body: "GET /get", code: 0, error: "" });
  });

  test("16 MiB go both ways at once, with trailers each way", () => {
    const { status, bytes, hash, sent, trailers } = results["both ways at once"]!;
    expect([status, bytes]).toEqual([200, 16 << 20]);
    expect(hash).toBe(sent as string);
    expect(trailers).toMatchObject({ "x-answer": "why" });
  });

  test("the service's 100-continue comes before the body goes", () => {
    expect(results["100-continue"]).toMatchObject({
      order: ["continue", "response"],
      status: 200,
      body: "POST /post",
    });
  });

  test("103 comes before its answer", () => {
    expect(results["103"]).toMatchObject({
      interim: [[103, "</style.css>; rel=preload"]],
      status: 200,
      body: "ok",
    });
  });

  test("a service that breaks off resets the stream alone", () => {
    expect(results["the service breaks off"]).toMatchObject({
      status: 200,
      error: "ERR_HTTP2_STREAM_ERROR",
      code: 2,
      next: "GET /after",
    });
  });

  test("a client that breaks off in the middle of a body breaks off its service, and goes on", () => {
    expect(results["the client breaks off"]).toEqual({
      service: "broken off",
      next: "GET /after",
    });
  });

  test("PING", () => {
    expect(results.ping).toEqual({ error: "", same: true });
  });

  test("SETTINGS that change while answers are under way", () => {
    expect(results["settings in mid-flight"]).toEqual({
      bytes: [1_000_000, 1_000_000],
      codes: [0, 0],
    });
  });

  test("500 requests at once over a limit of 256 streams", () => {
    expect(results["500 requests at once"]).toEqual({ right: 500, most: 256 });
  });

  test("GOAWAY where the proxy stops, behind which what is under way is answered", async () => {
    expect(await line(lines)).toBe("under way");
    const stopped = proxy!.stop(5_000);
    expect(JSON.parse(await line(lines))).toEqual({ code: 0, status: 200, body: "late" });
    await stopped;
  });
});

function startNode() {
  return Bun.spawn(["node", `${import.meta.dir}/fixtures/node-world.mjs`], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    detached: true,
  });
}

async function line(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error("Node has ended");
  return value as string;
}
