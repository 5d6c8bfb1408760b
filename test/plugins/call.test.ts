/** Calls of components, each in a child of its own. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  cpSync,
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
  hostilePlugin,
  lackingTranspiler,
  pluginCache,
} from "../support/plugin-calls.ts";

let folder: string;
let component: Component;
let effects: CallEffects;

const context = { workspaceId: "shop", root: "/projects/shop" };
const detect = (type: string): PluginRequest => ({
  ...{ kind: "detect", context, spec: { name: "db", type, dependsOn: [], config: [] } },
});
const known = { kind: "answer", value: "Redis in a container" } as const;

const redis = examplePlugin("redis");
const sha256 = hashOf(readFileSync(redis));
const ownProgram = (words: readonly string[]) => command(...words);

/** What is made of the component, once for all tests. */
let made: string;
beforeAll(async () => {
  if (!hasTranspiler()) return;
  const usual: CallEffects = { cache: pluginCache, env: {}, ownProgram };
  await callPlugin({ path: redis, sha256 }, detect("redis"), usual);
  made = transpiledFolder({ path: redis, sha256 }, usual);
});

/** The transpiler is where all tests have it; what is made with it is each test's own. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-calls-"));
  const cache = join(folder, "cache");
  mkdirSync(join(cache, "plugins"), { recursive: true });
  symlinkSync(transpilerFolder(pluginCache), transpilerFolder(cache));
  const path = join(folder, "redis.wasm");
  cpSync(redis, path);
  component = { path, sha256 };
  effects = { cache, env: {}, ownProgram };
  if (hasTranspiler()) cpSync(made, transpiledFolder(component, effects), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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
  });

  test("asks several questions of one child, in their order", async () => {
    const requests = ["redis", "smtp", "redis"].map(detect);
    expect(await callPluginEach(component, requests, effects)).toEqual({
      ...{ kind: "answers", values: [known.value, null, known.value] },
    });
  });

  test("is answered where two at once are the first ones", async () => {
    rmSync(transpiledFolder(component, effects), { recursive: true });
    const calls = Array.from({ length: 2 }, () => callPlugin(component, detect("redis"), effects));
    expect(await Promise.all(calls)).toEqual([known, known]);
  });

  test.each(["plugin.mjs", "files.json"])(
    "makes what it runs anew where %s was damaged",
    async (name) => {
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

  test("ends a process that makes 5 GiB of a small answer", async () => {
    // 5000 errors, all of them the same MiB, in the place of 100.
    const [hundred, thousands] = [Buffer.from([0x41, 0xe4, 0]), Buffer.from([0x41, 0x88, 0x27])];
    const bytes = readFileSync(hostilePlugin("one-text-100-times"));
    for (let at = bytes.indexOf(hundred); at !== -1; at = bytes.indexOf(hundred)) {
      thousands.copy(bytes, at);
    }
    writeFileSync(component.path, bytes);
    const its = { path: component.path, sha256: hashOf(bytes) };
    const spec = { name: "db", type: "redis", dependsOn: [], config: [] };
    const request = { kind: "apply" as const, context, spec, irVersions: [1], granted: [] };
    const outcome = await callPlugin(its, request, effects);
    // A machine that is busy gets no further than to its time.
    const why = /^(?:used more than 512 MiB of memory|did not answer within 5 s)$/;
    expect(outcome).toEqual({ kind: "ended", why: expect.stringMatching(why) });
  });
});
