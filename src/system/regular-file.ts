/** A path that someone else may have chosen -> the regular file there, opened; or the reason why it cannot be read. */
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
  /** `code` is the system's error code. */
  | { kind: "unreadable"; why: string; code: string | undefined };

/**
 * Flags of every open: a named pipe without a writer does not block us, and a terminal does not become the controlling
 * terminal of a daemon that has none. O_CLOEXEC is not included, because Bun always sets it.
 */
export const withoutWaiting = constants.O_NONBLOCK | constants.O_NOCTTY;

/** Flags to append lines. */
const appending =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | withoutWaiting;

const reading = constants.O_RDONLY | withoutWaiting;

/** `follow`: whether the path may be a symbolic link, which leads to a file that someone else chose. */
export type OpenOptions = { follow: boolean };

/** Never blocks, never rejects. The caller closes the file. */
export async function openRegular(
  path: string,
  { follow }: OpenOptions,
): Promise<Opened<FileHandle>> {
  try {
    // Opening a device may already have an effect, and opening a pipe wakes its writer. So look first.
    const found = notRegular(await (follow ? stat(path) : lstat(path)));
    if (found !== undefined) return found;
    const file = await open(path, follow ? reading : reading | constants.O_NOFOLLOW);
    try {
      // Another file may have taken its place since.
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

/** The same as `openRegular`, synchronously. */
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
 * Opens a log for appending, and creates it with mode 0600 if it does not exist. A symbolic link is not followed:
 * someone else may have put it there so that our lines end up in another file. Never blocks. The caller closes the
 * file.
 * @throws Error with a sentence and `code`.
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

/** The same as `openToAppendSync`, asynchronously. */
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

/** With O_NOFOLLOW, open(2) reports ELOOP for a symbolic link and ENXIO for a socket. */
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

/** The system's error codes, in words for a person. */
const words: Record<string, string> = {
  EACCES: "it is not readable for you; to fix that: chmod u+r",
  ELOOP: "its symbolic links form a loop",
};

function failed(error: unknown): Opened<never> {
  const { code, message } = error as NodeJS.ErrnoException;
  // ENOTDIR: a part of the path is a file, so this file does not exist either.
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
  return { kind: "unreadable", why: words[code ?? ""] ?? message, code };
}
