/** The text of a file -> its part of a project, each value with its place, and every error in it. Pure. */
import { type GenericSchema, safeParse } from "valibot";
import { configSchema, unknownKey } from "./config.ts";
import { layerSchema, otherWords, serviceSchema } from "./schema.ts";
import { type Document, type Path, pathText, readToml } from "./toml.ts";

/** The layer above locald.toml: for one folder alone, and not committed. */
export const localFile = "locald.local.toml";

/** The file that was read. */
export type Source = {
  /** The name in messages: `locald.toml`, `../.locald.toml`. */
  name: string;
  lineOf(path: Path): number;
  /** The values are of an accepted plan. */
  isPlanned?: boolean;
};

/** The line of values that no file has. */
export const noLine = 0;

export type Mistake = {
  source: Source;
  path: Path;
  /** Where the line alone is not enough. */
  column?: number;
  what: string;
};

type At = {
  source: Source;
  /** Keys in that file. */
  path: Path;
};

export type Leaf = At & {
  kind: "leaf";
  /** As written. */
  raw: unknown;
  /** As understood: durations in milliseconds, signals with SIG. */
  value: unknown;
};

export type Table = At & { kind: "table"; entries: ReadonlyMap<string, Node> };

/** A value that is wrong, or has an unknown key, and has been reported: it does not count as missing. */
export type Bad = At & {
  kind: "bad";
  /** As written. */
  raw: unknown;
};

export type Node = Leaf | Table | Bad;

export type Layer = {
  tree: Table;
  mistakes: readonly Mistake[];
  /** False: not valid TOML, so nothing is known of its values. */
  readable: boolean;
  /** The layer is config.toml, which holds for all projects of a person. */
  personal: boolean;
};

export type LayerOptions = {
  /** The name in messages. */
  name: string;
  /** The global configuration, which has keys of its own besides. */
  global?: boolean;
};

export function readLayer(text: string, { name, global = false }: LayerOptions): Layer {
  const toml = readToml(text);
  if (toml.kind === "bad") {
    const { line, column } = toml.place;
    const source = { name, lineOf: () => line };
    const mistake = { source, path: [], column, what: `invalid TOML: ${toml.why}` };
    return { tree: emptyTable(source), mistakes: [mistake], readable: false, personal: global };
  }
  const { value, placeOf } = toml.document;
  const foreign = global ? Object.keys(configSchema.entries) : [];
  const own = Object.entries(value).filter(([key]) => !foreign.includes(key));
  const document = { value: Object.fromEntries(own), placeOf };
  return { ...layerOf(document, name, { foreign }), personal: global };
}

/** `foreign`: keys that the file has besides, which someone else reads. */
export function layerOf(
  { value, placeOf }: Document,
  name: string,
  { foreign = [] }: { foreign?: readonly string[] } = {},
): Layer {
  const source = { name, lineOf: (path: Path) => placeOf(path).line };
  const reading = new Reading(source, foreign);
  const tree = reading.table(layerSchema, value, []);
  return { tree, mistakes: reading.mistakes, readable: true, personal: false };
}

export function emptyTable(source: Source): Table {
  return { kind: "table", source, path: [], entries: new Map() };
}

/** The table under a key; an empty one where there is none. */
export function tableIn(its: Table, key: string): Table {
  const node = its.entries.get(key);
  return node?.kind === "table" ? node : { ...its, entries: new Map() };
}

/** `locald.toml:14 services.web.port: ...`. */
export function mistakeText({ source, path, column, what }: Mistake): string {
  const line = source.lineOf(path);
  const place = line === noLine ? source.name : `${source.name}:${line}`;
  if (column !== undefined) return `${place}:${column}: ${what}`;
  return path.length === 0 ? `${place} ${what}` : `${place} ${pathText(path)}: ${what}`;
}

