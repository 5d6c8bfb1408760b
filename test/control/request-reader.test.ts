/** Requests to the API, in every shape in which their octets may come. */
import { expect, test } from "bun:test";
import { RequestReader } from "../../src/control/http/request-reader.ts";
import { concat, encode } from "../../src/wire/bytes.ts";

const nobodyAsks = (): undefined => undefined;

const requests = [
  "GET /v1/ping?x=1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAccept: a\r\naccept: b\r\n\r\n",
  "POST /v1/stop HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 5\r\n\r\nhello",
  "POST /v1/stop HTTP/1.1\r\nHost: 127.0.0.1:1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
  "HEAD /v1/ping HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n",
];

/** Feeds pieces; returns each request as `<method> <path> <body>`. */
function read(pieces: readonly Uint8Array[], limit = 100): string[] {
  const reader = new RequestReader();
  const seen: string[] = [];
  let held: Uint8Array = new Uint8Array(0);
  let line: string | undefined;
  for (const piece of pieces) {
    held = concat(held, piece);
    for (;;) {
      if (line === undefined) {
        const head = reader.readHead(held, nobodyAsks);
        if (head.kind === "bad") return [...seen, `bad ${head.status}`];
        if (head.kind === "more") break;
        held = held.subarray(head.end);
        line = `${head.asked.method} ${head.asked.path}`;
        if (!reader.beginBody(limit)) return [...seen, `${line} stated too long`];
      }
      const body = reader.readBody(held);
      if (body.kind === "bad") return [...seen, `bad ${body.status}`];
      if (body.kind === "too long") return [...seen, `${line} too long`];
      held = held.subarray(body.end);
      if (body.kind === "more") break;
      seen.push(`${line} ${Buffer.from(body.body)}`);
      line = undefined;
      reader.next();
    }
  }
  return seen;
}

const wanted = ["GET /v1/ping ", "POST /v1/stop hello", "POST /v1/stop hello", "HEAD /v1/ping "];
const all = encode(requests.join(""));

test("requests in one piece are read one after another", () => {
  expect(read([all])).toEqual(wanted);
});

test("each request by itself", () => {
  expect(read(requests.map((text) => encode(text)))).toEqual(wanted);
});

test.each([1, 2, 3, 7, 64])("pieces of %d octets", (size) => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
  expect(read(pieces)).toEqual(wanted);
});

test("a head says what was asked for", () => {
  const head = new RequestReader().readHead(encode(requests[0]!), () => true);
  expect(head).toMatchObject({
    kind: "done",
    asked: {
      method: "GET",
      target: "/v1/ping?x=1",
      path: "/v1/ping",
      query: "x=1",
      host: "127.0.0.1:1",
      ownClient: true,
    },
  });
  expect(head.kind === "done" && head.asked.header("accept")).toBe("a, b");
  expect(head.kind === "done" && head.asked.header("nothing")).toBeUndefined();
});

test("a body beyond the limit is told of by its stated length, and in chunks once it is beyond", () => {
  expect(read([encode(requests[1]!)], 4)).toEqual(["POST /v1/stop stated too long"]);
  expect(read([encode(requests[2]!)], 4)).toEqual(["POST /v1/stop too long"]);
  expect(read([encode(requests[1]!), encode(requests[2]!)], 5)).toEqual(wanted.slice(1, 3));
});

test.each([
  ["nonsense\r\n\r\n", "bad 400"],
  ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "bad 400"],
  ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "bad 400"],
  ["GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "bad 400"],
  ["POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "bad 400"],
])("%j: %s", (text, outcome) => {
  expect(read([encode(text)])).toEqual([outcome]);
  expect(read([...encode(text)].map((octet) => Uint8Array.of(octet)))).toEqual([outcome]);
});
