/** A proxy's connections -> the one that makes room for the next: the longest idle, another user's first. */

/** A connection as this file sees it; a session of HTTP/2 is one too. */
export type Idleable = {
  /** Since when it has had nothing to do, in seconds; undefined: something is under way. */
  readonly idleSince: number | undefined;
};

/**
 * The user whose share a connection counts towards; undefined for the person's own connections, which have no share.
 */
export type Guest = number | undefined;

/** Connections that one look at all of them finds, so that a crowd does not cost a look each. */
const most = 256;

export type IdleOnesOptions<One> = {
  /** Oldest first. */
  all(): Iterable<readonly [One, Guest]>;
  seconds(): number;
  /** Ends a connection, whose place is free from then on. */
  end(one: One): void;
};

export class IdleOnes<One extends Idleable> {
  readonly #options: IdleOnesOptions<One>;
  /** The longest idle of each user that were found last, in the order in which they go. */
  readonly #found = new Map<Guest, { one: One; since: number }[]>();
  /** When a look for a user found none, in seconds: another one would find none so soon either. */
  readonly #none = new Map<Guest, number>();

  constructor(options: IdleOnesOptions<One>) {
    this.#options = options;
  }

  /** Ends one of this user. @returns whether there was one. */
  endOneOf(guest: Guest): boolean {
    const one = this.#next(guest) ?? this.#lookFor(guest);
    if (one !== undefined) this.#options.end(one);
    return one !== undefined;
  }

  /**
   * Ends one for a new connection: for the person's, a guest's, or else one of the person's own; for a guest's, one of
   * the same guest, or else another's. @returns whether there was one.
   */
  endOneFor(newcomer: Guest, guests: readonly number[]): boolean {
    const others = guests.filter((guest) => guest !== newcomer);
    const order = newcomer === undefined ? [...others, undefined] : [newcomer, ...others];
    return order.some((guest) => this.endOneOf(guest));
  }

  /** The next of those found before, if it has been idle ever since. */
  #next(guest: Guest): One | undefined {
    const found = this.#found.get(guest);
    for (let next = found?.shift(); next !== undefined; next = found!.shift()) {
      if (next.one.idleSince === next.since) return next.one;
    }
    this.#found.delete(guest);
    return undefined;
  }

  #lookFor(guest: Guest): One | undefined {
    const { all, seconds } = this.#options;
    if (this.#none.get(guest) === seconds()) return undefined;
    const found: { one: One; since: number }[] = [];
    for (const [one, its] of all()) {
      const since = its === guest ? one.idleSince : undefined;
      if (since !== undefined) found.push({ one, since });
    }
    if (found.length === 0) this.#none.set(guest, seconds());
    // The sort leaves the older one of two in front.
    found.sort((a, b) => a.since - b.since);
    this.#found.set(guest, found.slice(0, most));
    return this.#next(guest);
  }
}
