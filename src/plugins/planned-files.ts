/** Files that plans want, and those that we have written for plans -> the same files in the project's folder. */
import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";
import { fileHash } from "../system/file-hash.ts";
import type { WrittenFile } from "./plan-records.ts";

/** As `writeAtomically` ends a name while it writes. */
const part = /^\.\d+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

export type WantedFile = { service: string; path: string; contents: string | Uint8Array };

/** A part of a record. */
export type Written = { files: readonly WrittenFile[]; folders: readonly string[] };

export type FileOptions = {
  /** Absolute: the project's folder. */
  directory: string;
  before: Written;
  /** Paths of further files that stay as they are. */
  standing?: readonly string[];
  /** Keeps what may be there from now on: called before the first change and after the last one. */
  record(written: Written): Promise<void>;
};

export type FileNews = {
  /** Paths. */
  written: readonly string[];
  removed: readonly string[];
  /** Sentences about files that were left as they are. */
  left: readonly string[];
};

/** Where a path leads. */
type Look =
  | { kind: "absent"; missing: readonly string[] }
  | { kind: "file"; hash: string }
  | { kind: "folder"; why: string }
  /** `why` is a clause. */
  | { kind: "other"; why: string };

/** Other readers of a project's files may need them: a server in a container runs as another user. */
const mode = 0o644;

/**
 * Never over a file that a person has made or changed. What the system refuses is left, with a sentence.
 * @throws the error of `record`.
 */
export async function putFiles(
  wanted: readonly WantedFile[],
  { directory, before, standing = [], record }: FileOptions,
): Promise<FileNews> {
  const left: string[] = [];
  const writes: (WantedFile & { hash: string; seen: string | undefined })[] = [];
  const files: WrittenFile[] = [];
  const folders = new Set(before.folders);
  for (const file of wanted) {
    const { path, service } = file;
    const hash = hashOf(file.contents);
    const known = before.files.find((its) => its.path === path)?.hashes ?? [];
    const look = await lookAt(path, directory);
    if (look.kind === "other" || look.kind === "folder") {
      left.push(`${path} is not written: ${look.why}`);
      if (known.length > 0) files.push({ service, path, hashes: [...known] });
    } else if (look.kind === "absent") {
      for (const folder of look.missing) folders.add(folder);
      files.push({ service, path, hashes: [hash] });
      writes.push({ ...file, hash, seen: undefined });
    } else if (!known.includes(look.hash)) {
      if (known.length > 0) files.push({ service, path, hashes: [...known] });
      // A person's own that is the same serves as well.
      if (look.hash === hash) continue;
      const whose = known.length > 0 ? "you have changed it" : "it is your own";
      left.push(`${path} is left as it is, since ${whose}; delete it to have the plan's`);
    } else if (look.hash === hash) files.push({ service, path, hashes: [hash] });
    else {
      files.push({ service, path, hashes: [hash, look.hash] });
      writes.push({ ...file, hash, seen: look.hash });
    }
  }
  const gone = before.files.filter(({ path }) => !wanted.some((its) => its.path === path));
  if (writes.length === 0 && gone.length === 0) {
    if (!isSame({ files, folders: [...folders] }, before))
      await record({ files, folders: [...folders] });
    return { written: [], removed: [], left };
  }
  await record({ files: [...files, ...gone], folders: [...folders] });
  const written = new Map<string, string>();
  for (const { path, contents, hash, seen } of writes) {
    const now = await lookAt(path, directory);
    if (now.kind !== "absent" && !(now.kind === "file" && now.hash === seen)) {
      const why = now.kind === "file" ? "it has changed meanwhile" : now.why;
      left.push(`${path} is not written: ${why}`);
      continue;
    }
    try {
      await makeFolders(path, directory);
      await sweep(path, directory);
      await writeAtomically(join(directory, path), contents, { mode });
      written.set(path, hash);
    } catch (error) {
      left.push(`${path} is not written: ${refusalOf(error)}`);
    }
  }
  const { removed, stayed } = await removeFiles(gone, directory);
  left.push(...stayed);
  const still = await removeFolders([...folders], {
    directory,
    files: [...standing, ...files.map(({ path }) => path)],
  });
  const settled = files.map((its) => {
    const hash = written.get(its.path);
    return hash === undefined ? its : { ...its, hashes: [hash] };
  });
  await record({ files: settled, folders: still });
  return { written: [...written.keys()], removed, left };
}

