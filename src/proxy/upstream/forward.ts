/** A received head -> the head to send on, without the fields of a hop: the tables. RFC 9110 section 7.6. */
import { encode } from "../../wire/bytes.ts";
import { Field, fieldIdCount } from "../../wire/field.ts";
import type { Framing, RequestFraming } from "../../wire/framing.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  type RequestHead,
  type ResponseHead,
  type TrailerFields,
} from "../../wire/head.ts";
import type { HeadWriter } from "../frames/head-writer.ts";
import {
  ask,
  copyFields,
  crlf,
  drop,
  type Fate,
  fates,
  type FieldRules,
  isPadded,
  keep,
  rewrite,
  withAsk,
  writeLength,
  writeLine,
} from "./copy-fields.ts";
import {
  answerKind,
  type AnswerKind,
  type AnswerNames,
  isToldField,
  toldValue,
  visibleValue,
} from "./mapped-fields.ts";
import { type OwnFields, writeProxied } from "./own-fields.ts";
import { hasUseCookie, otherCookies } from "./use-fields.ts";

/** Fields that we send to an upstream, beyond the client's. */
export type Hop = OwnFields & {
  /** Replaces Host; undefined: Host is sent unchanged. */
  host: Uint8Array | undefined;
  /** If the service is told another name than the client uses, Origin, Referer and the answer's URLs are mapped. */
  answer: AnswerNames;
  /** The name can show several checkouts: our cookie about that is not the service's. */
  hidesUse: boolean;
};

const version = encode(" HTTP/1.1\r\n");
const statusVersion = encode("HTTP/1.1 ");
const hostName = encode("Host: ");
const upgradeLine = encode("Connection: Upgrade\r\n");
const closeLine = encode("Connection: close\r\n");
const keepAliveLine = encode("Connection: keep-alive\r\n");

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
    // Written anew, with our mark behind those of others.
    Field.cdnLoop,
  ],
  ask: [Field.upgrade, Field.expect, Field.host, Field.maxForwards, Field.contentLength],
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
  copyFields(head, bytes, rulesFor(hop), turn);
  if (framing.upgrade) out.append(upgradeLine);
  if (framing.proxied) writeProxied(head, bytes, hop, out);
  else out.append(hop.own);
}

const requestFields: FieldRules<RequestTurn> = {
  fates: requestFates,
  decide(head, bytes, at, { framing, hop }) {
    const id = head.fields[at + FIELD_ID]!;
    if (id === Field.upgrade) return framing.upgrade ? keep : drop;
    if (id === Field.expect) return framing.expectContinue ? keep : drop;
    if (id === Field.host) return hop.host === undefined ? keep : rewrite;
    if (id === Field.contentLength) return isPadded(head, bytes, at) ? rewrite : keep;
    return framing.maxForwards === undefined ? keep : rewrite;
  },
  rewrite(head, bytes, at, { framing, hop, out }) {
    const id = head.fields[at + FIELD_ID];
    if (id === Field.host) writeHost(hop.host!, out);
    else if (id === Field.contentLength) writeLength(head, bytes, at, out);
    else out.append(encode(`Max-Forwards: ${framing.maxForwards! - 1}\r\n`));
  },
};

const mappedRequestFields: FieldRules<RequestTurn> = {
  fates: withAsk(requestFates, [Field.origin, Field.referer, Field.other]),
  decide(head, bytes, at, turn) {
    if (!isToldField(head, bytes, at)) {
      const isOther = head.fields[at + FIELD_ID] === Field.other;
      return isOther ? keep : requestFields.decide(head, bytes, at, turn);
    }
    const told = toldValue(head, bytes, { at, names: turn.hop.answer.names });
    return told === undefined ? keep : rewrite;
  },
  rewrite(head, bytes, at, turn) {
    if (isToldField(head, bytes, at)) {
      const told = toldValue(head, bytes, { at, names: turn.hop.answer.names })!;
      writeLine(head, bytes, at, { value: told, out: turn.out });
    } else requestFields.rewrite(head, bytes, at, turn);
  },
};

function rulesFor({ answer, hidesUse }: Hop): FieldRules<RequestTurn> {
  if (hidesUse) return answer.mapped ? mappedWithoutUse : requestWithoutUse;
  return answer.mapped ? mappedRequestFields : requestFields;
}

