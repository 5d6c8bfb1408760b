/** A component, and a question -> its answer, or why there is none. Nothing that a plugin does reaches its caller. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ownProgram } from "../system/own-bun.ts";
import { printable } from "../text/printable.ts";
import { boundedChild, type ChildLimits } from "./bounded-child.ts";
import {
  answerIn,
  asJson,
  type ChildAnswer,
  type ChildOrder,
  longestAnswer,
} from "./child-order.ts";
import { componentHash } from "./component-hash.ts";
import { jco } from "./jco.ts";
import { isKept } from "./kept-folder.ts";
import type { PluginRequest } from "./plan.ts";
import { pluginWord } from "./plugin-word.ts";
import { ensureTranspiler } from "./transpiler.ts";

export type Component = {
  /** Absolute. */
  path: string;
  /** In hex; a file with another one is not run. */
  sha256: string;
};

export type CallEffects = {
  /** Absolute: what is fetched and transpiled for all projects. */
  cache: string;
  /** Tells which registry the transpiler is fetched from; a plugin gets nothing of it. */
  env: Readonly<Record<string, string | undefined>>;
  onStatus?: ((text: string) => void) | undefined;
  /** Our own program with these words; default: as this process was started. */
  ownProgram?: ((words: readonly string[]) => readonly string[]) | undefined;
};

/** `value` is parsed JSON: of `detect` a string or null, of `apply` `{ tag: "ok" | "err", val }`. */
export type CallOutcome = { kind: "answer"; value: unknown } | Ended;

/** A clause to be put behind the plugin's name: `did not answer within 5 s`. */
export type Ended = { kind: "ended"; why: string };

const mebibyte = 1024 * 1024;

/**
 * The memory is that of a whole process: 64 MiB of the plugin's own, the engine, and what the engine makes of its code.
 * A start takes 0.2 s; a machine that is busy gets its time.
 */
const callLimits: ChildLimits = {
  ...{ start: 30_000, time: 5_000, late: "did not answer" },
  ...{ memory: 512 * mebibyte, output: longestAnswer + 1024 },
};

const transpileLimits: ChildLimits = {
  ...{ start: 30_000, time: 30_000, late: "could not be transpiled" },
  ...{ memory: 1024 * mebibyte, output: 64 * 1024 },
};

/** Grows where what is made of a component is another thing: older folders are then not looked at. */
const form = 1;

/** Never rejects, and takes no longer than the limits say. */
export async function callPlugin(
  component: Component,
  request: PluginRequest,
  effects: CallEffects,
): Promise<CallOutcome> {
  const outcome = await callPluginEach(component, [request], effects);
  return outcome.kind === "ended" ? outcome : { kind: "answer", value: outcome.values[0] };
}

export type CallsOutcome = { kind: "answers"; values: readonly unknown[] } | Ended;

/** Several questions to one child, within the limits of a single one. */
export async function callPluginEach(
  component: Component,
  requests: readonly PluginRequest[],
  effects: CallEffects,
): Promise<CallsOutcome> {
  const hash = await componentHash(component.path);
  if (hash === undefined) return ended(`cannot be read: ${component.path}`);
  if (hash !== component.sha256) return ended("has changed since it was installed, and is not run");
  const folder = transpiledFolder(component, effects);
  // The second time, where the first has found a file that is damaged.
  for (let tries = 0; ; tries++) {
    if (!isKept(folder)) {
      const why = await transpiled(component, { folder, effects });
      if (why !== undefined) return ended(why);
    }
    const order: ChildOrder = { kind: "call", folder, requests };
    const answer = await asked(order, { limits: callLimits, effects });
    if (answer.kind === "answers" && answer.values.length === requests.length) return answer;
    if (answer.kind === "ended") return ended(answer.why);
    if (tries > 0 || answer.kind !== "damaged") return ended(`cannot be run from ${folder}`);
    discard(folder);
  }
}

export function transpiledFolder({ sha256 }: Component, { cache }: CallEffects): string {
  return join(cache, "plugins", `${sha256}-jco-${jco.version}-${form}`);
}

function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // The next try finds it damaged again, and says so.
  }
}

function ended(why: string): Ended {
  return { kind: "ended", why: printable(why) };
}

type Work = { folder: string; effects: CallEffects };

/** Returns why it could not be. */
async function transpiled(
  { path, sha256 }: Component,
  { folder, effects }: Work,
): Promise<string | undefined> {
  for (let tries = 0; ; tries++) {
    const transpiler = await ensureTranspiler(effects);
    if (transpiler.kind === "missing") return `cannot be run: ${transpiler.why}`;
    const order: ChildOrder = {
      ...{ kind: "transpile", path, sha256, folder, transpiler: transpiler.folder },
    };
    const answer = await asked(order, { limits: transpileLimits, effects });
    if (answer.kind === "transpiled") return undefined;
    if (answer.kind === "ended") return answer.why;
    if (tries > 0 || answer.kind !== "damaged") return `cannot be run by ${transpiler.folder}`;
    discard(transpiler.folder);
  }
}

type AskOptions = { limits: ChildLimits; effects: CallEffects };

async function asked(order: ChildOrder, { limits, effects }: AskOptions): Promise<ChildAnswer> {
  const words = (effects.ownProgram ?? ownProgram)([pluginWord]);
  const end = await boundedChild(words, { input: asJson(order), limits });
  if (end.kind === "ended") return end;
  return answerIn(end.text) ?? { kind: "ended", why: "ended without an answer" };
}
