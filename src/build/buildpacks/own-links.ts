/** Folders of a generation -> the same, with links to our own paths made relative. */
import { lstat, opendir, readlink, rename, rm, symlink, utimes } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

export type OwnLinksOptions = {
  /** The path by which buildpacks see the generation, and its own. */
  seen: string;
  own: string;
  signal: AbortSignal;
};

/**
 * Buildpacks link to their layers by absolute paths, through `at`. While the next build runs beside the process of this
 * one, `at` leads to that build, and a module that the process reads only then would be looked for there. Relative
 * ones lead to the same files in whichever generation they are copied to.
 *
 * @throws what the system says, and the signal's reason.
 */
export async function ownLinks(
  folder: string,
  { seen, own, signal }: OwnLinksOptions,
): Promise<void> {
  const walk = async (path: string): Promise<void> => {
    for await (const entry of await opendir(path)) {
      signal.throwIfAborted();
      const inside = join(path, entry.name);
      if (entry.isDirectory()) await walk(inside);
      else if (entry.isSymbolicLink()) await mended(inside);
    }
  };
  const mended = async (path: string): Promise<void> => {
    const leads = await readlink(path);
    const rest = [seen, own].map((its) => `${its}/`).find((its) => leads.startsWith(its));
    if (rest === undefined) return;
    const target = relative(dirname(path), join(own, leads.slice(rest.length)));
    const made = `${path}.${crypto.randomUUID()}`;
    const { atime, mtime } = await lstat(dirname(path));
    try {
      await symlink(target, made);
      await rename(made, path);
      await utimes(dirname(path), atime, mtime);
    } catch (error) {
      await rm(made, { force: true });
      // In a read-only folder it stays as it is, which is right while no other build runs.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EACCES" && code !== "EPERM") throw error;
    }
  };
  await walk(folder);
}
