/**
 * fast-check's choices into requests that are well-formed, with the parts they were made of, and into what is nearly
 * one.
 */
import fc from "fast-check";
import type { Message } from "./strict-reader.ts";

export type MadeRequest = {
  method: string;
  target: string;
  /** Host and framing fields included. */
  fields: [name: string, value: string][];
  framing: Message["framing"];
  body: string;
  trailers: [name: string, value: string][];
  /** One character an octet. */
  bytes: string;
};

const lettersOf = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text);

const tchar = lettersOf(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
);
const token = fc.string({ unit: tchar, minLength: 1, maxLength: 12 });

const visible = Array.from({ length: 255 - 32 }, (_, i) => String.fromCharCode(i + 33)).filter(
  (character) => character !== "\x7f",
);
const valueText = fc
  .string({ unit: fc.constantFrom(...visible, " ", "\t"), maxLength: 30 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));

/** Names that mean nothing to a proxy: `X-` in front of anything. */
const field: fc.Arbitrary<[string, string]> = fc
  .tuple(token, valueText)
  .map(([name, value]): [string, string] => [`X-${name}`, value])
  .filter(([name]) => !/^x[-_]forwarded/i.test(name));

const method = fc.oneof(
  fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"),
  token.filter((text) => text !== "CONNECT"),
);

const target = fc
  .string({ unit: lettersOf("abcXYZ019-._~!$&'()*+,;=:@/?%[]"), maxLength: 24 })
  .map((path) => `/${path}`);

const octets = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((o) => String.fromCharCode(o)),
  maxLength: 40,
});
/** Content that tries to be framing. */
const content = fc.oneof(
  octets,
  fc.constantFrom("\r\n\r\n", "0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", ""),
);

const quotedText = fc
  .string({ unit: lettersOf('ab ;=\t\\"\xe9'), maxLength: 8 })
  .map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
const extension = fc
  .tuple(token, fc.option(fc.oneof(token, quotedText), { nil: undefined }))
  .map(([name, value]) => (value === undefined ? `;${name}` : `;${name}=${value}`));
const extensions = fc.array(extension, { maxLength: 2 }).map((list) => list.join(""));

const chunk = fc.record({
  content: octets.filter((text) => text.length > 0),
  zeros: fc.integer({ min: 0, max: 3 }),
  capitals: fc.boolean(),
  extensions,
});

const space = fc.constantFrom("", " ", "  ", "\t", " \t");

function lineOf([name, value]: [string, string], before: string, after: string): string {
  return `${name}:${before}${value}${after}\r\n`;
}

const framing = fc.oneof(
  fc.constant({ kind: "none" as const }),
  content.map((body) => ({ kind: "length" as const, body })),
  fc.record({
    kind: fc.constant("chunked" as const),
    chunks: fc.array(chunk, { maxLength: 4 }),
    last: extensions,
    trailers: fc.array(field, { maxLength: 3 }),
    name: fc.constantFrom("Transfer-Encoding", "transfer-encoding"),
    value: fc.constantFrom("chunked", "Chunked"),
  }),
);

/** Well-formed requests to api.localhost. */
export const madeRequest: fc.Arbitrary<MadeRequest> = fc
  .record({
    method,
    target,
    before: fc.array(field, { maxLength: 3 }),
    after: fc.array(field, { maxLength: 3 }),
    spaces: fc.tuple(space, space),
    empty: fc.constantFrom("", "", "\r\n"),
    framing,
  })
  .map((made) => {
    const fields: [string, string][] = [...made.before, ["Host", "api.localhost"]];
    let body = "";
    let raw = "";
    let trailers: [string, string][] = [];
    if (made.framing.kind === "length") {
      body = made.framing.body;
      raw = body;
      fields.push(["Content-Length", String(body.length)]);
    } else if (made.framing.kind === "chunked") {
      fields.push([made.framing.name, made.framing.value]);
      trailers = made.framing.trailers;
      for (const { content: data, zeros, capitals, extensions: extra } of made.framing.chunks) {
        const size = "0".repeat(zeros) + data.length.toString(16);
        raw += `${capitals ? size.toUpperCase() : size}${extra}\r\n${data}\r\n`;
        body += data;
      }
      raw += `0${made.framing.last}\r\n${trailers.map((one) => lineOf(one, " ", "")).join("")}\r\n`;
    }
    fields.push(...made.after);
    const [before, after] = made.spaces;
    const lines = fields.map((one) => lineOf(one, before, after)).join("");
    return {
      method: made.method,
      target: made.target,
      fields,
      framing: made.framing.kind,
      body,
      trailers,
      bytes: `${made.empty}${made.method} ${made.target} HTTP/1.1\r\n${lines}\r\n${raw}`,
    };
  });

/** What makes parsers disagree. */
const mischief = fc.oneof(
  fc.constantFrom(
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    "\x0b",
    "\x7f",
    "\x80",
    ":",
    ";",
    ",",
    "=",
    '"',
    "\\",
    "#",
    "_",
    "-",
    "+",
    "0",
    "5",
    "f",
    "x",
    "0x",
  ),
  fc.constantFrom(
    "Content-Length: 3\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer_Encoding: chunked\r\n",
    " chunked",
    "Host: evil.example\r\n",
    "Connection: Content-Length, Host\r\n",
    "0\r\n\r\n",
    "HTTP/1.0",
    "HTTP/1.2",
    "GET http://api.localhost/ HTTP/1.1\r\n",
  ),
);

/** Text with a few pieces taken out, put in, or doubled. */
export function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.record({
    place: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.integer({ min: 0, max: 3 }),
    insert: fc.oneof(mischief, fc.constant("")),
    double: fc.boolean(),
  });
  return fc
    .tuple(text, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([original, changes]) => {
      let result = original;
      for (const { place, remove, insert, double } of changes) {
        const at = Math.floor(place * result.length);
        const kept = double ? result.slice(at, at + remove) : "";
        result = result.slice(0, at) + insert + kept + result.slice(at + (double ? 0 : remove));
      }
      return result;
    });
}

/** Anything: octets, pieces of HTTP in any order, requests with something wrong. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  octets,
  fc
    .array(
      fc.oneof(
        mischief,
        fc.constantFrom(
          "GET",
          "POST",
          " / ",
          "HTTP/1.1",
          "Host: api.localhost\r\n",
          "5\r\nhello\r\n",
          "X: y\r\n",
        ),
        octets,
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join("")),
  madeRequest.map(({ bytes }) => bytes),
  mutated(madeRequest.map(({ bytes }) => bytes)),
);

/** Where to cut a text, ascending, as shares of its length. */
export const cuts: fc.Arbitrary<number[]> = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 })
  .map((list) => list.sort((a, b) => a - b));

export function arrivalsAt(shares: readonly number[], length: number): number[] {
  const arrivals = shares.map((share) => Math.floor(share * length)).filter((at) => at > 0);
  return [...new Set([...arrivals, length])].sort((a, b) => a - b);
}
