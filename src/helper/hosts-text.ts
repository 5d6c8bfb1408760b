/**
 * The text of a hosts file, a user and names -> the text with this user's block, or why it is torn. Pure. The same
 * rules as in `c/hosts-text.c`, for where no helper is.
 */

/** Latin-1 stands for bytes, so that every byte of others is kept. */
export type Edited =
  | {
      kind: "text";
      text: string;
      /** Names that a line outside of all blocks has already: an administrator's word stands. */
      leftOut: readonly string[];
    }
  /** Somebody has changed the marks of a block, so nothing is to be written. `line` is from 1; `why` is a clause. */
  | { kind: "torn"; line: number; why: string };

/** Bytes; a longer file is left alone. */
export const longestHosts = 16 * 1024 * 1024;

/** Where the user's block is: offsets of its first character, and behind its last one. */
type Block = { start: number; end: number; hasLineEnd: boolean };

type Survey = { block: Block | undefined; taken: ReadonlySet<string> };

/** `names`: ascending, each once. None: without the block. */
export function editedHosts(
  text: string,
  { uid, names }: { uid: number; names: readonly string[] },
): Edited {
  const found = survey(text, uid);
  if ("kind" in found) return found;
  const { block, taken } = found;
  const leftOut = names.filter((name) => taken.has(name));
  const wanted = names.filter((name) => !taken.has(name));
  // A text that had no line end at its end has none with a block behind it either: so it comes back as it was.
  const hasLineEnd = block?.hasLineEnd ?? (text === "" || text.endsWith("\n"));
  const rest = text.slice(block?.end ?? text.length);
  let head = text.slice(0, block?.start ?? text.length);
  if (wanted.length > 0) {
    const between = block === undefined && !hasLineEnd ? "\n" : "";
    head += `${between}${blockOf(uid, wanted)}${hasLineEnd ? "\n" : ""}`;
  } else if (block?.hasLineEnd === false) head = head.slice(0, -1);
  return { kind: "text", text: head + rest, leftOut };
}

/** The user's block, without the end of its last line. */
function blockOf(uid: number, names: readonly string[]): string {
  const lines = names.flatMap((name) => [`127.0.0.1 ${name}`, `::1 ${name}`]);
  return [`# BEGIN localhostess ${uid}`, ...lines, `# END localhostess ${uid}`].join("\n");
}

type Mark = { kind: "begin" | "end"; uid: string } | { kind: "bad" };

/** A word behind a blank is a user's number; `# BEGIN localhostess's own` is somebody's comment. */
function markOf(line: string): Mark | undefined {
  // An editor may have put a carriage return behind it.
  const its = /^# (BEGIN|END) localhostess(?:$| (.*)$)/s.exec(line.replace(/\r$/, ""));
  if (its === null) return undefined;
  const [, word, uid] = its;
  if (uid === undefined || !isUid(uid)) return { kind: "bad" };
  return { kind: word === "BEGIN" ? "begin" : "end", uid };
}

function isUid(text: string): boolean {
  // The last number means "no user" to the kernel.
  return /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) < 4_294_967_295;
}

function survey(text: string, own: number): Survey | Extract<Edited, { kind: "torn" }> {
  const torn = (line: number, why: string) => ({ kind: "torn", line, why }) as const;
  if (text.includes("\0")) return torn(1, "it has a NUL byte");
  const begun = new Set<string>();
  const taken = new Set<string>();
  let block: Block | undefined;
  let inside: { uid: string; line: number; start: number } | undefined;
  let number = 0;
  for (let at = 0; at < text.length;) {
    number += 1;
    const next = text.indexOf("\n", at);
    const stop = next === -1 ? text.length : next;
    const line = text.slice(at, stop);
    const mark = markOf(line);
    if (mark === undefined) {
      if (inside === undefined) for (const name of namesIn(line)) taken.add(name);
    } else if (mark.kind === "bad") {
      return torn(number, "this marker was changed: mend or delete it");
    } else if (mark.kind === "begin") {
      if (inside !== undefined) {
        return torn(
          number,
          "a block begins inside another: put the missing END in front, or delete this BEGIN",
        );
      }
      if (begun.has(mark.uid)) {
        return torn(number, "this user has a block already: delete one of them");
      }
      begun.add(mark.uid);
      inside = { uid: mark.uid, line: number, start: at };
    } else {
      if (inside?.uid !== mark.uid) {
        return torn(number, "a block ends that did not begin here: delete this END");
      }
      if (mark.uid === String(own)) {
        block = {
          start: inside.start,
          end: Math.min(stop + 1, text.length),
          hasLineEnd: next !== -1,
        };
      }
      inside = undefined;
    }
    at = stop + 1;
  }
  if (inside !== undefined) {
    return torn(
      inside.line,
      "this block does not end: put its END behind it, or delete this BEGIN",
    );
  }
  return { block, taken };
}

/** The names of a line, in lower case: an address, then names, up to a `#`. hosts(5). */
function namesIn(line: string): string[] {
  const [its = ""] = line.split("#", 1);
  const [, ...names] = its.split(/[ \t]+/).filter((word) => word !== "");
  return names.map((name) => name.replace(/[.\r]+$/, "").toLowerCase());
}
