import { describe, expect, test } from "bun:test";
import { LogLines, longestLine } from "../../src/supervisor/logs/log-lines.ts";

type Line = { text: string; dropped: number };

/** The lines of the pieces, with what is left at the end. */
function linesOf(...pieces: (string | Uint8Array)[]): Line[] {
  const lines: Line[] = [];
  const take = (bytes: Uint8Array, dropped: number) =>
    void lines.push({ text: new TextDecoder().decode(bytes), dropped });
  const splitter = new LogLines();
  for (const piece of pieces) {
    splitter.push(typeof piece === "string" ? new TextEncoder().encode(piece) : piece, take);
  }
  splitter.flush(take);
  return lines;
}

const texts = (...pieces: (string | Uint8Array)[]) => linesOf(...pieces).map(({ text }) => text);

const cases: [string, string, string[]][] = [
  ["lines end with LF", "a\nb\n", ["a", "b"]],
  ["an empty line is a line", "a\n\nb\n", ["a", "", "b"]],
  ["a terminal's CR LF ends one line", "a\r\nb\r\n", ["a", "b"]],
  ["two CRs before LF are no text", "a\r\r\n", ["a"]],
  ["a progress bar is its last state", "10%\r50%\r100%\r\ndone\n", ["100%", "done"]],
  ["a bar that ends in CR keeps its state", "10%\r50%\r", ["50%"]],
  ["a last line without end is kept", "a\nlast", ["a", "last"]],
  ["nothing is no line", "", []],
  ["a lone CR is no line", "\r", []],
  ["a CR at the start goes back over nothing", "\rtext\n", ["text"]],
  ["colours stay", "\u001b[31mred\u001b[0m\n", ["\u001b[31mred\u001b[0m"]],
  ["characters of several bytes stay whole", "häß €\u{1f600}\n", ["häß €\u{1f600}"]],
];

describe("every way to cut the bytes gives the same lines:", () => {
  for (const [name, text, expected] of cases) {
    test(name, () => {
      const bytes = new TextEncoder().encode(text);
      expect(texts(bytes)).toEqual(expected);
      expect(texts(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
      for (let at = 0; at <= bytes.length; at++) {
        expect(texts(bytes.subarray(0, at), bytes.subarray(at))).toEqual(expected);
      }
    });
  }
});

test("a line is cut at 64 KiB, told by how much, and the next one is whole", () => {
  const long = "x".repeat(longestLine + 10);
  for (const pieces of [[`${long}\nnext\n`], [long.slice(0, 1000), long.slice(1000), "\nnext\n"]]) {
    const [first, second] = linesOf(...pieces);
    expect(first).toEqual({ text: "x".repeat(longestLine), dropped: 10 });
    expect(second).toEqual({ text: "next", dropped: 0 });
  }
});

test("a cut falls between characters", () => {
  const [line] = linesOf(`x${"€".repeat(longestLine / 3)}\n`);
  expect(line!.text).not.toContain("\ufffd");
  expect(line!.text.length).toBe(1 + Math.floor((longestLine - 1) / 3));
  const bytes = new TextEncoder().encode(line!.text).length;
  expect(bytes + line!.dropped).toBe(1 + longestLine - (longestLine % 3));
});

test("a progress bar of any length is held in little: only its last state counts", () => {
  const bar = Array.from({ length: 10_000 }, (_, at) => `${at} of 10000 `.repeat(10)).join("\r");
  const [line] = linesOf(bar, "\rdone\u001b[K\n");
  expect(line).toEqual({ text: "done", dropped: 0 });
});

test("a line that was too long and is erased is not marked", () => {
  expect(linesOf("x".repeat(longestLine + 5), "\rshort\u001b[K", "\n")).toEqual([
    { text: "short", dropped: 0 },
  ]);
});

test("what was pushed may be written over afterwards", () => {
  const splitter = new LogLines();
  const lines: string[] = [];
  const take = (bytes: Uint8Array) => void lines.push(new TextDecoder().decode(bytes));
  const buffer = new TextEncoder().encode("held");
  splitter.push(buffer, take);
  buffer.fill(0x21);
  splitter.push(new TextEncoder().encode(" on\n"), take);
  expect(lines).toEqual(["held on"]);
});
