/** A value from a file or a command line -> how a message quotes it. Pure. */
import { cut } from "./cut.ts";

/** Characters; enough to recognize it. */
const longest = 80;

export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(cut(value, longest));
  // JSON has no word for an infinite number.
  if (typeof value === "number") return String(value);
  return cut(JSON.stringify(value) ?? String(value), longest);
}
