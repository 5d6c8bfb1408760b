/**
 * A head and its target -> the authority that the request asks for, and whether the request has been here before. Pure.
 */
import type { RouteTable } from "../../routes/table.ts";
import { Field } from "../../wire/field.ts";
import { listHolds, type RequestFraming } from "../../wire/framing.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Target } from "../../wire/target.ts";
import type { Mode } from "./destination.ts";

/** `start` and `end`: offsets of the authority in the head's bytes. */
export type AskedFor = { mode: Mode; table: RouteTable; start: number; end: number };

/** The length of `http://`, the only scheme that a target may have. */
const schemeLength = 7;

/**
 * The target's authority if it has one, otherwise Host; undefined if there is neither. RFC 9112 section 3.2.2. `mode`:
 * used for a request whose target is a path.
 */
export function askedFor(
  head: RequestHead,
  target: Target,
  { mode, framing, table }: { mode: Mode; framing: RequestFraming; table: RouteTable },
): AskedFor | undefined {
  if (target.form === "absolute") {
    return {
      mode: "forward",
      table,
      start: head.targetStart + schemeLength,
      end: target.pathStart,
    };
  }
  if (target.form === "authority") {
    return { mode: "connect", table, start: head.targetStart, end: head.targetEnd };
  }
  const { hostStart, hostEnd } = framing;
  return hostStart === -1 ? undefined : { mode, table, start: hostStart, end: hostEnd };
}

/** Whether a Via names us: such a request would loop forever. RFC 9110 section 7.6.3. */
export function hasBeenHere(head: RequestHead, bytes: Uint8Array, via: string): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.idOf(index) !== Field.via) continue;
    if (listHolds(head.valueOf(bytes, index), via)) return true;
  }
  return false;
}