/** The parts of a valibot schema that are read here. */
type Schema = GenericSchema & {
  entries?: Record<string, Schema>;
  wrapped?: Schema;
  options?: readonly Schema[];
  value?: Schema;
};

class Reading {
  readonly mistakes: Mistake[] = [];
  readonly #source: Source;
  readonly #foreign: readonly string[];

  constructor(source: Source, foreign: readonly string[]) {
    this.#source = source;
    this.#foreign = foreign;
  }

  table(schema: GenericSchema, value: object, path: Path): Table {
    const { entries, value: each } = schema as Schema;
    const nodes = new Map<string, Node>();
    for (const [key, part] of Object.entries(value)) {
      const its = [...path, key];
      const entry = entries === undefined ? each : ownEntry(entries, key);
      if (entry === undefined) {
        this.#unknown(Object.keys(entries!), its);
        // A plugin may know the key.
        if (path[0] === "services") nodes.set(key, this.#bad(part, its));
      } else nodes.set(key, this.#node(entry, part, its));
    }
    return { kind: "table", source: this.#source, path, entries: nodes };
  }

  #node(schema: Schema, value: unknown, path: Path): Node {
    const at = { source: this.#source, path };
    const service = path.length === 2 && path[0] === "services";
    // A string is a service with that command, and is merged like one.
    if (service && typeof value === "string") {
      const entries = new Map([["command", this.#leaf(commandSchema(), value, path)]]);
      return { kind: "table", ...at, entries };
    }
    const shape = schema.wrapped ?? schema;
    const table = tableOf(shape);
    if (table !== undefined && isTable(value)) return this.table(table, value, path);
    if (table !== undefined && typeof value === "object" && !takesList(shape, value)) {
      // A list or a date; the schema would accept any object as a table.
      const { message } = shape as { message?: unknown };
      const what = typeof message === "function" ? message({ input: value }) : String(message);
      this.#mistake(path, what);
      return this.#bad(value, path);
    }
    return this.#leaf(shape, value, path);
  }

  #leaf(shape: Schema, value: unknown, path: Path): Leaf | Bad {
    const at = { source: this.#source, path };
    const { issues, output } = safeParse(shape, value, { abortPipeEarly: true });
    if (issues === undefined) return { kind: "leaf", ...at, raw: value, value: output };
    for (const issue of issues) {
      const within = (issue.path ?? []).map((item) => item.key as string | number);
      this.#mistake([...path, ...within], issue.message);
    }
    return this.#bad(value, path);
  }

  #bad(raw: unknown, path: Path): Bad {
    return { kind: "bad", source: this.#source, path, raw };
  }

  #unknown(known: readonly string[], path: Path): void {
    const key = String(path.at(-1));
    const other = own(otherWords, key);
    const meant = other !== undefined && known.includes(other) ? other : key;
    this.#mistake(
      path,
      unknownKey(meant, path.length === 1 ? [...this.#foreign, ...known] : known),
    );
  }

  #mistake(path: Path, what: string): void {
    this.mistakes.push({ source: this.#source, path, what });
  }
}

function ownEntry(entries: Record<string, Schema>, key: string): Schema | undefined {
  return Object.hasOwn(entries, key) ? entries[key] : undefined;
}

function own(words: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(words, key) ? words[key] : undefined;
}

function commandSchema(): Schema {
  return serviceSchema.entries.command.wrapped as Schema;
}

/** The schema of a table in that place; undefined where no table is allowed. */
function tableOf(schema: Schema): Schema | undefined {
  if (schema.options !== undefined) {
    return schema.options
      .map((option) => (isObject(option) ? tableOf(option) : undefined))
      .find(Boolean);
  }
  return schema.type === "strict_object" || schema.type === "record" ? schema : undefined;
}

/** Whether the value is a list, in a place where a list may stand beside a table. */
function takesList({ options = [] }: Schema, value: unknown): boolean {
  return Array.isArray(value) && options.some((option) => option.type === "array");
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
