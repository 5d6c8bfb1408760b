/** The schema of locald.toml -> JSON Schema, for editors. Pure. */
import { toJsonSchema } from "@valibot/to-json-schema";
import { layerSchema } from "./schema.ts";

/** Draft 7, which editors understand. */
export function jsonSchema(): object {
  const { $schema, ...schema } = toJsonSchema(layerSchema, {
    target: "draft-07",
    // The values that a person writes, not those that they are turned into.
    typeMode: "input",
    // JSON Schema cannot express checks by code, so editors do not report what they catch.
    errorMode: "ignore",
  });
  return {
    $schema,
    title: "locald.toml",
    description: "What `localhostess up` starts and keeps running.",
    ...schema,
  };
}
