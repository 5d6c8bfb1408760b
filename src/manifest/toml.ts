/** TOML text -> its value and the place of each part, or the first place that is not TOML. Pure. */
import { parse, TomlError } from "smol-toml";

/** Keys, and places in arrays: `["tlds", 0]`. */
export type Path = readonly (string | number)[];

/** Both from 1; a column counts UTF-16 units. */
export type Place = { line: number; column: number };

export type Document = {
  value: Record<string, unknown>;
  /** Where a key or an element of an array begins; for a missing one, where its table begins. */
  placeOf(path: Path): Place;
};

export type Toml =
  { kind: "done"; document: Document } | { kind: "bad"; place: Place; why: string };

/** Deeper than any file that a person writes, and shallow enough for the stack. */
const maxDepth = 100;

/** Added to sentences of the parser that leave a person without a way on. */
const advice: Readonly<Record<string, string>> = {
  "illegal character in key": '; one that has more than A-Z, a-z, 0-9, _ and - is quoted: "a b"',
};

export function readToml(text: string): Toml {
  // The byte order mark that editors on Windows write; TOML 1.1 allows it.
  const body = text.replace(/^\uFEFF/, "");
  let value: Record<string, unknown>;
  try {
    value = parse(body, { maxDepth, unsafeKeyBehaviour: "throw" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [sentence = ""] = error.message.replace("Invalid TOML document: ", "").split("\n");
    const why = `${sentence}${advice[sentence] ?? ""}`;
    return { kind: "bad", place: { line: error.line, column: error.column }, why };
  }
  let offsets: Map<string, number> | undefined;
  let starts: number[] | undefined;
  return {
    kind: "done",
    document: {
      value,
      placeOf(path) {
        // Computed on demand: places are needed only for errors.
        offsets ??= new Offsets(body).found;
        starts ??= lineStarts(body);
        for (let length = path.length; length > 0; length--) {
          const offset = offsets.get(pathText(path.slice(0, length)));
          if (offset !== undefined) return placeAt(starts, offset);
        }
        return { line: 1, column: 1 };
      },
    },
  };
}

/** `services.web.depends_on[0]`, as a person would write it. */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") {
      text += `[${part}]`;
      continue;
    }
    const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
    text += text === "" ? key : `.${key}`;
  }
  return text;
}

/** The offset of each line, computed once for all places. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function placeAt(starts: readonly number[], offset: number): Place {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

const blank = /(?:\s|#[^\n]*)*/y;
const spaces = /[ \t]*/y;
const bareKey = /[\w-]+/y;
/** Multi-line strings first; they may end in quotes of their own. */
const string =
  /"""(?:\\[\s\S]|"(?!"")|[^"\\])*"{3,5}|'''(?:'(?!'')|[^'])*'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'/y;
/** Numbers, dates and the like: a date may have a space within. */
const plain = /[^,\]}#\n]+/y;

/** Walks over text that the parser has accepted, so that it need not look for errors. */
class Offsets {
  /** Keys are `pathText`. */
  readonly found = new Map<string, number>();
  /** How many tables an array of tables has so far, by `pathText`. */
  readonly #tables = new Map<string, number>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    let table: Path = [];
    for (this.#take(blank); this.#at < text.length; this.#take(blank)) {
      if (text[this.#at] === "[") table = this.#header();
      else this.#pair(table);
    }
  }

  /** `[a.b]` or `[[a.b]]`. @returns the path that what follows is under. */
  #header(): Path {
    const double = this.#text[this.#at + 1] === "[";
    const start = this.#at;
    this.#at += double ? 2 : 1;
    const keys = this.#keys();
    this.#at += double ? 2 : 1;
    let path: Path = [];
    for (const [index, key] of keys.entries()) {
      path = [...path, key];
      this.#mark(path, start);
      const name = pathText(path);
      if (double && index === keys.length - 1) {
        this.#tables.set(name, (this.#tables.get(name) ?? 0) + 1);
      }
      const count = this.#tables.get(name);
      if (count !== undefined) {
        path = [...path, count - 1];
        this.#mark(path, start);
      }
    }
    return path;
  }

  /** `a.b = value`. */
  #pair(table: Path): void {
    const start = this.#at;
    let path = table;
    for (const key of this.#keys()) {
      path = [...path, key];
      this.#mark(path, start);
    }
    // The `=`.
    this.#at += 1;
    this.#take(spaces);
    this.#value(path);
  }

  #keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#take(spaces);
      const bare = this.#take(bareKey);
      // The parser reads a quoted key.
      keys.push(bare === "" ? Object.keys(parse(`${this.#take(string)} = 0`))[0]! : bare);
      this.#take(spaces);
      if (this.#text[this.#at] !== ".") return keys;
      this.#at += 1;
    }
  }

  #value(path: Path): void {
    const first = this.#text[this.#at];
    if (first === "[") this.#list("]", (index) => this.#element([...path, index]));
    else if (first === "{") this.#list("}", () => this.#pair(path));
    else if (this.#take(string) === "") this.#take(plain);
  }

  #element(path: Path): void {
    this.#mark(path, this.#at);
    this.#value(path);
  }

  /** The items between commas, up to `close`. */
  #list(close: string, item: (index: number) => void): void {
    this.#at += 1;
    for (let index = 0; ; index++) {
      this.#take(blank);
      if (this.#text[this.#at] === close) break;
      item(index);
      this.#take(blank);
      if (this.#text[this.#at] === ",") this.#at += 1;
    }
    this.#at += 1;
  }

  #mark(path: Path, offset: number): void {
    const name = pathText(path);
    if (!this.found.has(name)) this.found.set(name, offset);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }
}
