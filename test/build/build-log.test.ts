/** The log of a build: bounded, with its beginning and its end. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildLog, buildLogPath } from "../../src/build/build-log.ts";

let place = "";
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "build-log-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const text = () => readFileSync(buildLogPath(place), "utf8");

test("of a build that says too much, the first lines and the last ones are kept, and how many are not", () => {
  const log = buildLog(place, { head: 6, tail: 6 });
  for (let at = 0; at < 10; at++) log.write(String(at));
  log.close();
  log.close();
  expect(text()).toBe("0\n1\n2\n(4 lines are left out here)\n7\n8\n9\n");
});

test("one that nothing is written to leaves the last one's lines", () => {
  const log = buildLog(place);
  log.write("built");
  log.close();
  buildLog(place).close();
  expect(text()).toBe("built\n");
});

test("one that cannot be written is no reason not to build", () => {
  mkdirSync(`${buildLogPath(place)}.1/x`, { recursive: true });
  mkdirSync(buildLogPath(place));
  const log = buildLog(place);
  log.write("built");
  log.close();
  expect(text()).toBe("built\n");
  rmSync(place, { recursive: true });
  const lost = buildLog(place);
  lost.write("built");
  lost.close();
});
