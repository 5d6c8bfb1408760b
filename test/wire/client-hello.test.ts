import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Alert, fatalAlert } from "../../src/wire/alert.ts";
import { concat, encode } from "../../src/wire/bytes.ts";
import { type ClientHello, parseClientHello } from "../../src/wire/client-hello.ts";
import { holdsFor } from "../support/property.ts";

/** First bytes of real clients, as they came from the socket. */
const corpus = join(import.meta.dir, "../corpus/client-hello");
const captured = new Map<string, Uint8Array>(
  readdirSync(corpus).map((file) => [
    file.replace(/\.hex$/, ""),
    Uint8Array.from(
      Buffer.from(readFileSync(join(corpus, file), "utf8").replace(/\s/g, ""), "hex"),
    ),
  ]),
);

const h2 = ["h2", "http/1.1"];
const both = [0x0304, 0x0303];
const allFour = [0x0304, 0x0303, 0x0302, 0x0301];

const expected: Record<string, ClientHello> = {
  curl: { serverName: "api.localhost", alpn: h2, versions: allFour },
  openssl: { serverName: "api.localhost", alpn: h2, versions: allFour },
  "openssl-tls12-no-name": { serverName: undefined, alpn: [], versions: [0x0303] },
  python: { serverName: "api.localhost", alpn: [], versions: both },
  node: { serverName: "api.localhost", alpn: h2, versions: both },
  bun: { serverName: "api.localhost", alpn: ["http/1.1"], versions: both },
  java: { serverName: "api.localhost", alpn: [], versions: both },
  chromium: { serverName: "api.localhost", alpn: h2, versions: both },
};

/** RFC 8701 section 3.1: browsers put versions in that nobody knows. */
function withoutGrease(hello: ClientHello): ClientHello {
  return { ...hello, versions: hello.versions.filter((version) => (version & 0x0f0f) !== 0x0a0a) };
}

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

function vector(octets: 1 | 2, content: readonly number[]): number[] {
  return [...(octets === 1 ? [content.length] : u16(content.length)), ...content];
}

function text(value: string): number[] {
  return [...encode(value)];
}

function extension(type: number, data: readonly number[]): number[] {
  return [...u16(type), ...vector(2, data)];
}

function sni(...names: (string | number[])[]): number[] {
  const list = names.flatMap((name) =>
    typeof name === "string" ? [0, ...vector(2, text(name))] : name,
  );
  return extension(0, vector(2, list));
}

type Parts = {
  sessionId?: number[];
  cipherSuites?: number[];
  compressions?: number[];
  /** What follows the compression methods. */
  tail?: number[];
};

function message(extensions: number[] | undefined, parts: Parts = {}): Uint8Array {
  const body = [
    ...[3, 3, ...new Array<number>(32).fill(7)],
    ...vector(1, parts.sessionId ?? []),
    ...vector(2, parts.cipherSuites ?? [0x13, 0x01]),
    ...vector(1, parts.compressions ?? [0]),
    ...(parts.tail ?? (extensions === undefined ? [] : vector(2, extensions))),
  ];
  return Uint8Array.from([1, body.length >> 16, ...u16(body.length & 0xffff), ...body]);
}

/** The message in records of at most `size` octets. */
function records(whole: Uint8Array, size = 16384): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < whole.length; at += size) {
    const part = whole.subarray(at, at + size);
    out.push(22, 3, 1, ...u16(part.length), ...part);
  }
  return Uint8Array.from(out);
}

function hello(extensions: number[] | undefined, parts?: Parts): Uint8Array {
  return records(message(extensions, parts));
}

function alertOf(bytes: Uint8Array): number | string {
  const parsed = parseClientHello(bytes);
  return parsed.kind === "bad" ? parsed.alert : parsed.kind;
}

test("every captured hello has its verdict here", () => {
  expect([...captured.keys()].sort()).toEqual(Object.keys(expected).sort());
});

