import { expect, test } from "bun:test";
import { nearest } from "../../src/text/nearest.ts";

test.each([
  ["ap", ["api", "web"], "api"],
  ["apii", ["api", "web"], "api"],
  ["ali", ["api", "web"], "api"],
  ["pai", ["api", "web"], "api"],
  ["front", ["frontend", "docs"], "frontend"],
  ["sl", ["ls", "url"], "ls"],
  ["opne", ["open", "url", "port"], "open"],
])("%s among %p probably meant %s", (word, candidates, meant) => {
  expect(nearest(word, candidates)).toBe(meant);
});

test.each([
  ["web", ["api", "docs"]],
  ["a", ["b"]],
  ["", ["ls"]],
  ["billing", ["search"]],
  ["api", []],
])("%s is near none of %p", (word, candidates) => {
  expect(nearest(word, candidates)).toBeUndefined();
});

test("case does not matter, and the candidate keeps its own", () => {
  expect(nearest("API", ["api"])).toBe("api");
  expect(nearest("apu", ["API"])).toBe("API");
});

test("the fewest slips win, then the alphabet, whatever the order", () => {
  expect(nearest("wen", ["when", "web", "wed"])).toBe("web");
  expect(nearest("wen", ["wed", "web", "when"])).toBe("web");
  expect(nearest("docs", ["docz", "docs"])).toBe("docs");
});

test("a swap of two neighbours is one slip", () => {
  expect(nearest("abdc", ["abcd", "xbdx"])).toBe("abcd");
});

test("a huge word is near nothing, without comparing it", () => {
  const huge = "a".repeat(60_000);
  const compared: string[] = [];
  const candidates = function* () {
    compared.push("asked");
    yield huge;
  };
  expect(nearest(huge, candidates())).toBeUndefined();
  expect(nearest("api", [huge])).toBeUndefined();
  expect(compared).toEqual([]);
});
