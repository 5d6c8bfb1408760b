/** A text with references such as `${services.db.port}` -> its parts, or the errors in them. Pure. */
import { listed } from "../text/list.ts";
import { didYouMean } from "../text/nearest.ts";
import { shown } from "../text/shown.ts";

export type Reference =
  | { kind: "service"; name: string; field: ServiceField }
  /** `${env.HOME}`, `${env.HOME:-/root}`. */
  | { kind: "env"; name: string; fallback: string | undefined }
  | { kind: "project"; field: ProjectField };

export type ServiceField = (typeof serviceFields)[number];
export type ProjectField = (typeof projectFields)[number];

export type Part = string | Reference;

export type Template = { parts: readonly Part[]; mistakes: readonly string[] };

export type TemplateOptions = {
  /** The text is for a shell, which expands `${PORT}` itself. */
  shell: boolean;
};

const serviceFields = ["port", "host", "url"] as const;
const projectFields = ["name", "domain", "dir"] as const;
const kinds = ["services", "env", "project"];

/** Two dollars before a brace are a literal one; a single dollar that is left over begins a reference. */
const marks = /(\$+)\{(?:([^{}]*)\})?/g;

/** A shell cannot expand a name with a dot, so that such a name is a reference of ours. */
const ours = /^(?:services|env|project)(?![\w-])|^[A-Za-z_][\w-]*\./;

export function readTemplate(text: string, { shell }: TemplateOptions): Template {
  // Most texts have no reference.
  if (!text.includes("${")) return { parts: [text], mistakes: [] };
  const parts: Part[] = [];
  const mistakes: string[] = [];
  let plain = "";
  let end = 0;
  for (const match of text.matchAll(marks)) {
    const [whole, dollars = "", inner] = match;
    plain += text.slice(end, match.index);
    end = match.index + whole.length;
    const foreign = shell && (inner === undefined || !ours.test(inner));
    if (foreign) {
      plain += whole;
      continue;
    }
    plain += "$".repeat(dollars.length / 2);
    if (dollars.length % 2 === 0) {
      plain += whole.slice(dollars.length);
    } else if (inner === undefined) {
      mistakes.push('missing } after "${"; to write a literal "${", use "$${"');
    } else {
      const read = readReference(inner);
      if (typeof read === "string") {
        mistakes.push(`\${${inner}}: ${read}`);
        continue;
      }
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push(read);
    }
  }
  plain += text.slice(end);
  if (plain !== "" || parts.length === 0) parts.push(plain);
  return { parts, mistakes };
}

/** The inverse: parts -> a text, not for a shell, that reads as the same parts. */
export function templateText(parts: readonly Part[]): string {
  let text = "";
  let plain = "";
  for (const part of parts) {
    if (typeof part === "string") {
      plain += part;
    } else {
      // Dollars at the end of the text now stand before a brace.
      text += literally(plain).replace(/\$+$/, "$&$&") + referenceText(part);
      plain = "";
    }
  }
  return text + literally(plain);
}

function literally(text: string): string {
  return text.replace(/\$+(?=\{)/g, "$&$&");
}

/** The reference as it is written. */
export function referenceText(reference: Reference): string {
  if (reference.kind === "service") return `\${services.${reference.name}.${reference.field}}`;
  if (reference.kind === "project") return `\${project.${reference.field}}`;
  const { name, fallback } = reference;
  return fallback === undefined ? `\${env.${name}}` : `\${env.${name}:-${fallback}}`;
}

/** @returns a sentence where the text is not a reference. */
function readReference(inner: string): Reference | string {
  const [kind = "", ...rest] = inner.split(".");
  if (kind === "env") {
    const [, name, fallback] = inner.match(/^env\.([A-Za-z_]\w*)(?::-([\s\S]*))?$/) ?? [];
    if (name !== undefined) return { kind: "env", name, fallback };
    return "expected a variable, as in ${env.HOME} or ${env.HOME:-/root}";
  }
  if (kind === "services") {
    const [name, field, ...more] = rest;
    if (name === undefined || name === "" || field === undefined || more.length > 0) {
      return "expected a service and a field, as in ${services.db.port}";
    }
    if (includes(serviceFields, field)) return { kind: "service", name, field };
    return noField(field, serviceFields);
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
