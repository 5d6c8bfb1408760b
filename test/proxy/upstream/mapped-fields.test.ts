/** Whole heads with any fields, to a service of another name and back: each stays one head, with the same fields. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { writeRequest, writeResponse } from "../../../src/proxy/upstream/forward.ts";
import { namesOf } from "../../../src/proxy/upstream/names.ts";
import { ownFields } from "../../../src/proxy/upstream/own-fields.ts";
import { latin1 } from "../../../src/wire/bytes.ts";
import { RequestFraming, ResponseFraming } from "../../../src/wire/framing.ts";
import { RequestHead, ResponseHead } from "../../../src/wire/head.ts";
import { latin1Bytes } from "../../support/latin1.ts";
import { readAnswers, readRequests } from "../../support/strict-reader.ts";

const names = namesOf({
  visible: { scheme: "http", host: "api", port: 80 },
  told: { scheme: "http", host: "api.localhost", port: 9090 },
  server: { scheme: "http", port: 3000 },
});
const answer = { names, mapped: true, keepsOrigin: false };

const mappedInAnswers = [
  "Location",
  "CONTENT-Location",
  "refresh",
  "Link",
  "set-cookie",
  "Access-Control-Allow-Origin",
];
const mappedInRequests = ["Origin", "referer", "Destination", "Sec-WebSocket-Origin"];

const piece = fc.constantFrom(
  ..."<>\"';,=\\ \t/?#@:é\xff".split(""),
  "http://api.localhost:9090",
  "http://api",
  "https://api.localhost:9090",
  "api.localhost",
  "localhost",
  "5; url=",
  "; Domain=",
  "; anchor=",
);
const value = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("").trim());
const field = (known: readonly string[]) =>
  fc.tuple(fc.constantFrom(...known, "X-Other", "Links", "Locations", "Accept"), value);

test("an answer's head has the same fields behind us, and only those with names in them have changed", () => {
  fc.assert(
    fc.property(fc.array(field(mappedInAnswers), { maxLength: 6 }), (fields) => {
      const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join("");
      const bytes = latin1Bytes(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 0\r\n\r\n`);
      const head = new ResponseHead();
      expect(head.read(bytes).kind).toBe("done");
      const framing = new ResponseFraming();
      expect(framing.read(head, bytes, { head: false, connect: false })).toBeUndefined();
      const out = new HeadWriter(64);
      const rest = { status: 200, connection: undefined, dechunk: false } as const;
      writeResponse(head, bytes, { framing, answer, out, ...rest });
      const text = latin1(out.bytes, 0, out.length);
      const read = readAnswers(text, { methods: ["GET"], ended: true });
      expect({ fault: read.fault, rest: read.rest, count: read.messages.length }).toEqual({
        fault: undefined,
        rest: "",
        count: 1,
      });
      const written = read.messages[0]!.fields;
      expect(written.map(([name]) => name)).toEqual([
        ...fields.map(([name]) => name),
        "Content-Length",
      ]);
      for (const [index, [name, before]] of fields.entries()) {
        const after = written[index]![1];
        if (!mappedInAnswers.includes(name)) expect(after).toBe(before);
        else if (after !== before) expect(before).toMatch(/localhost/);
      }
    }),
    { numRuns: 500 },
  );
});

test("a request's head has the same fields, and ours behind them", () => {
  const own = ownFields({
    ...{ client: "127.0.0.1", proto: "http", authority: "api.localhost:9090", port: 9090 },
    ...{ mark: "api.0123abcd.localhostess", forwarded: "all" },
  });
  const host = latin1Bytes("api.localhost:9090");
  fc.assert(
    fc.property(fc.array(field(mappedInRequests), { maxLength: 6 }), (fields) => {
      const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join("");
      const bytes = latin1Bytes(`GET http://api/x HTTP/1.1\r\nHost: api\r\n${lines}\r\n`);
      const head = new RequestHead();
      expect(head.read(bytes).kind).toBe("done");
      const framing = new RequestFraming();
      expect(framing.read(head, bytes)).toBeUndefined();
      const out = new HeadWriter(64);
      const pathStart = head.targetEnd - 2;
      writeRequest(head, bytes, {
        framing,
        hop: { host, answer, hidesUse: false, ...own },
        pathStart,
        out,
      });
      const read = readRequests(latin1(out.bytes, 0, out.length));
      expect({ fault: read.fault, rest: read.rest, count: read.messages.length }).toEqual({
        fault: undefined,
        rest: "",
        count: 1,
      });
      const written = read.messages[0]!.fields;
      expect(written[0]).toEqual(["Host", "api.localhost:9090"]);
      expect(written.slice(fields.length + 1).map(([name]) => name)).toEqual([
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Port",
        "CDN-Loop",
      ]);
      for (const [index, [name, before]] of fields.entries()) {
        const [itsName, after] = written[index + 1]!;
        expect(itsName).toBe(name);
        if (mappedInRequests.includes(name) && after !== before) {
          expect(before).toMatch(/^http:\/\/([^/]*@)?api[:/?#]?/);
        } else expect(after).toBe(before);
      }
    }),
    { numRuns: 500 },
  );
});
