/** An order on standard input -> a component transpiled, or calls of it; the answer on standard output. */
import { join } from "node:path";
import { writeSync } from "node:fs";
import { limitThisProcess } from "../system/own-limits.ts";
import { readBeginning } from "../system/read-text.ts";
import { beginsLine, tooLong } from "./bounded-child.ts";
import { boundedModule } from "./bounded-module.ts";
import { asJson, type ChildAnswer, type ChildOrder, longestAnswer } from "./child-order.ts";
import { largestComponent, pluginInterface, readPlugin } from "./component.ts";
import { generateOptions } from "./jco.ts";
import { hashOf, keepFolder, keptFiles } from "./kept-folder.ts";
import type { PluginRequest, PluginSpec, Value } from "./plan.ts";

/** Seconds: where the parent is gone, an endless loop ends all the same. */
const processorTime = { transpile: 60, call: 15 };

/** The file that a transpiled component begins with. */
const mainFile = "plugin.mjs";

/** @returns the exit code. */
export async function runPlugin(): Promise<number> {
  const order = JSON.parse(await Bun.stdin.text()) as ChildOrder;
  limitThisProcess({ processorTime: processorTime[order.kind] });
  let hasBegun = false;
  const begin = (): void => {
    if (!hasBegun) say(beginsLine);
    hasBegun = true;
  };
  let text: string;
  try {
    const answer = order.kind === "transpile" ? transpile(order, begin) : call(order, begin);
    text = asJson(await answer);
    if (text.length > longestAnswer) text = asJson({ kind: "ended", why: tooLong(longestAnswer) });
  } catch (error) {
    text = asJson({ kind: "ended", why: whyOf(error) });
  }
  begin();
  say(text);
  return 0;
}

/** Its message is a clause already. */
class Refusal extends Error {}

function say(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
}

type Bindgen = {
  $init: Promise<void>;
  generate(component: Uint8Array, options: unknown): { files: [string, Uint8Array][] };
};

async function transpile(
  { path, sha256, transpiler, folder }: Extract<ChildOrder, { kind: "transpile" }>,
  begin: () => void,
): Promise<ChildAnswer> {
  const bytes = await readBeginning(path, largestComponent + 1);
  if (bytes === undefined) return { kind: "ended", why: `cannot be read: ${path}` };
  if (hashOf(bytes) !== sha256) return { kind: "ended", why: "was changed while it was read" };
  const read = readPlugin(bytes);
  if (read.kind === "bad") return { kind: "ended", why: read.why };
  if ((await keptFiles(transpiler)) === undefined) return { kind: "damaged", folder: transpiler };
  const bindgen = (await import(join(transpiler, "bindgen.mjs"))) as Bindgen;
  await bindgen.$init;
  begin();
  const files = new Map<string, Uint8Array>();
  for (const [name, its] of bindgen.generate(bytes, generateOptions).files) {
    if (name === "plugin.js") files.set(mainFile, its);
    else if (/^plugin\.core\d*\.wasm$/.test(name)) files.set(name, bounded(its));
  }
  try {
    keepFolder(folder, files);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { kind: "ended", why: `cannot be kept in ${folder} (${code ?? message}); make room` };
  }
  return { kind: "transpiled" };
}

function bounded(module: Uint8Array): Uint8Array {
  const its = boundedModule(module);
  if (its.kind === "bad") throw new Refusal(`cannot be run: ${its.why}`);
  return its.bytes;
}

type Called = Record<string, (...words: unknown[]) => unknown>;
type Instantiate = (
  moduleOf: (name: string) => WebAssembly.Module,
  imports: object,
  instanceOf: (
    module: WebAssembly.Module,
    imports: Parameters<typeof WebAssembly.instantiate>[1],
  ) => unknown,
) => Promise<Record<string, Called>>;

async function call(
  { folder, requests }: Extract<ChildOrder, { kind: "call" }>,
  begin: () => void,
): Promise<ChildAnswer> {
  const files = await keptFiles(folder);
  if (files === undefined) return { kind: "damaged", folder };
  const { instantiate } = (await import(join(folder, mainFile))) as { instantiate: Instantiate };
  const modules = new Map<string, WebAssembly.Module>();
  const withMemory = new Set<WebAssembly.Module>();
  for (const [name, bytes] of files) {
    if (!name.endsWith(".wasm")) continue;
    const module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
    modules.set(name, module);
    const its = boundedModule(bytes);
    if (its.kind === "bounded" && its.hasMemory) withMemory.add(module);
  }
  begin();
  let memories = 0;
  const exports = await instantiate(
    (name) => modules.get(name)!,
    {},
    async (module, imports) => {
      if (withMemory.has(module) && ++memories > 1) {
        throw new Refusal("has more than one memory, and may have one of 64 MiB");
      }
      return await WebAssembly.instantiate(module, imports);
    },
  );
  const plugin = exports[pluginInterface]!;
  return { kind: "answers", values: requests.map((request) => answerOf(plugin, request)) };
}

/** Each error has a payload where the plugin has answered with diagnostics. */
function answerOf(plugin: Called, request: PluginRequest): unknown {
  const { context, spec } = request;
  if (request.kind === "detect") {
    const answer = plugin.detect!(context, lowered(spec)) ?? null;
    if (answer === null || typeof answer === "string") return answer;
    throw new Refusal("answered detect with what is no text");
  }
  const capabilities = { irVersions: request.irVersions, granted: request.granted };
  try {
    return { tag: "ok", val: plugin.apply!(context, capabilities, lowered(spec)) };
  } catch (error) {
    if (!(error instanceof Error) || !("payload" in error)) throw error;
    return { tag: "err", val: error.payload };
  }
}

function lowered({ name, type, dependsOn, config }: PluginSpec): unknown {
  return { name, kind: type, dependsOn, config: config.map(([key, its]) => [key, literal(its)]) };
}

/** A number of 64 bits has come as digits, octets as a list of numbers. */
function literal(its: Value): unknown {
  if (its.kind === "null") return { tag: its.kind };
  if (its.kind === "signed" || its.kind === "unsigned") {
    return { tag: its.kind, val: BigInt(its.value) };
  }
  const val = its.kind === "bytes" ? Uint8Array.from(its.value) : its.value;
  return { tag: its.kind, val };
}

/** The engine names the expression of ours that called the plugin. */
const evaluated = / \(evaluating ['"`].*$/s;

/** Characters of an error that the engine, or the transpiler, has made. */
const longestWhy = 300;

function whyOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Refusal) return message;
  const text = message.replace(evaluated, "").slice(0, longestWhy);
  if (error instanceof WebAssembly.RuntimeError) return `failed with a trap: ${text}`;
  if (error instanceof RangeError) return `failed: ${text}`;
  return `cannot be run: ${text}`;
}
