import { describe, expect, test } from "bun:test";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { encode } from "../../../src/wire/bytes.ts";
import { decodeHuffman, huffmanRoom } from "../../../src/wire/h2/huffman.ts";
import { HpackDecoder } from "../../../src/wire/h2/hpack-decoder.ts";
import { HpackEncoder } from "../../../src/wire/h2/hpack-encoder.ts";
import { Random } from "../../support/random.ts";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
}

/** A section's lines, or why it is none. */
function decode(decoder: HpackDecoder, bytes: Uint8Array): string[] | string {
  const lines: string[] = [];
  const wrong = decoder.decode(
    bytes,
    { from: 0, to: bytes.length },
    { field: ({ line }) => lines.push(Buffer.from(line).toString("latin1").slice(0, -2)) },
  );
  return wrong ?? lines;
}

function encodeFields(encoder: HpackEncoder, fields: [string, string][], status = 0): Uint8Array {
  const out = new HeadWriter(64);
  encoder.begin(out);
  if (status > 0) encoder.status(out, status);
  for (const [name, value] of fields) {
    const bytes = Buffer.from(name + value, "latin1");
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

const first = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const requests = [
  first,
  [...first, "cache-control: no-cache"],
  [
    ":method: GET",
    ":scheme: https",
    ":path: /index.html",
    ":authority: www.example.com",
    "custom-key: custom-value",
  ],
];

describe("the decoder, by RFC 7541 appendix C", () => {
  test("C.2: literals of every kind", () => {
    const decoder = new HpackDecoder();
    const cases: [string, string][] = [
      ["400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header"],
      ["040c2f73616d706c652f70617468", ":path: /sample/path"],
      ["100870617373776f726406736563726574", "password: secret"],
      ["82", ":method: GET"],
    ];
    for (const [hex, line] of cases) expect(decode(decoder, bytesOf(hex))).toEqual([line]);
  });

  test.each([
    [
      "C.3, plain",
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
    ],
    [
      "C.4, Huffman",
      [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
      ],
    ],
  ])("%s: three requests on one connection", (_, sections) => {
    const decoder = new HpackDecoder();
    sections.forEach((hex, index) => {
      expect(decode(decoder, bytesOf(hex))).toEqual(requests[index]!);
    });
  });

  test("C.6: answers, with entries that are pushed out of a table of 256", () => {
    const decoder = new HpackDecoder();
    const date = "date: Mon, 21 Oct 2013 20:13:21 GMT";
    const location = "location: https://www.example.com";
    // The table's size, which the RFC's example has from SETTINGS, as an update in front.
    const opening = `3fe101 488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff
      6e919d29ad171863c78f0b97c8e9ae82ae43d3`;
    expect(decode(decoder, bytesOf(opening))).toEqual([
      ":status: 302",
      "cache-control: private",
      date,
      location,
    ]);
    expect(decode(decoder, bytesOf("4883640effc1c0bf"))).toEqual([
      ":status: 307",
      "cache-control: private",
      date,
      location,
    ]);
    const third = `88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7
      b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007`;
    expect(decode(decoder, bytesOf(third))).toEqual([
      ":status: 200",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:22 GMT",
      location,
      "content-encoding: gzip",
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ]);
    // 62 to 64 are what is left; 65 leads nowhere.
    expect(decode(decoder, bytesOf("c0"))).toBeArrayOfSize(1);
    expect(decode(decoder, bytesOf("c1"))).toBeString();
  });
});

describe("malformed sections", () => {
  test.each([
    ["index 0", "80"],
    ["an index behind the table", "be"],
    ["an index that does not end", "ffffffffffffffff"],
    ["an index that is cut off", "ff"],
    ["a literal without its value", "400161"],
    ["a string longer than the section", "40057a"],
    ["a length that is cut off", "007f"],
    ["Huffman: padding of zeros", "0081180161"],
    ["Huffman: padding of eight ones", "0082ffff0161"],
    ["Huffman: EOS within", "0084ffffffff0161"],
    ["a size update above the limit", "3fe21f"],
    ["a size update behind a field", "8220"],
  ])("%s", (_, hex) => {
    expect(decode(new HpackDecoder(), bytesOf(hex))).toBeString();
  });

  test("an entry larger than the table empties it and is no error", () => {
    const decoder = new HpackDecoder();
    const large = "x".repeat(5_000);
    decode(decoder, bytesOf("400161 0162"));
    const out = new HeadWriter(16);
    out.append(bytesOf("4001 7a 7f"));
    out.append(bytesOf("8926"));
    out.append(encode(large));
    expect(decode(decoder, out.bytes.slice(0, out.length))).toEqual([`z: ${large}`]);
    expect(decode(decoder, bytesOf("be"))).toBeString();
  });

  test("random sections are fields or malformed, and nothing is thrown", () => {
    const next = new Random(7);
    for (let round = 0; round < 5_000; round++) {
      const decoder = new HpackDecoder();
      const bytes = Uint8Array.from({ length: 1 + next.below(60) }, () => next.below(256));
      decode(decoder, bytes);
      decode(decoder, bytes);
    }
  });
});

test("Huffman's code: every octet comes back, as nghttp2 wrote it", async () => {
  // Node's client huffman-codes what becomes shorter by it, so that it is shown by its own server's reading in the
  // real-client tests; here the code's two ends, from appendix B.
  const plain = new Uint8Array(huffmanRoom(8));
  const read = (hex: string): string => {
    const coded = bytesOf(hex);
    const end = decodeHuffman(coded, { from: 0, to: coded.length }, plain, 0);
    return end === -1 ? "none" : Buffer.from(plain.subarray(0, end)).toString("latin1");
  };
  expect(read("1f")).toBe("a"); // 00011 and ones
  expect(read("ffc7")).toBe("\0"); // 13 bits 0x1ff8 and ones
  expect(read("fffffff3")).toBe("\n".repeat(1)); // 30 bits 0x3ffffffc and ones
  expect(read("")).toBe("");
});

describe("the encoder", () => {
  const fields: [string, string][] = [
    ["Content-Type", "text/html; charset=utf-8"],
    ["X-Odd_Name", "caf\xe9"],
    ["Set-Cookie", "a=b"],
    ["Content-Length", "12"],
    ["Date", "Mon, 21 Oct 2013 20:13:21 GMT"],
  ];
  const lines = fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`);

  test("what it writes the decoder reads, each time; from the second on mostly as references", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const sizes: number[] = [];
    for (let round = 0; round < 5; round++) {
      const section = encodeFields(encoder, fields, 200);
      sizes.push(section.length);
      expect(decode(decoder, section)).toEqual([":status: 200", ...lines]);
    }
    expect(sizes[1]).toBeLessThan(16);
    expect(sizes[4]).toBe(sizes[1]!);
  });

  test("statuses outside of the static table", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    for (const status of [100, 103, 206, 304, 418, 999]) {
      expect(decode(decoder, encodeFields(encoder, [], status))).toEqual([`:status: ${status}`]);
    }
  });

  test("both tables stay the same while entries are pushed out and limits change", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const next = new Random(3);
    for (let round = 0; round < 2_000; round++) {
      if (next.below(50) === 0) encoder.resize(next.below(5_000));
      if (next.below(50) === 0) encoder.resize(next.below(5_000));
      const some = Array.from({ length: next.below(8) }, (): [string, string] => [
        `x-${next.below(30)}`,
        "v".repeat(next.below(300)),
      ]);
      expect(decode(decoder, encodeFields(encoder, some))).toEqual(
        some.map(([name, value]) => `${name}: ${value}`),
      );
    }
  });
});
