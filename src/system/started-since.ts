/**
 * The leader of a session, and a mark -> what came of it and is not over: the session, and whoever has the mark in its
 * environment. Linux.
 */
import { readdirSync, readFileSync } from "node:fs";
import { processNow } from "./process-now.ts";

export type Leader = {
  pid: number;
  /** In ticks since the boot: nothing that is older came of it. */
  startTicks: number;
  /** `NAME=value`. */
  mark: string;
};

/** Without the leader, which may be over. Synchronous, so that a signal meets the processes that were seen. */
export function startedSince({ pid: leader, startTicks, mark }: Leader): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === leader) return [];
    const its = processNow(pid);
    if (its === undefined || its.zombie || its.startTicks < startTicks) return [];
    return its.session === leader || hasMark(pid, mark) ? pid : [];
  });
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(`\0${mark}\0`);
  } catch {
    // Another user's, or over.
    return false;
  }
}
