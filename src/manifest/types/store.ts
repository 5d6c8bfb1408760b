/** The keys of `type = "redis"` and its like -> a managed store. Pure. */
import { array, description, optional, picklist, pipe } from "valibot";
import { expected, text } from "./forms.ts";
import type { StoreName, StoreSpec } from "./own.ts";
import type { OwnReader } from "./reader.ts";

export const storeKeys = {
  from: optional(
    pipe(
      picklist(["program", "container"], expected('"program" or "container"')),
      description(
        "Of a store: only from an installed program, or only in a container; by default the first of them that there is.",
      ),
    ),
  ),
  buckets: optional(
    pipe(
      array(text("a bucket's name"), expected('a list such as ["uploads"]')),
      description("Of minio: buckets that are made."),
    ),
  ),
};

/** Stores that make a database. */
const withDatabase: readonly StoreName[] = ["mysql", "mariadb", "mongodb"];

export function readStore(store: StoreName, { value, wrong }: OwnReader): StoreSpec {
  const database = value<string>("database");
  if (database !== undefined && !withDatabase.includes(store)) {
    wrong("database", `${store} has no databases to make`);
  }
  const buckets = value<string[]>("buckets");
  if (buckets !== undefined && store !== "minio") wrong("buckets", "only minio has buckets");
  return {
    kind: "store",
    store,
    version: value<string>("version"),
    from: value<"program" | "container">("from"),
    image: value<string>("image"),
    database,
    buckets: buckets ?? [],
    settings: value<Record<string, string>>("settings") ?? {},
  };
}
