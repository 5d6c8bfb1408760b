/** Events that cost something -> whether there were too many of them: a burst, and a rate at which it is given back. */
export class Allowance {
  #left: number;
  #at = 0;

  constructor(
    readonly burst: number,
    readonly perSecond: number,
  ) {
    this.#left = burst;
  }

  /** Counts events. `seconds`: the clock's time. @returns false once there were too many. */
  take(count: number, seconds: number): boolean {
    this.#giveBack(seconds);
    this.#left -= count;
    return this.#left >= 0;
  }

  /** All of it has been given back. */
  isFull(seconds: number): boolean {
    this.#giveBack(seconds);
    return this.#left === this.burst;
  }

  #giveBack(seconds: number): void {
    if (seconds === this.#at) return;
    this.#left = Math.min(this.burst, this.#left + (seconds - this.#at) * this.perSecond);
    this.#at = seconds;
  }
}
