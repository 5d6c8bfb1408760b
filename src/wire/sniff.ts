/** The first byte of a connection -> the protocol that its client speaks. */
import { isToken } from "./bytes.ts";

export type Sniffed = "tls" | "http" | "unknown";

/**
 * Examines the byte without consuming it. TLS: content type handshake, 22 (RFC 8446 section 5.1). HTTP: the first tchar
 * of a method (RFC 9110 section 9.1), or the empty line that a client may send first (RFC 9112 section 2.2).
 */
export function sniff(first: number): Sniffed {
  if (first === 0x16) return "tls";
  return isToken[first] === 1 || first === 13 ? "http" : "unknown";
}
