/**
 * The state directory: made for its owner, and swept of what the killed left. What is refused is in
 * test/conformance.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareStateDirectory, stateDirectoryProblem } from "../../src/system/state-directory.ts";

let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "localhostess-state-directory-")), "a", "b");
});

afterEach(() => rm(join(directory, "../.."), { recursive: true, force: true }));

test("none is no problem, and it is made with mode 0700, as are those above it", async () => {
  expect(stateDirectoryProblem(directory)).toBeUndefined();
  prepareStateDirectory(directory, { tighten: false });
  for (const path of [directory, join(directory, "..")]) {
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  }
  prepareStateDirectory(directory, { tighten: false });
});

test("what was half written long ago is removed, and nothing else", async () => {
  prepareStateDirectory(directory, { tighten: false });
  const left = `registration.json.17.${crypto.randomUUID()}.tmp`;
  const young = `credential.17.${crypto.randomUUID()}.tmp`;
  const names = [left, young, "registration.json", "notes.tmp"];
  for (const name of names) await writeFile(join(directory, name), "");
  for (const name of names.filter((its) => its !== young)) {
    await utimes(join(directory, name), 0, 0);
  }
  prepareStateDirectory(directory, { tighten: false });
  expect((await readdir(directory)).sort()).toEqual([young, "notes.tmp", "registration.json"]);
});

test("what cannot be made has the system's reason", () => {
  expect(() => prepareStateDirectory("/dev/null/state", { tighten: true })).toThrow("ENOTDIR");
});
