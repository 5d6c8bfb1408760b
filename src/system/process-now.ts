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
