import { afterEach, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import { jsonFile } from "../../src/system/json-file.ts";
import { onlyVersioned } from "../../src/system/state-format.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function made() {
  const folder = mkdtempSync(join(tmpdir(), "json-file-"));
  folders.push(folder);
  const path = join(folder, "value.json");
  const notes: string[] = [];
  const file = jsonFile<{ count: number }>({
    path,
    format: onlyVersioned,
    clock: systemClock,
    check(value) {
      const count = (value as { count?: unknown } | null)?.count;
      return typeof count === "number" ? { count } : undefined;
    },
    note: (text) => void notes.push(text),
  });
  return { folder, path, notes, file };
}

test("what was saved is read again, from a file that its owner alone reads", async () => {
  const { file, path, notes } = made();
  expect(await file.read()).toBeUndefined();
  file.save(() => ({ count: 3 }));
  await file.flush();
  expect(await file.read()).toEqual({ count: 3 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(notes).toEqual([]);
});

test("many changes at once are written as the last one, and those during a write after it", async () => {
  const { file, path, folder } = made();
  let count = 0;
  let asked = 0;
  for (let at = 0; at < 1000; at++) {
    count = at;
    file.save(() => {
      asked += 1;
      return { count };
    });
  }
  const first = file.flush();
  file.save(() => ({ count: 5000 }));
  await first;
  await file.flush();
  expect(asked).toBeLessThan(3);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ version: 1, count: 5000 });
  expect(readdirSync(folder)).toEqual(["value.json"]);
});

test.each([
  ["cut in half", '{"count": '],
  ["empty", ""],
  ["of another shape", '{"count": "three"}'],
  ["no object", "null"],
])("a file that is %s is kept aside, told of, and not used", async (_, text) => {
  const { file, path, folder, notes } = made();
  writeFileSync(path, text);
  expect(await file.read()).toBeUndefined();
  const [aside] = readdirSync(folder);
  expect(aside).toStartWith("value.json.broken-");
  expect(readFileSync(join(folder, aside!), "utf8")).toBe(text);
  expect(notes[0]).toContain(join(folder, aside!));
  file.save(() => ({ count: 1 }));
  await file.flush();
  expect(await file.read()).toEqual({ count: 1 });
});

test("a place that cannot be written is told of once, and tried again", async () => {
  const { file, path, notes } = made();
  mkdirSync(path);
  for (let at = 0; at < 3; at++) {
    file.save(() => ({ count: at }));
    await file.flush();
  }
  expect(notes.length).toBe(1);
  rmSync(path, { recursive: true });
  file.save(() => ({ count: 9 }));
  await file.flush();
  expect(await file.read()).toEqual({ count: 9 });
});

test("a file without a version is read, and kept as .bak when the file is written in the present form", async () => {
  const { file, path } = made();
  const before = '{"count":3}';
  writeFileSync(path, before, { mode: 0o600 });
  expect(await file.read()).toEqual({ count: 3 });
  expect(readFileSync(path, "utf8")).toBe(before);
  file.save(() => ({ count: 4 }));
  await file.flush();
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ version: 1, count: 4 });
  expect(readFileSync(`${path}.bak`, "utf8")).toBe(before);
  expect(statSync(`${path}.bak`).mode & 0o777).toBe(0o600);
  file.save(() => ({ count: 5 }));
  await file.flush();
  expect(readFileSync(`${path}.bak`, "utf8")).toBe(before);
});

test("a file that a newer version has written is not used, told of with the way out, and never written to", async () => {
  const { file, path, notes, folder } = made();
  const newer = '{"version":2,"counts":[3]}';
  writeFileSync(path, newer, { mode: 0o600 });
  expect(await file.read()).toBeUndefined();
  expect(notes).toEqual([
    `${path} is not used: it was written by a newer localhostess (form 2; this one knows up to 1); ` +
      `use that version (localhostess upgrade), or begin anew: mv ${path} ${path}.newer`,
  ]);
  file.save(() => ({ count: 4 }));
  await file.flush();
  file.save(() => ({ count: 5 }));
  await file.flush();
  expect(notes).toHaveLength(2);
  expect(notes[1]).toStartWith(`${path} stays as it is: `);
  expect(readFileSync(path, "utf8")).toBe(newer);
  expect(readdirSync(folder)).toEqual(["value.json"]);
});
