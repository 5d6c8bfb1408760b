/** A path that somebody else may have chosen -> the regular file that lies there, open; or why there is none to read. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";

export type Opened<File> =
  | { kind: "file"; file: File; its: Stats }
  | { kind: "absent" }
  /** `why` is a sentence for a person. */
  | { kind: "not a file"; why: string }
  /** `code` is the system's. */
  | { kind: "unreadable"; why: string; code: string | undefined };

/**
 * With every open: a named pipe without a writer holds nobody up, and a terminal does not become that of a daemon which has
 * none. O_CLOEXEC is not among them, as Bun opens with it anyway.
 */
export const withoutWaiting = constants.O_NONBLOCK | constants.O_NOCTTY;

/** For lines that are added at the end. */
const appending =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | withoutWaiting;

const reading = constants.O_RDONLY | withoutWaiting;

/** `follow`: whether the path may be a symbolic link, which leads to what somebody else chose. */
export type OpenOptions = { follow: boolean };

/** Never waits, never rejects. The file is the caller's to close. */
export async function openRegular(
  path: string,
  { follow }: OpenOptions,
): Promise<Opened<FileHandle>> {
  try {
    // To open a device may already do something, and to open a pipe wakes its writer: look first.
    const found = notRegular(await (follow ? stat(path) : lstat(path)));
    if (found !== undefined) return found;
    const file = await open(path, follow ? reading : reading | constants.O_NOFOLLOW);
    try {
      // Another may have taken its place in between.
      const its = await file.stat();
      const other = notRegular(its);
      if (other === undefined) return { kind: "file", file, its };
      await file.close();
      return other;
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    return failed(error);
  }
}

/** As `openRegular`. */
export function openRegularSync(path: string, { follow }: OpenOptions): Opened<number> {
  try {
    const found = notRegular(follow ? statSync(path) : lstatSync(path));
    if (found !== undefined) return found;
    const file = openSync(path, follow ? reading : reading | constants.O_NOFOLLOW);
    try {
      const its = fstatSync(file);
      const other = notRegular(its);
      if (other === undefined) return { kind: "file", file, its };
      closeSync(file);
      return other;
    } catch (error) {
      closeSync(file);
      throw error;
    }
  } catch (error) {
    return failed(error);
  }
}

/**
 * A log, made with mode 0600 where there is none. A link is not followed, as others may have put it there for our lines to
 * land in a file of theirs. Never waits. @throws Error with a sentence and `code`. The file is the caller's to close.
 */
export function openToAppendSync(path: string): number {
  let file: number;
  try {
    file = openSync(path, appending, 0o600);
  } catch (error) {
    throw notAppended(path, error as NodeJS.ErrnoException);
  }
  try {
    refuseOthers(path, fstatSync(file));
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** As `openToAppendSync`. */
export async function openToAppend(path: string): Promise<FileHandle> {
  const file = await open(path, appending, 0o600).catch((error: NodeJS.ErrnoException) => {
    throw notAppended(path, error);
  });
  try {
    refuseOthers(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** open(2) says ELOOP of a link with O_NOFOLLOW, and ENXIO of a socket. */
function notAppended(path: string, error: NodeJS.ErrnoException): Error {
  const what = { ELOOP: "a link", ENXIO: "a socket or a pipe", EISDIR: "a folder" }[
    error.code ?? ""
  ];
  if (what === undefined) return error;
  const why = new Error(`${path} is ${what}, not a file; move it away`, { cause: error });
  return Object.assign(why, { code: error.code });
}

function refuseOthers(path: string, its: Stats): void {
  if (its.isFile()) return;
  const why = new Error(`${path} is a ${kindOf(its)}, not a file; move it away`);
  throw Object.assign(why, { code: "EINVAL" });
}

function notRegular(its: Stats): { kind: "not a file"; why: string } | undefined {
  if (its.isFile()) return undefined;
  return { kind: "not a file", why: `it is a ${kindOf(its)}, not a file` };
}

function kindOf(its: Stats): string {
  if (its.isDirectory()) return "folder";
  if (its.isFIFO()) return "named pipe";
  if (its.isSocket()) return "socket";
  return its.isSymbolicLink() ? "link" : "device";
}

/** For a person: what the system says, in words. */
const words: Record<string, string> = {
  EACCES: "it is not yours to read; chmod u+r mends that",
  ELOOP: "its links go in a circle",
};

function failed(error: unknown): Opened<never> {
  const { code, message } = error as NodeJS.ErrnoException;
  // ENOTDIR: something on the way there is a file, so this one is not there either.
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
  return { kind: "unreadable", why: words[code ?? ""] ?? message, code };
}
