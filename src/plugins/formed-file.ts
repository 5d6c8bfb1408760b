/** A private file of the state directory -> its value as a schema has it, or why it is of no use. */
import * as v from "valibot";
import { readPrivateFile } from "../system/private-file.ts";
import { inForm, type StateFormat } from "../system/state-format.ts";
import { shownSize } from "../text/size.ts";

export type FormedFile<Value> =
  | { kind: "value"; value: Value }
  | { kind: "absent" }
  /** `why` is a clause. */
  | { kind: "broken"; why: string }
  /** Written by a newer version of this program; a whole sentence. */
  | { kind: "newer"; why: string };

export type FormedOptions<Value> = {
  schema: v.GenericSchema<unknown, Value>;
  format: StateFormat;
  /** Bytes. */
  longest: number;
  /** Bits of its mode that others may not have. */
  forbidden: number;
};

export function readFormedFile<Value>(
  path: string,
  { schema, format, longest, forbidden }: FormedOptions<Value>,
): FormedFile<Value> {
  const its = readPrivateFile(path, { limit: longest, forbidden });
  if (its.kind === "absent") return { kind: "absent" };
  if (its.kind === "exposed") {
    return { kind: "broken", why: "another user owns it, or has more rights to it than is safe" };
  }
  if (its.kind === "broken") {
    return {
      kind: "broken",
      why: `it is not a regular file, or larger than ${shownSize(longest)}`,
    };
  }
  if (its.kind === "unknown") return { kind: "broken", why: "the system cannot read it now" };
  let value: unknown;
  try {
    value = JSON.parse(its.text);
  } catch (error) {
    return { kind: "broken", why: (error as Error).message };
  }
  const formed = inForm(value, { path, format });
  if (formed.kind === "newer") {
    return { kind: "newer", why: `${path} is not used: ${formed.why}; ${formed.fix}` };
  }
  const checked = v.safeParse(schema, formed.value);
  return checked.success
    ? { kind: "value", value: checked.output }
    : { kind: "broken", why: "its content is not valid" };
}
