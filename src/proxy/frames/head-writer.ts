/** Pieces of heads -> one run of bytes to write at once. One writer serves many messages, one after another. */

/** Up to this many bytes, a loop is faster than creating a view for the engine's own copy. */
const loopLimit = 128;

export class HeadWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** Makes room for `count` more bytes, so that many small pieces need not grow the array one by one. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends source[from, to). */
  copy(source: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (count <= 0) return;
    this.reserve(count);
    const bytes = this.bytes;
    const at = this.length;
    if (count <= loopLimit) {
      for (let i = 0; i < count; i++) bytes[at + i] = source[from + i]!;
    } else {
      bytes.set(source.subarray(from, to), at);
    }
    this.length = at + count;
  }

  /** Appends the whole of `source`. */
  append(source: Uint8Array): void {
    this.copy(source, 0, source.length);
  }

  /** Appends a text of one octet per character (ISO 8859-1). */
  latin1(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i);
  }

  byte(octet: number): void {
    this.reserve(1);
    this.bytes[this.length++] = octet;
  }
}

/**
 * Writers for heads that are assembled and written at once. Each is taken for one head and given back, so connections
 * share a few large writers, but never the same one at the same time.
 */
export class HeadWriters {
  readonly #spare: HeadWriter[] = [];

  /** Returns an empty writer, which belongs to the caller until it is given back. */
  take(): HeadWriter {
    const writer = this.#spare.pop() ?? new HeadWriter(65_536);
    writer.clear();
    return writer;
  }

  give(writer: HeadWriter): void {
    this.#spare.push(writer);
  }
}
