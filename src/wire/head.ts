/** Bytes -> the head of an HTTP/1.x message, as offsets into those bytes. RFC 9112 sections 2 to 5. */
import {
  COLON,
  CR,
  equalsIgnoreCase,
  HTAB,
  isFieldText,
  isToken,
  LF,
  latin1,
  SP,
} from "./bytes.ts";
import { fieldId } from "./field.ts";
import { type Bad, bad, type More, more, type Parsed } from "./parsed.ts";

/**
 * Octets of a head, including start line and empty line. Twice the limit of Apache and Node, for apps that pile up
 * cookies.
 */
export const headLimit = 65_536;

/** The reason for a method that fills a head by itself. No server knows such a method. */
export const methodTooLong = `the method is longer than ${headLimit} bytes`;

/**
 * The parser's position. Kept between calls, so a head may arrive in any number of pieces and each octet is read once.
 */
const At = {
  start: 0,
  startLf: 1,
  method: 2,
  target: 3,
  requestVersion: 4,
  statusVersion: 5,
  status: 6,
  reason: 7,
  lineLf: 8,
  fieldStart: 9,
  name: 10,
  nameSpace: 11,
  valueStart: 12,
  value: 13,
  endLf: 14,
} as const;

type State = (typeof At)[keyof typeof At];

/** Positions within one entry of `fields`: an id of `Field`, then four offsets. */
export const FIELD_ID = 0;
export const NAME_START = 1;
export const NAME_END = 2;
export const VALUE_START = 3;
/** White space after the value is not part of it. */
export const VALUE_END = 4;
export const FIELD_STRIDE = 5;

/** Room for the fields of curl or of a server; the heads of browsers make it grow. */
const usualFields = 12;

const versionText = [72, 84, 84, 80, 47]; // HTTP/

/** The field lines, which requests, responses and trailers share. One object is reused for many messages. */
export class FieldLines {
  /** Offset of the first field line. */
  fieldsStart = 0;
  /** Offset of the empty line's CR. */
  fieldsEnd = 0;
  /** `fieldCount` entries of `FIELD_STRIDE` numbers each; anything after them is left over from earlier messages. */
  readonly fields: number[] = new Array<number>(usualFields * FIELD_STRIDE);
  fieldCount = 0;
  /** A name had white space before its colon, so the lines must be rewritten (RFC 9112 section 5.1). */
  respell = false;

  protected state: State = At.start;
  protected at = 0;
  protected nameStart = 0;
  protected nameEnd = 0;
  protected valueStart = 0;

  protected beginFields(state: State, at: number): void {
    this.state = state;
    this.at = at;
    this.fieldsStart = at;
    this.fieldsEnd = at;
    this.fieldCount = 0;
    this.respell = false;
  }

  /** The id of a field, one of `Field`. */
  idOf(index: number): number {
    return this.fields[index * FIELD_STRIDE + FIELD_ID]!;
  }

  /** The text of a field's value, one character per octet. */
  valueOf(bytes: Uint8Array, index: number): string {
    const at = index * FIELD_STRIDE;
    return latin1(bytes, this.fields[at + VALUE_START]!, this.fields[at + VALUE_END]!);
  }

