/** A state directory, and a project's folder -> the plugins that are there, and which of them may run. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { componentHash } from "./component-hash.ts";
import { type Capability, isCapability } from "./plan.ts";
import { type KeptPlugins, pluginName, pluginsFolder, readPlugins } from "./plugins-file.ts";

export type Plugin = {
  name: string;
  /** Absolute: its component. */
  path: string;
  /** The hash that it may run with: of a project's plugin, that of the file as it is now. */
  sha256: string;
  from: "user" | "project";
  /**
   * `absent`, `changed`: its file is gone, or is another one than was installed. `not agreed`: a project has it, and
   * the person has not agreed to this hash under this name.
   */
  state: "ready" | "not agreed" | "changed" | "absent";
  /** Where a person has got it from; a project's is in the project. */
  source: string | undefined;
  /** Built-in types that it said it knows. */
  claims: readonly string[];
  /** Besides those that config.toml grants. */
  granted: readonly Capability[];
};

export type InstalledOptions = {
  stateDirectory: string;
  /** Absolute; undefined: plugins of no project are looked for. */
  project?: string | undefined;
};

export type Installed =
  /** By name; a project's before the person's own one of that name. */
  | { kind: "plugins"; plugins: readonly Plugin[] }
  /** A sentence with what helps. */
  | { kind: "broken"; why: string };

/** Where a project has its plugins. */
export function projectPluginsFolder(project: string): string {
  return join(project, ".locald", "plugins");
}

export async function installedPlugins(options: InstalledOptions): Promise<Installed> {
  const { stateDirectory, project } = options;
  const read = readPlugins(stateDirectory);
  if (read.kind === "broken") return read;
  const folder = pluginsFolder(stateDirectory);
  const own = Object.entries(read.kept.plugins).map(async ([name, its]): Promise<Plugin> => {
    const path = join(folder, `${name}.wasm`);
    const hash = await componentHash(path);
    const state = hash === undefined ? "absent" : hash === its.sha256 ? "ready" : "changed";
    return { ...its, name, path, from: "user", state, granted: its.granted.filter(isCapability) };
  });
  const theirs = project === undefined ? [] : await projectPlugins(project, read.kept);
  const plugins = [...theirs, ...(await Promise.all(own))];
  return { kind: "plugins", plugins: plugins.sort((one, other) => order(one.name, other.name)) };
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

async function projectPlugins(project: string, kept: KeptPlugins): Promise<Plugin[]> {
  const folder = projectPluginsFolder(project);
  const plugins: Plugin[] = [];
  // One after another: a folder may have any number of large files, and each is read whole.
  for (const name of namesIn(folder)) {
    const path = join(folder, `${name}.wasm`);
    const sha256 = await componentHash(path);
    if (sha256 === undefined) continue;
    const known = kept.agreed[sha256];
    // A name has grants in config.toml, and comes before the person's own plugin: it is a part of the agreement.
    const agreed = known?.name === name ? known : undefined;
    plugins.push({
      ...{ name, path, sha256, from: "project", source: undefined },
      state: agreed === undefined ? "not agreed" : "ready",
      claims: agreed?.claims ?? [],
      granted: (agreed?.granted ?? []).filter(isCapability),
    });
  }
  return plugins;
}

/** Whether a project's plugin has the name of one that the person has installed: that one's grants are not its own. */
export function hasNamesake({ name, from }: Plugin, plugins: readonly Plugin[]): boolean {
  return from === "project" && plugins.some((its) => its.from === "user" && its.name === name);
}

/** Files with other names are not plugins. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".wasm"))
      .map((file) => file.slice(0, -".wasm".length))
      .filter((name) => pluginName.test(name));
  } catch {
    // The project has none, or has something else there.
    return [];
  }
}
