/** A field of an HTTP/2 header section -> its line in HTTP/1.1, and the kind of its name. RFC 9113 section 8.2. */
import { COLON, CR, HTAB, isFieldText, isToken, LF, SP } from "../bytes.ts";
import { entryOverhead } from "./static-table.ts";

/** Kinds of names that `RequestWriter` treats differently. */
export const FieldKind = {
  regular: 0,
  method: 1,
  scheme: 2,
  authority: 3,
  path: 4,
  /** RFC 8441 section 4. */
  protocol: 5,
  /** `:status`, or an unknown pseudo-header field: no request has one. */
  strange: 6,
  cookie: 7,
  host: 8,
  contentLength: 9,
  te: 10,
  /** A connection-specific field of HTTP/1.1, which HTTP/2 forbids: RFC 9113 section 8.2.2. */
  hop: 11,
  /** The part of a WebSocket's handshake that HTTP/2 does without: RFC 8441 section 5. */
  webSocketKey: 12,
  /** Not a valid field name in HTTP/2. */
  malformed: 13,
} as const;

export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

const kinds = new Map<string, FieldKind>([
  [":method", FieldKind.method],
  [":scheme", FieldKind.scheme],
  [":authority", FieldKind.authority],
  [":path", FieldKind.path],
  [":protocol", FieldKind.protocol],
  ["cookie", FieldKind.cookie],
  ["host", FieldKind.host],
  ["content-length", FieldKind.contentLength],
  ["te", FieldKind.te],
  ["connection", FieldKind.hop],
  ["keep-alive", FieldKind.hop],
  ["proxy-connection", FieldKind.hop],
  ["transfer-encoding", FieldKind.hop],
  ["upgrade", FieldKind.hop],
  ["http2-settings", FieldKind.hop],
  ["sec-websocket-key", FieldKind.webSocketKey],
]);

const special = [...kinds].map(([name, kind]) => ({ name, kind }));

/** One field, kept as a line: HPACK reads a field once, and refers to it as often as it likes. */
export class H2Field {
  constructor(
    /** `name: value CR LF`. */
    readonly line: Uint8Array,
    readonly nameEnd: number,
    readonly kind: FieldKind,
    /** The value holds valid characters only. */
    readonly sound: boolean,
  ) {}

  get valueStart(): number {
    return this.nameEnd + 2;
  }

  get valueEnd(): number {
    return this.line.length - 2;
  }

  /** Octets, as HPACK and SETTINGS_MAX_HEADER_LIST_SIZE count them. */
  get size(): number {
    return this.line.length - 4 + entryOverhead;
  }
}

/** A range of bytes. */
export type Range = { bytes: Uint8Array; start: number; end: number };

/** `kind`: set where the name was read before. */
export function h2Field(name: Range, value: Range, kind?: FieldKind): H2Field {
  const nameEnd = name.end - name.start;
  const line = new Uint8Array(nameEnd + value.end - value.start + 4);
  line.set(name.bytes.subarray(name.start, name.end));
  line[nameEnd] = COLON;
  line[nameEnd + 1] = SP;
  line.set(value.bytes.subarray(value.start, value.end), nameEnd + 2);
  line[line.length - 2] = CR;
  line[line.length - 1] = LF;
  return new H2Field(line, nameEnd, kind ?? kindOf(line, nameEnd), isSound(line, nameEnd + 2));
}

function kindOf(line: Uint8Array, nameEnd: number): FieldKind {
  next: for (const { name, kind } of special) {
    if (name.length !== nameEnd) continue;
    for (let i = 0; i < nameEnd; i++) if (line[i] !== name.charCodeAt(i)) continue next;
    return kind;
  }
  if (nameEnd === 0) return FieldKind.malformed;
  if (line[0] === COLON) return FieldKind.strange;
  for (let i = 0; i < nameEnd; i++) {
    const octet = line[i]!;
    if (isToken[octet] !== 1 || (octet >= 65 && octet <= 90)) return FieldKind.malformed;
  }
  return FieldKind.regular;
}

function isSound(line: Uint8Array, valueStart: number): boolean {
  const end = line.length - 2;
  if (valueStart === end) return true;
  if (isBlank(line[valueStart]!) || isBlank(line[end - 1]!)) return false;
  for (let i = valueStart; i < end; i++) if (isFieldText[line[i]!] !== 1) return false;
  return true;
}

function isBlank(octet: number): boolean {
  return octet === SP || octet === HTAB;
}
