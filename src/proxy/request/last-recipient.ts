/**
 * An OPTIONS or TRACE that may go no further -> the answer of its last recipient. RFC 9110 sections 7.6.2 and 9.3.8.
 */
import { latin1 } from "../../wire/bytes.ts";
import { FIELD_STRIDE, NAME_END, NAME_START, type RequestHead } from "../../wire/head.ts";
import type { Reply } from "../pages/reply.ts";

/** TRACE echoes the request that arrived, but never these fields. */
const secret = ["authorization", "cookie", "proxy-authorization"];

export function lastRecipientReply(head: RequestHead, bytes: Uint8Array): Reply {
  if (head.method(bytes) === "OPTIONS") return { status: 200, fields: [], body: "" };
  const lines = [latin1(bytes, head.start, head.fieldsStart - 2)];
  for (let index = 0; index < head.fieldCount; index++) {
    const at = index * FIELD_STRIDE;
    const name = latin1(bytes, head.fields[at + NAME_START]!, head.fields[at + NAME_END]!);
    if (secret.includes(name.toLowerCase())) continue;
    lines.push(`${name}: ${head.valueOf(bytes, index)}`);
  }
  return {
    status: 200,
    fields: [["Content-Type", "message/http"]],
    body: `${lines.join("\r\n")}\r\n\r\n`,
  };
}
