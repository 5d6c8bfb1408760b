/**
 * This process -> a small program in its place, which only keeps the processes that it has started: it reads a
 * descriptor until its end, and reaps nobody, so that everybody can see how they ended. Linux; uses libc.
 */
import { ptr } from "bun:ffi";
import { accessSync, constants, openSync } from "node:fs";
import { libc } from "./libc.ts";

const signatures = {
  dup2: { args: ["i32", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  execve: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  sigemptyset: { args: ["ptr"], returns: "i32" },
  sigprocmask: { args: ["i32", "ptr", "ptr"], returns: "i32" },
} as const;

/** Where POSIX systems have it; by PATH it could be anybody's. */
const programs = ["/bin/cat", "/usr/bin/cat"];

/** fcntl(2). */
const F_SETFL = 4;
/** prctl(2), Linux 3.4. */
const PR_SET_CHILD_SUBREAPER = 36;
const SIG_SETMASK = 2;
/** Bytes of a sigset_t, with glibc and with musl. */
const setLength = 128;

/**
 * `descriptor`: until its end, the processes are kept; never read by us again. Does not return where that is possible.
 * Orphans of those processes go to init from then on, as nobody here would reap them.
 */
export function becomeKeeper(descriptor: number): void {
  if (process.platform !== "linux") return;
  const program = programs.find(isProgram);
  const calls = libc(signatures);
  if (program === undefined || calls === undefined) return;
  calls.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  const nothing = openSync("/dev/null", "w");
  // Copies of descriptors stay open over exec; those of Bun do not.
  if (calls.dup2(descriptor, 0) !== 0 || calls.dup2(nothing, 1) !== 1) return;
  // Bun's sockets do not wait; a program that has nothing else to do does.
  calls.fcntl(0, F_SETFL, 0);
  const set = new Uint8Array(setLength);
  calls.sigemptyset(set);
  calls.sigprocmask(SIG_SETMASK, set, null);
  const [path, name] = [Buffer.from(`${program}\0`), Buffer.from("cat\0")];
  const argv = new BigUint64Array([BigInt(ptr(name)), 0n]);
  calls.execve(path, argv, new BigUint64Array([0n]));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Somewhere else, or nowhere.
    return false;
  }
}
