/** Words of strangers, and names -> how pages and lines about a problem show them. Pure. */
import { printable } from "../../text/printable.ts";

/** A host may be as long as a head; this is enough to recognise it. */
const longestWord = 80;
const longestSentence = 200;
/** A folder's path is shown in full in most cases. */
const longestFault = 700;
/** More names than anyone reads in one line. */
export const mostNames = 12;

export function word(text: string): string {
  return printable(text, longestWord);
}

export function sentence(text: string): string {
  return printable(text, longestSentence);
}

/** A sentence about a server that no name leads to. */
export function longSentence(text: string): string {
  return printable(text, longestFault);
}

/** The command that starts a server under this name, if the name is safe to paste into a shell. */
export function startCommand(name: string): string {
  const safe = /^[a-z0-9][a-z0-9._-]{0,252}$/.test(name);
  return `NAME=${safe ? name : "api"} bun dev`;
}

export function size(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}

/** `none`: the words where there are no names. */
export function listedNames(
  names: readonly string[],
  { none = "none is running" }: { none?: string } = {},
): string {
  if (names.length === 0) return none;
  const shown = names.slice(0, mostNames).map(word).join(", ");
  const left = names.length - mostNames;
  return `running: ${shown}${left > 0 ? ` and ${left} more` : ""}`;
}
