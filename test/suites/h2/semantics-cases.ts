/** RFC 9113 section 8: what a request's fields have to be, and how they come to a server of HTTP/1.1. */
import { FrameType } from "../../../src/wire/h2/frame.ts";
import { asked, type Case, type Changes, type Shape, pathOf, type Place } from "./case.ts";
import type { Field } from "./client.ts";

type Row = [name: string, changes: (place: Place) => Changes];

const refused = (rows: readonly Row[]): Case[] =>
  rows.map(([name, changes]) => ({ name, verdict: "refused", send: asked({ changes }) }));
const clean = (rows: readonly Row[]): Case[] =>
  rows.map(([name, changes]) => ({ name, verdict: "clean", send: asked({ changes }) }));

const pseudo =
  (name: string, value: string | undefined): Row[1] =>
  () => ({ pseudo: { [name]: value } });
const more =
  (...fields: Field[]): Row[1] =>
  () => ({ more: fields });

const pseudoHeaders: Case[] = [
  ...refused([
    ["no :method", pseudo(":method", undefined)],
    ["no :scheme", pseudo(":scheme", undefined)],
    ["no :path", pseudo(":path", undefined)],
    ["no :authority and no host", pseudo(":authority", undefined)],
    ["an empty :method", pseudo(":method", "")],
    ["an empty :path", pseudo(":path", "")],
    ["an empty :scheme", pseudo(":scheme", "")],
    [":method twice", more([":method", "GET"])],
    [":scheme twice", more([":scheme", "https"])],
    [":path twice", (place) => ({ more: [[":path", pathOf(place)]] })],
    [":authority twice", (place) => ({ more: [[":authority", place.host]] })],
    ["a field in front of the pseudo-headers", () => ({ before: [["x-field", "1"]] })],
    [":status in a request", more([":status", "200"])],
    ["an unknown pseudo-header", more([":unknown", "1"])],
    ["a pseudo-header without a name", more([":", "1"])],
    [":path without a slash", pseudo(":path", "a")],
    [":path * with GET", pseudo(":path", "*")],
    [":scheme that is none", pseudo(":scheme", "ht/tp")],
    [":scheme with a colon", pseudo(":scheme", "https://other.localhost/?")],
    [":scheme that begins with a digit", pseudo(":scheme", "1https")],
    [":protocol with GET", more([":protocol", "websocket"])],
    ["CONNECT with :path and :scheme, without :protocol", pseudo(":method", "CONNECT")],
    ["a host that differs from :authority", more(["host", "other.localhost"])],
    [
      "two hosts",
      (place) => ({
        more: [
          ["host", place.host],
          ["host", "other.localhost"],
        ],
      }),
    ],
    ["a name that nobody has", pseudo(":authority", "nobody-has-this.localhost")],
  ]).filter(({ name }) => name !== "a name that nobody has"),
  {
    name: "CONNECT without :authority",
    verdict: "refused",
    send: (client) => client.headers(1, [[":method", "CONNECT"]]),
  },
  {
    name: "CONNECT to port 0",
    verdict: "refused",
    send: (client, { host }) =>
      client.headers(1, [
        [":method", "CONNECT"],
        [":authority", `${host}:0`],
      ]),
  },
  ...clean([
    [
      "a host and no :authority",
      ({ host }) => ({ pseudo: { ":authority": undefined }, more: [["host", host]] }),
    ],
    ["an equal host beside :authority", ({ host }) => ({ more: [["host", host]] })],
    [":scheme http inside TLS", pseudo(":scheme", "http")],
    [":path with a fragment", (place) => ({ pseudo: { ":path": `${pathOf(place)}#a` } })],
    [":path with a backslash", (place) => ({ pseudo: { ":path": `${pathOf(place)}\\a` } })],
    [":path with a quote", (place) => ({ pseudo: { ":path": `${pathOf(place)}"` } })],
    [":path with DEL", (place) => ({ pseudo: { ":path": `${pathOf(place)}\x7f` } })],
    [
      ":path with octets over 127",
      (place) => ({ pseudo: { ":path": `${pathOf(place)}\xc3\xa9` } }),
    ],
    [
      ":path with octets that are no UTF-8",
      (place) => ({ pseudo: { ":path": `${pathOf(place)}\xc0\xaf` } }),
    ],
    [
      ":path with a whole URL",
      (place) => ({ pseudo: { ":path": `http://other.localhost${pathOf(place)}` } }),
    ],
    [":path with two slashes", (place) => ({ pseudo: { ":path": `/${pathOf(place)}` } })],
    [":path with dots", (place) => ({ pseudo: { ":path": `/..${pathOf(place)}` } })],
    ["a method that is a token and unknown", pseudo(":method", "PURGE")],
    ["a method in small letters", pseudo(":method", "get")],
  ]),
];

const names: Case[] = refused([
  ["a name in capitals", more(["X-Field", "1"])],
  ["one capital in a name", more(["x-fielD", "1"])],
  ["an empty name", more(["", "1"])],
  ["a space in a name", more(["x field", "1"])],
  ["a colon in a name", more(["x:field", "1"])],
  ["a tab in a name", more(["x\tfield", "1"])],
  ["DEL in a name", more(["x\x7ffield", "1"])],
  ["an octet over 127 in a name", more(["x\xe9field", "1"])],
  ["a bracket in a name", more(["x(field", "1"])],
  ["a quote in a name", more(['x"field', "1"])],
  ["a space in front of a value", more(["x-field", " 1"])],
  ["a tab in front of a value", more(["x-field", "\t1"])],
  ["a space behind a value", more(["x-field", "1 "])],
  ["a tab behind a value", more(["x-field", "1\t"])],
]);

