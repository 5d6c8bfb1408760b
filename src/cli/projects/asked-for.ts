/** The words after `up` -> the project that they mean, and the services of it. */
import { stat, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import type { ProjectSpec } from "../../manifest/project.ts";
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import { namesOf, servicesWithin, unquoted } from "../../routes/named.ts";
import { printable } from "../../text/printable.ts";
import {
  isProjectFile,
  noProject,
  projectFolderOf,
  projectIn,
  projectPlaceOf,
} from "../shared/project-files.ts";
import type { World } from "../shared/world.ts";

export type AskedFor = {
  project: ProjectSpec;
  services: readonly string[];
  /** The name of the file in the project's folder that declares it; undefined: the one that is read anyway. */
  file: string | undefined;
};

/**
 * The first word is a folder or a project's file, or a service like the others; with the path of a file, all
 * are services. @throws an Error, after every error is reported.
 */
export async function askedFor(
  words: readonly string[],
  world: World,
  { file: path }: { file?: string | undefined } = {},
): Promise<AskedFor> {
  const [first, ...others] = words;
  const isPath = path === undefined && first !== undefined && (await namesFolder(first, world));
  const place = await projectPlaceOf(path ?? (isPath ? first : undefined), world, {
    any: path !== undefined,
  });
  const { file } = place;
  const directory = await realpath(place.directory);
  const read = await projectIn(directory, world, { file });
  if (read.kind === "none") throw noProject(directory);
  if (read.kind === "mistakes") {
    for (const mistake of read.mistakes) world.err.write(`${printable(mistake, 2_000)}\n`);
    const errors = counted(read.mistakes.length, "error");
    throw new Error(`nothing was started: ${errors} in the configuration of ${directory}`);
  }
  const { project } = read;
  const services = (isPath ? others : words).flatMap((word) => servicesIn(project, word));
  return { project, services: [...new Set(services)], file };
}

async function namesFolder(word: string, world: World): Promise<boolean> {
  if (word.includes("/") || word === "." || word === "..") return true;
  const read = await projectFolderOf(undefined, world).then((its) => projectIn(its, world));
  if (read.kind === "project" && namesOf(read.project.services).includes(word)) return false;
  const found = await stat(resolve(world.cwd, word)).catch(() => undefined);
  return found !== undefined && (found.isDirectory() || isProjectFile(word));
}

function servicesIn(project: ProjectSpec, word: string): readonly string[] {
  const { name, services } = project;
  const found = servicesWithin(word, project);
  if (found.kind === "services") return found.names;
  const { hint } = found;
  const names = listed(namesOf(services));
  throw new Error(`${name} has no service ${unquoted(word)}${hint} (it has ${names})`);
}
