/** The first bytes of a TLS connection -> the ClientHello in them. RFC 8446 section 4.1.2. */
import { Alert } from "./alert.ts";
import { latin1 } from "./bytes.ts";
import { type Done, type More, more } from "./parsed.ts";

export type ClientHello = {
  /** Lower case, without a trailing dot; undefined if the client sent no name, as when it connects to an address. */
  serverName: string | undefined;
  /** Protocol names in the client's order of preference; empty if it sent none. RFC 7301. */
  alpn: string[];
  /** Versions as on the wire (0x0304 is TLS 1.3). Only the highest one for clients that are too old to send a list. */
  versions: number[];
};

/** Malformed, whatever follows: the alert for the sender, and a sentence for a person. */
export type BadHello = { kind: "bad"; alert: Alert; why: string };

export type ParsedHello = Done<ClientHello> | More | BadHello;

/** RFC 8446 section 5.1. */
const longestFragment = 2 ** 14;
/**
 * A hello has 2 KB with a post-quantum key, and twice that with a second one. Tickets, Encrypted Client Hello and
 * padding add to it; the extensions cannot be longer than 64 KiB. OpenSSL takes 128 KiB.
 */
const longestMessage = 65_536;
/**
 * Includes the record headers. Every call walks over all records, so a client that sends one octet per record and one
 * record per packet costs quadratic time: 0.1 s at most, beside a read for each. Chromium's 2 KB hello fits even in
 * such records.
 */
const longestFlight = longestMessage + 16_384;
/**
 * RFC 1035 section 2.3.4, with room for a trailing dot; OpenSSL and BoringSSL have the same `TLSEXT_MAXLEN_host_name`.
 */
const longestHostName = 255;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;

/**
 * Reads the connection's bytes from their start, without consuming or keeping them. `end` is the offset after the
 * record that completes the hello. The hello may be spread over any number of records.
 *
 * Refuses only what the TLS library behind us would refuse too; the rest of the hello is left to that library.
 */
export function parseClientHello(bytes: Uint8Array): ParsedHello {
  // While octets are missing, this loop only counts: a call for every octet has to be cheap and must not copy.
  let gathered = 0;
  let wanted: number | undefined;
  let at = 0;
  for (;;) {
    const wrong = checkRecordHeader(bytes, at);
    if (wrong !== undefined) return wrong;
    const start = at + 5;
    if (bytes.length <= start) return more;
    const length = uint16(bytes, at + 3);
    const end = Math.min(start + length, bytes.length);
    if (gathered === 0 && bytes[start] !== CLIENT_HELLO) {
      return bad(Alert.unexpectedMessage, "the first message is not a ClientHello");
    }
    gathered += end - start;
    if (wanted === undefined && gathered >= 4) {
      const head = assemble(bytes, 4);
      const bodyLength = head[1]! * 65536 + uint16(head, 2);
      if (bodyLength > longestMessage) {
        return bad(Alert.illegalParameter, "the ClientHello is longer than 64 KiB");
      }
      wanted = 4 + bodyLength;
    }
    if (end < start + length) return more;
    if (wanted !== undefined && gathered >= wanted) {
      // RFC 8446 section 5.1: the keys change after this message, so nothing may follow it in its record.
      if (gathered > wanted) {
        return bad(Alert.unexpectedMessage, "data follows the ClientHello in its record");
      }
      const hello = readBody(assemble(bytes, wanted));
      return "kind" in hello ? hello : { kind: "done", value: hello, end };
    }
    at = end;
    if (at >= longestFlight) {
      return bad(Alert.illegalParameter, "the ClientHello is in too many records");
    }
  }
}

/** Checks as much of the record header as has arrived. */
function checkRecordHeader(bytes: Uint8Array, at: number): BadHello | undefined {
  if (bytes.length > at && bytes[at] !== HANDSHAKE) {
    return bad(
      Alert.unexpectedMessage,
      "a record that is not a handshake interrupts the ClientHello",
    );
  }
  // The minor version is meaningless (RFC 8446 section 5.1), and there has never been another major version.
  if (bytes.length > at + 1 && bytes[at + 1] !== 3) {
    return bad(Alert.protocolVersion, "the record's version is not a version of TLS");
  }
  if (bytes.length < at + 5) return undefined;
  const length = uint16(bytes, at + 3);
  if (length > longestFragment) {
    return bad(Alert.recordOverflow, "a record is longer than 16 KiB");
  }
  // RFC 8446 section 5.1 forbids empty records, and they would cost us work for nothing.
  if (length === 0) return bad(Alert.unexpectedMessage, "a handshake record is empty");
  return undefined;
}

/** The first `length` octets of the message, all of which have arrived. Copied only if they span several records. */
function assemble(bytes: Uint8Array, length: number): Uint8Array {
  if (uint16(bytes, 3) >= length) return bytes.subarray(5, 5 + length);
  const whole = new Uint8Array(length);
  let filled = 0;
  for (let at = 0; filled < length; at += 5 + uint16(bytes, at + 3)) {
    const there = Math.min(uint16(bytes, at + 3), length - filled);
    whole.set(bytes.subarray(at + 5, at + 5 + there), filled);
    filled += there;
  }
  return whole;
}

