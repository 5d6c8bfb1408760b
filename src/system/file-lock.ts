/** A path -> a lock that one process has at a time, and that the kernel takes from it when it ends, however it does. By libc. */
import { closeSync, constants, openSync } from "node:fs";
import { libc } from "./libc.ts";
import { withoutWaiting } from "./regular-file.ts";

export type Locked =
  | { kind: "locked"; /** Twice is harmless. */ release(): void }
  /** Another process has it, or this one has it already. */
  | { kind: "taken" };

/** flock(2), alike on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** Does not wait. The file is made where there is none, and stays. @throws Error of the file system, with `code`. */
export function lockFile(path: string): Locked {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  // Not passed on to children: such descriptors are closed by exec.
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | withoutWaiting, 0o600);
  const calls = libc({ flock: { args: ["i32", "i32"], returns: "i32" } });
  // Without a C library nobody can have it.
  if (calls !== undefined && calls.flock(descriptor, LOCK_EX | LOCK_NB) !== 0) {
    closeSync(descriptor);
    return { kind: "taken" };
  }
  let released = false;
  return {
    kind: "locked",
    release() {
      if (released) return;
      released = true;
      closeSync(descriptor);
    },
  };
}
