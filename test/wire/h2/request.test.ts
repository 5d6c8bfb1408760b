import { describe, expect, test } from "bun:test";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { h2Field } from "../../../src/wire/h2/field.ts";
import { RequestWriter, TrailerWriter } from "../../../src/wire/h2/request.ts";

type Fields = [name: string, value: string][];

function range(text: string) {
  const bytes = Buffer.from(text, "latin1");
  return { bytes, start: 0, end: bytes.length };
}

/** The head in HTTP/1.1, or `malformed`. */
function head(fields: Fields, { ended = true, secured = true } = {}): string {
  const out = new HeadWriter(16);
  const request = new RequestWriter(out);
  request.secured = secured;
  request.begin();
  for (const [name, value] of fields) request.field(h2Field(range(name), range(value)));
  request.finish({ ended, key: () => "a2V5" });
  if (request.malformed !== undefined) return "malformed";
  return Buffer.from(out.bytes.subarray(0, out.length)).toString("latin1");
}

const pseudo: Fields = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "api.localhost"],
  [":path", "/a?b"],
];

function but(name: string, value: string | undefined): Fields {
  return pseudo.flatMap(([key, old]): Fields => {
    if (key !== name) return [[key, old]];
    return value === undefined ? [] : [[key, value]];
  });
}

const webSocket: Fields = [[":method", "CONNECT"], [":protocol", "websocket"], ...pseudo.slice(1)];

function webSocketBut(name: string, value: string): Fields {
  return webSocket.map(([key, old]) => [key, key === name ? value : old]);
}

const start = "GET /a?b HTTP/1.1\r\nHost: api.localhost\r\n";

describe("requests", () => {
  test("fields in order, crumbs joined behind them", () => {
    const fields: Fields = [
      ...pseudo,
      ["cookie", "a=1"],
      ["accept", "*/*"],
      ["cookie", "b=2"],
      ["x-empty", ""],
      ["te", "trailers"],
      ["x-latin", "\xe9"],
    ];
    expect(head(fields)).toBe(
      `${start}accept: */*\r\nx-empty: \r\nte: trailers\r\nx-latin: \xe9\r\ncookie: a=1; b=2\r\n\r\n`,
    );
  });

  test("bodies: none, of a length, of none that is known", () => {
    expect(head(pseudo)).toBe(`${start}\r\n`);
    const length: Fields = [...pseudo, ["content-length", "5"]];
    expect(head(length, { ended: false })).toBe(`${start}content-length: 5\r\n\r\n`);
    expect(head(pseudo, { ended: false })).toBe(`${start}Transfer-Encoding: chunked\r\n\r\n`);
    expect(head(length)).toBe("malformed");
    expect(head([...pseudo, ["content-length", "0"]])).toBe(`${start}content-length: 0\r\n\r\n`);
  });

  test("a length may begin with any number of zeros", () => {
    const length = `${"0".repeat(30)}5`;
    expect(head([...pseudo, ["content-length", length]], { ended: false })).toBe(
      `${start}content-length: ${length}\r\n\r\n`,
    );
    expect(head([...pseudo, ["content-length", "00"]])).toBe(`${start}content-length: 00\r\n\r\n`);
  });

  test.each(["HTTPS", "a", "coap+tcp", "x-1.2"])("the scheme may be %s", (scheme) => {
    expect(head(but(":scheme", scheme))).toBe(`${start}\r\n`);
  });

  test("http inside TLS is asked of a proxy, and without TLS of the server itself", () => {
    const url = "GET http://api.localhost/a?b HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
    for (const scheme of ["http", "HTTP"]) {
      expect(head(but(":scheme", scheme))).toBe(url);
      expect(head(but(":scheme", scheme), { secured: false })).toBe(`${start}\r\n`);
    }
    expect(head(but(":scheme", "https"), { secured: false })).toBe(`${start}\r\n`);
    const whole: Fields = [...but(":scheme", "http").slice(1, 3), [":path", "*"]];
    expect(head([[":method", "OPTIONS"], ...whole])).toBe(
      "OPTIONS http://api.localhost HTTP/1.1\r\nHost: api.localhost\r\n\r\n",
    );
  });

  test("Host stands in for :authority, or agrees with it", () => {
    const host: Fields = [["host", "API.localhost"]];
    expect(head([...pseudo, ...host])).toBe(`${start}\r\n`);
    expect(head([...but(":authority", undefined), ...host])).toBe(
      "GET /a?b HTTP/1.1\r\nhost: API.localhost\r\n\r\n",
    );
    expect(head([...pseudo, ["host", "web.localhost"]])).toBe("malformed");
    expect(head([...pseudo, ...host, ...host])).toBe("malformed");
  });

  test("OPTIONS may ask for *, and CONNECT for an authority alone", () => {
    const options = but(":path", "*").map(([name, value]): [string, string] => [
      name,
      name === ":method" ? "OPTIONS" : value,
    ]);
    expect(head(options)).toStartWith("OPTIONS * HTTP/1.1\r\n");
    const connect: Fields = [
      [":method", "CONNECT"],
      [":authority", "api:1"],
    ];
    expect(head(connect)).toBe("CONNECT api:1 HTTP/1.1\r\nHost: api:1\r\n\r\n");
    expect(head([...connect, [":path", "/"]])).toBe("malformed");
  });
});