  /** Index of the first field with this id, or -1. */
  find(id: number): number {
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.idOf(index) === id) return index;
    }
    return -1;
  }

  /** Whether a field has this name, given in lower case: for names without an id. */
  isNamed(bytes: Uint8Array, index: number, lower: string): boolean {
    const at = index * FIELD_STRIDE;
    return equalsIgnoreCase(
      bytes,
      this.fields[at + NAME_START]!,
      this.fields[at + NAME_END]!,
      lower,
    );
  }

  /** Reads field lines up to the empty line. @returns undefined when they are complete, with `at` after them. */
  protected readFields(bytes: Uint8Array, limit: number, lenient: boolean): More | Bad | undefined {
    let i = this.at;
    let state: State = this.state;
    for (;;) {
      if (i >= limit) {
        this.at = i;
        this.state = state;
        return more;
      }
      switch (state) {
        case At.lineLf:
          if (bytes[i] !== LF) return bad(400, "a line ends in CR without LF");
          i++;
          state = At.fieldStart;
          continue;
        case At.fieldStart: {
          const octet = bytes[i]!;
          if (octet === CR) {
            this.fieldsEnd = i;
            i++;
            state = At.endLf;
            continue;
          }
          if (octet === SP || octet === HTAB) {
            return bad(400, "a field line is folded, which RFC 9112 withdrew");
          }
          this.nameStart = i;
          state = At.name;
          continue;
        }
        case At.name: {
          while (i < limit && isToken[bytes[i]!] === 1) i++;
          if (i === limit) continue;
          const octet = bytes[i]!;
          this.nameEnd = i;
          if (i === this.nameStart) {
            return bad(400, octet === LF ? "a line ends in LF without CR" : "a field has no name");
          }
          if (octet === COLON) {
            i++;
            state = At.valueStart;
            continue;
          }
          if (octet !== SP && octet !== HTAB) {
            return bad(400, "a field name holds a character that no name may hold");
          }
          if (!lenient) return bad(400, "there is a space between a field name and its colon");
          this.respell = true;
          state = At.nameSpace;
          continue;
        }
        case At.nameSpace: {
          const octet = bytes[i]!;
          if (octet === COLON) state = At.valueStart;
          else if (octet !== SP && octet !== HTAB) return bad(400, "a field name holds a space");
          i++;
          continue;
        }
        case At.valueStart: {
          const octet = bytes[i]!;
          if (octet === SP || octet === HTAB) {
            i++;
            continue;
          }
          this.valueStart = i;
          state = At.value;
          continue;
        }
        case At.value: {
          while (i < limit && isFieldText[bytes[i]!] === 1) i++;
          if (i === limit) continue;
          if (bytes[i] !== CR) return badInLine(bytes[i]!, "a field value");
          let end = i;
          while (end > this.valueStart && isBlank(bytes[end - 1]!)) end--;
          this.#add(bytes, end);
          i++;
          state = At.lineLf;
          continue;
        }
        default:
          if (bytes[i] !== LF) return bad(400, "the head ends in CR without LF");
          this.at = i + 1;
          return undefined;
      }
    }
  }

  #add(bytes: Uint8Array, valueEnd: number): void {
    const fields = this.fields;
    const at = this.fieldCount * FIELD_STRIDE;
    fields[at + FIELD_ID] = fieldId(bytes, this.nameStart, this.nameEnd);
    fields[at + NAME_START] = this.nameStart;
    fields[at + NAME_END] = this.nameEnd;
    fields[at + VALUE_START] = this.valueStart;
    fields[at + VALUE_END] = valueEnd;
    this.fieldCount++;
  }
}

function isBlank(octet: number): boolean {
  return octet === SP || octet === HTAB;
}

function badInLine(octet: number, where: string): Bad {
  if (octet === LF) return bad(400, "a line ends in LF without CR");
  if (octet === 0) return bad(400, `${where} holds a NUL`);
  return bad(400, `${where} holds a control character`);
}

/** Octets allowed in a request target: RFC 3986's characters, and others that browsers send anyway. */
const targetClass = new Uint8Array(256);
/** Forwarded unchanged. Includes `[` and `]`, which every query like `a[]=1` has. */
const TARGET_PLAIN = 1;
/** Percent-encoded when forwarded: WHATWG URL leaves these characters in a query, and curl leaves octets above 127. */
const TARGET_ENCODE = 2;
/** Percent-encoded too, but some servers take it for `/` in a path. */
const TARGET_BACKSLASH = 4;
for (let octet = 33; octet < 127; octet++) targetClass[octet] = TARGET_PLAIN;
for (let octet = 128; octet < 256; octet++) targetClass[octet] = TARGET_ENCODE;
for (const character of "|^`{}") targetClass[character.charCodeAt(0)] = TARGET_ENCODE;
for (const character of '#"<>') targetClass[character.charCodeAt(0)] = 0;
targetClass[92] = TARGET_BACKSLASH;

/** A request's head. `read` fills it; `begin` prepares it for the next. */
export class RequestHead extends FieldLines {
  /** Offset of the method. Leading empty lines are not part of the head. */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Some octets of the target have to be percent-encoded. */
  encodeTarget = false;
  /** A backslash is among those octets. */
  backslash = false;
  /** The minor version: 0 or 1. A later 1.x is treated as 1.1 (RFC 9110 section 2.5). */
  minor: 0 | 1 = 1;

