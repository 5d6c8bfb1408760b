/** One of our own answers -> the bytes of a complete HTTP/1.1 response. Pure. */
import { reasonOf } from "../../wire/reason.ts";

/**
 * `fields` are those of this reply alone; `encodeReply` adds framing, and the fields of every reply that it has not
 * itself.
 */
export type Reply = {
  status: number;
  fields: readonly (readonly [string, string])[];
  body: string;
};

const everyReply: Reply["fields"] = [
  // Shows that the proxy answers, not the app behind it. No version number, because strangers can ask too.
  ["Server", "localhostess"],
  ["Cache-Control", "no-store"],
  ["X-Content-Type-Options", "nosniff"],
  // Every app behind the proxy could use our pages in <img> or <script>; no app needs to.
  ["Cross-Origin-Resource-Policy", "same-origin"],
];

const encoder = new TextEncoder();

/**
 * `head`: the request was HEAD, so the body is counted but not sent (RFC 9110 section 9.3.2). `date`: milliseconds
 * since the Unix epoch; without it, there is no Date field.
 * @throws Error if a field contains a line end. That is our own fault, as pages escape what peers send.
 */
export function encodeReply(
  reply: Reply,
  options: { head: boolean; close: boolean; date?: number },
): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(reply.body);
  let head = `HTTP/1.1 ${reply.status} ${reasonOf(reply.status)}\r\n`;
  if (options.date !== undefined) head += `Date: ${new Date(options.date).toUTCString()}\r\n`;
  const own = new Set(reply.fields.map(([name]) => name));
  const usual = everyReply.filter(([name]) => !own.has(name));
  for (const [name, value] of [...usual, ...reply.fields]) {
    if (!/^[\x20-\x7e]+$/.test(value) || !/^[\w-]+$/.test(name)) {
      throw new Error(`a reply of ours has a bad field: ${JSON.stringify([name, value])}`);
    }
    head += `${name}: ${value}\r\n`;
  }
  head += `Content-Length: ${body.length}\r\n`;
  if (options.close) head += "Connection: close\r\n";
  head += "\r\n";
  if (options.head) return encoder.encode(head);

  const bytes = new Uint8Array(head.length + body.length);
  encoder.encodeInto(head, bytes);
  bytes.set(body, head.length);
  return bytes;
}

/** @param text without its final newline, which is added. */
export function textReply(status: number, text: string): Reply {
  return {
    status,
    fields: [["Content-Type", "text/plain; charset=utf-8"]],
    body: `${text}\n`,
  };
}

export function jsonReply(status: number, value: unknown): Reply {
  return {
    status,
    fields: [["Content-Type", "application/json"]],
    body: `${JSON.stringify(value, undefined, 2)}\n`,
  };
}
