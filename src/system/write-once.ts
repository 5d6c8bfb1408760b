/** A path and a text -> a file that exactly one process creates, even if many try at once. */
import { link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Creates the file with mode 0600 unless it exists. Returns `"made"` in the one process that created it, and `"exists"`
 * in all others. The file is never visible half-written. Its directory has to exist.
 *
 * There is no lock that a killed process could leave behind: the text is written under a temporary name, and gets its
 * real name by link(2), which, unlike rename(2), never replaces a file. A process that is killed in between leaves a
 * `.tmp` file that nobody reads.
 *
 * File and name are on the disk when this returns, so a power failure cannot undo what others may rely on by then.
 *
 * @throws Error of the file system, with `code`.
 */
export async function writeOnce(path: string, text: string): Promise<"made" | "exists"> {
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return "exists";
      throw error;
    }
    await syncDirectory(dirname(path));
    return "made";
  } finally {
    await unlink(temporary).catch(() => {
      // The result or error from before is the one to report. A leftover temporary file is harmless.
    });
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
