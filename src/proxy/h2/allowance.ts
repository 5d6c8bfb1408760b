/** How often something may happen into whether it still may: a burst, and a rate at which it is given back. */
export class Allowance {
  #left: number;
  #at = 0;

  constructor(
    readonly burst: number,
    readonly perSecond: number,
  ) {
    this.#left = burst;
  }

  /** @returns false once it has happened too often. `seconds`: a clock's. */
  take(count: number, seconds: number): boolean {
    if (seconds !== this.#at) {
      this.#left = Math.min(this.burst, this.#left + (seconds - this.#at) * this.perSecond);
      this.#at = seconds;
    }
    this.#left -= count;
    return this.#left >= 0;
  }
}
