/** The three outcomes of reading bytes that we did not write. */

/** Everything was there: the value, and the offset of the first byte behind it. */
export type Done<T> = { kind: "done"; value: T; end: number };
/** Right so far: call again with the same bytes and more behind them. */
export type More = { kind: "more" };
/** Wrong, whatever may follow: the status that says so to its sender, and a sentence for a person. */
export type Bad = { kind: "bad"; status: number; why: string };

export type Parsed<T> = Done<T> | More | Bad;

export const more: More = { kind: "more" };

export function bad(status: number, why: string): Bad {
  return { kind: "bad", status, why };
}
