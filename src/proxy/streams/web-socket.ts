/** A WebSocket's handshake in HTTP/1.1 <-> the same in HTTP/2, an extended CONNECT. RFC 8441. Pure. */
import { createHash } from "node:crypto";
import { encode, equalsIgnoreCase } from "../../wire/bytes.ts";
import { Field } from "../../wire/field.ts";
import { FIELD_STRIDE, FieldLines, type RequestHead } from "../../wire/head.ts";

/** The handshake's fields without its key, which HTTP/2 has no use for, and the key. */
export type Bridged = { key: string; fields: FieldLines };

/** RFC 6455 section 1.3: both ends append this to the key. */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const keyName = "sec-websocket-key";

/** Undefined: the request asks for no WebSocket. */
export function bridged(head: RequestHead, bytes: Uint8Array): Bridged | undefined {
  const upgrade = head.find(Field.upgrade);
  if (upgrade === -1 || head.valueOf(bytes, upgrade).toLowerCase() !== "websocket") {
    return undefined;
  }
  if (head.method(bytes) !== "GET") return undefined;
  const fields = new FieldLines();
  let key: string | undefined;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.isNamed(bytes, index, keyName)) {
      key = head.valueOf(bytes, index);
      continue;
    }
    for (let i = 0; i < FIELD_STRIDE; i++) {
      fields.fields[fields.fieldCount * FIELD_STRIDE + i] = head.fields[index * FIELD_STRIDE + i]!;
    }
    fields.fieldCount++;
  }
  return key === undefined ? undefined : { key, fields };
}

/** A head that accepts the extended CONNECT, as HTTP/1.1 has it -> the 101 that accepts the handshake. */
export function acceptOf({ key }: Bridged, head: Uint8Array): Uint8Array {
  const accept = createHash("sha1")
    .update(key + guid, "latin1")
    .digest("base64");
  const first = encode(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`,
  );
  const lines = head.subarray(head.indexOf(10) + 1);
  const whole = new Uint8Array(first.length + lines.length);
  whole.set(first);
  let length = first.length;
  // The content that follows has no framing, so that its fields would be wrong, and so would a second proof.
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf(10, at) + 1;
    if (!dropped.some((name) => equalsIgnoreCase(lines, at, at + name.length, name))) {
      whole.set(lines.subarray(at, end), length);
      length += end - at;
    }
    at = end;
  }
  return whole.subarray(0, length);
}

const dropped = ["content-length:", "transfer-encoding:", "sec-websocket-accept:", "trailer:"];
