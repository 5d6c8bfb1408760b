/** Method, scheme, authority and path of a request -> its pseudo-header fields. RFC 9113 section 8.3.1, RFC 8441. */
import { encode } from "../../wire/bytes.ts";
import type { HpackEncoder } from "../../wire/h2/hpack-encoder.ts";
import type { Output } from "../../wire/h2/output.ts";
import { HeadWriter } from "./head-writer.ts";

/** Octets of a line `name` `value` without anything between them, and where the value begins. */
type Pseudo = { bytes: Uint8Array; valueStart: number };

/** Method and path are ranges of `bytes`, the request's head in HTTP/1.1; so is the authority. */
export type PseudoFields = {
  bytes: Uint8Array;
  methodStart: number;
  methodEnd: number;
  pathStart: number;
  pathEnd: number;
  /** -1: there is none. */
  authorityStart: number;
  authorityEnd: number;
  scheme: "http" | "https";
  /** The protocol of an extended CONNECT, which takes the place of the method. */
  protocol?: string;
  /** Whether the request says `te: trailers`. */
  trailers: boolean;
};

const http = pseudo(":scheme", "http");
const https = pseudo(":scheme", "https");
const connect = pseudo(":method", "CONNECT");
const trailers = pseudo("te", "trailers");
const methodName = encode(":method");
const pathName = encode(":path");
const authorityName = encode(":authority");

/** Writes them, and `te: trailers` behind them: the first of the other fields. */
export function writePseudoFields(asked: PseudoFields, encoder: HpackEncoder, out: Output): void {
  const { bytes, protocol } = asked;
  if (protocol === undefined) {
    writeRange(encoder, out, {
      name: methodName,
      bytes,
      start: asked.methodStart,
      end: asked.methodEnd,
    });
  } else {
    writeWhole(encoder, out, connect);
    writeWhole(encoder, out, pseudo(":protocol", protocol));
  }
  writeWhole(encoder, out, asked.scheme === "http" ? http : https);
  if (asked.authorityStart !== -1) {
    writeRange(encoder, out, {
      name: authorityName,
      bytes,
      start: asked.authorityStart,
      end: asked.authorityEnd,
    });
  }
  writeRange(encoder, out, { name: pathName, bytes, start: asked.pathStart, end: asked.pathEnd });
  if (asked.trailers) writeWhole(encoder, out, trailers);
}

function pseudo(name: string, value: string): Pseudo {
  return { bytes: encode(name + value), valueStart: name.length };
}

function writeWhole(encoder: HpackEncoder, out: Output, { bytes, valueStart }: Pseudo): void {
  encoder.field(out, bytes, {
    nameStart: 0,
    nameEnd: valueStart,
    valueStart,
    valueEnd: bytes.length,
  });
}

function writeRange(
  encoder: HpackEncoder,
  out: Output,
  { name, bytes, start, end }: { name: Uint8Array; bytes: Uint8Array; start: number; end: number },
): void {
  const line = new HeadWriter(name.length + end - start);
  line.append(name);
  line.copy(bytes, start, end);
  encoder.field(out, line.bytes, {
    nameStart: 0,
    nameEnd: name.length,
    valueStart: name.length,
    valueEnd: line.length,
  });
}
