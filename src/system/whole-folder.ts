/** A folder that is filled under another name -> there under its own, as a whole or not at all. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** Milliseconds; nobody fills a folder for so long. */
const abandonedAfter = 3_600_000;

/** `folder` is absolute. @returns the path beside it under which it is filled. */
export function unfinishedPath(folder: string): string {
  return `${folder}.${process.pid}-${crypto.randomUUID()}.tmp`;
}

/** Where another process was quicker, its files stay: they are the same. @throws Error of the file system. */
export function moveWhole(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/** Removes what processes that were killed have left in the folder above. @throws Error of the file system. */
export function removeUnfinished(parent: string): void {
  for (const name of readdirSync(parent).filter((its) => its.endsWith(".tmp"))) {
    const its = statSync(join(parent, name), { throwIfNoEntry: false });
    if (its === undefined || Date.now() - its.mtimeMs < abandonedAfter) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}
