/** A path -> whether any user of this machine can go as far as there: every folder on the way lets others through. */
import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** The permission to go through a folder, of those who neither own it nor are in its group. */
const through = 0o001;

/** `path`: a folder, absolute. Where it does not exist, the nearest folder above it that does decides. */
export function reachableByOthers(path: string): boolean {
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    // Not made yet. Above the root of all there is nothing to ask.
    return path === dirname(path) ? false : reachableByOthers(dirname(path));
  }
  for (let folder = real; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & through) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
