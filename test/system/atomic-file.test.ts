import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeAtomically } from "../../src/system/atomic-file.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-atomic-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test("missing directories are made for their owner alone, and so is the file", async () => {
  const path = join(directory, "a", "b", "file");
  await writeAtomically(path, "text");
  expect(await readFile(path, "utf8")).toBe("text");
  expect(await modeOf(path)).toBe(0o600);
  expect(await modeOf(join(directory, "a"))).toBe(0o700);
  expect(await modeOf(join(directory, "a", "b"))).toBe(0o700);
});

test("a directory that is there keeps its mode", async () => {
  await chmod(directory, 0o755);
  await writeAtomically(join(directory, "file"), "text");
  expect(await modeOf(directory)).toBe(0o755);
});

test("an older file is replaced, with its mode, and a link is replaced rather than followed", async () => {
  const path = join(directory, "file");
  const other = join(directory, "other");
  await writeFile(other, "other", { mode: 0o644 });
  await symlink(other, path);
  await writeAtomically(path, "new");
  expect(await readFile(path, "utf8")).toBe("new");
  expect(await readFile(other, "utf8")).toBe("other");
  await chmod(path, 0o666);
  await writeAtomically(path, "newer");
  expect(await modeOf(path)).toBe(0o600);
});

test("readers see one of the whole texts, never a part, while many write", async () => {
  const path = join(directory, "file");
  const texts = ["a".repeat(100_000), "b".repeat(100_000)];
  await writeAtomically(path, texts[0]!);
  const writes = Array.from({ length: 20 }, (_, i) => writeAtomically(path, texts[i % 2]!));
  let writing = true;
  const done = Promise.all(writes).finally(() => {
    writing = false;
  });
  while (writing) expect(texts).toContain(await readFile(path, "utf8"));
  await done;
  expect(await readdir(directory)).toEqual(["file"]);
});

test("a failure is told and leaves nothing behind", async () => {
  const path = join(directory, "taken");
  await mkdir(join(path, "full"), { recursive: true });
  await expect(writeAtomically(path, "text")).rejects.toThrow();
  expect(await readdir(directory)).toEqual(["taken"]);
});
