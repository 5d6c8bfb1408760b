/** The type of a service, and its own keys -> what it has of its type alone, or why it cannot be started. Pure. */
import { listed } from "../../text/list.ts";
import { didYouMean } from "../../text/nearest.ts";
import { shown } from "../../text/shown.ts";
import type { Node, Table } from "../layer.ts";
import { serviceSchema } from "../schema.ts";
import { readContainer, type WrittenBuild } from "../types/container.ts";
import { type OwnKey, typesWith } from "../types/own-keys.ts";
import { type Own, type ServiceType, serviceTypes, storeNames } from "../types/own.ts";
import { readPostgres } from "../types/postgres.ts";
import type { OwnReader } from "../types/reader.ts";
import { readSite } from "../types/site.ts";
import { readStore } from "../types/store.ts";
import type { Reading } from "./reading.ts";

export type ReadType = {
  type: ServiceType;
  own: Own | undefined;
  unusable: string | undefined;
};

const known = serviceTypes.filter((type) => type !== "unknown");

/** An image without a type is a container, as locald has it. */
export function readType(name: string, table: Table, reading: Reading): ReadType {
  const { fields, mistakes, warnings, options } = reading;
  const field = (key: string) =>
    fields.read<unknown>(table, { key, schema: serviceSchema, service: name });
  const written = field("type")?.value as string | undefined;
  // A wrong form is an error that was reported.
  if (written === undefined)
    return { type: "unknown", own: undefined, unusable: "its type is wrong" };
  const isImage = !table.entries.has("type") && table.entries.has("image");
  const type = isImage ? "container" : known.find((its) => its === written);
  if (type === undefined) {
    const otherwise = `; the types are ${listed(known)}`;
    const why = `its type ${shown(written)} is unknown${didYouMean(written, known, { quoted: true, otherwise })}`;
    warnings.add(
      table.entries.get("type") ?? table,
      `${why}; the other services are not concerned`,
    );
    return { type: "unknown", own: undefined, unusable: why };
  }
  reportOthers(type, table, reading);
  const read: OwnReader = {
    value: <Value>(key: string): Value | undefined => {
      const node = table.entries.get(key);
      if (node?.kind !== "table") return field(key)?.value as Value | undefined;
      fields.noteTable(["services", name, key], node);
      return plain(node) as Value;
    },
    wrong: (key, what) => mistakes.add(table.entries.get(key) ?? table, what),
    directory: options.directory,
  };
  const build =
    type === "site" || type === "container" ? undefined : read.value<WrittenBuild>("build");
  if (build !== undefined) {
    const at = table.entries.get("build") ?? table;
    const what = "builds of services are not supported yet";
    warnings.add(at, what);
    const runs = table.entries.has("command");
    return { type, own: undefined, unusable: runs ? undefined : `${what}, and it has no command` };
  }
  return { type, own: ownOf(type, read), unusable: undefined };
}

/** A table that a file has in the place of a value. What is wrong in it is not there, and has been reported. */
function plain(node: Node): unknown {
  if (node.kind !== "table") return node.kind === "leaf" ? node.value : undefined;
  return Object.fromEntries(
    [...node.entries].flatMap(([key, its]) => (its.kind === "bad" ? [] : [[key, plain(its)]])),
  );
}

function ownOf(type: ServiceType, read: OwnReader): Own | undefined {
  const store = storeNames.find((its) => its === type);
  if (store !== undefined) return readStore(store, read);
  if (type === "postgres") return readPostgres(read);
  if (type === "container") return readContainer(read);
  return type === "site" ? readSite(read) : undefined;
}

/** Keys that other types have, and this one does not. */
function reportOthers(type: ServiceType, { entries }: Table, { mistakes }: Reading): void {
  for (const [key, types] of Object.entries(typesWith) as [OwnKey, readonly ServiceType[]][]) {
    const node = entries.get(key);
    if (node === undefined || node.kind === "bad" || types.includes(type) || key === "build")
      continue;
    const only = listed(
      types.map((its) => JSON.stringify(its)),
      { conjunction: "or" },
    );
    mistakes.add(node, `only for a service of type ${only}`);
  }
}
