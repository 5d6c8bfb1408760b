/** The first byte of a connection into the protocol that its client speaks. */
import { isToken } from "./bytes.ts";

export type Sniffed = "tls" | "http" | "unknown";

/**
 * Looks, takes nothing. TLS: the handshake content type 22 (RFC 8446 section 5.1). HTTP: a method's
 * first tchar (RFC 9110 section 9.1), or the empty line that a client may send first (RFC 9112 section 2.2).
 */
export function sniff(first: number): Sniffed {
  if (first === 0x16) return "tls";
  return isToken[first] === 1 || first === 13 ? "http" : "unknown";
}
