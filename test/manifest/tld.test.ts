import { expect, test } from "bun:test";
import { readTld, riskOf } from "../../src/manifest/tld.ts";

test.each([
  "test",
  "internal",
  "home.arpa",
  "lan",
  "home",
  "corp",
  "private",
  "intranet",
  "localdomain",
  "invalid",
  "example",
  "dev.test",
  "a.b.home.arpa",
  "alt",
])("%s belongs to nobody, and is taken without a word", (tld) => {
  expect(readTld(tld)).toEqual({ kind: "tld", tld });
  expect(riskOf(tld)).toBeUndefined();
});

test.each(["dev", "app", "zip", "dev.example.com", "my.example.io", "xn--p1ai", "testing"])(
  "%s may have public sites, and is accepted with a warning",
  (tld) => {
    expect(readTld(tld)).toEqual({ kind: "tld", tld });
    expect(riskOf(tld)).toContain("could impersonate them");
  },
);

test("names under local are those of the network's machines", () => {
  expect(riskOf("local")).toContain("multicast DNS");
});

test("letters are lowered", () => {
  expect(readTld("TEST")).toEqual({ kind: "tld", tld: "test" });
});

test.each([
  ["", "is not a valid domain"],
  ["localhost", "is always served"],
  ["LOCALHOST", "is always served"],
  ["api.localhost", "is always served"],
  [".test", 'did you mean "test"?'],
  ["*.test", 'did you mean "test"?'],
  ["test.", 'did you mean "test"?'],
  [".localhost", "is not a valid domain"],
  ["a..test", "is not a valid domain"],
  ["-test", "is not a valid domain"],
  ["test-", "is not a valid domain"],
  ["te st", "is not a valid domain"],
  ["te_st", "is not a valid domain"],
  ["test:80", "is not a valid domain"],
  ["http://test", "is not a valid domain"],
  ["tést", "is not a valid domain"],
  ["*", "is not a valid domain"],
  ["a".repeat(64), "is not a valid domain"],
  [`${"a.".repeat(100)}test`, "is not a valid domain"],
  ["x.123", "ends in a number"],
  ["1", "ends in a number"],
  ["0x7f", "ends in a number"],
  ["arpa", "reserved for Internet infrastructure"],
  ["in-addr.arpa", "reserved for Internet infrastructure"],
  ["com", "is a public domain"],
  ["ORG", "is a public domain"],
  ["net", "is a public domain"],
  ["io", "is a public domain"],
  ["uk", "is a public domain"],
])("%j is no domain for names, and the reason is told", (text, part) => {
  expect(readTld(text)).toEqual({ kind: "mistake", why: expect.stringContaining(part) });
});
