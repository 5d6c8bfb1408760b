/** A server's first bytes -> whether they are HTTP/2, which begins with SETTINGS. RFC 9113 section 3.4. */
import { FrameType } from "./frame.ts";

/**
 * Whether the bytes begin with a frame of SETTINGS, or with GOAWAY, by which some servers refuse a client. No answer of
 * HTTP/1.1 begins with the octet 0, nor does a record of TLS.
 */
export function beginsWithFrame(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0) return false;
  return bytes.length < 4 || bytes[3] === FrameType.settings || bytes[3] === FrameType.goAway;
}
