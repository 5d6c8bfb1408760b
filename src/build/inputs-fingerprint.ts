/** The `inputs` of a task or build, and the folder that they are relative to -> a fingerprint of all that matches. */
import { createHash, type Hash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { watchPatterns } from "../manifest/watch-pattern.ts";
import { openRegular } from "../system/regular-file.ts";
import { stepInto, type Wanted, wantedFrom } from "./watched-names.ts";

/** Octets of a file that are read at once. */
const piece = 64 * 1024;

/**
 * Made of the names and contents of all files that match, in the order of their names; dates do not count, so that a
 * checkout of the same files is no change. A file that cannot be read counts as one, with the reason. Never rejects.
 */
export async function inputsFingerprint(
  inputs: readonly string[],
  workdir: string,
): Promise<string> {
  const hash = createHash("sha256");
  if (inputs.length > 0) {
    const { base, wanted } = wantedFrom(watchPatterns(inputs, workdir), workdir);
    await readFolder(base, { wanted, hash, workdir });
  }
  return hash.digest("hex").slice(0, 32);
}

type Reading = { wanted: Wanted; hash: Hash; workdir: string };

async function readFolder(path: string, { wanted, hash, workdir }: Reading): Promise<void> {
  for (const entry of await entriesOf(path)) {
    const { file, below } = stepInto(wanted, entry.name);
    if (!file && below === undefined) continue;
    const its = join(path, entry.name);
    const kind = await kindOf(its, entry);
    if (kind === "file" && file) await readFile(its, { hash, workdir });
    else if (kind === "folder" && below !== undefined) {
      await readFolder(its, { wanted: below, hash, workdir });
    }
  }
}

/** In the order of their names, which is the same on every machine. */
async function entriesOf(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** A link to a file is that file. A link to a folder is not entered: it may lead to `/`. */
async function kindOf(path: string, entry: Dirent): Promise<"file" | "folder" | undefined> {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  if (!entry.isSymbolicLink()) return undefined;
  const isFile = await stat(path).then(
    (its) => its.isFile(),
    () => false,
  );
  return isFile ? "file" : undefined;
}

/** Each part with its length, so that no two sets of files give the same octets. */
async function readFile(path: string, { hash, workdir }: Omit<Reading, "wanted">): Promise<void> {
  // A project that is moved, with all that is in it, is the same.
  const name = relative(workdir, path);
  hash.update(`${name.length} ${name}\n`);
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") {
    hash.update(`${opened.kind}\n`);
    return;
  }
  const { file } = opened;
  try {
    const room = Buffer.alloc(piece);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(room, 0, room.length, length);
      if (bytesRead === 0) break;
      hash.update(room.subarray(0, bytesRead));
      length += bytesRead;
    }
    hash.update(`\n${length}\n`);
  } catch (error) {
    hash.update(`${(error as Error).message}\n`);
  } finally {
    await file.close();
  }
}
