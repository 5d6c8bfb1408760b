/** A folder, as typed, or the current one -> the project in it. */
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import {
  projectFolder,
  type ReadProject,
  readProject,
} from "../../supervisor/project/read-project.ts";
import { configFile } from "../../system/paths.ts";
import { UsageError } from "./settings.ts";
import type { World } from "./world.ts";

export type ProjectFiles = { directory: string; read: ReadProject };

export type ProjectFilesOptions = {
  /** The text to read instead of locald.toml. */
  instead?: string;
};

/** The path of the file stands for its folder. @throws UsageError for a folder that does not exist. */
export async function projectFolderOf(path: string | undefined, world: World): Promise<string> {
  if (path === undefined) return await projectFolder(world.cwd, world.home);
  const its = resolve(world.cwd, path);
  const found = await stat(its).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError([
      `${path}: ${error.code === "ENOENT" ? "no such folder" : error.message}`,
    ]);
  });
  if (found.isDirectory()) return its;
  if (["locald.toml", "Procfile"].includes(basename(its))) return dirname(its);
  throw new UsageError([`${path} is neither a folder nor a locald.toml`]);
}

/** Messages name files relative to the current folder. @throws UsageError */
export async function projectIn(
  directory: string,
  world: World,
  options: ProjectFilesOptions = {},
): Promise<ReadProject> {
  const located = configFile(world);
  if (located.kind === "mistake") throw new UsageError([located.what]);
  return await readProject(directory, {
    ...options,
    home: world.home,
    configFile: located.path,
    shell: world.env,
    seenFrom: world.cwd,
  });
}

export function noProject(directory: string): Error {
  return new Error(
    `no locald.toml or Procfile in ${directory}; create one with: localhostess init`,
  );
}
