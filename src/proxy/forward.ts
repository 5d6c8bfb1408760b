/** A head that came in into the head that goes on. Order, case and repeats of fields stay; what belongs to one hop goes. RFC 9110 section 7.6. */
import { encode, equalsIgnoreCase, latin1 } from "../wire/bytes.ts";
import { Field } from "../wire/field.ts";
import type { Framing, RequestFraming } from "../wire/framing.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  NAME_END,
  NAME_START,
  type RequestHead,
  type ResponseHead,
  type TrailerFields,
  VALUE_END,
  VALUE_START,
} from "../wire/head.ts";
import type { HeadWriter } from "./head-writer.ts";

/** What we say to an upstream that its client did not. */
export type Hop = {
  /** Replaces Host; undefined: Host goes on as it is. */
  host: Uint8Array | undefined;
  /** For bare names: what Origin and Referer begin with, and what they begin with instead. */
  origin: { from: string; to: Uint8Array } | undefined;
  /** X-Forwarded-* and Via, and the empty line. */
  own: Uint8Array;
};

export type HopFacts = {
  /** The client's address. */
  client: string;
  /** `http`, or `https` where the client came by TLS. */
  proto: "http" | "https";
  /** The authority that the client asked for, as it wrote it. */
  authority: string;
  /** The port the client believes it talks to. */
  port: number;
  /** What marks a request that has been here, for this service: RFC 9110 section 7.6.3's received-by. */
  via: string;
};

/** The lines that are the same for every request of one client to one name. */
export function ownFields({ client, proto, authority, port, via }: HopFacts): Uint8Array {
  return encode(
    `X-Forwarded-For: ${client}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${authority}\r\n` +
      `X-Forwarded-Port: ${port}\r\nVia: 1.1 ${via}\r\n\r\n`,
  );
}

const version = encode(" HTTP/1.1\r\n");
const statusVersion = encode("HTTP/1.1 ");
const hostName = encode("Host: ");
const crlf = encode("\r\n");
const upgradeLine = encode("Connection: Upgrade\r\n");
const closeLine = encode("Connection: close\r\n");
const keepAliveLine = encode("Connection: keep-alive\r\n");
const colon = encode(": ");

/** What becomes of a field: gone, kept as it is, or its line written anew. */
type Fate = 0 | 1 | 2;
const drop = 0;
const keep = 1;
const rewrite = 2;

/** What becomes of a request's field, by its id. */
const requestFate = new Uint8Array(32).fill(keep);
for (const id of [
  Field.connection,
  Field.keepAlive,
  Field.te,
  Field.proxyConnection,
  Field.proxyAuthorization,
  Field.http2Settings,
  Field.upgrade,
  Field.forwarded,
  Field.xForwarded,
  Field.forwardedTwin,
]) {
  requestFate[id] = drop;
}

const responseFate = new Uint8Array(32).fill(keep);
for (const id of [
  Field.connection,
  Field.keepAlive,
  Field.te,
  Field.proxyConnection,
  Field.proxyAuthenticate,
  Field.upgrade,
  Field.framingTwin,
]) {
  responseFate[id] = drop;
}

/** Fields that say where a message ends or where it goes: too late in a trailer. RFC 9110 section 6.5.1. */
const trailerFate = new Uint8Array(32).fill(drop);
trailerFate[Field.other] = keep;

/** Nobody may nominate these away: the message could not be read without them. */
const indispensable = ["host", "content-length", "transfer-encoding"];

/** Writes the head for the upstream. `pathStart`: where the target's path begins; its end is the target's. */
export function writeRequest(
  head: RequestHead,
  bytes: Uint8Array,
  {
    framing,
    hop,
    pathStart,
    out,
  }: { framing: RequestFraming; hop: Hop; pathStart: number; out: HeadWriter },
): void {
  out.copy(bytes, head.start, head.methodEnd + 1);
  writePath(head, bytes, pathStart, out);
  out.append(version);
  // An HTTP/1.0 request may have no Host, which HTTP/1.1 requires.
  if (hop.host !== undefined && framing.hostStart === -1) writeHost(hop.host, out);
  copyFields(head, bytes, out, {
    fate(at) {
      const id = head.fields[at + FIELD_ID]!;
      if (requestFate[id] === drop) return id === Field.upgrade && framing.upgrade ? keep : drop;
      if (id === Field.expect && !framing.expectContinue) return drop;
      if (framing.nominated !== undefined && isNominated(head, bytes, at, framing)) return drop;
      if (id === Field.host && hop.host !== undefined) return rewrite;
      if ((id === Field.origin || id === Field.referer) && hop.origin !== undefined) {
        return beginsWith(head, bytes, at, hop.origin.from) ? rewrite : keep;
      }
      return keep;
    },
    rewrite(at) {
      if (head.fields[at + FIELD_ID] === Field.host) writeHost(hop.host!, out);
      else writeReplaced(head, bytes, at, { ...hop.origin!, out });
    },
  });
  if (framing.upgrade) out.append(upgradeLine);
  out.append(hop.own);
}

export type ResponseTurn = {
  framing: Framing;
  /** Whether the client's connection goes on, where that has to be said. */
  connection: "close" | "keep-alive" | undefined;
  /** The client knows no chunks, so the body ends with the connection. */
  dechunk: boolean;
  /** For bare names: what Location begins with, and what it begins with instead. */
  location: { from: string; to: Uint8Array } | undefined;
  out: HeadWriter;
};

