/** The keys of `type = "redis"` and its like -> a managed store. Pure. */
import { array, description, optional, picklist, pipe, regex } from "valibot";
import { expected, text } from "./forms.ts";
import type { StoreName, StoreSpec } from "./own.ts";
import { settingsIn } from "./postgres.ts";
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
      array(
        pipe(
          text("a bucket's name"),
          regex(
            /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
            'expected a bucket such as "uploads": 3 to 63 lower-case letters, digits, "." and "-"',
          ),
        ),
        expected('a list such as ["uploads"]'),
      ),
      description("Of minio: buckets that are made."),
    ),
  ),
};

export function readStore(store: StoreName, reader: OwnReader): StoreSpec {
  const { value } = reader;
  return {
    kind: "store",
    store,
    version: value<string>("version"),
    from: value<"program" | "container">("from"),
    image: value<string>("image"),
    database: value<string>("database"),
    buckets: value<string[]>("buckets") ?? [],
    settings: settingsIn(reader),
  };
}
