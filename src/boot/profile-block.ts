/** A shell's profile -> the same with our block, which starts the daemon at each login, or without. Pure. */
import { shellWord } from "../text/shell-words.ts";

const begin = "# BEGIN localhostess service";
const end = "# END localhostess service";

export type Shell = "posix" | "fish";

/** Nothing happens where the program is gone, and no login waits for it. */
export function profileBlock(program: string, shell: Shell): string {
  const its = shellWord(program);
  const command = `${its} server start --detach`;
  const line =
    shell === "fish"
      ? `test -x ${its}; and ${command} >/dev/null 2>&1 &; disown 2>/dev/null`
      : `if [ -x ${its} ]; then (${command} </dev/null >/dev/null 2>&1 &) fi`;
  return `${begin}\n${line}\n${end}\n`;
}

export type Profile =
  | { kind: "none" }
  | { kind: "block"; block: string; before: string; after: string }
  /** Its markers are not a pair: nobody can say what is ours. */
  | { kind: "torn" };

export function profileOf(text: string): Profile {
  const lines = text.split(/(?<=\n)/);
  const marks = lines.flatMap((line, at) =>
    /^# (?:BEGIN|END) localhostess service$/.test(line.trimEnd()) ? [at] : [],
  );
  if (marks.length === 0) return { kind: "none" };
  const [from, to] = marks as [number, number];
  const isPair = marks.length === 2 && lines[from]!.startsWith(begin) && lines[to]!.startsWith(end);
  if (!isPair) return { kind: "torn" };
  return {
    kind: "block",
    before: lines.slice(0, from).join(""),
    block: lines.slice(from, to + 1).join(""),
    after: lines.slice(to + 1).join(""),
  };
}

/** Undefined where the block is torn. An empty `block` takes it away. */
export function withBlock(text: string, block: string): string | undefined {
  const its = profileOf(text);
  if (its.kind === "torn") return undefined;
  if (its.kind === "block") return its.before + block + its.after;
  if (block === "") return text;
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${block}`;
}
