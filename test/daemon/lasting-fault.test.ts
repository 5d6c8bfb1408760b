/** A fault that is met every second: noted when it begins, whatever its text, and again when it comes back. */
import { expect, test } from "bun:test";
import { LastingFault } from "../../src/daemon/lasting-fault.ts";

const coded = (code: string, message: string) => Object.assign(new Error(message), { code });

test("one that goes on is noted once, in words, though its text names another file each time", () => {
  const notes: string[] = [];
  const fault = new LastingFault("the record cannot be written", (text) => notes.push(text));
  fault.met(coded("EISDIR", "rename record.1.tmp"));
  fault.met(coded("EISDIR", "rename record.2.tmp"));
  expect(notes).toEqual([
    "the record cannot be written: a folder is in its place (EISDIR); move it away",
  ]);
  fault.met(coded("ENOTDIR", "not a directory"));
  fault.met(new Error("something else"));
  fault.met(new Error("something else"));
  expect(notes.slice(1)).toEqual([
    "the record cannot be written: not a directory",
    "the record cannot be written: something else",
  ]);
  fault.over();
  fault.met(new Error("something else"));
  expect(notes).toHaveLength(4);
});
