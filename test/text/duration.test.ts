import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { shown } from "../../src/text/shown.ts";
import { longestTimer, readDuration, shownDuration } from "../../src/text/duration.ts";

const milliseconds = (value: number) => ({ kind: "milliseconds" as const, value });

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["2d", 172_800_000],
  ["1h30m", 5_400_000],
  ["1d12h", 129_600_000],
  ["1.5s", 1_500],
  ["0.25ms", 0],
  ["0s", 0],
])("%p is %d ms", (text, value) => {
  expect(readDuration(text)).toEqual(milliseconds(value));
});

test.each([
  [30, 30_000],
  [1.5, 1_500],
  [0, 0],
])("%d without a unit is seconds, as a number and as text", (count, value) => {
  expect(readDuration(count)).toEqual(milliseconds(value));
  expect(readDuration(String(count))).toEqual(milliseconds(value));
});

describe("no duration:", () => {
  test.each(["", " ", "5 m", "m", "-5m", "+5", "5x", "5M", "1h 30m", "1h30", "1e3", ".5s", "5.s"])(
    "%p",
    (text) => {
      expect(readDuration(text)).toEqual({
        kind: "mistake",
        why: `expected a duration such as "500ms", "30s" or "1h30m", got ${JSON.stringify(text)}`,
      });
    },
  );

  test.each([-1, Number.NaN])("%d", (count) => {
    expect(readDuration(count)).toMatchObject({ kind: "mistake" });
  });
});

test("the longest duration is the longest timer, or what the caller says", () => {
  expect(readDuration("24d")).toEqual(milliseconds(2_073_600_000));
  expect(readDuration(longestTimer / 1_000)).toEqual(milliseconds(longestTimer));
  for (const written of ["25d", "600h", 2_147_484, "999999999999d", Number.POSITIVE_INFINITY]) {
    expect(readDuration(written)).toEqual({
      kind: "mistake",
      why: `${shown(written)} is longer than 24 days`,
    });
  }
  const longest = 400 * 86_400_000;
  expect(readDuration("365d", { longest })).toEqual(milliseconds(31_536_000_000));
  expect(readDuration("401d", { longest })).toMatchObject({
    why: '"401d" is longer than 400 days',
  });
});

test("whatever is written, the answer is whole milliseconds within the limit, or an error", () => {
  const pieces = fc.constantFrom("1", "0", ".5", "9999", "ms", "s", "m", "h", "d", "-", " ", "e");
  const texts = fc.array(pieces, { maxLength: 8 }).map((its) => its.join(""));
  fc.assert(
    fc.property(fc.oneof(texts, fc.string(), fc.double()), (written) => {
      const read = readDuration(written);
      if (read.kind === "mistake") expect(read.why).not.toBe("");
      else expect(Number.isInteger(read.value) && read.value >= 0).toBe(true);
      if (read.kind === "milliseconds") expect(read.value).toBeLessThanOrEqual(longestTimer);
    }),
  );
});

test("a duration is shown rounded, in one unit", () => {
  const shown = [0, 400, 9_940, 12_000, 99_000, 180_000, 7_200_000, 432_000_000].map(shownDuration);
  expect(shown).toEqual(["0.0 s", "0.4 s", "9.9 s", "12 s", "99 s", "3 m", "2 h", "5 d"]);
});
