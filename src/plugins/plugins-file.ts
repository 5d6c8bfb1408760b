/** `plugins.json` of the state directory -> which plugins a person has installed, or agreed to; and back. */
import { join } from "node:path";
import * as v from "valibot";
import { changeAlone } from "../system/shared-file.ts";
import { onlyVersioned, writeFormed } from "../system/state-format.ts";
import { pastedWord } from "../text/shell-words.ts";
import { unwritable } from "../text/unwritable.ts";
import { readFormedFile } from "./formed-file.ts";

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** As it is typed, and as its file is called. Two words are of every object, and of no record. */
export const pluginName = /^(?!(?:constructor|prototype)$)[a-z0-9][a-z0-9-]{0,62}$/;

/** Completes "expected ...". */
export const pluginNameForm =
  'at most 63 lower-case letters, digits and hyphens, and not "constructor" or "prototype"';

const allowed = {
  /** Built-in types that it said it knows, in the order of our list. */
  claims: v.array(v.string()),
  /** Capabilities that the person has granted at a terminal, besides those of config.toml. */
  granted: v.array(v.string()),
};

const keptPlugins = v.object({
  plugins: v.record(
    v.pipe(v.string(), v.regex(pluginName)),
    v.object({ sha256: hash, source: v.string(), ...allowed }),
  ),
  /** By hash: plugins of projects that the person has agreed to. */
  agreed: v.record(hash, v.object({ name: v.string(), ...allowed })),
});

export type KeptPlugins = v.InferOutput<typeof keptPlugins>;

export const pluginsFormat = onlyVersioned;

export function pluginsPath(stateDirectory: string): string {
  return join(stateDirectory, "plugins.json");
}

/** Where installed components are. */
export function pluginsFolder(stateDirectory: string): string {
  return join(stateDirectory, "plugins");
}

/** Bytes; a thousand plugins take less. */
const longest = 1024 * 1024;

export type ReadPlugins =
  | { kind: "plugins"; kept: KeptPlugins }
  /** A sentence with what helps. */
  | { kind: "broken"; why: string };

export function readPlugins(stateDirectory: string): ReadPlugins {
  const path = pluginsPath(stateDirectory);
  const its = readFormedFile(path, {
    ...{ schema: keptPlugins, format: pluginsFormat, longest, forbidden: 0o022 },
  });
  if (its.kind === "value") return { kind: "plugins", kept: its.value };
  if (its.kind === "absent") return { kind: "plugins", kept: { plugins: {}, agreed: {} } };
  if (its.kind === "newer") return { kind: "broken", why: its.why };
  const aside = `mv ${pastedWord(path)} ${pastedWord(`${path}.old`)}`;
  return {
    kind: "broken",
    why: `${path} cannot be used: ${its.why}; correct it, or begin anew: ${aside}`,
  };
}

export type ChangedPlugins = { kind: "changed" } | { kind: "failed"; why: string };

/** `change` may also put files in their places: one process at a time does so. The state directory must exist. */
export async function changePlugins(
  stateDirectory: string,
  change: (kept: KeptPlugins) => KeptPlugins | Promise<KeptPlugins>,
): Promise<ChangedPlugins> {
  const path = pluginsPath(stateDirectory);
  try {
    const done = await changeAlone({ path }, async (): Promise<ChangedPlugins> => {
      const read = readPlugins(stateDirectory);
      if (read.kind === "broken") return { kind: "failed", why: read.why };
      await writeFormed(await change(read.kept), { path, format: pluginsFormat });
      return { kind: "changed" };
    });
    if (done.kind === "changed") return done.result;
    return { kind: "failed", why: `another localhostess is changing ${path}; try again` };
  } catch (error) {
    return { kind: "failed", why: unwritable(path, error as NodeJS.ErrnoException) };
  }
}
