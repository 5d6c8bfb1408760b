import { describe, expect, test } from "bun:test";
import { Dialect } from "../../../src/proxy/upstream/dialect.ts";
import {
  type Evidence,
  evidence,
  type Known,
  known,
  learned,
} from "../../../src/proxy/upstream/evidence.ts";
import { encode } from "../../../src/wire/bytes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testService } from "../../support/test-proxy.ts";

/** In the order of `known`: unknown, cleartext, plain, h2c, tls, https, h2. */
const expected: Record<Evidence, readonly Known[]> = {
  // Nothing in HTTP begins like an alert.
  alert: ["tls", "tls", "tls", "tls", "tls", "https", "h2"],
  // A server of TLS that fails may have said something plain.
  "plain answer": ["plain", "plain", "plain", "h2c", "tls", "https", "h2"],
  "plain handshake": [
    "cleartext",
    "cleartext",
    "plain",
    "h2c",
    "cleartext",
    "cleartext",
    "cleartext",
  ],
  "asked: yes": ["tls", "cleartext", "plain", "h2c", "tls", "https", "h2"],
  "asked: no": ["cleartext", "cleartext", "plain", "h2c", "tls", "https", "h2"],
  // Nothing but HTTP/2 begins like its frames.
  frames: ["h2c", "h2c", "h2c", "h2c", "h2c", "h2c", "h2c"],
  "asked: frames": ["h2c", "h2c", "plain", "h2c", "tls", "https", "h2"],
  "asked: no frames": ["plain", "plain", "plain", "h2c", "tls", "https", "h2"],
  // A server that took HTTP/2 alone has become another one, or was busy.
  "no frames": ["unknown", "cleartext", "plain", "cleartext", "tls", "https", "h2"],
  "secured answer": ["https", "https", "plain", "h2c", "https", "https", "h2"],
  "no http/1.1": ["h2", "h2", "h2", "h2", "h2", "h2", "h2"],
  "no h2": ["https", "https", "https", "https", "https", "https", "https"],
};

describe.each([...evidence])("%s", (shown) => {
  for (const [index, before] of known.entries()) {
    const after = expected[shown][index]!;
    test(`of a process that is ${before}: ${after}`, () => {
      expect(learned[shown][before]).toBe(after);
    });
  }
});

function dialect(...shown: Evidence[]): Dialect {
  const its = new Dialect(testService("api", { port: 3000 }), new FakeClock());
  for (const evidence of shown) its.learn(evidence);
  return its;
}

const settings = Uint8Array.of(0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100);
const goAway = Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);

test("the first bytes show TLS, HTTP/1.1, HTTP/2, or a doubt in which nothing is learned yet", () => {
  const alert = dialect();
  expect(alert.hear(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70))).toBe("other");
  expect(alert.tls).toBe(true);

  const plain = dialect();
  expect(plain.hear(encode("HTTP/1.1 200 OK\r\n\r\n"))).toBe("answer");
  expect(plain.known).toBe("plain");
  // One that is known to be plain may complain of anything.
  expect(plain.hear(encode("HTTP/1.1 400 Bad Request\r\n\r\nTLS is better"))).toBe("answer");

  for (const frame of [settings, goAway, settings.slice(0, 1), settings.slice(0, 3)]) {
    const multiplexed = dialect();
    expect(multiplexed.hear(frame)).toBe("other");
    expect([multiplexed.tls, multiplexed.h2]).toEqual([false, true]);
    const secured = dialect("alert");
    expect(secured.hear(frame, { secured: true })).toBe("other");
    expect([secured.tls, secured.h2]).toEqual([true, true]);
  }
  // A NUL that begins no such frame is an answer, which the reader of answers refuses.
  expect(dialect().hear(Uint8Array.of(0, 1, 2, 3, 4))).toBe("answer");
});

const complaints = {
  "of plain HTTP, as Go has it":
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
  "of HTTP/1.x, as ASP.NET has it":
    "HTTP/1.1 400 Bad Request\r\n\r\nAn HTTP/1.x request was sent to an HTTP/2 only endpoint.",
  "of HTTP/1.x, as Node has it inside TLS":
    "HTTP/1.0 403 Forbidden\r\n\r\nUnknown ALPN Protocol, expected `h2` to be available.",
  "that asks for an upgrade": "HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\n\r\n",
  "of the version": "HTTP/1.1 505 HTTP Version Not Supported\r\n\r\nonly HTTP/2 is spoken here",
};

test.each(Object.entries(complaints))("a complaint %s is a doubt, once", (_name, text) => {
  const doubtful = dialect();
  expect(doubtful.hear(encode(text))).toBe("doubtful");
  expect(doubtful.known).toBe("unknown");
  doubtful.learn("asked: no");
  expect(doubtful.hear(encode(text))).toBe("doubtful");
  doubtful.learn("asked: no frames");
  expect(doubtful.hear(encode(text))).toBe("answer");
});

test.each([
  "HTTP/1.1 404 Not Found\r\n\r\nsee https://example.com/ on HTTP/2 and TLS",
  "HTTP/1.1 500 Internal Server Error\r\n\r\nHTTP/2 failed",
  "HTTP/1.1 400 Bad Request\r\n\r\nno such thing",
  "HTTP/1.1 200 OK\r\n\r\n400 HTTP/2",
])("an error that speaks of something else is an answer: %j", (text) => {
  expect(dialect().hear(encode(text))).toBe("answer");
});

test("a request that needs HTTP/2 goes by it until the process has refused it, and again when it has changed", () => {
  const its = dialect();
  expect([its.h2, its.mayTakeH2]).toEqual([false, true]);
  its.learn("plain answer");
  expect(its.mayTakeH2).toBe(true);
  its.learn("no frames");
  expect([its.h2, its.mayTakeH2]).toEqual([false, false]);
  its.learn("alert");
  expect(its.mayTakeH2).toBe(true);
  its.learn("no h2");
  expect([its.known, its.mayTakeH2]).toEqual(["https", false]);
  its.learn("no http/1.1");
  expect([its.known, its.mayTakeH2]).toEqual(["h2", true]);
});

test("a connection by which a process was reached otherwise than it speaks may differ, whoever has found that out", () => {
  const differs = (...shown: Evidence[]): boolean[] =>
    [false, true].map((secured) => dialect(...shown).mayDiffer({ secured }));
  expect(differs()).toEqual([true, true]);
  expect(differs("plain answer")).toEqual([false, true]);
  expect(differs("secured answer")).toEqual([true, false]);
  for (const shown of ["alert", "asked: no", "frames", "no http/1.1"] as const) {
    expect(differs(shown)).toEqual([true, true]);
  }
});
