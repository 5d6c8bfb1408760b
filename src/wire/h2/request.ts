/** The fields of an HTTP/2 request -> the head of the same request in HTTP/1.1. RFC 9113 sections 8.2 and 8.3. */
import { encode, equalsIgnoreCase, isFieldText, isToken, latin1, lowered, SP } from "../bytes.ts";
import { type BodyLength, CHUNKED } from "../framing.ts";
import { FieldKind, type H2Field } from "./field.ts";
import type { Output } from "./output.ts";

const version = encode(" HTTP/1.1\r\n");
const getMethod = encode("GET ");
const hostName = encode("Host: ");
const upgradeLines = encode("Connection: Upgrade\r\nUpgrade: ");
const plainUrl = encode("http://");
const cookieName = encode("cookie: ");
const chunkedLine = encode("Transfer-Encoding: chunked\r\n");
const crlf = encode("\r\n");
const crumbSeparator = encode("; ");
const ASTERISK = 42;

/** At most 15 digits after leading zeros: every such number is exact in a double. */
const lengthDigits = 15;

/** Writes one request after another. No part of a malformed request may be used. */
export class RequestWriter {
  /** Octets of body that follow, or CHUNKED. Right after `finish`, like the fields below. */
  bodyLength: BodyLength = 0;
  /** The request's authority: `:authority`, or else Host. */
  authority: H2Field | undefined;
  head = false;
  connect = false;
  /** An extended CONNECT asks for this protocol, in lower case, and its head is that of an upgrade. RFC 8441. */
  protocol: string | undefined;
  /** The connection is inside TLS, so that a request for an http URL is one for a proxy. */
  secured = true;
  /** The request is for an http URL, and is written as one: RFC 9112 section 3.2.2. */
  proxied = false;
  /** The reason why the request is malformed. */
  malformed: string | undefined;

  #out: Output;
  #method: H2Field | undefined;
  #scheme: H2Field | undefined;
  #path: H2Field | undefined;
  #protocol: H2Field | undefined;
  #host: H2Field | undefined;
  #length = -1;
  #lineWritten = false;
  readonly #crumbs: H2Field[] = [];

  constructor(out: Output) {
    this.#out = out;
  }

  begin(): void {
    this.#out.clear();
    this.authority = undefined;
    this.head = false;
    this.connect = false;
    this.protocol = undefined;
    this.proxied = false;
    this.malformed = undefined;
    this.#method = undefined;
    this.#scheme = undefined;
    this.#path = undefined;
    this.#protocol = undefined;
    this.#host = undefined;
    this.#length = -1;
    this.#lineWritten = false;
    this.#crumbs.length = 0;
  }

  field(field: H2Field): void {
    if (this.malformed !== undefined) return;
    if (!field.sound) {
      this.malformed = "a field value holds what no value may hold";
      return;
    }
    switch (field.kind) {
      case FieldKind.regular:
        break;
      case FieldKind.method:
        this.#method = this.#pseudo(this.#method, field);
        return;
      case FieldKind.scheme:
        this.#scheme = this.#pseudo(this.#scheme, field);
        return;
      case FieldKind.authority:
        this.authority = this.#pseudo(this.authority, field);
        return;
      case FieldKind.path:
        this.#path = this.#pseudo(this.#path, field);
        return;
      case FieldKind.protocol:
        this.#protocol = this.#pseudo(this.#protocol, field);
        return;
      case FieldKind.cookie:
        this.#writeLine();
        this.#crumbs.push(field);
        return;
      case FieldKind.host:
        this.#readHost(field);
        return;
      case FieldKind.contentLength:
        this.#readLength(field);
        break;
      case FieldKind.te:
        if (!isTrailers(field)) this.malformed = "TE asks for something other than trailers";
        break;
      case FieldKind.webSocketKey:
        this.#writeLine();
        // The key is written by us: RFC 8441 section 5. Elsewhere, the field has no meaning of its own.
        if (this.protocol === undefined) this.#out.append(field.line);
        return;
      case FieldKind.hop:
        this.malformed = "a field of HTTP/1.1's connections has no place in HTTP/2";
        return;
      case FieldKind.strange:
        this.malformed = "there is a pseudo-header field that no request has";
        return;
      default:
        this.malformed = "a field name holds what no name may hold";
        return;
    }
    this.#writeLine();
    this.#out.append(field.line);
  }

