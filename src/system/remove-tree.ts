/** A folder -> gone with all that is in it, also what its owner may not write to. */
import { chmod, lstat, opendir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Links are removed, not followed. Caches of packages make their folders read-only (Go's 0555), and nothing is removed
 * from such a folder. @throws Error of the file system. Nothing there is no error.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM" && code !== "ENOTEMPTY") throw error;
    await opened(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function opened(path: string): Promise<void> {
  const its = await lstat(path).catch(() => undefined);
  if (its?.isDirectory() !== true) return;
  await chmod(path, 0o700);
  for await (const entry of await opendir(path)) {
    if (entry.isDirectory()) await opened(join(path, entry.name));
  }
}
