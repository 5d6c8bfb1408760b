/** A folder, and what is left out of it -> an archive of it as it is read, in pieces. */
import type { Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { openRegular } from "../../system/regular-file.ts";
import { printablePath } from "../../text/printable.ts";
import { padding, tarEnd, type TarEntry, tarHead } from "../../wire/tar-head.ts";

/** Why the folder cannot be sent, in a sentence. */
export class Unsendable extends Error {}

export type LeftOut = {
  /** Whether a path, relative to the folder, is left out. */
  has(path: string, isFolder: boolean): boolean;
  /** Whether something below a folder that is left out may be in nevertheless. */
  mayHoldMore(folder: string): boolean;
};

export type FolderArchiveOptions = {
  ignored: LeftOut;
  /** A line for the log. */
  note(text: string): void;
  /** A file from outside, in front of all others. */
  first?: { path: string; from: string } | undefined;
  /** The end of the sentence on a file that cannot be read: what a person can do. */
  hint: string;
  /** The user who has everything inside; undefined: root. */
  owner?: { uid: number; gid: number } | undefined;
  /** The folder that everything is in inside; undefined: none. */
  under?: string | undefined;
  /** No times: two archives of files with the same content are the same. */
  timeless?: boolean;
};

export interface FolderArchive {
  /** @throws Unsendable */
  archive(): AsyncGenerator<Uint8Array>;
}

/** Bytes that are gathered before they are sent. */
const piece = 256 * 1024;
/** Notes on single files; a folder may have thousands of the same kind. */
const mostNotes = 10;

/** `folder`: absolute, and no link. */
export function folderArchive(folder: string, options: FolderArchiveOptions): FolderArchive {
  return {
    archive: () => new Archive(folder, { ...options, note: limited(options.note) }).archive(),
  };
}

function limited(note: (text: string) => void): (text: string) => void {
  let left = mostNotes;
  return (text) => {
    if (left > 0) note(text);
    if (left === 0) note("there are more such files");
    left--;
  };
}

/** A hash of all of its bytes. @throws Unsendable */
export async function archiveDigest({ archive }: FolderArchive): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const bytes of archive()) hasher.update(bytes);
  return hasher.digest("hex");
}

class Archive {
  readonly #folder: string;
  readonly #options: FolderArchiveOptions;
  readonly #held = new Uint8Array(piece);
  #length = 0;

  constructor(folder: string, options: FolderArchiveOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async *archive(): AsyncGenerator<Uint8Array> {
    const { first } = this.#options;
    if (first !== undefined) yield* this.#file(first.path, first.from);
    yield* this.#entries("");
    yield* this.#put(tarEnd);
    yield* this.#flushed();
  }

  async *#entries(folder: string): AsyncGenerator<Uint8Array> {
    const { ignored } = this.#options;
    for (const name of (await this.#namesIn(folder)).sort()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const from = join(this.#folder, path);
      const its = await lstat(from).catch(() => undefined);
      // Gone since the folder was read: as if it had been gone before.
      if (its === undefined) continue;
      const isIgnored = ignored.has(path, its.isDirectory());
      if (its.isDirectory()) {
        if (isIgnored && !ignored.mayHoldMore(path)) continue;
        if (!isIgnored) yield* this.#put(this.#head(path, { its, kind: "folder" }));
        yield* this.#entries(path);
      } else if (!isIgnored) yield* this.#other(path, its);
    }
  }

  async #namesIn(folder: string): Promise<string[]> {
    try {
      return await readdir(join(this.#folder, folder));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return [];
      throw this.#unreadable(folder, code === "EACCES" ? "permission denied" : message);
    }
  }

  async *#other(path: string, its: Stats): AsyncGenerator<Uint8Array> {
    if (its.isFile()) yield* this.#file(path, join(this.#folder, path));
    else if (its.isSymbolicLink()) {
      const target = await readlink(join(this.#folder, path)).catch(() => undefined);
      if (target === undefined) return;
      yield* this.#put(this.#head(path, { its, kind: "link", target }));
    } else {
      const what = its.isSocket() ? "a socket" : its.isFIFO() ? "a named pipe" : "a device";
      this.#options.note(`${printablePath(path)} is ${what}, and is left out of the build`);
    }
  }

  /** As many bytes as the head has said, whatever happens to the file meanwhile. */
  async *#file(path: string, from: string): AsyncGenerator<Uint8Array> {
    const opened = await openRegular(from, { follow: false });
    if (opened.kind === "absent") return;
    // Another kind of file has taken its place since; it is left out, like one that was gone.
    if (opened.kind === "not a file") return;
    if (opened.kind === "unreadable") {
      throw this.#unreadable(path, opened.code === "EACCES" ? "permission denied" : opened.why);
    }
    const { file, its } = opened;
    try {
      yield* this.#put(this.#head(path, { its, kind: "file", size: its.size }));
      let left = its.size;
      while (left > 0) {
        if (this.#length === piece) yield* this.#flushed();
        const room = Math.min(left, piece - this.#length);
        const { bytesRead } = await file.read(this.#held, this.#length, room, its.size - left);
        if (bytesRead === 0) break;
        this.#length += bytesRead;
        left -= bytesRead;
      }
      if (left > 0) {
        this.#options.note(`${printablePath(path)} became shorter while it was sent`);
        for (; left > 0; left -= piece) yield* this.#put(new Uint8Array(Math.min(left, piece)));
      }
      yield* this.#put(padding(its.size));
    } finally {
      await file.close();
    }
  }

  *#put(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      if (this.#length === piece) yield* this.#flushed();
      const part = bytes.subarray(at, at + piece - this.#length);
      this.#held.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
  }

  *#flushed(): Generator<Uint8Array> {
    yield this.#held.slice(0, this.#length);
    this.#length = 0;
  }

  #head(
    path: string,
    { its, ...rest }: Pick<TarEntry, "kind" | "target"> & { its: Stats; size?: number },
  ): Uint8Array {
    const { owner, timeless = false, under } = this.#options;
    const inside = under === undefined ? path : `${under}/${path}`;
    const modified = timeless ? 0 : Math.max(0, Math.floor(its.mtimeMs / 1000));
    return tarHead({ path: inside, mode: its.mode & 0o7777, size: 0, modified, owner, ...rest });
  }

  #unreadable(path: string, why: string): Unsendable {
    const its = path === "" ? "the folder" : printablePath(path);
    return new Unsendable(`${its} cannot be read: ${why}; ${this.#options.hint}`);
  }
}
