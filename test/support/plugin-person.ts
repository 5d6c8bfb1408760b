/** A person with a home, a state directory and a project of their own -> the verbs about plugins, typed by them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ended } from "./ended.ts";
import { pluginCache } from "./plugin-calls.ts";
import { inProcess } from "../cli/in-process.ts";

export interface PluginPerson extends Disposable {
  /** Absolute, and the person's current folder; a project where `manifest` was given. */
  folder: string;
  stateDirectory: string;
  env: Readonly<Record<string, string | undefined>>;
  /** `plugin list`, without `localhostess`. */
  run(...words: string[]): Promise<Ended>;
  /** What it printed with `--json`. */
  json(...words: string[]): Promise<unknown>;
}

/** The transpiler, and what it makes, is where all tests have it. */
export function pluginPerson(manifest?: string): PluginPerson {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-person-")));
  const [folder, caches, stateDirectory] = ["shop", "caches", "state"].map((its) =>
    join(home, its),
  );
  mkdirSync(folder!);
  mkdirSync(join(caches!, "localhostess"), { recursive: true });
  mkdirSync(join(pluginCache, "plugins"), { recursive: true });
  symlinkSync(join(pluginCache, "plugins"), join(caches!, "localhostess", "plugins"));
  if (manifest !== undefined) writeFileSync(join(folder!, "locald.toml"), manifest);
  const env = {
    ...{ HOME: home, XDG_CACHE_HOME: caches!, XDG_CONFIG_HOME: join(home, ".config") },
    ...{ LOCALHOSTESS_CONFIG: undefined, LOCALHOSTESS_STATE_DIR: stateDirectory! },
  };
  const run = (...words: string[]) => inProcess(words, { env, cwd: folder! });
  return {
    ...{ folder: folder!, stateDirectory: stateDirectory!, env, run },
    async json(...words) {
      const { out } = await run(...words, "--json");
      return JSON.parse(out) as unknown;
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}
