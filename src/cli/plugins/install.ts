/** `localhostess plugin install <file|url>` -> a component in its place, under a name, and the claims that it makes. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { claimsOf } from "../../plugins/claims.ts";
import { projectPluginsFolder } from "../../plugins/installed.ts";
import type { Plugin } from "../../plugins/installed.ts";
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
import { type ComponentBytes, componentBytes } from "./component-bytes.ts";
import { changeKept, needProject, type PluginPlace, pluginPlace } from "../shared/plugin-place.ts";
import { pluginRow } from "./plugin-row.ts";
import { askedText, grantedText, shortHash, sizeText } from "./told.ts";

export type InstallFlags = Flags & { sha256?: string; name?: string; project?: boolean };

export async function pluginInstall(
  word: string,
  flags: InstallFlags,
  world: World,
): Promise<number> {
  const place = await pluginPlace(flags, world);
  const folder = flags.project
    ? projectPluginsFolder(needProject(place))
    : pluginsFolder(place.stateDirectory);
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
  const before = read.kept.plugins[name];
  const path = join(folder, `${name}.wasm`);
  const claims = [...(await putTested(component, { path, name, place }))];
  const isSame = before?.sha256 === component.sha256;
  const granted = isSame ? before.granted : [];
  await changeKept(place, (kept) =>
    flags.project
      ? {
          ...kept,
          agreed: { ...kept.agreed, [component.sha256]: { name, claims, granted: [] } },
        }
      : {
          ...kept,
          plugins: {
            ...kept.plugins,
            [name]: { sha256: component.sha256, source: component.source, claims, granted },
          },
        },
  );
  const plugin: Plugin = {
    ...{ name, path, sha256: component.sha256, state: "ready", claims },
    from: flags.project ? "project" : "user",
    source: flags.project ? undefined : component.source,
    granted: flags.project ? [] : (granted as Plugin["granted"]),
  };
  if (flags.json) {
    printJson(world, pluginRow(plugin));
    return 0;
  }
  const { out, err } = world;
  const size = sizeText(component.bytes);
  const instead =
    before === undefined || isSame || flags.project ? "" : ", in the place of another";
  out.write(`installed ${name}${instead}: sha256 ${shortHash(component.sha256)}, ${size}\n`);
  err.write(`${askedText(plugin)}\n${grantedText(plugin)}\n`);
  return 0;
}

type PutOptions = { path: string; name: string; place: PluginPlace };

/** The file is there under its name only when it has answered. @returns its claims. @throws Failure */
async function putTested(
  { bytes, sha256 }: ComponentBytes,
  { path, name, place }: PutOptions,
): Promise<readonly string[]> {
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600 });
    const asked = await claimsOf({ path: temporary, sha256 }, place.effects);
    if (asked.kind === "ended") {
      throw new Failure("failed", `${name} was not installed: it ${asked.why}`);
    }
    renameSync(temporary, path);
    return asked.types;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure("failed", `${path} cannot be written: ${code ?? message}`, { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
}
