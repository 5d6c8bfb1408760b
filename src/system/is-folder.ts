/** A path -> whether a folder is there, or a link to one. */
import { statSync } from "node:fs";

/** Never throws: a path that cannot be looked at is none. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    // A loop of links, a file where a folder should be, a folder of another user.
    return false;
  }
}
