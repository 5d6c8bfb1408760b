/** What each ClientHello, and what is none, has to be answered with. RFC 8446, RFC 5246, RFC 9325. */
import type { ServerHello, TlsAnswer } from "./answer.ts";
import {
  alpnOf,
  Group,
  type Hello,
  handshakeOf,
  helloOf,
  modern,
  older,
  paddingOf,
  recordsOf,
  serverNameOf,
  sized16,
  Suite,
  u16,
  Version,
  x25519Share,
} from "./hello.ts";

export type Probe = {
  readonly name: string;
  /** Sent one after another, in packets of their own. */
  bytes(host: string): Buffer | readonly Buffer[];
  /** The client sends its FIN behind them. */
  readonly ends?: boolean;
  /** @returns what is wrong with the answer. */
  wrong(answer: TlsAnswer): string | undefined;
};

type Change = (host: string) => Hello;

export function shown(answer: TlsAnswer): string {
  if (answer.kind === "hello")
    return `a ServerHello of ${answer.version.toString(16)}, suite ${answer.suite.toString(16)}`;
  if (answer.kind === "alert") return `alert ${answer.description}`;
  if (answer.kind === "http") return `HTTP ${answer.status}`;
  return answer.kind;
}

/** No ServerHello, and not a wait without end. */
const refused = (answer: TlsAnswer): string | undefined =>
  answer.kind === "alert" || answer.kind === "closed" || answer.kind === "http"
    ? undefined
    : shown(answer);

const either = (answer: TlsAnswer): string | undefined =>
  answer.kind === "nothing" || answer.kind === "unknown" ? shown(answer) : undefined;

const served =
  (holds: (hello: ServerHello) => boolean = () => true) =>
  (answer: TlsAnswer): string | undefined =>
    answer.kind === "hello" && holds(answer) ? undefined : shown(answer);

const alert =
  (...descriptions: number[]) =>
  (answer: TlsAnswer): string | undefined =>
    answer.kind === "alert" && descriptions.includes(answer.description)
      ? undefined
      : shown(answer);

const is13 = served(({ version, retry }) => version === Version.tls13 && !retry);
const is12 = served(({ version }) => version === Version.tls12);

/** A row of a table: a name, the ClientHello, and what is wrong with an answer. */
type Row = readonly [name: string, change: Change, wrong: Probe["wrong"]];

const probe = (...[name, change, wrong]: Row): Probe => ({
  name,
  bytes: (host) => helloOf(change(host)),
  wrong,
});

const versions: Probe[] = [
  probe("TLS 1.3 and 1.2: 1.3", modern, is13),
  probe(
    "TLS 1.3 alone",
    (host) => ({ ...modern(host), versions: [Version.tls13], suites: Suite.tls13 }),
    is13,
  ),
  probe("TLS 1.2", older, is12),
  probe(
    "TLS 1.2 by the extension",
    (host) => ({ ...modern(host), versions: [Version.tls12] }),
    is12,
  ),
  probe(
    "TLS 1.1 is refused",
    (host) => ({
      ...older(host),
      legacyVersion: Version.tls11,
      suites: [...Suite.cbcSha1, ...Suite.rsaCbc],
    }),
    refused,
  ),
  probe(
    "TLS 1.0 is refused",
    (host) => ({
      ...older(host),
      legacyVersion: Version.tls10,
      suites: [...Suite.cbcSha1, ...Suite.rsaCbc],
    }),
    refused,
  ),
  probe(
    "SSL 3.0 is refused",
    (host) => ({ ...older(host), legacyVersion: Version.ssl3, suites: Suite.rsaCbc }),
    refused,
  ),
  {
    name: "SSL 2.0 is refused",
    bytes: () =>
      Buffer.from(`802e0100020015000000100100800200800600400400800700c0${"11".repeat(16)}`, "hex"),
    ends: true,
    wrong: refused,
  },
  probe(
    "versions that nobody knows are passed over",
    (host) => ({ ...modern(host), versions: [0x7a7a, 0x0305, Version.tls13] }),
    is13,
  ),
  probe(
    "a newer version in the old field means 1.2",
    (host) => ({ ...older(host), legacyVersion: 0x0305 }),
    is12,
  ),
  probe("records of TLS 1.2", (host) => ({ ...modern(host), recordVersion: Version.tls12 }), is13),
  probe(
    "the mark against downgrades stands in a ServerHello of 1.2",
    older,
    served(({ random }) => random.toString("latin1", 24) === "DOWNGRD\x01"),
  ),
  probe(
    "a fallback that is none of ours is refused",
    (host) => ({ ...older(host), suites: [...Suite.aead12, ...Suite.fallback] }),
    alert(86),
  ),
];

