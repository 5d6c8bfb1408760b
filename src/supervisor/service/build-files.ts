/** Paths of files that a build may have written -> when that was, and a hash of what is there now. */
import { lstatSync } from "node:fs";
import { fileHash } from "../../system/file-hash.ts";
import type { BuildFiles } from "./build-writes.ts";

/** Octets: a larger file counts as changed with its size. */
const mostOctets = 8 * 1024 * 1024;

export const buildFiles: BuildFiles = {
  async hashOf(path) {
    const its = entryAt(path);
    if (its === undefined) return undefined;
    return its.size > mostOctets ? String(its.size) : await fileHash(path);
  },
  timesOf(path) {
    const its = entryAt(path);
    return its && { changed: its.ctimeMs, born: its.birthtimeMs };
  },
};

function entryAt(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // In a folder that we may not enter: nothing of it can be told, as of a file that is gone.
    return undefined;
  }
}
