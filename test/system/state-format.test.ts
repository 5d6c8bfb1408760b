/** Forms of state files: an older one is read and kept, a newer one is left alone. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  formedText,
  inForm,
  listUnder,
  newerFiles,
  onlyVersioned,
  type StateFormat,
  writeFormed,
} from "../../src/system/state-format.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-form-"));
  path = join(folder, "value.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Three forms: a number, a number with a name, a list of them. */
const format: StateFormat = [
  (value) => (typeof value === "number" ? { count: value } : value),
  (value) => ({ counts: [(value as { count: number }).count] }),
];

test.each([
  ["of no version goes through every step", 7, { counts: [7] }, true],
  ["of form 1 goes through those behind it", { version: 1, count: 7 }, { counts: [7] }, true],
  [
    "of the present form is as it is",
    { version: 2, counts: [7] },
    { version: 2, counts: [7] },
    false,
  ],
  ["with a version that is no number has none", { version: "9", count: 7 }, { counts: [7] }, true],
  ["with a version below 1 has none", { version: -1, count: 7 }, { counts: [7] }, true],
])("a value %s", (_, before, value, isOlder) => {
  expect(inForm(before, { path, format })).toEqual({ kind: "value", value, isOlder });
});

test("lists get a key, and what is no list is left to the check", () => {
  const its = { path, format: listUnder("folders") };
  expect(inForm(["/a"], its)).toMatchObject({ value: { folders: ["/a"] }, isOlder: true });
  expect(inForm("x", its)).toMatchObject({ value: "x" });
  expect(inForm(null, its)).toMatchObject({ value: null });
});

test("the text has the version in front, and is read as the present form", () => {
  const text = formedText({ counts: [1] }, format);
  expect(text).toStartWith('{\n  "version": 2,\n');
  expect(inForm(JSON.parse(text), { path, format })).toMatchObject({ isOlder: false });
});

test("an older file is kept as .bak, a broken one is replaced, and a newer one stays", async () => {
  writeFileSync(path, "[1]", { mode: 0o600 });
  await writeFormed({ counts: [2] }, { path, format });
  expect(readFileSync(`${path}.bak`, "utf8")).toBe("[1]");
  expect(readFileSync(path, "utf8")).toBe(formedText({ counts: [2] }, format));
  rmSync(`${path}.bak`);
  await writeFormed({ counts: [3] }, { path, format });
  writeFileSync(path, "{");
  await writeFormed({ counts: [4] }, { path, format });
  expect(existsSync(`${path}.bak`)).toBe(false);
  const newer = '{"version":3}';
  writeFileSync(path, newer);
  expect(writeFormed({ counts: [5] }, { path, format })).rejects.toThrow(
    `${path} stays as it is: it was written by a newer localhostess (form 3; this one knows up to 2)`,
  );
  expect(readFileSync(path, "utf8")).toBe(newer);
});

test("newer files are found among all of them, each with the way out", () => {
  const other = join(folder, "other.json");
  writeFileSync(path, '{"version":2}', { mode: 0o600 });
  writeFileSync(other, "broken", { mode: 0o600 });
  const all = [path, other, join(folder, "missing.json")];
  expect(newerFiles(all.map((its) => ({ path: its, format: onlyVersioned })))).toEqual([
    `${path}: it was written by a newer localhostess (form 2; this one knows up to 1); ` +
      `use that version (localhostess upgrade), or begin anew: mv ${path} ${path}.newer`,
  ]);
});
