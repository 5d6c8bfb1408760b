/** A project's folder -> what its files declare, or every mistake in them. */
import { realpath, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type Origin, readConfig } from "../../manifest/config.ts";
import { type Layer, layerOf, localFile, noLine, readLayer } from "../../manifest/layer.ts";
import { procfileNames, readProcfile } from "../../manifest/procfile.ts";
import { noPlans, type Plans, type WrittenService } from "../../manifest/planned.ts";
import type { Checkout, ProjectSpec, WorktreeSpec } from "../../manifest/project.ts";
import type { Field } from "../../manifest/read/fields.ts";
import { type ReadManifest, readManifest } from "../../manifest/read/read-manifest.ts";
import type { EnvFile, ManifestOptions, Naming } from "../../manifest/read/options.ts";
import { envFilesOf } from "../../manifest/read/variables.ts";
import { fingerprintOf, planRecordPath } from "../../plugins/plan-place.ts";
import type { Recorded } from "../../plugins/recorded-plans.ts";
import { checkoutOf } from "./checkout-of.ts";
import { type ReadText, readText } from "../../system/read-text.ts";

export type ReadProject =
  | {
      kind: "project";
      project: ProjectSpec;
      worktree: WorktreeSpec;
      fields: readonly Field[];
      /** Services that plugins may know. */
      written?: readonly WrittenService[];
      /** The label of the worktree as it is now. */
      labelNow?: string | undefined;
    }
  /** Sentences; `files`, absolute, are those whose change may mend them. */
  | {
      kind: "mistakes";
      mistakes: readonly string[];
      files: readonly string[];
      /** The files that it copies, and what it sets up, may be what is missing. */
      worktree?: WorktreeSpec;
      /** Services that plugins may know: their plans may be what is missing. */
      written?: readonly WrittenService[];
      /** The project's name, where it can be told. */
      name?: string;
    }
  /** Neither a locald.toml nor a Procfile. */
  | { kind: "none"; files: readonly string[] };

export type ReadProjectOptions = {
  /** The home folder of the person whose configuration layers apply. */
  home: string;
  /** `config.toml`, absolute, where there may be one: the lowest layer. */
  configFile?: string | undefined;
  /** Domains besides `localhost`; by default those of config.toml. */
  tlds?: readonly string[] | undefined;
  /** The shell's variables; without them unset ones are not reported. */
  shell?: Readonly<Record<string, string | undefined>> | undefined;
  /** The folder that paths in messages are relative to; by default the project's. */
  seenFrom?: string;
  /** The name of a file in the folder: it is read in the place of locald.toml or the Procfile. */
  file?: string | undefined;
  /** In the place of the locald.toml that is there: whether it would do. */
  instead?: string;
  /** The user whose files count as one's own; by default this process's. */
  uid?: number;
  /** The checkout of a git repository that a folder is in; by default as the files of git say now. */
  checkoutOf?: ((directory: string) => InCheckout | undefined) | undefined;
  naming?: AskedNaming | undefined;
  /** Absolute: it has the plans of plugins; undefined: none are looked for. */
  stateDirectory?: string | undefined;
  /** In the place of those that are there. */
  plans?: Plans | undefined;
  /** Types of ours that plugins know too. */
  claimed?: readonly string[] | undefined;
};

/** The folder's checkout, and the main one of the same repository. */
export type InCheckout = Checkout & { main?: string | undefined };

/** The parts of a name that do not follow from the folder as it is now. */
export type AskedNaming = Pick<Naming, "given" | "instead"> & {
  /** The label that a worktree keeps while its project is up, whatever its branch is now; null: none. */
  label?: string | null | undefined;
};

/** Bytes. Far more than a person writes. */
const longest = 1024 * 1024;

/** The most folders that are walked up. */
const mostFolders = 100;

