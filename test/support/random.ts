/** A seed into numbers that look random and are the same every time. */

export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** True in `share` of all cases. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** `count` octets. */
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}

/**
 * The seed of a test in the suite: the same in each run, so that whoever changes something hears of that change alone.
 * `SEED` in the environment gives another one, and `SEED=any` a fresh one: `test/soak/seeds.ts` searches with those.
 */
export function suiteSeed(): number {
  const given = process.env.SEED;
  if (given === "any") return freshSeed();
  return given === undefined ? 1 : Number(given);
}

/** A seed of its own for every run; `SEED` in the environment repeats one. */
export function freshSeed(): number {
  const given = Number(process.env.SEED);
  return Number.isInteger(given) ? given : Math.floor(Math.random() * 4_294_967_296);
}
