/** Files -> a folder that has all of them or is not there; and back, where each of them is as it was written. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { readBeginning } from "../system/read-text.ts";

export type Files = ReadonlyMap<string, Uint8Array>;

/** Written last: the names of the others, each with its SHA-256. */
const list = "files.json";

/** Milliseconds; nobody writes for so long. */
const abandonedAfter = 3_600_000;

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
  const parent = dirname(folder);
  const temporary = join(parent, `${basename(folder)}.${process.pid}-${crypto.randomUUID()}.tmp`);
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  try {
    removeAbandoned(parent);
    for (const [name, bytes] of files) write(join(temporary, name), bytes);
    const hashes = Object.fromEntries([...files].map(([name, bytes]) => [name, hashOf(bytes)]));
    write(join(temporary, list), JSON.stringify(hashes));
    move(temporary, folder);
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

/** Another process may have been quicker: its files are the same. */
function move(temporary: string, folder: string): void {
  try {
    renameSync(temporary, folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw error;
    if (isKept(folder)) return;
    // A part of one, or somebody else's.
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  }
}

/** Folders of processes that were killed while they wrote. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent).filter((its) => its.endsWith(".tmp"))) {
    const its = statSync(join(parent, name), { throwIfNoEntry: false });
    if (its === undefined || Date.now() - its.mtimeMs < abandonedAfter) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}
