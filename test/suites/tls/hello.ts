/** Choices of a client -> the bytes of its ClientHello, well-formed or not, in records. RFC 8446 section 4.1.2. */
import { randomBytes } from "node:crypto";

export const Version = {
  ssl3: 0x0300,
  tls10: 0x0301,
  tls11: 0x0302,
  tls12: 0x0303,
  tls13: 0x0304,
} as const;

export const Group = {
  p256: 23,
  p384: 24,
  p521: 25,
  x25519: 29,
  x448: 30,
  ffdhe2048: 256,
} as const;

/** Suites by what they are about. */
export const Suite = {
  tls13: [0x1301, 0x1302, 0x1303],
  aead12: [0xc02b, 0xc02c, 0xcca9],
  nulls: [0x0001, 0x0002, 0x003b, 0xc006, 0xc010],
  exports: [0x0003, 0x0006, 0x0008, 0x000e, 0x0014],
  rc4: [0x0004, 0x0005, 0xc007, 0xc011],
  des: [0x0009, 0x000c, 0x000f, 0x0015],
  tripleDes: [0x000a, 0xc008, 0xc012],
  anonymous: [0x0018, 0x001b, 0x0034, 0x006c, 0x00a6, 0xc018, 0xc019],
  rsaCbc: [0x002f, 0x0035, 0x003c, 0x003d],
  rsaGcm: [0x009c, 0x009d],
  cbcSha1: [0xc009, 0xc00a],
  cbcSha2: [0xc023, 0xc024],
  psk: [0x008c, 0x00a8, 0xc035],
  fallback: [0x5600],
  grease: [0x0a0a, 0x1a1a],
} as const;

const name = {
  serverName: 0,
  groups: 10,
  formats: 11,
  signatures: 13,
  alpn: 16,
  padding: 21,
  extendedMasterSecret: 23,
  ticket: 35,
  versions: 43,
  pskModes: 45,
  keyShare: 51,
  renegotiation: 0xff01,
} as const;

export type Extension = readonly [type: number, body: Buffer];

export type Hello = {
  legacyVersion?: number;
  recordVersion?: number;
  random?: Buffer;
  sessionId?: Buffer;
  suites?: readonly number[];
  compressions?: readonly number[];
  /** undefined: no such extension. */
  versions?: readonly number[] | undefined;
  serverName?: string | undefined;
  groups?: readonly number[] | undefined;
  signatures?: readonly number[] | undefined;
  shares?: readonly (readonly [group: number, key: Buffer])[] | undefined;
  alpn?: readonly string[] | undefined;
  /** Behind all others. */
  more?: readonly Extension[];
  /** Octets behind the extensions. */
  behind?: Buffer;
};

const u8 = (value: number): Buffer => Buffer.from([value]);
export const u16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);
const sized8 = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u8(body.length), body]);
};
export const sized16 = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(body.length), body]);
};
const words = (values: readonly number[]): Buffer => Buffer.concat(values.map(u16));

const allSignatures = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];

/** A point that any x25519 takes: the base point. RFC 7748 section 4.1. */
export const x25519Share = Buffer.concat([u8(9), Buffer.alloc(31)]);

/** What a browser of today sends, in its parts. */
export const modern = (host: string): Hello => ({
  versions: [Version.tls13, Version.tls12],
  suites: [...Suite.tls13, ...Suite.aead12],
  serverName: host,
  groups: [Group.x25519, Group.p256, Group.p384],
  signatures: allSignatures,
  shares: [[Group.x25519, x25519Share]],
});

/** The same without anything of TLS 1.3. */
export const older = (host: string): Hello => ({
  ...modern(host),
  versions: undefined,
  shares: undefined,
  suites: [...Suite.aead12],
});

export function handshakeOf(hello: Hello): Buffer {
  const {
    legacyVersion = Version.tls12,
    random = randomBytes(32),
    sessionId = randomBytes(32),
  } = hello;
  const { suites = [], compressions = [0], behind = Buffer.alloc(0) } = hello;
  const body = Buffer.concat([
    u16(legacyVersion),
    random,
    sized8(sessionId),
    sized16(words(suites)),
    sized8(Buffer.from(compressions)),
    sized16(...extensionsOf(hello).flatMap(([type, inside]) => [u16(type), sized16(inside)])),
    behind,
  ]);
  return Buffer.concat([u8(1), u24(body.length), body]);
}

function extensionsOf(hello: Hello): Extension[] {
  const { versions, serverName, groups, signatures, shares, alpn, more = [] } = hello;
  const all: (Extension | undefined)[] = [
    serverName === undefined ? undefined : serverNameOf(serverName),
    groups && [name.groups, sized16(words(groups))],
    [name.formats, sized8(u8(0))],
    signatures && [name.signatures, sized16(words(signatures))],
    alpn && alpnOf(alpn),
    [name.extendedMasterSecret, Buffer.alloc(0)],
    [name.renegotiation, u8(0)],
    versions && [name.versions, sized8(words(versions))],
    versions && [name.pskModes, sized8(u8(1))],
    shares && [
      name.keyShare,
      sized16(...shares.flatMap(([group, key]) => [u16(group), sized16(key)])),
    ],
    ...more,
  ];
  return all.filter((it) => it !== undefined);
}

export function serverNameOf(...names: readonly string[]): Extension {
  const entries = names.flatMap((it) => [u8(0), sized16(Buffer.from(it, "latin1"))]);
  return [name.serverName, sized16(...entries)];
}

export function alpnOf(protocols: readonly string[]): Extension {
  return [name.alpn, sized16(...protocols.map((it) => sized8(Buffer.from(it))))];
}

export function paddingOf(count: number): Extension {
  return [name.padding, Buffer.alloc(count)];
}

export type Records = { version?: number; type?: number; size?: number };

/** In records of at most `size` octets. */
export function recordsOf(
  bytes: Buffer,
  { version = Version.tls10, type = 22, size = 16_384 }: Records = {},
): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    records.push(u8(type), u16(version), sized16(piece));
  }
  return Buffer.concat(records);
}

export const helloOf = (hello: Hello, records: Records = {}): Buffer =>
  recordsOf(handshakeOf(hello), { version: hello.recordVersion ?? Version.tls10, ...records });
