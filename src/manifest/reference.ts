/** A text with references such as `${services.db.port}` -> its parts, or the errors in them. Pure. */
import { listed } from "../text/list.ts";
import { didYouMean } from "../text/nearest.ts";
import { shown } from "../text/shown.ts";
import { allFields } from "./types/gifts.ts";
import { isFurtherField } from "./types/own.ts";

export type Reference =
  | { kind: "service"; name: string; field: string }
  /** `${env.HOME}`, `${env.HOME:-/root}`: the value that the service sees, or with `shell.` that of the shell. */
  | { kind: "env"; scope: "service" | "shell"; name: string; otherwise: Otherwise | undefined }
  | { kind: "project"; field: ProjectField };

/** `:-` and its like, with the parts behind it, as in a shell. */
export type Otherwise = { operator: Operator; word: readonly Part[] };

/** `-`: the word if unset. `?`: an error if unset. `+`: the word if set. With a colon, an empty value is unset. */
export type Operator = ":-" | "-" | ":?" | "?" | ":+" | "+";

export type ProjectField = (typeof projectFields)[number];

export type Part = string | Reference;

export type Template = { parts: readonly Part[]; mistakes: readonly string[] };

export type TemplateOptions = {
  /** The text is for a shell, which expands `${PORT}` itself. */
  shell: boolean;
};

const projectFields = ["name", "domain", "dir"] as const;
const kinds = ["services", "env", "project"];

/**
 * Two dollars before a brace are a literal one; a single dollar that is left over begins a reference. Only the first
 * dollar of a row is looked at, so that a long row takes no longer than another text.
 */
