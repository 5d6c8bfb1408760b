/** The path of a unix socket -> whether a socket listens there, by the kernel's table. Linux. */
import { readFileSync } from "node:fs";

/** SO_ACCEPTCON in the column of flags: include/uapi/linux/net.h. */
const accepts = 0x10000;

/**
 * connect(2) refuses a path whose queue is full in the same way as one at which nobody listens, once Bun reports it.
 * Undefined where the system has no such table. A server in another network namespace is in another table: false.
 */
export function listensAtPath(path: string, { root = "/proc" } = {}): boolean | undefined {
  try {
    return isListedAt(path, readFileSync(`${root}/net/unix`, "utf8"));
  } catch {
    // Not Linux, or no procfs.
    return undefined;
  }
}

/** A path is listed as it was bound: relative, where the server has bound it so. */
export function isListedAt(path: string, table: string): boolean {
  // Columns: Num RefCount Protocol Flags Type St Inode Path
  return table.split("\n").some((line) => {
    const [, flags = "", bound = ""] = /^\S+: \S+ \S+ (\S+) \S+ \S+ +\d+ (.*)$/.exec(line) ?? [];
    if ((Number.parseInt(flags, 16) & accepts) === 0) return false;
    if (bound.startsWith("/")) return bound === path;
    return bound !== "" && path.endsWith(`/${bound.replace(/^(?:\.\/)+/, "")}`);
  });
}
