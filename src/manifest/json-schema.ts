/** The schema of locald.toml -> JSON Schema, for editors. Pure. */
import { toJsonSchema } from "@valibot/to-json-schema";
import { layerSchema } from "./schema.ts";

/** Draft 7: what editors understand. */
export function jsonSchema(): object {
  const { $schema, ...schema } = toJsonSchema(layerSchema, {
    target: "draft-07",
    // What a person writes, not what is made of it.
    typeMode: "input",
    // Checks by code have no words there: an editor lets pass what they catch.
    errorMode: "ignore",
  });
  return {
    $schema,
    title: "locald.toml",
    description: "What `localhostess up` starts and keeps running.",
    ...schema,
  };
}
