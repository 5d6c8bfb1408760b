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
    clock: systemClock,
    check: (value) =>
      typeof (value as { count?: unknown } | null)?.count === "number"
        ? (value as { count: number })
        : undefined,
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
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ count: 5000 });
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
