/**
 * Orphaned descendants -> children of ours, with a mark by which they are known; the end of a child -> its exit code.
 * Uses libc.
 */
import { constants } from "node:os";
import { libc } from "./libc.ts";

export interface ProcessCalls {
  /** Makes orphaned descendants our children instead of init's. False if the system cannot do this (macOS). */
  adoptOrphans(): boolean;
  /**
   * Reaps a child that has ended, so that its pid is free again. Never call it for a pid that Bun waits for: Bun would
   * miss the end.
   * @returns undefined if the child still runs; `"stranger"` if the pid is not our child.
   */
  reap(pid: number): { code: number | null; signal: string | null } | "stranger" | undefined;
  /**
   * Does the work with a soft RLIMIT_RTTIME of so many microseconds, a number of 19 digits. Whatever it starts has
   * the limit, and so has whatever that starts, through fork, setsid and an exec with an empty environment. No limit
   * of a hundred thousand years is ever reached. Without it where the system has no such limit.
   */
  marked<T>(mark: string | undefined, work: () => T): T;
}

/** prctl(2), Linux 3.4. */
const PR_SET_CHILD_SUBREAPER = 36;
/** getrlimit(2), Linux 2.6.25. */
const RLIMIT_RTTIME = 15;
/** waitpid(2): the same value on every system we know. */
const WNOHANG = 1;

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number as number, name]),
);

/** The exit code or signal in a status of waitpid(2): WIFSIGNALED, WEXITSTATUS of <sys/wait.h>. */
export function endingIn(status: number): { code: number | null; signal: string | null } {
  // Bit 7 reports a core file.
  const number = status & 0x7f;
  if (number === 0) return { code: (status >> 8) & 0xff, signal: null };
  return { code: null, signal: signalNames.get(number) ?? String(number) };
}

export function processCalls(platform: string): ProcessCalls {
  const calls = libc({ waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" } });
  const linux =
    platform === "linux"
      ? libc({
          prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
          getrlimit: { args: ["i32", "ptr"], returns: "i32" },
          setrlimit: { args: ["i32", "ptr"], returns: "i32" },
        })
      : undefined;
  const status = new Int32Array(1);
  return {
    adoptOrphans: () => linux?.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) === 0,
    reap(pid) {
      // 0 and below would mean any child, including Bun's.
      if (calls === undefined || !(pid > 0)) return "stranger";
      const reaped = calls.waitpid(pid, status, WNOHANG);
      if (reaped === 0) return undefined;
      if (reaped !== pid) return "stranger";
      return endingIn(status[0]!);
    },
    marked(mark, work) {
      // Soft and hard.
      const before = new BigUint64Array(2);
      if (mark === undefined || linux?.getrlimit(RLIMIT_RTTIME, before) !== 0) return work();
      const soft = BigInt(mark);
      // A hard limit below it is kept: it cannot be raised, and its meaning is another's.
      if (soft > before[1]!) return work();
      linux.setrlimit(RLIMIT_RTTIME, new BigUint64Array([soft, before[1]!]));
      try {
        return work();
      } finally {
        linux.setrlimit(RLIMIT_RTTIME, before);
      }
    },
  };
}
