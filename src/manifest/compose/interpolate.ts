/** A text with variables as compose has them, `${TAG:-7}` -> its parts, and those as text of a locald.toml. Pure. */
import {
  type Operator,
  type Part,
  readTemplate,
  type Reference,
  referenceText,
  templateText,
} from "../reference.ts";

/** `otherwise`: there is a default where it is not set. */
export type Variables = (name: string, otherwise: boolean) => string | undefined;

/** References within each other. */
const deepest = 20;

const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const operator = /:?[-?+]/y;

/** Two dollars are a literal one. A dollar that begins no variable stays as it is. */
export function composeParts(text: string): Part[] {
  if (!text.includes("$")) return [text];
  return new Interpolation(text).parts(0);
}

class Interpolation {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Up to the end, or within a reference up to the brace that closes it. */
  parts(depth: number): Part[] {
    const parts: Part[] = [];
    let plain = "";
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!;
      if (depth > 0 && character === "}") break;
      if (character !== "$") {
        plain += character;
        this.#at += 1;
        continue;
      }
      if (this.#text[this.#at + 1] === "$") {
        plain += "$";
        this.#at += 2;
        continue;
      }
      const start = this.#at;
      const reference = depth < deepest ? this.#reference(depth) : undefined;
      if (reference === undefined) {
        plain += "$";
        this.#at = start + 1;
        continue;
      }
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push(reference);
    }
    if (plain !== "" || parts.length === 0) parts.push(plain);
    return parts;
  }

  #reference(depth: number): Reference | undefined {
    this.#at += 1;
    const braced = this.#text[this.#at] === "{";
    if (braced) this.#at += 1;
    const its = this.#take(name);
    if (its === "") return undefined;
    const found = { kind: "env" as const, scope: "service" as const, name: its };
    if (!braced) return { ...found, otherwise: undefined };
    const sign = this.#take(operator);
    const otherwise =
      sign === "" ? undefined : { operator: sign as Operator, word: this.parts(depth + 1) };
    if (this.#text[this.#at] !== "}") return undefined;
    this.#at += 1;
    return { ...found, otherwise };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }
}

/** The names of all variables in the parts. */
export function variablesIn(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => {
    if (typeof part === "string" || part.kind !== "env") return [];
    return [part.name, ...variablesIn(part.otherwise?.word ?? [])];
  });
}

/** The text with the values that its variables have now; one that is not set is empty, as in compose. */
export function filledNow(parts: readonly Part[], variables: Variables): string {
  return parts
    .map((part) => {
      if (typeof part === "string") return part;
      if (part.kind !== "env") return referenceText(part);
      const { operator: sign = "", word = [] } = part.otherwise ?? {};
      const value = variables(part.name, sign.endsWith("-"));
      const isSet = value !== undefined && !(sign.startsWith(":") && value === "");
      if (sign.endsWith("+")) return isSet ? filledNow(word, variables) : "";
      if (isSet) return value;
      return sign.endsWith("-") ? filledNow(word, variables) : "";
    })
    .join("");
}

export type Scope = (name: string) => "service" | "shell";

/** The same with our words: a variable that is not set is empty, and not an error. */
function scoped(parts: readonly Part[], scopeOf: Scope): Part[] {
  return parts.map((part) => {
    if (typeof part === "string" || part.kind !== "env") return part;
    const { operator: sign, word } = part.otherwise ?? { operator: ":-" as const, word: [""] };
    return {
      ...part,
      scope: scopeOf(part.name),
      otherwise: { operator: sign, word: scoped(word, scopeOf) },
    };
  });
}

/** The value of a variable in `env`. */
export function envText(parts: readonly Part[], scopeOf: Scope): string {
  return templateText(scoped(parts, scopeOf));
}

/**
 * A command, which leaves `${X}` to a shell. Undefined where it cannot be written: a reference has a word with braces.
 */
export function commandText(parts: readonly Part[], scopeOf: Scope): string | undefined {
  let text = "";
  for (const part of scoped(parts, scopeOf)) {
    if (typeof part !== "string") {
      // Dollars before a brace are halved.
      text = text.replace(/(?<!\$)\$+$/, "$&$&") + referenceText(part);
      continue;
    }
    // A name with a dot is a reference of ours; a second dollar makes it a text.
    text += part.replace(
      /(?<!\$)\$+(?=\{(?:(?:services|env|project)(?![\w-])|[A-Za-z_][\w-]*\.))/g,
      "$&$&",
    );
  }
  const { parts: read, mistakes } = readTemplate(text, { shell: true });
  const isSame = JSON.stringify(joined(read)) === JSON.stringify(joined(scoped(parts, scopeOf)));
  return mistakes.length === 0 && isSame ? text : undefined;
}

/** Texts that follow each other are one, and empty ones none. */
function joined(parts: readonly Part[]): Part[] {
  const found: Part[] = [];
  for (const part of parts) {
    const last = found.at(-1);
    if (typeof part === "string" && typeof last === "string") found[found.length - 1] = last + part;
    else if (part !== "") found.push(part);
  }
  return found;
}
