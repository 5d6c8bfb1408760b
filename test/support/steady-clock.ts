/** The system's clock -> one that does not count for how long a busy machine let nobody work. */
import { type Clock, systemClock } from "../../src/system/clock.ts";

/** Milliseconds: how far it goes at most from one turn of the event loop to the next. */
const longestStep = 2;

/** What is to happen within some milliseconds, in this process, has happened when it has gone that far. */
export function steadyClock(): Clock & Disposable {
  let now = systemClock.now();
  let last = performance.now();
  const timer = setInterval(() => {
    const at = performance.now();
    now += Math.min(at - last, longestStep);
    last = at;
  }, 1);
  return {
    ...systemClock,
    now: () => now,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
