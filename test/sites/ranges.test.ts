import { expect, test } from "bun:test";
import fc from "fast-check";
import { rangesIn } from "../../src/sites/ranges.ts";

/** `0-5` for bytes 0 to 4, as slices have it. */
function read(field: string | undefined, size = 10): string {
  const its = rangesIn(field, size);
  return its.kind === "parts" ? its.parts.map(({ from, to }) => `${from}-${to}`).join() : its.kind;
}

test("one range, an open one and a suffix are parts of the file", () => {
  expect(read("bytes=0-4")).toBe("0-5");
  expect(read("BYTES=0-0")).toBe("0-1");
  expect(read("bytes=5-")).toBe("5-10");
  expect(read("bytes=-3")).toBe("7-10");
  expect(read("bytes=-100")).toBe("0-10");
  expect(read("bytes=8-99999999999999999999")).toBe("8-10");
  expect(read("bytes= 1-2 , 4-5\t,-1")).toBe("1-3,4-6,9-10");
});

test("a range that is none, of another unit, or asks for too much, is not heeded", () => {
  for (const field of [
    ...[undefined, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2,x"],
    ...["lines=1-2", "bytes 0-4", "bytes=0x1-2", "bytes=--1", "bytes=0-9,0-9"],
    `bytes=${"0-0,".repeat(64)}0-0`,
  ]) {
    expect({ field, read: read(field) }).toEqual({ field, read: "whole" });
  }
});

test("ranges behind the end are unsatisfiable, unless one of them is not", () => {
  expect(read("bytes=10-")).toBe("unsatisfiable");
  expect(read("bytes=10-20")).toBe("unsatisfiable");
  expect(read("bytes=-0")).toBe("unsatisfiable");
  expect(read("bytes=0-0", 0)).toBe("unsatisfiable");
  expect(read("bytes=-5", 0)).toBe("unsatisfiable");
  expect(read("bytes=50-60,0-1")).toBe("0-2");
});

test("whatever is asked for, every part is of the file, and all together are no more than it", () => {
  const bound = fc.option(fc.oneof(fc.nat(30), fc.nat()), { nil: "" });
  const list = fc.array(fc.tuple(bound, bound), { minLength: 1, maxLength: 70 });
  fc.assert(
    fc.property(list, fc.nat(20), (ranges, size) => {
      const its = rangesIn(`bytes=${ranges.map(([from, to]) => `${from}-${to}`).join()}`, size);
      if (its.kind !== "parts") return;
      let sum = 0;
      for (const { from, to } of its.parts) {
        expect(from).toBeLessThan(to);
        expect(to).toBeLessThanOrEqual(size);
        sum += to - from;
      }
      expect(sum).toBeLessThanOrEqual(size);
    }),
  );
});
