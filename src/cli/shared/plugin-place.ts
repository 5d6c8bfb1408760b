/** Options and the environment -> where plugins are, and what a call of one needs. */
import { lstatSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Config, grantedIn } from "../../manifest/config.ts";
import type { Capability } from "../../plugins/plan.ts";
import type { CallEffects } from "../../plugins/call.ts";
import {
  hasNamesake,
  type Plugin,
  installedPlugins,
  projectPluginsFolder,
} from "../../plugins/installed.ts";
import { changePlugins, type KeptPlugins } from "../../plugins/plugins-file.ts";
import { didYouMean } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "./failure.ts";
import { projectFolderOf, projectIn } from "./project-files.ts";
import { type Flags, settingsOf, UsageError } from "./settings.ts";
import type { World } from "./world.ts";

export type PluginPlace = {
  stateDirectory: string;
  /** Absolute: the folder of the project here; undefined: there is none. */
  project: string | undefined;
  effects: CallEffects;
};

export type GrantingPlace = PluginPlace & {
  /** The plugin with what config.toml grants to it, too; `plugins`: all that there are. */
  withGrants(plugin: Plugin, plugins: readonly Plugin[]): Plugin;
};

export async function pluginPlace(flags: Flags, world: World): Promise<GrantingPlace> {
  const { stateDirectory, config } = await settingsOf(flags, world);
  return {
    ...{ stateDirectory, project: await projectHere(world), effects: callEffects(world) },
    withGrants(plugin, plugins) {
      const more = configGrants(plugin, { plugins, config });
      return { ...plugin, granted: [...new Set([...plugin.granted, ...more])] };
    },
  };
}

/** Grants to a name are for the person's own plugin, where there is one. */
export function configGrants(
  plugin: Plugin,
  { plugins, config }: { plugins: readonly Plugin[]; config: Config },
): readonly Capability[] {
  return hasNamesake(plugin, plugins) ? [] : grantedIn(config, plugin.name);
}

export function callEffects(world: World): CallEffects {
  const { env, home } = world;
  const cache = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : join(home, ".cache");
  return { cache: join(cache, "localhostess"), env, onStatus: statusOf(world) };
}

/** Only a folder that has a file of ours is a project: no plugin of any other one is looked for. */
async function projectHere(world: World): Promise<string | undefined> {
  const folder = await projectFolderOf(undefined, world);
  const read = await projectIn(folder, world);
  return read.kind === "none" ? undefined : folder;
}

/** A terminal sees how far the download is, in one line. */
function statusOf({ err, json }: World): (text: string) => void {
  const columns = err.columns();
  let told = false;
  return (text) => {
    if (columns !== undefined && json === undefined) {
      err.write(`\r\x1b[K${text.slice(0, columns - 1)}${text.includes("100 %") ? "\r\x1b[K" : ""}`);
    } else if (!told) err.write(`${text}\n`);
    told = true;
  };
}

/** @throws Failure where plugins.json cannot be used. */
export async function pluginsAt({ stateDirectory, project }: PluginPlace): Promise<Plugin[]> {
  const read = await installedPlugins({ stateDirectory, project });
  if (read.kind === "broken") throw new Failure("failed", read.why);
  return [...read.plugins];
}

/** The one that a name means here. @throws UsageError */
export async function pluginNamed(name: string, place: PluginPlace): Promise<Plugin> {
  const plugins = await pluginsAt(place);
  const found = plugins.find((its) => its.name === name);
  if (found !== undefined) return found;
  const near = didYouMean(
    name,
    plugins.map((its) => its.name),
    { otherwise: "; localhostess plugin list shows those that there are" },
  );
  throw new UsageError([`no plugin is called ${printable(name, 100)}${near}`]);
}

/** @throws Failure */
export async function changeKept(
  { stateDirectory }: PluginPlace,
  change: (kept: KeptPlugins) => KeptPlugins | Promise<KeptPlugins>,
): Promise<void> {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const changed = await changePlugins(stateDirectory, change);
  if (changed.kind === "failed") throw new Failure("failed", changed.why);
}

/**
 * Where the project's plugins are put, and taken away. @throws UsageError outside of a project; Failure where a link
 * leads elsewhere: a project could have files of other folders replaced.
 */
export function ownPluginsFolder(place: PluginPlace): string {
  const folder = projectPluginsFolder(needProject(place));
  for (const its of [dirname(folder), folder]) {
    if (!lstatSync(its, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    throw new Failure(
      "failed",
      `${printable(its)} is a symbolic link; plugin changes nothing there`,
    );
  }
  return folder;
}

/** @throws UsageError outside of a project. */
export function needProject({ project }: PluginPlace): string {
  if (project !== undefined) return project;
  throw new UsageError(["there is no project here; localhostess init makes one"]);
}
