/** A folder that a dump of files was unpacked to -> nothing, or why it is not put in the place of a store's data. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { leadsOut } from "../system/copy-folder.ts";
import { readText } from "../system/read-text.ts";
import { type Store, StoreRefusal } from "./store-sight.ts";

/** In a folder that was made from a dump: what the dump is of. */
export const describedName = "localhostess.json";

/** @throws StoreRefusal where the folder is not what a dump of this store's kind is unpacked to. */
export async function checkStaged({ id, type, version }: Store, folder: string): Promise<void> {
  const read = await readText(join(folder, describedName), { longest: 10_000 });
  let described: { type?: unknown; version?: unknown } = {};
  try {
    if (read.kind === "text") described = JSON.parse(read.text) as typeof described;
  } catch {
    // Cut in half: it says nothing, as below.
  }
  const data = join(folder, "data");
  if (typeof described.type !== "string" || !existsSync(data)) {
    throw new StoreRefusal("the file is no dump of a store's data, or only a part of one");
  }
  const [has, wants] = [
    [described.type, described.version ?? ""],
    [type, version ?? ""],
  ].map((words) => words.filter(Boolean).join(" "));
  if (has !== wants) {
    const how = "a dump in SQL can be read by both: localhostess db dump --format plain";
    const hint = type === "postgres" && described.type === type ? `; ${how}` : "";
    throw new StoreRefusal(`the file has the data of ${has}, and ${id} is ${wants}${hint}`);
  }
  if (type === "postgres") {
    const major = await readText(join(data, "PG_VERSION"), { longest: 100 });
    if (major.kind !== "text" || major.text.trim() !== version) {
      throw new StoreRefusal(`the file has no data of PostgreSQL ${version}`);
    }
  }
  const out = await leadsOut(folder);
  if (out !== undefined) throw new StoreRefusal(`the file has a link that leads out of it: ${out}`);
}