/** `directory` is absolute. Never rejects. */
export async function readProject(
  directory: string,
  options: ReadProjectOptions,
): Promise<ReadProject> {
  const { home, configFile, shell, seenFrom = directory, instead, uid = ownUid() } = options;
  const { file } = options;
  const nameOf = (path: string): string => seen(path, seenFrom);
  const files: string[] = [];
  const unreadable: string[] = [];
  let foreign: string | undefined;
  const noteOwner = (path: string, owner: number): void => {
    // To root all files are somebody's: in a container those of the project are its person's outside.
    if (uid !== 0 && owner !== uid && owner !== 0) foreign ??= path;
  };
  const textOf = async (path: string): Promise<{ text: string; uid: number } | undefined> => {
    files.push(path);
    const its = await readText(path, { longest });
    if (its.kind === "text") {
      noteOwner(path, its.uid);
      return its;
    }
    if (its.kind === "unreadable") unreadable.push(`${nameOf(path)} cannot be read: ${its.why}`);
    return undefined;
  };

  const isToml = file === undefined || file.endsWith(".toml");
  const main = join(directory, isToml ? (file ?? "locald.toml") : "locald.toml");
  const own =
    instead !== undefined ? { text: instead, uid } : isToml ? await textOf(main) : undefined;
  let procfile = "";
  let stood: { text: string; uid: number } | undefined;
  for (const name of isToml && file !== undefined
    ? []
    : file === undefined
      ? procfileNames
      : [file]) {
    if (own !== undefined || stood !== undefined || unreadable.length > 0) break;
    procfile = join(directory, name);
    stood = await textOf(procfile);
  }
  if (own === undefined && stood === undefined && unreadable.length === 0) {
    if (file === undefined) return { kind: "none", files };
    return {
      kind: "mistakes",
      mistakes: [`${nameOf(join(directory, file))}: no such file`],
      files,
    };
  }

  const layers: Layer[] = [];
  let tlds = options.tlds;
  const global = configFile === undefined ? undefined : await textOf(configFile);
  if (configFile !== undefined && global !== undefined) {
    layers.push(readLayer(global.text, { name: nameOf(configFile), global: true }));
    if (tlds === undefined) {
      const read = readConfig(global.text, nameOf(configFile));
      // Readers of the rest of the file report its other errors.
      if (read.kind === "config") tlds = read.config.tlds?.value;
    }
  }
  const trusted = [uid, 0, own?.uid ?? stood?.uid];
  const folders = await above(directory, home);
  const found = [
    ...folders.map((folder) => join(folder, ".locald.toml")),
    ...[...folders, directory].map((folder) => join(folder, "locald.workspace.toml")),
  ];
  const addLayer = async (path: string): Promise<Layer | undefined> => {
    const its = await textOf(path);
    if (its === undefined) return undefined;
    // This file decides which commands run.
    if (!trusted.includes(its.uid)) {
      const why = "belongs to another user, so it is not read; move it away";
      unreadable.push(`${nameOf(path)} ${why}`);
      return undefined;
    }
    const layer = readLayer(its.text, { name: nameOf(path) });
    layers.push(layer);
    return layer;
  };
  for (const path of found) await addLayer(path);
  if (own !== undefined) layers.push(readLayer(own.text, { name: nameOf(main) }));
  else if (stood !== undefined) layers.push(readProcfile(stood.text, nameOf(procfile)));
  else layers.push(layerOf({ value: {}, placeOf: () => ({ line: 1, column: 1 }) }, nameOf(main)));
  const local = (await addLayer(join(directory, localFile)))?.tree.source;

  const envFiles = new Map<string, EnvFile>();
  for (const path of envFilesOf(layers, directory)) {
    files.push(path);
    const its = await readText(path, { longest });
    if (its.kind === "text") noteOwner(path, its.uid);
    envFiles.set(path, envFile(its));
  }
  if (unreadable.length > 0) return { kind: "mistakes", mistakes: unreadable, files };
  const checkout = (options.checkoutOf ?? checkoutOf)(directory);
  const place = placeIn(checkout, { directory, asked: options.naming });
  const recorded = await plansOf(directory, options);
  const plans = options.plans ?? recorded?.plans ?? { ...noPlans, fingerprint: fingerprintOf };
  const readWith = (its: Plans): ReadManifest =>
    readManifest({
      ...{ directory, home, layers, local, envFiles, tlds, shell, files, nameOf },
      ...{ ...place, plans: its, claimed: options.claimed },
    });
  let read = readWith(plans);
  if (read.kind === "mistakes") {
    // A key that a type of ours does not have may be one of a plugin that knows the type too.
    const left = await claimedOf(options);
    if (left.length > 0) read = readWith({ ...plans, left });
  }
  if (recorded !== undefined) files.push(...recorded.files);
  else if (options.stateDirectory !== undefined && (read.written?.length ?? 0) > 0) {
    files.push(planRecordPath(options.stateDirectory, directory));
  }
  if (read.kind === "mistakes") return { ...read, files };
  const homeless = await missingFolders(read);
  if (homeless.length > 0) {
    return { kind: "mistakes", mistakes: homeless, files, worktree: read.worktree };
  }
  const project = foreign === undefined ? read.project : { ...read.project, foreign };
  return { ...read, project, labelNow: checkout?.label };
}

