/** Lines of `.env`, and what was declared before them -> variables as texts in which references may stand. Pure. */
import type { Dotenv, DotenvLine, DotenvMistake } from "./dotenv.ts";
import type { DotenvPiece, DotenvValue } from "./dotenv-value.ts";
import { inheritedText } from "./fill.ts";
import { type Otherwise, type Part, type Reference, templateText } from "./reference.ts";

export type DotenvVariable = {
  name: string;
  /** A variable that nothing before it defines is the shell's: `${shell.HOME:-}`. */
  value: string;
  line: number;
};

export type ExpandedDotenv = {
  variables: readonly DotenvVariable[];
  mistakes: readonly DotenvMistake[];
  /** Variables without a default that only the shell can have; `by` uses it. */
  asked: readonly { line: number; name: string; by: string }[];
};

/** The parts of a variable that was declared before the file. */
export type Before = (name: string) => readonly Part[] | undefined;

/** Characters of one value, and of all, with their references to earlier lines: Linux takes no longer variable. */
const longestValue = 128 * 1024;
const longestAll = 4 * 1024 * 1024;

export function expandDotenv({ lines, mistakes }: Dotenv, before: Before): ExpandedDotenv {
  const found = new Map<string, DotenvVariable>();
  const parsed = new Map<string, readonly Part[]>();
  const asked: { line: number; name: string; by: string }[] = [];
  const wrong = [...mistakes];
  let all = 0;
  const last = new Map(lines.map(({ name }, index) => [name, index]));
  for (const [index, its] of lines.entries()) {
    const { name, line } = its;
    const expansion = new Expansion({
      known: (other) => parsed.get(other) ?? before(other),
      isChanging: (other) => (last.get(other) ?? -1) >= index,
    });
    const parts = expansion.ofLine(its);
    const value = parts === undefined ? inheritedText(name) : templateText(parts);
    all += value.length;
    const refusal =
      expansion.length > longestValue
        ? "longer than 128 KiB with its references filled in"
        : all > longestAll
          ? "the file is longer than 4 MiB with its references filled in"
          : value.includes("\0")
            ? "a NUL character is not allowed"
            : undefined;
    if (refusal !== undefined) wrong.push({ line, what: `${name}: ${refusal}`, refused: true });
    if (all > longestAll) break;
    for (const other of expansion.asked) asked.push({ line, name: other, by: name });
    found.delete(name);
    found.set(name, { name, value, line });
    if (parts !== undefined && refusal === undefined) parsed.set(name, parts);
  }
  return { variables: [...found.values()], mistakes: wrong, asked };
}

type ExpansionOptions = { known: Before; isChanging(name: string): boolean };

class Expansion {
  readonly asked: string[] = [];
  /** Characters so far. */
  length = 0;
  readonly #known: Before;
  /** Whether the service sees another value than the lines so far give. */
  readonly #isChanging: (name: string) => boolean;

  constructor({ known, isChanging }: ExpansionOptions) {
    this.#known = known;
    this.#isChanging = isChanging;
  }

  /** Undefined for a name alone that nothing before it defines. */
  ofLine({ name, value }: DotenvLine): Part[] | undefined {
    if (value !== undefined) return this.#parts(value);
    const known = this.#known(name);
    if (known === undefined) return undefined;
    const word = this.#counted(known);
    return [{ kind: "env", scope: "shell", name, otherwise: { operator: "-", word } }];
  }

  #parts(value: DotenvValue): Part[] {
    return value.flatMap((piece) => {
      // Once too long, nothing more is built.
      if (this.length > longestValue) return [];
      if (typeof piece === "string") return this.#counted([piece]);
      return this.#variable(piece);
    });
  }

  #counted(parts: readonly Part[]): readonly Part[] {
    for (const part of parts) this.length += typeof part === "string" ? part.length : 16;
    return parts;
  }

  #variable({ name, operator, word }: Exclude<DotenvPiece, string>): readonly Part[] {
    // The port that a service is given beats that of the file.
    const scope = name === "PORT" ? "service" : "shell";
    const known = scope === "service" ? undefined : this.#known(name);
    if (operator === undefined) {
      if (known !== undefined) return this.#counted(known);
      if (scope === "shell") this.asked.push(name);
      return [reference(name, { scope, operator: ":-", word: [""] })];
    }
    if (known === undefined) {
      return [reference(name, { scope, operator, word: this.#parts(word) })];
    }
    const isSet = !operator.startsWith(":") || isFull(known);
    if (isSet === undefined && !this.#isChanging(name)) {
      return [reference(name, { scope: "service", operator, word: this.#parts(word) })];
    }
    if (operator.endsWith("+")) return isSet === false ? [] : this.#parts(word);
    if (isSet !== false) return this.#counted(known);
    if (operator.endsWith("-")) return this.#parts(word);
    // An empty value where one is demanded: the shell's would not be used either.
    return [reference(name, { scope: "service", operator, word: this.#parts(word) })];
  }
}

function reference(
  name: string,
  { scope, ...otherwise }: Otherwise & { scope: "service" | "shell" },
): Reference {
  return { kind: "env", scope, name, otherwise };
}

/** Undefined where only the start of a service can tell whether the value is empty. */
function isFull(parts: readonly Part[]): boolean | undefined {
  if (parts.some((part) => typeof part === "string" && part !== "")) return true;
  return parts.every((part) => typeof part === "string") ? false : undefined;
}
