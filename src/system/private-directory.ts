/** The path of a directory -> that directory, ours alone: created with mode 0700, or found to be so. */
import { lstatSync, mkdirSync } from "node:fs";

/** @throws Error with a sentence if others could put a socket of theirs there. */
export function ensurePrivateDirectory(directory: string, uid: number): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const its = lstatSync(directory);
  if (!its.isDirectory() || its.uid !== uid || (its.mode & 0o077) !== 0) {
    throw new Error(
      `${directory} is not a directory of yours alone, so no socket can be there; remove it, or set XDG_RUNTIME_DIR`,
    );
  }
}
