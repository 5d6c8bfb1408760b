/** What upstreams answer, and what the client must see of it. RFC 9112 sections 4 to 9. */

export type ResponseVerdict =
  /** The client gets this answer, whole. */
  | {
      kind: "passed";
      /** Of interim answers too. */
      statuses: readonly number[];
      framing: "none" | "length" | "chunked" | "close";
      body: string;
      has: readonly string[];
      /** Names, in lower case. */
      lacks: readonly string[];
      trailers: readonly string[];
      /** The client's connection ends with it. */
      last: boolean;
    }
  /** The client gets 502, whole, and nothing else. */
  | { kind: "refused" }
  /** The client gets 502, or an answer that breaks off where it can see that it does. */
  | { kind: "unfinished" };

export type ResponseCase = {
  name: string;
  /** The head of the request. */
  request: string;
  /** What the upstream sends. One character an octet. */
  bytes: string;
  /** What it does then. */
  after: "stay" | "end" | "reset";
  /** Bytes too many that come late meet the same client's next request, which nothing can tell them from. */
  strays: boolean;
  verdict: ResponseVerdict;
  source: string;
};

type Passed = Extract<ResponseVerdict, { kind: "passed" }>;

const refused: ResponseVerdict = { kind: "refused" };
const unfinished: ResponseVerdict = { kind: "unfinished" };

function passed(facts: Partial<Passed> = {}): Passed {
  return {
    kind: "passed",
    statuses: [200],
    framing: "length",
    body: "hello",
    has: [],
    lacks: [],
    trailers: [],
    last: false,
    ...facts,
  };
}

function answer(start: string, fields: readonly string[] = [], body = ""): string {
  return `${[start, ...fields].join("\r\n")}\r\n\r\n${body}`;
}

/** 200 with these fields in front of a length, and `hello`. */
function ok(...fields: readonly string[]): string {
  return answer("HTTP/1.1 200 OK", [...fields, "Content-Length: 5"], "hello");
}

