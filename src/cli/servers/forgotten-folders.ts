/** `localhostess name --forget|--remember <name or folder>` -> a folder that names no servers, or does so again. */
import { existsSync } from "node:fs";
import { basename, isAbsolute, resolve } from "node:path";
import { checkouts } from "../../discovery/checkouts.ts";
import {
  changeForgotten,
  forgottenPath,
  mostForgotten,
  readForgotten,
} from "../../discovery/forgotten-folders.ts";
import { projectFolders } from "../../discovery/project-folders.ts";
import { isInside } from "../../routes/name-rights.ts";
import type { Service } from "../../routes/service.ts";
import { systemClock } from "../../system/clock.ts";
import { prepareStateDirectory } from "../../system/state-directory.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { shown } from "../../text/shown.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { looker } from "../shared/look.ts";
import type { Settings } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";

type Here = { settings: Settings; world: World };

/** `text`: a name that a folder has given, or a folder; undefined: all folders that are forgotten are listed. */
export async function forget(text: string | undefined, here: Here): Promise<number> {
  const { settings, world } = here;
  const { stateDirectory, ownPlace } = settings;
  const before = forgottenNow(stateDirectory);
  if (text === undefined) return list(before, here);
  const look = looker(settings, { world });
  const folder = await folderMeant(text, { services: (await look()).services, world });
  if (before.length >= mostForgotten && !before.includes(folder)) {
    const why = `${mostForgotten} folders are forgotten already; to take one back: localhostess name --remember <folder>`;
    throw new Failure("failed", why);
  }
  prepareStateDirectory(stateDirectory, { tighten: ownPlace });
  await change(stateDirectory, (now) => [...now.filter((its) => its !== folder), folder]);
  // The daemon reads the file with its next look.
  const { services } = await look();
  if (settings.json) printJson(world, { folder, forgotten: true });
  else {
    const undo = `localhostess name --remember ${pastedWord(folder)}`;
    world.out.write(
      `${printable(folder)} names no servers any more; to undo that: ${printable(undo)}\n`,
    );
    const within = services.filter(
      (its) => its.source === "folder" && isInside(its.cwd ?? "", folder),
    );
    if (within.length > 0) {
      const names = listed(
        within.map((its) => its.name),
        { most: 6 },
      );
      const [are, folders] = within.length === 1 ? ["is", "a folder"] : ["are", "folders"];
      world.err.write(`${names} ${are} named by ${folders} in it, and ${are} still\n`);
    }
  }
  return exitCode.done;
}

/** `text`: a folder that is forgotten, or the last part of its path. */
export async function remember(text: string, here: Here): Promise<number> {
  const { settings, world } = here;
  const before = forgottenNow(settings.stateDirectory);
  const path = resolve(world.cwd, text);
  const found = before.filter((its) => its === path);
  const meant = found.length > 0 ? found : before.filter((its) => basename(its) === text);
  const [folder] = meant;
  if (folder === undefined) {
    const why = `${shown(text)} is not forgotten; to see the folders that are: localhostess name --forget`;
    throw new Failure("not_found", why);
  }
  if (meant.length > 1) {
    const each = meant.map((its) => printable(its)).join(", ");
    throw new Failure("ambiguous", `${shown(text)} may be any of ${each}; say which`);
  }
  await change(settings.stateDirectory, (now) => now.filter((its) => its !== folder));
  await looker(settings, { world })();
  if (settings.json) printJson(world, { folder, forgotten: false });
  else world.out.write(`${printable(folder)} names its servers again\n`);
  return exitCode.done;
}

function forgottenNow(stateDirectory: string): readonly string[] {
  const read = readForgotten(forgottenPath(stateDirectory));
  if (read.kind === "folders") return read.folders;
  const path = forgottenPath(stateDirectory);
  throw new Failure("failed", `${read.why}; to begin anew: rm ${pastedWord(path)}`);
}

async function change(
  stateDirectory: string,
  to: (now: readonly string[]) => readonly string[],
): Promise<void> {
  const failed = await changeForgotten(forgottenPath(stateDirectory), to);
  if (failed !== undefined) throw new Failure("failed", failed);
}

function list(folders: readonly string[], { settings, world }: Here): number {
  const { out, err } = world;
  if (settings.json) {
    printJson(
      world,
      folders.map((folder) => ({ folder, forgotten: true })),
    );
  } else if (folders.length === 0) {
    err.write(`${err.colors.dim("no folder is forgotten")}\n`);
  } else for (const folder of folders) out.write(`${printable(folder)}\n`);
  return exitCode.done;
}

/** The folder of the project that a name is from, or in which a folder is. @throws Failure */
async function folderMeant(
  text: string,
  { services, world }: { services: readonly Service[]; world: World },
): Promise<string> {
  const name = text.toLowerCase().replace(/\.localhost$/, "");
  const service = services.find((its) => its.name === name);
  if (service !== undefined && service.source !== "folder") {
    const why = `${name} has not got its name from a folder: it is from ${service.because ?? service.source}`;
    throw new Failure("failed", why);
  }
  const isPath = isAbsolute(text) || /^\.\.?(?:\/|$)|\//.test(text);
  const path = resolve(world.cwd, text);
  if (service === undefined && !(isPath && existsSync(path))) {
    const why = `no server has the name ${shown(name)} from its folder; to see all names: localhostess ls`;
    throw new Failure("not_found", why);
  }
  const folders = projectFolders({
    checkouts: checkouts({ uid: process.getuid?.() ?? 0, clock: systemClock }),
  });
  const pid = service?.process?.pid ?? 0;
  const folder = folders.of({ pid, cwd: service === undefined ? path : service.cwd })?.folder;
  if (folder === undefined) throw new Failure("failed", `${printable(path)} is in no project`);
  return folder;
}
