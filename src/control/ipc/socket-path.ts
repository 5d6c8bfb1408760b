/** The wanted path of the socket -> a path that is short enough, in a private directory. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ensurePrivateDirectory } from "../../system/private-directory.ts";

/** Bytes of a path that bind(2) accepts, without its NUL: unix(7), and sys/un.h of macOS. */
const longestPath = { linux: 107, other: 103 };
/** Bytes that the temporary name adds. */
const suffixLength = 13;

export type SocketPathOptions = {
  platform: NodeJS.Platform;
  uid: number;
  /** `XDG_RUNTIME_DIR`, where it is set. */
  runtimeDirectory: string | undefined;
};

/**
 * The wanted path, or, if that is too long for a socket, one in a private directory with a short path. Creates that
 * directory. @throws Error with a sentence if the directory cannot be trusted.
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
    ensurePrivateDirectory(directory, uid);
    return path;
  }
  throw new Error(`there is no place for a socket: ${wanted} is too long for one`);
}
