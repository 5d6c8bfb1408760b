/** Hosts, field lines and heads of every size, and what has to become of them. RFC 9112 section 5, RFC 9110 sections 5 and 7. */
import {
  answered,
  cases,
  forwarded,
  get,
  head,
  host,
  named,
  type RequestCase,
  refused,
} from "./request-case.ts";

function hosted(value: string): string {
  return head("GET /x HTTP/1.1", `Host: ${value}`);
}

const ok = forwarded("GET /x");

const hosts = cases("RFC 9112 section 3.2 and RFC 9110 section 7.2", [
  ["a name", hosted("api.localhost"), ok],
  [
    "a port",
    hosted("api.localhost:9090"),
    { ...ok, has: ["Host: api.localhost:9090", "X-Forwarded-Port: 9090"] },
  ],
  ["an empty port", hosted("api.localhost:"), { ...ok, has: ["Host: api.localhost:"] }],
  ["capitals", hosted("API.LocalHost"), { ...ok, has: ["Host: API.LocalHost"] }],
  ["a final dot", hosted("api.localhost."), { ...ok, has: ["Host: api.localhost."] }],
  [
    "a name under the name",
    hosted("x.y.api.localhost"),
    { ...ok, has: ["Host: x.y.api.localhost"] },
  ],
  ["a bare name, without a proxy's URL", hosted("api"), refused(421)],
  ["a bare name that nobody has", hosted("nosuch"), refused(421)],
  [
    "no space before the value",
    head("GET /x HTTP/1.1", "Host:api.localhost"),
    { ...ok, has: ["Host: api.localhost"] },
  ],
  [
    "the field in small letters",
    head("GET /x HTTP/1.1", "hOST: api.localhost"),
    { ...ok, has: ["hOST: api.localhost"] },
  ],
  ["behind other fields", head("GET /x HTTP/1.1", "X: y", host), ok],
  ["none", head("GET /x HTTP/1.1"), refused()],
  ["none, but another field", head("GET /x HTTP/1.1", "X: api.localhost"), refused()],
  ["none in HTTP/1.0", head("GET /x HTTP/1.0"), refused()],
  ["empty", hosted(""), refused()],
  ["white space", hosted("  \t"), refused()],
  ["two that are equal", head("GET /x HTTP/1.1", host, host), refused()],
  ["two that differ", head("GET /x HTTP/1.1", host, "Host: evil.example"), refused()],
  ["two in different letters", head("GET /x HTTP/1.1", host, "hOST: evil.example"), refused()],
  ["two, the first empty", head("GET /x HTTP/1.1", "Host:", host), refused()],
  ["two in HTTP/1.0", head("GET /x HTTP/1.0", host, host), refused()],
  ["two names", hosted("api.localhost evil.example"), refused()],
  ["two names with a comma", hosted("api.localhost, evil.example"), refused()],
  ["two names with a comma and no space", hosted("api.localhost,evil.localhost"), refused(421)],
  ["a user", hosted("user@api.localhost"), refused()],
  ["a user with a password", hosted("evil.example:80@api.localhost"), refused()],
  ["a scheme", hosted("http://api.localhost"), refused()],
  ["a path", hosted("api.localhost/x"), refused()],
  ["a query", hosted("api.localhost?x"), refused()],
  ["a fragment", hosted("api.localhost#x"), refused()],
  ["a backslash", hosted("api.localhost\\x"), refused()],
  ["a percent sign", hosted("ap%69.localhost"), refused()],
  ["a quotation mark", hosted('"api.localhost"'), refused()],
  ["a letter above 127", hosted("\xe4pi.localhost"), refused()],
  ["NUL", hosted("api\x00.localhost"), refused()],
  ["a tab", hosted("api\t.localhost"), refused()],
  ["a port that is none", hosted("api.localhost:http"), refused()],
  ["a port with a sign", hosted("api.localhost:+80"), refused()],
  ["a port with a space", hosted("api.localhost: 80"), refused()],
  ["a port above 65535", hosted("api.localhost:65536"), refused()],
  ["two ports", hosted("api.localhost:80:80"), refused()],
  ["a port alone", hosted(":80"), refused()],
  ["an open bracket", hosted("[::1"), refused()],
  ["octets behind the bracket", hosted("[::1]x"), refused()],
  ["a zone in an IPv6 address", hosted("[fe80::1%25eth0]"), refused()],
  ["a name of 300 letters", hosted(`${"a".repeat(300)}.localhost`), refused()],
  ["a folded Host", head("GET /x HTTP/1.1", "Host:", " api.localhost"), refused()],
  ["a space before the colon", head("GET /x HTTP/1.1", "Host : api.localhost"), refused()],
  ["a name of the world", hosted("evil.example"), refused(421)],
  ["a name that ends like ours", hosted("evil-localhost"), refused(421)],
  ["localhost in front of a name of the world", hosted("localhost.evil.example"), refused(421)],
  ["a name under localhost of the world", hosted("api.localhost.evil.example"), refused(421)],
  ["an address of a network", hosted("192.168.1.10"), refused(421)],
  ["an IPv6 address of a network", hosted("[fe80::1]"), refused(421)],
  ["loopback as one number", hosted("2130706433"), refused(421)],
  ["loopback as a hexadecimal number", hosted("0x7f000001"), refused(421)],
  ["two final dots", hosted("api.localhost.."), refused(421)],
  ["a dot in front", hosted(".api.localhost"), refused(421)],
  ["two dots in a row", hosted("x..api.localhost"), refused(421)],
  ["a dash in front", hosted("-api.localhost"), refused(421)],
  ["a name that nobody has", hosted("nosuch.localhost"), refused(404)],
  ["localhost", hosted("localhost"), answered(404)],
  ["loopback", hosted("127.0.0.1:9090"), answered(404)],
  ["IPv6 loopback", hosted("[::1]:9090"), answered(404)],
]);