describe("malformed requests", () => {
  const cases: [string, Fields][] = [
    ["no method", but(":method", undefined)],
    ["an empty method", but(":method", "")],
    ["a method with a space", but(":method", "GET /x HTTP/1.1")],
    ["no scheme", but(":scheme", undefined)],
    ...["", "1http", "+http", "ht tp", "http:", "https://", "ht_tp", "h\xe9", "http/1.1"].map(
      (scheme): [string, Fields] => [`the scheme "${scheme}"`, but(":scheme", scheme)],
    ),
    ["no path", but(":path", undefined)],
    ["an empty path", but(":path", "")],
    ["a path that is a URL", but(":path", "http://web.localhost/")],
    ["a path that is an authority", but(":path", "web.localhost:1")],
    ["a path with a space", but(":path", "/ HTTP/1.1")],
    ["a path with CR LF", but(":path", "/\r\nx: y")],
    ["GET *", but(":path", "*")],
    ["an authority with CR LF", but(":authority", "a\r\nx: y")],
    ["a pseudo-header field twice", [...pseudo, [":path", "/"]]],
    ["a pseudo-header field behind another", [["accept", "x"], ...pseudo]],
    ["an unknown pseudo-header field", [...pseudo, [":protocols", "websocket"]]],
    ["a protocol for GET", [...pseudo, [":protocol", "websocket"]]],
    ...[":scheme", ":authority", ":path"].map((name): [string, Fields] => [
      `CONNECT for a protocol without ${name}`,
      webSocket.filter(([key]) => key !== name),
    ]),
    ["a protocol twice", [...webSocket, [":protocol", "websocket"]]],
    ["a protocol without a name", webSocketBut(":protocol", "")],
    ["a protocol with a line of its own", webSocketBut(":protocol", "websocket\r\nX: y")],
    ["two protocols", webSocketBut(":protocol", "websocket, h2c")],
    ["a length for a protocol's bytes", [...webSocket, ["content-length", "0"]]],
    ["a protocol with Upgrade", [...webSocket, ["upgrade", "websocket"]]],
    ["a status", [...pseudo, [":status", "200"]]],
    ["a capital in a name", [...pseudo, ["Accept", "x"]]],
    ["an empty name", [...pseudo, ["", "x"]]],
    ["a space in a name", [...pseudo, ["a b", "x"]]],
    ["a colon in a name", [...pseudo, ["a:b", "x"]]],
    ["CR LF in a name", [...pseudo, ["a\r\nb", "x"]]],
    ["CR in a value", [...pseudo, ["a", "x\ry"]]],
    ["LF in a value", [...pseudo, ["a", "x\ny"]]],
    ["NUL in a value", [...pseudo, ["a", "x\0y"]]],
    ["a space before a value", [...pseudo, ["a", " x"]]],
    ["a space behind a value", [...pseudo, ["a", "x\t"]]],
    ["LF in a cookie", [...pseudo, ["cookie", "a\nb"]]],
    ["two lengths", [...pseudo, ["content-length", "0"], ["content-length", "0"]]],
    ["a length that is no number", [...pseudo, ["content-length", "+1"]]],
    ["an empty length", [...pseudo, ["content-length", ""]]],
    ["a length of twenty digits", [...pseudo, ["content-length", "1".repeat(20)]]],
    [
      "a length of zeros and sixteen digits",
      [...pseudo, ["content-length", `00${"1".repeat(16)}`]],
    ],
    ["TE: gzip", [...pseudo, ["te", "gzip"]]],
    ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map(
      (name): [string, Fields] => [name, [...pseudo, [name, "x"]]],
    ),
  ];
  test.each(cases)("%s", (_, fields) => {
    expect(head(fields)).toBe("malformed");
  });
});

describe("an extended CONNECT is the upgrade that HTTP/1.1 has: RFC 8441", () => {
  const upgrade = (name: string): string => `${start}Connection: Upgrade\r\nUpgrade: ${name}\r\n`;
  const version: Fields[number] = ["sec-websocket-version", "13"];

  test("with a key of ours in the place of the client's, whatever follows", () => {
    const fields: Fields = [
      ...webSocket,
      ["sec-websocket-key", "Zm9y"],
      version,
      ["cookie", "a=1"],
    ];
    const wanted = `${upgrade("websocket")}sec-websocket-version: 13\r\ncookie: a=1\r\nSec-WebSocket-Key: a2V5\r\n\r\n`;
    for (const ended of [false, true]) expect(head(fields, { ended })).toBe(wanted);
  });

  test("with the protocol's name in lower case", () => {
    expect(head(webSocketBut(":protocol", "WebSocket"))).toStartWith(upgrade("websocket"));
    expect(head(webSocketBut(":protocol", "connect-udp"))).toStartWith(upgrade("connect-udp"));
  });

  test("any other request keeps the client's key", () => {
    const fields: Fields = [...pseudo, ["sec-websocket-key", "Zm9y"]];
    expect(head(fields)).toBe(`${start}sec-websocket-key: Zm9y\r\n\r\n`);
  });
});

test("trailers are lines, without pseudo-header fields and those of a connection", () => {
  const lines = (fields: Fields): string | undefined => {
    const out = new HeadWriter(16);
    const trailer = new TrailerWriter(out);
    trailer.begin();
    for (const [name, value] of fields) trailer.field(h2Field(range(name), range(value)));
    return trailer.malformed === undefined
      ? Buffer.from(out.bytes.subarray(0, out.length)).toString()
      : undefined;
  };
  expect(
    lines([
      ["x-sum", "1"],
      ["y", "2"],
    ]),
  ).toBe("x-sum: 1\r\ny: 2\r\n");
  for (const name of [":path", ":x", "connection", "X", "a b"]) {
    expect(lines([[name, "1"]])).toBeUndefined();
  }
  expect(lines([["x", "1\r\n"]])).toBeUndefined();
});
