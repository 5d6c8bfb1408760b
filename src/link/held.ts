/** Pieces of input that cannot be used yet into one growing run of bytes. */
export class Held {
  #bytes: Uint8Array | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies bytes[from, to) behind what is held. */
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

  /** All that is held. The view stays right until the next `add` or `take`. */
  view(): Uint8Array {
    return this.#bytes === undefined ? empty : this.#bytes.subarray(0, this.#length);
  }

  /** All that is held, which is held no longer; the bytes are the caller's. */
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
