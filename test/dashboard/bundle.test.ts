/** The page's script: built once, kept, and built again where what is kept cannot be used. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageScript } from "../../src/dashboard/bundle.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-bundle-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function scriptFrom(source: string, options: { cache?: string; version?: string } = {}) {
  const notes: string[] = [];
  writeFileSync(join(folder, "main.tsx"), source);
  const cache = options.cache ?? join(folder, "cache");
  const script = pageScript({
    cache,
    version: options.version ?? "1",
    sources: folder,
    note: (text) => notes.push(text),
  });
  return { notes, cache, script, text: async () => Buffer.from(await script()).toString() };
}

test("it is built, kept by the hash of its sources, and found by the next daemon", async () => {
  const first = scriptFrom("console.log('one' + 'two')");
  expect(await first.text()).toContain("onetwo");
  const [kept, ...others] = readdirSync(first.cache);
  expect(kept).toMatch(/^page-[0-9a-f]{24}\.js$/);
  expect(others).toEqual([]);
  writeFileSync(join(first.cache, kept!), "found");
  expect(await scriptFrom("console.log('one' + 'two')").text()).toBe("found");
});

test("other sources or another version are built anew, and what was kept before is removed", async () => {
  await scriptFrom("console.log(1)").text();
  const [before] = readdirSync(join(folder, "cache"));
  expect(await scriptFrom("console.log(2)").text()).toContain("2");
  expect(await scriptFrom("console.log(2)", { version: "2" }).text()).toContain("2");
  const after = readdirSync(join(folder, "cache"));
  expect(after).toHaveLength(1);
  expect(after).not.toContain(before!);
});

test("where it cannot be kept it is served all the same, and the note says why", async () => {
  const blocked = join(folder, "file");
  writeFileSync(blocked, "");
  const its = scriptFrom("console.log('here')", { cache: blocked });
  expect(await its.text()).toContain("here");
  expect(its.notes.join()).toContain(blocked);
});

test("an empty file that was left by a full disk is not served", async () => {
  const first = scriptFrom("console.log('whole')");
  await first.text();
  const [kept] = readdirSync(first.cache);
  writeFileSync(join(first.cache, kept!), "");
  expect(await scriptFrom("console.log('whole')").text()).toContain("whole");
  expect(readFileSync(join(first.cache, kept!), "utf8")).toContain("whole");
});

test("sources that cannot be built are an error that says why, and are tried again", async () => {
  const its = scriptFrom("const = 1");
  await expect(its.script()).rejects.toThrow(/could not be built.*error/s);
  writeFileSync(join(folder, "main.tsx"), "console.log('mended')");
  expect(await its.text()).toContain("mended");
});

test("a hundred that ask at once have one build", async () => {
  const its = scriptFrom("console.log('once')");
  const all = await Promise.all(Array.from({ length: 100 }, () => its.script()));
  expect(new Set(all).size).toBe(1);
});

test("the page itself builds, is small, and fetches nothing from elsewhere", async () => {
  const script = await pageScript({ cache: join(folder, "cache"), version: "0", note() {} })();
  expect(script.length).toBeLessThan(80_000);
  const text = Buffer.from(script).toString();
  expect(text).not.toContain("jsxDEV");
  expect(text).not.toMatch(/\beval\(|new Function\(/);
  const urls = [...text.matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([url]) => url);
  expect(urls.filter((url) => !url.includes("www.w3.org") && !url.includes("localhost"))).toEqual(
    [],
  );
});
