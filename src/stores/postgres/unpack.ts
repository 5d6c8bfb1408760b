/** A package's tarball -> its files in a folder, which is there as a whole or not at all. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { moveWhole, removeUnfinished, unfinishedPath } from "../../system/whole-folder.ts";
import { readTar, staysInside, type TarFile } from "../../wire/tar.ts";
import { fileFault, Unstartable } from "./unstartable.ts";

/** Bytes: the largest of these packages has 60 MiB of files. */
const largest = 1024 * 1024 * 1024;

/** All that runs stands below it in the package. */
const kept = "package/native/";
const linksFile = "package/native/pg-symlinks.json";

export type UnpackOptions = {
  /** Absolute; made by a rename. Whoever has made it first has made it for all. */
  folder: string;
  /** The package, in sentences. */
  name: string;
};

/** @throws Unstartable. */
export function unpack(tarball: Uint8Array, { folder, name }: UnpackOptions): void {
  const files = filesIn(tarball, name);
  const links = linksOf(files, name);
  const temporary = unfinishedPath(folder);
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
    removeUnfinished(dirname(folder));
    for (const { path, bytes, executable } of files) {
      if (!path.startsWith(kept)) continue;
      const target = join(temporary, path.slice(kept.length));
      mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
      writeFileSync(target, bytes, { flag: "wx", mode: executable ? 0o755 : 0o644 });
    }
    for (const { source, target } of links) {
      const from = join(temporary, target);
      symlinkSync(relative(dirname(from), join(temporary, source)), from);
    }
    moveWhole(temporary, folder);
  } catch (error) {
    throw fileFault(dirname(folder), error, "make room, or let XDG_CACHE_HOME name another folder");
  } finally {
    try {
      rmSync(temporary, { recursive: true, force: true });
    } catch {
      // The fault that came first is the one to tell; the folder is swept later.
    }
  }
}

function filesIn(tarball: Uint8Array, name: string): readonly TarFile[] {
  let bytes: Uint8Array;
  try {
    bytes = gunzipSync(tarball, { maxOutputLength: largest });
  } catch (error) {
    throw new Unstartable(`${name} cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const read = readTar(bytes);
  if (read.kind === "bad") throw new Unstartable(`${name} cannot be unpacked: ${read.why}`);
  return read.files;
}

type WrittenLink = { source: string; target: string };

/** npm packages have no links: a file of it lists them. Both ends are paths below `native`. */
function linksOf(files: readonly TarFile[], name: string): readonly WrittenLink[] {
  const file = files.find(({ path }) => path === linksFile);
  if (file === undefined) return [];
  const bad = new Unstartable(`${name} cannot be unpacked: its list of links is not understood`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(file.bytes));
  } catch {
    // The sentence says so.
    throw bad;
  }
  if (!Array.isArray(value)) throw bad;
  return value.map((its: unknown) => {
    const { source, target } = (its ?? {}) as Partial<Record<keyof WrittenLink, unknown>>;
    if (!isBelowNative(source) || !isBelowNative(target)) throw bad;
    return { source: source.slice("native/".length), target: target.slice("native/".length) };
  });
}

function isBelowNative(path: unknown): path is string {
  return typeof path === "string" && path.startsWith("native/") && staysInside(path);
}
