/** A path -> text that is another one as soon as another file is there, or the same one was written. */
import { statSync } from "node:fs";

/**
 * Empty where there is no file, or nobody can look: links in a circle, a file where a folder should be, a folder of somebody
 * else's. Never throws. An editor may put another file in its place that is as large and as old, so the inode is part of it.
 */
export function filePrint(path: string): string {
  try {
    const its = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (its === undefined) return "";
    return `${its.dev} ${its.ino} ${its.size} ${its.mtimeNs} ${its.ctimeNs}`;
  } catch {
    // Whoever reads the file says why that cannot be done.
    return "";
  }
}
