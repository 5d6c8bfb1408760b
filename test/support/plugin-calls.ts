/** Plugins -> calls of them by our own program, with a transpiler that is fetched once on a machine. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type CallOutcome, callPlugin } from "../../src/plugins/call.ts";
import { isKept } from "../../src/plugins/kept-folder.ts";
import type { PluginRequest } from "../../src/plugins/plan.ts";
import { ensureTranspiler, transpilerFolder } from "../../src/plugins/transpiler.ts";
import { installer } from "./debian.ts";

const root = resolve(import.meta.dir, "../..");

/** Outside the repository, like Debian's packages: many checkouts share it. */
export const pluginCache = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "localhostess-tests",
);

export function hasTranspiler(): boolean {
  return isKept(transpilerFolder(pluginCache));
}

/** For a test's title, empty where nothing is missing. */
export const lackingTranspiler = (): string =>
  hasTranspiler() ? "" : " (needs a package of npm: LOCALHOSTESS_TEST_INSTALL=1)";

/** Once per test run. */
export async function ensurePluginTranspiler(): Promise<void> {
  if (hasTranspiler() || installer() === undefined) return;
  console.warn("Fetching what tests need: the transpiler of plugins");
  const fetched = await ensureTranspiler({ cache: pluginCache, env: process.env });
  if (fetched.kind === "missing") console.warn(fetched.why);
}

/** The paths of components that are kept in this repository. */
export const examplePlugin = (name: string): string =>
  join(root, "examples/plugins", name, `${name}.wasm`);
export const hostilePlugin = (name: string): string =>
  join(root, "test/plugins/fixtures", `${name}.wasm`);

/** As a person's program calls it. */
export async function call(path: string, request: PluginRequest): Promise<CallOutcome> {
  const sha256 = new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
  return await callPlugin({ path, sha256 }, request, {
    cache: pluginCache,
    env: {},
    ownProgram: (words) => [process.execPath, main, ...words],
  });
}

const main = join(root, "src/main.ts");
