/** HPACK's bytes -> fields. RFC 7541. */
import { encode } from "../bytes.ts";
import { type FieldKind, type H2Field, h2Field, type Range } from "./field.ts";
import { decodeHuffman, huffmanRoom } from "./huffman.ts";
import { entryOverhead, firstTableSize, staticTable } from "./static-table.ts";

const staticFields = staticTable.map(([name, value]) =>
  h2Field(rangeOf(encode(name)), rangeOf(encode(value))),
);

function rangeOf(bytes: Uint8Array): Range {
  return { bytes, start: 0, end: bytes.length };
}

/** The most entries that fit in the table. A power of two, so that a mask finds a place. */
const places = firstTableSize / entryOverhead;

/** No size here needs more bits. Sums of such integers stay exact in 32 bits. */
const integerBits = 28;

/** Reads the header sections of one connection, in their order: each may change what the next one means. */
export class HpackDecoder {
  #table = new Array<H2Field | undefined>(places);
  /** The number of entries added so far, evicted ones included. */
  #added = 0;
  #count = 0;
  #size = 0;
  #limit = firstTableSize;

  #bytes: Uint8Array = nothing;
  #at = 0;
  #to = 0;
  #plain: Uint8Array = nothing;
  /** The last strings that `#string` has read. */
  readonly #name: Range = { bytes: nothing, start: 0, end: 0 };
  readonly #value: Range = { bytes: nothing, start: 0, end: 0 };

  /** Reads bytes[from, to), a whole section. @returns the reason for COMPRESSION_ERROR, or undefined. */
  decode(
    bytes: Uint8Array,
    { from, to }: { from: number; to: number },
    sink: { field(field: H2Field): void },
  ): string | undefined {
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
    let mayResize = true;
    while (this.#at < to) {
      const first = bytes[this.#at]!;
      if ((first & 0xe0) === 0x20) {
        if (!mayResize) return "a table size update stands behind a field";
        const limit = this.#integer(31);
        if (limit === -1 || limit > firstTableSize) return "a table size update is out of range";
        this.#limit = limit;
        this.#evict();
        continue;
      }
      mayResize = false;
      let field: H2Field | undefined;
      if (first >= 128) {
        field = this.#indexed(this.#integer(127));
        if (field === undefined) return "an index leads nowhere";
      } else {
        field = this.#literal((first & 0x40) === 0 ? 15 : 63);
        if (field === undefined) return "a literal field is malformed";
        if ((first & 0x40) !== 0) this.#add(field);
      }
      sink.field(field);
    }
    return undefined;
  }

  #indexed(index: number): H2Field | undefined {
    if (index <= 0) return undefined;
    if (index <= staticFields.length) return staticFields[index - 1];
    const back = index - staticFields.length;
    return back > this.#count ? undefined : this.#table[(this.#added - back) & (places - 1)];
  }

  #literal(mask: number): H2Field | undefined {
    const index = this.#integer(mask);
    if (index === -1) return undefined;
    let kind: FieldKind | undefined;
    const name = this.#name;
    if (index === 0) {
      if (!this.#string(name, 0)) return undefined;
    } else {
      const known = this.#indexed(index);
      if (known === undefined) return undefined;
      name.bytes = known.line;
      name.start = 0;
      name.end = known.nameEnd;
      kind = known.kind;
    }
    // A decoded name lies at the start of the buffer that the value is decoded into.
    const behind = name.bytes === this.#plain ? name.end : 0;
    if (!this.#string(this.#value, behind)) return undefined;
    return h2Field(name, this.#value, kind);
  }

  #add(field: H2Field): void {
    this.#table[this.#added++ & (places - 1)] = field;
    this.#count++;
    this.#size += field.size;
    this.#evict();
  }

  /** An entry larger than the table empties the table, and is no error: RFC 7541 section 4.4. */
  #evict(): void {
    while (this.#size > this.#limit) {
      const place = (this.#added - this.#count) & (places - 1);
      this.#size -= this.#table[place]!.size;
      this.#table[place] = undefined;
      this.#count--;
    }
  }

  /** RFC 7541 section 5.1. @returns -1 if the integer does not end or is too large. */
  #integer(mask: number): number {
    const bytes = this.#bytes;
    let value = bytes[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; this.#at < this.#to && shift < integerBits; shift += 7) {
      const octet = bytes[this.#at++]!;
      value += (octet & 127) << shift;
      if (octet < 128) return value;
    }
    return -1;
  }

  /** RFC 7541 section 5.2. `behind`: the offset in the buffer where a decoded string goes. */
  #string(range: Range, behind: number): boolean {
    if (this.#at >= this.#to) return false;
    const coded = this.#bytes[this.#at]! >= 128;
    const length = this.#integer(127);
    if (length === -1 || length > this.#to - this.#at) return false;
    const start = this.#at;
    this.#at += length;
    if (!coded) {
      range.bytes = this.#bytes;
      range.start = start;
      range.end = this.#at;
      return true;
    }
    const needed = behind + huffmanRoom(length);
    if (this.#plain.length < needed) {
      const grown = new Uint8Array(Math.max(needed, 512));
      grown.set(this.#plain.subarray(0, behind));
      if (this.#name.bytes === this.#plain) this.#name.bytes = grown;
      this.#plain = grown;
    }
    range.bytes = this.#plain;
    range.start = behind;
    range.end = decodeHuffman(this.#bytes, { from: start, to: this.#at }, this.#plain, behind);
    return range.end !== -1;
  }
}

const nothing = new Uint8Array(0);
