/** Header sections without a session: cut into frames anywhere, too long, too large, or no HPACK. */
import { expect, test } from "bun:test";
import { Sections } from "../../../src/proxy/h2/sections.ts";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { ErrorCode, Flag, FrameType } from "../../../src/wire/h2/frame.ts";
import { anyFrame, type Frame, settingsFirst } from "../../../src/wire/h2/frame-rules.ts";
import { HpackEncoder } from "../../../src/wire/h2/hpack-encoder.ts";

const { headers, continuation } = FrameType;
const { endHeaders, endStream } = Flag;

type Field = readonly [name: string, value: string];
const get: Field[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "api.localhost"],
  [":path", "/"],
];

function blockOf(fields: readonly Field[], encoder = new HpackEncoder()): Uint8Array {
  const out = new HeadWriter(64);
  encoder.begin(out);
  for (const [name, value] of fields) {
    const bytes = Buffer.from(name + value);
    const nameEnd = name.length;
    encoder.field(out, bytes, {
      nameStart: 0,
      nameEnd,
      valueStart: nameEnd,
      valueEnd: bytes.length,
    });
  }
  return out.bytes.slice(0, out.length);
}

function frameOf(type: number, flags: number, bytes: Uint8Array): Frame {
  return { type, flags, stream: 1, bytes, start: 0, end: bytes.length };
}

function requestOf(sections: Sections): string {
  sections.request.finish({ ended: sections.ends });
  return Buffer.from(sections.head).toString("latin1");
}

const wanted = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";

test("SETTINGS come before the first section", () => {
  expect(new Sections().awaited).toBe(settingsFirst);
});

test("a section in one frame, and cut into two at every octet", () => {
  const block = blockOf(get);
  for (let cut = 0; cut <= block.length; cut++) {
    const sections = new Sections();
    sections.awaited = anyFrame;
    const whole = cut === block.length;
    const flags = endStream | (whole ? endHeaders : 0);
    expect(sections.add(frameOf(headers, flags, block.slice(0, cut)), 7)).toBeUndefined();
    if (!whole) {
      expect([sections.awaited, sections.since]).toEqual([1, 7]);
      sections.add(frameOf(continuation, endHeaders, block.slice(cut)), 8);
    }
    expect(sections.awaited).toBe(anyFrame);
    expect(sections.decode("request")).toBeUndefined();
    expect([sections.stream, sections.ends, sections.tooLarge]).toEqual([1, true, false]);
    expect(requestOf(sections)).toBe(wanted);
  }
});

test("trailers become lines", () => {
  const sections = new Sections();
  sections.add(frameOf(headers, endHeaders | endStream, blockOf([["x-sum", "42"]])), 0);
  expect(sections.decode("trailers")).toBeUndefined();
  expect(Buffer.from(sections.head).toString()).toBe("x-sum: 42\r\n");
});

test.each([
  ["128 frames", 128, 1, 129],
  ["128 KiB", 16_384, 16_384, 9],
])("a section longer than %s is refused", (_, first, length, frames) => {
  const sections = new Sections();
  sections.add(frameOf(headers, 0, new Uint8Array(first)), 0);
  const outcomes = Array.from({ length: frames }, () =>
    sections.add(frameOf(continuation, 0, new Uint8Array(length)), 0),
  );
  const refused = outcomes.findIndex((breach) => breach !== undefined);
  expect(outcomes[refused]?.code).toBe(ErrorCode.enhanceYourCalm);
  // HEADERS count for the octets and not for the frames.
  expect(refused).toBe(length === 1 ? 128 : 7);
});

test("fields over the limit are left out, and the next section is decoded right", () => {
  const sections = new Sections();
  const encoder = new HpackEncoder();
  const add = (fields: readonly Field[]): void => {
    const block = blockOf(fields, encoder);
    sections.add(frameOf(headers, endStream, block.slice(0, 1)), 0);
    for (let at = 1; at < block.length; at += 16_384) {
      const piece = block.slice(at, at + 16_384);
      const last = at + 16_384 >= block.length;
      sections.add(frameOf(continuation, last ? endHeaders : 0, piece), 0);
    }
    expect(sections.decode("request")).toBeUndefined();
  };
  const big = Array.from({ length: 5 }, (): Field => ["x", "y".repeat(15_000)]);
  add([...get, ...big, ["x-last", "indexed"]]);
  expect(sections.tooLarge).toBe(true);
  expect(sections.head.length).toBeLessThan(65_536);
  add([...get, ["x-last", "indexed"]]);
  expect(sections.tooLarge).toBe(false);
  expect(requestOf(sections)).toContain("x-last: indexed\r\n");
});

test("what is no HPACK ends the connection", () => {
  const sections = new Sections();
  sections.add(frameOf(headers, endHeaders, Uint8Array.of(0x80)), 0);
  const breach = sections.decode("request");
  expect([breach?.scope, breach?.code]).toEqual(["connection", ErrorCode.compressionError]);
});
