/** Bytes that we did not write -> one of three outcomes: done, more or bad. */

/** Complete: the value, and the offset of the first byte after it. */
export type Done<T> = { kind: "done"; value: T; end: number };
/** Valid so far: call again with the same bytes and more after them. */
export type More = { kind: "more" };
/** Malformed, whatever follows: the status to answer with, and a sentence for a person. */
export type Bad = { kind: "bad"; status: number; why: string };

export type Parsed<T> = Done<T> | More | Bad;

export const more: More = { kind: "more" };

export function bad(status: number, why: string): Bad {
  return { kind: "bad", status, why };
}
