import { expect, test } from "bun:test";
import { readSize } from "../../src/text/size.ts";

test.each<[written: string | number, bytes: number | undefined]>([
  [1024, 1024],
  ["1024", 1024],
  ["1024B", 1024],
  ["1k", 1024],
  ["512M", 536_870_912],
  ["512MB", 536_870_912],
  ["512 MiB", 536_870_912],
  ["1.5g", 1_610_612_736],
  ["2T", 2_199_023_255_552],
  ["", undefined],
  ["G", undefined],
  ["1GG", undefined],
  ["1i", undefined],
  ["-1M", undefined],
  [-1, undefined],
  [Number.NaN, undefined],
  ["1e9", undefined],
  ["1M2K", undefined],
])("%p is read as %p bytes", (written, bytes) => {
  expect(readSize(written)).toBe(bytes);
});
