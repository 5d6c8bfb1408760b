/** The folder of a build -> an archive of it as it is read, without what its .dockerignore leaves out. */
import type { Stats } from "node:fs";
import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { readText } from "../../system/read-text.ts";
import { openRegular } from "../../system/regular-file.ts";
import { printablePath } from "../../text/printable.ts";
import { padding, tarEnd, type TarEntry, tarHead } from "../../wire/tar-head.ts";
import { type Ignored, readIgnored } from "./ignored.ts";

export type BuildContext = {
  /** The Dockerfile's path inside the archive. */
  dockerfile: string;
  /** The archive, in pieces. @throws Unsendable */
  archive(): AsyncGenerator<Uint8Array>;
};

export type ReadContext = { kind: "context"; context: BuildContext } | { kind: "bad"; why: string };

export type ContextOptions = {
  /** Absolute. */
  context: string;
  /** Relative to the context; it may be outside. */
  dockerfile: string;
  /** A line for the log. */
  note(text: string): void;
};

/** Why the folder cannot be sent, in a sentence. */
export class Unsendable extends Error {}

/** Bytes that are gathered before they are sent. */
const piece = 256 * 1024;
/** Bytes of a Dockerfile, and of a .dockerignore. */
const longestText = 1024 * 1024;
/** Notes on single files; a folder may have thousands of the same kind. */
const mostNotes = 10;
/** The name of a Dockerfile from outside the context, which none of the context has. */
const dockerfileInside = ".localhostess.Dockerfile";
/** The repository's history is large, may hold secrets, and is another after each commit; `!.git` asks for it. */
const history = ".git";
const neverIgnored: Ignored = { has: () => false, mayHoldMore: () => false };

export async function readContext(options: ContextOptions): Promise<ReadContext> {
  const folder = await realpath(options.context).catch(() => undefined);
  const shown = printablePath(options.context);
  if (folder === undefined)
    return { kind: "bad", why: `there is no folder ${shown} to build from` };
  if (!(await lstat(folder)).isDirectory()) {
    return { kind: "bad", why: `${shown} is no folder; build names the folder with a Dockerfile` };
  }
  const found = await dockerfileIn(folder, options.dockerfile);
  if (found.kind === "bad") return found;
  const read = await ignoredIn(folder, found.path);
  if (read.kind === "bad") return read;
  const isOutside = found.inside.startsWith("..");
  const dockerfile = isOutside ? dockerfileInside : found.inside;
  const always = new Set([dockerfile, ".dockerignore"]);
  const { ignored } = read;
  const context = new Archive(folder, {
    note: limited(options.note),
    ignored: {
      has(path) {
        if (always.has(path)) return false;
        return ignored.has(path) || (!read.wantsHistory && isHistory(path));
      },
      mayHoldMore: (path) =>
        ignored.mayHoldMore(path) || [...always].some((its) => its.startsWith(`${path}/`)),
    },
    dockerfile: isOutside ? { path: dockerfile, from: found.path } : undefined,
  });
  return { kind: "context", context: { dockerfile, archive: () => context.archive() } };
}

type FoundFile = { kind: "file"; path: string; inside: string } | { kind: "bad"; why: string };

/** Podman's people call it Containerfile. */
async function dockerfileIn(folder: string, written: string): Promise<FoundFile> {
  const names = written === "Dockerfile" ? [written, "Containerfile"] : [written];
  for (const name of names) {
    const path = resolve(folder, name);
    const its = await readText(path, { longest: longestText });
    if (its.kind === "text") return { kind: "file", path, inside: relative(folder, path) };
    if (its.kind === "unreadable") {
      return { kind: "bad", why: `${printablePath(path)} cannot be used: ${its.why}` };
    }
  }
  const path = printablePath(resolve(folder, written));
  const hint = "write one, or name another in build = { dockerfile = … }";
  return { kind: "bad", why: `there is no ${path} to build from; ${hint}` };
}

