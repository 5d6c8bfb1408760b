/** A field with a media type -> whether what it describes lasts until somebody has enough of it. Pure. */
import { lowered } from "./bytes.ts";
import { FIELD_STRIDE, type FieldLines, VALUE_END, VALUE_START } from "./head.ts";

/**
 * Media types of answers without an end: server-sent events (HTML, section 9.2), which an EventSource names in its
 * Accept field too, and pictures of a camera. Whoever leaves one has had a whole answer.
 */
const lastingTypes = ["text/event-stream", "multipart/x-mixed-replace"].map((type) =>
  new TextEncoder().encode(type),
);

const shortest = Math.min(...lastingTypes.map((type) => type.length));

const SEMICOLON = 59;
const SPACE = 32;
const TAB = 9;

/** `id`: the field that has the media type, alone or in front of its parameters. No string is made. */
export function isLasting(head: FieldLines, bytes: Uint8Array, id: number): boolean {
  const index = head.find(id);
  if (index === -1) return false;
  const start = head.fields[index * FIELD_STRIDE + VALUE_START]!;
  const length = head.fields[index * FIELD_STRIDE + VALUE_END]! - start;
  // Most begin with another letter, or are shorter.
  if (length < shortest) return false;
  next: for (let k = 0; k < lastingTypes.length; k++) {
    const type = lastingTypes[k]!;
    if (length < type.length) continue;
    for (let at = 0; at < type.length; at++) {
      if (lowered(bytes[start + at]!) !== type[at]) continue next;
    }
    if (length === type.length) return true;
    const after = bytes[start + type.length];
    return after === SEMICOLON || after === SPACE || after === TAB;
  }
  return false;
}
