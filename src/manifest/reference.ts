/** A text with references such as `${services.db.port}` -> its parts, or what is wrong with them. Pure. */
import { nearest } from "../text/nearest.ts";

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
  /** A shell reads what is left: `${PORT}` is its own. */
  shell: boolean;
};

const serviceFields = ["port", "host", "url"] as const;
const projectFields = ["name", "domain", "dir"] as const;
const kinds = ["services", "env", "project"];

/** Of the dollars before a brace, two are one that is meant, and one that is left over begins a reference. */
const marks = /(\$+)\{(?:([^{}]*)\})?/g;

/** A name with a dot is nothing that a shell can expand, so it is meant for us. */
const ours = /^(?:services|env|project)(?![\w-])|^[A-Za-z_][\w-]*\./;

export function readTemplate(text: string, { shell }: TemplateOptions): Template {
  // Most have none.
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
      mistakes.push('no } follows "${"; a plain "${" is written "$${"');
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

/** The other way: parts -> a text, not for a shell, that reads as they do. */
export function templateText(parts: readonly Part[]): string {
  let text = "";
  let plain = "";
  for (const part of parts) {
    if (typeof part === "string") {
      plain += part;
    } else {
      // The dollars at its end stand before a brace now.
      text += literally(plain).replace(/\$+$/, "$&$&") + referenceText(part);
      plain = "";
    }
  }
  return text + literally(plain);
}

function literally(text: string): string {
  return text.replace(/\$+(?=\{)/g, "$&$&");
}

/** As it is written. */
export function referenceText(reference: Reference): string {
  if (reference.kind === "service") return `\${services.${reference.name}.${reference.field}}`;
  if (reference.kind === "project") return `\${project.${reference.field}}`;
  const { name, fallback } = reference;
  return fallback === undefined ? `\${env.${name}}` : `\${env.${name}:-${fallback}}`;
}

/** @returns a sentence where it is none. */
function readReference(inner: string): Reference | string {
  const [kind = "", ...rest] = inner.split(".");
  if (kind === "env") {
    const [, name, fallback] = inner.match(/^env\.([A-Za-z_]\w*)(?::-([\s\S]*))?$/) ?? [];
    if (name !== undefined) return { kind: "env", name, fallback };
    return "a variable is expected, as in ${env.HOME} or ${env.HOME:-/root}";
  }
  if (kind === "services") {
    const [name, field, ...more] = rest;
    if (name === undefined || name === "" || field === undefined || more.length > 0) {
      return "a service and a field are expected, as in ${services.db.port}";
    }
    if (includes(serviceFields, field)) return { kind: "service", name, field };
    return noField(field, serviceFields);
  }
  if (kind === "project") {
    const [field, ...more] = rest;
    if (field === undefined || more.length > 0) {
      return "a field is expected, as in ${project.domain}";
    }
    if (includes(projectFields, field)) return { kind: "project", field };
    return noField(field, projectFields);
  }
  if (/^[A-Za-z_]\w*$/.test(inner)) {
    return `no such reference; the variable is \${env.${inner}}, and a plain "\${" is written "$\${"`;
  }
  const near = nearest(kind, kinds);
  const help =
    near === undefined ? `they begin with ${kinds.join(", ")}` : `did you mean "${near}"?`;
  return `no such reference; ${help}`;
}

function noField(field: string, fields: readonly string[]): string {
  const near = nearest(field, fields);
  const help =
    near === undefined ? `the fields are ${fields.join(", ")}` : `did you mean "${near}"?`;
  return `no field "${field}"; ${help}`;
}

function includes<Word extends string>(words: readonly Word[], word: string): word is Word {
  return (words as readonly string[]).includes(word);
}
