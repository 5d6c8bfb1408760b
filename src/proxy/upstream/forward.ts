/**
 * A received head -> the head to send on. Order, case and repetition of fields are kept; hop-by-hop fields are removed.
 * RFC 9110 section 7.6.
 */
import { encode, equalsIgnoreCase, latin1 } from "../../wire/bytes.ts";
import { Field, type FieldId, fieldIdCount } from "../../wire/field.ts";
import type { Framing, RequestFraming } from "../../wire/framing.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  NAME_END,
  NAME_START,
  RequestHead,
  type ResponseHead,
  type TrailerFields,
  VALUE_END,
  VALUE_START,
} from "../../wire/head.ts";
import type { HeadWriter } from "../frames/head-writer.ts";

/** Fields that we send to an upstream, beyond the client's. */
export type Hop = {
  /** Replaces Host; undefined: Host is sent unchanged. */
  host: Uint8Array | undefined;
  /** For bare names: the beginning of Origin and Referer, and its replacement. */
  origin: { from: string; to: Uint8Array } | undefined;
  /** X-Forwarded-* and Via, and the empty line. */
  own: Uint8Array;
};

export type HopFacts = {
  /** The client's address. */
  client: string;
  /** `https` if the client connected by TLS, otherwise `http`. */
  proto: "http" | "https";
  /** The authority that the client asked for, as the client wrote it. */
  authority: string;
  /** The port that the client believes it talks to. */
  port: number;
  /** Marks a request for this service that has been here before: the received-by of RFC 9110 section 7.6.3. */
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

/** The fate of a field: removed, kept unchanged, or its line rewritten. */
type Fate = 0 | 1 | 2;
const drop = 0;
const keep = 1;
const rewrite = 2;
/** In a table of fates: the message decides. */
const ask = 3;

/** Fates by field id: one lookup here settles most lines of a head. */
function fates(exceptions: { drop: readonly FieldId[]; ask: readonly FieldId[] }): Uint8Array {
  const table = new Uint8Array(fieldIdCount).fill(keep);
  for (const id of exceptions.drop) table[id] = drop;
  for (const id of exceptions.ask) table[id] = ask;
  return table;
}

const requestFates = fates({
  drop: [
    Field.connection,
    Field.keepAlive,
    Field.te,
    // CGI programs receive this field as HTTP_PROXY, which their own HTTP clients use as their proxy (CVE-2016-5385).
    Field.proxy,
    Field.proxyConnection,
    Field.proxyAuthorization,
    Field.http2Settings,
    Field.forwarded,
    Field.xForwarded,
    Field.forwardedTwin,
  ],
  ask: [Field.upgrade, Field.expect, Field.host, Field.origin, Field.referer, Field.maxForwards],
});

const responseFates = fates({
  drop: [
    Field.keepAlive,
    Field.te,
    Field.proxyConnection,
    Field.proxyAuthenticate,
    Field.framingTwin,
  ],
  ask: [
    Field.connection,
    Field.upgrade,
    Field.transferEncoding,
    Field.contentLength,
    Field.location,
  ],
});

/** Fields that frame or route a message must not be in a trailer, where they come too late. RFC 9110 section 6.5.1. */
const trailerFates = new Uint8Array(fieldIdCount).fill(drop);
trailerFates[Field.other] = keep;

/** Connection cannot nominate these fields away, because the message could not be read without them. */
const indispensable = ["host", "content-length", "transfer-encoding"];

export type RequestTurn = {
  framing: RequestFraming;
  hop: Hop;
  /** The offset of the target's path, which ends where the target ends. */
  pathStart: number;
  out: HeadWriter;
};

/** Writes the head for the upstream. */
export function writeRequest(head: RequestHead, bytes: Uint8Array, turn: RequestTurn): void {
  const { framing, hop, out } = turn;
  out.copy(bytes, head.start, head.methodEnd + 1);
  writePath(head, bytes, turn.pathStart, out);
  out.append(version);
  // An HTTP/1.0 request may have no Host, which HTTP/1.1 requires.
  if (hop.host !== undefined && framing.hostStart === -1) writeHost(hop.host, out);
  copyFields(head, bytes, requestFields, turn);
  if (framing.upgrade) out.append(upgradeLine);
  out.append(hop.own);
}

const requestFields: FieldRules<RequestTurn> = {
  fates: requestFates,
  decide(head, bytes, at, { framing, hop }) {
    const id = head.fields[at + FIELD_ID]!;
    if (id === Field.upgrade) return framing.upgrade ? keep : drop;
    if (id === Field.expect) return framing.expectContinue ? keep : drop;
    if (id === Field.host) return hop.host === undefined ? keep : rewrite;
    if (id === Field.maxForwards) return framing.maxForwards === undefined ? keep : rewrite;
    if (hop.origin === undefined) return keep;
    return beginsWith(head, bytes, at, hop.origin.from) ? rewrite : keep;
  },
  rewrite(head, bytes, at, { framing, hop, out }) {
    const id = head.fields[at + FIELD_ID];
    if (id === Field.host) writeHost(hop.host!, out);
    else if (id === Field.maxForwards) {
      out.append(encode(`Max-Forwards: ${framing.maxForwards! - 1}\r\n`));
    } else writeReplaced(head, bytes, at, { ...hop.origin!, out });
  },
};

/** Rewrites a head of ours in `sent`, and the bytes behind it, with the beginning of Origin and Referer replaced. */
export function replaceOrigin(sent: HeadWriter, origin: Replaced): void {
  const bytes = sent.bytes.slice(0, sent.length);
  const head = new RequestHead();
  if (head.read(bytes).kind !== "done") throw new Error("a head of ours cannot be read");
  sent.clear();
  sent.copy(bytes, 0, head.fields[NAME_START]!);
  copyFields(head, bytes, originFields, { framing: undefined, origin, out: sent });
  sent.copy(bytes, head.fieldsEnd, bytes.length);
}

const originFields: FieldRules<{ framing: undefined; origin: Replaced; out: HeadWriter }> = {
  fates: fates({ drop: [], ask: [Field.origin, Field.referer] }),
  decide: (head, bytes, at, { origin }) =>
    beginsWith(head, bytes, at, origin.from) ? rewrite : keep,
  rewrite: (head, bytes, at, { origin, out }) => writeReplaced(head, bytes, at, { ...origin, out }),
};

type Replaced = NonNullable<Hop["origin"]>;

export type ResponseTurn = {
  framing: Framing;
  status: number;
  /** Tells the client whether its connection continues; undefined if the default applies. */
  connection: "close" | "keep-alive" | undefined;
  /** The client does not know chunks, so the body ends with the connection. */
  dechunk: boolean;
  /** For bare names: the beginning of Location, and its replacement. */
  location: { from: string; to: Uint8Array } | undefined;
  out: HeadWriter;
};

/** Writes the head for the client. */
export function writeResponse(head: ResponseHead, bytes: Uint8Array, turn: ResponseTurn): void {
  const { connection, out } = turn;
  out.append(statusVersion);
  out.copy(bytes, head.start + 9, head.start + 12);
  out.byte(32);
  out.copy(bytes, head.reasonStart, head.reasonEnd);
  out.append(crlf);
  copyFields(head, bytes, responseFields, turn);
  if (connection === "close") out.append(closeLine);
  else if (connection === "keep-alive") out.append(keepAliveLine);
  out.append(crlf);
}

const responseFields: FieldRules<ResponseTurn> = {
  fates: responseFates,
  decide(head, bytes, at, { status, dechunk, location }) {
    const id = head.fields[at + FIELD_ID]!;
    // These two fields of a 101 name the protocol that follows.
    if (id === Field.connection || id === Field.upgrade) return status === 101 ? keep : drop;
    if (id === Field.location) {
      if (location === undefined) return keep;
      return beginsWith(head, bytes, at, location.from) ? rewrite : keep;
    }
    // RFC 9110 sections 15.2 and 15.3.5: such an answer has no body, so it must not describe one.
    if (status < 200 || status === 204) return drop;
    return id === Field.transferEncoding && dechunk ? drop : keep;
  },
  rewrite(head, bytes, at, { location, out }) {
    writeReplaced(head, bytes, at, { ...location!, out });
  },
};

/** Writes the trailer fields that may be sent on, and the empty line that ends the message. */
export function writeTrailer(fields: TrailerFields, bytes: Uint8Array, out: HeadWriter): void {
  copyFields(fields, bytes, trailerFields, { framing: undefined, out });
  out.append(crlf);
}

const trailerFields: FieldRules<{ framing: undefined; out: HeadWriter }> = {
  fates: trailerFates,
  decide: () => drop,
  rewrite() {},
};

/**
 * Rules for the fields of one kind of head. These are functions of a turn and not closures, because they run for every
 * message.
 */
type FieldRules<Turn> = {
  fates: Uint8Array;
  /** Called for fields with the fate `ask`. `at` is the field's position in `head.fields`. */
  decide(head: FieldLines, bytes: Uint8Array, at: number, turn: Turn): Fate;
  /** Writes the replacement of a line. */
  rewrite(head: FieldLines, bytes: Uint8Array, at: number, turn: Turn): void;
};

/** Copies the lines to keep, adjacent ones in one run, and writes the rewritten ones in their places. */
function copyFields<Turn extends { framing: Framing | undefined; out: HeadWriter }>(
  head: FieldLines,
  bytes: Uint8Array,
  rules: FieldRules<Turn>,
  turn: Turn,
): void {
  const { out, framing } = turn;
  const nominated = framing?.nominated;
  const fields = head.fields;
  const end = head.fieldCount * FIELD_STRIDE;
  // Start of the run that has not been copied yet; -1: none.
  let run = -1;
  for (let at = 0; at < end; at += FIELD_STRIDE) {
    const lineStart = fields[at + NAME_START]!;
    let fate = rules.fates[fields[at + FIELD_ID]!]!;
    if (fate === ask) fate = rules.decide(head, bytes, at, turn);
    if (fate !== drop && nominated !== undefined && isNominated(head, bytes, at, nominated)) {
      fate = drop;
    }
    if (fate === keep && !head.respell) {
      if (run === -1) run = lineStart;
      continue;
    }
    if (run !== -1) {
      out.copy(bytes, run, lineStart);
      run = -1;
    }
    if (fate === rewrite) rules.rewrite(head, bytes, at, turn);
    else if (fate === keep) {
      out.copy(bytes, lineStart, fields[at + NAME_END]!);
      out.append(colon);
      out.copy(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
      out.append(crlf);
    }
  }
  if (run !== -1) out.copy(bytes, run, head.fieldsEnd);
}

function isNominated(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  nominated: readonly string[],
): boolean {
  const start = head.fields[at + NAME_START]!;
  const end = head.fields[at + NAME_END]!;
  for (const name of nominated) {
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

/** Writes the line with `to` in place of `from`. */
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

/** Writes the path and query of the target. Octets that RFC 3986 does not allow there are percent-encoded. */
export function writePath(
  head: RequestHead,
  bytes: Uint8Array,
  pathStart: number,
  out: HeadWriter,
): void {
  // `http://api` and `http://api?x` have an empty path, which is sent as `/`, or as `*` for OPTIONS without a query
  // (RFC 9112 section 3.2).
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
