/** A variable and the beginning of its value -> the processes of ours that have it are ended; see `started-with.ts`. */
import { type StartedWith, startedWith } from "./started-with.ts";

/** A process that is about to start another one is missed by one look, and found by the next. */
const mostLooks = 100;
const betweenLooks = 10;

/** Resolves when none is left. */
export async function endOrphans(its: StartedWith): Promise<void> {
  for (let looks = 0; looks < mostLooks; looks++) {
    const left = await startedWith(its);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone meanwhile.
      }
    }
    await Bun.sleep(betweenLooks);
  }
}
