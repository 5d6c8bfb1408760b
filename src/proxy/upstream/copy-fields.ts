/**
 * The fields of a received head, and rules for them -> the fields to send on. Order, case and repetition are kept.
 */
import { encode, equalsIgnoreCase, latin1 } from "../../wire/bytes.ts";
import { type FieldId, fieldIdCount } from "../../wire/field.ts";
import type { Framing } from "../../wire/framing.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  NAME_END,
  NAME_START,
  VALUE_END,
  VALUE_START,
} from "../../wire/head.ts";
import type { HeadWriter } from "../frames/head-writer.ts";

export const crlf = encode("\r\n");
const colon = encode(": ");

/** The fate of a field: removed, kept unchanged, or its line rewritten. */
export type Fate = 0 | 1 | 2;
export const drop = 0;
export const keep = 1;
export const rewrite = 2;
/** In a table of fates: the message decides. */
export const ask = 3;

/** Fates by field id: one lookup here settles most lines of a head. */
export function fates(exceptions: {
  drop: readonly FieldId[];
  ask: readonly FieldId[];
}): Uint8Array {
  const table = new Uint8Array(fieldIdCount).fill(keep);
  for (const id of exceptions.drop) table[id] = drop;
  for (const id of exceptions.ask) table[id] = ask;
  return table;
}

/** The same fates, but the message decides about some more fields. */
export function withAsk(table: Uint8Array, ids: readonly FieldId[]): Uint8Array {
  const other = table.slice();
  for (const id of ids) other[id] = ask;
  return other;
}

/** Connection cannot nominate these fields away, because the message could not be read without them. */
const indispensable = ["host", "content-length", "transfer-encoding"];

/**
 * Rules for the fields of one kind of head. These are functions of a turn and not closures, because they run for every
 * message.
 */
export type FieldRules<Turn> = {
  fates: Uint8Array;
  /** Called for fields with the fate `ask`. `at` is the field's position in `head.fields`. */
  decide(head: FieldLines, bytes: Uint8Array, at: number, turn: Turn): Fate;
  /** Writes the replacement of a line. */
  rewrite(head: FieldLines, bytes: Uint8Array, at: number, turn: Turn): void;
};

/** Copies the lines to keep, adjacent ones in one run, and writes the rewritten ones in their places. */
export function copyFields<Turn extends { framing: Framing | undefined; out: HeadWriter }>(
  head: FieldLines,
  bytes: Uint8Array,
  rules: FieldRules<Turn>,
  turn: Turn,
): void {
  const { out, framing } = turn;
  const nominated = framing?.nominated;
  const fields = head.fields;
  const end = head.fieldCount * FIELD_STRIDE;
  // Start of the run that has not been copied yet; -1: none.
  let run = -1;
  for (let at = 0; at < end; at += FIELD_STRIDE) {
    const lineStart = fields[at + NAME_START]!;
    let fate = rules.fates[fields[at + FIELD_ID]!]!;
    if (fate === ask) fate = rules.decide(head, bytes, at, turn);
    if (fate !== drop && nominated !== undefined && isNominated(head, bytes, at, nominated)) {
      fate = drop;
    }
    if (fate === keep && !head.respell) {
      if (run === -1) run = lineStart;
      continue;
    }
    if (run !== -1) {
      out.copy(bytes, run, lineStart);
      run = -1;
    }
    if (fate === rewrite) rules.rewrite(head, bytes, at, turn);
    else if (fate === keep) {
      out.copy(bytes, lineStart, fields[at + NAME_END]!);
      out.append(colon);
      out.copy(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
      out.append(crlf);
    }
  }
  if (run !== -1) out.copy(bytes, run, head.fieldsEnd);
}

function isNominated(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  nominated: readonly string[],
): boolean {
  const start = head.fields[at + NAME_START]!;
  const end = head.fields[at + NAME_END]!;
  for (const name of nominated) {
    if (equalsIgnoreCase(bytes, start, end, name)) return !indispensable.includes(name);
  }
  return false;
}

/** Whether a Content-Length begins with zeros, which a reader might take for an octal number. */
export function isPadded(head: FieldLines, bytes: Uint8Array, at: number): boolean {
  const start = head.fields[at + VALUE_START]!;
  return bytes[start] === 48 && head.fields[at + VALUE_END]! - start > 1;
}

/** Writes a Content-Length without leading zeros. */
export function writeLength(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  out: HeadWriter,
): void {
  const value = latin1(bytes, head.fields[at + VALUE_START]!, head.fields[at + VALUE_END]!);
  writeLine(head, bytes, at, { value: value.replace(/^0+(?=\d)/, ""), out });
}

/** Writes the line with another value. */
export function writeLine(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  { value, out }: { value: string; out: HeadWriter },
): void {
  out.copy(bytes, head.fields[at + NAME_START]!, head.fields[at + NAME_END]!);
  out.append(colon);
  out.latin1(value);
  out.append(crlf);
}
