/** A PATH -> programs: those that are the same wherever a person stands. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { searchPath, whereIs } from "../../src/system/search-path.ts";

let directory: string;

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "localhostess-search-path-")));
  for (const place of ["bin", "project/node_modules/.bin"]) {
    await mkdir(join(directory, place), { recursive: true });
    await writeFile(join(directory, place, "tool"), "#!/bin/sh\n");
    await chmod(join(directory, place, "tool"), 0o755);
  }
});

afterAll(() => rm(directory, { recursive: true, force: true }));

test("absolute entries stay, in their order", () => {
  const PATH = "/home/ada/bin:/usr/local/bin:/usr/bin:/home/ada/node_modules.d/.bin";
  expect(searchPath(PATH)).toBe(PATH);
});

test("empty and relative entries go, and so does every project's node_modules/.bin", () => {
  for (const entry of [
    "",
    ".",
    "./",
    "..",
    "bin",
    "./node_modules/.bin",
    "~/bin",
    "/shop/node_modules/.bin",
    "/shop/node_modules/.bin/",
    "/node_modules/.bin/deeper",
  ]) {
    for (const PATH of [`${entry}:/usr/bin`, `/usr/bin:${entry}`, `${entry}:${entry}:/usr/bin`]) {
      expect(searchPath(PATH)).toBe("/usr/bin");
    }
    expect(searchPath(entry)).toBe("");
  }
  expect(searchPath(undefined)).toBe("");
});

test("a program is found by an absolute entry alone", () => {
  const bin = join(directory, "bin");
  const project = join(directory, "project/node_modules/.bin");
  const hostile = [relative(process.cwd(), bin), relative(process.cwd(), project), project, ""];
  expect(Bun.which("tool", { PATH: hostile[0]! })).not.toBeNull();
  for (const PATH of hostile) expect(whereIs("tool", PATH)).toBeUndefined();
  expect(whereIs("tool", undefined)).toBeUndefined();
  expect(whereIs("tool", [...hostile, bin].join(":"))).toBe(join(bin, "tool"));
});
