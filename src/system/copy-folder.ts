/** A folder that nobody writes to -> a copy of it, with modes and owners; blocks are shared where that can be. */
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  open,
  opendir,
  readlink,
  symlink,
  utimes,
} from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { copyNewFile } from "./copy-file.ts";

export type CopyFolderOptions = {
  /** True once it is to be given up. */
  isOver(): boolean;
  /** After each file: bytes so far, as far as files say their size. */
  onBytes?(bytes: number): void;
  /** Names of files in the folder itself that are left out. */
  without?: readonly string[];
  /** `as they are`: also those that lead out of the folder. */
  links?: "inside" | "as they are";
  /** When files were written stays too: compilers take a younger source for a changed one. */
  times?: boolean;
};

/**
 * The parent of `target` is there, and `target` is not. Sockets and the like are left out: they are made anew. False
 * where `isOver` has ended it. @throws what the system says, such as ENOSPC; a sentence for a link that leads out of
 * the folder, as its target would belong to both.
 */
export async function copyFolder(
  source: string,
  target: string,
  { isOver, onBytes, without = [], links = "inside", times = false }: CopyFolderOptions,
): Promise<boolean> {
  // Files of another user's server, which root copies, stay that user's.
  const isRoot = process.geteuid?.() === 0;
  let bytes = 0;
  const copied = async (from: string, to: string): Promise<boolean> => {
    const its = await lstat(from);
    const owned = async (): Promise<void> => {
      if (isRoot) await lchown(to, its.uid, its.gid);
    };
    if (its.isSymbolicLink()) {
      const leads = await readlink(from);
      if (links === "inside" && isOutward(leads)) {
        throw new Error(`${from} leads out of its folder, to ${leads}, so that it is not copied`);
      }
      await symlink(leads, to);
      await owned();
      return true;
    }
    if (its.isFile()) {
      if (!(await copyNewFile(from, to, { isOver }))) return false;
      await owned();
      if (times) await utimes(to, its.atimeMs / 1000, its.mtimeMs / 1000);
      bytes += its.size;
      onBytes?.(bytes);
      return true;
    }
    if (!its.isDirectory()) return true;
    await mkdir(to, { mode: 0o700 });
    for await (const { name } of await opendir(from)) {
      if (isOver()) return false;
      if (from === source && without.includes(name)) continue;
      if (!(await copied(join(from, name), join(to, name)))) return false;
    }
    await chmod(to, its.mode & 0o7777);
    await owned();
    if (times) await utimes(to, its.atimeMs / 1000, its.mtimeMs / 1000);
    return true;
  };
  return await copied(source, target);
}

/** A link that leads out of the folder, or none. */
export async function leadsOut(folder: string): Promise<string | undefined> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) {
      if (isOutward(await readlink(path))) return path;
    } else if (entry.isDirectory()) {
      const found = await leadsOut(path);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function isOutward(leads: string): boolean {
  return isAbsolute(leads) || leads.split("/").includes("..");
}

/** Resolves when all that is in the folder has reached the disk. False where `isOver` has ended it. */
export async function syncFolder(
  folder: string,
  { isOver }: Pick<CopyFolderOptions, "isOver">,
): Promise<boolean> {
  for await (const entry of await opendir(folder)) {
    if (isOver()) return false;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!(await syncFolder(path, { isOver }))) return false;
    } else if (entry.isFile()) await synced(path);
  }
  await synced(folder);
  return true;
}

async function synced(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}

/** Bytes of all files, or as far as they were counted when it took too many. */
export async function sizeOfFolder(
  folder: string,
  { most = 200_000 }: { most?: number } = {},
): Promise<number> {
  let left = most;
  const sized = async (path: string): Promise<number> => {
    let bytes = 0;
    const entries = await opendir(path).catch(() => undefined);
    // Another user's, or gone meanwhile: it has no size that we could tell.
    if (entries === undefined) return 0;
    for await (const entry of entries) {
      if (left-- <= 0) break;
      const inside = join(path, entry.name);
      if (entry.isDirectory()) bytes += await sized(inside);
      else if (entry.isFile()) bytes += (await lstat(inside).catch(() => ({ size: 0 }))).size;
    }
    return bytes;
  };
  return await sized(folder);
}
