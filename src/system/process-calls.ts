/** Orphaned descendants -> children of ours; the end of a child -> its exit code. Uses libc. */
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
}

/** prctl(2), Linux 3.4. */
const PR_SET_CHILD_SUBREAPER = 36;
/** waitpid(2): the same value on every system we know. */
const WNOHANG = 1;

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number as number, name]),
);

export function processCalls(platform: string): ProcessCalls {
  const calls = libc({ waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" } });
  const linux =
    platform === "linux"
      ? libc({ prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" } })
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
      // WIFSIGNALED and WEXITSTATUS of <sys/wait.h>; bit 7 reports a core file.
      const number = status[0]! & 0x7f;
      if (number === 0) return { code: (status[0]! >> 8) & 0xff, signal: null };
      return { code: null, signal: signalNames.get(number) ?? String(number) };
    },
  };
}
