/** A pipe or terminal -> our descriptor of it, and copies of that for another process. Linux; uses libc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { libc } from "./libc.ts";

/** This process's descriptors at one moment. */
export interface OwnDescriptors {
  /** Our end of the pipe with that inode. */
  pipe(inode: number, end: "read" | "write"): number | undefined;
  /** Our end of a pseudo-terminal: `path` is the other one, `/dev/pts/3`. */
  terminal(path: string): number | undefined;
}

/** fcntl(2) and open(2), Linux. */
const F_DUPFD_CLOEXEC = 1030;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
/** ioctl(2), Linux; the same on x86-64 and arm64. */
const TIOCSWINSZ = 0x5414;
/** The access mode in the flags of proc_pid_fdinfo(5). */
const accessMode = 0o3;

const signatures = {
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
} as const;

let calls: ReturnType<typeof libc<typeof signatures>>;

/** A copy that no process which we start inherits. @throws where there is no room for one. */
export function duplicate(descriptor: number): number {
  calls ??= libc(signatures);
  const copy = calls?.fcntl(descriptor, F_DUPFD_CLOEXEC, 0) ?? -1;
  if (copy < 0) throw new Error(`descriptor ${descriptor} cannot be copied`);
  return copy;
}

/** A read or write of it that would have to wait fails instead, for everybody who has the open file. */
export function neverBlock(descriptor: number): void {
  calls ??= libc(signatures);
  calls?.fcntl(descriptor, F_SETFL, O_NONBLOCK);
}

/** Its foreground processes hear SIGWINCH where the size is another. */
export function setTerminalSize(
  descriptor: number,
  { cols, rows }: { cols: number; rows: number },
): void {
  calls ??= libc(signatures);
  // struct winsize of ioctl_tty(2).
  calls?.ioctl(descriptor, TIOCSWINSZ, new Uint16Array([rows, cols, 0, 0]));
}

export function ownDescriptors(root = "/proc/self"): OwnDescriptors {
  const found = new Map<string, number>();
  for (const entry of readdirSync(`${root}/fd`)) {
    const key = keyOf(entry, root);
    if (key !== undefined && !found.has(key)) found.set(key, Number(entry));
  }
  return {
    pipe: (inode, end) => found.get(`${end} pipe:[${inode}]`),
    terminal: (path) => found.get(`terminal ${path.slice("/dev/pts/".length)}`),
  };
}

/** Undefined for one that nobody asks for, or that is closed again: the folder's own is among them. */
function keyOf(entry: string, root: string): string | undefined {
  try {
    const target = readlinkSync(`${root}/fd/${entry}`);
    const isPipe = target.startsWith("pipe:");
    if (!isPipe && !target.endsWith("/ptmx")) return undefined;
    const info = readFileSync(`${root}/fdinfo/${entry}`, "latin1");
    if (!isPipe) {
      const index = /^tty-index:\s*(\d+)$/m.exec(info)?.[1];
      return index === undefined ? undefined : `terminal ${index}`;
    }
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "", 8);
    return `${(flags & accessMode) === 0 ? "read" : "write"} ${target}`;
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}