  #limit = 0;

  constructor() {
    super();
    this.begin(0);
  }

  /** Prepares to read a head that begins at `at`. */
  begin(at: number): void {
    this.beginFields(At.start, at);
    this.start = at;
    this.encodeTarget = false;
    this.backslash = false;
    this.#limit = at + headLimit;
  }

  /** Whether any octet of the head has been read. */
  get begun(): boolean {
    return this.state > At.startLf;
  }

  method(bytes: Uint8Array): string {
    return latin1(bytes, this.start, this.methodEnd);
  }

  target(bytes: Uint8Array): string {
    return latin1(bytes, this.targetStart, this.targetEnd);
  }

  /** Continues reading. `bytes` hold the bytes of earlier calls at the same offsets, followed by new ones. */
  read(bytes: Uint8Array): Parsed<RequestHead> {
    const limit = Math.min(bytes.length, this.#limit);
    const outcome = this.#read(bytes, limit);
    if (outcome === undefined) return { kind: "done", value: this, end: this.at };
    if (outcome === more && limit === this.#limit) return this.#tooLong();
    return outcome;
  }

  /** RFC 9112 section 3: what a request line has too much of decides the status. */
  #tooLong(): Bad {
    if (this.state === At.method) return bad(400, methodTooLong);
    if (this.state === At.target) return bad(414, `a target is longer than ${headLimit} bytes`);
    return bad(431, `the request's head is longer than ${headLimit} bytes`);
  }

  #read(bytes: Uint8Array, limit: number): More | Bad | undefined {
    while (this.state < At.lineLf) {
      let i = this.at;
      if (i >= limit) return more;
      switch (this.state) {
        case At.start:
          if (bytes[i] === CR) {
            this.at = i + 1;
            this.state = At.startLf;
          } else {
            this.start = i;
            this.state = At.method;
          }
          continue;
        case At.startLf:
          if (bytes[i] !== LF) return bad(400, "a line ends in CR without LF");
          this.at = i + 1;
          this.state = At.start;
          continue;
        case At.method: {
          while (i < limit && isToken[bytes[i]!] === 1) i++;
          this.at = i;
          if (i === limit) return more;
          if (bytes[i] !== SP || i === this.start) return bad(400, "this is not an HTTP request");
          this.methodEnd = i;
          this.targetStart = i + 1;
          this.at = i + 1;
          this.state = At.target;
          continue;
        }
        case At.target: {
          let seen = 0;
          let octetClass = 0;
          while (i < limit) {
            octetClass = targetClass[bytes[i]!]!;
            if (octetClass === 0) break;
            seen |= octetClass;
            i++;
          }
          this.at = i;
          if ((seen & ~TARGET_PLAIN) !== 0) this.encodeTarget = true;
          if ((seen & TARGET_BACKSLASH) !== 0) this.backslash = true;
          if (i === limit) return more;
          if (bytes[i] !== SP) {
            return bad(400, "the request target holds a character that has to be percent-encoded");
          }
          if (i === this.targetStart) return bad(400, "the request has no target");
          this.targetEnd = i;
          this.at = i + 1;
          this.state = At.requestVersion;
          continue;
        }
        default: {
          const versionStart = this.targetEnd + 1;
          const outcome = readVersion(bytes, i, { start: versionStart, limit });
          if (typeof outcome !== "number") {
            if (outcome === more) this.at = limit;
            return outcome;
          }
          if (outcome >= limit) {
            this.at = limit;
            return more;
          }
          if (bytes[outcome] !== CR) return badInLine(bytes[outcome]!, "the request line");
          if (bytes[versionStart + 5] !== 49) {
            return bad(505, "a request line is one of HTTP/1.1 or HTTP/1.0");
          }
          this.minor = bytes[versionStart + 7] === 48 ? 0 : 1;
          this.at = outcome + 1;
          this.fieldsStart = outcome + 2;
          this.state = At.lineLf;
        }
      }
    }
    return this.readFields(bytes, limit, false);
  }
}

