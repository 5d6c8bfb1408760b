/** Small documents <-> BSON, as far as we ask and are answered. Pure. bsonspec.org, version 1.1. */
import { encode } from "./bytes.ts";

export type BsonValue =
  | string
  /** An int32. */
  | number
  | boolean
  | readonly BsonValue[]
  | { readonly [key: string]: BsonValue };

const type = { double: 1, text: 2, document: 3, array: 4, boolean: 8, int32: 16 } as const;

/** The keys stand in the order of the object, which counts: the first of a command is its name. */
export function bsonOf(document: { readonly [key: string]: BsonValue }): Uint8Array {
  const parts = Object.entries(document).flatMap(([key, value]) => element(key, value));
  const body = parts.flatMap((its) => [...its]);
  return Uint8Array.from([...int32(body.length + 5), ...body, 0]);
}

function element(key: string, value: BsonValue): Uint8Array[] {
  const name = encode(`${key}\0`);
  const as = (kind: number, bytes: Uint8Array) => [Uint8Array.of(kind), name, bytes];
  if (typeof value === "string") {
    const text = encode(`${value}\0`);
    return [...as(type.text, int32(text.length)), text];
  }
  if (typeof value === "number") return as(type.int32, int32(value));
  if (typeof value === "boolean") return as(type.boolean, Uint8Array.of(value ? 1 : 0));
  // An array is a document with the keys "0", "1" and so on.
  const bytes = bsonOf(Object.fromEntries(Object.entries(value)));
  return as(Array.isArray(value) ? type.array : type.document, bytes);
}

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** Bytes of a value of these types; undefined: its own length stands in front, or at its end. */
const fixed: Readonly<Record<number, number>> = {
  ...{ [type.double]: 8, [type.boolean]: 1, [type.int32]: 4 },
  // undefined, ObjectId, UTC datetime, null, timestamp, int64, decimal128, MinKey, MaxKey
  ...{ 6: 0, 7: 12, 9: 8, 10: 0, 17: 8, 18: 8, 19: 16, 255: 0, 127: 0 },
};

export type BsonField = string | number | boolean;

/**
 * The texts, numbers and booleans of a document, not of those in it. Undefined: the bytes, which are all of it, are no
 * document.
 */
export function bsonFields(bytes: Uint8Array): Map<string, BsonField> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 5 || view.getInt32(0, true) !== bytes.length || bytes.at(-1) !== 0) {
    return undefined;
  }
  const found = new Map<string, BsonField>();
  const last = bytes.length - 1;
  let at = 4;
  while (at < last) {
    const kind = bytes[at]!;
    const nameEnd = bytes.indexOf(0, at + 1);
    const start = nameEnd + 1;
    const length = nameEnd === -1 ? undefined : lengthAt(kind, { view, start, last });
    if (length === undefined || start + length > last) return undefined;
    const key = decoder.decode(bytes.subarray(at + 1, nameEnd));
    if (kind === type.double) found.set(key, view.getFloat64(start, true));
    else if (kind === type.int32) found.set(key, view.getInt32(start, true));
    else if (kind === type.boolean) found.set(key, bytes[start] === 1);
    else if (kind === type.text) {
      found.set(key, decoder.decode(bytes.subarray(start + 4, start + length - 1)));
    }
    at = start + length;
  }
  return at === last ? found : undefined;
}

const decoder = new TextDecoder();

type LengthOptions = { view: DataView; start: number; last: number };

/** Undefined: there is no such type, or its length does not fit. */
function lengthAt(kind: number, { view, start, last }: LengthOptions): number | undefined {
  if (fixed[kind] !== undefined) return fixed[kind];
  if (start + 4 > last) return undefined;
  const written = view.getInt32(start, true);
  if (written < 0) return undefined;
  // A text's length has its NUL in it, a binary's not its subtype, a document's itself.
  if (kind === type.text) return written < 1 ? undefined : written + 4;
  if (kind === 5) return written + 5;
  return kind === type.document || kind === type.array ? Math.max(5, written) : undefined;
}
