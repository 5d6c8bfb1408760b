/** A machine -> the root-owned programs that are installed there, where nobody but root could have changed them. */
import { lstatSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { helperFolders } from "./places.ts";

export type Present =
  | { kind: "installed"; path: string }
  /** `why`: a sentence. */
  | { kind: "unsafe"; path: string; why: string };

export type InstalledOptions = {
  /** The root of the system's files: `/`, except in tests. */
  root?: string | undefined;
  /** The user who has to own all of it: root, except in tests. */
  owner?: number | undefined;
};

/** Those that are there, a package's own first. */
export function installedPrograms(name: string, options: InstalledOptions = {}): Present[] {
  const { root = "/" } = options;
  return helperFolders.flatMap((folder) => {
    const path = join(root, folder, name);
    if (statOf(path) === undefined) return [];
    const why = unsafeWhy(path, options);
    return [why === undefined ? { kind: "installed", path } : { kind: "unsafe", path, why }];
  });
}

/** The reason for which others could change the file: itself, or one of the folders that it is in, up to the root. */
export function unsafeWhy(path: string, options: InstalledOptions = {}): string | undefined {
  const its = statOf(path);
  if (its === undefined) return `${path} cannot be looked at`;
  if (!its.isFile()) return `${path} is no regular file`;
  return loose(path, { its, owner: options.owner }) ?? unsafeFolderWhy(dirname(path), options);
}

/** The same of a folder; those that are not there yet are nobody's. */
export function unsafeFolderWhy(
  folder: string,
  { root = "/", owner }: InstalledOptions = {},
): string | undefined {
  const top = join(root, "/");
  for (let at = folder; ; at = dirname(at)) {
    const its = statOf(at);
    if (its !== undefined) {
      if (!its.isDirectory()) return `${at} is no folder`;
      const why = loose(at, { its, owner });
      if (why !== undefined) return why;
    }
    if (join(at, "/") === top || at === "/") return undefined;
  }
}

type Looked = { its: Stats; owner: number | undefined };

function loose(path: string, { its, owner = 0 }: Looked): string | undefined {
  if (its.uid !== owner) return `${path} does not belong to root`;
  return (its.mode & 0o022) === 0 ? undefined : `others than root may write ${path}`;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    // Not there, or in a folder that we may not look into: then it is nothing that we could start.
    return undefined;
  }
}
