/** docs/security.md: every row names a test that is there. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const document = readFileSync(join(root, "docs/security.md"), "utf8");

/** The last cell of each row: a file below test/ without its ending, and a part of a test's name in it. */
const rows = document.split("\n").flatMap((line) => {
  if (!line.startsWith("| ") || /^\| -+ \|/.test(line)) return [];
  const last = line
    .split(" | ")
    .at(-1)!
    .replace(/\|\s*$/, "")
    .trim();
  return last === "test" ? [] : [last];
});

test("the document has rows for every actor", () => {
  expect(rows.length).toBeGreaterThan(50);
});

test.each(rows)("%s", (cell) => {
  const [, file, name] = /^`([^`]+)`: (.+)$/.exec(cell) ?? [];
  expect([cell, typeof name]).toEqual([cell, "string"]);
  const path = join(root, "test", `${file}.test.ts`);
  expect([file, existsSync(path)]).toEqual([file, true]);
  // A name may be put together in the file; what is named stands in one piece.
  expect(readFileSync(path, "utf8")).toContain(name!);
});
