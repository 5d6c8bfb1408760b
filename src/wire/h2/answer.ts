/** The fields of an HTTP/2 answer -> the head of the same answer in HTTP/1.1. RFC 9113 sections 8.2 and 8.3.2. */
import { CR, encode, equalsIgnoreCase, LF, SP } from "../bytes.ts";
import { type BodyLength, CHUNKED } from "../framing.ts";
import { isGrpc } from "../grpc.ts";
import { reasonOf } from "../reason.ts";
import { FieldKind, type H2Field } from "./field.ts";
import type { Output } from "./output.ts";

const version = encode("HTTP/1.1 ");
const chunkedLine = encode("Transfer-Encoding: chunked\r\n");
const crlf = encode("\r\n");
const statusName = ":status";

/** Every number of at most 15 digits is exact in a double. */
const lengthDigits = 15;

/**
 * Writes one head after another. No part of a malformed answer may be used. The rules are those for reading answers,
 * which are there to be read: a field of HTTP/1.1's connections is left out, and does no harm.
 */
export class AnswerWriter {
  status = 0;
  /** Octets of body that follow, or CHUNKED. Right after `finish`. */
  bodyLength: BodyLength = 0;
  /** The reason why the answer is malformed. */
  malformed: string | undefined;

  readonly #out: Output;
  /** -1: none was announced. */
  #length = -1;
  /** A regular field has come, and no pseudo-header field may follow. */
  #begun = false;
  /** Trailers follow that somebody waits for, so that the body has to come in chunks. */
  #trailers = false;

  constructor(out: Output) {
    this.#out = out;
  }

  begin(): void {
    this.#out.clear();
    this.status = 0;
    this.malformed = undefined;
    this.#length = -1;
    this.#begun = false;
    this.#trailers = false;
  }

  field(field: H2Field): void {
    if (this.malformed !== undefined) return;
    const { kind, line, valueStart, valueEnd } = field;
    if (!field.sound && endsLine(field)) {
      this.malformed = "a field value of its answer holds a line end or NUL";
    } else if (kind >= FieldKind.method && kind <= FieldKind.strange) this.#readStatus(field);
    else if (kind === FieldKind.malformed) {
      this.malformed = "a field name of its answer holds what no name may hold";
    } else if (this.status === 0) this.malformed = "its answer has no status";
    else {
      this.#begun = true;
      if (kind === FieldKind.hop || kind === FieldKind.te) return;
      if (kind === FieldKind.contentLength) {
        this.#readLength(field);
        return;
      }
      if (isNamed(field, "trailer") || saysGrpc(field)) this.#trailers = true;
      this.#out.copy(line, 0, valueStart);
      this.#out.copy(line, valueStart, valueEnd + 2);
    }
  }

  /** Call after the last field. `ended`: no body follows. `headRequest`: the request was HEAD. Sets `malformed`. */
  finish({ ended, headRequest }: { ended: boolean; headRequest: boolean }): void {
    if (this.status === 0) this.malformed ??= "its answer has no status";
    if (this.malformed !== undefined) return;
    const { status } = this;
    this.bodyLength = 0;
    if (status < 200) {
      if (ended) this.malformed = "its answer ends with an interim response";
    } else if (status === 204) {
      // No such answer may say a length: RFC 9110 section 8.6.
    } else if (headRequest || status === 304) {
      if (this.#length !== -1) this.#writeLength(this.#length);
    } else if (ended) {
      if (this.#length > 0) this.malformed = "its answer announces a body and has none";
      this.#writeLength(0);
    } else if (this.#length === -1 || this.#trailers) {
      this.bodyLength = CHUNKED;
      this.#out.append(chunkedLine);
    } else {
      this.bodyLength = this.#length;
      this.#writeLength(this.#length);
    }
    this.#out.append(crlf);
  }

  #readStatus(field: H2Field): void {
    const { line, valueStart, valueEnd } = field;
    if (this.#begun || !isNamed(field, statusName)) {
      this.malformed = "its answer has a pseudo-header field that no answer has";
      return;
    }
    const status = numberIn(line, valueStart, valueEnd);
    const isStatus = valueEnd - valueStart === 3 && status >= 100;
    if (this.status !== 0 || !isStatus) {
      this.malformed = "its answer's status is not a number of three digits";
      return;
    }
    if (status === 101) {
      this.malformed = "it switched protocols, which HTTP/2 does not have";
      return;
    }
    this.status = status;
    this.#out.append(version);
    this.#out.copy(line, valueStart, valueEnd);
    this.#out.byte(SP);
    this.#out.append(encode(reasonOf(status)));
    this.#out.append(crlf);
  }

  #readLength({ line, valueStart, valueEnd }: H2Field): void {
    const length = numberIn(line, valueStart, valueEnd);
    const digits = valueEnd - valueStart;
    if (digits === 0 || digits > lengthDigits || Number.isNaN(length)) {
      this.malformed = "the Content-Length of its answer is not a number of bytes";
    } else if (this.#length !== -1 && this.#length !== length) {
      this.malformed = "its answer has two Content-Lengths that differ";
    }
    this.#length = length;
  }

  #writeLength(length: number): void {
    this.#out.append(encode(`Content-Length: ${length}\r\n`));
  }
}

/** The number in bytes[start, end); NaN if there is anything but digits. */
function numberIn(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    number = digit < 0 || digit > 9 ? Number.NaN : number * 10 + digit;
  }
  return number;
}

/** Whether the value holds an octet that would end its line in HTTP/1.1, or NUL. */
function endsLine({ line, valueStart, valueEnd }: H2Field): boolean {
  for (let i = valueStart; i < valueEnd; i++) {
    const octet = line[i]!;
    if (octet === CR || octet === LF || octet === 0) return true;
  }
  return false;
}

function isNamed({ line, nameEnd }: H2Field, name: string): boolean {
  return equalsIgnoreCase(line, 0, nameEnd, name);
}

/** Whether the field says that the answer is one of gRPC, which ends with trailers in every case. */
function saysGrpc(field: H2Field): boolean {
  const { line, valueStart, valueEnd } = field;
  return isNamed(field, "content-type") && isGrpc(line, valueStart, valueEnd);
}
