/**
 * The parsers under generated input: any cut gives the same outcome, nothing throws, and no message has two
 * framings.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { HeadWriter } from "../../src/proxy/frames/head-writer.ts";
import { readAuthority } from "../../src/wire/authority.ts";
import { BodyReader } from "../../src/wire/body.ts";
import { CHUNKED, ResponseFraming } from "../../src/wire/framing.ts";
import { ResponseHead } from "../../src/wire/head.ts";
import { anyText, arrivalsAt, cuts, madeRequest, mutated } from "../support/arbitrary-request.ts";
import { latin1Bytes, latin1Text } from "../support/latin1.ts";
import { RequestReader, whole } from "../support/read-request.ts";
import { readRequests } from "../support/strict-reader.ts";
import { holdsFor } from "../support/property.ts";

const runs = 10_000;

test("a request cut anywhere has the outcome it has as a whole", () => {
  const reader = new RequestReader();
  holdsFor(
    fc.property(anyText, cuts, (text, shares) => {
      const bytes = latin1Bytes(text);
      const inOne = new RequestReader().read(bytes, whole(bytes));
      expect(reader.read(bytes, arrivalsAt(shares, bytes.length))).toEqual(inOne);
      if (inOne.kind === "done") {
        expect(inOne.end).toBeGreaterThan(0);
        expect(inOne.end).toBeLessThanOrEqual(bytes.length);
      }
    }),
    { runs },
  );
});

test("a well-formed request is read as what it was made of, whatever stands behind it", () => {
  const reader = new RequestReader();
  holdsFor(
    fc.property(madeRequest, anyText, cuts, (made, behind, shares) => {
      const bytes = latin1Bytes(made.bytes + behind);
      const outcome = reader.read(bytes, arrivalsAt(shares, bytes.length));
      expect(outcome).toMatchObject({
        kind: "done",
        method: made.method,
        target: made.target,
        fields: made.fields,
        body: made.body,
        trailers: made.trailers,
        decision: "proxy",
        end: made.bytes.length,
      });
    }),
    { runs },
  );
});

test("a request with something wrong is refused, or is for a strict reader what it is for us", () => {
  const reader = new RequestReader();
  let tried = 0;
  let agreed = 0;
  holdsFor(
    fc.property(mutated(madeRequest.map(({ bytes }) => bytes)), (text) => {
      const bytes = latin1Bytes(text);
      tried++;
      const outcome = reader.read(bytes, whole(bytes));
      if (outcome.kind !== "done") return;
      // The empty lines that may come first are no part of what goes on.
      const strict = readRequests(text.replace(/^(?:\r\n)+/, ""));
      const first = strict.messages[0];
      // A URL as the target, a version other than 1.1 or a target to be encoded is written anew before it goes on.
      if (first === undefined) return;
      agreed++;
      expect(outcome.body).toBe(first.body);
      expect(text.slice(0, outcome.end).endsWith(first.raw)).toBe(true);
    }),
    { runs },
  );
  expect(agreed).toBeGreaterThan(tried / 20);
});

const answerText = fc.oneof(
  anyText,
  mutated(
    fc
      .record({
        line: fc.constantFrom(
          "HTTP/1.1 200 OK",
          "HTTP/1.0 404 ",
          "HTTP/1.1 103 x",
          "HTTP/1.1 204",
          "HTTP/1.2 999 \xff",
        ),
        fields: fc.array(
          fc.constantFrom(
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
            "X : y",
            "Connection: close",
            "Set-Cookie: a=b",
            "Content_Length: 1",
          ),
          { maxLength: 4 },
        ),
      })
      .map(({ line, fields }) => `${[line, ...fields].join("\r\n")}\r\n\r\n`),
  ),
);

test("an answer's head cut anywhere has the outcome it has as a whole", () => {
  const cutHead = new ResponseHead();
  const framing = new ResponseFraming();
  const outcomeOf = (
    head: ResponseHead,
    bytes: Uint8Array,
    arrivals: readonly number[],
  ): unknown => {
    head.begin(0);
    for (const end of arrivals) {
      const outcome = head.read(bytes.subarray(0, end));
      if (outcome.kind === "more") continue;
      if (outcome.kind === "bad") return outcome;
      expect(outcome.end).toBeLessThanOrEqual(end);
      const wrong = framing.read(head, bytes, { head: false, connect: false });
      return {
        end: outcome.end,
        status: head.status,
        fields: head.fields.slice(0, head.fieldCount * 5),
        wrong,
        length: wrong === undefined ? framing.bodyLength : undefined,
      };
    }
    return "more";
  };
  holdsFor(
    fc.property(answerText, cuts, (text, shares) => {
      const bytes = latin1Bytes(text);
      const inOne = outcomeOf(new ResponseHead(), bytes, [bytes.length]);
      expect(outcomeOf(cutHead, bytes, arrivalsAt(shares, bytes.length))).toEqual(inOne);
    }),
    { runs },
  );
});

type Read = { body: string; bad: boolean; done: boolean; end: number; forwarded: string };

function readBody(reader: BodyReader, bytes: Uint8Array, arrivals: readonly number[]): Read {
  reader.begin(CHUNKED);
  const read: Read = { body: "", bad: false, done: false, end: 0, forwarded: "" };
  const out = new HeadWriter(64);
  for (const arrival of arrivals) {
    const piece = bytes.subarray(read.end, arrival);
    const end = reader.read(piece, 0, (from, to) => {
      read.body += latin1Text(piece.subarray(from, to));
    });
    expect(end).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThanOrEqual(piece.length);
    expect(reader.forwardEnd).toBeLessThanOrEqual(piece.length);
    out.copy(piece, 0, reader.forwardEnd);
    read.end += end;
    if (reader.bad !== undefined) {
      read.bad = true;
      break;
    }
    if (reader.done) break;
    expect(end).toBe(piece.length);
  }
  read.done = reader.done && !read.bad;
  read.forwarded = latin1Text(out.bytes.subarray(0, out.length));
  return read;
}

const chunkedText = fc.oneof(
  anyText,
  mutated(
    fc.constantFrom(
      "5\r\nhello\r\n0\r\n\r\n",
      '5;a="b"\r\nhello\r\n1;c\r\nx\r\n0\r\nX: y\r\n\r\n',
      "00a\r\n0123456789\r\n0;x=y\r\nA: b\r\nC: d\r\n\r\n",
    ),
  ),
);

test("a chunked body cut anywhere is the same body, and what may go on of it is the same", () => {
  const reader = new BodyReader();
  holdsFor(
    fc.property(chunkedText, cuts, (text, shares) => {
      const bytes = latin1Bytes(text);
      const inOne = readBody(new BodyReader(), bytes, [bytes.length]);
      const inPieces = readBody(reader, bytes, arrivalsAt(shares, bytes.length));
      // Where it fails it may have failed earlier in the same run of bytes; never for other content.
      expect(inPieces.bad).toBe(inOne.bad);
      expect(inPieces.body).toBe(inOne.body);
      expect(inPieces.done).toBe(inOne.done);
      expect(inPieces.forwarded).toBe(inOne.forwarded);
      if (inOne.done) expect(inPieces.end).toBe(inOne.end);
      // Nothing goes on that was not there.
      expect(text.startsWith(inOne.forwarded)).toBe(true);
    }),
    { runs },
  );
});

test("an authority is a host and a port, or it is none", () => {
  holdsFor(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."aZ09.-_[]:@/%\\ \t\0\xff#"), maxLength: 12 }),
      (text) => {
        const bytes = latin1Bytes(`<${text}>`);
        const authority = readAuthority(bytes, 1, bytes.length - 1);
        if (authority === undefined) return;
        expect(text).toMatch(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/);
        expect(authority.host).toBe(authority.host.toLowerCase());
        expect(authority.host).not.toBe("");
        if (authority.port !== undefined) {
          expect(authority.port).toBe(Number(text.slice(text.lastIndexOf(":") + 1)));
          expect(authority.port).toBeLessThanOrEqual(65_535);
        }
      },
    ),
    { runs },
  );
});
