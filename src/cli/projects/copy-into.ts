/** Paths and globs of one checkout -> copies in another one, where nothing is yet; and what was left out, and why. */
import { chmod, lstat, mkdir, readdir, readlink, realpath, symlink } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { isInside } from "../../routes/name-rights.ts";
import { copyNewFile } from "../../system/copy-file.ts";

export type CopyOptions = {
  /** Absolute: the project's folder in each of both. */
  from: string;
  to: string;
  /** The checkouts' own folders: nothing outside is read or written. */
  fromRoot: string;
  toRoot: string;
  /** True once the person has had enough. */
  isOver(): boolean;
};

export type Copied = {
  /** Relative to the project's folder, as they were found. */
  copied: readonly string[];
  left: readonly { path: string; why: string }[];
};

/** The reason for which a path is left as it is. */
export const alreadyThere = "it is there already";

/** The reasons for which a path is left out. */
const whys = {
  missing: "there is none",
  outside: "it leads out of the repository",
  special: "it is neither a file nor a folder",
  git: "it belongs to git",
} as const;

/** Links are copied as links, modes are kept, nothing is overwritten. @throws what the system says, such as ENOSPC. */
export async function copyInto(paths: readonly string[], options: CopyOptions): Promise<Copied> {
  const copying = new Copying(options);
  for (const path of paths) await copying.pattern(path);
  return copying;
}

class Copying implements Copied {
  readonly copied: string[] = [];
  readonly left: { path: string; why: string }[] = [];
  readonly #options: CopyOptions;
  /** Files and links that were copied. */
  #count = 0;

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  async pattern(path: string): Promise<void> {
    const { from } = this.#options;
    const plain = path.replace(/\/+$/, "");
    // A file may have the characters of a glob in its name.
    if (!/[*?[{]/.test(plain) || (await statOf(join(from, plain))) !== undefined) {
      await this.#path(plain, { asked: true });
      return;
    }
    const found: string[] = [];
    const glob = new Bun.Glob(plain).scan({
      ...{ cwd: from, dot: true, followSymlinks: false, onlyFiles: false },
    });
    for await (const each of glob) {
      if (this.#options.isOver()) return;
      if (!each.split("/").includes(".git")) found.push(each);
    }
    if (found.length === 0) this.left.push({ path: plain, why: whys.missing });
    // Folders first: what is in them comes along, and is there already when its own turn comes.
    const tops = found.sort().filter((each, _, all) => !all.some((its) => isBelow(each, its)));
    for (const each of tops) await this.#path(each, { asked: true });
  }

  async #path(path: string, { asked }: { asked: boolean }): Promise<void> {
    const { from, to, fromRoot, toRoot, isOver } = this.#options;
    if (isOver()) return;
    const [source, target] = [resolve(from, path), resolve(to, path)];
    const leave = (why: string): void => void this.left.push({ path, why });
    if (!isInside(source, fromRoot) || source === fromRoot) return leave(whys.outside);
    if (relative(fromRoot, source).split("/").includes(".git")) return leave(whys.git);
    const its = await statOf(source);
    if (its === undefined) return asked ? leave(whys.missing) : undefined;
    if (!(await isReallyInside(dirname(source), fromRoot))) return leave(whys.outside);
    if (asked) await this.#makeFolders(dirname(target));
    // A branch may have a link where the main checkout has a folder.
    if (!(await isReallyInside(dirname(target), toRoot))) return leave(whys.outside);
    const there = await statOf(target);
    if (its.isDirectory()) {
      if (there !== undefined && !there.isDirectory()) return leave(alreadyThere);
      const before = this.#count;
      if (there === undefined) await mkdir(target, { mode: 0o700 });
      for (const name of await readdir(source))
        await this.#path(join(path, name), { asked: false });
      if (there === undefined) await chmod(target, its.mode & 0o7777);
      if (asked && (there === undefined || this.#count > before)) this.copied.push(path);
      return;
    }
    if (there !== undefined) return leave(alreadyThere);
    if (its.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (!its.isFile()) return leave(whys.special);
    else if (!(await copyNewFile(source, target, { isOver }))) return;
    this.#count += 1;
    if (asked) this.copied.push(path);
  }

  /** As far as they are missing, and only in the other checkout. */
  async #makeFolders(folder: string): Promise<void> {
    const { toRoot } = this.#options;
    let above = folder;
    while (above !== dirname(above) && (await statOf(above)) === undefined) above = dirname(above);
    if (isInside(folder, toRoot) && (await isReallyInside(above, toRoot))) {
      await mkdir(folder, { recursive: true });
    }
  }
}

async function isReallyInside(folder: string, root: string): Promise<boolean> {
  const [real, realRoot] = await Promise.all([
    realpath(folder).catch(() => undefined),
    realpath(root).catch(() => root),
  ]);
  return real !== undefined && isInside(real, realRoot);
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** Links are not followed; undefined where nothing is there. */
async function statOf(path: string) {
  return await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}
