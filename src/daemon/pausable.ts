/** A watch over the record -> the same, paused while another daemon takes over: its record is not ours meanwhile. */
import type { Cancel } from "../system/clock.ts";

export type PausableOptions = {
  /** Watches it, or tries to have one that can be watched. */
  watch(): Cancel;
  /** Makes the record ours again, if the daemon of the launch `successor` has left it so. Never rejects. */
  reclaim(successor: string): Promise<void>;
};

export class Pausable {
  readonly #options: PausableOptions;
  #cancel: Cancel = () => {};
  /** Raised by whatever makes a `resume` that is under way one of the past. */
  #turn = 0;

  constructor(options: PausableOptions) {
    this.#options = options;
  }

  begin(): void {
    this.#cancel = this.#options.watch();
  }

  pause(): void {
    this.#turn += 1;
    this.#cancel();
    this.#cancel = () => {};
  }

  /** Watches again, unless another daemon has begun to take over meanwhile, or this one ends. */
  async resume(successor: string): Promise<void> {
    this.pause();
    const turn = this.#turn;
    await this.#options.reclaim(successor);
    if (turn === this.#turn) this.begin();
  }
}
