/** Text that other programs chose -> one line that is safe to print. Pure. */
import { unprintable } from "./unprintable.ts";

const unsafe = new RegExp(unprintable, "gu");

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\u{${code.toString(16)}}`;
}

/**
 * Shows `\x1b`, `\u202e` where the text holds ESC or a right-to-left override, and ends in `…`
 * where it was longer than `limit` characters. It does not escape HTML: a page does that itself.
 */
export function printable(text: string, limit = 1000): string {
  // Cut first: a megabyte of command line must not be walked to show a thousand characters of it.
  const head = [...text.slice(0, limit * 2 + 2)];
  const cut = head.length > limit;
  const shown = cut ? head.slice(0, limit - 1).join("") : head.join("");
  return shown.replace(unsafe, escaped) + (cut ? "…" : "");
}

/** PATH_MAX of Linux, in characters. */
const longestPath = 4096;

/** A path in full. */
export function printablePath(path: string): string {
  return printable(path, longestPath);
}