/** The same rules, and no cookie of ours. */
function withoutUse(rules: FieldRules<RequestTurn>): FieldRules<RequestTurn> {
  return {
    fates: withAsk(rules.fates, [Field.other]),
    decide(head, bytes, at, turn) {
      if (!hasUseCookie(head, bytes, at)) {
        const isSettled = rules.fates[head.fields[at + FIELD_ID]!]! !== ask;
        return isSettled ? keep : rules.decide(head, bytes, at, turn);
      }
      return otherCookies(head.valueOf(bytes, at / FIELD_STRIDE)) === "" ? drop : rewrite;
    },
    rewrite(head, bytes, at, turn) {
      if (!hasUseCookie(head, bytes, at)) rules.rewrite(head, bytes, at, turn);
      else {
        const value = otherCookies(head.valueOf(bytes, at / FIELD_STRIDE));
        writeLine(head, bytes, at, { value, out: turn.out });
      }
    },
  };
}

const requestWithoutUse = withoutUse(requestFields);
const mappedWithoutUse = withoutUse(mappedRequestFields);

export type ResponseTurn = {
  framing: Framing;
  status: number;
  /** Tells the client whether its connection continues; undefined if the default applies. */
  connection: "close" | "keep-alive" | undefined;
  /** The client does not know chunks, so the body ends with the connection. */
  dechunk: boolean;
  answer: AnswerNames;
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
  copyFields(head, bytes, turn.answer.mapped ? mappedFields : responseFields, turn);
  if (connection === "close") out.append(closeLine);
  else if (connection === "keep-alive") out.append(keepAliveLine);
  out.append(crlf);
}

const responseFields: FieldRules<ResponseTurn> = {
  fates: responseFates,
  decide(head, bytes, at, { status, dechunk, answer }) {
    const id = head.fields[at + FIELD_ID]!;
    // These two fields of a 101 name the protocol that follows.
    if (id === Field.connection || id === Field.upgrade) return status === 101 ? keep : drop;
    if (id === Field.location) return mappedFate(head, bytes, at, { kind: "url", answer });
    // RFC 9110 sections 15.2 and 15.3.5: such an answer has no body, so it must not describe one.
    if (status < 200 || status === 204) return drop;
    if (id === Field.contentLength) return isPadded(head, bytes, at) ? rewrite : keep;
    return dechunk ? drop : keep;
  },
  rewrite(head, bytes, at, { answer, out }) {
    if (head.fields[at + FIELD_ID] === Field.contentLength) {
      writeLength(head, bytes, at, out);
      return;
    }
    const value = visibleValue(head, bytes, { at, kind: "url", answer })!;
    writeLine(head, bytes, at, { value, out });
  },
};

type MappedTurn = { answer: AnswerNames; out: HeadWriter };

const mappedFields: FieldRules<ResponseTurn> = {
  fates: withAsk(responseFates, [Field.other]),
  decide(head, bytes, at, turn) {
    const kind = answerKind(head, bytes, at);
    if (kind !== undefined) return mappedFate(head, bytes, at, { kind, answer: turn.answer });
    const isOther = head.fields[at + FIELD_ID] === Field.other;
    return isOther ? keep : responseFields.decide(head, bytes, at, turn);
  },
  rewrite(head, bytes, at, turn) {
    if (answerKind(head, bytes, at) !== undefined) writeMapped(head, bytes, at, turn);
    else responseFields.rewrite(head, bytes, at, turn);
  },
};

function mappedFate(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  { kind, answer }: { kind: AnswerKind; answer: AnswerNames },
): Fate {
  return visibleValue(head, bytes, { at, kind, answer }) === undefined ? keep : rewrite;
}

function writeMapped(
  head: FieldLines,
  bytes: Uint8Array,
  at: number,
  { answer, out }: MappedTurn,
): void {
  const kind = answerKind(head, bytes, at)!;
  writeLine(head, bytes, at, { value: visibleValue(head, bytes, { at, kind, answer })!, out });
}

/** Writes the trailer fields that may be sent on, and the empty line that ends the message. */
export function writeTrailer(
  fields: TrailerFields,
  bytes: Uint8Array,
  { answer, out }: { answer?: AnswerNames; out: HeadWriter },
): void {
  const framing = undefined;
  if (answer?.mapped) copyFields(fields, bytes, mappedTrailerFields, { framing, answer, out });
  else copyFields(fields, bytes, trailerFields, { framing, out });
  out.append(crlf);
}

const trailerFields: FieldRules<{ framing: undefined; out: HeadWriter }> = {
  fates: trailerFates,
  decide: () => drop,
  rewrite() {},
};

const mappedTrailerFields: FieldRules<MappedTurn & { framing: undefined }> = {
  fates: withAsk(trailerFates, [Field.other]),
  decide(head, bytes, at, { answer }) {
    const kind = answerKind(head, bytes, at);
    return kind === undefined ? keep : mappedFate(head, bytes, at, { kind, answer });
  },
  rewrite: writeMapped,
};

function writeHost(host: Uint8Array, out: HeadWriter): void {
  out.append(hostName);
  out.append(host);
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