function chunked(body: string): string {
  return answer("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], body);
}

/** `hello` with these framing fields. */
function framed(...fields: readonly string[]): string {
  return answer("HTTP/1.1 200 OK", fields, "hello");
}

function inChunks(...fields: readonly string[]): string {
  return answer("HTTP/1.1 200 OK", fields, "5\r\nhello\r\n0\r\n\r\n");
}

function request(line: string, ...fields: readonly string[]): string {
  return answer(line, ["Host: api.localhost", ...fields]);
}

const get = request("GET /first HTTP/1.1");
const headRequest = request("HEAD /first HTTP/1.1");
const old = request("GET /first HTTP/1.0");
const oldHead = request("HEAD /first HTTP/1.0");
const upgrade = request("GET /first HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket");

type Row = readonly [
  name: string,
  bytes: string,
  verdict: ResponseVerdict,
  more?: { request?: string; after?: ResponseCase["after"]; strays?: true },
];

function cases(source: string, rows: readonly Row[]): ResponseCase[] {
  return rows.map(([name, bytes, verdict, more]) => ({
    name,
    bytes,
    verdict,
    request: more?.request ?? get,
    after: more?.after ?? "stay",
    strays: more?.strays === true,
    source,
  }));
}

const statusLines = cases("RFC 9112 section 4", [
  ["a length", ok(), passed()],
  ["no reason", answer("HTTP/1.1 200 ", ["Content-Length: 5"], "hello"), passed()],
  ["no reason and no space", answer("HTTP/1.1 200", ["Content-Length: 5"], "hello"), passed()],
  [
    "a long reason",
    answer("HTTP/1.1 200 all is well, \xc3\xa9t\xc3\xa9", ["Content-Length: 5"], "hello"),
    passed(),
  ],
  [
    "an odd status",
    answer("HTTP/1.1 299 Odd", ["Content-Length: 5"], "hello"),
    passed({ statuses: [299] }),
  ],
  [
    "a status above 599",
    answer("HTTP/1.1 799 Odd", ["Content-Length: 5"], "hello"),
    passed({ statuses: [799] }),
  ],
  ["HTTP/1.0", answer("HTTP/1.0 200 OK", ["Content-Length: 5"], "hello"), passed()],
  ["HTTP/1.2", answer("HTTP/1.2 200 OK", ["Content-Length: 5"], "hello"), passed()],
  ["HTTP/2.0", answer("HTTP/2.0 200 OK", ["Content-Length: 5"], "hello"), refused],
  ["HTTP/2", answer("HTTP/2 200", ["Content-Length: 5"], "hello"), refused],
  ["HTTP/0.9", answer("HTTP/0.9 200 OK", ["Content-Length: 5"], "hello"), refused],
  ["small letters", answer("http/1.1 200 OK", ["Content-Length: 5"], "hello"), refused],
  ["another protocol's name", answer("ICY 200 OK", ["Content-Length: 5"], "hello"), refused],
  ["a status of two digits", answer("HTTP/1.1 20 OK", ["Content-Length: 5"], "hello"), refused],
  ["a status of four digits", answer("HTTP/1.1 2000 OK", ["Content-Length: 5"], "hello"), refused],
  ["a status below 100", answer("HTTP/1.1 099 OK", ["Content-Length: 5"], "hello"), refused],
  [
    "a status that is no number",
    answer("HTTP/1.1 abc OK", ["Content-Length: 5"], "hello"),
    refused,
  ],
  [
    "two spaces before the status",
    answer("HTTP/1.1  200 OK", ["Content-Length: 5"], "hello"),
    refused,
  ],
  ["a tab before the status", answer("HTTP/1.1\t200 OK", ["Content-Length: 5"], "hello"), refused],
  ["no status", answer("HTTP/1.1", ["Content-Length: 5"], "hello"), refused],
  [
    "a control character in the reason",
    answer("HTTP/1.1 200 O\x1bK", ["Content-Length: 5"], "hello"),
    refused,
  ],
  ["NUL in the reason", answer("HTTP/1.1 200 O\x00K", ["Content-Length: 5"], "hello"), refused],
  ["a bare CR in the reason", answer("HTTP/1.1 200 O\rK", ["Content-Length: 5"], "hello"), refused],
  ["an empty line before it", `\r\n${ok()}`, refused],
  ["a space before it", ` ${ok()}`, refused],
  ["a request", answer("GET / HTTP/1.1", ["Host: api.localhost"]), refused],
  ["SSH", "SSH-2.0-OpenSSH_9.2\r\n", refused],
  ["HTML alone", "<!doctype html><title>x</title>", refused],
  ["a TLS alert", "\x15\x03\x01\x00\x02\x02\x46", refused],
  ["HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00", refused],
  ["zeros", "\x00".repeat(64), refused],
  ["nothing", "", refused, { after: "end" }],
  ["nothing, and a reset", "", refused, { after: "reset" }],
  ["half a status line", "HTTP/1.1 2", refused, { after: "end" }],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", refused, { after: "end" }],
  ["half a head, and a reset", "HTTP/1.1 200 OK\r\nContent-Le", refused, { after: "reset" }],
]);

const fields = cases("RFC 9112 section 5", [
  [
    "order, case and repeats stay",
    ok("b: 1", "Set-Cookie: a=1", "A: 2", "set-cookie: b=2"),
    passed({ has: ["b: 1", "Set-Cookie: a=1", "A: 2", "set-cookie: b=2"] }),
  ],
  ["octets above 127", ok("X: \xff\x80"), passed({ has: ["X: \xff\x80"] })],
  [
    "a space before the colon goes",
    ok("X-Foo : 1", "X-Bar \t: 2"),
    passed({ has: ["X-Foo: 1", "X-Bar: 2"] }),
  ],
  [
    "a space before the length's colon goes",
    framed("Content-Length : 5"),
    passed({ has: ["Content-Length: 5"] }),
  ],
  [
    "underscore twins go",
    ok("Content_Length: 6", "Transfer_Encoding: chunked"),
    passed({ lacks: ["content_length", "transfer_encoding"] }),
  ],
  [
    "nominated fields go",
    ok("Connection: X-Foo", "X-Foo: 1", "X-Bar: 2"),
    passed({ has: ["X-Bar: 2"], lacks: ["x-foo", "connection"] }),
  ],
  [
    "the length cannot be nominated",
    ok("Connection: Content-Length"),
    passed({ lacks: ["connection"] }),
  ],
  [
    "the coding cannot be nominated",
    inChunks("Transfer-Encoding: chunked", "Connection: Transfer-Encoding"),
    passed({ framing: "chunked", lacks: ["connection"] }),
  ],
  [
    "fields of one hop go",
    ok(
      "Keep-Alive: timeout=5",
      "Proxy-Connection: close",
      "Proxy-Authenticate: Basic",
      "Upgrade: h2c",
    ),
    passed({ lacks: ["keep-alive", "proxy-connection", "proxy-authenticate", "upgrade"] }),
  ],
  [
    "the upstream's close is no close of ours",
    ok("Connection: close"),
    passed({ lacks: ["connection"] }),
    { after: "end" },
  ],
  ["64 KiB exactly", ok(`X: ${"x".repeat(65_536 + 5 - ok("X: ").length)}`), passed()],
  ["one octet more", ok(`X: ${"x".repeat(65_536 + 6 - ok("X: ").length)}`), refused],
  ["a head without end", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(20_000)}`, refused],
  ["a folded field", ok("X: a", " b"), refused],
  ["a field folded by a tab", ok("X: a", "\tb"), refused],
  [
    "a fold behind the status line",
    answer("HTTP/1.1 200 OK", [" X: y", "Content-Length: 5"], "hello"),
    refused,
  ],
  ["bare LFs", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", refused],
  ["a bare LF behind a field", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\r\nhello", refused],
  ["a bare LF as the end", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello", refused],
  ["a bare CR in a value", ok("X: a\rb"), refused],
  ["NUL in a value", ok("X: a\x00b"), refused],
  ["an escape in a value", ok("X: \x1b[31m"), refused],
  ["DEL in a value", ok("X: \x7f"), refused],
  ["no colon", ok("X"), refused],
  ["no name", ok(": x"), refused],
  ["a space in a name", ok("X Y: z"), refused],
  ["a letter above 127 in a name", ok("\xe9: z"), refused],
]);

const lengths = cases("RFC 9112 section 6", [
  ["leading zeros", framed("Content-Length: 005"), passed()],
  ["a length of nothing", answer("HTTP/1.1 200 OK", ["Content-Length: 0"]), passed({ body: "" })],
  ["both lengths", inChunks("Content-Length: 5", "Transfer-Encoding: chunked"), refused],
  [
    "both lengths the other way",
    inChunks("Transfer-Encoding: chunked", "Content-Length: 5"),
    refused,
  ],
  ["two equal lengths", framed("Content-Length: 5", "Content-Length: 5"), refused],
  ["two differing lengths", framed("Content-Length: 5", "Content-Length: 4"), refused],
  ["a list of lengths", framed("Content-Length: 5, 5"), refused],
  ["a plus", framed("Content-Length: +5"), refused],
  ["a minus", framed("Content-Length: -5"), refused],
  ["a hexadecimal length", framed("Content-Length: 0x5"), refused],
  ["an empty length", framed("Content-Length:"), refused],
  ["2^64 + 5", framed("Content-Length: 18446744073709551621"), refused],
  [
    "two equal lengths to HEAD",
    answer("HTTP/1.1 200 OK", ["Content-Length: 5", "Content-Length: 5"]),
    refused,
    { request: headRequest },
  ],
  ["xchunked", inChunks("Transfer-Encoding: xchunked"), refused],
  ["gzip, chunked", inChunks("Transfer-Encoding: gzip, chunked"), refused],
  ["chunked, identity", inChunks("Transfer-Encoding: chunked, identity"), refused],
  ["identity", framed("Transfer-Encoding: identity"), refused],
  ["two codings", inChunks("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), refused],
  ["chunked behind a vertical tab", inChunks("Transfer-Encoding: \x0bchunked"), refused],
  [
    "a coding in HTTP/1.0",
    answer("HTTP/1.0 200 OK", ["Transfer-Encoding: chunked"], "5\r\nhello\r\n0\r\n\r\n"),
    refused,
  ],
  [
    "no length, until the end",
    framed(),
    passed({ framing: "close", last: true }),
    { after: "end" },
  ],
  [
    "no length in HTTP/1.0",
    answer("HTTP/1.0 200 OK", [], "hello"),
    passed({ framing: "close", last: true }),
    { after: "end" },
  ],
  [
    "no length and nothing",
    answer("HTTP/1.1 200 OK"),
    passed({ framing: "close", body: "", last: true }),
    { after: "end" },
  ],
  ["no length, and a reset", framed(), unfinished, { after: "reset" }],
  [
    "less than the length",
    answer("HTTP/1.1 200 OK", ["Content-Length: 6"], "hello"),
    unfinished,
    { after: "end" },
  ],
  [
    "less than the length, and a reset",
    answer("HTTP/1.1 200 OK", ["Content-Length: 6"], "hello"),
    unfinished,
    { after: "reset" },
  ],
  [
    "a length and nothing",
    answer("HTTP/1.1 200 OK", ["Content-Length: 6"]),
    unfinished,
    { after: "end" },
  ],
]);

const inHello = passed({ framing: "chunked" });

const chunks = cases("RFC 9112 section 7.1", [
  ["chunked", chunked("5\r\nhello\r\n0\r\n\r\n"), inHello],
  ["chunked in capitals", inChunks("Transfer-Encoding: CHUNKED"), inHello],
  ["an extension", chunked('5;a="b;c"\r\nhello\r\n0;d\r\n\r\n'), inHello],
  [
    "trailers",
    chunked("5\r\nhello\r\n0\r\nX-Sum: 1\r\nServer-Timing: x\r\n\r\n"),
    { ...inHello, trailers: ["X-Sum: 1", "Server-Timing: x"] },
  ],
  [
    "trailers that come too late",
    chunked(
      "5\r\nhello\r\n0\r\nContent-Length: 0\r\nX-Sum: 1\r\nTransfer_Encoding: x\r\nConnection: close\r\n\r\n",
    ),
    { ...inHello, trailers: ["X-Sum: 1"] },
  ],
  [
    "to HTTP/1.0, which has none",
    chunked("5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
    passed({ framing: "close", lacks: ["transfer-encoding"], last: true }),
    { request: old },
  ],
  ["a size that begins with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), unfinished],
  ["a space behind the size", chunked("5 \r\nhello\r\n0\r\n\r\n"), unfinished],
  ["no size", chunked("\r\nhello\r\n0\r\n\r\n"), unfinished],
  ["a size of 2^64 + 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), unfinished],
  ["a bare LF behind the size", chunked("5\nhello\r\n0\r\n\r\n"), unfinished],
  ["an octet and LF behind a chunk", chunked("5\r\nhelloX\n0\r\n\r\n"), unfinished],
  ["a bare LF behind a chunk", chunked("5\r\nhello\n0\r\n\r\n"), unfinished],
  ["a chunk longer than its size", chunked("4\r\nhello\r\n0\r\n\r\n"), unfinished],
  ["a second size that is none", chunked("5\r\nhello\r\nx\r\n0\r\n\r\n"), unfinished],
  ["a bare semicolon", chunked("5;\r\nhello\r\n0\r\n\r\n"), unfinished],
  ["a control character in an extension", chunked("5;a=\x01\r\nhello\r\n0\r\n\r\n"), unfinished],
  ["a folded trailer", chunked("5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n"), unfinished],
  ["NUL in a trailer", chunked("5\r\nhello\r\n0\r\nX: \x00\r\n\r\n"), unfinished],
  ["a trailer without a colon", chunked("5\r\nhello\r\n0\r\nX\r\n\r\n"), unfinished],
  ["trailers without end", chunked(`5\r\nhello\r\n0\r\n${"X: y\r\n".repeat(12_000)}`), unfinished],
  ["no last chunk", chunked("5\r\nhello\r\n"), unfinished, { after: "end" }],
  ["no last CRLF", chunked("5\r\nhello\r\n0\r\n"), unfinished, { after: "end" }],
  ["half a chunk", chunked("5\r\nhel"), unfinished, { after: "end" }],
  ["half a chunk, and a reset", chunked("5\r\nhel"), unfinished, { after: "reset" }],
  ["half a chunk to HTTP/1.0", chunked("5\r\nhel"), unfinished, { request: old, after: "end" }],
  ["a bad chunk to HTTP/1.0", chunked("5\r\nhello\r\nx\r\n"), unfinished, { request: old }],
]);

const bodiless = cases("RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5", [
  [
    "HEAD with a length",
    answer("HTTP/1.1 200 OK", ["Content-Length: 5"]),
    passed({ framing: "none", body: "", has: ["Content-Length: 5"] }),
    { request: headRequest },
  ],
  [
    "HEAD in chunks",
    answer("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"]),
    passed({ framing: "none", body: "", has: ["Transfer-Encoding: chunked"] }),
    { request: headRequest },
  ],
  [
    "HEAD without a length",
    answer("HTTP/1.1 200 OK"),
    passed({ framing: "none", body: "" }),
    { request: headRequest },
  ],
  [
    "HEAD in chunks to HTTP/1.0",
    answer("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"]),
    passed({ framing: "none", body: "", lacks: ["transfer-encoding"], last: true }),
    { request: oldHead },
  ],
  [
    "304 in chunks to HTTP/1.0",
    answer("HTTP/1.1 304 Not Modified", ["Transfer-Encoding: chunked"]),
    passed({
      statuses: [304],
      framing: "none",
      body: "",
      lacks: ["transfer-encoding"],
      last: true,
    }),
    { request: old },
  ],
  [
    "204",
    answer("HTTP/1.1 204 No Content"),
    passed({ statuses: [204], framing: "none", body: "" }),
  ],
  [
    "204 with a length",
    answer("HTTP/1.1 204 No Content", ["Content-Length: 0"]),
    passed({ statuses: [204], framing: "none", body: "", lacks: ["content-length"] }),
  ],
  [
    "204 in chunks",
    answer("HTTP/1.1 204 No Content", ["Transfer-Encoding: chunked"]),
    passed({ statuses: [204], framing: "none", body: "", lacks: ["transfer-encoding"] }),
  ],
  [
    "304",
    answer("HTTP/1.1 304 Not Modified", ["ETag: x"]),
    passed({ statuses: [304], framing: "none", body: "", has: ["ETag: x"] }),
  ],
  [
    "304 with a length",
    answer("HTTP/1.1 304 Not Modified", ["Content-Length: 5"]),
    passed({ statuses: [304], framing: "none", body: "", has: ["Content-Length: 5"] }),
  ],
  [
    "HEAD with a body",
    ok(),
    passed({ framing: "none", body: "" }),
    { request: headRequest, strays: true },
  ],
  [
    "204 with a body",
    answer("HTTP/1.1 204 No Content", ["Content-Length: 5"], "hello"),
    passed({ statuses: [204], framing: "none", body: "" }),
    { strays: true },
  ],
  [
    "304 with a body",
    answer("HTTP/1.1 304 Not Modified", ["Content-Length: 5"], "hello"),
    passed({ statuses: [304], framing: "none", body: "" }),
    { strays: true },
  ],
  [
    "205 with a length of nothing",
    answer("HTTP/1.1 205 Reset Content", ["Content-Length: 0"]),
    passed({ statuses: [205], body: "" }),
  ],
]);

const early = answer("HTTP/1.1 103 Early Hints", ["Link: </x>; rel=preload"]);
const goOn = answer("HTTP/1.1 100 Continue");

const interim = cases("RFC 9110 section 15.2", [
  ["100", goOn + ok(), passed({ statuses: [100, 200] })],
  ["103", early + ok(), passed({ statuses: [103, 200] })],
  [
    "102, 103 and 100",
    answer("HTTP/1.1 102 Processing") + early + goOn + ok(),
    passed({ statuses: [102, 103, 100, 200] }),
  ],
  [
    "a thousand of 103",
    early.repeat(1_000) + ok(),
    passed({ statuses: [...Array.from({ length: 1_000 }, () => 103), 200] }),
  ],
  ["to HTTP/1.0, which has none", goOn + early + ok(), passed({ last: true }), { request: old }],
  [
    "with a length",
    answer("HTTP/1.1 103 Early Hints", ["Content-Length: 5"]) + ok(),
    passed({ statuses: [103, 200] }),
  ],
  [
    "to HEAD",
    early + answer("HTTP/1.1 200 OK", ["Content-Length: 5"]),
    passed({ statuses: [103, 200], framing: "none", body: "" }),
    { request: headRequest },
  ],
  ["and nothing behind it", early, unfinished, { after: "end" }],
  ["malformed", answer("HTTP/1.1 103 Early Hints", ["X Y: z"]) + ok(), refused],
  ["malformed behind one that is not", early + answer("HTTP/1.1 200 OK", ["X Y: z"]), unfinished],
  [
    "101 unasked",
    answer("HTTP/1.1 101 Switching Protocols", ["Connection: Upgrade", "Upgrade: websocket"]),
    refused,
  ],
  ["an upgrade refused", ok(), passed(), { request: upgrade }],
]);

function named(prefix: string, list: readonly ResponseCase[]): ResponseCase[] {
  return list.map((item) => ({ ...item, name: `${prefix}: ${item.name}` }));
}

export const responseCases: readonly ResponseCase[] = [
  ...named("status line", statusLines),
  ...named("field", fields),
  ...named("length", lengths),
  ...named("chunks", chunks),
  ...named("no body", bodiless),
  ...named("interim", interim),
];
