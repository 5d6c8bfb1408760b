/** An attempt that fails for a passing reason -> its result, or its last error after a few seconds. */
import type { Clock } from "../system/clock.ts";

/** Milliseconds. A full disk or a folder that is being moved may be mended by then. */
const patience = 2_000;
const pause = 250;

/** @throws the error of the last attempt. */
export async function persistently<T>(clock: Clock, attempt: () => Promise<T>): Promise<T> {
  const end = clock.now() + patience;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (clock.now() >= end) throw error;
    }
    await new Promise<void>((resolve) => clock.after(pause, resolve));
  }
}
