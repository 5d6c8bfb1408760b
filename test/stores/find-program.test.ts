/** Installed programs of stores, by their names and what they say of themselves. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, isVersion } from "../../src/stores/servers/find-program.ts";
import type { StoreServer } from "../../src/stores/servers/server.ts";

const root = mkdtempSync(join(tmpdir(), "localhostess-programs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** No program of the system has this name. */
const name = "localhostess-test-server";
const server: StoreServer = {
  ...{ title: "Test", programs: [name], folders: () => [], asksVersion: ["--version"] },
  versionIn: (said) => /^Test (\S+)/.exec(said)?.[1],
  getting: "install it",
  start: () => ({ words: [], env: {}, files: {} }),
  inContainer() {
    throw new Error("nobody asks");
  },
};

function folder(its: string, script: string): string {
  const path = join(root, its);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(path, name), 0o755);
  return path;
}

const seven = folder("seven", 'echo "Test 7.0.15"');
const eight = folder("eight", 'echo "Test 8.2"');
const another = folder("another", 'echo "Other 8.2"');
const broken = folder("broken", "exit 1");

const at = (...folders: string[]) => ({ env: { PATH: folders.join(":") } });

test("the first that has the version is taken, wherever in PATH it is", async () => {
  const found = (version: string | undefined) =>
    findProgram(server, { version, ...at(another, broken, seven, eight) });
  expect(await found(undefined)).toMatchObject({ path: join(seven, name), version: "7.0.15" });
  expect(await found("7")).toMatchObject({ path: join(seven, name) });
  expect(await found("7.0")).toMatchObject({ path: join(seven, name) });
  expect(await found("8")).toMatchObject({ path: join(eight, name) });
});

test("where none has it, the sentence says which one there is, or how to get one", async () => {
  expect(await findProgram(server, { version: "6", ...at(seven) })).toEqual({
    kind: "none",
    why: `Test 6 is not installed (${join(seven, name)} is 7.0.15)`,
  });
  expect(await findProgram(server, { version: "6", ...at(another, broken) })).toEqual({
    kind: "none",
    why: "Test is not installed (install it)",
  });
});

test("a program of the project's own node_modules is not taken, nor one of a relative PATH", async () => {
  const bin = folder("node_modules/.bin", 'echo "Test 9"');
  const found = await findProgram(server, { version: undefined, ...at(bin, ".", "") });
  expect(found.kind).toBe("none");
});

test("7.0.15 is a 7 and a 7.0, and no 7.0.1", () => {
  expect(["7", "7.0", "7.0.15"].map((its) => isVersion("7.0.15", its))).toEqual([true, true, true]);
  expect(["7.0.1", "70", "", "8"].map((its) => isVersion("7.0.15", its))).not.toContain(true);
});
