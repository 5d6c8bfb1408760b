/** A life that promised signs of itself -> noticed when one of them does not come. WATCHDOG_USEC of sd_notify(3). */
import type { Cancel } from "../../system/clock.ts";
import type { Life } from "./life.ts";

export class Watchdog {
  readonly #life: Life;
  readonly #onSilence: (why: string) => void;
  /** Milliseconds between two signs; 0: none are promised. */
  #period = 0;
  #cancel: Cancel | undefined;

  constructor(life: Life, onSilence: (why: string) => void) {
    this.#life = life;
    this.#onSilence = onSilence;
  }

  /** From now on a sign comes in each `period` milliseconds; 0: none any more. */
  expect(period: number): void {
    this.#period = period;
    if (period > 0) this.#arm(period);
    else this.#cancel?.();
  }

  sign(): void {
    if (this.#period > 0) this.#arm(this.#period);
  }

  /** The next sign may take this many milliseconds. */
  extend(by: number): void {
    if (this.#period > 0) this.#arm(Math.max(this.#period, by));
  }

  #arm(delay: number): void {
    this.#cancel?.();
    this.#cancel = this.#life.after(delay, () => {
      this.#onSilence(`its watchdog was silent for ${Math.round(delay)} ms`);
    });
  }
}
