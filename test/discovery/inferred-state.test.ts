/** The file of folders' names, whatever has happened to it -> names, or none and a note. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inferredFile, inferredPath, readInferred } from "../../src/discovery/inferred-state.ts";
import { systemClock } from "../../src/system/clock.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

const entry = { scope: "", folder: "/w/shop", id: "", wanted: "shop", label: "shop-2", day: 9 };
const state = [entry];

function place() {
  const folder = mkdtempSync(join(tmpdir(), "folder-names-"));
  made.push(folder);
  const notes: string[] = [];
  const path = inferredPath(folder);
  return { path, notes, read: () => readInferred(path, (text) => notes.push(text)) };
}

test("names are read again as they were written, from a file that nobody else reads", async () => {
  const { path, notes, read } = place();
  expect(read()).toEqual([]);
  const file = inferredFile({ path, clock: systemClock, note: (text) => notes.push(text) });
  file.save(state);
  await file.flush();
  expect(read()).toEqual(state);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(notes).toEqual([]);
});

test.each([
  ["", /its content is not valid/],
  ['[{"scope": "", ', /its content is not valid/],
  [JSON.stringify([{ ...entry, label: "a.b" }]), /not valid/],
  [JSON.stringify([{ ...entry, label: "<script>" }]), /not valid/],
  [JSON.stringify([{ ...entry, day: "x" }]), /not valid/],
  [JSON.stringify({ names: [] }), /not valid/],
  [JSON.stringify(Array(1001).fill(entry)), /not valid/],
  [JSON.stringify([null]), /not valid/],
  ["null", /not valid/],
])("a file with %j holds no names, and a note says so", (text, why) => {
  const { path, notes, read } = place();
  writeFileSync(path, text, { mode: 0o600 });
  expect(read()).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(why)]);
});

test("a file that others may write, or that a link leads to, is not believed", () => {
  const open = place();
  writeFileSync(open.path, JSON.stringify(state));
  chmodSync(open.path, 0o666);
  expect(open.read()).toEqual([]);
  expect(open.notes).toEqual([expect.stringContaining("another user owns it, or may write it")]);
  const link = place();
  symlinkSync(open.path, link.path);
  expect(link.read()).toEqual([]);
  expect(link.notes).toHaveLength(1);
});
