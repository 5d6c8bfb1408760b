/** This machine -> where tests of databases keep their files: in memory, so that no write waits for a disk. */
import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const memory = "/dev/shm";

/** Bytes: each database has 40 MB, and some run side by side. */
const enough = 1024 ** 3;

/** With a disk under load, `initdb` waits 10 s for it, and half a second for memory. */
export function quickFolder(): string {
  try {
    accessSync(memory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= enough ? memory : tmpdir();
  } catch {
    // macOS has none, and some containers a small one.
    return tmpdir();
  }
}
