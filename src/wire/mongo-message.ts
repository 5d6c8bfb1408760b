/** A command, and its reply -> OP_MSG of MongoDB's wire protocol, and whether the server takes writes. Pure. */
import { type BsonField, bsonFields, type BsonValue, bsonOf, int32 } from "./bson.ts";
import { bad, more, type Parsed } from "./parsed.ts";
import { notYet, serves, type StoreQuestion, type StoreState } from "./store-answer.ts";

/** Length, request, response to, operation: each an int32. */
const headLength = 16;
const opMsg = 2013;
/** Flags, and the kind of the one section. */
const sectionAt = headLength + 5;
/** Bytes of a reply to what we ask: half a thousand, some more in a replica set. */
const longest = 64 * 1024;

const notMongo = "its answer is not MongoDB's protocol";

/** `document`: its first key is the command's name. */
export function mongoCommand(document: { readonly [key: string]: BsonValue }): Uint8Array {
  const body = bsonOf(document);
  const head = [sectionAt + body.length, 1, 0, opMsg, 0].flatMap((its) => [...int32(its)]);
  return Uint8Array.from([...head, 0, ...body]);
}

/** The fields of the reply that the bytes begin with. */
export function mongoReply(bytes: Uint8Array): Parsed<Map<string, BsonField>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) return more;
  const end = view.getInt32(0, true);
  if (end < sectionAt + 5 || end > longest) return bad(502, notMongo);
  if (bytes.length >= headLength && view.getInt32(12, true) !== opMsg) return bad(502, notMongo);
  if (bytes.length < end) return more;
  // The flag of a checksum, and sections of another kind, are only there where one has asked for them.
  const fields =
    bytes[sectionAt - 1] === 0 ? bsonFields(bytes.subarray(sectionAt, end)) : undefined;
  return fields === undefined ? bad(502, notMongo) : { kind: "done", value: fields, end };
}

export const mongoQuestion: StoreQuestion = {
  hello: mongoCommand({ hello: 1, $db: "admin" }),
  answer(bytes) {
    const reply = mongoReply(bytes);
    return reply.kind === "done" ? { ...reply, value: stateIn(reply.value) } : reply;
  },
};

function stateIn(fields: Map<string, BsonField>): StoreState {
  if (fields.get("ok") !== 1) {
    return notYet(String(fields.get("errmsg") ?? "it refuses the question"));
  }
  return fields.get("isWritablePrimary") === true ? serves : notYet("it is no writable primary");
}
