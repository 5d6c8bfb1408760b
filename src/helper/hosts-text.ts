/** The text of a hosts file, and the names of one user -> the text with this user's block, or why it is torn. Pure. */

/** Latin-1 stands for bytes, so that every byte of others is kept. */
export type Blocked =
  | { kind: "text"; text: string }
  /** Somebody has changed the marks of the block: nothing is to be written. `why` is a clause. */
  | { kind: "torn"; why: string };

export type OwnBlock =
  | { kind: "block"; names: readonly string[] }
  | { kind: "none" }
  | Extract<Blocked, { kind: "torn" }>;

/** Bytes; a longer file is left alone. Block lists of sites reach some MiB. */
export const longestHosts = 4 * 1024 * 1024;

/** A line that is, or was, a mark of any user's. */
const anyMark = /^\s*#\s*(?:BEGIN|END) localhostess\b/;

function marksOf(uid: number): { begin: string; end: string } {
  return { begin: `# BEGIN localhostess ${uid}`, end: `# END localhostess ${uid}` };
}

/** No name: without the block. All other bytes stay; a last line without an end gets one before a new block. */
export function withBlock(
  text: string,
  { uid, names }: { uid: number; names: readonly string[] },
): Blocked {
  const found = find(text, uid);
  if (found.kind === "torn") return found;
  const block = names.length === 0 ? "" : blockOf(uid, names);
  if (found.kind === "block") {
    return { kind: "text", text: text.slice(0, found.start) + block + text.slice(found.end) };
  }
  const isOpen = block !== "" && text !== "" && !text.endsWith("\n");
  return { kind: "text", text: `${text}${isOpen ? "\n" : ""}${block}` };
}

/** The names in the user's block, as they stand there. */
export function ownBlock(text: string, uid: number): OwnBlock {
  const found = find(text, uid);
  if (found.kind !== "block") return found;
  const lines = text.slice(found.start, found.end).split("\n").slice(1, -2);
  const names = lines.flatMap((line) => /^127\.0\.0\.1 (\S+)$/.exec(line)?.[1] ?? []);
  // A line that was put there by hand, or taken away, is put right by the next writing.
  const isWhole = names.length > 0 && text.startsWith(blockOf(uid, names), found.start);
  return { kind: "block", names: isWhole ? names : [] };
}

function blockOf(uid: number, names: readonly string[]): string {
  const { begin, end } = marksOf(uid);
  const lines = names.flatMap((name) => [`127.0.0.1 ${name}`, `::1 ${name}`]);
  return `${[begin, ...lines, end].join("\n")}\n`;
}

type Place =
  /** Offsets of its first character, and behind its last one. */
  | { kind: "block"; start: number; end: number }
  | { kind: "none" }
  | Extract<Blocked, { kind: "torn" }>;

function find(text: string, uid: number): Place {
  const { begin, end } = marksOf(uid);
  const torn = (why: string): Place => ({ kind: "torn", why });
  let start: number | undefined;
  let last: number | undefined;
  for (let at = 0; at < text.length;) {
    const next = text.indexOf("\n", at);
    const stop = next === -1 ? text.length : next;
    const line = text.slice(at, stop);
    if (line === begin) {
      if (start !== undefined) return torn(`it has the line "${begin}" twice`);
      start = at;
    } else if (line === end) {
      if (start === undefined) return torn(`it has the line "${end}" without the one that begins`);
      if (last !== undefined) return torn(`it has the line "${end}" twice`);
      // An editor may have taken away the end of the last line.
      last = Math.min(stop + 1, text.length);
    } else if (anyMark.test(line)) {
      if (start !== undefined && last === undefined) {
        return torn(`the block "${begin}" has another block's mark in it`);
      }
      const its = line.trim();
      if (its === begin || its === end) return torn(`the line "${its}" was changed`);
    }
    at = stop + 1;
  }
  if (start === undefined) return { kind: "none" };
  if (last === undefined) return torn(`it has the line "${begin}" without the one that ends`);
  return { kind: "block", start, end: last };
}
