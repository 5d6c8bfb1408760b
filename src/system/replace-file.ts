/** Bytes -> a system's file that has them in the place of its own, with mode and owner as they were. */
import type { Stats } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";

/** `its`: of the file as it is. @throws Error of the file system. No temporary file is left behind. */
export async function replaceFile(
  path: string,
  { its, bytes }: { its: Stats; bytes: Uint8Array },
): Promise<void> {
  const temporary = `${path}.localhostess.${crypto.randomUUID()}.tmp`;
  const made = await open(temporary, "wx", 0o600);
  try {
    try {
      await made.chown(its.uid, its.gid);
      await made.chmod(its.mode & 0o7777);
      await made.writeFile(bytes);
      await made.sync();
    } finally {
      await made.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary);
    // In a container the file is a mount, which nothing can be renamed to.
    if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    await inPlace(path, bytes);
  }
}

/** The length is set last: until then, each byte is the old one or the new one. */
async function inPlace(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(bytes, 0, bytes.length, 0);
  await file.truncate(bytes.length);
  await file.sync();
}
