import { expect, test } from "bun:test";
import { cut } from "../../src/text/cut.ts";

test("a text that is short enough stays as it is", () => {
  expect(cut("", 3)).toBe("");
  expect(cut("abc", 3)).toBe("abc");
});

test("a longer one keeps its beginning, with a mark that counts", () => {
  expect(cut("abcd", 3)).toBe("ab…");
});
