/** The words after `up` -> the project that they mean, and the services of it. */
import { stat, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import type { ProjectSpec } from "../../manifest/project.ts";
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import { goneText } from "../../routes/state-sentence.ts";
import { namesOf, servicesWithin, unquoted, wordIn } from "../../routes/named.ts";
import { printable } from "../../text/printable.ts";
import {
  isProjectFile,
  noProjectText,
  projectFolderOf,
  projectIn,
  projectPlaceOf,
} from "../shared/project-files.ts";
import type { ReadProject } from "../../supervisor/project/read-project.ts";
import { Failure } from "../shared/failure.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { withPlans } from "../shared/with-plans.ts";
import type { World } from "../shared/world.ts";
import { knownOf, rowsOf } from "./asking.ts";
import { servicesMeant } from "../shared/lookup.ts";
import { projectHere } from "./here.ts";
import { nameableOf, rowsNamed } from "./named.ts";

/** A project's folder -> the name that is asked for it; null: that of its files. */
export type NameFor = (directory: string) => string | null | undefined;

export type AskedFor = {
  project: ProjectSpec;
  services: readonly string[];
  /** The name of the file in the project's folder that declares it; undefined: the one that is read anyway. */
  file: string | undefined;
};

export type AskedForOptions = {
  file?: string | undefined;
  flags?: Flags;
  nameFor?: NameFor;
  /** Plugins are asked for plans of the services that they know. */
  plans?: boolean;
};

/**
 * The first word is a folder or a project's file, or a service like the others; with the path of a file, all
 * are services. Where the project here has no such service, or no project is here, those that the daemon knows are
 * looked through. @throws an Error, after every error is reported.
 */
export async function askedFor(
  words: readonly string[],
  world: World,
  { file: path, flags = {}, nameFor = () => undefined, plans = false }: AskedForOptions = {},
): Promise<AskedFor> {
  const [first, ...others] = words;
  const isPath = path === undefined && first !== undefined && (await namesFolder(first, world));
  const place = await projectPlaceOf(path ?? (isPath ? first : undefined), world, {
    any: path !== undefined,
  });
  const { file } = place;
  const directory = await realpath(place.directory);
  const given = nameFor(directory) ?? undefined;
  const files = { file, naming: { given } };
  let read = await projectIn(directory, world, files);
  if (path === undefined && !isPath && !isAbout(read, first)) {
    const known = await knownFolder(first, { flags, world });
    // In a project, a plain word that it does not have is rather a service that it is going to have.
    const isExact = first !== undefined && (first.includes(":") || wordIn(first).isAddress);
    const isMeant = read.kind === "none" || known?.isWhole || isExact;
    if (isMeant && known !== undefined && known.directory !== directory) {
      if (known.gone !== undefined) throw new Failure("no_project", known.gone);
      const rest = known.isWhole ? others : words;
      return await askedFor([`${known.directory}/`, ...rest], world, { flags, nameFor, plans });
    }
  }
  const own = isPath ? others : words;
  if (plans) {
    read = await withPlans(read, { directory, flags, world, files, some: own.length > 0 });
  }
  if (read.kind === "none") {
    const why = await noProjectText(directory, world);
    if (path === undefined && !isPath && first !== undefined) {
      await noneNamed(first, { flags, world, why });
    }
    throw new Failure("no_project", why);
  }
  if (read.kind === "mistakes") {
    for (const mistake of read.mistakes) world.err.write(`${printable(mistake, 2_000)}\n`);
    world.json?.more.push(...read.mistakes);
    const errors = counted(read.mistakes.length, "error");
    throw new Failure(
      "invalid_project",
      `nothing was started: ${errors} in the configuration of ${directory}`,
    );
  }
  const { project } = read;
  // The daemon may know it by another name: that of an earlier branch, or one that was given.
  const isOther = own.some((word) => word.includes(":") && !isAbout(read, word));
  const name = isOther ? await knownName(directory, { flags, world }) : undefined;
  const services = own.flatMap((word) => {
    const known = name !== undefined && word.startsWith(`${name}:`) && !isAbout(read, word);
    return servicesIn(project, known ? word.slice(name.length + 1) : word);
  });
  return { project, services: [...new Set(services)], file };
}

async function knownName(
  directory: string,
  { flags, world }: { flags: Flags; world: World },
): Promise<string | undefined> {
  const running = await runningDaemon(await settingsOf(flags, world), world);
  const rows = running === undefined ? [] : await rowsOf(running.socket);
  return rows.find((row) => row.path === directory)?.project;
}

/** Whether the word names something of the project that was read. Errors in it are reported first. */
function isAbout(read: ReadProject, word: string | undefined): boolean {
  if (read.kind !== "project") return read.kind === "mistakes";
  return word === undefined || servicesWithin(word, read.project).kind === "services";
}

/** `gone`: why it cannot be started, where its folder is not there any more. */
type KnownFolder = { directory: string; isWhole: boolean; gone?: string | undefined };

/**
 * The project that the daemon knows by the word: `shop:api`, `shop`, or `api` if only one has such a service. Without
 * a word, the one whose folder is above.
 */
async function knownFolder(
  word: string | undefined,
  { flags, world }: { flags: Flags; world: World },
): Promise<KnownFolder | undefined> {
  const running = await runningDaemon(await settingsOf(flags, world), world);
  if (running === undefined) return undefined;
  const rows = await rowsOf(running.socket);
  if (word === undefined) {
    const directory = await projectHere({ rows, world });
    return directory === undefined ? undefined : { directory, isWhole: false };
  }
  const found = await servicesMeant(word, { rows: rows.map(nameableOf), world });
  if (found.kind !== "rows") return undefined;
  const [one, ...more] = new Set(found.rows.map((its) => its.directory));
  if (one === undefined || more.length > 0) return undefined;
  const isThere = await stat(one).then(
    () => true,
    () => false,
  );
  const { project: its } = found.rows[0]!;
  const gone = isThere ? undefined : `${its}: ${goneText({ directory: one, project: its })}`;
  const isWhole = found.rows.every(({ id, service, of, project }) => {
    return project === word && ![id, service, of].includes(word);
  });
  return { directory: one, isWhole, gone };
}

/** @throws an Error for a person, where the daemon has projects, and none of them has the word's service. */
async function noneNamed(
  word: string,
  { flags, world, why }: { flags: Flags; world: World; why: string },
): Promise<void> {
  const running = await runningDaemon(await settingsOf(flags, world), world);
  if (running === undefined) return;
  const { rows, servers } = await knownOf(running.socket);
  if (rows.length === 0) return;
  try {
    await rowsNamed([word], { rows, servers, world });
  } catch (mistake) {
    if (!(mistake instanceof Failure) || mistake.code !== "not_found") throw mistake;
    throw new Failure("not_found", `${mistake.message}; ${why}`);
  }
}

async function namesFolder(word: string, world: World): Promise<boolean> {
  if (word === "." || word === "..") return true;
  const found = await stat(resolve(world.cwd, word)).catch(() => undefined);
  const isThere = found?.isDirectory() || (found !== undefined && isProjectFile(word));
  if (word.includes("/") && isThere) return true;
  const read = await projectFolderOf(undefined, world).then((its) => projectIn(its, world));
  const isOwn = read.kind === "project" && servicesWithin(word, read.project).kind === "services";
  // One that is not there is reported as a folder, unless it is an address or a service with a path.
  if (word.includes("/")) return !isOwn && !wordIn(word).isUrl;
  return !isOwn && isThere;
}

function servicesIn(project: ProjectSpec, word: string): readonly string[] {
  const { name, services } = project;
  const found = servicesWithin(word, project);
  if (found.kind === "services") return found.names;
  const { hint } = found;
  const names = listed(namesOf(services));
  throw new Failure(
    "not_found",
    `${name} has no service ${unquoted(word)}${hint} (it has ${names})`,
  );
}
