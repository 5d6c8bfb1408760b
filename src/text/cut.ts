/** A text of any length -> its beginning, and a mark where more of it is left out. Pure. */

/** `longest`: characters, the mark included. Text of other programs goes through `printable` instead. */
export function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
