/** A reference to an archive -> its files in a folder of the cache, by their hash; fetched once. */
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readText } from "../../system/read-text.ts";
import { moveWhole, removeUnfinished, unfinishedPath } from "../../system/whole-folder.ts";
import { shownSize } from "../../text/size.ts";
import { readTar, type ReadTar } from "../../wire/tar.ts";
import type { BuildEffects } from "./buildpack.ts";
import { isThere } from "./inline.ts";
import type { ArchiveReference } from "./reference.ts";

export type Unpacking = {
  /** Absolute: what is fetched for all projects. Made where it is missing. */
  folder: string;
  /** The server is asked again, unless the reference names the hash. */
  fresh: boolean;
};

export type Unpacked =
  | { kind: "unpacked"; directory: string }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

type Effects = Pick<BuildEffects, "write" | "signal">;

/** Bytes as they are sent; a buildpack with programs of its own has some tens of MiB. */
const largest = 256 * 1024 * 1024;
/** Bytes of its files. */
const largestUnpacked = 1024 * 1024 * 1024;
/** Milliseconds for all of it. */
const limit = 300_000;
/** As browsers have it, more or less. */
const mostRedirects = 5;

/** Why there are no files, behind the address. */
class Unusable extends Error {}

/** Never rejects. */
export async function unpacked(
  { url, sha256 }: ArchiveReference,
  { folder, fresh }: Unpacking,
  { write, signal }: Effects,
): Promise<Unpacked> {
  const record = join(folder, `${hashOf(Buffer.from(url))}.latest`);
  const cached = await directoryOf(folder, sha256 ?? (await recorded(record)));
  if (cached !== undefined && (!fresh || sha256 !== undefined)) {
    return { kind: "unpacked", directory: cached };
  }
  try {
    write(`fetching ${url}`);
    const bytes = await downloaded(url, AbortSignal.any([signal, AbortSignal.timeout(limit)]));
    const hash = hashOf(bytes);
    if (sha256 !== undefined && hash !== sha256) {
      throw new Unusable(`is not the file that is meant: its SHA-256 is ${hash}`);
    }
    const directory = join(folder, hash);
    await laid(filesIn(bytes), directory);
    await writeAtomically(record, `${hash}\n`);
    return { kind: "unpacked", directory: await rootOf(directory) };
  } catch (error) {
    const why = `${url} ${whyOf(error as Error, signal)}`;
    if (cached === undefined) return { kind: "failed", why };
    write(`${why}; the copy from before is used`);
    return { kind: "unpacked", directory: cached };
  }
}

function whyOf(error: Error, signal: AbortSignal): string {
  if (error instanceof Unusable) return error.message;
  if (signal.aborted) return "was given up";
  if (error.name === "TimeoutError") return `took longer than ${limit / 1000} s`;
  const why = (error as NodeJS.ErrnoException).code ?? error.message;
  return `cannot be fetched (${why}); once it was fetched, builds need no network`;
}

function hashOf(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

async function recorded(path: string): Promise<string | undefined> {
  const its = await readText(path, { longest: 1024 });
  return its.kind === "text" ? its.text.trim() : undefined;
}

async function directoryOf(folder: string, hash: string | undefined): Promise<string | undefined> {
  if (hash === undefined || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const directory = join(folder, hash);
  return (await isThere(directory)) ? await rootOf(directory) : undefined;
}

/** Archives of releases have all their files in one folder. */
async function rootOf(directory: string): Promise<string> {
  const [only, ...others] = await readdir(directory);
  const isPlain = only === undefined || others.length > 0 || only === "buildpack.toml";
  return isPlain ? directory : join(directory, only);
}

/** No redirect leads away from HTTPS. @throws Unusable, or an error of the network. */
async function downloaded(url: string, signal: AbortSignal): Promise<Uint8Array> {
  let next = url;
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const answer = await fetch(next, { redirect: "manual", signal });
    const { status } = answer;
    const location = answer.headers.get("location");
    if (status >= 300 && status < 400 && location !== null) {
      const target = URL.parse(location, next);
      if (target === null || target.protocol !== new URL(url).protocol) {
        throw new Unusable("leads away from https://, and is not fetched");
      }
      next = target.href;
      continue;
    }
    if (!answer.ok) throw new Unusable(`was answered with status ${status}`);
    return await bytesOf(answer);
  }
  throw new Unusable("leads from one address to another without end");
}

async function bytesOf(answer: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of answer.body ?? []) {
    const bytes = piece as Uint8Array;
    length += bytes.length;
    if (length > largest) throw new Unusable(`is larger than ${shownSize(largest)}`);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

type Files = Extract<ReadTar, { kind: "files" }>;

/** @throws Unusable */
function filesIn(bytes: Uint8Array): Files {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  let tar = bytes;
  try {
    if (isCompressed) tar = gunzipSync(bytes, { maxOutputLength: largestUnpacked });
  } catch (error) {
    throw new Unusable(`cannot be unpacked: ${(error as Error).message}`, { cause: error });
  }
  const read = readTar(tar, { links: true });
  if (read.kind === "bad") throw new Unusable(`cannot be unpacked: ${read.why}`);
  return read;
}

/** @throws Error of the file system. Nothing half is left. */
async function laid({ files, links }: Files, directory: string): Promise<void> {
  if (await isThere(directory)) return;
  const temporary = unfinishedPath(directory);
  try {
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    removeUnfinished(dirname(directory));
    for (const { path, bytes, executable } of files) {
      const target = join(temporary, path);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, bytes, { flag: "wx", mode: executable ? 0o700 : 0o600 });
    }
    for (const { path, target } of links) {
      await mkdir(dirname(join(temporary, path)), { recursive: true, mode: 0o700 });
      await symlink(target, join(temporary, path));
    }
    moveWhole(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