const names = cases("RFC 9112 section 5.1 and RFC 9110 section 5.1", [
  [
    "a name of every tchar",
    get("!#$%&'*+-.^_`|~9z: y"),
    { ...ok, has: [host, "!#$%&'*+-.^_`|~9z: y"] },
  ],
  ["a space before the colon", get("X-Foo : y"), refused()],
  ["a tab before the colon", get("X-Foo\t: y"), refused()],
  ["no name", get(": y"), refused()],
  ["no colon", get("X-Foo"), refused()],
  ["a space", get("X Foo: y"), refused()],
  ["a letter above 127", get("X-F\xf6o: y"), refused()],
  ["NUL", get("X\x00Foo: y"), refused()],
  ["a control character", get("X\x01Foo: y"), refused()],
  ["DEL", get("X\x7fFoo: y"), refused()],
  ["a bracket", get("X(Foo: y"), refused()],
  ["a slash", get("X/Foo: y"), refused()],
  ["a quotation mark", get('"X-Foo": y'), refused()],
  ["a request line", get("GET /y HTTP/1.1"), refused()],
]);

const values = cases("RFC 9110 section 5.5", [
  ["empty", get("X:"), { ...ok, has: ["X:"] }],
  ["white space at both ends", get("X:  \t y \t"), { ...ok, has: ["X: y"] }],
  ["a tab", get("X: a\tb"), { ...ok, has: ["X: a\tb"] }],
  ["octets above 127", get("X: \xc3\xa9\xff\x80"), { ...ok, has: ["X: \xc3\xa9\xff\x80"] }],
  ["a colon", get("X: a:b: c"), { ...ok, has: ["X: a:b: c"] }],
  [
    "order, case and repeats stay",
    get("b: 1", "A: 2", "B: 3"),
    { ...ok, has: [host, "b: 1", "A: 2", "B: 3"] },
  ],
  ["NUL", get("X: a\x00b"), refused()],
  ["a bare CR", get("X: a\rb"), refused()],
  ["a bare CR at the end", get("X: a\r"), refused()],
  ["a bare LF", get("X: a\nY: b"), refused()],
  ["DEL", get("X: a\x7fb"), refused()],
  ["a vertical tab", get("X: a\x0bb"), refused()],
  ["an escape", get("X: \x1b[31m"), refused()],
  ["a bell", get("X: \x07"), refused()],
  ["a folded value", get("X: a", " b"), refused()],
  ["a value folded by a tab", get("X: a", "\tb"), refused()],
  ["a fold of white space alone", get("X: a", " "), refused()],
]);

