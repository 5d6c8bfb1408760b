/** A part that is made after those that refer to it: nothing until then, and the part from then on. */

/**
 * For the true cycles only: the commands count the connections of the doors that are opened for them, and the supervisor
 * asks for the ports of the proxy that wakes its services.
 */
export class Late<Part> {
  #part: Part | undefined;

  /** Undefined until the part is there. */
  get part(): Part | undefined {
    return this.#part;
  }

  /** @throws where it was told before. */
  is(part: Part): void {
    if (this.#part !== undefined) throw new Error("a part is told once");
    this.#part = part;
  }
}
