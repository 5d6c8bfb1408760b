/** An app's files -> a copy of them, which buildpacks may change. */
import { chmod, lstat, mkdir, symlink, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { copyNewFile } from "../../system/copy-file.ts";
import type { AppEntry } from "./app-files.ts";

export type CopyAppOptions = { from: string; to: string; signal: AbortSignal };

/**
 * `to` is there and empty. What has vanished, or is another thing by now, is left out: whoever calls this looks again
 * afterwards. @throws what the system says, such as ENOSPC, and the signal's reason.
 */
export async function copyApp(
  entries: readonly AppEntry[],
  { from, to, signal }: CopyAppOptions,
): Promise<void> {
  const isOver = () => signal.aborted;
  const made = new Set<string>([to]);
  const folder = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    await mkdir(path, { recursive: true, mode: 0o700 });
    made.add(path);
  };
  for (const entry of entries) {
    signal.throwIfAborted();
    const [source, target] = [join(from, entry.path), join(to, entry.path)];
    if (entry.kind === "folder") {
      await folder(target);
      continue;
    }
    await folder(dirname(target));
    if (entry.kind === "link") {
      await symlink(entry.leads, target);
      continue;
    }
    try {
      // A link or a pipe in its place would be followed, or waited for.
      if (!(await lstat(source)).isFile()) continue;
      await copyNewFile(source, target, { isOver });
      await utimes(target, entry.modified, entry.modified);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    }
  }
  signal.throwIfAborted();
  // Inner folders first: nothing can be put into one that is read-only. Buildpacks write to all of them.
  for (const entry of entries.toReversed()) {
    if (entry.kind === "folder") await chmod(join(to, entry.path), entry.mode | 0o700);
  }
}
