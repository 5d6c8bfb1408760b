/**
 * A path and a text -> a file that holds either the old text or the new one, never a part, readable by its owner only.
 */
import { mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces the file in one step. Missing directories are created with mode 0700; existing ones keep their mode, because
 * they may be the person's own. The file always gets mode 0600, or `mode`, even if an older file had another.
 *
 * The bytes reach the disk before the rename does; otherwise a power failure could leave the new name on an empty file.
 * The rename itself is not synced, so after a power failure the old file may be back.
 *
 * @throws Error of the file system, with `code`. No temporary file is left behind.
 */
export async function writeAtomically(
  path: string,
  text: string | Uint8Array,
  { mode = 0o600 }: { mode?: number } = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // The temporary file is in the same directory, because a rename cannot cross file systems. `wx` does not follow a
  // link that someone placed there.
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    try {
      // The mode is set before any byte is written, and regardless of the umask.
      if (mode !== 0o600) await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {
      // The first error is the one to report. A leftover temporary file is harmless.
    });
    throw error;
  }
}
