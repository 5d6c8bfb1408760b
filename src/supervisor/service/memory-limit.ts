/** A life and its limit -> ended when all its processes together keep more memory than that. */
import { shownSize } from "../../text/size.ts";
import type { Life, LifeOwner } from "./life.ts";

/** Milliseconds between two looks: usually, and above half the limit, where a second may be too late. */
const period = 1000;
const shortPeriod = 250;

export class MemoryLimit {
  readonly #life: Life;
  readonly #owner: LifeOwner;
  readonly #limit: number;

  constructor(life: Life, { owner, limit }: { owner: LifeOwner; limit: number }) {
    this.#life = life;
    this.#owner = owner;
    this.#limit = limit;
  }

  start(delay = shortPeriod): void {
    this.#life.after(delay, () => void this.#look());
  }

  async #look(): Promise<void> {
    const life = this.#life;
    const used = await this.#used();
    if (life.isOver) return;
    if (used > this.#limit) {
      const [is, limit] = [shownSize(used), shownSize(this.#limit)];
      const why = `used ${is}, more than its limits.memory of ${limit}`;
      this.#owner.say(`${why}; it is ended`);
      this.#owner.happen("timed-out", why);
    } else this.start(used > this.#limit / 2 ? shortPeriod : period);
  }

  /** Resident bytes; pages that several of its processes share count once, as far as the system tells. */
  async #used(): Promise<number> {
    const { families, proportional } = this.#owner.effects;
    try {
      const { memory, pids } = await families.usage(this.#life.born.run);
      // Asking the kernel for shares takes milliseconds for each GiB, so it is asked where it matters.
      if (memory <= this.#limit) return memory;
      return (await proportional(pids)) ?? memory;
    } catch {
      // The machine could not be looked at, which the families report.
      return 0;
    }
  }
}
