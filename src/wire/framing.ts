/** A head -> its message's framing: where the body ends, whether the connection persists. RFC 9112 sections 6 and 9. */
import { equalsIgnoreCase, isToken, latin1 } from "./bytes.ts";
import { Field, type FieldId, fieldIdCount } from "./field.ts";
import { isGrpc } from "./grpc.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  type RequestHead,
  type ResponseHead,
  VALUE_END,
  VALUE_START,
} from "./head.ts";
import { Login, type LoginStep, loginStep, offersBoundLogin } from "./login.ts";
import { type Bad, bad } from "./parsed.ts";

/** The number of octets in a body, or one of the two constants below. */
export type BodyLength = number;
export const CHUNKED: BodyLength = -1;
/** A response body that ends when its connection closes. */
export const UNTIL_CLOSE: BodyLength = -2;

/** Fields by id: 1 for these, so that one look passes over the others. */
function only(...ids: readonly FieldId[]): Uint8Array {
  const table = new Uint8Array(fieldIdCount);
  for (const id of ids) table[id] = 1;
  return table;
}

const isShared = only(
  Field.contentLength,
  Field.transferEncoding,
  Field.connection,
  Field.upgrade,
  Field.wwwAuthenticate,
  Field.persistentAuth,
);

const isReadInRequests = only(
  Field.host,
  Field.expect,
  Field.contentType,
  Field.te,
  Field.via,
  Field.cdnLoop,
  Field.origin,
  Field.secFetchSite,
  Field.authorization,
  Field.maxForwards,
  Field.framingTwin,
);

/** The connection-level fields that requests and responses share. */
export class Framing {
  bodyLength: BodyLength = 0;
  /** Whether the sender is willing to keep the connection open after this message. */
  keepAlive = true;
  /** `Connection` names `upgrade`, and there is an `Upgrade` field. */
  upgrade = false;
  /** Lower-case names of further fields that `Connection` nominates as hop-by-hop; undefined if there are none. */
  nominated: string[] | undefined;
  /** Whether there was a Content-Length field, however the body is framed in the end. */
  hasLength = false;
  hasCoding = false;
  /** A response offers a login that is bound to its connection, or says that there is one. */
  bindsLogin = false;

  protected closes = false;
  protected persists = false;
  protected upgrades = false;

  /** @returns bad if the fields contradict each other or cannot be read. */
  protected readFields(head: FieldLines, bytes: Uint8Array): Bad | undefined {
    this.bodyLength = 0;
    this.nominated = undefined;
    this.hasLength = false;
    this.hasCoding = false;
    this.bindsLogin = false;
    this.closes = false;
    this.persists = false;
    this.upgrades = false;
    let hasUpgrade = false;
    let offersH2c = false;
    const fields = head.fields;
    const end = head.fieldCount * FIELD_STRIDE;
    for (let at = 0; at < end; at += FIELD_STRIDE) {
      const id = fields[at + FIELD_ID]!;
      if (isShared[id] === 0) continue;
      const start = fields[at + VALUE_START]!;
      const stop = fields[at + VALUE_END]!;
      if (id === Field.contentLength) {
        if (this.hasLength) return bad(400, "there is more than one Content-Length");
        const length = readLength(bytes, start, stop);
        if (length === undefined) return bad(400, "the Content-Length is not a number of bytes");
        this.hasLength = true;
        this.bodyLength = length;
      } else if (id === Field.transferEncoding) {
        if (this.hasCoding) return bad(400, "there is more than one Transfer-Encoding");
        if (!equalsIgnoreCase(bytes, start, stop, "chunked")) {
          return bad(400, "the Transfer-Encoding is something other than chunked");
        }
        this.hasCoding = true;
      } else if (id === Field.connection) {
        this.#readConnection(bytes, start, stop);
      } else if (id === Field.upgrade) {
        // HTTP/2 over cleartext TCP needs HTTP2-Settings, which is hop-by-hop, so an offer of h2c cannot be forwarded.
        offersH2c ||= listHolds(latin1(bytes, start, stop).toLowerCase(), "h2c");
        hasUpgrade ||= stop > start;
      } else if (id === Field.wwwAuthenticate) {
        this.bindsLogin ||= offersBoundLogin(bytes, start, stop);
      } else if (id === Field.persistentAuth) {
        this.bindsLogin = true;
      }
    }
    if (this.hasCoding) {
      if (this.hasLength) return bad(400, "there is a Content-Length beside a Transfer-Encoding");
      this.bodyLength = CHUNKED;
    }
    this.upgrade = this.upgrades && hasUpgrade && !offersH2c;
    return undefined;
  }

