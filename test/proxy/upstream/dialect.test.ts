import { describe, expect, test } from "bun:test";
import {
  Dialect,
  type Evidence,
  evidence,
  type Known,
  learned,
} from "../../../src/proxy/upstream/dialect.ts";
import { encode } from "../../../src/wire/bytes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testService } from "../../support/test-proxy.ts";

const expected: Record<Evidence, Record<Known, Known>> = {
  // Nothing in HTTP begins like an alert.
  alert: { unknown: "tls", plain: "tls", tls: "tls" },
  // A server of TLS that fails may have said something plain.
  "plain answer": { unknown: "plain", plain: "plain", tls: "tls" },
  "plain handshake": { unknown: "plain", plain: "plain", tls: "plain" },
  "asked: yes": { unknown: "tls", plain: "plain", tls: "tls" },
  "asked: no": { unknown: "plain", plain: "plain", tls: "tls" },
};

describe.each([...evidence])("%s", (shown) => {
  for (const known of ["unknown", "plain", "tls"] as const) {
    test(`of a process that is ${known}: ${expected[shown][known]}`, () => {
      expect(learned[shown][known]).toBe(expected[shown][known]);
    });
  }
});

function dialect(): Dialect {
  return new Dialect(testService("api", { port: 3000 }), new FakeClock());
}

test("the first bytes show TLS, plain HTTP, or a doubt in which nothing is learned yet", () => {
  const alert = dialect();
  expect(alert.hear(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70))).toBe("tls");
  expect(alert.tls).toBe(true);

  const plain = dialect();
  expect(plain.hear(encode("HTTP/1.1 200 OK\r\n\r\n"))).toBe("plain");
  expect(plain.tls).toBe(false);
  // One that is known to be plain may complain of anything.
  expect(plain.hear(encode("HTTP/1.1 400 Bad Request\r\n\r\nTLS is better"))).toBe("plain");

  const doubtful = dialect();
  const complaint =
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
  expect(doubtful.hear(encode(complaint))).toBe("doubtful");
  expect(doubtful.tls).toBeUndefined();
});
