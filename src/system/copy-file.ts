/** A regular file -> a copy where nothing is yet, with its mode; where the file system can, both share their blocks. */
import { constants } from "node:fs";
import { copyFile, rm } from "node:fs/promises";

/**
 * `source` is no link: whoever calls this has looked. A link at `target` is not followed. @throws what the system says,
 * such as ENOSPC; half a file, which would be taken for a whole one the next time, is removed.
 */
export async function copyNewFile(source: string, target: string): Promise<void> {
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(target, { force: true });
    throw error;
  }
}
