/** The system's time into a clock that does not count for how long a busy machine let nobody work. */
import type { Cancel, Clock } from "../../src/system/clock.ts";
import { FakeClock } from "./fake-clock.ts";

/** Milliseconds: how far time goes at most from one turn of the event loop to the next, while anybody waits. */
const longestStep = 2;

/**
 * A limit of some milliseconds for what this process does itself is never over before the process has had that much
 * time to do it, however long the machine ran something else. Ticks only while a timer is waiting.
 */
export function steadyClock(): Clock & Pick<FakeClock, "set"> {
  const clock = new FakeClock(Date.now());
  let last = performance.now();
  let ticking: Timer | undefined;

  const stopWhenIdle = (): void => {
    if (clock.waiting > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
  const tick = (): void => {
    const at = performance.now();
    const passed = at - last;
    last = at;
    clock.advance(Math.min(passed, longestStep));
    stopWhenIdle();
  };
  /** Time on which nobody waited is the system's. */
  const catchUp = (): void => {
    if (ticking !== undefined) return;
    const at = performance.now();
    clock.advance(at - last);
    last = at;
  };
  const waiting = (cancel: Cancel): Cancel => {
    ticking ??= setInterval(tick, 1);
    return () => {
      cancel();
      stopWhenIdle();
    };
  };
  return {
    now() {
      catchUp();
      return clock.now();
    },
    wall() {
      catchUp();
      return clock.wall();
    },
    set: (by) => clock.set(by),
    after(delay, action) {
      catchUp();
      return waiting(clock.after(delay, action));
    },
    every(period, action) {
      catchUp();
      return waiting(clock.every(period, action));
    },
  };
}