/** Reads `HTTP/d.d`, which starts at `start`, continuing from `i`. @returns the offset after it, more, or bad. */
function readVersion(
  bytes: Uint8Array,
  i: number,
  { start, limit }: { start: number; limit: number },
): number | More | Bad {
  for (let at = i; at < start + 8; at++) {
    if (at >= limit) return more;
    const octet = bytes[at]!;
    const place = at - start;
    const right =
      place < 5
        ? octet === versionText[place]
        : place === 6
          ? octet === 46
          : octet >= 48 && octet <= 57;
    if (!right) return bad(400, "the first line does not name an HTTP version");
  }
  return start + 8;
}

/** A response's head. */
export class ResponseHead extends FieldLines {
  start = 0;
  /** 100 to 999. */
  status = 0;
  /** Offsets of the reason phrase, which may be empty. */
  reasonStart = 0;
  reasonEnd = 0;
  minor: 0 | 1 = 1;
  #limit = 0;

  constructor() {
    super();
    this.begin(0);
  }

  begin(at: number): void {
    this.beginFields(At.statusVersion, at);
    this.start = at;
    this.#limit = at + headLimit;
  }

  /** Like `RequestHead.read`. A malformed response is the server's fault: 502. */
  read(bytes: Uint8Array): Parsed<ResponseHead> {
    const limit = Math.min(bytes.length, this.#limit);
    const outcome = this.#read(bytes, limit);
    if (outcome === undefined) return { kind: "done", value: this, end: this.at };
    if (outcome === more && limit < this.#limit) return more;
    if (outcome === more) return bad(502, `the answer's head is longer than ${headLimit} bytes`);
    return bad(502, outcome.kind === "bad" ? outcome.why : "");
  }

  #read(bytes: Uint8Array, limit: number): More | Bad | undefined {
    while (this.state < At.lineLf) {
      let i = this.at;
      if (i >= limit) return more;
      switch (this.state) {
        case At.statusVersion: {
          const outcome = readVersion(bytes, i, { start: this.start, limit });
          if (typeof outcome !== "number") {
            if (outcome === more) this.at = limit;
            return outcome;
          }
          this.at = outcome;
          if (outcome >= limit) return more;
          if (bytes[this.start + 5] !== 49) return bad(400, "the answer is not HTTP/1.x");
          if (bytes[outcome] !== SP) return bad(400, "the status line has no status");
          this.minor = bytes[this.start + 7] === 48 ? 0 : 1;
          this.at = outcome + 1;
          this.state = At.status;
          continue;
        }
        case At.status: {
          const statusStart = this.start + 9;
          while (i < limit && i < statusStart + 3) {
            if (bytes[i]! < 48 || bytes[i]! > 57) return bad(400, "the status is not a number");
            i++;
          }
          this.at = i;
          if (i >= limit) return more;
          this.status =
            bytes[statusStart]! * 100 + bytes[statusStart + 1]! * 10 + bytes[statusStart + 2]!;
          this.status -= 48 * 111;
          if (this.status < 100) return bad(400, "the status is below 100");
          this.reasonStart = i;
          // Some servers omit the space if there is no reason phrase; we always send it.
          if (bytes[i] === SP) this.reasonStart = i + 1;
          else if (bytes[i] !== CR) return bad(400, "the status is longer than three digits");
          this.at = this.reasonStart;
          this.state = At.reason;
          continue;
        }
        default: {
          while (i < limit && isFieldText[bytes[i]!] === 1) i++;
          this.at = i;
          if (i === limit) return more;
          if (bytes[i] !== CR) return badInLine(bytes[i]!, "the reason phrase");
          this.reasonEnd = i;
          this.at = i + 1;
          this.fieldsStart = i + 2;
          this.state = At.lineLf;
        }
      }
    }
    return this.readFields(bytes, limit, true);
  }
}

/** The field lines after a chunked body. RFC 9112 section 7.1.2. */
export class TrailerFields extends FieldLines {
  begin(at: number): void {
    this.beginFields(At.fieldStart, at);
  }

  read(bytes: Uint8Array): Parsed<TrailerFields> {
    const limit = Math.min(bytes.length, headLimit);
    const outcome = this.readFields(bytes, limit, false);
    if (outcome === undefined) return { kind: "done", value: this, end: this.at };
    if (outcome === more && limit === headLimit) {
      return bad(400, `the trailer fields are longer than ${headLimit} bytes`);
    }
    return outcome;
  }
}