const suites: Probe[] = [
  ...(
    [
      ["no encryption", Suite.nulls],
      ["export suites", Suite.exports],
      ["RC4", Suite.rc4],
      ["DES", Suite.des],
      ["3DES", Suite.tripleDes],
      ["suites without a certificate", Suite.anonymous],
      ["RSA key exchange with CBC", Suite.rsaCbc],
      ["RSA key exchange with GCM", Suite.rsaGcm],
      ["CBC with SHA-1", Suite.cbcSha1],
      ["CBC with SHA-2", Suite.cbcSha2],
      ["shared keys", Suite.psk],
    ] as const
  ).map(([what, list]) =>
    probe(`${what} in TLS 1.2: refused`, (host) => ({ ...older(host), suites: list }), refused),
  ),
  ...Suite.aead12.map((suite) =>
    probe(
      `suite ${suite.toString(16)} in TLS 1.2`,
      (host) => ({ ...older(host), suites: [suite] }),
      is12,
    ),
  ),
  ...Suite.tls13.map((suite) =>
    probe(
      `suite ${suite.toString(16)} in TLS 1.3`,
      (host) => ({ ...modern(host), suites: [suite] }),
      is13,
    ),
  ),
  probe(
    "suites that nobody knows are passed over",
    (host) => ({ ...modern(host), suites: [...Suite.grease, ...Suite.tls13] }),
    is13,
  ),
  probe(
    "weak suites in front of strong ones",
    (host) => ({ ...older(host), suites: [...Suite.rc4, ...Suite.rsaCbc, ...Suite.aead12] }),
    served(({ suite }) => (Suite.aead12 as readonly number[]).includes(suite)),
  ),
  probe("no suites", (host) => ({ ...modern(host), suites: [] }), refused),
  probe("no compression offered", (host) => ({ ...modern(host), compressions: [] }), refused),
  probe(
    "compression with DEFLATE alone",
    (host) => ({ ...older(host), compressions: [1] }),
    refused,
  ),
];

const protocolIs = (wanted: string) =>
  served(({ extensions }) => extensions.get(16)?.toString("latin1", 3) === wanted);

const extensions: Probe[] = [
  probe("ALPN h2", (host) => ({ ...older(host), alpn: ["h2"] }), protocolIs("h2")),
  probe(
    "ALPN http/1.1",
    (host) => ({ ...older(host), alpn: ["http/1.1"] }),
    protocolIs("http/1.1"),
  ),
  probe(
    "ALPN h2 and http/1.1: h2",
    (host) => ({ ...older(host), alpn: ["h2", "http/1.1"] }),
    protocolIs("h2"),
  ),
  probe(
    "ALPN with a protocol that nobody knows in front",
    (host) => ({ ...older(host), alpn: ["\x0a\x0a", "http/1.1"] }),
    protocolIs("http/1.1"),
  ),
  probe(
    "ALPN with nothing of ours: no_application_protocol",
    (host) => ({ ...older(host), alpn: ["spdy/3"] }),
    alert(120),
  ),
  probe(
    "no ALPN: none in the answer",
    older,
    served(({ extensions: own }) => !own.has(16)),
  ),
  probe("an empty list of ALPN", (host) => ({ ...older(host), more: [[16, u16(0)]] }), refused),
  probe(
    "an empty name in ALPN",
    (host) => ({ ...older(host), more: [alpnOf(["", "h2"])] }),
    refused,
  ),
  probe("no server name", (host) => ({ ...modern(host), serverName: undefined }), either),
  probe(
    "a server name in capitals",
    (host) => ({ ...modern(host), serverName: host.toUpperCase() }),
    is13,
  ),
  probe(
    "a server name with an octet 0",
    (host) => ({ ...modern(host), serverName: `${host}\0.example` }),
    either,
  ),
  probe(
    "a server name of 300 octets",
    (host) => ({ ...modern(host), serverName: "a".repeat(300) }),
    either,
  ),
  probe("an empty server name", (host) => ({ ...modern(host), serverName: "" }), refused),
  probe(
    "two server names",
    (host) => ({
      ...modern(host),
      serverName: undefined,
      more: [serverNameOf(host, "other.localhost")],
    }),
    refused,
  ),
  probe(
    "an address as the server name",
    (host) => ({ ...modern(host), serverName: "127.0.0.1" }),
    either,
  ),
  probe(
    "the same extension twice",
    (host) => ({ ...modern(host), more: [serverNameOf(host)] }),
    refused,
  ),
  probe(
    "an extension that nobody knows",
    (host) => ({ ...modern(host), more: [[0x1a1a, Buffer.from([0])]] }),
    is13,
  ),
  probe(
    "heartbeats are not offered back",
    (host) => ({ ...older(host), more: [[15, Buffer.from([1])]] }),
    served(({ extensions: own }) => !own.has(15)),
  ),
  probe(
    "secure renegotiation is told",
    older,
    served(({ extensions: own }) => own.has(0xff01)),
  ),
  probe(
    "the extended master secret is used",
    older,
    served(({ extensions: own }) => own.has(23)),
  ),
  probe(
    "octets behind the extensions",
    (host) => ({ ...modern(host), behind: Buffer.from([1, 2, 3]) }),
    refused,
  ),
  probe(
    "an extension longer than its message",
    (host) => ({ ...modern(host), more: [[13, u16(500)]], signatures: undefined }),
    refused,
  ),
];

