/** A path and a text -> a file that is either the old one or the new one, whole, and that only its owner reads. */
import { mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes missing directories with mode 0700; those that exist keep theirs, as they may be the person's. The
 * file gets mode 0600, or the one that is asked for, also where an older one had another.
 *
 * The bytes reach the disk before the name does: otherwise a power failure may leave the new name on
 * an empty file. The name itself is not forced out, so after such a failure the old file may be back.
 *
 * @throws Error of the file system, with `code`. Nothing is left behind then.
 */
export async function writeAtomically(
  path: string,
  text: string | Uint8Array,
  { mode = 0o600 }: { mode?: number } = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // In the same directory, because a rename does not cross file systems. `wx` follows no link that waits there.
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    try {
      // Before a byte is in it, and whatever the mask takes away from new files.
      if (mode !== 0o600) await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {
      // The first error is the one to tell; a stray temporary file harms nobody.
    });
    throw error;
  }
}
