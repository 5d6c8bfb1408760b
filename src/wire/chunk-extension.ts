/** Octets behind a chunk size -> whether they are extensions of the chunk. RFC 9112 section 7.1.1. */
import { CR, HTAB, isFieldText, isToken, LF, SP } from "./bytes.ts";

/** Places within chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ). */
export const Place = {
  /** Right behind the size. */
  size: 0,
  blank: 1,
  name: 2,
  nameMore: 3,
  value: 4,
  token: 5,
  quoted: 6,
  escape: 7,
  /** Behind a quoted string. */
  end: 8,
  /** Behind the CR of the line's end. */
  lineLf: 9,
} as const;

export type Place = (typeof Place)[keyof typeof Place];

export function isBlank(octet: number): boolean {
  return octet === SP || octet === HTAB;
}

/** @returns undefined if no extension has this octet there. */
export function placeAfter(place: Place, octet: number): Place | undefined {
  switch (place) {
    case Place.blank:
      if (isBlank(octet)) return Place.blank;
      return octet === 59 ? Place.name : undefined;
    case Place.name:
      if (isBlank(octet)) return Place.name;
      return isToken[octet] === 1 ? Place.nameMore : undefined;
    case Place.nameMore:
      if (isToken[octet] === 1) return Place.nameMore;
      if (octet === 61) return Place.value;
      return afterPart(octet);
    case Place.value:
      if (isBlank(octet)) return Place.value;
      if (octet === 34) return Place.quoted;
      return isToken[octet] === 1 ? Place.token : undefined;
    case Place.token:
      if (isToken[octet] === 1) return Place.token;
      return afterPart(octet);
    case Place.quoted:
      if (octet === 34) return Place.end;
      if (octet === 92) return Place.escape;
      return isFieldText[octet] === 1 ? Place.quoted : undefined;
    case Place.escape:
      return isFieldText[octet] === 1 ? Place.quoted : undefined;
    default:
      return afterPart(octet);
  }
}

function afterPart(octet: number): Place | undefined {
  if (octet === CR) return Place.lineLf;
  if (octet === 59) return Place.name;
  // White space before `=` is legal but unknown in practice, so after white space only the next `;` is accepted.
  if (isBlank(octet)) return Place.blank;
  return undefined;
}

/** `odd`: no extension as RFC 9112 section 7.1.1 has it, in a line that is otherwise unmistakable. */
export type LineRestKind = "sound" | "odd" | "bad";

/** Bytes behind a chunk size, up to the LF of its line, if that is there. */
export function lineRestKind(line: Uint8Array): LineRestKind {
  let place: Place = Place.size;
  let sound = true;
  let onlyBlanks = true;
  for (let i = 0; i < line.length; i++) {
    const octet = line[i]!;
    if (octet === LF) {
      sound &&= place === Place.lineLf;
      break;
    }
    if (octet === CR && i + 1 < line.length && line[i + 1] !== LF) return "bad";
    if (onlyBlanks && octet !== CR && !isBlank(octet)) {
      if (octet !== 59) return "bad";
      onlyBlanks = false;
    }
    const next = placeAfter(place, octet);
    if (next === undefined) sound = false;
    else place = next;
  }
  return sound ? "sound" : "odd";
}