const hops = cases("RFC 9110 section 7.6.1", [
  [
    "Connection nominates a field",
    get("Connection: X-Foo", "X-Foo: 1", "X-Bar: 2"),
    { ...ok, has: [host, "X-Bar: 2"], lacks: ["x-foo", "connection"] },
  ],
  [
    "Connection nominates a field before it",
    get("X-Foo: 1", "Connection: x-fOO"),
    { ...ok, lacks: ["x-foo", "connection"] },
  ],
  [
    "two Connections nominate",
    get("Connection: X-Foo", "Connection: ,X-Bar ,", "X-Foo: 1", "X-Bar: 2"),
    { ...ok, lacks: ["x-foo", "x-bar", "connection"] },
  ],
  ["Connection nominates Host", get("Connection: Host"), { ...ok, lacks: ["connection"] }],
  [
    "Connection nominates Host and closes",
    get("Connection: close, host"),
    { ...ok, lacks: ["connection"], last: true },
  ],
  [
    "Connection nominates our own fields",
    get("Connection: X-Forwarded-For, Via"),
    { ...ok, has: [host, "X-Forwarded-For: 127.0.0.1"], lacks: ["connection"] },
  ],
  ["Connection closes", get("Connection: close"), { ...ok, lacks: ["connection"], last: true }],
  [
    "Connection closes in capitals",
    get("Connection: CLOSE"),
    { ...ok, lacks: ["connection"], last: true },
  ],
  [
    "Connection closes and keeps alive",
    get("Connection: keep-alive, close"),
    { ...ok, lacks: ["connection"], last: true },
  ],
  [
    "Connection keeps alive",
    get("Connection: keep-alive", "Keep-Alive: timeout=5"),
    { ...ok, lacks: ["connection", "keep-alive"] },
  ],
  ["Connection is empty", get("Connection:"), { ...ok, lacks: ["connection"] }],
  ["TE", get("TE: trailers", "Connection: TE"), { ...ok, lacks: ["te", "connection"] }],
  [
    "the proxy's own fields",
    get("Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eDp5"),
    { ...ok, lacks: ["proxy-connection", "proxy-authorization"] },
  ],
  [
    "an upgrade",
    get("Connection: Upgrade", "Upgrade: websocket"),
    { ...ok, has: [host, "Upgrade: websocket", "Connection: Upgrade"] },
  ],
  [
    "an upgrade that Connection does not name",
    get("Upgrade: websocket"),
    { ...ok, lacks: ["upgrade", "connection"] },
  ],
  [
    "an upgrade to HTTP/2",
    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    { ...ok, lacks: ["upgrade", "http2-settings", "connection"] },
  ],
  [
    "an upgrade to HTTP/2 among others",
    get("Connection: Upgrade", "Upgrade: websocket, h2c"),
    { ...ok, lacks: ["upgrade", "connection"] },
  ],
  [
    "an upgrade to HTTP/2 in a line of its own",
    get("Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"),
    { ...ok, lacks: ["upgrade", "connection"] },
  ],
  [
    "an upgrade in HTTP/1.0",
    head("GET /x HTTP/1.0", host, "Connection: Upgrade", "Upgrade: websocket"),
    { ...ok, lacks: ["upgrade", "connection"], last: true },
  ],
  [
    "Expect",
    `${get("Expect: 100-continue", "Content-Length: 2")}hi`,
    { ...ok, has: [host, "Expect: 100-continue"], framing: "length", body: "hi" },
  ],
  [
    "Expect in HTTP/1.0",
    `${head("GET /x HTTP/1.0", host, "Expect: 100-continue", "Content-Length: 2")}hi`,
    { ...ok, lacks: ["expect"], framing: "length", body: "hi", last: true },
  ],
]);

