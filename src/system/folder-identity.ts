/** A path -> which folder is there, by what stays when it is moved. */
import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Links that are walked, and folders up. */
const mostFolders = 4096;

/**
 * Device, inode and birth, with blanks between: an inode alone is given again at once. Links are followed. Empty where
 * there is no folder, or where it cannot be examined. Never throws.
 */
export function folderIdentity(path: string): string {
  try {
    const its = statSync(path, { bigint: true, throwIfNoEntry: false });
    return its?.isDirectory() === true ? identityOf(its) : "";
  } catch {
    // A loop of links, or another user's: nothing of it can be watched.
    return "";
  }
}

export function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${birthtimeNs}`;
}

/** Devices are numbered anew with each boot, so they do not count. False where the file system knows no birth. */
export function isSameFolder(one: string, other: string): boolean {
  const [, ...its] = one.split(" ");
  const [, ...others] = other.split(" ");
  return its.length === 2 && its[1] !== "0" && String(its) === String(others);
}

/**
 * `here`: the folder, or one of which no more is known. `replaced`: another one. `gone`: there is none. `unmounted`:
 * there is none, and no longer the file system that it was on.
 */
export type Whereabouts = "here" | "replaced" | "gone" | "unmounted";

/**
 * `identity`: the folder's; undefined where it is not known. A path that cannot be examined counts as here. Never
 * rejects. Another computer's that does not answer keeps nobody else waiting.
 */
export async function whereabouts(
  path: string,
  identity: string | undefined,
): Promise<Whereabouts> {
  try {
    const its = await stat(path, { bigint: true });
    if (its.isDirectory()) {
      const known = identity !== undefined && !identity.endsWith(" 0");
      return known && !isSameFolder(identity, identityOf(its)) ? "replaced" : "here";
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") return "here";
  }
  if (identity === undefined) return "gone";
  return deviceAbove(path) === identity.split(" ", 1)[0] ? "gone" : "unmounted";
}

/** The device of the nearest folder above that is there. */
function deviceAbove(path: string): string | undefined {
  let here = dirname(path);
  for (let count = 0; count < mostFolders; count++) {
    const identity = folderIdentity(here);
    if (identity !== "") return identity.split(" ", 1)[0];
    here = dirname(here);
  }
  return undefined;
}
