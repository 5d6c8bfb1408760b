/** The credential: made once, kept, and never believed where others may have read it. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  credentialPath,
  ensureCredential,
  readCredential,
} from "../../src/control/found/credential.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "localhostess-credential-")), "state");
  path = credentialPath(directory);
});

afterEach(() => rm(join(directory, ".."), { recursive: true, force: true }));

const another = `${"ab".repeat(32)}\n`;

test("it is 256 random bits, for its owner only", async () => {
  const { value, note } = await ensureCredential(directory);
  expect(value).toMatch(/^[0-9a-f]{64}$/);
  expect(note).toBeUndefined();
  expect(await readFile(path, "utf8")).toBe(`${value}\n`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test("the next launch has the same", async () => {
  const { value } = await ensureCredential(directory);
  expect(await ensureCredential(directory)).toEqual({ value, note: undefined });
  expect(readCredential(directory)).toEqual({ kind: "credential", value });
});

test("thirty who start at once have one", async () => {
  const all = await Promise.all(Array.from({ length: 30 }, () => ensureCredential(directory)));
  expect(new Set(all.map(({ value }) => value)).size).toBe(1);
});

test("for a client there is none before a daemon has made it", () => {
  expect(readCredential(directory)).toEqual({ kind: "absent" });
});

for (const mode of [0o644, 0o640, 0o604, 0o620, 0o610]) {
  test(`with mode ${mode.toString(8)} no client uses it, and the next daemon makes another`, async () => {
    const { value } = await ensureCredential(directory);
    await chmod(path, mode);
    expect(readCredential(directory)).toEqual({ kind: "exposed" });
    const after = await ensureCredential(directory);
    expect(after.value).not.toBe(value);
    expect(after.note).toContain("could be read by others");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
}

test.if(process.getuid?.() === 0)("another user's is exposed", async () => {
  await ensureCredential(directory);
  await chown(path, 65_534, 65_534);
  expect(readCredential(directory)).toEqual({ kind: "exposed" });
});

test("a link is not followed, and what it leads to stays as it is", async () => {
  await mkdir(directory, { recursive: true });
  const elsewhere = join(directory, "..", "elsewhere");
  await writeFile(elsewhere, another, { mode: 0o600 });
  await symlink(elsewhere, path);
  expect(readCredential(directory)).toEqual({ kind: "broken" });
  expect((await ensureCredential(directory)).note).toContain("could not be read");
  expect(await readFile(elsewhere, "utf8")).toBe(another);
  expect(readCredential(directory).kind).toBe("credential");
});

for (const text of [
  "",
  another.slice(0, 40),
  another.trim(),
  another.toUpperCase(),
  `${another}\n`,
  "x".repeat(5_000),
]) {
  test(`${JSON.stringify(text.slice(0, 70))} is none`, async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
    expect(readCredential(directory)).toEqual({ kind: "broken" });
    expect((await ensureCredential(directory)).value).toMatch(/^[0-9a-f]{64}$/);
  });
}

test("no message has it", async () => {
  const { value } = await ensureCredential(directory);
  await chmod(path, 0o644);
  const { note, value: next } = await ensureCredential(directory);
  expect(note).not.toContain(value);
  expect(note).not.toContain(next);
});
