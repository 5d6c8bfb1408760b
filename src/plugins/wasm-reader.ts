/** The bytes of a WebAssembly binary -> its numbers, names and sections, one after another. Pure. */

/** Thrown by a reader, and caught once by whoever began to read: the bytes are none that we understand. */
export class BadWasm extends Error {}

export type Section = { id: number; body: WasmReader; whole: Uint8Array };

/** Characters of a name: mangled ones of C++ are long. */
const longestName = 4096;

/**
 * Letters, digits and the marks of names that compilers and the component model make. Names stand in the JavaScript
 * that is made of a component: no quote, backslash or line break may be in one.
 */
const safeName = /^[\w .$:/@#|[\]<>=+,()&~!?-]*$/;

export class WasmReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  octet(): number {
    const octet = this.#bytes[this.#at];
    if (octet === undefined) throw new BadWasm("it is cut off");
    this.#at++;
    return octet;
  }

  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** An unsigned number of at most 32 bits, in LEB128. */
  u32(): number {
    let value = 0;
    for (let place = 0; place < 5; place++) {
      const octet = this.octet();
      value += (octet & 0x7f) * 2 ** (7 * place);
      if (octet < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw new BadWasm("a number of it is too large");
  }

  /** A signed number of at most 33 bits, passed over. */
  skipNumber(): void {
    for (let place = 0; place < 5; place++) if (this.octet() < 0x80) return;
    throw new BadWasm("a number of it is too large");
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new BadWasm("it is cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** @throws BadWasm where it has characters that none of a compiler has. */
  name(): string {
    const length = this.u32();
    if (length > longestName) throw new BadWasm(`a name of it is longer than ${longestName} bytes`);
    const name = new TextDecoder().decode(this.take(length));
    if (!safeName.test(name)) throw new BadWasm(`it has a name that is none: ${show(name)}`);
    return name;
  }

  /** Calls `read` for each of a list. */
  each(read: (reader: this) => void): void {
    for (let left = this.u32(); left > 0; left--) read(this);
  }

  /** To the end. `whole` is the section with its head. */
  *sections(): Generator<Section> {
    while (!this.isDone) {
      const start = this.#at;
      const id = this.octet();
      const body = this.take(this.u32());
      yield { id, body: new WasmReader(body), whole: this.#bytes.subarray(start, this.#at) };
    }
  }

  /** The rest, which is read no further. */
  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }
}

function show(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

/** Unsigned, in LEB128. */
export function leb(value: number): number[] {
  const octets: number[] = [];
  let left = value;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    octets.push(left > 0 ? low + 128 : low);
  } while (left > 0);
  return octets;
}
