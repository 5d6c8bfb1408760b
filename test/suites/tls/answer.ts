/** The first bytes of a server's answer to a ClientHello -> what they are: its ServerHello, an alert, or else. */

export type ServerHello = {
  kind: "hello";
  /** By the extension where there is one. */
  version: number;
  suite: number;
  random: Buffer;
  /** A HelloRetryRequest: RFC 8446 section 4.1.3. */
  retry: boolean;
  extensions: Map<number, Buffer>;
};

export type TlsAnswer =
  | ServerHello
  | { kind: "alert"; description: number }
  | { kind: "http"; status: number }
  | { kind: "closed" }
  | { kind: "nothing" }
  | { kind: "unknown"; first: number };

/** SHA-256 of "HelloRetryRequest". */
const retryRandom = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

/** @returns undefined: more has to come. */
export function readAnswer(bytes: Buffer, { over }: { over: boolean }): TlsAnswer | undefined {
  if (bytes.length === 0) return over ? { kind: "closed" } : undefined;
  const first = bytes[0]!;
  if (first === 0x48) {
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(bytes.toString("latin1", 0, 16))?.[1];
    return status === undefined && !over
      ? undefined
      : { kind: "http", status: Number(status ?? 0) };
  }
  const message: Buffer[] = [];
  for (let at = 0; ;) {
    if (bytes.length < at + 5) break;
    const type = bytes[at]!;
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (type === 21 && message.length === 0) {
      if (bytes.length < at + 7) break;
      return { kind: "alert", description: bytes[at + 6]! };
    }
    if (type !== 22) return { kind: "unknown", first: type };
    if (bytes.length < end) break;
    message.push(bytes.subarray(at + 5, end));
    const hello = readHello(Buffer.concat(message));
    if (hello !== undefined) return hello;
    at = end;
  }
  return over ? { kind: "closed" } : undefined;
}

/** @returns undefined: the message is not whole. */
function readHello(message: Buffer): TlsAnswer | undefined {
  if (message.length < 4) return undefined;
  if (message[0] !== 2) return { kind: "unknown", first: message[0]! };
  const end = 4 + message.readUIntBE(1, 3);
  if (message.length < end) return undefined;
  const random = message.subarray(6, 38);
  let at = 38 + 1 + message[38]!;
  const suite = message.readUInt16BE(at);
  at += 3;
  const extensions = new Map<number, Buffer>();
  for (at += 2; at + 4 <= end;) {
    const size = message.readUInt16BE(at + 2);
    extensions.set(message.readUInt16BE(at), message.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  const version = extensions.get(43)?.readUInt16BE(0) ?? message.readUInt16BE(4);
  return {
    kind: "hello",
    version,
    suite,
    random,
    retry: random.toString("hex") === retryRandom,
    extensions,
  };
}