type FoundIgnored =
  { kind: "ignored"; ignored: Ignored; wantsHistory: boolean } | { kind: "bad"; why: string };

/** A file beside the Dockerfile counts more than the context's own, as with BuildKit. */
async function ignoredIn(folder: string, dockerfile: string): Promise<FoundIgnored> {
  const places = [`${dockerfile}.dockerignore`, join(folder, ".dockerignore")];
  for (const path of places) {
    const its = await readText(path, { longest: longestText, lossy: true });
    if (its.kind === "missing") continue;
    const read =
      its.kind === "text" ? readIgnored(its.text) : { kind: "bad" as const, why: its.why };
    if (read.kind === "bad") return { kind: "bad", why: `${printablePath(path)}: ${read.why}` };
    return { ...read, wantsHistory: its.kind === "text" && /^!\/?\.git\b/m.test(its.text) };
  }
  return { kind: "ignored", ignored: neverIgnored, wantsHistory: false };
}

function isHistory(path: string): boolean {
  return path === history || path.startsWith(`${history}/`);
}

function limited(note: (text: string) => void): (text: string) => void {
  let left = mostNotes;
  return (text) => {
    if (left > 0) note(text);
    if (left === 0) note("there are more such files");
    left--;
  };
}

type ArchiveOptions = {
  ignored: Ignored;
  note(text: string): void;
  /** A Dockerfile from outside. */
  dockerfile: { path: string; from: string } | undefined;
};

class Archive {
  readonly #folder: string;
  readonly #options: ArchiveOptions;
  readonly #held = new Uint8Array(piece);
  #length = 0;

  constructor(folder: string, options: ArchiveOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async *archive(): AsyncGenerator<Uint8Array> {
    const { dockerfile } = this.#options;
    if (dockerfile !== undefined) yield* this.#file(dockerfile.path, dockerfile.from);
    yield* this.#entries("");
    yield* this.#put(tarEnd);
    yield* this.#flushed();
  }

  async *#entries(folder: string): AsyncGenerator<Uint8Array> {
    const { ignored } = this.#options;
    for (const name of (await this.#namesIn(folder)).sort()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const isIgnored = ignored.has(path);
      if (isIgnored && !ignored.mayHoldMore(path)) continue;
      const from = join(this.#folder, path);
      const its = await lstat(from).catch(() => undefined);
      // Gone since the folder was read: as if it had been gone before.
      if (its === undefined) continue;
      if (its.isDirectory()) {
        if (!isIgnored) yield* this.#put(tarHead(entryOf(path, { its, kind: "folder" })));
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
      throw unreadable(folder, code === "EACCES" ? "permission denied" : message);
    }
  }

  async *#other(path: string, its: Stats): AsyncGenerator<Uint8Array> {
    if (its.isFile()) yield* this.#file(path, join(this.#folder, path));
    else if (its.isSymbolicLink()) {
      const target = await readlink(join(this.#folder, path)).catch(() => undefined);
      if (target === undefined) return;
      yield* this.#put(tarHead({ ...entryOf(path, { its, kind: "link" }), target }));
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
      throw unreadable(path, opened.code === "EACCES" ? "permission denied" : opened.why);
    }
    const { file, its } = opened;
    try {
      yield* this.#put(tarHead({ ...entryOf(path, { its, kind: "file" }), size: its.size }));
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
}

function entryOf(
  path: string,
  { its, kind }: { its: Stats; kind: TarEntry["kind"] },
): Omit<TarEntry, "target"> {
  const modified = Math.max(0, Math.floor(its.mtimeMs / 1000));
  return { path, kind, mode: its.mode & 0o7777, size: 0, modified };
}

function unreadable(path: string, why: string): Unsendable {
  const its = path === "" ? "the folder" : printablePath(path);
  return new Unsendable(
    `${its} cannot be read: ${why}; if the image does not need it, name it in .dockerignore`,
  );
}