  /**
   * Call after the last field. `ended`: no body follows. `key`: called for the key of a WebSocket's handshake. Sets
   * `malformed`.
   */
  finish({ ended, key = noKey }: { ended: boolean; key?: () => string }): void {
    this.#writeLine();
    if (this.malformed !== undefined) return;
    this.authority ??= this.#host;
    if (this.protocol !== undefined) {
      this.#finishUpgrade(key());
      return;
    }
    this.bodyLength = this.#length === -1 ? (ended ? 0 : CHUNKED) : this.#length;
    if (ended && this.bodyLength > 0) {
      this.malformed = "the Content-Length speaks of a body that there is not";
      return;
    }
    this.#writeCookie();
    const out = this.#out;
    if (this.bodyLength === CHUNKED && !this.connect) out.append(chunkedLine);
    out.append(crlf);
  }

  /** DATA that follows is no body: RFC 8441 section 5. */
  #finishUpgrade(key: string): void {
    this.bodyLength = 0;
    if (this.#length !== -1) {
      this.malformed = "CONNECT has no Content-Length";
      return;
    }
    this.#writeCookie();
    this.#out.append(encode(`Sec-WebSocket-Key: ${key}\r\n\r\n`));
  }

  #writeCookie(): void {
    const out = this.#out;
    const crumbs = this.#crumbs;
    // RFC 9113 section 8.2.3: pieces of a cookie become one field in HTTP/1.1.
    for (let index = 0; index < crumbs.length; index++) {
      const crumb = crumbs[index]!;
      out.append(index === 0 ? cookieName : crumbSeparator);
      out.copy(crumb.line, crumb.valueStart, crumb.valueEnd);
    }
    if (crumbs.length > 0) out.append(crlf);
  }

  #pseudo(before: H2Field | undefined, field: H2Field): H2Field {
    if (before !== undefined) this.malformed = "a pseudo-header field is there twice";
    else if (this.#lineWritten) this.malformed = "a pseudo-header field stands behind others";
    return field;
  }

  /** Writes the request line and Host, once all pseudo-header fields are there. */
  #writeLine(): void {
    if (this.#lineWritten || this.malformed !== undefined) return;
    this.#lineWritten = true;
    const method = this.#method;
    if (method === undefined || !isMethod(method)) {
      this.malformed = "there is no method";
      return;
    }
    this.head = spells(method, "HEAD");
    this.connect = spells(method, "CONNECT");
    const out = this.#out;
    const authority = this.authority;
    if (this.#protocol !== undefined) {
      this.#readProtocol(this.#protocol);
      out.append(getMethod);
    } else {
      out.copy(method.line, method.valueStart, method.valueEnd);
      out.byte(SP);
    }
    if (this.connect) {
      // CONNECT: RFC 9113 section 8.5.
      if (this.#scheme !== undefined || this.#path !== undefined || authority === undefined) {
        this.malformed = "CONNECT has an authority and no other target";
        return;
      }
      out.copy(authority.line, authority.valueStart, authority.valueEnd);
    } else {
      const path = this.#path;
      if (this.#scheme === undefined || !isScheme(this.#scheme)) {
        this.malformed = "there is no scheme";
        return;
      }
      if (path === undefined || !isPath(path, method)) {
        this.malformed = "there is no path";
        return;
      }
      if (this.secured && authority !== undefined && isHttp(this.#scheme)) {
        this.proxied = true;
        out.append(plainUrl);
        // An authority that is none is refused as the Host that it is too.
        out.copy(authority.line, authority.valueStart, authority.valueEnd);
      }
      // OPTIONS for the whole server is a URL without a path: RFC 9112 section 3.2.4.
      const whole = this.proxied && path.line[path.valueStart] === ASTERISK;
      if (!whole) out.copy(path.line, path.valueStart, path.valueEnd);
    }
    out.append(version);
    if (authority === undefined) return;
    out.append(hostName);
    out.copy(authority.line, authority.valueStart, authority.valueEnd);
    out.append(crlf);
    if (this.protocol === undefined) return;
    out.append(upgradeLines);
    out.append(encode(this.protocol));
    out.append(crlf);
  }

  /** RFC 8441 section 4: with a protocol, CONNECT has a scheme, a path and an authority. */
  #readProtocol({ line, valueStart, valueEnd }: H2Field): void {
    let isSound = valueEnd > valueStart;
    for (let i = valueStart; i < valueEnd; i++) if (isToken[line[i]!] !== 1) isSound = false;
    if (!this.connect) this.malformed = ":protocol is for CONNECT alone";
    else if (!isSound) this.malformed = ":protocol holds what no protocol's name may hold";
    else if (this.authority === undefined) this.malformed = "there is no authority";
    this.connect = false;
    this.protocol = latin1(line, valueStart, valueEnd).toLowerCase();
  }

  #readHost(field: H2Field): void {
    this.#writeLine();
    if (this.#host !== undefined) this.malformed = "there is more than one Host";
    this.#host = field;
    if (this.malformed !== undefined) return;
    if (this.authority === undefined) this.#out.append(field.line);
    else if (!isSameValue(this.authority, field)) {
      this.malformed = "Host is another than :authority";
    }
  }

  #readLength(field: H2Field): void {
    const { line, valueStart, valueEnd } = field;
    let digits = 0;
    let length = valueStart === valueEnd ? Number.NaN : 0;
    for (let i = valueStart; i < valueEnd; i++) {
      const digit = line[i]! - 48;
      if (digit < 0 || digit > 9) length = Number.NaN;
      length = length * 10 + digit;
      if (length > 0) digits++;
    }
    if (this.#length !== -1) this.malformed = "there is more than one Content-Length";
    else if (digits > lengthDigits || Number.isNaN(length)) {
      this.malformed = "the Content-Length is not a number of bytes";
    }
    this.#length = length;
  }
}