const ours = [
  "X-Forwarded-For: 127.0.0.1",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: api.localhost",
  "X-Forwarded-Port: 80",
];

const spoofs = cases("X-Forwarded-* are ours", [
  ["our fields are there", get(), { ...ok, has: [host, ...ours] }],
  [
    "their fields are not",
    get(
      "X-Forwarded-For: 10.0.0.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil.example",
      "X-Forwarded-Port: 1",
    ),
    { ...ok, has: [host, ...ours] },
  ],
  [
    "nor in other letters",
    get("x-fORWARDED-for: 10.0.0.1", "X-FORWARDED-HOST: evil.example"),
    { ...ok, has: [host, ...ours] },
  ],
  [
    "nor underscore twins",
    get("X_Forwarded_For: 10.0.0.1", "X-Forwarded_Host: evil.example", "x_forwarded-proto: https"),
    {
      ...ok,
      has: [host, ...ours],
      lacks: ["x_forwarded_for", "x-forwarded_host", "x_forwarded-proto"],
    },
  ],
  [
    "nor Forwarded",
    get("Forwarded: for=10.0.0.1;host=evil.example"),
    { ...ok, has: [host, ...ours], lacks: ["forwarded"] },
  ],
  [
    "another proxy's Via stays",
    get("Via: 1.0 fred"),
    { ...ok, has: ["Via: 1.0 fred", "Via: 1.1 api.0123abcd.localhostess"] },
  ],
  ["our Via is a loop", get("Via: 1.1 api.0123abcd.localhostess"), refused(508)],
  [
    "our Via among others is a loop",
    get("Via: 1.0 fred, 1.1 api.0123abcd.localhostess (x), 1.1 z"),
    refused(508),
  ],
]);

const limit = 65_536;

/** A head of exactly this many octets. */
function sized(octets: number): string {
  return get(`X: ${"x".repeat(octets - get("X: ").length)}`);
}

const tiny = Math.floor((limit - get().length) / 4);

const sizes = cases("64 KiB of head", [
  [
    "30 KiB of cookies",
    get(`Cookie: ${"a=b; ".repeat(6_000)}c=d`),
    { ...ok, has: [`Cookie: ${"a=b; ".repeat(6_000)}c=d`] },
  ],
  ["64 KiB exactly", sized(limit), ok],
  ["one octet more", sized(limit + 1), refused(431)],
  ["twice as much", sized(2 * limit), refused(431)],
  ["16,000 tiny fields", get(...Array.from({ length: tiny }, () => "a:")), ok],
  [
    "16,000 tiny fields and one more",
    get(...Array.from({ length: tiny + 1 }, () => "a:")),
    refused(431),
  ],
  [
    "a target of 60 KiB",
    head(`GET /${"x".repeat(60_000)} HTTP/1.1`, host),
    forwarded(`GET /${"x".repeat(60_000)}`),
  ],
  [
    "a target of 60 KiB to be percent-encoded",
    head(`GET /${"|".repeat(60_000)} HTTP/1.1`, host),
    forwarded(`GET /${"%7C".repeat(60_000)}`),
  ],
  ["a target of 70 KiB", head(`GET /${"x".repeat(70_000)} HTTP/1.1`, host), refused(414)],
  ["a query of 70 KiB", head(`GET /?${"x".repeat(70_000)} HTTP/1.1`, host), refused(414)],
  ["a method of 70 KiB", head(`${"X".repeat(70_000)} / HTTP/1.1`, host), refused()],
  ["a method of 100,000 octets", head(`${"X".repeat(100_000)} / HTTP/1.1`, host), refused()],
  ["a method without end", "X".repeat(100_000), refused()],
  ["a field name of 70 KiB", get(`${"X".repeat(70_000)}: y`), refused(431)],
  ["70 KiB of empty lines", `${"\r\n".repeat(35_000)}${get()}`, refused(431)],
]);

export const fieldCases: readonly RequestCase[] = [
  ...named("Host", hosts),
  ...named("name", names),
  ...named("value", values),
  ...named("hop", hops),
  ...named("spoof", spoofs),
  ...named("size", sizes),
];
