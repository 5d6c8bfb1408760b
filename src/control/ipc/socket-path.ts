/** The path that is wanted for the socket -> one that the system takes, in a directory of this person's alone. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** Bytes of a path that bind(2) takes, without its NUL: unix(7), and sys/un.h of macOS. */
const longestPath = { linux: 107, other: 103 };
/** What the temporary name adds to it. */
const suffixLength = 13;

export type SocketPathOptions = {
  platform: NodeJS.Platform;
  uid: number;
  /** `XDG_RUNTIME_DIR`, where it is set. */
  runtimeDirectory: string | undefined;
};

/**
 * Where the socket is: as wanted, or where that is too long for one, in a directory of this person's alone that has a
 * short path. Makes that directory. @throws Error with a sentence where it cannot be trusted.
 */
export function socketPath(wanted: string, options: SocketPathOptions): string {
  const { platform, uid, runtimeDirectory } = options;
  const longest = platform === "linux" ? longestPath.linux : longestPath.other;
  const fits = (path: string) => Buffer.byteLength(path) + suffixLength <= longest;
  if (fits(wanted)) return wanted;
  const name = `${createHash("sha256").update(wanted).digest("hex").slice(0, 16)}.sock`;
  for (const directory of [
    ...(runtimeDirectory?.startsWith("/") ? [join(runtimeDirectory, "localhostess")] : []),
    `/tmp/localhostess-${uid}`,
  ]) {
    const path = join(directory, name);
    if (!fits(path)) continue;
    ensurePrivate(directory, uid);
    return path;
  }
  throw new Error(`there is no place for a socket: ${wanted} is too long for one`);
}

/** @throws Error with a sentence where others could put a socket of theirs there. */
function ensurePrivate(directory: string, uid: number): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const its = lstatSync(directory);
  if (!its.isDirectory() || its.uid !== uid || (its.mode & 0o077) !== 0) {
    throw new Error(
      `${directory} is not a directory of yours alone, so no socket can be there; remove it, or set XDG_RUNTIME_DIR`,
    );
  }
}
