/** What config.toml says of names, read again whenever the file changes. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configuredNames } from "../../src/daemon/configured-names.ts";

function scene() {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-names-"));
  const file = join(folder, "config.toml");
  const notes: string[] = [];
  const names = configuredNames(file, (text) => notes.push(text));
  return { file, names, notes, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test("a file that is written, changed and removed counts each time", () => {
  using its = scene();
  expect(its.names.now().all).toEqual({});
  writeFileSync(its.file, '[names.api]\nguard = "off"\n');
  expect(its.names.now().byName.get("api")).toEqual({ guard: "off" });
  writeFileSync(its.file, 'guard = "strict"\n');
  expect(its.names.now()).toEqual({ all: { guard: "strict" }, byName: new Map() });
  rmSync(its.file);
  expect(its.names.now().all).toEqual({});
  expect(its.notes).toEqual([]);
});

test("another value elsewhere in the file makes no new object, so that no table is made", () => {
  using its = scene();
  writeFileSync(its.file, 'guard = "log"\n');
  const names = its.names.now();
  writeFileSync(its.file, '# Mine.\nport = 8080\nguard = "log"\n');
  expect(its.names.now()).toBe(names);
});

test("a file with errors is told once, and what it said before still counts", () => {
  using its = scene();
  writeFileSync(its.file, 'guard = "log"\n');
  its.names.now();
  writeFileSync(its.file, 'guard = "lgo"\nport = "x"\n');
  expect(its.names.now().all).toEqual({ guard: "log" });
  expect(its.names.now().all).toEqual({ guard: "log" });
  expect(its.notes).toEqual([
    `${its.file}:1 guard: expected "off", "log", "on" or "strict", got "lgo"; names keep the settings that they had`,
    `${its.file}:2 port: expected a number from 0 to 65535, got "x"; names keep the settings that they had`,
  ]);
});
