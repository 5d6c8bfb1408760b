/** A request target -> its form, with the authority if it has one. RFC 9112 section 3.2. */
import { type Authority, readAuthority } from "./authority.ts";
import { equalsIgnoreCase } from "./bytes.ts";
import { Field } from "./field.ts";
import { FIELD_STRIDE, type RequestHead, VALUE_END, VALUE_START } from "./head.ts";
import { type Bad, bad } from "./parsed.ts";
import { isUtf8 } from "./utf8.ts";

export type Target =
  /** `/path?query`: the name is in Host. */
  | { form: "origin" }
  /** `http://name/path?query`: this name takes precedence over Host. */
  | { form: "absolute"; scheme: "http" | "https"; authority: Authority; pathStart: number }
  /** `name:port`, for CONNECT. */
  | { form: "authority"; authority: Authority }
  /** `*`, for OPTIONS. */
  | { form: "asterisk" };

const origin: Target = { form: "origin" };
const asterisk: Target = { form: "asterisk" };

const SLASH = 47;
const QUERY = 63;

type Way = { connect: boolean; secured: boolean };

/** Bad if the target's form is not allowed for the method. `secured`: the request came inside TLS. */
export function readTarget(head: RequestHead, bytes: Uint8Array, way: Way): Target | Bad {
  // Nearly every request: this much is inlined, and makes no object.
  const isPlain = !way.connect && !head.backslash && !head.encodeTarget;
  if (isPlain && bytes[head.targetStart] === SLASH) return origin;
  return readOther(head, bytes, way);
}

function readOther(head: RequestHead, bytes: Uint8Array, { connect, secured }: Way): Target | Bad {
  const start = head.targetStart;
  const end = head.targetEnd;
  if (head.backslash && !onlyInQuery(bytes, start, end)) {
    return bad(400, "the path holds a backslash, which some servers take for a slash");
  }
  if (head.encodeTarget && !isUtf8(bytes, start, end)) {
    return bad(400, "the request target is not UTF-8");
  }
  if (connect) {
    const authority = readAuthority(bytes, start, end);
    // RFC 9110 section 9.3.6: an empty or invalid port is refused. Nothing can listen on port 0.
    if (authority?.port === undefined || authority.port === 0 || head.encodeTarget) {
      return bad(400, "CONNECT needs a target of the form name:port, with a port from 1 to 65535");
    }
    if (!hasSoundHost(head, bytes)) return unsoundHost;
    return { form: "authority", authority };
  }
  if (bytes[start] === SLASH) return origin;
  if (bytes[start] === 42 && end === start + 1) {
    if (head.method(bytes) === "OPTIONS") return asterisk;
    return bad(400, "only OPTIONS may ask for *");
  }
  const scheme = schemeOf(bytes, start, end);
  if (scheme === undefined) {
    return bad(400, "the request target is neither a path nor an http:// URL");
  }
  // An https URL is a tunnel's, so that no proxy reads what is asked: RFC 9110 section 9.3.6.
  if (scheme === "https" && !secured) {
    return bad(
      400,
      "an https:// URL takes CONNECT and TLS inside; in plain, a proxy is asked for http:// URLs",
    );
  }
  const authorityStart = start + scheme.length + 3;
  let authorityEnd = authorityStart;
  while (authorityEnd < end && bytes[authorityEnd] !== SLASH && bytes[authorityEnd] !== QUERY) {
    authorityEnd++;
  }
  const authority = readAuthority(bytes, authorityStart, authorityEnd);
  if (authority === undefined) return bad(400, "the URL in the request target names no host");
  if (!hasSoundHost(head, bytes)) return unsoundHost;
  return { form: "absolute", scheme, authority, pathStart: authorityEnd };
}

function schemeOf(bytes: Uint8Array, start: number, end: number): "http" | "https" | undefined {
  if (equalsIgnoreCase(bytes, start, Math.min(start + 7, end), "http://")) return "http";
  return equalsIgnoreCase(bytes, start, Math.min(start + 8, end), "https://") ? "https" : undefined;
}

const unsoundHost = bad(400, "the Host is not a host name");

/**
 * The target takes precedence over Host, but a malformed Host is still refused; an empty one is legal. RFC 9112 section
 * 3.2.
 */
function hasSoundHost(head: RequestHead, bytes: Uint8Array): boolean {
  const index = head.find(Field.host);
  if (index === -1) return true;
  const start = head.fields[index * FIELD_STRIDE + VALUE_START]!;
  const end = head.fields[index * FIELD_STRIDE + VALUE_END]!;
  return start === end || readAuthority(bytes, start, end) !== undefined;
}

function onlyInQuery(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end && bytes[i] !== QUERY; i++) {
    if (bytes[i] === 92) return false;
  }
  return true;
}
