/** Calls of components, each in a child of its own. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CallEffects,
  callPlugin,
  callPluginEach,
  type Component,
  transpiledFolder,
} from "../../src/plugins/call.ts";
import { hashOf } from "../../src/plugins/kept-folder.ts";
import type { PluginRequest, Value } from "../../src/plugins/plan.ts";
import { transpilerFolder } from "../../src/plugins/transpiler.ts";
import { command } from "../cli/cli.ts";
import {
  examplePlugin,
  hasTranspiler,
  lackingTranspiler,
  pluginCache,
} from "../support/plugin-calls.ts";

let folder: string;
let component: Component;
let effects: CallEffects;

/** The transpiler is where all tests have it; what is made with it is not. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-calls-"));
  const cache = join(folder, "cache");
  mkdirSync(join(cache, "plugins"), { recursive: true });
  symlinkSync(transpilerFolder(pluginCache), transpilerFolder(cache));
  const path = join(folder, "redis.wasm");
  cpSync(examplePlugin("redis"), path);
  component = { path, sha256: hashOf(readFileSync(path)) };
  effects = { cache, env: {}, ownProgram: (words) => command(...words) };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const context = { workspaceId: "shop", root: "/projects/shop" };
const detect = (type: string): PluginRequest => ({
  ...{ kind: "detect", context, spec: { name: "db", type, dependsOn: [], config: [] } },
});
const known = { kind: "answer", value: "Redis in a container" } as const;

describe.skipIf(!hasTranspiler())(`a call${lackingTranspiler()}`, () => {
  test("of a file with another hash runs nothing", async () => {
    writeFileSync(component.path, readFileSync(examplePlugin("static-site")));
    expect(await callPlugin(component, detect("redis"), effects)).toEqual({
      ...{ kind: "ended", why: "has changed since it was installed, and is not run" },
    });
    rmSync(component.path);
    expect(await callPlugin(component, detect("redis"), effects)).toEqual({
      ...{ kind: "ended", why: `cannot be read: ${component.path}` },
    });
    expect(existsSync(transpiledFolder(component, effects))).toBe(false);
  });

  test("asks several questions of one child, in their order", async () => {
    const requests = ["redis", "smtp", "redis"].map(detect);
    expect(await callPluginEach(component, requests, effects)).toEqual({
      ...{ kind: "answers", values: [known.value, null, known.value] },
    });
  });

  test("is answered where four at once are the first ones", async () => {
    const calls = Array.from({ length: 4 }, () => callPlugin(component, detect("redis"), effects));
    expect(await Promise.all(calls)).toEqual([known, known, known, known]);
  });

  test.each(["plugin.mjs", "plugin.core.wasm", "files.json"])(
    "makes what it runs anew where %s was damaged",
    async (name) => {
      await callPlugin(component, detect("redis"), effects);
      const path = join(transpiledFolder(component, effects), name);
      writeFileSync(path, "throw new Error('not ours')");
      expect(await callPlugin(component, detect("redis"), effects)).toEqual(known);
      expect(readFileSync(path, "utf8")).not.toStartWith("throw");
    },
  );

  test("passes values of every kind", async () => {
    const values: Value[] = [
      { kind: "null" },
      { kind: "boolean", value: true },
      { kind: "text", value: "7" },
      { kind: "signed", value: -(2n ** 62n) },
      { kind: "unsigned", value: 2n ** 63n },
      { kind: "float", value: 1.5 },
      { kind: "bytes", value: new Uint8Array([0, 255]) },
      { kind: "path", value: "a/b" },
      { kind: "url", value: "http://shop.test/" },
      { kind: "datetime", value: "2026-01-01T00:00:00Z" },
    ];
    const requests = values.map((value): PluginRequest => {
      const config = [[value.kind, value]] as const;
      const spec = { name: "db", type: "redis", dependsOn: [], config };
      return { kind: "apply", context, spec, irVersions: [1], granted: [] };
    });
    // Keys that the plugin does not know: it has read each of them.
    expect(await callPluginEach(component, requests, effects)).toMatchObject({
      kind: "answers",
      values: values.map(({ kind }) => ({
        tag: "err",
        val: { errors: [expect.stringContaining(`no key ${kind};`)] },
      })),
    });
  });
});
