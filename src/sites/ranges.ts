/** A Range field and the size of what it is of -> the parts that are sent. RFC 9110 section 14. Pure. */

/** Bytes from one offset up to, and without, another. */
export type Part = { from: number; to: number };

export type Ranges =
  /** No range, or one that need not be heeded. */
  { kind: "whole" } | { kind: "parts"; parts: readonly Part[] } | { kind: "unsatisfiable" };

/** Ranges of one request. Apache's MaxRanges is 200; readers of PDF files ask for a few dozen. */
const mostRanges = 64;

const whole: Ranges = { kind: "whole" };

export function rangesIn(field: string | undefined, size: number): Ranges {
  const list = /^bytes=(.*)$/i.exec(field?.trim() ?? "")?.[1]?.split(",");
  if (list === undefined || list.length > mostRanges) return whole;
  const parts: Part[] = [];
  for (const text of list) {
    const found = /^[ \t]*(\d*)-(\d*)[ \t]*$/.exec(text);
    if (found === null) return whole;
    const [, first, last] = found as unknown as [string, string, string];
    if (first === "" && last === "") return whole;
    if (first !== "" && last !== "" && Number(first) > Number(last)) return whole;
    const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
    const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
    if (from < to) parts.push({ from, to });
  }
  if (parts.length === 0) return { kind: "unsatisfiable" };
  // Section 14.2: ranges that overlap, so that they are more than the whole, only make work.
  const sent = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  return parts.length > 1 && sent > size ? whole : { kind: "parts", parts };
}
