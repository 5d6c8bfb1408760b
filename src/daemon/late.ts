/** A part that is made after others that refer to it -> undefined at first, and the part once it is there. */

/**
 * For true cycles only: the commands count the connections of the doors that are opened for them, the supervisor reads
 * the ports of the proxy that wakes its services, and the proxy writes into their logs what it refuses.
 */
export class Late<Part> {
  #part: Part | undefined;

  /** Undefined until the part is there. */
  get part(): Part | undefined {
    return this.#part;
  }

  /** @throws if the part is there already. */
  is(part: Part): void {
    if (this.#part !== undefined) throw new Error("the part is there already");
    this.#part = part;
  }

  /** In the place of the one that was there. */
  becomes(part: Part): void {
    this.#part = part;
  }
}
