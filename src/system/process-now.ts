/** A pid -> what Linux says of the process at this moment. */
import { readFileSync } from "node:fs";
import { parseProcStat, type ProcStat } from "./proc-stat.ts";

/** Undefined where there is no such process, and on systems without /proc. */
export function processNow(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    // The process has ended, or the system is not Linux.
    return undefined;
  }
}

/** Whether a process has this pid, on systems without /proc too. */
export function isThere(pid: number): boolean {
  if (process.platform === "linux") return processNow(pid)?.zombie === false;
  try {
    return process.kill(pid, 0);
  } catch {
    // ESRCH: there is none. EPERM: it is another user's, and so none that we mean.
    return false;
  }
}

/** USER_HZ, which is 100 on every Linux that we know. */
const ticksPerSecond = 100;

/** Milliseconds since the process began; undefined where the system does not tell. */
export function processAge({ startTicks }: ProcStat): number | undefined {
  try {
    const uptime = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
    return 1_000 * (uptime - startTicks / ticksPerSecond);
  } catch {
    // Not Linux.
    return undefined;
  }
}
