/** The first bytes inside a tunnel -> whether they are a request that is ours to route. Pure. */
import { classifyHost } from "../../routes/host.ts";
import { readAuthority } from "../../wire/authority.ts";
import { RequestFraming } from "../../wire/framing.ts";
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
  if (!read.upgrade) return "other";
  return classifyHost(asked.host, asked.tlds).kind === "name" ? "upgrade" : "other";
}

/**
 * The same for any request of HTTP/1.1, which a service gets that speaks HTTP/2 alone.
 * - `request`: a complete head for the host that CONNECT asked for.
 */
export function mayBeRequest(bytes: Uint8Array, host: string): "request" | "more" | "other" {
  const read = headIn(bytes, host);
  return typeof read === "string" ? read : "request";
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
