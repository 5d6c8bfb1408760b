/** A folder, as typed, or the current one -> the project in it. */
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import {
  type AskedNaming,
  projectFolder,
  type ReadProject,
  readProject,
} from "../../supervisor/project/read-project.ts";
import type { Plans } from "../../manifest/planned.ts";
import { upCommand } from "../../routes/pending.ts";
import { printable } from "../../text/printable.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { configFile, daemonPaths } from "../../system/paths.ts";
import { UsageError } from "./settings.ts";
import type { World } from "./world.ts";

/** The folder that a person is in, and where the files that apply there are. */
export type Here = Pick<World, "cwd" | "home" | "env" | "platform">;

export type ProjectFilesOptions = {
  /** The text to read instead of locald.toml. */
  instead?: string;
  /** The name of the file that declares the project; by default locald.toml or a Procfile. */
  file?: string | undefined;
  naming?: AskedNaming | undefined;
  plans?: Plans | undefined;
  claimed?: readonly string[] | undefined;
};

export type ProjectPlace = { directory: string; file: string | undefined };

/** The path of the file stands for its folder. @throws UsageError for a folder that does not exist. */
export async function projectFolderOf(path: string | undefined, world: Here): Promise<string> {
  return (await projectPlaceOf(path, world)).directory;
}

/**
 * A folder, or a file that declares a project: `file` is set unless it is the one that would be read anyway. `any`:
 * the file may have any name. @throws UsageError
 */
export async function projectPlaceOf(
  path: string | undefined,
  world: Here,
  { any = false }: { any?: boolean } = {},
): Promise<ProjectPlace> {
  if (path === undefined) {
    return { directory: await projectFolder(world.cwd, world.home), file: undefined };
  }
  const its = resolve(world.cwd, path);
  const found = await stat(its).catch((error: NodeJS.ErrnoException) => {
    const what = any ? "no such file" : "no such folder";
    throw new UsageError([`${path}: ${error.code === "ENOENT" ? what : error.message}`]);
  });
  if (found.isDirectory()) return { directory: its, file: undefined };
  const file = basename(its);
  if (file === "locald.toml") return { directory: dirname(its), file: undefined };
  if (any || isProjectFile(file)) return { directory: dirname(its), file };
  throw new UsageError([`${path} is neither a folder nor a locald.toml or a Procfile`]);
}

/** The names of files that are taken for a project's without being told. */
export function isProjectFile(name: string): boolean {
  return name.endsWith(".toml") || /^Procfile(?:\.|$)|\.Procfile$/.test(name);
}

/** Messages name files relative to the current folder. @throws UsageError */
export async function projectIn(
  directory: string,
  world: Here,
  options: ProjectFilesOptions = {},
): Promise<ReadProject> {
  const located = configFile(world);
  if (located.kind === "mistake") throw new UsageError([located.what], { isTyped: false });
  const state = daemonPaths(world);
  return await readProject(directory, {
    ...options,
    home: world.home,
    configFile: located.path,
    // A wrong variable is reported by those who need the daemon.
    stateDirectory: state.kind === "paths" ? state.stateDirectory : undefined,
    shell: world.env,
    seenFrom: world.cwd,
  });
}

/** A sentence about a project's folder of which the daemon knows no service. */
export function nothingUpText(directory: string): string {
  return `nothing of ${printable(directory, 500)} is up; start it with: ${upCommand(directory)}`;
}

/** A sentence about a folder that declares no project: what is missing, and the command that helps. */
export async function noProjectText(
  directory: string,
  { cwd }: Pick<Here, "cwd">,
): Promise<string> {
  const shown = printable(directory, 500);
  const isThere = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) return `no such folder: ${shown}`;
  const isHere = (await realpath(cwd).catch(() => cwd)) === (await realpath(directory));
  const init = isHere ? "localhostess init" : `cd ${pastedWord(directory)} && localhostess init`;
  return `no locald.toml, Procfile.dev or Procfile in ${shown}; create one with: ${init}`;
}
