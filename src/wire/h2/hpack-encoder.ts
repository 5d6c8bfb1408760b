/** Fields -> HPACK's bytes. RFC 7541. */
import { encode, lowered } from "../bytes.ts";
import type { Output } from "./output.ts";
import { entryOverhead, firstTableSize, staticTable } from "./static-table.ts";

/** A field in the dynamic table of the other side. */
type Entry = {
  hash: number;
  /** The name in lower case, then the value. */
  bytes: Uint8Array;
  nameLength: number;
  /** The number of entries added before this one. */
  order: number;
};

/** The constants of FNV-1a, 32 bits. */
const hashStart = 0x811c9dc5 | 0;
const hashFactor = 0x01000193;

function hashOf(text: Uint8Array): number {
  let hash = hashStart;
  for (const octet of text) hash = Math.imul(hash ^ octet, hashFactor);
  return hash;
}

type StaticName = { name: Uint8Array; index: number; indexable: boolean };

/** Fields whose values rarely repeat: in the table, they would only evict others. nghttp2 has the same list. */
const passing = new Set(["age", "content-length", "etag", "location", "set-cookie"]);

const staticNames = new Map<number, StaticName>();
staticTable.forEach(([text], index) => {
  const name = encode(text);
  const hash = hashOf(name);
  if (staticNames.has(hash)) return;
  staticNames.set(hash, { name, index: index + 1, indexable: !passing.has(text) });
});

/** Status -> the index of the whole field in the static table. */
const staticStatuses = new Map<number, number>();
staticTable.forEach(([name, value], index) => {
  if (name === ":status") staticStatuses.set(Number(value), index + 1);
});
const statusName = 8;

/** Octets of the other side's table that we use, even if it offers more: what browsers offer by default. */
const tableLimit = firstTableSize;

/**
 * Writes the header sections of one connection, in their order. Strings are not Huffman-coded: client and server are on
 * one machine, where encoding costs more than the octets that it saves.
 */
export class HpackEncoder {
  #byHash = new Map<number, Entry>();
  /** In order, oldest first. */
  #entries: Entry[] = [];
  #added = 0;
  #size = 0;
  #limit = tableLimit;
  /** The smallest limit since the last section; undefined: the limit has not changed. */
  #smallest: number | undefined;

  /** The other side's SETTINGS_HEADER_TABLE_SIZE. */
  resize(offered: number): void {
    const limit = Math.min(offered, tableLimit);
    if (limit === this.#limit) return;
    this.#smallest = Math.min(limit, this.#smallest ?? this.#limit);
    this.#limit = limit;
    this.#evict(limit);
  }

  /** Call before the first field of a section. */
  begin(out: Output): void {
    if (this.#smallest === undefined) return;
    // RFC 7541 section 4.2: first the smallest limit in between, then the final one.
    if (this.#smallest < this.#limit) writeInteger(out, 0x20, 31, this.#smallest);
    writeInteger(out, 0x20, 31, this.#limit);
    this.#smallest = undefined;
  }

  status(out: Output, status: number): void {
    const index = staticStatuses.get(status);
    if (index !== undefined) {
      out.byte(0x80 | index);
      return;
    }
    out.byte(statusName);
    out.byte(3);
    out.byte(48 + Math.floor(status / 100));
    out.byte(48 + (Math.floor(status / 10) % 10));
    out.byte(48 + (status % 10));
  }

  /** `places`: where the name, in any case, and the value are in `bytes`. */
  field(out: Output, bytes: Uint8Array, places: Places): void {
    const { nameStart, nameEnd, valueStart, valueEnd } = places;
    let hash = hashStart;
    for (let i = nameStart; i < nameEnd; i++) {
      hash = Math.imul(hash ^ lowered(bytes[i]!), hashFactor);
    }
    const named = staticNames.get(hash);
    const known = named !== undefined && isName(named.name, bytes, places) ? named : undefined;
    if (known !== undefined && !known.indexable) {
      writeInteger(out, 0, 15, known.index);
      writeString(out, bytes, valueStart, valueEnd);
      return;
    }
    for (let i = valueStart; i < valueEnd; i++) hash = Math.imul(hash ^ bytes[i]!, hashFactor);
    const entry = this.#byHash.get(hash);
    if (entry !== undefined && isEntry(entry, bytes, places)) {
      writeInteger(out, 0x80, 127, staticTable.length + this.#added - entry.order);
      return;
    }
    const size = nameEnd - nameStart + valueEnd - valueStart + entryOverhead;
    // A field that would evict most of the others is not worth its place.
    const indexed = size <= this.#limit / 2;
    writeInteger(out, indexed ? 0x40 : 0, indexed ? 63 : 15, known?.index ?? 0);
    if (known === undefined) writeName(out, bytes, nameStart, nameEnd);
    writeString(out, bytes, valueStart, valueEnd);
    if (indexed) this.#add(hash, size, bytes, places);
  }

  #add(hash: number, size: number, source: Uint8Array, places: Places): void {
    this.#evict(this.#limit - size);
    const { nameStart, nameEnd, valueStart, valueEnd } = places;
    const nameLength = nameEnd - nameStart;
    const bytes = new Uint8Array(size - entryOverhead);
    for (let i = 0; i < nameLength; i++) bytes[i] = lowered(source[nameStart + i]!);
    bytes.set(source.subarray(valueStart, valueEnd), nameLength);
    const entry = { hash, bytes, nameLength, order: this.#added++ };
    this.#entries.push(entry);
    this.#byHash.set(hash, entry);
    this.#size += size;
  }

  #evict(limit: number): void {
    while (this.#size > limit) {
      const entry = this.#entries.shift()!;
      this.#size -= entry.bytes.length + entryOverhead;
      if (this.#byHash.get(entry.hash) === entry) this.#byHash.delete(entry.hash);
    }
  }
}

export type Places = { nameStart: number; nameEnd: number; valueStart: number; valueEnd: number };

function isName(name: Uint8Array, bytes: Uint8Array, { nameStart, nameEnd }: Places): boolean {
  if (name.length !== nameEnd - nameStart) return false;
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== lowered(bytes[nameStart + i]!)) return false;
  }
  return true;
}

function isEntry(entry: Entry, bytes: Uint8Array, places: Places): boolean {
  const { nameStart, nameEnd, valueStart, valueEnd } = places;
  const known = entry.bytes;
  const nameLength = entry.nameLength;
  if (nameLength !== nameEnd - nameStart) return false;
  if (known.length - nameLength !== valueEnd - valueStart) return false;
  for (let i = 0; i < nameLength; i++) {
    if (known[i] !== lowered(bytes[nameStart + i]!)) return false;
  }
  for (let i = nameLength, at = valueStart; i < known.length; i++, at++) {
    if (known[i] !== bytes[at]) return false;
  }
  return true;
}

/** RFC 7541 section 5.1. `mask`: the bits of the prefix. */
function writeInteger(out: Output, pattern: number, mask: number, value: number): void {
  if (value < mask) {
    out.byte(pattern | value);
    return;
  }
  out.byte(pattern | mask);
  let left = value - mask;
  for (; left >= 128; left = Math.floor(left / 128)) out.byte(128 | (left & 127));
  out.byte(left);
}

function writeString(out: Output, bytes: Uint8Array, start: number, end: number): void {
  writeInteger(out, 0, 127, end - start);
  out.copy(bytes, start, end);
}

function writeName(out: Output, bytes: Uint8Array, start: number, end: number): void {
  writeInteger(out, 0, 127, end - start);
  for (let i = start; i < end; i++) out.byte(lowered(bytes[i]!));
}
