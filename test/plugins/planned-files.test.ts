/** Files of plans in a project's folder, and what is known of them when the work ends in its midst. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf, isUnchanged, putFiles, type Written } from "../../src/plugins/planned-files.ts";

let directory = "";
let kept: Written = { files: [], folders: [] };
let records = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "planned-"));
  kept = { files: [], folders: [] };
  records = 0;
});
afterEach(() => rmSync(directory, { recursive: true }));

/** `ends`: the record at which the program is killed. */
async function put(contents: string | undefined, { ends }: { ends?: number } = {}) {
  const wanted = contents === undefined ? [] : [{ service: "cache", path: "a/conf", contents }];
  return await putFiles(wanted, {
    ...{ directory, before: kept },
    async record(written) {
      records += 1;
      kept = written;
      if (records === ends) throw new Error("killed");
    },
  });
}

const path = () => join(directory, "a/conf");
const hashes = () => kept.files.map((its) => its.hashes);

test("a file is known before it is written, so that a kill between both loses track of nothing", async () => {
  await expect(put("one", { ends: 1 })).rejects.toThrow("killed");
  expect(hashes()).toEqual([[hashOf("one")]]);
  expect(await put("one")).toEqual({ written: ["a/conf"], removed: [], left: [] });
});

test("killed while a file is being replaced, both texts are ours", async () => {
  await put("one");
  records = 0;
  await expect(put("two", { ends: 1 })).rejects.toThrow("killed");
  expect(hashes()).toEqual([[hashOf("two"), hashOf("one")]]);
  expect(readFileSync(path(), "utf8")).toBe("one");
  await put("two");
  expect(readFileSync(path(), "utf8")).toBe("two");
  expect(hashes()).toEqual([[hashOf("two")]]);
});

test("what a killed process has left beside a file goes with the next write, or with the file", async () => {
  const left = () => `${path()}.123.${crypto.randomUUID()}.tmp`;
  await put("one");
  const others = [`${path()}.tmp`, `${path()}.1.tmp`, left().replace("conf", "other")];
  for (const file of [left(), ...others]) writeFileSync(file, "o");
  await put("two");
  expect(readdirSync(join(directory, "a")).length).toBe(1 + others.length);
  writeFileSync(left(), "t");
  await put(undefined);
  expect(readdirSync(join(directory, "a")).length).toBe(others.length);
});

test("killed before a file is removed, it is removed the next time, with its folder", async () => {
  await put("one");
  records = 0;
  await expect(put(undefined, { ends: 1 })).rejects.toThrow("killed");
  expect(await put(undefined)).toMatchObject({ removed: ["a/conf"] });
  expect(kept).toEqual({ files: [], folders: [] });
});

test("a file of the same text that a person has made stays theirs", async () => {
  await mkdir(join(directory, "a"));
  writeFileSync(path(), "one");
  expect(await put("one")).toEqual({ written: [], removed: [], left: [] });
  await put(undefined);
  expect(readFileSync(path(), "utf8")).toBe("one");
});

test("others may read what is written, as a server in a container does", async () => {
  await put("one");
  expect(statSync(path()).mode & 0o777).toBe(0o644);
});

test("a folder, or a file in the place of a folder, is not replaced", async () => {
  writeFileSync(join(directory, "a"), "");
  expect((await put("one")).left).toEqual(["a/conf is not written: a is not a folder"]);
  rmSync(join(directory, "a"));
  await mkdir(path(), { recursive: true });
  expect((await put("one")).left).toEqual(["a/conf is not written: a folder is there"]);
});

test("a file that the system refuses is told, written the next time, and stops no other one", async () => {
  const isRoot = process.getuid?.() === 0;
  const name = isRoot ? "x".repeat(300) : "a/conf";
  if (!isRoot) await mkdir(join(directory, "a"), { mode: 0o500 });
  const wanted = [name, "b"].map((its) => ({ service: "cache", path: its, contents: "one" }));
  const news = await putFiles(wanted, {
    ...{ directory, before: kept },
    async record(written) {
      kept = written;
    },
  });
  expect(news.written).toEqual(["b"]);
  expect(news.left).toEqual([
    expect.stringMatching(/ is not written: the system refuses it \(E[A-Z]+\)$/),
  ]);
  if (isRoot) return;
  chmodSync(join(directory, "a"), 0o700);
  expect((await put("one")).written).toEqual(["a/conf"]);
});

test("a file or a link that comes while others are written is not written over, nor through", async () => {
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  try {
    const meanwhile = [
      () => writeFileSync(join(directory, "b"), "mine"),
      () => symlinkSync(outside, join(directory, "a")),
    ];
    const wanted = ["a/conf", "b"].map((its) => ({ service: "cache", path: its, contents: "one" }));
    const { written, left } = await putFiles(wanted, {
      ...{ directory, before: kept },
      async record() {
        for (const change of meanwhile.splice(0)) change();
      },
    });
    expect(written).toEqual([]);
    expect(left).toEqual([
      "a/conf is not written: a is a symbolic link",
      "b is not written: it has changed meanwhile",
    ]);
    expect(existsSync(join(outside, "conf"))).toBe(false);
    expect(readFileSync(join(directory, "b"), "utf8")).toBe("mine");
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test("a folder behind a link that has come meanwhile is not removed", async () => {
  await put("one");
  kept = { ...kept, folders: ["a", "a/below"] };
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  try {
    await mkdir(join(outside, "below"));
    rmSync(join(directory, "a"), { recursive: true });
    symlinkSync(outside, join(directory, "a"));
    const { left } = await put(undefined);
    expect(left).toEqual(["a/conf stays: a is a symbolic link"]);
    expect(existsSync(join(outside, "below"))).toBe(true);
  } finally {
    rmSync(outside, { recursive: true });
  }
});

test("a file is unchanged as long as it has a text of ours", async () => {
  await put("one");
  const [file] = kept.files;
  expect(await isUnchanged(file!, directory)).toBe(true);
  writeFileSync(path(), "mine");
  expect(await isUnchanged(file!, directory)).toBe(false);
});
