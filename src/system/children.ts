/** A process -> its children, also those that have ended and are not reaped. Linux. */
import { readFileSync } from "node:fs";

/** `pid` has one thread. Undefined where it is gone, or the kernel was built without CONFIG_PROC_CHILDREN. */
export function childrenOf(pid: number): number[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return text
      .split(" ")
      .filter((word) => word.trim() !== "")
      .map(Number);
  } catch {
    // As above.
    return undefined;
  }
}
