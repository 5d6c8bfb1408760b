/** Pieces of input that cannot be used yet -> one growing run of bytes. */
export class Held {
  #bytes: Uint8Array | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends a copy of bytes[from, to). */
  add(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const count = to - from;
    if (count <= 0) return;
    const needed = this.#length + count;
    if (this.#bytes === undefined || this.#bytes.length < needed) {
      const grown = new Uint8Array(Math.max(needed, (this.#bytes?.length ?? 256) * 2));
      if (this.#bytes !== undefined) grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(from, to), this.#length);
    this.#length = needed;
  }

  /** All held bytes. The view is valid until the next `add` or `take`. */
  view(): Uint8Array {
    return this.#bytes === undefined ? empty : this.#bytes.subarray(0, this.#length);
  }

  /** Removes and returns all held bytes; they belong to the caller. */
  take(): Uint8Array {
    const bytes = this.view();
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#bytes = undefined;
    this.#length = 0;
  }
}

const empty = new Uint8Array(0);
