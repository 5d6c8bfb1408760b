/** The file of forgotten folders, written by a command and read by a daemon that runs -> the same folders. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  forgottenFolders,
  forgottenPath,
  readForgotten,
  writeForgotten,
} from "../../src/discovery/forgotten-folders.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

function place() {
  const folder = mkdtempSync(`${tmpdir()}/forgotten-`);
  made.push(folder);
  const notes: string[] = [];
  const path = forgottenPath(folder);
  return { path, notes, daemon: forgottenFolders(path, (text) => notes.push(text)) };
}

test("a daemon that runs sees at once what a command has written, in a file of its owner's alone", async () => {
  const { path, notes, daemon } = place();
  expect([...daemon.now()]).toEqual([]);
  expect(await writeForgotten(path, ["/w/shop"])).toBeUndefined();
  expect([...daemon.now()]).toEqual(["/w/shop"]);
  expect(daemon.now()).toBe(daemon.now());
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await writeForgotten(path, [])).toBeUndefined();
  expect([...daemon.now()]).toEqual([]);
  expect(notes).toEqual([]);
});

test("a broken file changes nothing, and is told once", async () => {
  const { path, notes, daemon } = place();
  await writeForgotten(path, ["/w/shop"]);
  daemon.now();
  for (const text of ['["/w/sh', '["relative"]', '{"a": 1}']) {
    writeFileSync(path, text);
    expect(readForgotten(path)).toMatchObject({ kind: "broken" });
    daemon.now();
    expect([...daemon.now()]).toEqual(["/w/shop"]);
  }
  expect(notes).toHaveLength(3);
  expect(notes[0]).toContain("its content is not valid");
});
