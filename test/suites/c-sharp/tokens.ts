/** C# source -> its tokens; comments are left out. Interpolated text keeps its expressions as source. */

export type Token =
  /** A name, a number as written, or a sign. `at`: where, for errors. */
  | { kind: "name" | "number" | "sign"; text: string; at: number }
  /** Text, or a character, as the octets that it stands for. */
  | { kind: "text"; text: string; at: number }
  /** Pieces of text, and sources of expressions between them. */
  | { kind: "interpolated"; text: ""; pieces: (string | { source: string })[]; at: number }
  | { kind: "end"; text: ""; at: number };

const signs =
  "??= ... => == != <= >= && || ?? ?. ++ -- += -= .. { } ( ) [ ] ; , . < > = + - * / % ! ? : ^ & |";
const ordered = signs.split(" ").sort((a, b) => b.length - a.length);

const escapes: Record<string, string> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** @throws where there is what this small reader does not know. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  const blank = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
  const name = /[A-Za-z_@]\w*/y;
  const number = /0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?/y;
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const skipped = match(blank);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    const from = at;
    if (source.startsWith('$"', at)) {
      const { pieces, end } = interpolated(source, at + 2);
      tokens.push({ kind: "interpolated", text: "", pieces, at: from });
      at = end;
      continue;
    }
    const quote = source[at];
    if (quote === '"' || quote === "'") {
      const { text, end } = quoted(source, { at: at + 1, quote });
      tokens.push({ kind: "text", text, at: from });
      at = source.startsWith("u8", end) ? end + 2 : end;
      continue;
    }
    const word = match(name);
    const digits = word === undefined ? match(number) : undefined;
    const sign =
      word === undefined && digits === undefined
        ? ordered.find((candidate) => source.startsWith(candidate, at))
        : undefined;
    const text = word ?? digits ?? sign;
    if (text === undefined) throw new Error(`unknown C# at ${lineOf(source, at)}`);
    const kind = word !== undefined ? "name" : digits !== undefined ? "number" : "sign";
    tokens.push({ kind, text: kind === "number" ? text.replaceAll("_", "") : text, at: from });
    at += text.length;
  }
  tokens.push({ kind: "end", text: "", at });
  return tokens;
}

export function lineOf(source: string, at: number): string {
  const line = source.slice(0, at).split("\n").length;
  return `line ${line}: ${source.slice(at, at + 40).split("\n")[0]}`;
}

function quoted(
  source: string,
  { at, quote }: { at: number; quote: string },
): { text: string; end: number } {
  let text = "";
  let here = at;
  while (source[here] !== quote) {
    const { piece, end } = character(source, here);
    text += piece;
    here = end;
  }
  return { text, end: here + 1 };
}

/** One character, or an escape for one. */
function character(source: string, at: number): { piece: string; end: number } {
  if (source[at] !== "\\") return { piece: source[at]!, end: at + 1 };
  const letter = source[at + 1]!;
  if (letter === "x" || letter === "u") {
    const digits = /[\da-fA-F]{1,4}/y;
    digits.lastIndex = at + 2;
    const code = digits.exec(source)![0];
    return { piece: String.fromCharCode(Number.parseInt(code, 16)), end: at + 2 + code.length };
  }
  return { piece: escapes[letter] ?? letter, end: at + 2 };
}

function interpolated(
  source: string,
  at: number,
): { pieces: (string | { source: string })[]; end: number } {
  const pieces: (string | { source: string })[] = [];
  let text = "";
  let here = at;
  while (source[here] !== '"') {
    if (source.startsWith("{{", here) || source.startsWith("}}", here)) {
      text += source[here];
      here += 2;
    } else if (source[here] === "{") {
      const end = expressionEnd(source, here + 1);
      pieces.push(text, { source: source.slice(here + 1, end) });
      text = "";
      here = end + 1;
    } else {
      const { piece, end } = character(source, here);
      text += piece;
      here = end;
    }
  }
  return { pieces: [...pieces, text], end: here + 1 };
}

/** The brace that ends an expression in text; strings in it have no braces that count. */
function expressionEnd(source: string, at: number): number {
  let depth = 0;
  for (let here = at; here < source.length; here++) {
    const sign = source[here]!;
    if (sign === '"') here = quoted(source, { at: here + 1, quote: '"' }).end - 1;
    else if (sign === "{" || sign === "(") depth++;
    else if (sign === ")" || (sign === "}" && depth > 0)) depth--;
    else if (sign === "}") return here;
  }
  throw new Error("an expression in text has no end");
}
