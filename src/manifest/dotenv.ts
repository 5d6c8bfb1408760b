/** The text of `.env` -> its lines as names and values, in which variables are not expanded yet. Pure. */
import { type DotenvValue, readDotenvValue } from "./dotenv-value.ts";

export type DotenvLine = {
  name: string;
  line: number;
  /** Undefined for a name alone: the shell's value counts. */
  value: DotenvValue | undefined;
};

/** `refused`: the project cannot be read. Otherwise a warning: the rest of the file counts. */
export type DotenvMistake = { line: number; what: string; refused: boolean };

export type Dotenv = { lines: readonly DotenvLine[]; mistakes: readonly DotenvMistake[] };

const nothing = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
/** Letters, digits and `_.-[]`, as compose takes them, and `:` in the place of `=`, as in YAML. */
const assignment =
  /[^\S\n]*(?:export[^\S\n]+)?([\p{L}\p{N}_][\p{L}\p{N}_.[\]-]*)[^\S\n]*[=:][^\S\n]*/uy;
const nameAlone =
  /[^\S\n]*(?:export[^\S\n]+)?([\p{L}\p{N}_][\p{L}\p{N}_.[\]-]*)[^\S\n]*(?:#[^\n]*)?(?:\n|$)/uy;
/** A quoted value may span several lines. */
const quoted: Readonly<Record<string, RegExp>> = {
  "'": /'((?:\\'|[^'])*)'/y,
  '"': /"([^"\\]*(?:\\[\s\S][^"\\]*)*)"/y,
  "`": /`([^`]*)`/y,
};
const bare = /[^\n]*/y;
const wholeLine = /[^\n]*(?:\n|$)/y;

/**
 * Lines of `NAME=value`, as docker compose and dotenv read them; docs/locald-toml.md says which of the two is followed
 * where they differ.
 */
export function readDotenv(text: string): Dotenv {
  return new DotenvReader(text).read();
}

class DotenvReader {
  readonly #body: string;
  readonly #lines: DotenvLine[] = [];
  readonly #mistakes: DotenvMistake[] = [];
  #at = 0;
  #number = 1;

  constructor(text: string) {
    this.#body = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  }

  read(): Dotenv {
    while (this.#at < this.#body.length) {
      if (this.#take(nothing) === undefined) this.#statement();
    }
    return { lines: this.#lines, mistakes: this.#mistakes };
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#body);
    if (match === null) return undefined;
    this.#at += match[0].length;
    this.#number += match[0].split("\n").length - 1;
    return match;
  }

  #statement(): void {
    const start = this.#number;
    const alone = this.#take(nameAlone)?.[1];
    if (alone !== undefined) {
      this.#lines.push({ name: alone, line: start, value: undefined });
      return;
    }
    const name = this.#take(assignment)?.[1];
    if (name === undefined) {
      // The line itself is not quoted, because it may be part of a secret.
      this.#warn(start, "expected NAME=value; the line is ignored");
      this.#take(wholeLine);
      return;
    }
    const mark = this.#body[this.#at] ?? "";
    const pattern = Object.hasOwn(quoted, mark) ? quoted[mark] : undefined;
    const content = pattern && this.#take(pattern)?.[1];
    // To compose a backtick is a letter like any other.
    if (pattern !== undefined && content === undefined && mark !== "`") {
      const what = `${name}: the closing ${mark} is missing`;
      this.#mistakes.push({ line: start, what, refused: true });
      this.#take(wholeLine);
      return;
    }
    const { value, misread } =
      content === undefined
        ? readDotenvValue(withoutComment(this.#take(bare)![0]), { quote: "" })
        : readDotenvValue(content, { quote: mark });
    if (misread) {
      const what =
        "a ${ begins no variable and stands for itself; write $${ or '...' for a literal one";
      this.#warn(start, `${name}: ${what}`);
    }
    this.#lines.push({ name, line: start, value });
    if (content !== undefined && this.#take(nothing) === undefined) {
      this.#warn(this.#number, `${name}: the text after the closing ${mark} is ignored`);
      this.#take(wholeLine);
    }
  }

  #warn(line: number, what: string): void {
    this.#mistakes.push({ line, what, refused: false });
  }
}

function withoutComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/, "").trim();
}
