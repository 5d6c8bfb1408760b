/** `localhostess plugin install <file|url>` -> a component in its place, under a name, and the claims that it makes. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { claimsOf } from "../../plugins/claims.ts";
import type { Plugin } from "../../plugins/installed.ts";
import { isCapability } from "../../plugins/plan.ts";
import {
  pluginName,
  pluginNameForm,
  pluginsFolder,
  readPlugins,
} from "../../plugins/plugins-file.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { componentBytes } from "./component-bytes.ts";
import {
  changeKept,
  ownPluginsFolder,
  type PluginPlace,
  pluginPlace,
  pluginsAt,
} from "../shared/plugin-place.ts";
import { pluginRow } from "./plugin-row.ts";
import { askedText, grantedText, shortHash, sizeText } from "./told.ts";

export type InstallFlags = Flags & { sha256?: string; name?: string; project?: boolean };

export async function pluginInstall(
  word: string,
  flags: InstallFlags,
  world: World,
): Promise<number> {
  const place = await pluginPlace(flags, world);
  const folder = flags.project ? ownPluginsFolder(place) : pluginsFolder(place.stateDirectory);
  const read = readPlugins(place.stateDirectory);
  if (read.kind === "broken") throw new Failure("failed", read.why);
  const component = await componentBytes(word, world, { sha256: flags.sha256 });
  const name = flags.name ?? component.name.toLowerCase().replace(/[_.]/g, "-");
  if (!pluginName.test(name)) {
    const typed = flags.name === undefined ? "; give it one with --name" : "";
    throw new UsageError([
      `${printable(name, 100)} is no name for a plugin: expected ${pluginNameForm}${typed}`,
    ]);
  }
  const { sha256, source } = component;
  const before = flags.project ? undefined : read.kept.plugins[name];
  const isSame = before?.sha256 === sha256;
  const path = join(folder, `${name}.wasm`);
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  let plugin: Plugin;
  try {
    write(temporary, component.bytes);
    const claims = await claimsAt(temporary, { sha256, name, place });
    const same = flags.project ? read.kept.agreed[sha256] : isSame ? before : undefined;
    const granted = (same?.granted ?? []).filter(isCapability);
    const its = { name, path, sha256, state: "ready", claims, granted } as const;
    plugin = flags.project
      ? { ...its, from: "project", source: undefined }
      : { ...its, from: "user", source };
    // The file and what is kept of it change together, also where another one is installed at the same time.
    await changeKept(place, (kept) => {
      renameSync(temporary, path);
      return flags.project
        ? { ...kept, agreed: { ...kept.agreed, [sha256]: { name, claims, granted } } }
        : { ...kept, plugins: { ...kept.plugins, [name]: { sha256, source, claims, granted } } };
    });
  } finally {
    rmSync(temporary, { force: true });
  }
  plugin = place.withGrants(plugin, await pluginsAt(place));
  if (flags.json) {
    printJson(world, pluginRow(plugin));
    return 0;
  }
  const { out, err } = world;
  const size = sizeText(component.bytes);
  const instead = before === undefined || isSame ? "" : ", in the place of another";
  out.write(`installed ${name}${instead}: sha256 ${shortHash(component.sha256)}, ${size}\n`);
  err.write(`${askedText(plugin)}\n${grantedText(plugin)}\n`);
  return 0;
}

/** @throws Failure */
function write(path: string, bytes: Uint8Array): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, bytes, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const folder = dirname(path);
    throw new Failure("failed", `${folder} cannot be written: ${code ?? message}`, {
      cause: error,
    });
  }
}

type ClaimsOptions = { sha256: string; name: string; place: PluginPlace };

/** A plugin is put in its place only when it has answered. @throws Failure */
async function claimsAt(path: string, { sha256, name, place }: ClaimsOptions): Promise<string[]> {
  const asked = await claimsOf({ path, sha256 }, place.effects);
  if (asked.kind === "claims") return [...asked.types];
  throw new Failure("failed", `${name} was not installed: it ${asked.why}`);
}
