/** Files -> a folder that has all of them or is not there; and back, where each of them is as it was written. */
import { existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readBeginning } from "../system/read-text.ts";
import { moveWhole, removeUnfinished, unfinishedPath } from "../system/whole-folder.ts";

export type Files = ReadonlyMap<string, Uint8Array>;

/** Written last: the names of the others, each with its SHA-256. */
const list = "files.json";

/** Bytes of all files of a folder; a transpiled plugin has less than three times those of its component. */
const longest = 64 * 1024 * 1024;

/** Whoever else may write there, as where the cache is in a folder for all users, could have put a program there. */
export function isKept(folder: string): boolean {
  return isOwn(folder) && existsSync(join(folder, list));
}

function isOwn(folder: string): boolean {
  try {
    const its = lstatSync(folder);
    return its.isDirectory() && its.uid === process.getuid?.() && (its.mode & 0o022) === 0;
  } catch {
    // There is none, or one that we may not look at.
    return false;
  }
}

/** Whoever has put it there first has done so for all. @throws Error of the file system, with `code`. */
export function keepFolder(folder: string, files: Files): void {
  const temporary = unfinishedPath(folder);
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  try {
    removeUnfinished(dirname(folder));
    for (const [name, bytes] of files) write(join(temporary, name), bytes);
    const hashes = Object.fromEntries([...files].map(([name, bytes]) => [name, hashOf(bytes)]));
    write(join(temporary, list), JSON.stringify(hashes));
    // A part of one, or somebody else's.
    if (!isKept(folder)) rmSync(folder, { recursive: true, force: true });
    moveWhole(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Undefined where a file is missing or is another one, as after a power failure. Never rejects. */
export async function keptFiles(folder: string): Promise<Files | undefined> {
  if (!isKept(folder)) return undefined;
  const text = await readBeginning(join(folder, list), longest);
  if (text === undefined) return undefined;
  let hashes: unknown;
  try {
    hashes = JSON.parse(text.toString());
  } catch {
    // The list was cut off.
    return undefined;
  }
  const files = new Map<string, Uint8Array>();
  for (const [name, hash] of Object.entries(hashes ?? {})) {
    const bytes = await readBeginning(join(folder, name), longest);
    if (bytes === undefined || hashOf(bytes) !== hash) return undefined;
    files.set(name, bytes);
  }
  return files;
}

export function hashOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function write(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { flag: "wx", mode: 0o600 });
}
