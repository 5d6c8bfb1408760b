/** A path -> a lock that one process holds at a time; the kernel releases it when that process ends. Uses libc. */
import { closeSync, constants, openSync } from "node:fs";
import { libc } from "./libc.ts";
import { withoutWaiting } from "./regular-file.ts";

export type Locked =
  | {
      kind: "locked";
      /** Holds the lock for whoever has it, or a copy: the lock belongs to the open file. */
      descriptor: number;
      /** Twice is harmless. */
      release(): void;
    }
  /** Another process holds the lock, or this process already does. */
  | { kind: "taken" };

/** flock(2); the same values on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Returns at once. The file is created if it does not exist, and stays. @throws Error of the file system, with `code`.
 */
export function lockFile(path: string): Locked {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  // Children do not inherit the lock: exec closes such descriptors.
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | withoutWaiting, 0o600);
  const calls = libc({ flock: { args: ["i32", "i32"], returns: "i32" } });
  // Without a C library, no process can hold the lock.
  if (calls !== undefined && calls.flock(descriptor, LOCK_EX | LOCK_NB) !== 0) {
    closeSync(descriptor);
    return { kind: "taken" };
  }
  return lockOf(descriptor);
}

export type TurnOptions = {
  signal: AbortSignal;
  /** Called once where another process has the lock. */
  onWait(): void;
};

/** Milliseconds between two looks at a lock that another process has. */
const untilNextLook = 100;

/** Waits for the lock. Undefined: `signal` has ended that. @throws as `lockFile`. */
export async function lockInTurn(
  path: string,
  { signal, onWait }: TurnOptions,
): Promise<Extract<Locked, { kind: "locked" }> | undefined> {
  for (let hasWaited = false; !signal.aborted; hasWaited = true) {
    const lock = lockFile(path);
    if (lock.kind === "locked") return lock;
    if (!hasWaited) onWait();
    await Bun.sleep(untilNextLook);
  }
  return undefined;
}

/** A lock that another process had, by its descriptor, which is ours from now on. */
export function lockOf(descriptor: number): Extract<Locked, { kind: "locked" }> {
  let released = false;
  return {
    kind: "locked",
    descriptor,
    release() {
      if (released) return;
      released = true;
      closeSync(descriptor);
    },
  };
}
