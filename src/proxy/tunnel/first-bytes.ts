/** The first bytes inside a tunnel -> whether they are a request that is ours to route, or HTTP/2. Pure. */
import { classifyHost } from "../../routes/host.ts";
import { readAuthority } from "../../wire/authority.ts";
import { RequestFraming } from "../../wire/framing.ts";
import { preface } from "../../wire/h2/frame.ts";
import { RequestHead } from "../../wire/head.ts";

const get = [71, 69, 84, 32];

/**
 * `asked` is the host that CONNECT asked for: an upgrade for another host is not ours to route.
 * - `upgrade`: a complete and well-formed handshake.
 * - `more`: the bytes may still become a handshake.
 * - `other`: anything else.
 */
export function mayBeUpgrade(
  bytes: Uint8Array,
  asked: { host: string; tlds: readonly string[] },
): "upgrade" | "more" | "other" {
  for (let i = 0; i < get.length && i < bytes.length; i++) {
    if (bytes[i] !== get[i]) return "other";
  }
  const read = headIn(bytes, asked.host);
  if (typeof read === "string") return read;
  const isOurs = classifyHost(asked.host, asked.tlds).kind === "name";
  return isOurs && read.upgrade ? "upgrade" : "other";
}

/**
 * The same for any request of HTTP/1.1, which a service gets that speaks HTTP/2 alone.
 * - `request`: a complete head for the host that CONNECT asked for.
 */
export function mayBeRequest(bytes: Uint8Array, host: string): "request" | "more" | "other" {
  const read = beginsWithPreface(bytes) ? "other" : headIn(bytes, host);
  return typeof read === "string" ? read : "request";
}

/** Whether the bytes are the beginning of HTTP/2, as far as they go. */
export function beginsWithPreface(bytes: Uint8Array): boolean {
  // Four octets, because no method of HTTP/1.1 begins with them and has a blank there.
  for (let i = 0; i < 4 && i < bytes.length; i++) if (bytes[i] !== preface[i]) return false;
  return bytes.length >= 4;
}

function headIn(bytes: Uint8Array, host: string): RequestFraming | "more" | "other" {
  const head = new RequestHead();
  const outcome = head.read(bytes);
  if (outcome.kind === "more") return "more";
  if (outcome.kind === "bad") return "other";
  const framing = new RequestFraming();
  if (framing.read(head, bytes) !== undefined || framing.connect) return "other";
  const authority = readAuthority(bytes, framing.hostStart, framing.hostEnd);
  return authority?.host === host ? framing : "other";
}
