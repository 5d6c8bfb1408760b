/** The text of a layer's TOML file -> its types, and the text with which it is restored. Pure. */
import { parse, stringify } from "smol-toml";
import { shown } from "../../text/shown.ts";
import { readTable, type Table } from "./read-table.ts";

export type LayerTypes = { build: boolean; launch: boolean; cache: boolean };

export type ReadLayer =
  /** `others`: keys of [types] that mean nothing. */
  | { kind: "layer"; types: LayerTypes; execEnvs: readonly string[]; others: readonly string[] }
  /** A clause that names the key. */
  | { kind: "mistake"; what: string };

const names = ["build", "launch", "cache"] as const;

/** buildpack.md, Layer Content Metadata: a type that is not set is false. */
export function readLayer(text: string): ReadLayer {
  const read = readTable(text);
  if (read.kind === "mistake") return read;
  const { types = {}, metadata = {} } = read.table;
  const early = names.find((name) => name in read.table);
  if (early !== undefined) {
    return mistake(`${early} stands in [types], since Buildpack API 0.6`);
  }
  if (!isTable(types)) return mistake(`types is ${shown(types)}, and has to be a table`);
  for (const name of names) {
    const its = types[name];
    if (its !== undefined && typeof its !== "boolean") {
      return mistake(`types.${name} is ${shown(its)}, and has to be true or false`);
    }
  }
  // Metadata is the buildpack's own: some write a text.
  const execEnvs = isTable(metadata) ? (metadata["exec-env"] ?? []) : [];
  return {
    kind: "layer",
    types: {
      build: types.build === true,
      launch: types.launch === true,
      cache: types.cache === true,
    },
    execEnvs: Array.isArray(execEnvs) ? execEnvs.filter((its) => typeof its === "string") : [],
    others: Object.keys(types).filter((name) => !names.some((one) => one === name)),
  };
}

/** Without [types]: a restored layer has none until its buildpack sets them (buildpack.md, Reusing Layers). */
export function withoutTypes(text: string): string {
  // Integers stay integers and floats floats, as buildpacks compare what they have written.
  const { types: _, ...rest } = parse(text, { integersAsBigInt: true });
  return stringify(rest, { numbersAsFloat: true });
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mistake(what: string): { kind: "mistake"; what: string } {
  return { kind: "mistake", what };
}
