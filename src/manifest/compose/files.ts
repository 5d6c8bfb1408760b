/** Secrets and configs that are files -> volumes. Pure. */
import { folderText } from "./build.ts";
import { type Context, itemsOf } from "./context.ts";
import { entryOf, scalarText } from "./load.ts";
import { refusalOf } from "./volumes.ts";
import type { Entry } from "./yaml.ts";

/** Files that compose mounts are folders of the project to us. */
export function readFiles(
  kind: "secrets" | "configs",
  entry: Entry,
  { out, facts, text, none }: Context,
) {
  for (const item of itemsOf(entry.node)) {
    const name = scalarText(item) ?? scalarText(entryOf(item, "source")?.node) ?? "";
    const declared = facts.files.get(`${kind}.${name}`)?.node;
    const file = text(entryOf(declared, "file")?.node);
    const at = text(entryOf(item, "target")?.node) ?? name;
    const target = at.startsWith("/") ? at : `${kind === "secrets" ? "/run/secrets" : ""}/${at}`;
    const path = file === undefined ? undefined : folderText(declared!, file);
    const volume = `${path}:${target}:ro`;
    const why = path === undefined ? undefined : refusalOf(volume, out);
    if (path === undefined || why !== undefined) none(kind, { at: item, node: item }, why);
  }
}
