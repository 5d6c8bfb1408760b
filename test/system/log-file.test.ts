/** The log: lines with the time, for their owner only, and never more than fits. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logFile } from "../../src/system/log-file.ts";

let directory: string;
let path: string;
const now = () => Date.UTC(2026, 0, 31, 9);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-log-"));
  path = join(directory, "daemon.log");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test("each line has the time, empty ones are left out, and others cannot read it", async () => {
  const log = logFile(path, { now });
  log.write("one\n\ntwo\n");
  log.write("three");
  log.write("\n");
  const time = "2026-01-31T09:00:00.000Z";
  expect(await readFile(path, "utf8")).toBe(`${time} one\n${time} two\n${time} three\n`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a file that has become too long is put aside, and the oldest is forgotten", async () => {
  const log = logFile(path, { now, limit: 100, kept: 3 });
  for (let number = 1; number <= 20; number++) log.write(`line ${number} ${"x".repeat(60)}`);
  expect((await readdir(directory)).sort()).toEqual(["daemon.log", "daemon.log.1", "daemon.log.2"]);
  const texts = await Promise.all(
    ["daemon.log.2", "daemon.log.1", "daemon.log"].map((name) =>
      readFile(join(directory, name), "utf8"),
    ),
  );
  // In order, whole, and up to the newest.
  const numbers = [...texts.join("").matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
  expect(numbers.at(-1)).toBe(20);
  expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  for (const text of texts) expect(text.length).toBeLessThanOrEqual(200);
});

test("where nothing can be written, nothing happens", () => {
  expect(() => logFile("/dev/null/daemon.log", { now }).write("lost")).not.toThrow();
  expect(() => logFile(directory, { now }).write("lost")).not.toThrow();
});
