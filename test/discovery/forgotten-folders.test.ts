/** The file of forgotten folders, written by a command and read by a daemon that runs -> the same folders. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  changeForgotten,
  forgottenFolders,
  forgottenPath,
  readForgotten,
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
  expect(await changeForgotten(path, () => ["/w/shop"])).toBeUndefined();
  expect([...daemon.now()]).toEqual(["/w/shop"]);
  expect(daemon.now()).toBe(daemon.now());
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await changeForgotten(path, () => [])).toBeUndefined();
  expect([...daemon.now()]).toEqual([]);
  expect(notes).toEqual([]);
});

test("a broken file changes nothing, and is told once", async () => {
  const { path, notes, daemon } = place();
  await changeForgotten(path, () => ["/w/shop"]);
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

test("two commands at once both count", async () => {
  const { path, daemon } = place();
  const all = ["/w/a", "/w/b", "/w/c", "/w/d"];
  await Promise.all(all.map((one) => changeForgotten(path, (before) => [...before, one])));
  expect([...daemon.now()].sort()).toEqual(all);
});

test("a broken file is not written over", async () => {
  const { path } = place();
  writeFileSync(path, '["/w/sh');
  expect(await changeForgotten(path, () => [])).toContain("its content is not valid");
  expect(readFileSync(path, "utf8")).toBe('["/w/sh');
});
