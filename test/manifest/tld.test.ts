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
  "%s may have real sites, and is taken with a word about that",
  (tld) => {
    expect(readTld(tld)).toEqual({ kind: "tld", tld });
    expect(riskOf(tld)).toContain("could pose as one");
  },
);

test("names under local are those of the network's machines", () => {
  expect(riskOf("local")).toContain("multicast DNS");
});

test("letters are lowered", () => {
  expect(readTld("TEST")).toEqual({ kind: "tld", tld: "test" });
});

test.each([
  ["", "is no domain"],
  ["localhost", "is served always"],
  ["LOCALHOST", "is served always"],
  ["api.localhost", "is served always"],
  [".test", 'did you mean "test"?'],
  ["*.test", 'did you mean "test"?'],
  ["test.", 'did you mean "test"?'],
  [".localhost", "is no domain"],
  ["a..test", "is no domain"],
  ["-test", "is no domain"],
  ["test-", "is no domain"],
  ["te st", "is no domain"],
  ["te_st", "is no domain"],
  ["test:80", "is no domain"],
  ["http://test", "is no domain"],
  ["tést", "is no domain"],
  ["*", "is no domain"],
  ["a".repeat(64), "is no domain"],
  [`${"a.".repeat(100)}test`, "is no domain"],
  ["x.123", "ends in a number"],
  ["1", "ends in a number"],
  ["0x7f", "ends in a number"],
  ["arpa", "the Internet's own"],
  ["in-addr.arpa", "the Internet's own"],
  ["com", "is full of real sites"],
  ["ORG", "is full of real sites"],
  ["net", "is full of real sites"],
  ["io", "is full of real sites"],
  ["uk", "is full of real sites"],
])("%j is no domain for names, and the reason is told", (text, part) => {
  expect(readTld(text)).toEqual({ kind: "mistake", why: expect.stringContaining(part) });
});
