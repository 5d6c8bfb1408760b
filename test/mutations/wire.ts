/** Guards of the parsers that strangers' bytes meet -> how each could be lost: request smuggling, mostly. */
import type { Fault } from "./fault.ts";

const corpus = ["test/wire/corpus.test.ts"];

export const wire: readonly Fault[] = [
  {
    name: "of two Content-Lengths the second counts",
    file: "src/wire/framing.ts",
    find: 'if (this.hasLength) return bad(400, "there is more than one Content-Length");',
    replace: "",
    tests: corpus,
  },
  {
    name: "a Content-Length may stand beside a Transfer-Encoding",
    file: "src/wire/framing.ts",
    find: 'if (this.hasLength) return bad(400, "there is a Content-Length beside a Transfer-Encoding");',
    replace: "",
    tests: corpus,
  },
  {
    name: "any Transfer-Encoding is taken for chunked",
    file: "src/wire/framing.ts",
    find: 'if (!equalsIgnoreCase(bytes, start, stop, "chunked")) {',
    replace: "if (start === stop) {",
    tests: corpus,
  },
  {
    name: "HTTP/1.0 may be chunked",
    file: "src/wire/framing.ts",
    find: 'if (this.hasCoding) return bad(400, "HTTP/1.0 has no Transfer-Encoding");',
    replace: "",
    tests: corpus,
  },
  {
    name: "of two Hosts the second counts",
    file: "src/wire/framing.ts",
    find: 'if (this.hostStart !== -1) return bad(400, "there is more than one Host");',
    replace: "",
    tests: corpus,
  },
  {
    name: "an HTTP/1.1 request may have no Host",
    file: "src/wire/framing.ts",
    find: "if (this.hostStart === -1 && head.minor === 1)",
    replace: "if (this.hostStart === -1 && head.minor === 1 && this.connect)",
    tests: corpus,
  },
  {
    name: "Content_Length and Transfer_Encoding go on to servers that read them",
    file: "src/wire/framing.ts",
    find: 'return bad(400, "a framing field is spelled with an underscore");',
    replace: "continue;",
    tests: corpus,
  },
  {
    name: "a Content-Length may have a sign, or what comes after digits in hexadecimal",
    file: "src/wire/framing.ts",
    find: `const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
    if (value > 0`,
    replace: `const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) continue;
    value = value * 10 + digit;
    if (value > 0`,
    tests: corpus,
  },
  {
    name: "a folded field line is read as one of its own",
    file: "src/wire/head.ts",
    find: 'return bad(400, "a field line is folded, which RFC 9112 withdrew");',
    replace: "i++;\n            continue;",
    tests: corpus,
  },
  {
    name: "a space before the colon is not seen in requests",
    file: "src/wire/head.ts",
    find: 'if (!lenient) return bad(400, "there is a space between a field name and its colon");',
    replace: "",
    tests: corpus,
  },
  {
    name: "a fragment and quotes go on in a request target",
    file: "src/wire/head.ts",
    find: "for (const character of '#\"<>') targetClass[character.charCodeAt(0)] = 0;",
    replace: "for (const character of '<>') targetClass[character.charCodeAt(0)] = 0;",
    tests: corpus,
  },
  {
    name: "a backslash in a path goes on to servers that take it for a slash",
    file: "src/wire/target.ts",
    find: "if (head.backslash && !onlyInQuery(bytes, start, end)) {",
    replace: "if (head.backslash && onlyInQuery(bytes, start, end)) {",
    tests: corpus,
  },
  {
    name: "beside a URL in the request line, Host may be anything",
    file: "src/wire/target.ts",
    find: 'if (!hasSoundHost(head, bytes)) return unsoundHost;\n  return { form: "absolute"',
    replace: 'return { form: "absolute"',
    tests: corpus,
  },
  {
    name: "a chunk may be longer than its size says",
    file: "src/wire/body.ts",
    find: 'if (octet !== CR) return this.#fail("a chunk is longer than its size says", i);',
    replace: "",
    tests: corpus,
  },
  {
    name: "a chunk size may have any number of digits",
    file: "src/wire/body.ts",
    find: "if (++this.#digits > sizeDigits)",
    replace: "if (++this.#digits > 100 * sizeDigits)",
    tests: corpus,
  },
  {
    name: "chunk extensions have no end",
    file: "src/wire/body.ts",
    find: "if (++this.#extension > extensionLimit) {",
    replace: "if (this.#extension > extensionLimit) {",
    tests: ["test/wire/corpus.test.ts", "test/proxy/bodies.test.ts", "test/proxy/limits.test.ts"],
  },
  {
    name: "a host name may hold what is percent-encoded, or worse",
    file: "src/wire/authority.ts",
    find: "? octet !== 35 && octet !== 37 && octet !== 94 && octet !== 96 && octet !== 124",
    replace: "? octet !== 35",
    tests: corpus,
  },
  {
    name: "a header section in HTTP/2 may come in frames without end",
    file: "src/proxy/h2/session.ts",
    find: "if (++this.#continuations > continuationLimit || this.#block.length > blockLimit) {",
    replace: "if (this.#block.length > 1_000 * blockLimit) {",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "streams in HTTP/2 may be taken back as often as somebody likes",
    file: "src/proxy/h2/session.ts",
    find: "new Allowance(resetBurst, resetsPerSecond)",
    replace: "new Allowance(1_000 * resetBurst, resetsPerSecond)",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "pings and settings in HTTP/2 cost nothing",
    file: "src/proxy/h2/session.ts",
    find: "new Allowance(idleFrameBurst, idleFramesPerSecond)",
    replace: "new Allowance(1_000 * idleFrameBurst, idleFramesPerSecond)",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "any number of streams in HTTP/2 at once",
    file: "src/proxy/h2/session.ts",
    find: "if (this.#streams.size >= streamLimit) {",
    replace: "if (this.#streams.size >= 1_000 * streamLimit) {",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "a decompressed header section of HTTP/2 may have any size",
    file: "src/proxy/h2/session.ts",
    find: "if (this.#listSize > headLimit) {\n      this.#reply",
    replace: "if (this.#listSize > 1_000 * headLimit) {\n      this.#reply",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "a client of HTTP/2 that takes no answers is read on",
    file: "src/proxy/h2/session.ts",
    find: "if (this.#out.length > unreadLimit) this.link.pause();",
    replace: "",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "more DATA than the connection's window is taken",
    file: "src/proxy/h2/session.ts",
    find: "if (this.#receiveWindow < 0) {",
    replace: "if (this.#receiveWindow < -1_000 * sessionWindow) {",
    tests: ["test/proxy/h2/conformance.test.ts", "test/proxy/h2-session.test.ts"],
  },
  {
    name: "a field's table in HPACK may grow",
    file: "src/wire/h2/hpack-decoder.ts",
    find: "if (limit === -1 || limit > firstTableSize)",
    replace: "if (limit === -1)",
    tests: ["test/wire/h2/hpack.test.ts"],
  },
];
