/** A folder -> what is in it, and one fingerprint of that. A file is read only where it has changed. */
import { createHash } from "node:crypto";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { folderIdentity, identityOf } from "../../system/folder-identity.ts";
import { openRegular } from "../../system/regular-file.ts";
import { printablePath } from "../../text/printable.ts";

export type AppEntry =
  /** Modes: the lower twelve bits. Paths are relative to the folder; `.` is not among them. */
  | { kind: "folder"; path: string; mode: number }
  | { kind: "file"; path: string; mode: number; modified: number; size: number }
  | { kind: "link"; path: string; leads: string };

export type AppFiles = { entries: readonly AppEntry[]; fingerprint: string };

/** Which paths belong to it. A folder that is not taken may still hold some that are. */
export type Taken = {
  takes(path: string, options: { isFolder: boolean }): boolean;
  mayHoldMore(folder: string): boolean;
};

export type ReadFilesOptions = {
  taken: Taken;
  /** Contents that were read before; what is read now is added. */
  seen: SeenContents;
  /** Absolute: folders of ours, which are none of the app's where they are in it. */
  without: readonly string[];
  signal: AbortSignal;
};

/** Why the app cannot be copied, in a sentence. */
export class UnreadableApp extends Error {}

/** A folder of a repository, whose history changes with each fetch. */
export const allButHistory: Taken = {
  takes: (path) => path !== ".git",
  mayHoldMore: (folder) => folder !== ".git",
};

/** Milliseconds. A file written twice within one tick of the kernel's clock may look the same. */
const doubtful = 50;

/** Contents of files by path, size, inode and times: a file is hashed again only where one of these has changed. */
export class SeenContents {
  readonly #before: ReadonlyMap<string, string>;
  readonly #now = new Map<string, string>();

  /** `before`: of a path, the stamp and the hash, with a blank between. */
  constructor(before: Iterable<readonly [string, string]>) {
    this.#before = new Map(before);
  }

  hashOf(path: string, stamp: string): string | undefined {
    const its = this.#now.get(path) ?? this.#before.get(path);
    if (its === undefined || !its.startsWith(`${stamp} `)) return undefined;
    this.#now.set(path, its);
    return its.slice(stamp.length + 1);
  }

  keep(path: string, { stamp, hash }: { stamp: string; hash: string }): void {
    this.#now.set(path, `${stamp} ${hash}`);
  }

  /** Those that were met since it was made. */
  get entries(): [string, string][] {
    return [...this.#now];
  }

  get isChanged(): boolean {
    if (this.#now.size !== this.#before.size) return true;
    return [...this.#now].some(([path, its]) => this.#before.get(path) !== its);
  }
}

/** @throws UnreadableApp, and the signal's reason. What vanishes while it is read is left out. */
export async function readFiles(
  folder: string,
  { taken, seen, without, signal }: ReadFilesOptions,
): Promise<AppFiles> {
  const entries: AppEntry[] = [];
  const hash = createHash("sha256");
  // A path may lead to them by links, so that its text says nothing.
  const ours = new Set(without.map(folderIdentity));
  const add = (entry: AppEntry, content: string): void => {
    entries.push(entry);
    const mode = entry.kind === "link" ? "" : entry.mode.toString(8);
    hash.update(`${entry.kind}\0${entry.path}\0${mode}\0${content}\n`);
  };

  /** Whether anything in it was taken. */
  const walk = async (path: string): Promise<void> => {
    signal.throwIfAborted();
    const names = await readdir(join(folder, path)).catch((error) =>
      vanished(error, join(folder, path)),
    );
    for (const name of (names ?? []).sort()) {
      const inside = path === "" ? name : `${path}/${name}`;
      const whole = join(folder, inside);
      const its = await lstat(whole, { bigint: true }).catch((error) => vanished(error, whole));
      if (its === undefined) {
        // Such a name is read with U+FFFD in it, and nothing has that one.
        const isUnnamed = name.includes("\uFFFD") && taken.takes(inside, { isFolder: false });
        if (isUnnamed) throw new UnreadableApp(unnamed(join(folder, path), name));
        continue;
      }
      const mode = Number(its.mode & 0o7777n);
      if (its.isDirectory()) {
        if (ours.has(identityOf(its))) continue;
        const isTaken = taken.takes(inside, { isFolder: true });
        if (isTaken) add({ kind: "folder", path: inside, mode }, "");
        if (isTaken || taken.mayHoldMore(inside)) await walk(inside);
      } else if (!taken.takes(inside, { isFolder: false })) continue;
      else if (its.isSymbolicLink()) {
        const leads = await readlink(whole).catch((error) => vanished(error, whole));
        if (leads !== undefined) add({ kind: "link", path: inside, leads }, leads);
      } else if (its.isFile()) {
        const stamp = `${its.ino}:${its.size}:${its.mtimeNs}:${its.ctimeNs}`;
        let content = seen.hashOf(whole, stamp);
        if (content === undefined) {
          content = await contentOf(whole, signal);
          if (content === undefined) continue;
          const isSettled = Date.now() - Number(its.ctimeNs / 1_000_000n) > doubtful;
          if (isSettled) seen.keep(whole, { stamp, hash: content });
        }
        add(
          {
            kind: "file",
            path: inside,
            mode,
            modified: Number(its.mtimeMs) / 1000,
            size: Number(its.size),
          },
          content,
        );
      }
      // Sockets and pipes are made anew by whoever has them, and a device is none of an app.
    }
  };
  await walk("");
  return { entries, fingerprint: hash.digest("hex") };
}

/** Bytes that are read at once. */
const piece = 1024 * 1024;

/** Undefined where it is gone, or no file any longer. */
async function contentOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  const opened = await openRegular(path, { follow: false });
  if (opened.kind === "unreadable") throw unreadable(path, opened.code);
  if (opened.kind !== "file") return undefined;
  const hash = createHash("sha256");
  const { file, its } = opened;
  try {
    const bytes = Buffer.allocUnsafe(Math.min(piece, its.size + 1));
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(bytes, 0, bytes.length, null);
      if (bytesRead === 0) return hash.digest("base64url");
      hash.update(bytes.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function vanished(error: NodeJS.ErrnoException, path: string): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw unreadable(path, error.code);
}

function unreadable(path: string, code: string | undefined): UnreadableApp {
  return new UnreadableApp(
    `${printablePath(path)} cannot be read (${code}); make it readable, or leave it out by exclude in project.toml`,
  );
}

function unnamed(folder: string, name: string): string {
  return `${printablePath(folder)} has a file whose name is not UTF-8, ${printablePath(name)}; rename it, or leave it out by exclude in project.toml`;
}
