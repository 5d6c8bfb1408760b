/** A table and a key -> the value, or its default; every value is noted with the line that it comes from. Pure. */
import { type GenericSchema, safeParse } from "valibot";
import type { Origin } from "../config.ts";
import type { Leaf, Table } from "../layer.ts";
import type { Path } from "../toml.ts";
import type { At } from "./mistakes.ts";

/** A value that counts. */
export type Field = {
  /** `["services", "web", "port"]`. */
  path: Path;
  /** As written, by a person or by us. */
  value: unknown;
  /** Undefined: the value is the default. */
  origin: Origin | undefined;
};

/** A value, and where an error in it is reported. */
export type Known<Value> = At & { value: Value };

export type FieldOptions = {
  key: string;
  schema: GenericSchema;
  service?: string;
  /** A table in the service: `health_check`. */
  within?: string;
  /** The field is not noted. */
  quiet?: boolean;
};

export class Fields {
  readonly all: Field[] = [];
  /** As one text each: a value may be read twice. */
  readonly #noted = new Set<string>();

  /** Undefined where the key is missing and has no default, and where its value is wrong. */
  read<Value>(
    its: Table,
    { key, schema, service, within, quiet = false }: FieldOptions,
  ): Known<Value> | undefined {
    const path = pathOf({ key, service, within });
    const node = its.entries.get(key);
    if (node?.kind === "leaf") {
      if (!quiet) this.noteLeaf(path, node);
      return { value: node.value as Value, source: node.source, path: node.path };
    }
    if (node !== undefined) return undefined;
    const entry = (schema as unknown as { entries: Record<string, GenericSchema> }).entries[key]!;
    const usual = (entry as { default?: unknown }).default;
    if (usual === undefined) return undefined;
    if (!quiet) this.noteDefault(path, usual);
    const { output } = safeParse(entry, undefined);
    return { value: output as Value, source: its.source, path: its.path };
  }

  noteDefault(path: Path, value: unknown): void {
    this.#note({ path, value, origin: undefined });
  }

  noteLeaf(path: Path, { source, path: written, raw }: Leaf): void {
    this.note(path, { value: raw, source, path: written });
  }

  /** Every value in a table. */
  noteTable(path: Path, its: Table): void {
    for (const [key, node] of its.entries) {
      if (node.kind === "table") this.noteTable([...path, key], node);
      if (node.kind === "leaf") this.noteLeaf([...path, key], node);
    }
  }

  note(path: Path, { value, source, path: written }: Known<unknown>): void {
    this.#note({ path, value, origin: { file: source.name, line: source.lineOf(written) } });
  }

  #note(field: Field): void {
    const key = JSON.stringify(field.path);
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    this.all.push(field);
  }
}

function pathOf({
  key,
  service,
  within,
}: {
  key: string;
  service: string | undefined;
  within: string | undefined;
}): Path {
  if (service === undefined) return ["project", key];
  return within === undefined ? ["services", service, key] : ["services", service, within, key];
}
