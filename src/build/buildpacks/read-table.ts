/** The text of a file that a buildpack has written -> its table, or what is wrong with it. Pure. */
import { readToml } from "../../manifest/toml.ts";

export type Table = Readonly<Record<string, unknown>>;

export type ReadTable = { kind: "table"; table: Table } | { kind: "mistake"; what: string };

export function readTable(text: string): ReadTable {
  const read = readToml(text);
  if (read.kind === "done") return { kind: "table", table: read.document.value };
  return { kind: "mistake", what: `line ${read.place.line} is no TOML: ${read.why}` };
}