const truncated = bad(Alert.decodeError, "a length in the ClientHello is wrong");

/** Reads the complete message, including its header. */
function readBody(message: Uint8Array): ClientHello | BadHello {
  const reader = new Reader(message, 4, message.length);
  const legacyVersion = reader.number(2);
  reader.skip(32);
  const sessionId = reader.vector(1);
  const cipherSuites = reader.vector(2);
  const compressions = reader.vector(1);
  if (legacyVersion === undefined || sessionId === undefined || cipherSuites === undefined) {
    return truncated;
  }
  if (compressions === undefined || sessionId.left > 32 || compressions.left < 1) return truncated;
  if (cipherSuites.left < 2 || cipherSuites.left % 2 !== 0) return truncated;

  const hello: ClientHello = { serverName: undefined, alpn: [], versions: [legacyVersion] };
  // TLS 1.2 allows a client to omit the extensions and their length (RFC 5246 section 7.4.1.2).
  if (reader.left === 0) return hello;
  const extensions = reader.vector(2);
  if (extensions === undefined || reader.left !== 0) return truncated;

  const seen = new Set<number>();
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (type === undefined || data === undefined) return truncated;
    // RFC 8446 section 4.2: no extension may appear twice.
    if (seen.has(type)) return bad(Alert.illegalParameter, `extension ${type} appears twice`);
    seen.add(type);
    const wrong = readExtension(type, data, hello);
    if (wrong !== undefined) return wrong;
  }
  return hello;
}

function readExtension(type: number, data: Reader, hello: ClientHello): BadHello | undefined {
  if (type === SERVER_NAME) return readServerName(data, hello);
  if (type === ALPN) return readAlpn(data, hello);
  if (type === SUPPORTED_VERSIONS) return readVersions(data, hello);
  return undefined;
}

/** RFC 6066 section 3. */
function readServerName(data: Reader, hello: ClientHello): BadHello | undefined {
  const names = data.vector(2);
  if (names === undefined || data.left !== 0 || names.left === 0) return truncated;
  while (names.left > 0) {
    const type = names.number(1);
    // Every kind of name, including future ones, begins with its length, so unknown kinds can be skipped.
    const name = names.vector(2);
    if (type === undefined || name === undefined || name.left === 0) return truncated;
    if (type !== 0) continue;
    if (hello.serverName !== undefined) {
      return bad(Alert.illegalParameter, "the ClientHello names two servers");
    }
    const wrong = name.left > longestHostName || !name.isVisible();
    const text = wrong ? "" : name.text().toLowerCase().replace(/\.$/, "");
    if (text === "") return bad(Alert.unrecognizedName, "the server name is not a host name");
    hello.serverName = text;
  }
  return undefined;
}

/** RFC 7301 section 3.1. */
function readAlpn(data: Reader, hello: ClientHello): BadHello | undefined {
  const names = data.vector(2);
  if (names === undefined || data.left !== 0 || names.left === 0) return truncated;
  while (names.left > 0) {
    const name = names.vector(1);
    if (name === undefined || name.left === 0) return truncated;
    hello.alpn.push(name.text());
  }
  return undefined;
}

/** RFC 8446 section 4.2.1. */
function readVersions(data: Reader, hello: ClientHello): BadHello | undefined {
  const versions = data.vector(1);
  if (versions === undefined || data.left !== 0) return truncated;
  if (versions.left === 0 || versions.left % 2 !== 0) return truncated;
  hello.versions = [];
  while (versions.left > 0) hello.versions.push(versions.number(2)!);
  return undefined;
}

function bad(alert: Alert, why: string): BadHello {
  return { kind: "bad", alert, why };
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

/** Reads forward between two offsets. Returns undefined if fewer octets are left than requested. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  skip(octets: number): void {
    this.#at = Math.min(this.#at + octets, this.#end);
  }

  /** Reads an unsigned big-endian number of one or two octets. */
  number(octets: 1 | 2): number | undefined {
    if (this.left < octets) return undefined;
    const value = octets === 1 ? this.#bytes[this.#at]! : uint16(this.#bytes, this.#at);
    this.#at += octets;
    return value;
  }

  /** Reads a vector, whose length comes first in one or two octets. */
  vector(lengthOctets: 1 | 2): Reader | undefined {
    const length = this.number(lengthOctets);
    if (length === undefined || length > this.left) return undefined;
    const start = this.#at;
    this.#at += length;
    return new Reader(this.#bytes, start, this.#at);
  }

  /** Whether all octets are visible ASCII: no control characters, no spaces, nothing above 126. */
  isVisible(): boolean {
    for (let at = this.#at; at < this.#end; at++) {
      const octet = this.#bytes[at]!;
      if (octet <= 32 || octet >= 127) return false;
    }
    return true;
  }

  text(): string {
    return latin1(this.#bytes, this.#at, this.#end);
  }
}
