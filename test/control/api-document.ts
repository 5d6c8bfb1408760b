/** The list of commands -> its section in docs/api.md. `bun test/control/api-document.ts` writes it. */
import { join, resolve } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { Command } from "../../src/control/commands/command.ts";
import { commands } from "../../src/control/commands/commands.ts";

export const documentPath = join(resolve(import.meta.dir, "../.."), "docs/api.md");

const begin = "<!-- commands: begin -->";
const end = "<!-- commands: end -->";

type Field = {
  type?: string;
  enum?: readonly unknown[];
  description?: string;
  anyOf?: readonly Field[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  default?: unknown;
};

export function commandsSection(): string {
  return `${begin}\n\n${commands.map(sectionOf).join("\n\n")}\n\n${end}`;
}

function sectionOf({ name, method, path, summary, answer, input, streams }: Command): string {
  const { properties = {}, required = [] } = toJsonSchema(input) as {
    properties?: Record<string, Field>;
    required?: string[];
  };
  const fields = Object.entries(properties).map(
    ([key, field]) =>
      `- \`${key}\`, ${kindOf(field)}${required.includes(key) ? "" : ", optional"}: ${wordsOf(field)}`,
  );
  const kind = {
    false: "",
    both: "",
    sse: " The answer is a stream.",
    lines: " The answer is a stream.",
  }[String(streams)];
  const route = streams === "both" ? "On the socket only." : `\`${method} ${path}\`.`;
  return [
    `### ${name}`,
    "",
    wrapped(`${route} ${summary}${kind}`),
    "",
    ...fields.map((field) => wrapped(field, "  ")),
    ...(fields.length > 0 ? [""] : []),
    wrapped(`Answer: ${answer}.`),
  ].join("\n");
}

/** Columns of a line of prose; test/english.test.ts holds it. */
const width = 120;

/** Breaks text at spaces, but not inside a short code span. Later lines begin with `indent`. */
function wrapped(text: string, indent = ""): string {
  const glued = text.replace(/`[^`]*`/g, (span) =>
    span.length <= width / 2 ? span.replaceAll(" ", "\u00a0") : span,
  );
  const lines: string[] = [];
  for (const word of glued.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else {
      lines.push(line === undefined ? word : `${indent}${word}`);
    }
  }
  return lines.join("\n").replaceAll("\u00a0", " ");
}

function kindOf(field: Field): string {
  if (field.anyOf !== undefined) return field.anyOf.map(kindOf).join(" or ");
  if (field.enum !== undefined)
    return field.enum.map((its) => `\`${JSON.stringify(its)}\``).join(" or ");
  if (field.type === "integer" || field.type === "number") {
    return `a whole number from ${field.minimum} to ${field.maximum}`;
  }
  if (field.type === "string") return `text of at most ${field.maxLength} characters`;
  return field.type ?? "anything";
}

function wordsOf(field: Field): string {
  const words =
    field.description ?? field.anyOf?.map((its) => its.description ?? "").join("") ?? "";
  const usual =
    field.default === undefined ? "" : `; default: \`${JSON.stringify(field.default)}\``;
  return `${words}${usual}`;
}

/** The document with the current section. */
export function renewed(document: string): string {
  const [before, rest = ""] = document.split(begin);
  return `${before}${commandsSection()}${rest.split(end)[1] ?? ""}`;
}

if (import.meta.main) {
  await Bun.write(documentPath, renewed(await Bun.file(documentPath).text()));
}