  #readConnection(bytes: Uint8Array, start: number, end: number): void {
    if (equalsIgnoreCase(bytes, start, end, "keep-alive")) {
      this.persists = true;
      return;
    }
    let i = start;
    while (i < end) {
      while (i < end && isToken[bytes[i]!] !== 1) i++;
      const from = i;
      while (i < end && isToken[bytes[i]!] === 1) i++;
      if (i === from) continue;
      if (equalsIgnoreCase(bytes, from, i, "close")) this.closes = true;
      else if (equalsIgnoreCase(bytes, from, i, "keep-alive")) this.persists = true;
      else if (equalsIgnoreCase(bytes, from, i, "upgrade")) this.upgrades = true;
      else {
        this.nominated ??= [];
        this.nominated.push(latin1(bytes, from, i).toLowerCase());
      }
    }
  }
}

/** At most 15 digits after leading zeros: every such number is exact in a double. */
const lengthDigits = 15;

function readLength(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end === start) return undefined;
  let value = 0;
  let digits = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
    if (value > 0 && ++digits > lengthDigits) return undefined;
  }
  return value;
}

/** The answer of `Sec-Fetch-Site`, as far as anybody acts on it. Fetch Metadata section 2.3. */
export const Site = {
  /** There is no such field: a program, or a browser that takes the URL for insecure. */
  unsaid: 0,
  /** `same-origin`, `same-site` or `none`. */
  near: 1,
  /** `cross-site`, and whatever else it may say. */
  other: 2,
} as const;

const near = ["same-origin", "same-site", "none"];

/** The framing of a request. */
export class RequestFraming extends Framing {
  /** Offsets of the Host field's value; -1 if an HTTP/1.0 request has none. */
  hostStart = -1;
  hostEnd = -1;
  expectContinue = false;
  /** The method is HEAD, so the response has no body. */
  head = false;
  connect = false;
  /** The method is idempotent: sending the request twice has the effect of sending it once. RFC 9110 section 9.2.2. */
  idempotent = false;
  /** The Content-Type is one of gRPC, which needs HTTP/2. */
  grpc = false;
  /** `TE` names `trailers`: the client reads trailer fields. */
  acceptsTrailers = false;
  /** There is a `Via` or `CDN-Loop` field: other proxies, or we, have had the request before. */
  proxied = false;
  /** One of `Site`. Where there is more than one such field, the one that says most counts. */
  site: number = Site.unsaid;
  /** There is an `Origin` field. */
  origin = false;
  /** How many more proxies an OPTIONS or TRACE may pass; undefined if there is no limit. RFC 9110 section 7.6.2. */
  maxForwards: number | undefined;
  /** The request's part in a login that is bound to its connection. */
  login: LoginStep = Login.none;