describe.each([...captured])("%s", (client, bytes) => {
  test("whole, and with what follows behind it", () => {
    const parsed = parseClientHello(bytes);
    if (parsed.kind !== "done") throw new Error(JSON.stringify(parsed));
    expect(withoutGrease(parsed.value)).toEqual(expected[client]!);
    expect(parsed.end).toBe(bytes.length);
    const early = Uint8Array.of(23, 3, 3, 0, 1, 9);
    expect(parseClientHello(concat(bytes, early))).toEqual(parsed);
  });

  test("cut at every octet: more until it is whole", () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(parseClientHello(bytes.subarray(0, cut))).toEqual({ kind: "more" });
    }
  });

  test("in records of any size", () => {
    const whole = parseClientHello(bytes);
    for (const size of [1, 2, 3, 4, 5, 7, 64, 100]) {
      const pieces = records(bytes.subarray(5), size);
      expect(parseClientHello(pieces)).toEqual({ ...whole, end: pieces.length } as typeof whole);
      for (let cut = 0; cut < pieces.length; cut += size === 1 ? 97 : 1) {
        expect(parseClientHello(pieces.subarray(0, cut))).toEqual({ kind: "more" });
      }
    }
  });

  test("with any octet changed: never an error, never an empty or odd name", () => {
    holdsFor(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, octet] of changes) changed[at] = octet;
          saneOutcome(changed);
        },
      ),
      { runs: 300 },
    );
  });
});

function saneOutcome(bytes: Uint8Array): void {
  const parsed = parseClientHello(bytes);
  if (parsed.kind === "done") {
    expect(parsed.end).toBeLessThanOrEqual(bytes.length);
    const { serverName } = parsed.value;
    if (serverName !== undefined) expect(serverName).toMatch(/^[!-@[-~]+$/);
    expect(parsed.value.versions.length).toBeGreaterThan(0);
  } else if (parsed.kind === "bad") {
    expect(Object.values<number>(Alert)).toContain(parsed.alert);
    expect(parsed.why).not.toBe("");
  }
}

test("random octets behind the first: an outcome, and it does not change its mind", () => {
  holdsFor(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const bytes = concat(Uint8Array.of(22, 3, 1), noise);
      saneOutcome(bytes);
      // What was bad or done for a part stays so for the whole.
      let before = "more";
      for (let cut = 0; cut <= bytes.length; cut++) {
        const { kind } = parseClientHello(bytes.subarray(0, cut));
        if (before !== "more") expect(kind).toBe(before as typeof kind);
        before = kind;
      }
    }),
    { runs: 300 },
  );
});

test("random extensions in a sound hello", () => {
  const any = fc.array(
    fc.tuple(fc.constantFrom(0, 16, 43, 10, 0x0a0a), fc.array(fc.nat(255), { maxLength: 40 })),
    { maxLength: 4 },
  );
  holdsFor(
    fc.property(any, (list) =>
      saneOutcome(hello(list.flatMap(([type, data]) => extension(type, data)))),
    ),
    { runs: 500 },
  );
});

test("the name is lower case and has no final dot", () => {
  const parsed = parseClientHello(hello(sni("API.LocalHost.")));
  expect(parsed).toMatchObject({ kind: "done", value: { serverName: "api.localhost" } });
});

test("no extensions at all: no name, no protocols, the one old version", () => {
  const nothing = { serverName: undefined, alpn: [], versions: [0x0303] };
  expect(parseClientHello(hello(undefined))).toMatchObject({ kind: "done", value: nothing });
  expect(parseClientHello(hello([]))).toMatchObject({ kind: "done", value: nothing });
});

test("a kind of name that is not known is passed over", () => {
  const unknown = [5, ...vector(2, text("who"))];
  const parsed = parseClientHello(hello(sni(unknown, "a.localhost", unknown)));
  expect(parsed).toMatchObject({ kind: "done", value: { serverName: "a.localhost" } });
  expect(parseClientHello(hello(sni(unknown)))).toMatchObject({ kind: "done" });
});

test.each([
  ["two host names", sni("a.localhost", "b.localhost"), Alert.illegalParameter],
  ["the extension twice", [...sni("a"), ...sni("a")], Alert.illegalParameter],
  ["an unknown extension twice", [...extension(99, []), ...extension(99, [])], 47],
  ["an empty name", sni(""), Alert.decodeError],
  ["a lone dot", sni("."), Alert.unrecognizedName],
  ["a NUL in the name", sni("a\0.localhost"), Alert.unrecognizedName],
  ["a space in the name", sni("a b"), Alert.unrecognizedName],
  ["a name beyond ASCII", sni("ä.localhost"), Alert.unrecognizedName],
  ["a name of 256 octets", sni("a".repeat(256)), Alert.unrecognizedName],
  ["an empty list of names", extension(0, [0, 0]), Alert.decodeError],
  ["no list of names", extension(0, []), Alert.decodeError],
  ["octets behind the list", extension(0, [...vector(2, [0, 0, 1, 97]), 1]), 50],
  ["a name longer than its list", extension(0, vector(2, [0, 0, 9, 97])), 50],
  ["an empty list of protocols", extension(16, [0, 0]), Alert.decodeError],
  ["an empty protocol", extension(16, vector(2, [0])), Alert.decodeError],
  ["half a version", extension(43, [1, 3]), Alert.decodeError],
  ["no version", extension(43, [0]), Alert.decodeError],
  ["an extension longer than all", [0, 16, 0, 200, 1], Alert.decodeError],
  ["half an extension", [0], Alert.decodeError],
])("%s: bad", (_, extensions, alert) => {
  expect(alertOf(hello(extensions))).toBe(alert);
});

