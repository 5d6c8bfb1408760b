import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKept, keepFolder, keptFiles } from "../../src/plugins/kept-folder.ts";

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "localhostess-kept-"));
  folder = join(parent, "below", "kept");
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const files = new Map([
  ["a.wasm", new Uint8Array([1, 2, 3])],
  ["b.mjs", new TextEncoder().encode("export {}")],
]);

test("files come back as they were, and are the person's alone", async () => {
  expect(isKept(folder)).toBe(false);
  expect(await keptFiles(folder)).toBeUndefined();
  keepFolder(folder, files);
  expect(isKept(folder)).toBe(true);
  const kept = [...(await keptFiles(folder))!].map(([name, bytes]) => [name, [...bytes]]);
  expect(kept).toEqual([...files].map(([name, bytes]) => [name, [...bytes]]));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "a.wasm")).mode & 0o777).toBe(0o600);
});

test("a second one changes nothing, and leaves nothing", () => {
  keepFolder(folder, files);
  keepFolder(folder, new Map([["a.wasm", new Uint8Array([9])]]));
  expect(readdirSync(join(parent, "below"))).toEqual(["kept"]);
  expect(readdirSync(folder).sort()).toEqual(["a.wasm", "b.mjs", "files.json"]);
});

test("a folder that others may write, or a link to one, is not used, and replaced", async () => {
  keepFolder(folder, files);
  chmodSync(folder, 0o777);
  expect(isKept(folder)).toBe(false);
  expect(await keptFiles(folder)).toBeUndefined();
  keepFolder(folder, files);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const other = join(parent, "other");
  renameSync(folder, other);
  symlinkSync(other, folder);
  expect(isKept(folder)).toBe(false);
  keepFolder(folder, files);
  expect(lstatSync(folder).isDirectory()).toBe(true);
  expect(isKept(folder)).toBe(true);
});

const damages: Readonly<Record<string, () => void>> = {
  "a file that is another": () => writeFileSync(join(folder, "a.wasm"), "other"),
  "a file that is empty": () => writeFileSync(join(folder, "b.mjs"), ""),
  "a file that is missing": () => rmSync(join(folder, "b.mjs")),
  "a list that was cut off": () => writeFileSync(join(folder, "files.json"), '{"a.wasm":'),
  "no list": () => rmSync(join(folder, "files.json")),
};

for (const [name, damage] of Object.entries(damages)) {
  test(`${name} makes all of it unusable`, async () => {
    keepFolder(folder, files);
    damage();
    expect(await keptFiles(folder)).toBeUndefined();
  });
}

test("what a killed process has left is swept an hour later, and not before", () => {
  const [old, young] = ["x.1-a.tmp", "x.1-b.tmp"].map((name) => join(parent, "below", name));
  for (const path of [old!, young!]) mkdirSync(path, { recursive: true });
  const before = Date.now() / 1000 - 3700;
  utimesSync(old!, before, before);
  keepFolder(folder, files);
  expect(readdirSync(join(parent, "below")).sort()).toEqual(["kept", "x.1-b.tmp"]);
});
