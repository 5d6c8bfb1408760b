/** A path -> a fingerprint that changes when the file is written or replaced. */
import { statSync } from "node:fs";

/**
 * Empty if there is no file, or if it cannot be examined: a loop of symbolic links, a file where a folder should be, a
 * folder of another user. Never throws. The inode is included, because an editor may replace a file by another one of
 * the same size and date.
 */
export function fileFingerprint(path: string): string {
  try {
    const its = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (its === undefined) return "";
    return `${its.dev} ${its.ino} ${its.size} ${its.mtimeNs} ${its.ctimeNs}`;
  } catch {
    // Reading the file will report why this fails.
    return "";
  }
}