test.each<[string, Parts]>([
  ["a session id of 33 octets", { sessionId: new Array<number>(33).fill(1) }],
  ["no cipher suites", { cipherSuites: [] }],
  ["half a cipher suite", { cipherSuites: [1, 2, 3] }],
  ["no compression method", { compressions: [] }],
  ["octets behind the extensions", { tail: [0, 0, 1] }],
  ["extensions that end too early", { tail: [0, 9, 1] }],
  ["half a length", { tail: [0] }],
])("%s: bad", (_, parts) => {
  expect(alertOf(hello([], parts))).toBe(Alert.decodeError);
});

test("a hello that ends in its fixed part is bad", () => {
  for (let length = 0; length < 38; length++) {
    const body = message([]).slice(4, 4 + length);
    expect(alertOf(records(Uint8Array.from([1, 0, 0, length, ...body])))).toBe(Alert.decodeError);
  }
});

test("another message, and another record, are unexpected", () => {
  const server = message([]);
  server[0] = 2;
  expect(alertOf(records(server))).toBe(Alert.unexpectedMessage);
  const whole = message(sni("a.localhost"));
  const half = records(whole.subarray(0, 20));
  expect(alertOf(half)).toBe("more");
  expect(alertOf(concat(half, Uint8Array.of(23)))).toBe(Alert.unexpectedMessage);
  expect(alertOf(concat(half, Uint8Array.of(22, 3, 3, 0, 0)))).toBe(Alert.unexpectedMessage);
  expect(alertOf(records(concat(whole, whole)))).toBe(Alert.unexpectedMessage);
});

test("garbage behind 0x16 is told by its second octet", () => {
  expect(alertOf(Uint8Array.of(22))).toBe("more");
  expect(alertOf(Uint8Array.of(22, 71))).toBe(Alert.protocolVersion);
});

test("records and messages have a longest", () => {
  expect(alertOf(Uint8Array.of(22, 3, 1, 0x40, 0x01))).toBe(Alert.recordOverflow);
  expect(alertOf(Uint8Array.of(22, 3, 1, 0x40, 0x00))).toBe("more");
  expect(alertOf(Uint8Array.of(22, 3, 1, 0, 4, 1, 1, 0, 1))).toBe(Alert.illegalParameter);
  expect(alertOf(Uint8Array.of(22, 3, 1, 0, 4, 1, 1, 0, 0))).toBe("more");
  const padding = 65_536 - (message([]).length - 4) - 4;
  const longest = message(extension(21, new Array<number>(padding).fill(0)));
  expect(longest.length).toBe(4 + 65_536);
  for (const most of [16_384, 1_000, 100]) expect(alertOf(records(longest, most))).toBe("done");
});

test("a hello an octet a record is read up to 80 KiB, which bounds what an octet a call can cost", () => {
  const padding = new Array<number>(13_000).fill(0);
  const bytes = records(message(extension(21, padding)), 1);
  expect(bytes.length).toBeGreaterThan(78_000);
  // One call of 100, which has a hundredth of the time: of a processor, and the least of a few rounds.
  const rounds = Array.from({ length: 5 }, () => {
    const start = process.cpuUsage();
    for (let cut = 0; cut < bytes.length; cut += 100) parseClientHello(bytes.subarray(0, cut));
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
  });
  expect(Math.min(...rounds) * 100).toBeLessThan(10_000);
  expect(alertOf(bytes)).toBe("done");
  const more = records(message(extension(21, [...padding, ...padding])), 1);
  expect(alertOf(more.subarray(0, 81_900))).toBe("more");
  expect(alertOf(more.subarray(0, 82_000))).toBe(Alert.illegalParameter);
});

test("an alert is a record that any version understands", () => {
  expect(fatalAlert(Alert.unrecognizedName)).toEqual(Uint8Array.of(21, 3, 3, 0, 2, 2, 112));
});
