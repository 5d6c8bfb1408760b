/** Lines such as `READY=1` -> the supervisor that has started this process. sd_notify(3); uses libc. */
import { libc } from "./libc.ts";

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
} as const;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

/** Tells it; false where nobody hears, which is no reason to stop: a person may have started this program by hand. */
export type Notify = (...lines: readonly string[]) => boolean;

/** `path`: NOTIFY_SOCKET. */
export function notifySupervisor(
  path: string | undefined,
  platform: NodeJS.Platform = process.platform,
): Notify {
  const calls = path === undefined ? undefined : libc(signatures);
  if (path === undefined || calls === undefined) return () => false;
  const bytes = Buffer.from(path);
  // unix(7): the name of an abstract socket begins with NUL, which variables cannot have, and ends without one.
  const isAbstract = path.startsWith("@");
  if (isAbstract) bytes[0] = 0;
  const address = new Uint8Array(2 + bytes.length + (isAbstract ? 0 : 1));
  address.set(platform === "linux" ? [AF_UNIX, 0] : [address.length, AF_UNIX]);
  address.set(bytes, 2);
  return (...lines) => {
    const socket = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
    if (socket < 0) return false;
    const text = Buffer.from(lines.map((line) => line.replaceAll("\n", " ")).join("\n"));
    const sent = calls.sendto(socket, text, text.length, 0, address, address.length);
    calls.close(socket);
    return Number(sent) === text.length;
  };
}
