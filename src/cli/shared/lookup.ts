/**
 * A word in any of its forms (`api`, `shop:api`, `api.shop`, a URL, a folder), and the folder that it is typed in ->
 * the services that it names. Every verb looks here.
 */
import { realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type Nameable,
  type Named,
  servicesNamed,
  servicesWithin,
  unquoted,
} from "../../routes/named.ts";
import { upCommand } from "../../routes/pending.ts";
import { nearestProject } from "../../supervisor/project/read-project.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { type Here, noProjectText, nothingUpText, projectIn } from "./project-files.ts";

export type { Here } from "./project-files.ts";

/** `declared`: a service of the project here, which the daemon does not know yet: nobody has started it. */
export type Meant<Row> = Named<Row> | { kind: "declared"; ids: readonly string[]; why: string };

export type LookupOptions<Row> = {
  /** The services of all projects that the daemon knows. */
  rows: readonly Row[];
  world: Here;
};

/**
 * The nearest folder, from the current one upward, that has a locald.toml or a Procfile, or that the daemon knows a
 * project in. No file is read: a folder may be anybody's.
 */
export async function projectHere(
  folders: ReadonlySet<string>,
  { cwd, home }: Here,
): Promise<string | undefined> {
  const declared = await nearestProject(cwd, home);
  // A project that is up is found from below it, be it in a repository or not.
  const known = knownAbove(cwd, folders);
  // Both are above the current folder, so the longer path is the nearer one.
  return (known?.length ?? 0) > (declared?.length ?? 0) ? known : declared;
}

function knownAbove(folder: string, folders: ReadonlySet<string>): string | undefined {
  let known = folder;
  while (!folders.has(known)) {
    const next = dirname(known);
    if (next === known) return undefined;
    known = next;
  }
  return known;
}

/** A plain name is one of the project here first; of a folder, all services of its project are meant. */
export async function servicesMeant<Row extends Nameable>(
  word: string,
  { rows, world }: LookupOptions<Row>,
): Promise<Meant<Row>> {
  const folders = new Set(rows.map(({ directory }) => directory));
  const folder = await folderIn(word, { folders, world });
  if (folder !== undefined) return await inFolder(folder, { rows, world });
  const directory = (await projectHere(folders, world)) ?? world.cwd;
  const found = servicesNamed(word, { rows, directory, show: unquoted });
  const isHere = found.kind === "rows" && found.rows.every((its) => its.directory === directory);
  if (isHere || (found.kind === "rows" && found.rows.some(({ id }) => id === word))) return found;
  const declared = folders.has(directory) ? undefined : await declaredAs(word, directory, world);
  if (declared !== undefined) return declared;
  if (found.kind === "rows" || found.several) return found;
  // An empty variable in a script must not stand for the project here.
  if (word === "") return found;
  // A folder's own name without a slash, as completion may leave it.
  const beside = await place(resolve(world.cwd, word));
  return folders.has(beside) ? await inFolder(beside, { rows, world }) : found;
}

/** Services that only the files say: nobody has brought the project up. */
async function declaredAs(
  word: string,
  directory: string,
  world: Here,
): Promise<Extract<Meant<never>, { kind: "declared" }> | undefined> {
  const read = await projectIn(directory, world);
  if (read.kind !== "project") return undefined;
  const found = servicesWithin(word, read.project);
  if (found.kind === "none") return undefined;
  const ids = found.names.map((name) => `${read.project.name}:${name}`);
  const start = `${upCommand(directory)} ${found.names.map(pastedWord).join(" ")}`;
  const why = `${ids.map(unquoted).join(", ")}: nobody has started it; start it with: ${start}`;
  return { kind: "declared", ids, why };
}

async function inFolder<Row extends Nameable>(
  folder: string,
  { rows, world }: LookupOptions<Row>,
): Promise<Named<Row>> {
  const found = rows.filter(({ directory }) => directory === folder);
  if (found.length > 0) return { kind: "rows", rows: found };
  const isProject = (await nearestProject(folder, world.home)) === folder;
  const why = isProject ? nothingUpText(folder) : await noProjectText(folder, world);
  return { kind: "none", why, several: false };
}

/** Words that can only be folders. */
const path = /^(?:~|\.{1,2})?(?:\/|$)/;

/**
 * The project's folder that a word is a path to, or into; undefined for any other word. `api/docs` is a name with a
 * path, unless a project is there. A folder that is gone is still known by its path.
 */
export async function folderIn(
  word: string,
  { folders, world }: { folders: ReadonlySet<string>; world: Here },
): Promise<string | undefined> {
  const isPath = word !== "" && path.test(word);
  if (!isPath && (!word.includes("/") || word.includes("://"))) return undefined;
  const typed = word.startsWith("~") ? `${world.home}${word.slice(1)}` : word;
  const folder = await place(resolve(world.cwd, typed));
  const project = await projectHere(folders, { ...world, cwd: folder });
  if (isPath) return project ?? folder;
  return project === folder ? folder : undefined;
}

/** A path as the daemon knows it: without links, and the folder of a file. */
async function place(path: string): Promise<string> {
  const real = await realpath(path).catch(() => path);
  const isFile = await stat(real).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? dirname(real) : real;
}
