/** Requests whose length is in question, and what has to become of them. RFC 9112 section 6. */
import {
  cases,
  chunked,
  forwarded,
  head,
  host,
  named,
  post,
  type RequestCase,
  refused,
} from "./request-case.ts";

const done = "5\r\nhello\r\n0\r\n\r\n";
const hello = forwarded("POST /x", { framing: "length", body: "hello" });
const helloChunked = forwarded("POST /x", { framing: "chunked", body: "hello" });

function coding(...lines: readonly string[]): string {
  return post(lines, done);
}

function length(...lines: readonly string[]): string {
  return post(lines, "hello");
}

const both = cases("RFC 9112 section 6.1: both lengths", [
  ["a length, then chunked", coding("Content-Length: 5", "Transfer-Encoding: chunked"), refused()],
  ["chunked, then a length", coding("Transfer-Encoding: chunked", "Content-Length: 5"), refused()],
  [
    "a length of nothing beside chunked",
    coding("Content-Length: 0", "Transfer-Encoding: chunked"),
    refused(),
  ],
  [
    "a length beside a coding nobody knows",
    coding("Content-Length: 5", "Transfer-Encoding: cow"),
    refused(),
  ],
  [
    "a length beside chunked with a tab",
    coding("Content-Length: 5", "Transfer-Encoding:\tchunked"),
    refused(),
  ],
  [
    "a length beside chunked in other letters",
    coding("content-length: 5", "TRANSFER-ENCODING: CHUNKED"),
    refused(),
  ],
  [
    "a length beside an empty coding",
    coding("Content-Length: 14", "Transfer-Encoding:"),
    refused(),
  ],
  [
    "a length beside chunked with a space before its colon",
    coding("Content-Length: 14", "Transfer-Encoding : chunked"),
    refused(),
  ],
  [
    "a length beside a folded coding",
    coding("Content-Length: 14", "Transfer-Encoding:\r\n chunked"),
    refused(),
  ],
  [
    "a length beside an underscore twin of the coding",
    coding("Content-Length: 14", "Transfer_Encoding: chunked"),
    refused(),
  ],
]);

