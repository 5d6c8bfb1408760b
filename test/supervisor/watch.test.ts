import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchFiles, watchGlobs } from "../../src/supervisor/project/watch.ts";
import { type Cancel, systemClock as clock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import { turn } from "../support/turn.ts";

const cancels: Cancel[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const cancel of cancels.splice(0)) cancel();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "watch-"));
  folders.push(made);
  return made;
}

function files(paths: readonly string[]): string[][] {
  const told: string[][] = [];
  const onChange = (its: readonly string[]) => void told.push([...its]);
  cancels.push(watchFiles(paths, { clock, note() {}, quiet: 30, onChange }));
  return told;
}

function globs(patterns: readonly string[], at: string): string[][] {
  const told: string[][] = [];
  const onChange = (its: readonly string[]) => void told.push([...its].sort());
  cancels.push(watchGlobs(patterns, { clock, note() {}, quiet: 30, folder: at, onChange }));
  return told;
}

test("a file that is written, replaced, removed or made is told of, once for many writes", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  const env = join(at, ".env");
  writeFileSync(path, "1");
  const told = files([path, env]);
  for (let count = 0; count < 20; count++) writeFileSync(path, `${count}`);
  await eventually("written", () => told.length === 1);
  writeFileSync(join(at, "other"), "other");
  renameSync(join(at, "other"), path);
  await eventually("replaced", () => told.length === 2);
  rmSync(path);
  await eventually("removed", () => told.length === 3);
  writeFileSync(env, "A=1");
  await eventually("made", () => told.length === 4);
  expect(told).toEqual([[path], [path], [path], [env]]);
});

test("a neighbour is nobody's business", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  const told = files([path]);
  writeFileSync(join(at, "neighbour"), "x");
  writeFileSync(path, "x");
  await eventually("told", () => told.length > 0);
  expect(told).toEqual([[path]]);
});

test("in a folder that comes later, a file is seen too", async () => {
  const at = folder();
  const path = join(at, "later", ".env");
  const told = files([path]);
  mkdirSync(join(at, "later"));
  writeFileSync(path, "A=1");
  await eventually("told", () => told.length > 0);
  expect(told).toEqual([[path]]);
});

test("globs tell of what matches, in folders of then and of now, and of nothing else", async () => {
  const at = folder();
  mkdirSync(join(at, "src/deep"), { recursive: true });
  mkdirSync(join(at, "src/node_modules/x"), { recursive: true });
  mkdirSync(join(at, "other"));
  const told = globs(["src/**/*.py", "./conf.json"], at);
  await turn();
  writeFileSync(join(at, "src/deep/a.txt"), "no");
  writeFileSync(join(at, "src/node_modules/x/a.py"), "no");
  writeFileSync(join(at, "other/a.py"), "no");
  writeFileSync(join(at, "src/deep/a.py"), "yes");
  writeFileSync(join(at, "conf.json"), "yes");
  await eventually("told", () => told.length > 0);
  expect(told).toEqual([["conf.json", "src/deep/a.py"]]);
  mkdirSync(join(at, "src/new/inner"), { recursive: true });
  writeFileSync(join(at, "src/new/inner/b.py"), "yes");
  await eventually("told", () => told.length > 1);
  expect(told[1]).toEqual(["src/new/inner/b.py"]);
});

test("after a cancel nothing is told, also of what has happened already", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  const told = files([path]);
  const seen = files([path]);
  writeFileSync(path, "x");
  cancels.shift()!();
  await eventually("the other is told", () => seen.length > 0);
  expect(told).toEqual([]);
});

test("a path that cannot be looked at keeps no other from being watched: links in a circle, a file for a folder", async () => {
  const at = folder();
  const circle = join(at, ".env");
  const file = join(at, "locald.toml");
  writeFileSync(file, "1");
  const told = files([circle, join(file, "under"), file]);
  // As a branch may bring it: git keeps such links.
  symlinkSync(".env", circle);
  writeFileSync(file, "2");
  await eventually("the file is told of", () => told.flat().includes(file));
  rmSync(circle);
  writeFileSync(circle, "A=1");
  await eventually("what took the circle's place is told of", () => told.flat().includes(circle));
});

test("links are not followed, whether they go in a circle or to another folder", async () => {
  const at = folder();
  const elsewhere = folder();
  const told = globs(["**/*.ts"], at);
  symlinkSync("circle", join(at, "circle"));
  symlinkSync(elsewhere, join(at, "elsewhere"));
  mkdirSync(join(at, "new"));
  writeFileSync(join(at, "new/a.ts"), "");
  await eventually("the new folder is watched", () => told.flat().includes("new/a.ts"));
  writeFileSync(join(elsewhere, "b.ts"), "");
  writeFileSync(join(at, "new/c.ts"), "");
  await eventually("it still is", () => told.flat().includes("new/c.ts"));
  expect(told.flat()).not.toContain("elsewhere/b.ts");
});