/** Writes the head for the client. An interim response, 101 too, has its own fields kept. */
export function writeResponse(
  head: ResponseHead,
  bytes: Uint8Array,
  { framing, connection, dechunk, location, out }: ResponseTurn,
): void {
  const switching = head.status === 101;
  // RFC 9110 sections 15.2 and 15.3.5: such an answer has no body, so it must not speak of one.
  const bodiless = head.status < 200 || head.status === 204;
  out.append(statusVersion);
  out.copy(bytes, head.start + 9, head.start + 12);
  out.byte(32);
  out.copy(bytes, head.reasonStart, head.reasonEnd);
  out.append(crlf);
  copyFields(head, bytes, out, {
    fate(at) {
      const id = head.fields[at + FIELD_ID]!;
      if (responseFate[id] === drop) {
        return switching && (id === Field.connection || id === Field.upgrade) ? keep : drop;
      }
      if (framing.nominated !== undefined && isNominated(head, bytes, at, framing)) return drop;
      if (id === Field.other) return keep;
      if (id === Field.transferEncoding && (dechunk || bodiless)) return drop;
      if (id === Field.contentLength && bodiless) return drop;
      if (id === Field.location && location !== undefined) {
        return beginsWith(head, bytes, at, location.from) ? rewrite : keep;
      }
      return keep;
    },
    rewrite(at) {
      writeReplaced(head, bytes, at, { ...location!, out });
    },
  });
  if (connection === "close") out.append(closeLine);
  else if (connection === "keep-alive") out.append(keepAliveLine);
  out.append(crlf);
}

/** Writes the trailer fields that may go on, and the empty line that ends the message. */
export function writeTrailer(fields: TrailerFields, bytes: Uint8Array, out: HeadWriter): void {
  copyFields(fields, bytes, out, {
    fate: (at) => trailerFate[fields.fields[at + FIELD_ID]!] as Fate,
    rewrite() {},
  });
  out.append(crlf);
}

/** Copies the lines whose fate is `keep`, runs of neighbours at once, and has the others written in their places. */
function copyFields(
  head: FieldLines,
  bytes: Uint8Array,
  out: HeadWriter,
  turn: { fate: (at: number) => Fate; rewrite: (at: number) => void },
): void {
  const fields = head.fields;
  const end = head.fieldCount * FIELD_STRIDE;
  // Start of the run that waits to be copied; -1: none.
  let run = -1;
  for (let at = 0; at < end; at += FIELD_STRIDE) {
    const lineStart = fields[at + NAME_START]!;
    const fate = turn.fate(at);
    if (fate === keep && !head.respell) {
      if (run === -1) run = lineStart;
      continue;
    }
    if (run !== -1) {
      out.copy(bytes, run, lineStart);
      run = -1;
    }
    if (fate === rewrite) turn.rewrite(at);
    else if (fate === keep) {
      out.copy(bytes, lineStart, fields[at + NAME_END]!);
      out.append(colon);
      out.copy(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
      out.append(crlf);
    }
  }
  if (run !== -1) out.copy(bytes, run, head.fieldsEnd);
}

function isNominated(head: FieldLines, bytes: Uint8Array, at: number, framing: Framing): boolean {
  const start = head.fields[at + NAME_START]!;
  const end = head.fields[at + NAME_END]!;
  for (const name of framing.nominated ?? []) {
    if (equalsIgnoreCase(bytes, start, end, name)) return !indispensable.includes(name);
  }
  return false;
}

function writeHost(host: Uint8Array, out: HeadWriter): void {
  out.append(hostName);
  out.append(host);
  out.append(crlf);
}

/** Whether the field's value is a URL whose scheme and authority are `from`. */
function beginsWith(head: FieldLines, bytes: Uint8Array, at: number, from: string): boolean {
  const start = head.fields[at + VALUE_START]!;
  const end = head.fields[at + VALUE_END]!;
  const next = start + from.length;
  if (!equalsIgnoreCase(bytes, start, Math.min(end, next), from)) return false;
  return next === end || "/?#".includes(latin1(bytes, next, next + 1));
}

/** Writes the line with `to` in the place of `from`. */
function writeReplaced(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  { from, to, out }: { from: string; to: Uint8Array; out: HeadWriter },
): void {
  out.copy(bytes, head.fields[at + NAME_START]!, head.fields[at + NAME_END]!);
  out.append(colon);
  out.append(to);
  out.copy(bytes, head.fields[at + VALUE_START]! + from.length, head.fields[at + VALUE_END]!);
  out.append(crlf);
}

const hexDigits = encode("0123456789ABCDEF");

/** The path and query of the target; what RFC 3986 does not allow in one is percent-encoded. */
function writePath(head: RequestHead, bytes: Uint8Array, pathStart: number, out: HeadWriter): void {
  // `http://api` and `http://api?x` have an empty path, which is `/`, or for OPTIONS alone `*` (RFC 9112 section 3.2).
  const empty = pathStart === head.targetEnd;
  if (empty && head.method(bytes) === "OPTIONS") out.byte(42);
  else if (empty || bytes[pathStart] === 63) out.byte(47);
  if (!head.encodeTarget) {
    out.copy(bytes, pathStart, head.targetEnd);
    return;
  }
  for (let i = pathStart; i < head.targetEnd; i++) {
    const octet = bytes[i]!;
    if (octet < 127 && !"|^`{}\\".includes(String.fromCharCode(octet))) {
      out.byte(octet);
      continue;
    }
    out.byte(37);
    out.byte(hexDigits[octet >> 4]!);
    out.byte(hexDigits[octet & 15]!);
  }
}
