import { expect, test } from "bun:test";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import {
  contentOf,
  Flag,
  Found,
  FrameReader,
  FrameType,
  readUint31,
  readUint32,
  writeFrameHead,
  writeGoAway,
  writePong,
  writeReset,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "../../../src/wire/h2/frame.ts";
import { Random } from "../../support/random.ts";

function written(write: (out: HeadWriter) => void): Uint8Array {
  const out = new HeadWriter(16);
  write(out);
  return out.bytes.slice(0, out.length);
}

/** Each frame as `type/flags/stream:payload`. */
function read(pieces: Iterable<Uint8Array>): string[] {
  const reader = new FrameReader();
  const frames: string[] = [];
  for (const piece of pieces) {
    reader.push(piece, 0);
    for (let found = reader.next(); found !== Found.more; found = reader.next()) {
      if (found === Found.bad) return [...frames, "bad"];
      const payload = Buffer.from(reader.bytes.subarray(reader.start, reader.end)).toString("hex");
      frames.push(`${reader.type}/${reader.flags}/${reader.stream}:${payload}`);
    }
  }
  return frames;
}

const several = written((out) => {
  writeSettings(out, [
    [4, 0xfedcba98],
    [3, 256],
  ]);
  writeSettingsAck(out);
  writePong(out, Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8), 1);
  writeReset(out, 0x7fffffff, 11);
  writeWindowUpdate(out, 5, 0x12345678);
  writeGoAway(out, { lastStream: 7, code: 1, why: "no" });
});
const expected = [
  "4/0/0:0004fedcba98000300000100",
  "4/1/0:",
  "6/1/0:0102030405060708",
  "3/0/2147483647:0000000b",
  "8/0/5:12345678",
  "7/0/0:00000007000000016e6f",
];

test("what is written is read", () => {
  expect(read([several])).toEqual(expected);
});

test("frames cut at every byte, and a byte at a time", () => {
  for (let cut = 0; cut <= several.length; cut++) {
    expect(read([several.slice(0, cut), several.slice(cut)])).toEqual(expected);
  }
  expect(read(Array.from(several, (octet) => Uint8Array.of(octet)))).toEqual(expected);
});

test("long frames in random pieces", () => {
  const random = new Random(5);
  const bytes = written((out) => {
    for (let stream = 1; stream < 40; stream += 2) {
      const payload = random.bytes(random.below(16_385));
      writeFrameHead(out, { length: payload.length, type: 0, flags: 0, stream });
      out.append(payload);
    }
  });
  const whole = read([bytes]);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + random.below(20_000);
    pieces.push(bytes.slice(at, next));
    at = next;
  }
  expect(read(pieces)).toEqual(whole);
});

test("a frame longer than 16,384 octets is bad as soon as its length is there", () => {
  const bytes = Uint8Array.of(0, 0x40, 1, 0, 0, 0, 0, 0, 1);
  expect(read([bytes])).toEqual(["bad"]);
  expect(read([bytes.slice(0, 4), bytes.slice(4)])).toEqual(["bad"]);
});

test("numbers whose first bit is reserved or not", () => {
  const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xfe);
  expect(readUint31(bytes, 0)).toBe(2 ** 31 - 2);
  expect(readUint32(bytes, 0)).toBe(2 ** 32 - 2);
});

test("content lies before padding and behind PRIORITY's octets", () => {
  const content = (type: number, flags: number, payload: number[]): number[] | undefined => {
    const reader = new FrameReader();
    reader.push(
      written((out) => {
        writeFrameHead(out, { length: payload.length, type, flags, stream: 1 });
        for (const octet of payload) out.byte(octet);
      }),
      0,
    );
    expect(reader.next()).toBe(Found.frame);
    const range = contentOf(reader);
    return range && [...reader.bytes.subarray(range.start, range.end)];
  };
  const { data, headers } = FrameType;
  expect(content(data, 0, [1, 2])).toEqual([1, 2]);
  expect(content(data, Flag.padded, [1, 9, 0])).toEqual([9]);
  expect(content(data, Flag.padded, [2, 0, 0])).toEqual([]);
  expect(content(data, Flag.padded, [3, 0, 0])).toBeUndefined();
  expect(content(data, Flag.padded, [])).toBeUndefined();
  expect(content(headers, Flag.priority, [0, 0, 0, 0, 0, 7])).toEqual([7]);
  expect(content(headers, Flag.priority, [0, 0, 0, 0])).toBeUndefined();
  expect(content(headers, Flag.priority | Flag.padded, [1, 0, 0, 0, 0, 0, 7, 0])).toEqual([7]);
});
