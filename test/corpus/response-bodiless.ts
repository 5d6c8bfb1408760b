/** Answers without a body, interim ones too, and what has to become of them. RFC 9110 section 15. */
import {
  answer,
  cases,
  headRequest,
  mended,
  named,
  ok,
  old,
  oldHead,
  passed,
  refused,
  type ResponseCase,
  unfinished,
  upgrade,
} from "./response-case.ts";

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
    "204 with two lengths",
    answer("HTTP/1.1 204 No Content", ["Content-Length: 0", "Content-Length: 0"]),
    mended({ statuses: [204], framing: "none", body: "", lacks: ["content-length"] }),
  ],
  [
    "304 with two lengths",
    answer("HTTP/1.1 304 Not Modified", ["Content-Length: 5", "Content-Length: 5"]),
    mended({ statuses: [304], framing: "none", body: "", has: ["Content-Length: 5"] }),
  ],
  [
    "304 with bare LFs",
    "HTTP/1.1 304 Not Modified\nETag: x\n\n",
    mended({ statuses: [304], framing: "none", body: "", has: ["ETag: x"] }),
  ],
  [
    "HEAD with bare LFs",
    "HTTP/1.1 200 OK\nContent-Length: 05\n\n",
    mended({ framing: "none", body: "", has: ["Content-Length: 5"] }),
    { request: headRequest },
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
  [
    "with two lengths",
    answer("HTTP/1.1 103 Early Hints", ["Content-Length: 5", "Content-Length: 5"]) + ok(),
    mended({ statuses: [103, 200] }),
  ],
  [
    "with bare LFs",
    `HTTP/1.1 103 Early Hints\nLink: </x>\n\n${ok()}`,
    mended({ statuses: [103, 200] }),
  ],
  [
    "with bare LFs, and so is what follows",
    "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\r\n\nHTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    mended({ statuses: [100, 103, 200] }),
  ],
  [
    "before bare LFs",
    `${early}HTTP/1.1 200 OK\nContent-Length: 5\n\nhello`,
    mended({ statuses: [103, 200] }),
  ],
  [
    "with a fold",
    answer("HTTP/1.1 103 Early Hints", ["Link: </x>;", " rel=preload"]) + ok(),
    mended({ statuses: [103, 200] }),
  ],
  [
    "with a control character",
    answer("HTTP/1.1 103 Early Hints", ["X: \x01"]) + ok(),
    mended({ statuses: [103, 200] }),
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

export const bodilessCases: readonly ResponseCase[] = [
  ...named("no body", bodiless),
  ...named("interim", interim),
];