const keys: Probe[] = [
  probe(
    "no share of a key: asked again",
    (host) => ({ ...modern(host), shares: [] }),
    served(({ retry }) => retry),
  ),
  probe(
    "no shares and no groups in TLS 1.3",
    (host) => ({
      ...modern(host),
      versions: [Version.tls13],
      groups: undefined,
      shares: undefined,
    }),
    refused,
  ),
  probe(
    "no signatures in TLS 1.3",
    (host) => ({ ...modern(host), versions: [Version.tls13], signatures: undefined }),
    refused,
  ),
  probe(
    "P-256 alone: asked again",
    (host) => ({ ...modern(host), groups: [Group.p256], shares: [] }),
    served(({ retry }) => retry),
  ),
  probe(
    "groups that nobody has",
    (host) => ({ ...modern(host), versions: [Version.tls13], groups: [0x7a7a], shares: [] }),
    refused,
  ),
  probe(
    "an x25519 key of 31 octets",
    (host) => ({ ...modern(host), shares: [[Group.x25519, x25519Share.subarray(1)]] }),
    refused,
  ),
  probe(
    "an x25519 key of zeros",
    (host) => ({ ...modern(host), shares: [[Group.x25519, Buffer.alloc(32)]] }),
    refused,
  ),
  probe(
    "a P-256 key that is on no curve",
    (host) => ({
      ...modern(host),
      groups: [Group.p256],
      shares: [[Group.p256, Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)])]],
    }),
    refused,
  ),
  probe(
    "signatures with SHA-1 alone",
    (host) => ({ ...modern(host), signatures: [0x0201, 0x0203] }),
    refused,
  ),
];

const bytes = (name: string, make: Probe["bytes"], wrong: Probe["wrong"], ends = false): Probe => ({
  name,
  bytes: make,
  wrong,
  ends,
});

const records: Probe[] = [
  bytes(
    "a ClientHello in records of 20 octets",
    (host) => helloOf(modern(host), { size: 20 }),
    either,
  ),
  bytes("a ClientHello in packets of 50 octets", (host) => split(helloOf(modern(host)), 50), is13),
  bytes(
    "a ClientHello of 16,000 octets",
    (host) => helloOf({ ...modern(host), more: [paddingOf(15_500)] }),
    is13,
  ),
  bytes(
    "a ClientHello of 60,000 octets",
    (host) => helloOf({ ...modern(host), more: [paddingOf(59_500)] }),
    either,
  ),
  bytes(
    "a ClientHello of 16 MiB by its length",
    (host) =>
      recordsOf(
        Buffer.concat([
          Buffer.from([1, 255, 255, 255]),
          handshakeOf(modern(host)).subarray(4),
          Buffer.alloc(140_000),
        ]),
      ),
    refused,
    true,
  ),
  bytes(
    "a ClientHello that is cut off",
    (host) => helloOf(modern(host)).subarray(0, 60),
    refused,
    true,
  ),
  bytes(
    "a record longer than 2^14 + 256",
    () => Buffer.concat([Buffer.from([22, 3, 1]), u16(0xffff), Buffer.alloc(0xffff)]),
    refused,
    true,
  ),
  bytes(
    "a record without octets",
    (host) => Buffer.concat([recordsOf(Buffer.alloc(0)), helloOf(modern(host))]),
    either,
    true,
  ),
  bytes(
    "another handshake message than ClientHello",
    () => recordsOf(Buffer.from([2, 0, 0, 0])),
    refused,
    true,
  ),
  bytes(
    "application data first",
    () => recordsOf(Buffer.from("GET / HTTP/1.1\r\n\r\n"), { type: 23 }),
    refused,
    true,
  ),
  bytes("ChangeCipherSpec first", () => recordsOf(Buffer.from([1]), { type: 20 }), refused, true),
  bytes("an alert first", () => recordsOf(Buffer.from([2, 40]), { type: 21 }), refused, true),
  bytes(
    "a session id of 33 octets",
    (host) => helloOf({ ...modern(host), sessionId: Buffer.alloc(33) }),
    refused,
    true,
  ),
  bytes(
    "plain HTTP is not answered with TLS",
    (host) => Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    (answer) => (answer.kind === "hello" || answer.kind === "nothing" ? shown(answer) : undefined),
  ),
  bytes(
    "lengths of ALPN that do not fit",
    (host) =>
      helloOf({ ...older(host), more: [[16, Buffer.concat([u16(9), sized16(Buffer.alloc(2))])]] }),
    refused,
    true,
  ),
  bytes("an ordinary ClientHello behind all of these", (host) => helloOf(modern(host)), is13),
];

function split(whole: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
  return pieces;
}

export const probes: readonly Probe[] = [
  ...versions,
  ...suites,
  ...extensions,
  ...keys,
  ...records,
];
