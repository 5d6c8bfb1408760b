/** A folder, and names below it -> the file or folder there, opened; never one that a link leads to outside of it. */
import {
  close as closeCallback,
  closeSync,
  constants,
  fstatSync,
  lstat as lstatCallback,
  open as openCallback,
  read as readCallback,
  readdir as readdirCallback,
  readlinkSync,
  realpath as realpathCallback,
  realpathSync,
  stat as statCallback,
  statSync,
} from "node:fs";
import { promisify } from "node:util";
import { withoutWaiting } from "./regular-file.ts";

const lstat = promisify(lstatCallback);
const open = promisify(openCallback);
const readdir = promisify(readdirCallback);
const realpath = promisify(realpathCallback);
const stat = promisify(statCallback);

export type Inside =
  | { kind: "file"; file: InsideFile }
  | { kind: "folder"; folder: InsideFolder }
  /** Perhaps because the folder itself is not there. */
  | { kind: "absent" }
  /** Without names: the folder itself is not there. */
  | { kind: "no folder" }
  /** `why` completes a sentence that begins with the name: `is a named pipe`. */
  | { kind: "refused"; why: string }
  /** `code`: the system's. */
  | { kind: "unreadable"; code: string };

/** The same name may be another file in a moment: only these facts are of the one that is open. */
export type FileFacts = {
  size: number;
  /** Milliseconds since the Unix epoch. */
  modified: number;
  /** Another one for every other file and every other content. */
  identity: string;
};

/** Where the kernel tells the path of an open file, and opens it again by that. */
const descriptors = process.platform === "linux" ? "/proc/self/fd" : undefined;

/** Names that lead to nowhere. */
const absences: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "EILSEQ"]);

export class InsideFile {
  readonly facts: FileFacts;
  #descriptor: number;

  constructor(descriptor: number, facts: FileFacts) {
    this.#descriptor = descriptor;
    this.facts = facts;
  }

  /** Resolves with the count of bytes, which is less than asked for at the end of the file. @throws */
  read(buffer: Uint8Array, { at, count }: { at: number; count: number }): Promise<number> {
    return new Promise((resolve, reject) => {
      readCallback(this.#descriptor, buffer, 0, count, at, (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(error);
      });
    });
  }

  /** Twice is harmless. */
  close(): void {
    if (this.#descriptor === -1) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    closeCallback(descriptor, () => {
      // A file that was only read has nothing to lose.
    });
  }
}

export type Entry = { name: string; kind: "file" | "folder" };

export class InsideFolder {
  #descriptor: number;
  readonly #path: string;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  /** Files and folders, and links, of which `Inside` says where they lead; `more`: those beyond `most`. @throws */
  async list(most: number): Promise<{ entries: Entry[]; more: number }> {
    const path = descriptors === undefined ? this.#path : `${descriptors}/${this.#descriptor}`;
    const all = await readdir(path, { withFileTypes: true });
    const entries: Entry[] = [];
    for (const its of all.slice(0, most)) {
      if (its.isDirectory()) entries.push({ name: its.name, kind: "folder" });
      else if (its.isFile()) entries.push({ name: its.name, kind: "file" });
      else if (its.isSymbolicLink()) {
        const to = await stat(`${path}/${its.name}`).catch(() => undefined);
        if (to?.isDirectory()) entries.push({ name: its.name, kind: "folder" });
        else if (to?.isFile()) entries.push({ name: its.name, kind: "file" });
      }
    }
    return { entries, more: Math.max(0, all.length - most) };
  }

  /** Undefined where it is gone, or a link: nothing is told of what that leads to. */
  async factsOf(name: string): Promise<{ size: number; modified: number } | undefined> {
    const path = descriptors === undefined ? this.#path : `${descriptors}/${this.#descriptor}`;
    const its = await lstat(`${path}/${name}`).catch(() => undefined);
    if (its === undefined || its.isSymbolicLink()) return undefined;
    return { size: its.size, modified: its.mtimeMs };
  }

  close(): void {
    if (this.#descriptor === -1) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    closeCallback(descriptor, () => {
      // Nothing was written to it.
    });
  }
}

