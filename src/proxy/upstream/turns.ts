/** Those who wait, each of some party -> whose turn is next: the parties take turns, each in its own order. */

export class Turns<T> {
  readonly #parties = new Map<object, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T, party: object): void {
    const own = this.#parties.get(party);
    if (own === undefined) this.#parties.set(party, new Set([item]));
    else own.add(item);
    this.#size++;
  }

  /** An item whose turn it was, and whose turn comes again before all others. */
  putBack(item: T, party: object): void {
    const own = new Set([item, ...(this.#parties.get(party) ?? [])]);
    const others = [...this.#parties].filter(([other]) => other !== party);
    this.#parties.clear();
    for (const [other, items] of [[party, own] as const, ...others])
      this.#parties.set(other, items);
    this.#size++;
  }

  /** The next one that fits; undefined if none does. It stays. */
  find(fits: (item: T) => boolean): T | undefined {
    for (const own of this.#parties.values()) {
      for (const item of own) if (fits(item)) return item;
    }
    return undefined;
  }

  get first(): T | undefined {
    return this.find(() => true);
  }

  get all(): T[] {
    return [...this.#parties.values()].flatMap((own) => [...own]);
  }

  /** An item has its turn: the other parties are next. */
  take(item: T, party: object): void {
    const own = this.#parties.get(party);
    if (own?.delete(item) !== true) return;
    this.#size--;
    this.#parties.delete(party);
    if (own.size > 0) this.#parties.set(party, own);
  }

  /** An item waits no more. Its party keeps its place. */
  remove(item: T, party: object): void {
    const own = this.#parties.get(party);
    if (own?.delete(item) !== true) return;
    this.#size--;
    if (own.size === 0) this.#parties.delete(party);
  }
}
