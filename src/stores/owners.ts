/** The folder below which stores keep their data -> which project's folder each of its folders belongs to. */
import { type Dirent, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { folderIdentity, isSameFolder } from "../system/folder-identity.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { replacePrivateText } from "../system/private-text.ts";
import { formedText, inForm, keepOlder, onlyVersioned as format } from "../system/state-format.ts";
import { makeFolder } from "./folders.ts";

const book = v.object({
  /** Absolute: the project's folder. */
  directory: v.pipe(v.string(), v.startsWith("/")),
  /** The folder itself, by which it is known again where it was moved. */
  identity: v.string(),
  /** Its name when it was seen last. */
  project: v.string(),
  /** The folder is in a linked worktree, whose data is not kept for ever. */
  worktree: v.optional(v.boolean()),
  /** When the project was forgotten, in milliseconds since the Unix epoch; absent: it was not. */
  left: v.optional(v.number()),
});

export type Book = v.InferOutput<typeof book>;

/** A project's folder, and the one that has the data of its stores. */
export type Owner = Book & {
  /** Absolute. */
  folder: string;
};

export type Asked = { directory: string; project: string };

const bookName = "book.json";
/** Bytes. The longest path takes less than a tenth of them. */
const longestBook = 64 * 1024;

export class Owners {
  readonly #folder: string;
  #all: Owner[] | undefined;
  /** Folders that nothing is known of, with the reason. */
  readonly #unreadable = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws where the folder is there and cannot be read. */
  all(): readonly Owner[] {
    this.#all ??= this.#read();
    return this.#all;
  }

  /**
   * The one whose folder that is. A project that was moved is known by its folder, also where it has another name by
   * now. A folder at the same path that is another one has the data only where its project is named as before.
   * @throws with a sentence.
   */
  of(asked: Asked): Owner {
    const now = folderIdentity(asked.directory);
    const owner = this.#known(asked, now) ?? this.#make(asked, now);
    const identity = now === "" ? owner.identity : now;
    const { directory, project } = asked;
    const isSame =
      owner.directory === directory &&
      owner.project === project &&
      owner.left === undefined &&
      (owner.identity === identity || isSameFolder(owner.identity, identity));
    if (!isSame) this.#change(owner, { directory, project, identity, left: undefined });
    return owner;
  }

  /** Those that have the data of that folder: several, where another project's folder has taken its place. */
  at(directory: string): readonly Owner[] {
    return this.all().filter((its) => its.directory === directory);
  }

  /** Its folder is at another path, or a copy of it is, and it is gone itself. */
  moved(from: string, to: string): void {
    const there = this.at(from);
    const now = folderIdentity(to);
    const owner = there.find(({ identity }) => isSameFolder(identity, now)) ?? there[0];
    if (owner === undefined || this.at(to).length > 0) return;
    this.#change(owner, { directory: to, identity: now || owner.identity });
  }

  /** Nobody has a use for the data any more, until the folder is asked for again. */
  leave(directory: string, { time, worktree }: { time: number; worktree: boolean }): void {
    for (const owner of this.at(directory)) {
      this.#change(owner, { left: time, ...(worktree ? { worktree } : {}) });
    }
  }

  /** In one step: a removal that is killed leaves no data without a book. Returns what is to be removed. */
  takeAway(owner: Owner): string {
    const taken = `${owner.folder}.removed-${crypto.randomUUID().slice(0, 8)}.${process.pid}.tmp`;
    renameSync(owner.folder, taken);
    this.#all = this.all().filter((its) => its !== owner);
    return taken;
  }

  /** Folders that those who are gone were making, or removing. */
  abandoned(isAlive: (pid: number) => boolean): string[] {
    return foldersIn(this.#folder).flatMap(({ name }) => {
      const pid = /\.([0-9]+)\.tmp$/.exec(name)?.[1];
      return pid === undefined || isAlive(Number(pid)) ? [] : [join(this.#folder, name)];
    });
  }

  #known({ directory, project }: Asked, now: string): Owner | undefined {
    const there = this.all().filter((its) => its.directory === directory);
    const same = there.find((its) => now === "" || isStill(its, now));
    if (same !== undefined) return same;
    const moved = this.all().find(
      (its) => isSameFolder(its.identity, now) && !isSameFolder(folderIdentity(its.directory), now),
    );
    return moved ?? there.find((its) => its.project === project);
  }

  #make({ directory, project }: Asked, identity: string): Owner {
    const hash = new Bun.CryptoHasher("sha256").update(directory).digest("hex").slice(0, 8);
    const names = new Set(this.all().map((its) => its.folder));
    for (let number = 1; ; number++) {
      const folder = join(this.#folder, `${project}-${hash}${number === 1 ? "" : `-${number}`}`);
      if (names.has(folder)) continue;
      const why = this.#unreadable.get(folder);
      // Without this, a project would begin with no data beside what it has.
      if (why !== undefined) throw new Error(`${why}; mend that file, or move ${folder} away`);
      const owner = { directory, identity, project, folder };
      // Nobody ever finds the folder without its book.
      const made = `${folder}.${process.pid}.tmp`;
      rmSync(made, { recursive: true, force: true });
      makeFolder(made);
      write(made, owner);
      renameSync(made, folder);
      // Whatever was at the path before, this folder is another one.
      this.leave(directory, { time: Date.now(), worktree: false });
      this.#all = [...this.all(), owner];
      return owner;
    }
  }

  #change(owner: Owner, change: { [Key in keyof Book]?: Book[Key] | undefined }): void {
    const { left, ...rest } = { ...owner, ...change };
    const next = { ...rest, ...(left === undefined ? {} : { left }) } as Owner;
    write(owner.folder, next);
    if (left === undefined) delete owner.left;
    Object.assign(owner, next);
  }

  #read(): Owner[] {
    const found: Owner[] = [];
    for (const entry of foldersIn(this.#folder)) {
      if (entry.name.endsWith(".tmp")) continue;
      const folder = join(this.#folder, entry.name);
      const path = join(folder, bookName);
      const read = readPrivateFile(path, { limit: longestBook, forbidden: 0o077 });
      const its =
        read.kind === "text"
          ? bookIn(read.text, path)
          : { why: `is no book of ours (${read.kind})` };
      if ("why" in its) this.#unreadable.set(folder, `${path} ${its.why}`);
      else found.push({ ...its, folder });
    }
    return found;
  }
}

/** Whether the folder that has the data is where it was, as far as can be told. */
export function isFolderOf(owner: Owner): boolean {
  const now = folderIdentity(owner.directory);
  return now !== "" && isStill(owner, now);
}

function isStill({ identity }: Owner, now: string): boolean {
  return identity === "" || identity.endsWith(" 0") || isSameFolder(identity, now);
}

function bookIn(text: string, path: string): Book | { why: string } {
  const broken = { why: "is no book of ours (text)" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut in half: as any other text that is no book.
    return broken;
  }
  const formed = inForm(value, { path, format });
  if (formed.kind === "newer") return { why: `cannot be used: ${formed.why}` };
  const read = v.safeParse(book, formed.value);
  return read.success ? read.output : broken;
}

function write(folder: string, { folder: _, ...its }: Owner): void {
  const path = join(folder, bookName);
  keepOlder({ path, format });
  replacePrivateText(path, formedText(its, format));
}

/** Empty where there is no such folder. */
export function foldersIn(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).filter((its) => its.isDirectory());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
