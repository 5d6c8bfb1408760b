/**
 * Components -> how long a plan takes, and the memory of the process that makes it. By hand: bun test/bench/plugins.ts
 * [file...]; without a file, the examples. Cold: nothing is transpiled yet; warm: the median of 11.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { callPlugin, type Component, transpiledFolder } from "../../src/plugins/call.ts";
import { asJson } from "../../src/plugins/child-order.ts";
import { hashOf } from "../../src/plugins/kept-folder.ts";
import type { PluginRequest } from "../../src/plugins/plan.ts";
import { pluginWord } from "../../src/plugins/plugin-word.ts";
import { ensureTranspiler, transpilerFolder } from "../../src/plugins/transpiler.ts";
import { median } from "./median.ts";

const root = resolve(import.meta.dir, "../..");
const rounds = 11;
const program = (words: readonly string[]): string[] => [
  ...[process.execPath, join(root, "src/main.ts"), ...words],
];

const names = ["redis", "static-site", "procfile-to-services"];
const examples = names.map((name) => join(root, "examples/plugins", name, `${name}.wasm`));
const files = process.argv.length > 2 ? process.argv.slice(2).map((its) => resolve(its)) : examples;

const cache = mkdtempSync(join(tmpdir(), "localhostess-plugins-bench-"));
const effects = { cache, env: process.env, ownProgram: program };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** MiB at most, of a child with that order. */
function peak(order: Parameters<typeof asJson>[0]): number {
  const input = new TextEncoder().encode(asJson(order));
  const child = Bun.spawnSync(program([pluginWord]), { cwd: "/", env: {}, stdin: input });
  return Math.round((child.resourceUsage?.maxRSS ?? Number.NaN) / 2 ** 20);
}

const shown = (milliseconds: number): string => `${milliseconds.toFixed(0)} ms`;

try {
  const fetching = await timed(() => ensureTranspiler(effects));
  console.log(`fetching the transpiler: ${shown(fetching)}`);
  for (const path of files) {
    const component: Component = { path, sha256: hashOf(readFileSync(path)) };
    const context = { workspaceId: "bench", root: "/" };
    const type = basename(path, ".wasm");
    const spec = { name: "its", type, dependsOn: [], config: [] };
    const request: PluginRequest = {
      ...{ kind: "apply", context, spec, irVersions: [1], granted: ["oci-pull"] },
    };
    const plan = async (): Promise<void> => {
      const outcome = await callPlugin(component, request, effects);
      if (outcome.kind === "ended") throw new Error(`${path} ${outcome.why}`);
    };
    const cold = await timed(plan);
    const warm: number[] = [];
    for (let round = 0; round < rounds; round++) warm.push(await timed(plan));
    const folder = transpiledFolder(component, effects);
    const calling = peak({ kind: "call", folder, requests: [request] });
    rmSync(folder, { recursive: true, force: true });
    const transpiler = transpilerFolder(cache);
    const transpiling = peak({ kind: "transpile", ...component, folder, transpiler });
    console.log(
      `${type}: cold ${shown(cold)} (${transpiling} MiB), warm ${shown(median(warm))} (${calling} MiB)`,
    );
  }
} finally {
  rmSync(cache, { recursive: true, force: true });
}
