/** The type of a service, and its own keys -> what it has of its type alone, or why it cannot be started. Pure. */
import { listed } from "../../text/list.ts";
import { didYouMean, didYouMeanText } from "../../text/nearest.ts";
import { shown } from "../../text/shown.ts";
import { type Node, type Table, tableIn } from "../layer.ts";
import { serviceSchema } from "../schema.ts";
import { makesImage, readBuilt } from "../types/built.ts";
import { readContainer } from "../types/container.ts";
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

/** Words for a type that are no slip of its own, but what others call it. */
const otherWords: Readonly<Record<string, ServiceType>> = {
  command: "exec",
  server: "exec",
  service: "exec",
  web: "exec",
  job: "task",
  oneshot: "task",
  psql: "postgres",
  pg: "postgres",
  mongo: "mongodb",
  s3: "minio",
  mailhog: "mailpit",
  docker: "container",
  podman: "container",
  image: "container",
  oci: "container",
  static: "site",
  files: "site",
  spa: "site",
};

/** The type that an unknown word was meant to be, to end a sentence with; or, where none is near, `otherwise`. */
function nearType(word: string, otherwise: string): string {
  const lower = word.toLowerCase();
  const meant = Object.hasOwn(otherWords, lower) ? otherWords[lower] : undefined;
  if (meant !== undefined) return didYouMeanText(meant);
  return didYouMean(word, known, { quoted: true, otherwise });
}

/** By its keys alone. An image without a type is a container, as locald has it; so is a build that makes one. */
export function typeIn(table: Table): ServiceType {
  const { entries } = table;
  const written = entries.get("type");
  if (entries.has("plugin")) return "unknown";
  if (written === undefined) {
    const build = tableIn(table, "build").entries;
    return entries.has("image") || makesImage((key) => build.has(key)) ? "container" : "exec";
  }
  if (written.kind !== "leaf") return "unknown";
  return known.find((type) => type === written.value) ?? "unknown";
}

/** True where the type is a word that no type has, or a plugin's: nothing else of the service is understood. */
export function isUnknown(its: Table): boolean {
  const isWord = ["type", "plugin"].some((key) => its.entries.get(key)?.kind === "leaf");
  return isWord && typeIn(its) === "unknown";
}

export function readType(name: string, table: Table, reading: Reading): ReadType {
  const { fields, mistakes, warnings, options } = reading;
  const field = (key: string) =>
    fields.read<unknown>(table, { key, schema: serviceSchema, service: name });
  const type = typeIn(table);
  const refused = reading.plans.refused.get(name);
  if (refused !== undefined) {
    warnings.add(table, `${refused}; up starts the other services without it`);
    return { type: "unknown", own: undefined, unusable: refused };
  }
  const written = field("type")?.value;
  if (type === "unknown") {
    const asked = options.plans?.asked ?? [];
    const them = asked.length === 1 ? "the plugin" : "the plugins";
    const others = asked.length === 0 ? "" : `, also to ${them} ${listed(asked, { most: 5 })}`;
    const what = `type ${shown(written)} is unknown${others}`;
    // The list is long, and stands where the file is told of.
    const list = "; localhostess config check lists the types";
    const why = `its ${what}${nearType(String(written), list)}`;
    const entry = table.entries.get("type");
    // A value of a wrong form is an error, and has been reported.
    if (entry?.kind === "leaf") {
      const all = "up starts the other services without it";
      const plugins = asked.length === 0 ? ", and those that plugins know" : "";
      const near = nearType(String(written), `; the types are ${listed(known)}${plugins}`);
      warnings.add(entry, `${what}${near}; ${all}`);
    }
    return { type, own: undefined, unusable: why };
  }
  reportOthers(type, table, reading);
  const read: OwnReader = {
    value: <Value>(key: string): Value | undefined => {
      const node = table.entries.get(key);
      if (node?.kind !== "table") return field(key)?.value as Value | undefined;
      fields.noteTable(["services", name, key], node);
      return plain(node) as Value;
    },
    has: (key) => table.entries.has(key),
    holds: (key) => {
      const { freesPorts = false, local } = options;
      const source = table.entries.get(key)?.source;
      return !freesPorts || source === local || source?.isPlanned === true;
    },
    wrong: (key, what) => mistakes.add(table.entries.get(key) ?? table, what),
    directory: options.directory,
    home: options.home,
  };
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
  return type === "site" ? readSite(read) : readBuilt(read);
}

/** Keys that other types have, and this one does not. */
function reportOthers(type: ServiceType, { entries }: Table, { mistakes }: Reading): void {
  for (const [key, types] of Object.entries(typesWith) as [OwnKey, readonly ServiceType[]][]) {
    const node = entries.get(key);
    if (node === undefined || node.kind === "bad" || types.includes(type)) continue;
    const only = listed(
      types.map((its) => JSON.stringify(its)),
      { conjunction: "or" },
    );
    mistakes.add(node, `only for a service of type ${only}`);
  }
}
