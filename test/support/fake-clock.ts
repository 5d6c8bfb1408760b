/** A clock that moves only when a test says so. */
import type { Cancel, Clock } from "../../src/system/clock.ts";

type Timer = { due: number; period: number | undefined; action: () => void };

export class FakeClock implements Clock {
  #now: number;
  /** By how much the time of day is ahead of the time that has passed. */
  #ahead = 0;
  #timers = new Set<Timer>();

  constructor(start = 1_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#ahead;
  }

  /** Sets the time of day, which fires nothing. */
  set(by: number): void {
    this.#ahead += by;
  }

  after(delay: number, action: () => void): Cancel {
    return this.#add({ due: this.#now + delay, period: undefined, action });
  }

  every(period: number, action: () => void): Cancel {
    return this.#add({ due: this.#now + period, period, action });
  }

  /** How many timers are waiting: a test for leaks. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Moves time on, firing what falls due, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.due <= end && (next === undefined || timer.due < next.due)) {
          next = timer;
        }
      }
      if (next === undefined) break;
      this.#now = next.due;
      if (next.period === undefined) this.#timers.delete(next);
      else next.due += next.period;
      next.action();
    }
    this.#now = end;
  }

  /** Time passes while this process stands still: a timer that is due fires once, late, at the next `advance`. */
  stand(milliseconds: number): void {
    this.#now += milliseconds;
    for (const timer of this.#timers) timer.due = Math.max(timer.due, this.#now);
  }

  #add(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }
}