const marks = /(?<!\$)(\$+)\{/g;

/** A shell cannot expand a name with a dot, so that such a name is a reference of ours. */
const ours = /(?:(?:services|env|project)(?![\w-])|[A-Za-z_][\w-]*\.)/y;

/** References within references: far more than a person writes, and far less than what exhausts the stack. */
const deepest = 50;

export function readTemplate(text: string, { shell }: TemplateOptions): Template {
  // Most texts have no reference.
  if (!text.includes("${")) return { parts: [text], mistakes: [] };
  const reader = new TemplateReader(text, shell);
  return { parts: reader.parts(0, text.length, 0), mistakes: reader.mistakes };
}

/** All references in the parts, those within others included. */
export function referencesIn(parts: readonly Part[]): Reference[] {
  return parts.flatMap((part) => {
    if (typeof part === "string") return [];
    const word = part.kind === "env" ? (part.otherwise?.word ?? []) : [];
    return [part, ...referencesIn(word)];
  });
}

class TemplateReader {
  readonly mistakes: string[] = [];
  readonly #text: string;
  readonly #shell: boolean;
  /** Where a brace is -> where it is closed. */
  readonly #closings: ReadonlyMap<number, number>;

  constructor(text: string, shell: boolean) {
    this.#text = text;
    this.#shell = shell;
    this.#closings = closingsIn(text, shell);
  }

  parts(start: number, end: number, depth: number): Part[] {
    const parts: Part[] = [];
    let plain = "";
    let at = start;
    const pattern = new RegExp(marks);
    for (pattern.lastIndex = start; ; pattern.lastIndex = at) {
      const match = pattern.exec(this.#text);
      if (match === null || pattern.lastIndex > end) break;
      const dollars = match[1]!.length;
      const inside = pattern.lastIndex;
      const close = this.#closings.get(inside - 1);
      plain += this.#text.slice(at, match.index);
      at = inside;
      if (this.#isForeign(inside, close)) {
        plain += match[0];
        continue;
      }
      plain += "$".repeat(dollars / 2);
      if (dollars % 2 === 0) {
        plain += "{";
      } else if (close === undefined) {
        this.mistakes.push('missing } after "${"; to write a literal "${", use "$${"');
      } else {
        at = close + 1;
        const read = this.#reference(inside, close, depth);
        if (read === undefined) continue;
        if (typeof read === "string") {
          plain += read;
          continue;
        }
        if (plain !== "") parts.push(plain);
        plain = "";
        parts.push(read);
      }
    }
    plain += this.#text.slice(at, end);
    if (plain !== "" || parts.length === 0) parts.push(plain);
    return parts;
  }

  #isForeign(inside: number, close: number | undefined): boolean {
    if (!this.#shell) return false;
    ours.lastIndex = inside;
    return close === undefined || !ours.test(this.#text);
  }

  /** A text for `${'...'}`; undefined where it is wrong, which is reported. */
  #reference(start: number, end: number, depth: number): Part | undefined {
    const inner = this.#text.slice(start, end);
    if (inner.startsWith("'") && inner.endsWith("'") && inner.length > 1) return inner.slice(1, -1);
    const [head, scope, name, operator] =
      inner.match(/^(env|shell)\.([A-Za-z_]\w*)(?:(:?[-?+])|$)/) ?? [];
    if (head !== undefined && depth < deepest) {
      const word = operator && this.parts(start + head.length, end, depth + 1);
      return {
        kind: "env",
        scope: scope === "env" ? "service" : "shell",
        name: name!,
        otherwise: word ? { operator: operator as Operator, word } : undefined,
      };
    }
    const read =
      head === undefined ? readReference(inner) : "too many references within each other";
    if (typeof read !== "string") return read;
    this.mistakes.push(`${inner.length > 100 ? "${...}" : `\${${inner}}`}: ${read}`);
    return undefined;
  }
}

/** One pass: a text that is all braces takes no longer than another. */
function closingsIn(text: string, shell: boolean): Map<number, number> {
  const closings = new Map<number, number>();
  const open: number[] = [];
  const braces = /(?<!\$)(\$*)\{(')?|\}/g;
  for (let match = braces.exec(text); match !== null; match = braces.exec(text)) {
    if (match[0] === "}") {
      const start = open.pop();
      if (start !== undefined) closings.set(start, match.index);
      continue;
    }
    const brace = match.index + match[1]!.length;
    // `${'...'}` is literal, whatever braces are in it.
    const end =
      !shell && match[2] !== undefined && match[1]!.length % 2 === 1
        ? text.indexOf("'}", brace + 2)
        : -1;
    if (end === -1) {
      open.push(brace);
    } else {
      closings.set(brace, end + 1);
      braces.lastIndex = end + 2;
    }
  }
  return closings;
}

/** The inverse: parts -> a text, not for a shell, that reads as the same parts. */
export function templateText(parts: readonly Part[]): string {
  return written(parts, { within: false });
}

function written(parts: readonly Part[], { within }: { within: boolean }): string {
  let text = "";
  let plain = "";
  const put = (reference: string): void => {
    // Dollars at the end of the text now stand before a brace.
    text += literally(plain).replace(/(?<!\$)\$+$/, "$&$&") + reference;
    plain = "";
  };
  for (const part of parts) {
    if (typeof part !== "string") put(referenceText(part));
    // A brace within a reference would end it, or keep it open.
    else if (within && /[{}]/.test(part)) for (const piece of quotable(part)) put(`\${'${piece}'}`);
    else plain += part;
  }
  return text + literally(plain);
}

/** Pieces of a text, none of which has what ends `${'...'}`. */
function quotable(text: string): string[] {
  return text.split(/(?<=')(?=\})/);
}

function literally(text: string): string {
  return text.replace(/(?<!\$)\$+(?=\{)/g, "$&$&");
}

/** The reference as it is written. */
export function referenceText(reference: Reference): string {
  if (reference.kind === "service") return `\${services.${reference.name}.${reference.field}}`;
  if (reference.kind === "project") return `\${project.${reference.field}}`;
  const { scope, name, otherwise } = reference;
  const rest =
    otherwise === undefined ? "" : otherwise.operator + written(otherwise.word, { within: true });
  return `\${${scope === "service" ? "env" : "shell"}.${name}${rest}}`;
}

/** @returns a sentence where the text is not a reference. */
function readReference(inner: string): Reference | string {
  const [kind = "", ...rest] = inner.split(".");
  if (kind === "env" || kind === "shell") {
    return `expected a variable, as in \${${kind}.HOME} or \${${kind}.HOME:-/root}`;
  }
  if (kind === "services") {
    const [name, field, ...more] = rest;
    if (name === undefined || name === "" || field === undefined || more.length > 0) {
      return "expected a service and a field, as in ${services.db.port}";
    }
    if (allFields.includes(field) || isFurtherField(field)) return { kind: "service", name, field };
    return noField(field, allFields);
  }
  if (kind === "project") {
    const [field, ...more] = rest;
    if (field === undefined || more.length > 0) {
      return "expected a field, as in ${project.domain}";
    }
    if (includes(projectFields, field)) return { kind: "project", field };
    return noField(field, projectFields);
  }
  if (/^[A-Za-z_]\w*$/.test(inner)) {
    return `unknown reference; for the variable use \${env.${inner}}, for a literal "\${" use "$\${"`;
  }
  const otherwise = `; references begin with ${listed(kinds, { conjunction: "or" })}`;
  return `unknown reference${didYouMean(kind, kinds, { quoted: true, otherwise })}`;
}

function noField(field: string, fields: readonly string[]): string {
  const otherwise = `; the fields are ${listed(fields)}`;
  return `unknown field ${shown(field)}${didYouMean(field, fields, { quoted: true, otherwise })}`;
}

function includes<Word extends string>(words: readonly Word[], word: string): word is Word {
  return (words as readonly string[]).includes(word);
}
