import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Socket } from "bun";
import { engineCall, engineStream } from "../../../src/containers/runs/engine-calls.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { answerOf, fakeEngine, head, type Script } from "../fake-engine.ts";

const clock = systemClock;

async function called(script: Script, deadline = 5000) {
  using engine = fakeEngine({ "/x": script });
  return await engineCall(engine.path, { method: "POST", path: "/x", body: {}, clock, deadline });
}

const refuses =
  (status: number, text: string): Script =>
  ({ write, end }) => {
    write(`HTTP/1.1 ${status} No\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    end();
  };

test("an engine's answers are read, and its refusals come in its own words", async () => {
  expect(await called(answerOf('{"Id":"a"}'))).toMatchObject({
    kind: "answer",
    value: { Id: "a" },
  });
  expect(await called(answerOf(""))).toMatchObject({ kind: "answer", value: undefined });
  expect(await called(refuses(404, '{"message":"no such image\\nreally"}'))).toEqual({
    kind: "refused",
    status: 404,
    why: "no such image really",
  });
  expect(await called(refuses(500, "<html>"))).toMatchObject({ kind: "refused", why: "<html>" });
  expect(await called(refuses(409, ""))).toMatchObject({ why: "it answered with status 409" });
});

test("an engine that lies, floods, breaks off, is silent or is not there has one outcome each", async () => {
  expect(await called(answerOf('{"Id":'))).toMatchObject({ kind: "failed" });
  expect(
    await called(({ write, pour }) => {
      write(`${head}\r\n`);
      pour(Buffer.alloc(65_536, 32));
    }),
  ).toMatchObject({ kind: "failed", why: "it answered with more than 16777216 bytes" });
  expect(
    await called(({ write, end }) => {
      write(`${head}Content-Length: 100\r\n\r\n{`);
      end();
    }),
  ).toMatchObject({ kind: "failed" });
  expect(await called(() => {}, 50)).toMatchObject({ kind: "late" });
  expect(await called(({ write }) => write(`${head}Content-Length: 9\r\n\r\n{`), 50)).toMatchObject(
    {
      kind: "late",
    },
  );
  const options = { method: "GET", path: "/x", clock, deadline: 1000 } as const;
  expect(await engineCall("/nowhere/at.sock", options)).toMatchObject({ kind: "failed" });
});

test("a stream is read no faster than its reader takes it", async () => {
  let poured = 0;
  const path = join(mkdtempSync(join(tmpdir(), "engine-")), "docker.sock");
  const piece = Buffer.alloc(65_536);
  const more = (socket: Socket): void => {
    while (poured < 1000) {
      const taken = socket.write(piece);
      if (taken === piece.length) poured++;
      else return;
    }
  };
  const listener = Bun.listen({
    unix: path,
    socket: {
      data(socket) {
        socket.write(`${head}\r\n`);
        more(socket);
      },
      drain: more,
    },
  });
  const abort = new AbortController();
  const seen = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const streamed = engineStream(path, {
    ...{ method: "POST", path: "/x", clock, deadline: 5000, signal: abort.signal },
    onBytes: () => {
      seen.resolve();
      return release.promise;
    },
  });
  await seen.promise;
  for (let turn = 0; turn < 500; turn++) await new Promise((resume) => setImmediate(resume));
  expect(poured).toBeLessThan(500);
  abort.abort();
  seen.promise.then(() => release.resolve());
  expect(await streamed).toEqual({ kind: "cancelled" });
  listener.stop(true);
  rmSync(dirname(path), { recursive: true });
});

test("a stream ends, is cancelled, is refused or is late", async () => {
  const run = async (script: Script, { abortAt }: { abortAt?: "open" } = {}) => {
    using engine = fakeEngine({ "/x": script });
    const abort = new AbortController();
    let text = "";
    const outcome = await engineStream(engine.path, {
      ...{ method: "POST", path: "/x", clock, deadline: 300, signal: abort.signal },
      onOpen: () => {
        if (abortAt === "open") abort.abort();
      },
      onBytes(bytes) {
        text += Buffer.from(bytes).toString();
      },
    });
    return { outcome, text };
  };
  expect(await run(answerOf("abc"))).toEqual({ outcome: { kind: "ended" }, text: "abc" });
  expect((await run(({ write }) => write(`${head}\r\n`), { abortAt: "open" })).outcome).toEqual({
    kind: "cancelled",
  });
  expect((await run(refuses(404, '{"message":"gone"}'))).outcome).toMatchObject({ why: "gone" });
  expect((await run(() => {})).outcome).toMatchObject({ kind: "late" });
});
