/** A time that is looked at now and then -> one timer at a time that costs the system none. */
import type { Cancel, Clock } from "./clock.ts";

/** Runs an action once, some milliseconds from now. */
export type Timer = Pick<Clock, "after">;

/** For thousands of connections that are walked twice a second. */
export class Deadline implements Timer {
  readonly #now: () => number;
  #due = Number.POSITIVE_INFINITY;
  #action: () => void = () => {};

  /** `now` is in milliseconds, from wherever it begins. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the place of the action that is still to come, if there is one. */
  after(delay: number, action: () => void): Cancel {
    this.#due = this.#now() + delay;
    this.#action = action;
    return () => {
      if (this.#action === action) this.#due = Number.POSITIVE_INFINITY;
    };
  }

  /** Runs the action if it is due. */
  tick(): void {
    if (this.#now() < this.#due) return;
    this.#due = Number.POSITIVE_INFINITY;
    this.#action();
  }
}
