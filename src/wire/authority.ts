/** Bytes -> a host and a port, as in a Host field or a request target. */
import { COLON, isToken, latin1, lowered } from "./bytes.ts";

/** A host and its port, as in a Host field or a request target. RFC 9110 section 7.2. */
export type Authority = {
  /** Lower case, without a trailing dot; an IPv6 address keeps its brackets. */
  host: string;
  port: number | undefined;
};

/** The longest DNS name, RFC 1035 section 2.3.4, with room for a port and brackets. */
const authorityLimit = 270;

/**
 * Reads bytes[start, end) as `uri-host [":" port]`. User information is refused. @returns undefined if it does not
 * match.
 */
export function readAuthority(
  bytes: Uint8Array,
  start: number,
  end: number,
): Authority | undefined {
  if (end === start || end - start > authorityLimit) return undefined;
  let hostEnd = start;
  if (bytes[start] === 91) {
    while (hostEnd < end && bytes[hostEnd] !== 93) {
      const octet = lowered(bytes[hostEnd]!);
      const inAddress =
        hostEnd === start ||
        octet === COLON ||
        octet === 46 ||
        (octet >= 48 && octet <= 57) ||
        (octet >= 97 && octet <= 102);
      if (!inAddress) return undefined;
      hostEnd++;
    }
    if (hostEnd === end || hostEnd === start + 1) return undefined;
    hostEnd++;
  } else {
    while (hostEnd < end && isHostOctet(bytes[hostEnd]!)) hostEnd++;
    if (hostEnd === start) return undefined;
  }
  let port: number | undefined;
  if (hostEnd < end) {
    if (bytes[hostEnd] !== COLON) return undefined;
    // RFC 3986 section 3.2.3 allows a colon without a port: the default port.
    if (hostEnd + 1 < end) {
      port = readPort(bytes, hostEnd + 1, end);
      if (port === undefined) return undefined;
    }
  }
  let host = latin1(bytes, start, hostEnd).toLowerCase();
  if (host.length > 1 && host.endsWith(".")) host = host.slice(0, -1);
  return { host, port };
}

/** unreserved and sub-delims, RFC 3986 section 3.2.2. Percent-encoding is refused: none of our names needs it. */
function isHostOctet(octet: number): boolean {
  return isToken[octet] === 1
    ? octet !== 35 && octet !== 37 && octet !== 94 && octet !== 96 && octet !== 124
    : octet === 40 || octet === 41 || octet === 44 || octet === 59 || octet === 61;
}

function readPort(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > 5) return undefined;
  let port = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port <= 65_535 ? port : undefined;
}
