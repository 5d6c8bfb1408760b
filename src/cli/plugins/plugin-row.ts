/** A plugin -> the form in which `--json` prints it. Pure. */
import type { Plugin } from "../../plugins/installed.ts";

export type PluginRow = {
  name: string;
  from: Plugin["from"];
  state: "ready" | "not_agreed" | "changed" | "absent";
  sha256: string;
  path: string;
  source: string | null;
  claims: readonly string[];
  granted: readonly string[];
};

export function pluginRow({ state, source, ...its }: Plugin): PluginRow {
  const { name, from, sha256, path, claims, granted } = its;
  const word = state === "not agreed" ? "not_agreed" : state;
  return { name, from, state: word, sha256, path, source: source ?? null, claims, granted };
}