export type FolderDoorOptions = {
  /** Absolute; it may be a link, and what is there may be replaced at any time. */
  folder: string;
  /** Whether a name is never given out, whatever leads to it. */
  isHidden(name: string): boolean;
};

export class FolderDoor {
  readonly #options: FolderDoorOptions;
  /** The folder without links, as it was last. */
  #real: string | undefined;

  constructor(options: FolderDoorOptions) {
    this.#options = options;
  }

  /** Never blocks and never rejects. `names` have neither `/` nor NUL, and are none of `.` and `..`. */
  async open(names: readonly string[]): Promise<Inside> {
    const path = [this.#options.folder, ...names].join("/");
    try {
      // Opening a device may already have an effect, and opening a pipe wakes its writer. So look first.
      const found = await stat(path);
      if (!found.isFile() && !found.isDirectory()) return { kind: "refused", why: notAFile };
      const only = found.isDirectory() ? constants.O_DIRECTORY : 0;
      const descriptor = await open(path, constants.O_RDONLY | withoutWaiting | only);
      return await this.#opened(descriptor, path);
    } catch (error) {
      return this.#failed(error as NodeJS.ErrnoException, names);
    }
  }

  async #opened(descriptor: number, path: string): Promise<Inside> {
    try {
      // Another file may have taken its place since.
      const its = fstatSync(descriptor, { bigint: true });
      const refused = await this.#refusal(descriptor, path);
      if (refused !== undefined || (!its.isFile() && !its.isDirectory())) {
        closeSync(descriptor);
        return { kind: "refused", why: refused ?? notAFile };
      }
      if (its.isDirectory()) return { kind: "folder", folder: new InsideFolder(descriptor, path) };
      const parts = [its.ino, its.size, its.mtimeNs, its.ctimeNs];
      const identity = parts.map((part) => part.toString(36)).join("-");
      const facts = { size: Number(its.size), modified: Number(its.mtimeMs), identity };
      return { kind: "file", file: new InsideFile(descriptor, facts) };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Judged by what is open, not by the path, in which a folder may be a link by now. */
  async #refusal(descriptor: number, path: string): Promise<string | undefined> {
    const real = realOf(descriptor, path);
    if (real === undefined) return "was replaced at that moment";
    let below = this.#real === undefined ? undefined : belowOf(real, this.#real);
    if (below === undefined) {
      // The site's own folder may be a link that leads elsewhere now.
      this.#real = await realpath(this.#options.folder);
      below = belowOf(real, this.#real);
    }
    if (below === undefined) return "is a link that leads out of the site's folder";
    const hidden = below.some((name, at) => {
      // Where package managers keep what the links of node_modules lead to: `.pnpm`, `.bun`.
      return this.#options.isHidden(name) && below[at - 1] !== "node_modules";
    });
    return hidden ? "is a link to a hidden file" : undefined;
  }

  #failed({ code = "EIO" }: NodeJS.ErrnoException, names: readonly string[]): Inside {
    if (absences.has(code)) return { kind: names.length === 0 ? "no folder" : "absent" };
    if (code === "ELOOP") return { kind: "refused", why: "is a link that leads to itself" };
    return { kind: "unreadable", code };
  }
}

const notAFile = "is neither a file nor a folder";

/** Undefined where it cannot be told, or another file has the path now. */
function realOf(descriptor: number, path: string): string | undefined {
  if (descriptors !== undefined) {
    // The kernel's note behind the path of a file that was deleted meanwhile.
    return readlinkSync(`${descriptors}/${descriptor}`).replace(/ \(deleted\)$/, "");
  }
  const real = realpathSync(path);
  const [its, there] = [fstatSync(descriptor), statSync(real)];
  return its.ino === there.ino && its.dev === there.dev ? real : undefined;
}

/** The names from the one to the other; undefined where it is not below, and is not the folder itself. */
function belowOf(path: string, folder: string): string[] | undefined {
  if (path === folder) return [];
  const inside = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(inside) ? path.slice(inside.length).split("/") : undefined;
}
