/** A process -> the memory that it occupies now. Uses libc on macOS. */
import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";

/** proc_pidinfo(3) of macOS: a `proc_taskinfo`, whose second field is the resident size. */
const taskInfo = { flavor: 4, size: 96, resident: 1 } as const;

/** Bytes; returns undefined where the process is gone, or cannot be asked. */
export function residentMemory(): (pid: number) => number | undefined {
  if (process.platform === "linux") return fromProc;
  const calls = libc({
    proc_pidinfo: { args: ["i32", "i32", "u64", "ptr", "i32"], returns: "i32" },
  });
  const answer = new BigUint64Array(taskInfo.size / 8);
  return (pid) => {
    const length = calls?.proc_pidinfo(pid, taskInfo.flavor, 0, answer, taskInfo.size);
    return length === taskInfo.size ? Number(answer[taskInfo.resident]) : undefined;
  };
}

/** Not by `statm`, which counts in pages: their size differs. */
const resident = /^VmRSS:\s+(\d+) kB$/m;

function fromProc(pid: number): number | undefined {
  try {
    const found = resident.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return found === null ? undefined : Number(found[1]) * 1024;
  } catch {
    // The process has ended.
    return undefined;
  }
}
