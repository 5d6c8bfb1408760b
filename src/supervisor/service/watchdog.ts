/** A life that promised signs of itself -> noticed when one of them does not come. WATCHDOG_USEC of sd_notify(3). */
import type { Cancel } from "../../system/clock.ts";
import type { Life } from "./life.ts";

export class Watchdog {
  readonly #life: Life;
  readonly #onSilence: (why: string) => void;
  #cancel: Cancel | undefined;

  constructor(life: Life, onSilence: (why: string) => void) {
    this.#life = life;
    this.#onSilence = onSilence;
    // Promised to the daemon before: it has as long as ever for the next sign.
    if (life.watchdog > 0) this.#arm(life.watchdog);
  }

  /** From now on a sign comes in each `period` milliseconds; 0: none any more. */
  expect(period: number): void {
    this.#life.watchdog = period;
    if (period > 0) this.#arm(period);
    else this.#cancel?.();
  }

  sign(): void {
    const { watchdog } = this.#life;
    if (watchdog > 0) this.#arm(watchdog);
  }

  /** The next sign may take this many milliseconds. */
  extend(by: number): void {
    const { watchdog } = this.#life;
    if (watchdog > 0) this.#arm(Math.max(watchdog, by));
  }

  #arm(delay: number): void {
    this.#cancel?.();
    this.#cancel = this.#life.after(delay, () => {
      this.#onSilence(`its watchdog was silent for ${Math.round(delay)} ms`);
    });
  }
}
