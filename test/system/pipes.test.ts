import { expect, test } from "bun:test";
import { closeSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { pipes } from "../../src/system/pipes.ts";

const system = pipes(process.platform)!;

/** Flags of an open file in this process, as open(2) has them. */
const flagsOf = (descriptor: number) =>
  Number.parseInt(
    /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))![1]!,
    8,
  );
const nonBlocking = 0o4000;
const closedByExec = 0o2000000;

test("the end of the process blocks, and is closed in every other program", () => {
  const output = system.fromProcess();
  const input = system.toProcess();
  for (const { theirs } of [output, input]) {
    expect(flagsOf(theirs) & nonBlocking).toBe(0);
    expect(flagsOf(theirs) & closedByExec).toBe(closedByExec);
    closeSync(theirs);
  }
  void output.reader.cancel();
  void input.sink.end();
});

test("what is written comes out, and then the end", async () => {
  const { reader, theirs } = system.fromProcess();
  const first = reader.read();
  writeSync(theirs, "some bytes");
  expect(Buffer.from((await first).value!).toString()).toBe("some bytes");
  closeSync(theirs);
  expect((await reader.read()).done).toBe(true);
});

test("more than a pipe holds is written when there is room for it, and nothing waits meanwhile", async () => {
  const { sink, theirs } = system.toProcess();
  const size = 1_000_000;
  const bytes = new Uint8Array(size).fill(7);
  const written = Promise.resolve(sink.write(bytes));
  const flushed = Promise.resolve(sink.flush());
  const got = new Uint8Array(100_000);
  let sum = 0;
  while (sum < size) {
    sum += readSync(theirs, got, 0, Math.min(got.length, size - sum), null);
    await new Promise((resume) => setImmediate(resume));
  }
  await written;
  await flushed;
  await sink.end();
  expect(readSync(theirs, got, 0, 1, null)).toBe(0);
  closeSync(theirs);
});

test("hundreds that wait take no threads, and leave no descriptor behind", async () => {
  const count = (what: "task" | "fd") => readdirSync(`/proc/self/${what}`).length;
  const before = { threads: count("task"), descriptors: count("fd") };
  const all = Array.from({ length: 200 }, () => {
    const output = system.fromProcess();
    const input = system.toProcess();
    const refused = (error: NodeJS.ErrnoException) => error.code;
    return {
      output,
      input,
      read: output.reader.read(),
      written: Promise.resolve(input.sink.write(new Uint8Array(70_000))).catch(refused),
    };
  });
  // Those that wait keep nothing else from being done.
  expect((await Bun.file(import.meta.path).text()).length).toBeGreaterThan(0);
  expect(count("task") - before.threads).toBeLessThan(50);
  for (const { output, input } of all) {
    closeSync(output.theirs);
    closeSync(input.theirs);
  }
  for (const { read, written } of all) {
    expect((await read).done).toBe(true);
    expect(await written).toBe("EPIPE");
  }
  for (let turn = 0; count("fd") > before.descriptors && turn < 1000; turn++) {
    await new Promise((resume) => setImmediate(resume));
  }
  expect(count("fd")).toBeLessThanOrEqual(before.descriptors);
});

test("where nobody reads any more, a write is refused with EPIPE", async () => {
  const { sink, theirs } = system.toProcess();
  closeSync(theirs);
  const write = async () => {
    await sink.write("nobody");
    await sink.flush();
  };
  expect(await write().catch((error: NodeJS.ErrnoException) => error.code)).toBe("EPIPE");
});

test("elsewhere than on Linux, Bun's own are used", () => {
  expect(pipes("darwin")).toBeUndefined();
});