  /**
   * Reads the fields of a complete head. @returns bad if the message is ambiguous; such a message is never forwarded.
   */
  read(head: RequestHead, bytes: Uint8Array): Bad | undefined {
    const wrong = this.readFields(head, bytes);
    if (wrong !== undefined) return wrong;
    this.keepAlive = head.minor === 1 ? !this.closes : this.persists && !this.closes;
    if (head.minor === 0) {
      this.upgrade = false;
      if (this.hasCoding) return bad(400, "HTTP/1.0 has no Transfer-Encoding");
    }
    this.#readMethod(bytes, head.start, head.methodEnd);
    if (this.connect && (this.hasLength || this.hasCoding)) {
      return bad(400, "a CONNECT request has no body");
    }
    this.hostStart = -1;
    this.expectContinue = false;
    this.grpc = false;
    this.acceptsTrailers = false;
    this.proxied = false;
    this.site = Site.unsaid;
    this.origin = false;
    this.maxForwards = undefined;
    this.login = Login.none;
    const fields = head.fields;
    const end = head.fieldCount * FIELD_STRIDE;
    for (let at = 0; at < end; at += FIELD_STRIDE) {
      const id = fields[at + FIELD_ID]!;
      if (isReadInRequests[id] === 0) continue;
      if (id === Field.host) {
        if (this.hostStart !== -1) return bad(400, "there is more than one Host");
        this.hostStart = fields[at + VALUE_START]!;
        this.hostEnd = fields[at + VALUE_END]!;
      } else if (id === Field.expect) {
        this.expectContinue = head.minor === 1;
      } else if (id === Field.contentType) {
        this.grpc = isGrpc(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
      } else if (id === Field.te) {
        this.acceptsTrailers ||= takesTrailers(
          bytes,
          fields[at + VALUE_START]!,
          fields[at + VALUE_END]!,
        );
      } else if (id === Field.via || id === Field.cdnLoop) {
        this.proxied = true;
      } else if (id === Field.origin) {
        this.origin = true;
      } else if (id === Field.secFetchSite) {
        const site = siteOf(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
        if (site > this.site) this.site = site;
      } else if (id === Field.authorization) {
        if (this.login !== Login.none) continue;
        this.login = loginStep(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
      } else if (id === Field.maxForwards) {
        const method = head.method(bytes);
        if (method !== "OPTIONS" && method !== "TRACE") continue;
        this.maxForwards = readLength(bytes, fields[at + VALUE_START]!, fields[at + VALUE_END]!);
      } else if (id === Field.framingTwin) {
        return bad(400, "a framing field is spelled with an underscore");
      }
    }
    if (this.hostStart === -1 && head.minor === 1) return bad(400, "there is no Host");
    return undefined;
  }

  #readMethod(bytes: Uint8Array, start: number, end: number): void {
    this.head = false;
    this.connect = false;
    this.idempotent = false;
    const length = end - start;
    const first = bytes[start]!;
    if (length === 3) {
      // GET or PUT.
      this.idempotent = (first === 71 || first === 80) && bytes[end - 1] === 84;
    } else if (length === 4) {
      this.head = latin1(bytes, start, end) === "HEAD";
      this.idempotent = this.head;
    } else if (length > 4 && length < 8) {
      const method = latin1(bytes, start, end);
      this.connect = method === "CONNECT";
      this.idempotent = method === "OPTIONS" || method === "DELETE" || method === "TRACE";
    }
  }
}

/** Firefox says nothing else in every request of HTTP/2. */
function takesTrailers(bytes: Uint8Array, start: number, end: number): boolean {
  if (equalsIgnoreCase(bytes, start, end, "trailers")) return true;
  return listHolds(latin1(bytes, start, end).toLowerCase(), "trailers");
}

function siteOf(bytes: Uint8Array, start: number, end: number): number {
  for (const value of near) {
    if (equalsIgnoreCase(bytes, start, end, value)) return Site.near;
  }
  return Site.other;
}

/** The framing of a response, which depends on the request it answers. RFC 9112 section 6.3. */
export class ResponseFraming extends Framing {
  /** Reads the fields of a complete head. @returns bad (502) if the end of the response cannot be determined. */
  read(
    head: ResponseHead,
    bytes: Uint8Array,
    request: { head: boolean; connect: boolean },
  ): Bad | undefined {
    const wrong = this.readFields(head, bytes);
    if (wrong !== undefined) return bad(502, wrong.why);
    if (head.minor === 0 && this.hasCoding) {
      return bad(502, "an HTTP/1.0 answer has a Transfer-Encoding");
    }
    this.keepAlive = head.minor === 1 ? !this.closes : this.persists && !this.closes;
    if (head.status < 200 || head.status === 204 || head.status === 304 || request.head) {
      this.bodyLength = 0;
    } else if (!this.hasLength && !this.hasCoding) {
      this.bodyLength = UNTIL_CLOSE;
    }
    if (this.bodyLength === UNTIL_CLOSE) this.keepAlive = false;
    return undefined;
  }
}

/** Whether the value of a list-based field contains exactly `member`, between commas and white space. */
function listHolds(value: string, member: string): boolean {
  return value.split(/[\s,]+/).includes(member);
}
