/**
 * A request for another protocol and the 101 that answers it -> the reason why the two do not match, if they do not.
 * Pure.
 */
import { createHash } from "node:crypto";
import { Field } from "../../wire/field.ts";
import type { Framing } from "../../wire/framing.ts";
import type { FieldLines } from "../../wire/head.ts";

type Message = { head: FieldLines; bytes: Uint8Array };

/** RFC 6455 section 1.3: both ends append this to the key. */
const webSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * RFC 9110 section 7.8: a server switches only to protocols that the client asked for, and names them. RFC 6455 section
 * 4.1: the answer to a WebSocket's key proves that the server has read the handshake. Without either, nothing shows
 * that the server understood the switch, and the bytes that follow are whatever the client wrote.
 */
export function switchProblem(
  asked: Message,
  answer: Message & { framing: Framing },
): string | undefined {
  const offered = protocolsOf(asked);
  const taken = protocolsOf(answer);
  // A field with nothing but commas names no protocol either.
  if (!answer.framing.upgrade || taken.length === 0) {
    return "it switched protocols without naming the new one";
  }
  if (!taken.every((protocol) => offered.includes(protocol))) {
    return "it switched to a protocol that was not requested";
  }
  const key = valuesOf(asked, "sec-websocket-key")[0];
  if (key === undefined || !taken.includes("websocket")) return undefined;
  const accepted = valuesOf(answer, "sec-websocket-accept");
  return accepted.length === 1 && accepted[0] === acceptOf(key)
    ? undefined
    : "its Sec-WebSocket-Accept does not answer the Sec-WebSocket-Key";
}

/** RFC 6455 section 4.2.2. A malformed key also has an answer. */
function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + webSocketGuid, "latin1")
    .digest("base64");
}

/** The members of all Upgrade fields. RFC 9110 section 7.8: names are compared without case. */
function protocolsOf({ head, bytes }: Message): string[] {
  const protocols: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.idOf(index) !== Field.upgrade) continue;
    const members = head.valueOf(bytes, index).toLowerCase().split(",");
    protocols.push(...members.map((member) => member.trim()).filter((member) => member !== ""));
  }
  return protocols;
}

function valuesOf({ head, bytes }: Message, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.isNamed(bytes, index, name)) values.push(head.valueOf(bytes, index));
  }
  return values;
}
