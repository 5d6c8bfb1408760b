/** A folder that may have become empty -> gone, and so are those around it that are empty then. */
import { rmdir } from "node:fs/promises";
import { dirname } from "node:path";

/** `below`: the folder that stays in any case, such as a person's home. Nothing is removed outside of it. */
export async function removeEmptyFolders(
  folder: string,
  { below }: { below: string },
): Promise<void> {
  for (let at = folder; at.startsWith(`${below}/`); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Something else is in it, or it is not ours to remove.
      if (code !== "ENOENT") return;
    }
  }
}
