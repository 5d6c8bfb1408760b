/** The text of `.env` -> variables, each with its line, as texts in which references may stand. Pure. */
import { type Part, templateText } from "./reference.ts";

export type Variable = {
  name: string;
  /** May hold references: a `${NAME}` that the file does not define becomes `${env.NAME:-}`. */
  value: string;
  line: number;
};

export type DotenvMistake = { line: number; what: string };

export type Dotenv = { variables: readonly Variable[]; mistakes: readonly DotenvMistake[] };

const nothing = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const assignment = /[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*=[^\S\n]*/y;
/** A quoted value may span several lines. */
const single = /'([^']*)'/y;
const double = /"((?:[^"\\]|\\[\s\S])*)"/y;
const bare = /[^\n]*/y;
const line = /[^\n]*(?:\n|$)/y;

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Lines of `NAME=value`, with or without `export`; `#` begins a comment at the start of a line and after a blank.
 * Single quotes take the text literally, double quotes read `\n` and `${NAME}`, a bare value `${NAME}` only. A later
 * line wins.
 */
export function readDotenv(text: string): Dotenv {
  const body = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const found = new Map<string, Variable>();
  const parsed = new Map<string, readonly Part[]>();
  const mistakes: DotenvMistake[] = [];
  let at = 0;
  let number = 1;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(body);
    if (match === null) return undefined;
    at += match[0].length;
    number += match[0].split("\n").length - 1;
    return match;
  };
  while (at < body.length) {
    if (take(nothing) !== undefined) continue;
    const start = number;
    const name = take(assignment)?.[1];
    if (name === undefined) {
      // The line itself is not quoted, because it may be part of a secret.
      mistakes.push({ line: start, what: "expected NAME=value" });
      take(line);
      continue;
    }
    const quote = body[at];
    const known = (other: string): readonly Part[] | undefined => parsed.get(other);
    let value: readonly Part[] | undefined;
    if (quote === "'") value = literalOf(take(single)?.[1]);
    else if (quote === '"') value = doubleOf(take(double)?.[1], known);
    else value = expanded(bareOf(take(bare)![0]), known);
    if (value === undefined) {
      mistakes.push({ line: start, what: `${name}: the closing ${quote} is missing` });
      take(line);
      continue;
    }
    if (value.some((part) => typeof part === "string" && part.includes("\0"))) {
      mistakes.push({
        line: start,
        what: `${name}: a NUL character is not allowed`,
      });
    }
    found.delete(name);
    found.set(name, { name, value: templateText(value), line: start });
    parsed.set(name, value);
    if ((quote === "'" || quote === '"') && take(nothing) === undefined) {
      mistakes.push({ line: number, what: `${name}: unexpected text after the closing ${quote}` });
      take(line);
    }
  }
  return { variables: [...found.values()], mistakes };
}

function literalOf(text: string | undefined): Part[] | undefined {
  return text === undefined ? undefined : [text];
}

function bareOf(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, "").trim();
}

type Known = (name: string) => readonly Part[] | undefined;

function doubleOf(text: string | undefined, known: Known): Part[] | undefined {
  if (text === undefined) return undefined;
  // An escaped $ begins nothing.
  return [...text.matchAll(/\\([\s\S])|[^\\]+/g)].flatMap(([piece, escaped]) =>
    escaped === undefined ? expanded(piece, known) : [unescaped(escaped)],
  );
}

function unescaped(letter: string): string {
  if (letter === '"' || letter === "\\" || letter === "$") return letter;
  return escapes[letter] ?? `\\${letter}`;
}

/** `${NAME}` is the value of an earlier line, else the shell's, else empty. */
function expanded(text: string, known: Known): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)) {
    const name = match[1]!;
    parts.push(text.slice(end, match.index));
    parts.push(...(known(name) ?? [{ kind: "env", name, fallback: "" } as const]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}
