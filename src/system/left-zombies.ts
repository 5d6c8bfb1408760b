/**
 * Children that have ended and are not reaped -> those that nobody waits for: of the first process of a container, and
 * of whoever adopts orphans. A runtime reaps its own at once, so whoever stays is nobody's.
 */

/** Milliseconds in which whoever started a process sees its end. */
export const leftPatience = 2_000;

export class LeftZombies {
  /** When each was first seen, by pid, which is nobody else's before it is reaped. */
  #since = new Map<number, number>();

  /** Some are there which may be nobody's: to be looked at again after `leftPatience`. */
  get waits(): boolean {
    return this.#since.size > 0;
  }

  /** `zombies`: all that there are at the moment `now`. @returns those to be reaped. */
  seen(zombies: Iterable<number>, now: number): number[] {
    const before = this.#since;
    this.#since = new Map();
    const due: number[] = [];
    for (const pid of zombies) {
      const since = before.get(pid) ?? now;
      if (now - since >= leftPatience) due.push(pid);
      else this.#since.set(pid, since);
    }
    return due;
  }
}
