import { expect, test } from "bun:test";
import { followEvents, getFrom } from "../../src/containers/engine-api.ts";
import { readContainers } from "../../src/containers/read-containers.ts";
import { systemClock } from "../../src/system/clock.ts";
import { answerOf, fakeEngine, head, type Script } from "./fake-engine.ts";

const piece = Buffer.alloc(64 * 1024, "[");

function poured(first: string): Script {
  return ({ write, pour }) => {
    write(first);
    pour(piece);
  };
}

async function ask(script: Script, { deadline = 5000 } = {}) {
  using engine = fakeEngine({ "/containers/json": script });
  const options = { path: "/containers/json", clock: systemClock, deadline };
  const started = performance.now();
  const answer = await getFrom(engine.path, options);
  return { answer, took: performance.now() - started };
}

test("an answer is its text, and who has answered", async () => {
  const { answer } = await ask(answerOf("[]"));
  expect(answer).toEqual({ kind: "answer", text: "[]", server: "Docker/28.0.0 (linux)" });
});

test.each<[string, Script]>([
  ["accepts and says nothing", () => {}],
  ["says half a head", ({ write }) => write("HTTP/1.1 200 O")],
  ["says half a body", ({ write }) => write(`${head}Content-Length: 100\r\n\r\n[`)],
  [
    "never ends its body",
    ({ write }) => write(`${head}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n`),
  ],
  ["says what is no HTTP", ({ write }) => write("\0\x01\r\n\r\n\r\n")],
])("an engine that %s is late, after the deadline and not before", async (_, script) => {
  const { answer, took } = await ask(script, { deadline: 100 });
  expect(answer.kind).toBe("late");
  expect(took).toBeGreaterThan(95);
});

test.each<[string, Script, RegExp]>([
  ["an endless body", poured(`${head}\r\n`), /more than/],
  [
    "a body of 100 MB",
    ({ write, pour }) => {
      write(`${head}Content-Length: ${1600 * piece.length}\r\n\r\n`);
      pour(piece, 1600);
    },
    /more than/,
  ],
  ["a head without an end", poured(`${head}X: `), /Headers/],
  ["an error", ({ write }) => write("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), /with 500/],
  [
    "another address",
    ({ write }) =>
      write("HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    /with 302/,
  ],
  ["the end of the connection", ({ end }) => end(), /cannot be asked/],
])("%s is a failure, in bounded memory", async (_, script, why) => {
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const { answer } = await ask(script);
  expect(answer).toMatchObject({ kind: "failed", why: expect.stringMatching(why) });
  expect(process.memoryUsage.rss() - before).toBeLessThan(120 * 1024 * 1024);
});

test("a packed body is not unpacked: a kilobyte could be a gigabyte", async () => {
  const packed = Bun.gzipSync(Buffer.alloc(1024 * 1024, "["));
  const { answer } = await ask(({ write, pour }) => {
    write(`${head}Content-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`);
    pour(packed, 1);
  });
  expect(answer.kind === "answer" && answer.text.length).toBeLessThan(10_000);
});

test("where nothing listens, or nothing is, the reason says so", async () => {
  const options = { path: "/", clock: systemClock, deadline: 1000 };
  using engine = fakeEngine({});
  engine.kill();
  expect(await getFrom(engine.path, options)).toMatchObject({
    kind: "failed",
    code: expect.stringMatching(/E/),
  });
  expect(await getFrom("/nowhere/docker.sock", options)).toMatchObject({
    ...{ kind: "failed", code: "ENOENT", why: "its socket is gone" },
  });
});

test("a question that nobody asks any more ends at once, and its connection with it", async () => {
  using engine = fakeEngine({});
  const abort = new AbortController();
  const options = { clock: systemClock, deadline: 60_000, signal: abort.signal };
  const answer = getFrom(engine.path, { path: "/containers/json", ...options });
  abort.abort();
  expect((await answer).kind).toBe("failed");
});

test("events come as they are told, and their end is told once", async () => {
  using engine = fakeEngine({
    "/events": ({ write }) => write(`${head}Transfer-Encoding: chunked\r\n\r\n`),
  });
  const opened = Promise.withResolvers<void>();
  const told = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<string>();
  let ends = 0;
  followEvents(engine.path, {
    onOpen: opened.resolve,
    onBytes: (bytes) => told.resolve(Buffer.from(bytes).toString()),
    onEnd(why) {
      ends++;
      ended.resolve(why);
    },
  });
  await opened.promise;
  engine.tell("start");
  expect(await told.promise).toBe('{"Action":"start"}\n');
  engine.kill();
  expect(await ended.promise).not.toBe("");
  expect(ends).toBe(1);
  expect(engine.asked).toEqual(["GET /events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D"]);
});

test("a JSON text that is no list of containers is told apart from an empty one", () => {
  expect(readContainers("[]")).toEqual({ kind: "containers", containers: [] });
  for (const text of ["", "{}", "null", "[", '"x"', "1", "[".repeat(1_000_000)]) {
    expect(readContainers(text).kind).toBe("bad");
  }
});
