/** A size -> a file system that is full when so much is in it. Only root may mount one; CI has sudo. */
import { chmodSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installer } from "./debian.ts";

export interface SmallDisk extends Disposable {
  folder: string;
  /** Mounts it anew with that size, or for nobody to write. */
  change(options: string): void;
}

function asRoot(): readonly string[] | undefined {
  return process.getuid?.() === 0 ? [] : installer();
}

/** Root of a container may not mount either. */
function mounts(): boolean {
  if (process.platform !== "linux" || asRoot() === undefined) return false;
  try {
    smallDisk("size=1m")[Symbol.dispose]();
    return true;
  } catch {
    // Said in the titles of the tests that are skipped.
    return false;
  }
}

/** `options`: of mount(8), such as `size=10m`. @throws where it cannot be mounted. */
export function smallDisk(options: string): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-disk-"));
  const mount = (...words: string[]): void => {
    const done = Bun.spawnSync([...asRoot()!, ...words], { stderr: "pipe" });
    if (!done.success) throw new Error(done.stderr.toString());
  };
  const owner = `uid=${process.getuid!()},gid=${process.getgid!()},mode=711`;
  try {
    mount("mount", "-t", "tmpfs", "-o", `${owner},${options}`, "tmpfs", folder);
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
  chmodSync(folder, 0o711);
  return {
    folder,
    change: (its) => mount("mount", "-o", `remount,${owner},${its}`, folder),
    [Symbol.dispose]() {
      mount("umount", "-l", folder);
      rmdirSync(folder);
    },
  };
}

export const canMount = mounts();
/** Behind a test's name: where it does not run, this says why. */
export const byMount = canMount ? "" : " (needs a right to mount)";
