/** A path and a text -> a file that is made by one process only, however many want to make it at once. */
import { link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes the file, with mode 0600, unless there is one: `"made"` to the one process that made it, `"exists"`
 * to all others. Nobody ever sees it half-written. The directory has to exist.
 *
 * There is no lock that a process could die with: the text is written under a name of its own and gets its
 * real one by link(2), which, other than rename(2), never replaces. A process that is killed in between leaves
 * a `.tmp` file that nobody reads.
 *
 * File and name are on the disk when this returns, so that a power failure does not take back what others
 * may have come to rely on.
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
      // What came before is the news; a stray temporary file harms nobody.
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
