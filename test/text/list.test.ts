/** Lists, plurals and sizes, as sentences have them. */
import { expect, test } from "bun:test";
import { counted } from "../../src/text/counted.ts";
import { listed } from "../../src/text/list.ts";
import { didYouMean } from "../../src/text/nearest.ts";
import { shownSize } from "../../src/text/size.ts";

test.each([
  [[], ""],
  [["a"], "a"],
  [["a", "b"], "a and b"],
  [["a", "b", "c"], "a, b and c"],
  [[80, 443], "80 and 443"],
])("%p is listed as %p", (words, text) => {
  expect(listed(words)).toBe(text);
});

test("a list may end in another conjunction", () => {
  expect(listed(["a", "b", "c"], { conjunction: "or" })).toBe("a, b or c");
});

test("the words that are too many are counted", () => {
  const words = ["a", "b", "c", "d"];
  expect(listed(words, { most: 2 })).toBe("a, b and 2 more");
  expect(listed(words, { most: 3 })).toBe("a, b, c and 1 more");
  expect(listed(words, { most: 4 })).toBe("a, b, c and d");
});

test("one is singular, and everything else plural", () => {
  expect([0, 1, 2].map((count) => counted(count, "service"))).toEqual([
    "0 services",
    "1 service",
    "2 services",
  ]);
  expect(counted(2, "process", "processes")).toBe("2 processes");
});

test("a size has the unit that leaves one to four digits", () => {
  expect([0, 1_023, 1_536, 48_213, 52_428_800, 5_000_000_000, 2 ** 53].map(shownSize)).toEqual([
    "0 B",
    "1023 B",
    "1.5 KiB",
    "47 KiB",
    "50 MiB",
    "4.7 GiB",
    "8192 TiB",
  ]);
});

test("a suggestion ends a sentence, where there is one to make", () => {
  expect(didYouMean("ap", ["api"])).toBe("; did you mean api?");
  expect(didYouMean("prot", ["port"], { quoted: true })).toBe('; did you mean "port"?');
  expect(didYouMean("x", ["port"])).toBe("");
  expect(didYouMean("x", ["port"], { otherwise: "; the keys are port" })).toBe(
    "; the keys are port",
  );
});
