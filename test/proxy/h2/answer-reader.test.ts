/** HTTP/1.1 answers, cut anywhere, into heads, content and ends. */
import { expect, test } from "bun:test";
import { AnswerReader } from "../../../src/proxy/h2/answer-reader.ts";
import { Field } from "../../../src/wire/field.ts";

/** What an answer in these pieces becomes: one entry a head, the content in one, then its end. */
function read(pieces: readonly string[], { headRequest = false, upgrade = false } = {}): string[] {
  const told: string[] = [];
  let content = "";
  const reader = new AnswerReader({
    head({ status, last }) {
      told.push(`head ${status}${last ? " last" : ""}`);
    },
    switched({ status, fields, bytes }) {
      const count = { length: fields.fieldCount };
      const values = Array.from(count, (_, at) => fields.valueOf(bytes, at));
      told.push(`switched ${status} ${values}`);
    },
    content({ bytes, from, to, last }) {
      content += Buffer.from(bytes.subarray(from, to)).toString("latin1");
      if (last) told.push("last");
    },
    bodyEnd(trailer) {
      told.push(trailer === undefined ? "end" : `end with ${trailer.fields.fieldCount}`);
    },
    bad() {
      told.push("bad");
    },
  });
  reader.begin({ headRequest, upgrade });
  for (const piece of pieces) reader.read(Buffer.from(piece, "latin1"));
  if (reader.endsWithConnection) told.push("until close");
  return content === "" ? told : [...told, `content ${content}`];
}

const length = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
const chunked =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
const trailers = chunked.replace("0\r\n\r\n", "0\r\nX-Sum: 42\r\n\r\n");
const early = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";

test.each([
  ["a length", length, ["head 200", "last", "content abc"]],
  ["chunks", chunked, ["head 200", "end", "content abcde"]],
  ["trailers", trailers, ["head 200", "end with 1", "content abcde"]],
  ["103 first", early + length, ["head 103", "head 200", "last", "content abc"]],
  ["nothing", "HTTP/1.1 204 No Content\r\n\r\n", ["head 204 last"]],
  [
    "no end but the connection's",
    "HTTP/1.1 200 OK\r\n\r\nabc",
    ["head 200", "until close", "content abc"],
  ],
])("%s, whole and cut at every octet", (_, answer, wanted) => {
  for (let cut = 1; cut <= answer.length; cut++) {
    const told = read([answer.slice(0, cut), answer.slice(cut)].filter((piece) => piece !== ""));
    // The last range carries the end only where the end comes with it.
    const same = told.map((part) => (part === "last" && !wanted.includes("last") ? "end" : part));
    expect([cut, same]).toEqual([cut, wanted]);
  }
});

test("an answer to HEAD ends with its head, whatever its length says", () => {
  expect(read([length.replace("abc", "")], { headRequest: true })).toEqual(["head 200 last"]);
});

test.each([
  ["101", "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ["no HTTP", "HTTP/9.9 200 OK\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
])("%s is no answer that a stream can carry", (_, answer) => {
  expect(read([answer])).toEqual(["bad"]);
});

test("101 to who asked for it: its head without the proof, then bytes as they are, cut at every octet", () => {
  const accept =
    "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\nsec-websocket-accept: y";
  const fields = `Connection: Upgrade\r\nUpgrade: websocket\r\n${accept}`;
  const answer = `${early}HTTP/1.1 101 Go\r\n${fields}\r\n\r\nHTTP/1.1 200`;
  for (let cut = 1; cut < answer.length; cut++) {
    const told = read([answer.slice(0, cut), answer.slice(cut)], { upgrade: true });
    expect([cut, told]).toEqual([
      cut,
      ["head 103", "switched 200 Upgrade,websocket,chat", "until close", "content HTTP/1.1 200"],
    ]);
  }
});

test("a chunk that is malformed is bad behind a good head", () => {
  expect(read([chunked.replace("2\r\nde", "zz\r\nde")])).toContain("bad");
});

test("one reader reads one answer after another", () => {
  const statuses: number[] = [];
  const reader = new AnswerReader({
    head: ({ status, fields }) => {
      statuses.push(status);
      expect(fields.fields[0]).toBe(Field.contentLength);
    },
    switched() {},
    content() {},
    bodyEnd() {},
    bad() {},
  });
  for (let count = 0; count < 3; count++) {
    reader.begin({ headRequest: count === 1 });
    reader.read(Buffer.from(count === 1 ? length.slice(0, -3) : length));
    expect(reader.keepAlive).toBe(true);
  }
  expect(statuses).toEqual([200, 200, 200]);
});