/** Undefined where no plan has ever been accepted: what reads them is not even loaded then. */
async function plansOf(
  directory: string,
  { stateDirectory }: ReadProjectOptions,
): Promise<Recorded | undefined> {
  if (stateDirectory === undefined) return undefined;
  if (!existsSync(planRecordPath(stateDirectory, directory))) return undefined;
  const { recordedPlans } = await import("../../plugins/recorded-plans.ts");
  return recordedPlans(stateDirectory, directory);
}

async function claimedOf({ stateDirectory }: ReadProjectOptions): Promise<readonly string[]> {
  if (stateDirectory === undefined || !existsSync(`${stateDirectory}/plugins.json`)) return [];
  return (await import("../../plugins/claimed-types.ts")).claimedTypes(stateDirectory);
}

/** How the project's folder is named, and which of its checkouts it is. */
function placeIn(
  found: InCheckout | undefined,
  { directory, asked = {} }: { directory: string; asked?: AskedNaming | undefined },
): Pick<ManifestOptions, "naming" | "checkout" | "freesPorts"> {
  const label = asked.label === null ? undefined : (asked.label ?? found?.label);
  const naming: Naming = { ...asked, label };
  // A worktree's folder is named by whoever made it: the project is named like the main checkout's.
  if (found !== undefined && label !== undefined && directory === found.root) {
    naming.folder = folderNameOf(found);
  }
  const freesPorts = label !== undefined || asked.instead !== undefined;
  if (found === undefined) return { naming, freesPorts };
  const { repository, root } = found;
  return { naming, freesPorts, checkout: { repository, root, label } };
}

/** The name of the main checkout's folder, or else of the one that a bare repository is in. */
export function folderNameOf({
  main,
  repository,
}: Pick<InCheckout, "main" | "repository">): string {
  if (main !== undefined) return basename(main);
  const own = basename(repository).replace(/\.git$/, "");
  return own === "" || own.startsWith(".") ? basename(dirname(repository)) : own;
}

/** The nearest folder, from there upward, that has a locald.toml or a Procfile; itself where none has. */
export async function projectFolder(from: string, home: string): Promise<string> {
  return (await nearestProject(from, home)) ?? from;
}

/** The same, and undefined where none has. No file is read. */
export async function nearestProject(from: string, home: string): Promise<string | undefined> {
  for (const folder of [from, ...(await above(from, home)).reverse()]) {
    for (const name of ["locald.toml", ...procfileNames]) {
      if (await isThere(join(folder, name))) return folder;
    }
  }
  return undefined;
}

/**
 * The folders above, outermost first, up to the one of the repository, or the person's own. None where the folder is in
 * neither: what lies in `/tmp` or `/` may be anybody's.
 */
async function above(directory: string, home: string): Promise<string[]> {
  const own = await realpath(home).catch(() => home);
  const found: string[] = [];
  let here = directory;
  for (let count = 0; count < mostFolders; count++) {
    if (here === home || here === own || (await isThere(join(here, ".git")))) {
      return found.reverse();
    }
    const next = dirname(here);
    if (next === here) return [];
    found.push(next);
    here = next;
  }
  return [];
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    // Whatever the reason: it cannot be used.
    () => false,
  );
}

function envFile(its: ReadText): EnvFile {
  if (its.kind === "text") return its;
  return its.kind === "missing" ? { kind: "missing" } : { kind: "unreadable", why: its.why };
}

async function missingFolders(read: {
  project: ProjectSpec;
  fields: readonly Field[];
}): Promise<string[]> {
  const looked = read.project.services.map(async ({ name: own, instance, workdir }) => {
    const name = instance?.of ?? own;
    const isFolder = await stat(workdir).then(
      (its) => its.isDirectory(),
      () => false,
    );
    if (isFolder) return [];
    const field = read.fields.find(
      ({ path }) => path[0] === "services" && path[1] === name && path[2] === "workdir",
    );
    return [`${placeText(field?.origin)}services.${name}.workdir: there is no folder ${workdir}`];
  });
  return [...new Set((await Promise.all(looked)).flat())];
}

function placeText(origin: Origin | undefined): string {
  if (origin === undefined) return "";
  return origin.line === noLine ? `${origin.file} ` : `${origin.file}:${origin.line} `;
}

/** Short where it is near. */
function seen(path: string, from: string): string {
  const short = relative(from, path);
  return short.startsWith("../../../..") || short === "" ? path : short;
}

/** -1 where the system has none, and files have none either. */
function ownUid(): number {
  return process.getuid?.() ?? -1;
}
