/** A connection to a container's input and output, with engines that answer in every way. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Attaching,
  type Attachment,
  attachTo,
} from "../../../src/containers/runs/attachment.ts";

const root = mkdtempSync(join(tmpdir(), "attach-"));
const closing: (() => void)[] = [];
afterAll(() => {
  for (const close of closing) close();
  rmSync(root, { recursive: true, force: true });
});

let count = 0;

/** An engine that hears the head of a request, and then does this. */
async function engine(answer: (socket: Socket, head: string) => void): Promise<string> {
  const path = join(root, String(count++));
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {
      // The client has gone, as the test wants.
    });
    socket.once("data", (bytes) => answer(socket, bytes.toString()));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closing.push(() => server.close());
  return path;
}

type Scene = { its: Attaching; output: () => string; ended: Promise<void>; drained: Promise<void> };

async function attached(socket: string, abort = new AbortController()): Promise<Scene> {
  let output = "";
  const ended = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  const its = await attachTo(socket, {
    ...{ id: "c0ffee", input: true, output: true, signal: abort.signal },
    onOutput(bytes) {
      output += Buffer.from(bytes).toString();
    },
    onDrain: drained.resolve,
    onEnd: ended.resolve,
  });
  return { its, output: () => output, ended: ended.promise, drained: drained.promise };
}

function attachmentOf({ its }: Scene): Attachment {
  if (its.kind !== "attached") throw new Error(its.kind);
  return its.attachment;
}

const upgraded = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

test.each([upgraded, upgraded.replace("101 UPGRADED", "200 OK")])(
  "output behind the head %j is not lost, and the end is told",
  async (head) => {
    let asked = "";
    const socket = await engine((its, request) => {
      asked = request;
      its.write(head.slice(0, 20));
      setImmediate(() => its.end(`${head.slice(20)}hello`));
    });
    const scene = await attached(socket);
    await scene.ended;
    expect(scene.output()).toBe("hello");
    expect(asked).toStartWith(
      "POST /containers/c0ffee/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\n",
    );
  },
);

test("input of any size arrives whole, and then its end; output comes after that, too", async () => {
  let size = 0;
  const socket = await engine((its) => {
    its.write(upgraded);
    its.on("data", (bytes) => {
      size += bytes.length;
    });
    its.on("end", () => its.end("all of it"));
  });
  const scene = await attached(socket);
  const its = attachmentOf(scene);
  const writes = Array.from({ length: 50 }, () => its.write(Buffer.alloc(100_000)));
  expect(writes).toContain(false);
  await scene.drained;
  its.finish();
  its.finish();
  await scene.ended;
  expect(size).toBe(5_000_000);
  expect(scene.output()).toBe("all of it");
});

test("a refusal is told in the engine's words", async () => {
  const body = '{"message":"No such container: c0ffee"}';
  const socket = await engine((its) => its.end(`HTTP/1.1 404 Not Found\r\n\r\n${body}`));
  expect((await attached(socket)).its).toEqual({
    kind: "refused",
    why: "No such container: c0ffee",
  });
  const silent = await engine((its) => its.end("HTTP/1.1 500 x\r\n\r\n"));
  expect((await attached(silent)).its).toMatchObject({ why: "it answered with status 500" });
});

test("an engine that is not there, hangs up or answers without an end is a failure", async () => {
  expect((await attached(join(root, "nobody"))).its).toMatchObject({ kind: "failed" });
  const rude = await engine((its) => its.destroy());
  expect((await attached(rude)).its).toEqual({ kind: "failed", why: "it closed the connection" });
  const endless = await engine((its) => void its.write(`HTTP/1.1 101 ${"x".repeat(20_000)}`));
  expect((await attached(endless)).its).toEqual({ kind: "failed", why: "its answer has no end" });
});

test("whoever leaves hears of no end", async () => {
  const gone = Promise.withResolvers<void>();
  const socket = await engine((its) => {
    its.write(upgraded);
    its.on("close", gone.resolve);
    its.on("end", () => its.end());
  });
  const scene = await attached(socket);
  let hasEnded = false;
  void scene.ended.then(() => {
    hasEnded = true;
  });
  attachmentOf(scene).end();
  attachmentOf(scene).end();
  await gone.promise;
  expect(hasEnded).toBe(false);
  const abort = new AbortController();
  const still = engine(() => abort.abort());
  expect((await attached(await still, abort)).its).toEqual({ kind: "cancelled" });
});
