import { expect, test } from "bun:test";
import { fileCapability, mayBindAlone, readCapability } from "../../src/system/file-capability.ts";

/** As the kernel has it: magic, then permitted and inheritable, lower halves first. */
const value = (...words: number[]) => new Uint8Array(new Uint32Array(words).buffer);

const bind = 1 << 10;

test("the right to listen on root's ports, from the beginning, and nothing else", () => {
  const may = (...words: number[]) => mayBindAlone(readCapability(value(...words)));
  expect(may(0x0200_0001, bind, 0, 0, 0)).toBeTrue();
  expect(may(0x0300_0001, bind, 0, 0, 0, 1000)).toBeTrue();
  // Not effective, more besides, inheritable, an older form, nothing.
  expect(may(0x0200_0000, bind, 0, 0, 0)).toBeFalse();
  expect(may(0x0200_0001, bind | 1, 0, 0, 0)).toBeFalse();
  expect(may(0x0200_0001, bind, 0, 1, 0)).toBeFalse();
  expect(may(0x0200_0001, bind, bind, 0, 0)).toBeFalse();
  expect(may(0x0100_0001, bind, 0)).toBeFalse();
  expect(may()).toBeFalse();
});

test("a file without any has none", () => {
  expect(fileCapability(import.meta.path)).toEqual({ kind: "none" });
  expect(fileCapability("/nonexistent")).toEqual({ kind: "none" });
});
