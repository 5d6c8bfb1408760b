/** The descriptor of a connected Unix socket -> the pid of the process that has connected. Linux; uses libc. */
import { libc } from "./libc.ts";

const signatures = {
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
} as const;

/** unix(7), socket(7): Linux on x86-64 and arm64. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid and gid, four bytes each. */
const ucredLength = 12;

/** Undefined where the system does not tell; the process may have ended since. */
export function peerPid(
  descriptor: number,
  platform: NodeJS.Platform = process.platform,
): number | undefined {
  const calls = platform === "linux" ? libc(signatures) : undefined;
  const ucred = new Uint32Array(3);
  const length = new Uint32Array([ucredLength]);
  if (calls?.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0) return undefined;
  // 0: a process that this one cannot see.
  return ucred[0] === 0 ? undefined : ucred[0];
}
