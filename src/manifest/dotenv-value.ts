/** A value of `.env`, without its quotes -> texts and variables. Pure. */
import type { Operator } from "./reference.ts";

export type DotenvPiece =
  string | { name: string; operator: Operator | undefined; word: DotenvValue };

export type DotenvValue = readonly DotenvPiece[];

export type DotenvValueRead = {
  value: DotenvValue;
  /** A `${` begins no variable, and stands for itself. */
  misread: boolean;
};

/** Variables within variables: more than a person writes, and far less than what exhausts the stack. */
const deepest = 20;

const escapes: Readonly<Record<string, string>> = {
  ...{ n: "\n", r: "\r", t: "\t", a: "\x07", b: "\b", f: "\f", v: "\v" },
  ...{ '"': '"', "\\": "\\", $: "$" },
};

const plain = /[^\\$}]+/y;
const named = /\$([A-Za-z_]\w*)/y;
const braced = /\$\{([A-Za-z_]\w*)(\}|:?[-?+])/y;
const octal = /\\(0[0-7]{1,3})/y;

/** `quote`: `'` is literal but for `\'`; `"` has escapes; without a quote and in backticks only `\$` is one. */
export function readDotenvValue(text: string, { quote }: { quote: string }): DotenvValueRead {
  if (quote === "'") return { value: [text.replaceAll("\\'", "'")], misread: false };
  const reader = new ValueReader(text, { escapes: quote === '"' });
  return { value: reader.pieces(), misread: reader.misread };
}

class ValueReader {
  misread = false;
  readonly #text: string;
  readonly #escapes: boolean;
  /** Behind it no `${` is closed. */
  readonly #lastBrace: number;
  #at = 0;

  constructor(text: string, { escapes: has }: { escapes: boolean }) {
    this.#text = text;
    this.#escapes = has;
    this.#lastBrace = text.lastIndexOf("}");
  }

  pieces(): DotenvPiece[] {
    return this.#until("end", 0)!;
  }

  /** Up to the end, or to the brace that closes a word; undefined where that is missing. */
  #until(end: "end" | "brace", depth: number): DotenvPiece[] | undefined {
    const pieces: DotenvPiece[] = [];
    while (this.#at < this.#text.length) {
      const letter = this.#text[this.#at]!;
      if (letter === "}" && end === "brace") {
        this.#at += 1;
        return pieces;
      }
      const piece = letter === "$" ? this.#variable(depth) : undefined;
      // A variable that is not closed leaves those around it open too.
      if (piece === "unclosed") return undefined;
      pieces.push(piece ?? this.#literal(letter));
    }
    return end === "end" ? pieces : undefined;
  }

  /** Undefined where the `$` stands for itself. */
  #variable(depth: number): DotenvPiece | "unclosed" | undefined {
    const start = this.#at;
    const name = this.#take(named)?.[1];
    if (name !== undefined) return { name, operator: undefined, word: [] };
    if (this.#text[start + 1] !== "{") return undefined;
    const head = start < this.#lastBrace ? this.#take(braced) : null;
    if (head?.[2] === "}") return { name: head[1]!, operator: undefined, word: [] };
    const word = head && depth < deepest ? this.#until("brace", depth + 1) : undefined;
    if (head && word !== undefined) {
      return { name: head[1]!, operator: head[2] as Operator, word };
    }
    if (head && depth > 0) return "unclosed";
    this.misread = true;
    this.#at = start;
    return undefined;
  }

  #literal(letter: string): string {
    const next = this.#text[this.#at + 1] ?? "";
    if (letter === "$") {
      this.#at += next === "$" ? 2 : 1;
      return "$";
    }
    if (letter !== "\\") {
      const text = this.#take(plain)?.[0] ?? letter;
      if (text === letter && letter === "}") this.#at += 1;
      return text;
    }
    const code = this.#escapes ? this.#take(octal)?.[1] : undefined;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    const meant = this.#escapes ? escapes[next] : next === "$" ? "$" : undefined;
    this.#at += meant === undefined ? 1 : 2;
    return meant ?? letter;
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match;
  }
}
