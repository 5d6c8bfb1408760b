/** Plugins of a person and of a project, and which of them may run with what. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasNamesake, installedPlugins, type Plugin } from "../../src/plugins/installed.ts";
import { hashOf } from "../../src/plugins/kept-folder.ts";

let root: string;
let project: string;
let stateDirectory: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "installed-"));
  project = join(root, "shop");
  stateDirectory = join(root, "state");
  mkdirSync(theirs(), { recursive: true });
  mkdirSync(join(stateDirectory, "plugins"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const theirs = (file = ""): string => join(project, ".locald/plugins", file);
const hash = hashOf(new TextEncoder().encode("one"));

function keep(kept: { plugins?: object; agreed?: object }): void {
  const text = JSON.stringify({ version: 1, plugins: {}, agreed: {}, ...kept });
  writeFileSync(join(stateDirectory, "plugins.json"), text, { mode: 0o600 });
}

async function plugins(): Promise<readonly Plugin[]> {
  const its = await installedPlugins({ stateDirectory, project });
  if (its.kind === "broken") throw new Error(its.why);
  return its.plugins;
}

const rest = { claims: ["exec"], granted: ["write-file"] };

test("a project's plugin that was agreed to is asked about again under another name", async () => {
  writeFileSync(theirs("one.wasm"), "one");
  keep({ agreed: { [hash]: { name: "one", ...rest } } });
  expect(await plugins()).toMatchObject([{ name: "one", state: "ready", ...rest }]);
  renameSync(theirs("one.wasm"), theirs("two.wasm"));
  expect(await plugins()).toMatchObject([
    { name: "two", state: "not agreed", claims: [], granted: [] },
  ]);
});

test("a project's plugin has a namesake where the person has installed one of its name", async () => {
  writeFileSync(theirs("one.wasm"), "one");
  writeFileSync(theirs("two.wasm"), "one");
  writeFileSync(join(stateDirectory, "plugins/one.wasm"), "one");
  keep({ plugins: { one: { sha256: hash, source: "x", ...rest } } });
  const all = await plugins();
  expect(all.map((its) => [its.name, its.from, hasNamesake(its, all)])).toEqual([
    ["one", "project", true],
    ["one", "user", false],
    ["two", "project", false],
  ]);
});
