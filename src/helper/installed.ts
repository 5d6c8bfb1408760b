/** A machine -> the root-owned program that is installed there, if nobody but root could have changed it. */
import { lstatSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { helperFolders } from "./places.ts";

export type Installed =
  | { kind: "installed"; path: string }
  | { kind: "none" }
  /** `why`: a sentence. */
  | { kind: "unsafe"; path: string; why: string };

export type InstalledOptions = {
  /** The root of the system's files: `/`, except in tests. */
  root?: string;
  /** The user who has to own all of it. */
  owner?: number;
};

/** The first that is there, though it may be unsafe: the other one would hide that something is wrong. */
export function installedProgram(name: string, options: InstalledOptions = {}): Installed {
  const { root = "/", owner = 0 } = options;
  for (const folder of helperFolders) {
    const path = join(root, folder, name);
    const its = statOf(path);
    if (its === undefined) continue;
    const why = its.isFile() ? problem(path, { root, owner }) : `${path} is no regular file`;
    return why === undefined ? { kind: "installed", path } : { kind: "unsafe", path, why };
  }
  return { kind: "none" };
}

/** Of the file and of each folder that it is in, up to the root. */
function problem(path: string, { root, owner }: Required<InstalledOptions>): string | undefined {
  const top = join(root, "/");
  for (let at = path; ; at = dirname(at)) {
    const its = statOf(at);
    if (its === undefined) return `${at} is gone`;
    if (its.isSymbolicLink()) return `${at} is a link`;
    if (its.uid !== owner) return `${at} does not belong to root`;
    if ((its.mode & 0o022) !== 0) return `others than root may write ${at}`;
    if (at === path && (its.mode & 0o111) === 0) return `${at} is no program`;
    if (join(at, "/") === top || at === "/") return undefined;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    // Not there, or in a folder that we may not look into: then it is nothing that we could start.
    return undefined;
  }
}
