/** The shapes of all answers -> docs/json.md and a JSON Schema. `bun test/cli/json-document.ts` writes both. */
import { join, resolve } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import { answers, type Shape, shapes } from "./json-shapes.ts";

const docs = join(resolve(import.meta.dir, "../.."), "docs");
export const documentPath = join(docs, "json.md");
export const schemaPath = join(docs, "json.schema.json");

const begin = "<!-- shapes: begin -->";
const end = "<!-- shapes: end -->";

/** The parts of a valibot schema that are read here. */
type Parts = {
  type: string;
  pipe?: readonly Parts[];
  description?: string;
  wrapped?: Parts;
  item?: Parts;
  options?: readonly (string | Parts)[];
  literal?: unknown;
  entries?: Readonly<Record<string, Parts>>;
  requirement?: unknown;
};

const names = new Map<unknown, string>(
  Object.entries(shapes).map(([name, shape]) => [shape.entries, name]),
);

function descriptionOf({ pipe = [] }: Parts): string {
  return pipe.find(({ type }) => type === "description")?.description ?? "";
}

/** For people: `text or null`, `array of numbers`. */
function typeText(its: Parts): string {
  const name = names.get(its.entries);
  if (name !== undefined) return `[${name}](#${name.toLowerCase().replaceAll(" ", "-")})`;
  switch (its.type) {
    case "nullable":
      return `${typeText(its.wrapped!)} or null`;
    case "optional":
      return `${typeText(its.wrapped!)}, may be absent`;
    case "array":
      return `array of ${typeText(its.item!)}`;
    case "picklist":
      return its.options!.map((word) => `\`${word as string}\``).join(", ");
    case "union":
      return (its.options as readonly Parts[]).map(typeText).join(" or ");
    case "string":
      return isTime(its) ? "time" : "text";
    case "literal":
      return `\`${String(its.literal)}\``;
    case "strict_object": {
      const fields = Object.entries(its.entries!).map(([key, value]) => {
        const of = value.wrapped?.item ?? value.item ?? value.wrapped ?? value;
        return of.type === "strict_object" && !names.has(of.entries)
          ? `${key}: ${typeText(of)}`
          : key;
      });
      return `\`{${fields.join(", ").replaceAll("`", "")}}\``;
    }
    case "record":
      return "object";
    case "unknown":
      return "any value";
    default:
      return its.type;
  }
}

/** Text with a pattern: there is no other. */
function isTime({ type, pipe = [] }: Parts): boolean {
  return type === "regex" || pipe.some(isTime);
}

function answerText(shape: Shape): string {
  const its = shape as unknown as Parts;
  const isOwn = its.type === "strict_object" && !names.has(its.entries);
  return isOwn ? fieldsText(its.entries!) : typeText(its);
}

function fieldsText(entries: Readonly<Record<string, Parts>>): string {
  return Object.entries(entries)
    .map(([key, its]) => {
      const words = descriptionOf(its);
      return `\`${key}\`${words === "" ? "" : ` (${words})`}`;
    })
    .join(", ");
}

/** With cells as wide as the formatter makes them. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, at) => Math.max(3, ...rows.map((cells) => cells[at]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const [first, ...others] = rows.map(line);
  return [first, line(widths.map((width) => "-".repeat(width))), ...others].join("\n");
}

export function shapesSection(): string {
  const verbs = Object.entries(answers).map(([verb, { shape, stream = false, note = "" }]) => {
    const what = shape === undefined ? "" : answerText(shape);
    const how = stream ? "a stream, one value a line" : "";
    return [`\`${verb}\``, [what, how, note].filter(Boolean).join("; ")];
  });
  const parts = Object.entries(shapes).map(([name, { entries }]) => {
    const fields = Object.entries(entries as unknown as Record<string, Parts>);
    const body = fields.map(([key, its]) => [`\`${key}\``, typeText(its), descriptionOf(its)]);
    return `### ${name}\n\n${table(["key", "value", "meaning"], body)}`;
  });
  return [
    begin,
    "## Answers",
    table(["command", "answer"], verbs),
    "## Shapes",
    ...parts,
    end,
  ].join("\n\n");
}

/** `$defs` has the shapes and, by their words, the verbs; a stream's are those of one line. */
export function schema(): object {
  const of = (shape: Shape): object => {
    const {
      $schema: _,
      definitions: _d,
      $defs: _e,
      ...its
    } = toJsonSchema(shape, {
      errorMode: "ignore",
      definitions: others(shape),
    }) as Record<string, unknown>;
    return its;
  };
  /** A shape is written once, and is a reference elsewhere. */
  const others = (shape: Shape): Record<string, Shape> =>
    Object.fromEntries(Object.entries(shapes).filter(([, its]) => its !== shape));
  const shared = Object.entries(shapes).map(([name, shape]) => [name, of(shape)]);
  const verbs = Object.entries(answers).flatMap(([verb, { shape }]) =>
    shape === undefined ? [] : [[`localhostess ${verb}`, of(shape)]],
  );
  return {
    $schema: "https://json-schema.org/draft-07/schema#",
    title: "The JSON of localhostess",
    $defs: Object.fromEntries([...shared, ...verbs]),
  };
}

/** The document with the current section. */
export function renewed(text: string): string {
  const [before, rest = ""] = text.split(begin);
  return `${before}${shapesSection()}${rest.split(end)[1] ?? ""}`;
}

if (import.meta.main) {
  await Bun.write(documentPath, renewed(await Bun.file(documentPath).text()));
  await Bun.write(schemaPath, `${JSON.stringify(schema(), undefined, 2)}\n`);
  // The formatter has its own way with lists.
  await Bun.spawn([process.execPath, "fmt", schemaPath], { stdout: "ignore" }).exited;
}