/** The trailer fields of a request -> those of a chunked body. RFC 9113 section 8.1. */
export class TrailerWriter {
  malformed: string | undefined;
  #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  begin(): void {
    this.#out.clear();
    this.malformed = undefined;
  }

  field(field: H2Field): void {
    const { kind } = field;
    const isPseudo = kind >= FieldKind.method && kind <= FieldKind.strange;
    if (!field.sound || isPseudo || kind === FieldKind.hop || kind === FieldKind.malformed) {
      this.malformed = "a trailer holds what no trailer may hold";
      return;
    }
    this.#out.append(field.line);
  }
}

function noKey(): never {
  throw new Error("a WebSocket's handshake needs a key");
}

function isMethod({ line, valueStart, valueEnd }: H2Field): boolean {
  for (let i = valueStart; i < valueEnd; i++) if (isToken[line[i]!] !== 1) return false;
  return valueEnd > valueStart;
}

/** A letter, then letters, digits, `+`, `-` and `.`: RFC 3986 section 3.1. */
function isScheme({ line, valueStart, valueEnd }: H2Field): boolean {
  for (let i = valueStart; i < valueEnd; i++) {
    const octet = lowered(line[i]!);
    if (octet >= 97 && octet <= 122) continue;
    const isLater = (octet >= 48 && octet <= 57) || octet === 43 || octet === 45 || octet === 46;
    if (i === valueStart || !isLater) return false;
  }
  return valueEnd > valueStart;
}

/** Only a path, or an asterisk for OPTIONS: any other target could lead elsewhere than `:authority` does. */
function isPath({ line, valueStart, valueEnd }: H2Field, method: H2Field): boolean {
  const asterisk = valueEnd === valueStart + 1 && line[valueStart] === ASTERISK;
  if (line[valueStart] !== 47 && !(asterisk && spells(method, "OPTIONS"))) return false;
  for (let i = valueStart; i < valueEnd; i++) {
    if (line[i]! <= SP || isFieldText[line[i]!] !== 1) return false;
  }
  return true;
}

function isHttp({ line, valueStart, valueEnd }: H2Field): boolean {
  return equalsIgnoreCase(line, valueStart, valueEnd, "http");
}

function spells({ line, valueStart, valueEnd }: H2Field, text: string): boolean {
  if (valueEnd - valueStart !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (line[valueStart + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function isTrailers({ line, valueStart, valueEnd }: H2Field): boolean {
  const text = "trailers";
  if (valueEnd - valueStart !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (lowered(line[valueStart + i]!) !== text.charCodeAt(i)) return false;
  }
  return true;
}

function isSameValue(one: H2Field, other: H2Field): boolean {
  if (one.valueEnd - one.valueStart !== other.valueEnd - other.valueStart) return false;
  for (let i = one.valueStart, at = other.valueStart; i < one.valueEnd; i++, at++) {
    if (lowered(one.line[i]!) !== lowered(other.line[at]!)) return false;
  }
  return true;
}
