/** The kernel's release -> whether this is Windows' Linux. */
import { release } from "node:os";

/** Microsoft's kernels have their name in the release, in WSL 1 and 2 alike. */
export function isWsl(): boolean {
  return /microsoft/i.test(release());
}