export function hashOf(contents: string | Uint8Array): string {
  return createHash("sha256").update(contents).digest("hex");
}

function isSame(one: Written, other: Written): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function removeFiles(
  files: readonly WrittenFile[],
  directory: string,
): Promise<{ removed: string[]; stayed: string[] }> {
  const removed: string[] = [];
  const stayed: string[] = [];
  for (const { path, hashes } of files) {
    const look = await lookAt(path, directory);
    if (look.kind === "absent") continue;
    if (look.kind === "file" && hashes.includes(look.hash)) {
      try {
        await sweep(path, directory);
        await unlink(join(directory, path));
        removed.push(path);
      } catch (error) {
        stayed.push(`${path} stays: ${refusalOf(error)}`);
      }
    } else if (look.kind === "file") stayed.push(`${path} stays, since you have changed it`);
    else stayed.push(`${path} stays: ${look.why}`);
  }
  return { removed, stayed };
}

/** Parts of the file that a process of ours has left when it was killed; no other one writes now. */
async function sweep(path: string, directory: string): Promise<void> {
  const folder = dirname(join(directory, path));
  const name = basename(path);
  for (const file of await readdir(folder)) {
    const isPart = file.startsWith(`${name}.`) && part.test(file.slice(name.length));
    if (isPart) await unlink(join(folder, file));
  }
}

/** Those that we have made, and that are empty. @returns the others. */
async function removeFolders(
  folders: readonly string[],
  { directory, files }: { directory: string; files: readonly string[] },
): Promise<string[]> {
  const still: string[] = [];
  // The longest first: a folder is longer than the one around it.
  for (const folder of [...folders].sort((one, other) => other.length - one.length)) {
    const look = await lookAt(folder, directory);
    if (look.kind === "absent") continue;
    if (files.some((path) => path.startsWith(`${folder}/`))) still.push(folder);
    // One that has something else in it by now is the person's, and so is one behind a link.
    else if (look.kind === "folder") await rmdir(join(directory, folder)).catch(() => undefined);
  }
  return still.sort();
}

async function lookAt(path: string, directory: string): Promise<Look> {
  try {
    return await lookInto(path, directory);
  } catch (error) {
    return { kind: "other", why: refusalOf(error) };
  }
}

/** A clause. */
function refusalOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `the system refuses it (${code ?? message})`;
}

/** No symbolic link is followed: it could lead out of the project. @throws Error of the file system. */
async function lookInto(path: string, directory: string): Promise<Look> {
  const words = path.split("/");
  for (let count = 1; count < words.length; count++) {
    const folder = words.slice(0, count).join("/");
    const its = await lstat(join(directory, folder)).catch(ifAbsent);
    if (its === undefined) {
      const missing = words.slice(0, -1).map((_, index) => words.slice(0, index + 1).join("/"));
      return { kind: "absent", missing: missing.slice(count - 1) };
    }
    if (its.isSymbolicLink()) return { kind: "other", why: `${folder} is a symbolic link` };
    if (!its.isDirectory()) return { kind: "other", why: `${folder} is not a folder` };
  }
  const its = await lstat(join(directory, path)).catch(ifAbsent);
  if (its === undefined) return { kind: "absent", missing: [] };
  if (its.isSymbolicLink()) return { kind: "other", why: "it is a symbolic link" };
  if (its.isDirectory()) return { kind: "folder", why: "a folder is there" };
  if (!its.isFile()) return { kind: "other", why: "something else than a file is there" };
  const hash = await fileHash(join(directory, path));
  return hash === undefined
    ? { kind: "other", why: "the file there cannot be read" }
    : { kind: "file", hash };
}

/** Whether the file is as we have written it. */
export async function isUnchanged(
  { path, hashes }: WrittenFile,
  directory: string,
): Promise<boolean> {
  const look = await lookAt(path, directory);
  return look.kind === "file" && hashes.includes(look.hash);
}

function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}

/** One at a time, so that none is made behind a link that has come meanwhile. */
async function makeFolders(path: string, directory: string): Promise<void> {
  const words = dirname(path).split("/");
  if (words[0] === ".") return;
  for (let count = 1; count <= words.length; count++) {
    const folder = join(directory, ...words.slice(0, count));
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    const its = await lstat(folder);
    if (!its.isDirectory()) throw new Error(`${folder} is not a folder`);
  }
}
