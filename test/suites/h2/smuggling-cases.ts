/** Requests that would become two, or others, if their fields were written into HTTP/1.1 as they come. */
import { asked, type Case, type Changes, hiddenIn, type Place, pathOf } from "./case.ts";

type Place1 = Place;
const post = { ":method": "POST" };

/** Octets that end a line, or a string, in one reader or another. */
const breaks: readonly [name: string, text: (place: Place1) => string][] = [
  ["CRLF and a field", () => "\r\nx-injected: 1"],
  ["CRLF and a chunked body", () => "\r\ntransfer-encoding: chunked"],
  ["CRLF and a length", () => "\r\ncontent-length: 0"],
  ["CRLF CRLF and a request", (place) => `\r\n\r\n${hiddenIn(place)}`],
  ["LF and a field", () => "\nx-injected: 1"],
  ["CR and a field", () => "\rx-injected: 1"],
  ["NUL", () => "\0"],
];

/** Where they are put. */
const places: readonly [name: string, changes: (place: Place, text: string) => Changes][] = [
  ["a value", (_, text) => ({ more: [["x-field", `a${text}`]] })],
  ["a name", (_, text) => ({ more: [[`x-field${text}`, "a"]] })],
  ["a cookie", (_, text) => ({ more: [["cookie", `a=b${text}`]] })],
  [":path", (place, text) => ({ pseudo: { ":path": `${pathOf(place)}${text}` } })],
  [":method", (_, text) => ({ pseudo: { ":method": `GET${text}` } })],
  [":authority", (place, text) => ({ pseudo: { ":authority": `${place.host}${text}` } })],
  [":scheme", (_, text) => ({ pseudo: { ":scheme": `https${text}` } })],
];

const injected: Case[] = places.flatMap(([where, changes]) =>
  breaks.map(([what, text]): Case => ({
    name: `${what} in ${where}`,
    verdict: "refused",
    send: asked({ changes: (place) => changes(place, text(place)) }),
  })),
);

/** A request line inside a pseudo-header. */
const lines: Case[] = (
  [
    ["a space and a version in :path", { ":path": "/ HTTP/1.1" }],
    ["a whole request line in :method", { ":method": "GET / HTTP/1.1" }],
    ["a space in :method", { ":method": "GE T" }],
    ["a tab in :method", { ":method": "GET\t/" }],
    ["a colon in :method", { ":method": "GET:" }],
    ["a tab in :path", { ":path": "/a\tb" }],
    ["a space in :authority", { ":authority": "api localhost" }],
    ["a slash in :authority", { ":authority": "api.localhost/a" }],
    ["a user in :authority", { ":authority": "user@api.localhost" }],
    ["a fragment in :authority", { ":authority": "api.localhost#a" }],
  ] as [string, Record<string, string>][]
).map(([name, pseudo]) => ({
  name,
  verdict: "refused",
  send: asked({ changes: () => ({ pseudo }) }),
}));

/** RFC 9113 section 8.2.2. */
const connectionFields: Case[] = (
  [
    ["connection", "close"],
    ["connection", "x-field"],
    ["keep-alive", "timeout=5"],
    ["proxy-connection", "keep-alive"],
    ["upgrade", "websocket"],
    ["transfer-encoding", "chunked"],
    ["transfer-encoding", "identity"],
    ["te", "gzip"],
    ["te", "trailers, gzip"],
  ] as const
).map(([name, value]) => ({
  name: `${name}: ${value}`,
  verdict: "refused",
  send: asked({ changes: () => ({ more: [[name, value]] }) }),
}));

const chunkedBody = (place: Place): string => `0\r\n\r\n${hiddenIn(place)}`;

type Framed = [name: string, more: (body: string) => [string, string][], verdict?: Case["verdict"]];

/** The fields that frame a request in HTTP/1.1, beside the frames that do so here. */
const framed: Case[] = (
  [
    [
      "transfer-encoding: chunked, with a hidden request behind its end",
      () => [["transfer-encoding", "chunked"]],
    ],
    [
      "transfer-encoding and a length",
      (it) => [
        ["transfer-encoding", "chunked"],
        ["content-length", `${it.length}`],
      ],
    ],
    ["transfer-encoding in capitals", () => [["Transfer-Encoding", "chunked"]]],
    ["transfer-encoding with a space", () => [["transfer-encoding ", "chunked"]]],
    ["a space in front of transfer-encoding", () => [[" transfer-encoding", "chunked"]]],
    ["transfer-encoding: a tab, then chunked", () => [["transfer-encoding", "\tchunked"]]],
    ["a length of 0 with a body", () => [["content-length", "0"]]],
    ["a length that is too short", () => [["content-length", "5"]]],
    ["a length that is too long", (it) => [["content-length", `${it.length + 1}`]]],
    ["a length that is no number", () => [["content-length", "abc"]]],
    ["an empty length", () => [["content-length", ""]]],
    ["a length with a plus", (it) => [["content-length", `+${it.length}`]]],
    ["a negative length", () => [["content-length", "-1"]]],
    ["a length in hexadecimal", (it) => [["content-length", `0x${it.length.toString(16)}`]]],
    ["a length with a space inside", (it) => [["content-length", `${it.length} 0`]]],
    [
      "two lengths that differ",
      (it) => [
        ["content-length", `${it.length}`],
        ["content-length", "0"],
      ],
    ],
    [
      "two lengths that differ, the other order",
      (it) => [
        ["content-length", "0"],
        ["content-length", `${it.length}`],
      ],
    ],
    ["a list of lengths that differ", (it) => [["content-length", `${it.length}, 0`]]],
    [
      "a length of 2^64 and more",
      (it) => [["content-length", `1844674407370955161${6 + it.length}`]],
    ],
    [
      "two equal lengths",
      (it) => [
        ["content-length", `${it.length}`],
        ["content-length", `${it.length}`],
      ],
      "clean",
    ],
    [
      "a list of equal lengths",
      (it) => [["content-length", `${it.length}, ${it.length}`]],
      "clean",
    ],
    ["a length with zeros in front", (it) => [["content-length", `00${it.length}`]], "clean"],
    ["transfer_encoding", () => [["transfer_encoding", "chunked"]], "clean"],
    ["content_length", () => [["content_length", "0"]], "clean"],
    ["expect: 100-continue", () => [["expect", "100-continue"]], "clean"],
    ["no length at all", () => [], "clean"],
    ["the right length", (it) => [["content-length", `${it.length}`]], "served"],
  ] as Framed[]
).map(([name, more, verdict = "refused"]) => ({
  name: `a body that hides a request, and ${name}`,
  verdict,
  send: asked({
    changes: (place) => ({ pseudo: post, more: more(chunkedBody(place)) }),
    body: (place) => [chunkedBody(place)],
  }),
}));

const bodiless: Case[] = [
  {
    name: "a length and no body",
    verdict: "refused",
    send: asked({ changes: () => ({ pseudo: post, more: [["content-length", "5"]] }) }),
  },
  {
    name: "a GET whose body hides a request",
    verdict: "clean",
    send: asked({ changes: () => ({}), body: (place) => [hiddenIn(place)] }),
  },
  {
    name: "a HEAD whose body hides a request",
    verdict: "clean",
    send: asked({
      changes: () => ({ pseudo: { ":method": "HEAD" } }),
      body: (place) => [hiddenIn(place)],
    }),
  },
];

export const smugglingCases: readonly Case[] = [
  ...injected,
  ...lines,
  ...connectionFields,
  ...framed,
  ...bodiless,
];