const codings = cases("RFC 9112 sections 6.1 and 7: the only coding is chunked", [
  ["chunked", coding("Transfer-Encoding: chunked"), helloChunked],
  ["chunked without a space", coding("Transfer-Encoding:chunked"), helloChunked],
  ["chunked behind a tab", coding("Transfer-Encoding:\tchunked"), helloChunked],
  ["chunked before white space", coding("Transfer-Encoding: chunked \t "), helloChunked],
  ["chunked in capitals", coding("Transfer-Encoding: CHUNKED"), helloChunked],
  ["the coding's name in mixed letters", coding("tRANSFER-eNCODING: cHUNKED"), helloChunked],
  ["xchunked", coding("Transfer-Encoding: xchunked"), refused()],
  ["chunkedx", coding("Transfer-Encoding: chunkedx"), refused()],
  ["chunked behind a vertical tab", coding("Transfer-Encoding: \x0bchunked"), refused()],
  ["chunked before a vertical tab", coding("Transfer-Encoding: chunked\x0b"), refused()],
  ["chunked behind a form feed", coding("Transfer-Encoding: \x0cchunked"), refused()],
  ["chunked behind a no-break space", coding("Transfer-Encoding: \xa0chunked"), refused()],
  ["chunked before NUL", coding("Transfer-Encoding: chunked\x00"), refused()],
  ["chunked before a bare CR", coding("Transfer-Encoding: chunked\r"), refused()],
  ["chunked, identity", coding("Transfer-Encoding: chunked, identity"), refused()],
  ["identity, chunked", coding("Transfer-Encoding: identity, chunked"), refused()],
  ["identity", post(["Transfer-Encoding: identity"], ""), refused()],
  ["gzip", post(["Transfer-Encoding: gzip"], "xx"), refused()],
  ["gzip, chunked", coding("Transfer-Encoding: gzip, chunked"), refused()],
  ["chunked, gzip", coding("Transfer-Encoding: chunked, gzip"), refused()],
  ["chunked, chunked", coding("Transfer-Encoding: chunked, chunked"), refused()],
  ["chunked with a comma behind it", coding("Transfer-Encoding: chunked,"), refused()],
  ["chunked with a comma before it", coding("Transfer-Encoding: ,chunked"), refused()],
  ["chunked with a parameter", coding("Transfer-Encoding: chunked;q=1"), refused()],
  ["chunked in quotes", coding('Transfer-Encoding: "chunked"'), refused()],
  ["chunked cut in two", coding("Transfer-Encoding: chun ked"), refused()],
  ["an empty coding", coding("Transfer-Encoding:"), refused()],
  ["a coding of white space", coding("Transfer-Encoding:  \t"), refused()],
  [
    "two lines of chunked",
    coding("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    refused(),
  ],
  [
    "chunked, then identity",
    coding("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    refused(),
  ],
  [
    "identity, then chunked",
    coding("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
    refused(),
  ],
  [
    "an empty coding, then chunked",
    coding("Transfer-Encoding:", "Transfer-Encoding: chunked"),
    refused(),
  ],
  ["a space before the colon", coding("Transfer-Encoding : chunked"), refused()],
  ["a tab before the colon", coding("Transfer-Encoding\t: chunked"), refused()],
  ["a space before the name", coding(" Transfer-Encoding: chunked"), refused()],
  ["the coding folded", coding("Transfer-Encoding:\r\n chunked"), refused()],
  ["the coding's line behind a bare LF", coding("X: y\nTransfer-Encoding: chunked"), refused()],
  ["the coding's line behind a bare CR", coding("X: y\rTransfer-Encoding: chunked"), refused()],
  ["an underscore twin", coding("Transfer_Encoding: chunked"), refused()],
  ["an underscore twin in other letters", coding("TRANSFER_encoding: chunked"), refused()],
  [
    "an underscore twin beside the coding",
    coding("Transfer-Encoding: chunked", "Transfer_Encoding: identity"),
    refused(),
  ],
  [
    "a coding in HTTP/1.0",
    head("POST /x HTTP/1.0", host, "Transfer-Encoding: chunked") + done,
    refused(),
  ],
  [
    "a coding in HTTP/1.0 with keep-alive",
    head("POST /x HTTP/1.0", host, "Connection: keep-alive", "Transfer-Encoding: chunked") + done,
    refused(),
  ],
  [
    "a coding on GET",
    head("GET /x HTTP/1.1", host, "Transfer-Encoding: chunked") + done,
    forwarded("GET /x", { framing: "chunked", body: "hello" }),
  ],
  [
    "the coding nominated away",
    coding("Transfer-Encoding: chunked", "Connection: Transfer-Encoding"),
    helloChunked,
  ],
]);

const lengths = cases("RFC 9112 section 6.3: Content-Length", [
  ["a length", length("Content-Length: 5"), hello],
  ["a length without a space", length("Content-Length:5"), hello],
  ["a length in white space", length("Content-Length: \t 5 \t"), hello],
  [
    "leading zeros",
    length("Content-Length: 0005"),
    { ...hello, has: [...hello.has, "Content-Length: 5"] },
  ],
  [
    "a length of nothing",
    post(["Content-Length: 0"], ""),
    forwarded("POST /x", { framing: "length" }),
  ],
  ["no length at all", post([], ""), forwarded("POST /x")],
  [
    "a length on GET",
    `${head("GET /x HTTP/1.1", host, "Content-Length: 5")}hello`,
    forwarded("GET /x", { framing: "length", body: "hello" }),
  ],
  [
    "a length on HEAD",
    `${head("HEAD /x HTTP/1.1", host, "Content-Length: 5")}hello`,
    forwarded("HEAD /x", { framing: "length", body: "hello" }),
  ],
  [
    "a length on DELETE",
    `${head("DELETE /x HTTP/1.1", host, "Content-Length: 5")}hello`,
    forwarded("DELETE /x", { framing: "length", body: "hello" }),
  ],
  ["the length nominated away", length("Content-Length: 5", "Connection: Content-Length"), hello],
  [
    "the length nominated away in other letters",
    length("Content-Length: 5", "Connection: close, cONTENT-lENGTH"),
    { ...hello, last: true },
  ],
  ["two equal lengths", length("Content-Length: 5", "Content-Length: 5"), refused()],
  ["two differing lengths", length("Content-Length: 5", "Content-Length: 6"), refused()],
  ["two lengths in different letters", length("Content-Length: 5", "content-length: 0"), refused()],
  ["a list of equal lengths", length("Content-Length: 5, 5"), refused()],
  ["a list of differing lengths", length("Content-Length: 5,0"), refused()],
  ["a plus", length("Content-Length: +5"), refused()],
  ["a minus", length("Content-Length: -1"), refused()],
  ["minus nothing", length("Content-Length: -0"), refused()],
  ["a hexadecimal length", length("Content-Length: 0x5"), refused()],
  ["an exponent", length("Content-Length: 1e3"), refused()],
  ["a fraction", length("Content-Length: 5.0"), refused()],
  ["an underscore in the digits", length("Content-Length: 1_0"), refused()],
  ["an empty length", length("Content-Length:"), refused()],
  ["a length of white space", length("Content-Length:  "), refused()],
  ["a word", length("Content-Length: five"), refused()],
  ["two numbers", length("Content-Length: 5 5"), refused()],
  ["a semicolon", length("Content-Length: 5;"), refused()],
  ["quotes", length('Content-Length: "5"'), refused()],
  ["digits of another script", length("Content-Length: \xd9\xa5"), refused()],
  ["a superscript digit", length("Content-Length: \xb2"), refused()],
  ["a vertical tab", length("Content-Length: \x0b5"), refused()],
  ["NUL behind the length", length("Content-Length: 5\x00"), refused()],
  ["2^64 + 5", length("Content-Length: 18446744073709551621"), refused()],
  ["2^53", length("Content-Length: 9007199254740992"), refused()],
  ["a thousand digits", length(`Content-Length: ${"9".repeat(1_000)}`), refused()],
  ["a space before the colon", length("Content-Length : 5"), refused()],
  ["an underscore twin", length("Content_Length: 5"), refused()],
  [
    "an underscore twin beside the length",
    length("Content-Length: 5", "Content_Length: 0"),
    refused(),
  ],
  ["a folded length", length("Content-Length:\r\n 5"), refused()],
  ["a length folded in its digits", length("Content-Length: 5\r\n 0"), refused()],
]);

/** A body in chunks, and nothing wrong with it. */
const goodChunks = cases("RFC 9112 section 7.1", [
  [
    "two chunks",
    chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
    { ...helloChunked, body: "hello world" },
  ],
  ["no chunk but the last", chunked("0\r\n\r\n"), { ...helloChunked, body: "" }],
  ["the last chunk with more zeros", chunked("5\r\nhello\r\n000\r\n\r\n"), helloChunked],
  ["a size with leading zeros", chunked("0005\r\nhello\r\n0\r\n\r\n"), helloChunked],
  [
    "a size in capitals",
    chunked(`1A\r\n${"a".repeat(26)}\r\n0\r\n\r\n`),
    { ...helloChunked, body: "a".repeat(26) },
  ],
  [
    "a size in small letters",
    chunked(`1a\r\n${"a".repeat(26)}\r\n0\r\n\r\n`),
    { ...helloChunked, body: "a".repeat(26) },
  ],
  [
    "chunks of one octet",
    chunked("1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"),
    { ...helloChunked, body: "hi" },
  ],
  [
    "content that looks like a chunk",
    chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    { ...helloChunked, body: "0\r\n\r\n" },
  ],
  [
    "content that looks like a request",
    chunked(`1a\r\n${"GET /smuggled HTTP/1.1\r\n\r\n"}\r\n0\r\n\r\n`),
    { ...helloChunked, body: "GET /smuggled HTTP/1.1\r\n\r\n" },
  ],
  ["an extension", chunked("5;a=b\r\nhello\r\n0\r\n\r\n"), helloChunked],
  ["an extension without a value", chunked("5;a\r\nhello\r\n0\r\n\r\n"), helloChunked],
  ["several extensions", chunked("5;a=b;c;d=e\r\nhello\r\n0;f\r\n\r\n"), helloChunked],
  ["a quoted extension", chunked('5;a="b c;d"\r\nhello\r\n0\r\n\r\n'), helloChunked],
  [
    "a quoted extension with an escape",
    chunked('5;a="b\\"c\\\\"\r\nhello\r\n0\r\n\r\n'),
    helloChunked,
  ],
  ["an empty quoted extension", chunked('5;a=""\r\nhello\r\n0\r\n\r\n'), helloChunked],
  ["white space before an extension", chunked("5 ;a=b\r\nhello\r\n0\r\n\r\n"), helloChunked],
  ["white space behind the semicolon", chunked("5; \ta=b\r\nhello\r\n0\r\n\r\n"), helloChunked],
  [
    "extensions of 4,000 octets",
    chunked(`5;a=${"b".repeat(4_000)}\r\nhello\r\n0\r\n\r\n`),
    helloChunked,
  ],
]);

const badChunks = cases("RFC 9112 section 7.1", [
  ["a size that begins with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a plus", chunked("+5\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a minus", chunked("-5\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a space before the size", chunked(" 5\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a space behind the size", chunked("5 \r\nhello\r\n0\r\n\r\n"), refused()],
  ["a tab behind the size", chunked("5\t\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a space within the size", chunked("0 5\r\nhello\r\n0\r\n\r\n"), refused()],
  ["an underscore in the size", chunked("0_5\r\nhello\r\n0\r\n\r\n"), refused()],
  ["no size", chunked("\r\nhello\r\n0\r\n\r\n"), refused()],
  ["no size but an extension", chunked(";a=b\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a size that is no number", chunked("g\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a size that ends in no digit", chunked("5g\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a suffix h", chunked("5h\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a fraction", chunked("5.0\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a size of 2^64 + 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a size of 2^64 - 1", chunked("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a size of 2^56", chunked("100000000000000\r\nhello\r\n0\r\n\r\n"), refused()],
  ["many leading zeros", chunked(`${"0".repeat(40)}5\r\nhello\r\n0\r\n\r\n`), refused()],
  ["NUL in the size", chunked("5\x00\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a bare LF behind the size", chunked("5\nhello\r\n0\r\n\r\n"), refused()],
  ["a bare CR behind the size", chunked("5\rhello\r\n0\r\n\r\n"), refused()],
  ["two CRs behind the size", chunked("5\r\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a chunk longer than its size", chunked("4\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a chunk shorter than its size", chunked("6\r\nhello\r\n0\r\n\r\n"), refused()],
  ["no CRLF behind a chunk", chunked("5\r\nhello0\r\n\r\n"), refused()],
  ["a bare LF behind a chunk", chunked("5\r\nhello\n0\r\n\r\n"), refused()],
  ["a bare CR behind a chunk", chunked("5\r\nhello\r0\r\n\r\n"), refused()],
  ["two octets that are no CRLF behind a chunk", chunked("5\r\nhelloXX0\r\n\r\n"), refused()],
  ["an octet and LF behind a chunk", chunked("5\r\nhelloX\n0\r\n\r\n"), refused()],
  ["LF CR behind a chunk", chunked("5\r\nhello\n\r0\r\n\r\n"), refused()],
  ["a bare LF behind the last size", chunked("5\r\nhello\r\n0\n\r\n"), refused()],
  ["a bare LF as the end", chunked("5\r\nhello\r\n0\r\n\n"), refused()],
  ["a bare CR as the end", chunked("5\r\nhello\r\n0\r\n\rX"), refused()],
  ["a bare semicolon", chunked("5;\r\nhello\r\n0\r\n\r\n"), refused()],
  ["two semicolons", chunked("5;;a=b\r\nhello\r\n0\r\n\r\n"), refused()],
  ["an extension without a name", chunked("5;=b\r\nhello\r\n0\r\n\r\n"), refused()],
  ["an extension with an empty value", chunked("5;a=\r\nhello\r\n0\r\n\r\n"), refused()],
  ["an extension of two words", chunked("5;a=b c\r\nhello\r\n0\r\n\r\n"), refused()],
  ["an open quotation", chunked('5;a="b\r\nhello\r\n0\r\n\r\n'), refused()],
  ["octets behind a quotation", chunked('5;a="b"c\r\nhello\r\n0\r\n\r\n'), refused()],
  ["a control character in an extension", chunked("5;a=\x01\r\nhello\r\n0\r\n\r\n"), refused()],
  ["NUL in an extension", chunked("5;a\x00b\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a bare LF in an extension", chunked("5;a\nhello\r\n0\r\n\r\n"), refused()],
  ["a bare CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), refused()],
  ["a bare LF in a quotation", chunked('5;a="\n"\r\nhello\r\n0\r\n\r\n'), refused()],
  ["a bare CR in a quotation", chunked('5;a="\r"\r\nhello\r\n0\r\n\r\n'), refused()],
  ["an escaped LF in a quotation", chunked('5;a="\\\n"\r\nhello\r\n0\r\n\r\n'), refused()],
  [
    "extensions of 5,000 octets",
    chunked(`5;a=${"b".repeat(5_000)}\r\nhello\r\n0\r\n\r\n`),
    refused(),
  ],
  // Section 7.1.1 has a recipient parse white space before `=` too; nobody sends it, and refusing it is safe.
  [
    "white space before an extension's equals sign",
    chunked("5;a =b\r\nhello\r\n0\r\n\r\n"),
    refused(),
  ],
]);

function trailers(...lines: readonly string[]): string {
  return chunked(`5\r\nhello\r\n0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
}

const trailerCases = cases("RFC 9112 section 7.1.2 and RFC 9110 section 6.5.1", [
  ["a trailer", trailers("X-Sum: 1"), { ...helloChunked, trailers: ["X-Sum: 1"] }],
  [
    "several trailers",
    trailers("X-Sum: 1", "x-other:", "X-Sum: 2"),
    { ...helloChunked, trailers: ["X-Sum: 1", "x-other:", "X-Sum: 2"] },
  ],
  [
    "a length as a trailer",
    trailers("Content-Length: 0", "X-Sum: 1"),
    { ...helloChunked, trailers: ["X-Sum: 1"] },
  ],
  [
    "a coding as a trailer",
    trailers("X-Sum: 1", "Transfer-Encoding: chunked"),
    { ...helloChunked, trailers: ["X-Sum: 1"] },
  ],
  ["a Host as a trailer", trailers("Host: evil.example"), helloChunked],
  [
    "Connection as a trailer",
    trailers("Connection: close", "Upgrade: h2c", "TE: trailers"),
    helloChunked,
  ],
  [
    "underscore twins as trailers",
    trailers("Content_Length: 0", "Transfer_Encoding: chunked", "X_Forwarded_For: 1"),
    helloChunked,
  ],
  [
    "forwarding fields as trailers",
    trailers("X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "Via: 1.1 x"),
    helloChunked,
  ],
  ["a trailer without a colon", trailers("X-Sum"), refused()],
  ["a trailer without a name", trailers(": 1"), refused()],
  ["a space in a trailer's name", trailers("X Sum: 1"), refused()],
  ["a space before a trailer's colon", trailers("X-Sum : 1"), refused()],
  ["a folded trailer", trailers("X-Sum: 1", " 2"), refused()],
  ["a trailer that begins folded", trailers(" X-Sum: 1"), refused()],
  ["NUL in a trailer", trailers("X-Sum: \x00"), refused()],
  ["a control character in a trailer", trailers("X-Sum: \x1b[31m"), refused()],
  ["a bare LF in a trailer", trailers("X-Sum: 1\nX-Other: 2"), refused()],
  ["a bare CR in a trailer", trailers("X-Sum: 1\rX-Other: 2"), refused()],
  [
    "trailers of 60 KiB",
    trailers(`X-Sum: ${"1".repeat(60_000)}`),
    { ...helloChunked, trailers: [`X-Sum: ${"1".repeat(60_000)}`] },
  ],
  [
    "trailers of more than 64 KiB",
    trailers(...Array.from({ length: 80 }, () => `X-Sum: ${"1".repeat(1_000)}`)),
    refused(),
  ],
]);

export const framingCases: readonly RequestCase[] = [
  ...named("both", both),
  ...named("coding", codings),
  ...named("length", lengths),
  ...named("chunks", [...goodChunks, ...badChunks]),
  ...named("trailers", trailerCases),
];