const values: Case[] = clean([
  ["a control character in a value", more(["x-field", "a\x01b"])],
  ["a bell in a value", more(["x-field", "a\x07b"])],
  ["DEL in a value", more(["x-field", "a\x7fb"])],
  ["octets over 127 in a value", more(["x-field", "a\xe9b"])],
  ["an empty value", more(["x-field", ""])],
  ["a tab inside a value", more(["x-field", "a\tb"])],
]);

type Served = [name: string, shape: Shape, facts?: Partial<Case>];
const get = (changes: (place: Place) => Changes = () => ({})): Shape => ({ changes });
const posted = (body: string[], fields: Field[] = []): Shape => ({
  changes: () => ({ pseudo: { ":method": "POST" }, more: fields }),
  body: () => body,
});
const trailing = (trailers: Field[]): Shape => ({ ...posted(["hello"]), trailers: () => trailers });

const bodyIs =
  (text: string): Case["hears"] =>
  (client) =>
    client.bodyOf(1) === text
      ? undefined
      : `the body is ${JSON.stringify(client.bodyOf(1).slice(0, 80))}`;
const noBody: Case["hears"] = (client) => (client.bodyOf(1) === "" ? undefined : "a body came");
const isClean: Case["hears"] = (client) => {
  const answer = client.heard.find(
    ({ type, stream }) => type === FrameType.headers && stream === 1,
  );
  const bad = answer?.fields.find((line) =>
    /^(?:connection|keep-alive|transfer-encoding|upgrade|proxy-connection):|^:?[^:]*[A-Z][^:]*:/.test(
      line,
    ),
  );
  return bad === undefined ? undefined : `the answer has ${bad}`;
};

const served: Case[] = (
  [
    ["GET", get(), { hears: isClean, sees: /^GET \/first-/ }],
    ["HEAD", get(() => ({ pseudo: { ":method": "HEAD" } })), { hears: noBody }],
    [
      "cookies in pieces come as one field",
      get(more(["cookie", "a=1"], ["cookie", "b=2"], ["cookie", "c=3"])),
      { sees: /\r\ncookie: a=1; b=2; c=3\r\n/i },
    ],
    ["te: trailers", get(more(["te", "trailers"]))],
    [":authority becomes Host", get(), { sees: /\r\nhost: suite[-.]/i }],
    [
      "a body with its length",
      posted(["hello"], [["content-length", "5"]]),
      { hears: bodyIs("hello") },
    ],
    ["a body without a length", posted(["hello"]), { hears: bodyIs("hello") }],
    ["a body in pieces", posted(["he", "", "llo"]), { hears: bodyIs("hello") }],
    ["an empty body", posted([""]), { hears: bodyIs("") }],
    ["a length of 0", posted([""], [["content-length", "0"]])],
    ["trailers", trailing([["x-trailer", "1"]]), { hears: bodyIs("hello") }],
    ["a field of 8,000 octets", get(more(["x-field", "a".repeat(8_000)])), { sees: /a{8000}/ }],
    [
      "50 fields",
      get(more(...Array.from({ length: 50 }, (_, i): Field => [`x-field-${i}`, `${i}`]))),
    ],
    [
      "a query",
      get((place) => ({ pseudo: { ":path": `${pathOf(place)}?a=b&c=%20` } })),
      { sees: /\?a=b&c=%20 HTTP/ },
    ],
    [
      "a port in :authority",
      get((place) => ({ pseudo: { ":authority": `${place.host}:8443` } })),
      { verdict: "clean" },
    ],
    [
      "OPTIONS *",
      get(() => ({ pseudo: { ":method": "OPTIONS", ":path": "*" } })),
      { verdict: "clean" },
    ],
    [
      "expect: 100-continue",
      posted(["hello"], [["expect", "100-continue"]]),
      { hears: bodyIs("hello") },
    ],
    ["priority", get(more(["priority", "u=1, i"]))],
  ] as Served[]
).map(([name, shape, facts = {}]) => ({ name, verdict: "served", send: asked(shape), ...facts }));

const trailerCases: Case[] = (
  [
    ["a pseudo-header in trailers", [[":path", "/"]], "refused"],
    ["a name in capitals in trailers", [["X-Trailer", "1"]], "refused"],
    ["CRLF in a trailer", [["x-trailer", "1\r\nx: y"]], "refused"],
    ["connection in trailers", [["connection", "close"]], "refused"],
    ["transfer-encoding in trailers", [["transfer-encoding", "chunked"]], "refused"],
    ["content-length in trailers", [["content-length", "0"]], "clean"],
    ["host in trailers", [["host", "other.localhost"]], "clean"],
    ["authorization in trailers", [["authorization", "Basic eA=="]], "clean"],
  ] as [string, Field[], Case["verdict"]][]
).map(([name, trailers, verdict]) => ({ name, verdict, send: asked(trailing(trailers)) }));

export const semanticsCases: readonly Case[] = [
  ...pseudoHeaders,
  ...names,
  ...values,
  ...served,
  ...trailerCases,
];
