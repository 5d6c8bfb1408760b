/** This process -> whether a program that it starts may have more rights than it has: no_new_privs of prctl(2). */
import { readFileSync } from "node:fs";

/** True where the system does not say. */
export function mayGainRights(status = "/proc/self/status"): boolean {
  try {
    return !/^NoNewPrivs:\s*1$/m.test(readFileSync(status, "latin1"));
  } catch {
    // No procfs: no such thing.
    return true;
  }
}
