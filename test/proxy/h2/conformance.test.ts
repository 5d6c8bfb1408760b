/** RFC 9113, section by section, and RFC 7541: each frame that a client may or may not send has one outcome. */
import { afterAll, describe, expect, test } from "bun:test";
import { ErrorCode, Flag, FrameType, preface } from "../../../src/wire/h2/frame.ts";
import { eventually } from "../../support/eventually.ts";
import { H2Frames } from "../../support/h2-frames.ts";
import { echo, RawServer } from "../../support/raw-server.ts";

const upstream = new RawServer({
  answer: (request, connection) => {
    if (request.target === "/never") return;
    if (request.target === "/large") {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${"x".repeat(100_000)}`);
    } else connection.send(echo(request));
  },
});
afterAll(() => upstream.stop());

const {
  protocolError,
  flowControlError,
  streamClosed,
  frameSizeError,
  refusedStream,
  compressionError,
} = ErrorCode;
const { data, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate } =
  FrameType;
const { continuation } = FrameType;
const { endStream, endHeaders, padded, ack } = Flag;
const priorityFlag = Flag.priority;

type Act = (client: H2Frames) => void | Promise<void>;

const uint32 = (value: number): number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const setting = (id: number, value: number): number[] => [0, id, ...uint32(value)];

const get: [string, string][] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "api.localhost"],
  [":path", "/"],
];
const without = (name: string): [string, string][] => get.filter(([field]) => field !== name);
const section = (client: H2Frames, fields: [string, string][], stream = 1): void =>
  client.frame(headers, {
    flags: endHeaders | endStream,
    stream,
    payload: client.block(fields),
  });
const open = (client: H2Frames, path = "/never"): void =>
  client.request(1, { method: "POST", path, ended: false });
/** Stream 1, from its request to the end of its answer. */
const closed = async (client: H2Frames): Promise<void> => {
  client.request(1);
  await client.finished(1);
};

function greeted(): H2Frames {
  return new H2Frames({ api: upstream }).greet();
}

/** The session sends GOAWAY with the code and ends, with every stream. */
function endsSession(cases: [string, number, Act][]): void {
  test.each(cases)("%s ends the session", async (_, code, act) => {
    const client = greeted();
    await act(client);
    expect(await client.goAwayCode()).toBe(code);
    expect(client.ended).toBe(true);
    expect(client.session.streams).toBe(0);
    expect(client.shared.faults).toEqual([]);
  });
}

function endsStream(cases: [string, number, Act][]): void {
  test.each(cases)("%s ends stream 1 alone", async (_, code, act) => {
    const client = greeted();
    await act(client);
    expect(await client.resetCode(1)).toBe(code);
    await serves(client);
  });
}

function isTaken(cases: [string, Act][]): void {
  test.each(cases)("%s is taken", async (_, act) => {
    const client = greeted();
    await act(client);
    await serves(client);
  });
}

/** The next request is answered. */
async function serves(client: H2Frames): Promise<void> {
  client.request(101);
  await client.finished(101);
  expect(client.bodyOf(101).toString()).toBe("GET /");
  expect(client.heard.some(({ type }) => type === goAway)).toBe(false);
  expect(client.shared.faults).toEqual([]);
  client.abort();
}

describe("3.4 the preface", () => {
  test("SETTINGS come first from us too, and before a word of the client's", async () => {
    const client = new H2Frames({});
    client.send(preface);
    expect(client.heard.map(({ type }) => type)).toContain(settings);
    expect(client.heard[0]!.type).toBe(settings);
  });
  test.each([
    ["one octet is another", Uint8Array.from(preface, (octet, at) => (at === 20 ? 0 : octet))],
    ["HTTP/1.1", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n")],
  ])("%s: the session ends", async (_, bytes) => {
    const client = new H2Frames({});
    client.send(bytes);
    expect(await client.goAwayCode()).toBe(protocolError);
    expect(client.ended).toBe(true);
  });
  test("a first frame that is no SETTINGS: the session ends", async () => {
    const client = new H2Frames({});
    client.send(preface);
    client.frame(ping, { stream: 0, payload: new Uint8Array(8) });
    expect(await client.goAwayCode()).toBe(protocolError);
  });
});

describe("4.1 and 5.5 frames", () => {
  isTaken([
    ["an unknown type", (c) => c.frame(0x16, { stream: 0, payload: [1, 2, 3] })],
    ["an unknown type on a stream that is idle", (c) => c.frame(0x16, { stream: 77 })],
    [
      "flags that say nothing",
      (c) => c.frame(ping, { stream: 0, flags: 0xfe, payload: uint32(0).concat(uint32(0)) }),
    ],
    [
      "the reserved bit",
      (c) => c.frame(ping, { stream: 0x8000_0000, payload: uint32(0).concat(uint32(0)) }),
    ],
  ]);
  test("an unknown frame within a section ends the session", async () => {
    const client = greeted();
    client.frame(headers, { payload: client.block(get) });
    client.frame(0x16, {});
    expect(await client.goAwayCode()).toBe(protocolError);
  });
});

describe("4.2 sizes", () => {
  isTaken([
    [
      "DATA of 2^14",
      (c) => {
        open(c);
        c.frame(data, { payload: new Uint8Array(16_384) });
      },
    ],
  ]);
  endsSession([
    [
      "DATA of 2^14 and 1",
      frameSizeError,
      (c) => {
        open(c);
        c.frame(data, { payload: new Uint8Array(16_385) });
      },
    ],
    [
      "HEADERS of 2^14 and 1",
      frameSizeError,
      (c) => c.frame(headers, { payload: new Uint8Array(16_385) }),
    ],
  ]);
});

describe("4.3 sections", () => {
  endsSession([
    [
      "what is no section",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0xff, 0xff] }),
    ],
    [
      "PRIORITY within one",
      protocolError,
      (c) => {
        c.frame(headers, { payload: c.block(get) });
        c.frame(priority, { payload: new Uint8Array(5) });
      },
    ],
    [
      "another stream's HEADERS within one",
      protocolError,
      (c) => {
        c.frame(headers, { payload: c.block(get) });
        c.request(3);
      },
    ],
    [
      "another stream's CONTINUATION",
      protocolError,
      (c) => {
        c.frame(headers, { payload: c.block(get) });
        c.frame(continuation, { stream: 3, flags: endHeaders });
      },
    ],
  ]);
});

describe("5.1 states of a stream", () => {
  describe("idle", () => {
    endsSession([
      ["DATA", protocolError, (c) => c.frame(data, { payload: [1] })],
      ["RST_STREAM", protocolError, (c) => c.frame(resetStream, { payload: uint32(8) })],
      ["WINDOW_UPDATE", protocolError, (c) => c.frame(windowUpdate, { payload: uint32(1) })],
      ["CONTINUATION", protocolError, (c) => c.frame(continuation, { flags: endHeaders })],
    ]);
    isTaken([["PRIORITY", (c) => c.frame(priority, { payload: new Uint8Array(5) })]]);
  });
  describe("half-closed, by the client", () => {
    const half: Act = (c) => c.request(1, { path: "/never" });
    endsStream([
      [
        "DATA",
        streamClosed,
        (c) => {
          void half(c);
          c.frame(data, { payload: [1] });
        },
      ],
      [
        "HEADERS",
        streamClosed,
        (c) => {
          void half(c);
          section(c, [["x", "y"]]);
        },
      ],
    ]);
    endsSession([
      [
        "CONTINUATION",
        protocolError,
        (c) => {
          void half(c);
          c.frame(continuation, { flags: endHeaders });
        },
      ],
    ]);
    isTaken([
      [
        "WINDOW_UPDATE",
        (c) => {
          void half(c);
          c.frame(windowUpdate, { payload: uint32(1) });
        },
      ],
      [
        "PRIORITY",
        (c) => {
          void half(c);
          c.frame(priority, { payload: new Uint8Array(5) });
        },
      ],
      [
        "RST_STREAM",
        (c) => {
          void half(c);
          c.frame(resetStream, { payload: uint32(8) });
        },
      ],
    ]);
  });
  describe("closed", () => {
    endsSession([
      [
        "DATA",
        streamClosed,
        async (c) => {
          await closed(c);
          c.frame(data, { payload: [1] });
        },
      ],
      [
        "HEADERS",
        protocolError,
        async (c) => {
          await closed(c);
          c.request(1);
        },
      ],
      [
        "CONTINUATION",
        protocolError,
        async (c) => {
          await closed(c);
          c.frame(continuation, { flags: endHeaders });
        },
      ],
      [
        "DATA behind its own RST_STREAM",
        streamClosed,
        (c) => {
          open(c);
          c.frame(resetStream, { payload: uint32(8) });
          c.frame(data, { payload: [1] });
        },
      ],
      [
        "HEADERS behind its own RST_STREAM",
        protocolError,
        (c) => {
          open(c);
          c.frame(resetStream, { payload: uint32(8) });
          section(c, [["x", "y"]]);
        },
      ],
    ]);
    isTaken([
      [
        "PRIORITY, WINDOW_UPDATE and RST_STREAM",
        async (c) => {
          await closed(c);
          c.frame(priority, { payload: new Uint8Array(5) });
          c.frame(windowUpdate, { payload: uint32(1) });
          c.frame(resetStream, { payload: uint32(8) });
        },
      ],
      [
        "what was on its way when we cut the stream short",
        async (c) => {
          c.request(1, { method: "POST", authority: "web.localhost", ended: false });
          await c.finished(1);
          c.shared.now = 2;
          c.session.tick();
          expect(await c.resetCode(1)).toBe(ErrorCode.noError);
          c.frame(data, { payload: [1, 2] });
          section(c, [["x-trailer", "y"]]);
        },
      ],
    ]);
    test("2,000 streams that we cut short and that go on are taken, and cost their windows back", async () => {
      const client = greeted();
      client.frame(windowUpdate, { stream: 0, payload: uint32(10_000_000) });
      for (let stream = 1; stream < 4_000; stream += 2) {
        client.request(stream, { method: "POST", authority: "web.localhost", ended: false });
        client.heard.length = 0;
      }
      await eventually("all are over", () => client.session.streams === 0);
      for (let stream = 1; stream < 4_000; stream += 2) {
        client.frame(data, { stream, payload: [1], flags: endStream });
      }
      client.request(4_001);
      await client.finished(4_001);
    });
  });
});

describe("5.1.1 numbers", () => {
  endsSession([
    ["an even one", protocolError, (c) => c.request(2)],
    [
      "one that is smaller than the last",
      protocolError,
      (c) => {
        c.request(5);
        c.request(3);
      },
    ],
  ]);
});

test("5.1.2 a stream too many is refused alone", async () => {
  const client = greeted();
  for (let stream = 1; stream < 1 + 2 * 256; stream += 2)
    client.request(stream, { path: "/never" });
  client.request(513);
  expect(await client.resetCode(513)).toBe(refusedStream);
  client.frame(resetStream, { stream: 1, payload: uint32(8) });
  client.request(515);
  await client.finished(515);
  client.abort();
});

describe("6.1 DATA", () => {
  endsSession([
    ["on stream 0", protocolError, (c) => c.frame(data, { stream: 0, payload: [1] })],
    [
      "more padding than frame",
      protocolError,
      (c) => {
        open(c);
        c.frame(data, { flags: padded, payload: [2, 1] });
      },
    ],
    [
      "no octet for the padding's length",
      protocolError,
      (c) => {
        open(c);
        c.frame(data, { flags: padded });
      },
    ],
  ]);
  test("padding is not part of the body, and is of the window", async () => {
    const client = greeted();
    client.request(1, { method: "POST", more: [["content-length", "2"]], ended: false });
    for (const octet of [97, 98]) {
      client.frame(data, {
        flags: padded | (octet === 98 ? endStream : 0),
        payload: [200, octet, ...new Uint8Array(200)],
      });
    }
    await client.finished(1);
    expect(upstream.requests.at(-1)!.raw).toEndWith("\r\n\r\nab");
  });
});

describe("6.2 HEADERS", () => {
  isTaken([
    [
      "padding and a priority",
      (c) => {
        const block = c.block(get);
        const payload = [3, ...uint32(0), 15, ...block, 0, 0, 0];
        c.frame(headers, { flags: endHeaders | endStream | padded | priorityFlag, payload });
      },
    ],
    [
      "a priority below another stream",
      (c) =>
        c.frame(headers, {
          flags: endHeaders | endStream | priorityFlag,
          payload: [...uint32(3), 15, ...c.block(get)],
        }),
    ],
  ]);
  endsSession([
    [
      "on stream 0",
      protocolError,
      (c) => c.frame(headers, { stream: 0, flags: endHeaders, payload: c.block(get) }),
    ],
    [
      "more padding than frame",
      protocolError,
      (c) => c.frame(headers, { flags: endHeaders | padded, payload: [99, ...c.block(get)] }),
    ],
  ]);
});

// RFC 7540: RFC 9113 takes priorities back.
describe("5.3.1 a stream that depends on itself", () => {
  const exclusive = 0x8000_0000;
  endsStream([
    ...[0, exclusive].flatMap((bit): [string, number, Act][] => [
      [
        `HEADERS, ${bit === 0 ? "shared" : "exclusive"},`,
        protocolError,
        (c) =>
          c.frame(headers, {
            flags: endHeaders | endStream | priorityFlag,
            // Later sections refer to this one's fields.
            payload: [...uint32(bit + 1), 15, ...c.block([...get, ["x-a", "b"]])],
          }),
      ],
      [
        `PRIORITY, ${bit === 0 ? "shared" : "exclusive"},`,
        protocolError,
        (c) => {
          open(c);
          c.frame(priority, { payload: [...uint32(bit + 1), 15] });
        },
      ],
    ]),
    [
      "HEADERS behind the length of its padding",
      protocolError,
      (c) => {
        const payload = [2, ...uint32(1), 15, ...c.block(get), 0, 0];
        c.frame(headers, { flags: endHeaders | endStream | padded | priorityFlag, payload });
      },
    ],
    [
      "HEADERS whose section goes on in CONTINUATION",
      protocolError,
      (c) => {
        const payload = [...uint32(1), 15];
        c.frame(headers, { flags: endStream | priorityFlag, payload });
        c.frame(continuation, { flags: endHeaders, payload: c.block(get) });
      },
    ],
    [
      "trailers",
      protocolError,
      (c) => {
        open(c);
        c.frame(headers, {
          flags: endHeaders | endStream | priorityFlag,
          payload: [...uint32(1), 15, ...c.block([["x", "y"]])],
        });
      },
    ],
  ]);
  // RST_STREAM must not name a stream that is idle.
  endsSession([
    [
      "PRIORITY of one that is idle",
      protocolError,
      (c) => c.frame(priority, { stream: 2, payload: [...uint32(2), 15] }),
    ],
  ]);
  isTaken([
    [
      "PRIORITY of one that is closed",
      async (c) => {
        await closed(c);
        c.frame(priority, { payload: [...uint32(1), 15] });
      },
    ],
  ]);
});

describe("6.3 PRIORITY", () => {
  endsSession([
    [
      "on stream 0",
      protocolError,
      (c) => c.frame(priority, { stream: 0, payload: new Uint8Array(5) }),
    ],
    [
      "of 4 octets, on a stream that is idle",
      frameSizeError,
      (c) => c.frame(priority, { payload: new Uint8Array(4) }),
    ],
  ]);
  endsStream([
    [
      "of 4 octets",
      frameSizeError,
      (c) => {
        open(c);
        c.frame(priority, { payload: new Uint8Array(4) });
      },
    ],
  ]);
  isTaken([
    [
      "of 4 octets, on a stream that is closed,",
      async (c) => {
        await closed(c);
        c.frame(priority, { payload: new Uint8Array(4) });
      },
    ],
  ]);
});

describe("6.4 RST_STREAM", () => {
  endsSession([
    ["on stream 0", protocolError, (c) => c.frame(resetStream, { stream: 0, payload: uint32(8) })],
    [
      "of 3 octets",
      frameSizeError,
      (c) => {
        open(c);
        c.frame(resetStream, { payload: [0, 0, 8] });
      },
    ],
  ]);
  isTaken([
    [
      "a code that nobody knows",
      (c) => {
        open(c);
        c.frame(resetStream, { payload: uint32(0xff) });
      },
    ],
  ]);
});

describe("6.5 SETTINGS", () => {
  endsSession([
    [
      "an acknowledgement that says more",
      frameSizeError,
      (c) => c.frame(settings, { stream: 0, flags: ack, payload: setting(1, 1) }),
    ],
    ["on a stream", protocolError, (c) => c.frame(settings, { payload: [] })],
    ["of 3 octets", frameSizeError, (c) => c.frame(settings, { stream: 0, payload: [0, 4, 0] })],
    [
      "ENABLE_PUSH of 2",
      protocolError,
      (c) => c.frame(settings, { stream: 0, payload: setting(2, 2) }),
    ],
    [
      "INITIAL_WINDOW_SIZE of 2^31",
      flowControlError,
      (c) => c.frame(settings, { stream: 0, payload: setting(4, 2 ** 31) }),
    ],
    [
      "MAX_FRAME_SIZE of 2^14 - 1",
      protocolError,
      (c) => c.frame(settings, { stream: 0, payload: setting(5, 16_383) }),
    ],
    [
      "MAX_FRAME_SIZE of 2^24",
      protocolError,
      (c) => c.frame(settings, { stream: 0, payload: setting(5, 2 ** 24) }),
    ],
  ]);
  isTaken([
    ["one that nobody knows", (c) => c.frame(settings, { stream: 0, payload: setting(0xff, 1) })],
    [
      "all that there are",
      (c) =>
        c.frame(settings, {
          stream: 0,
          payload: [
            ...setting(1, 0),
            ...setting(2, 0),
            ...setting(3, 1),
            ...setting(4, 2 ** 31 - 1),
            ...setting(5, 2 ** 24 - 1),
            ...setting(6, 100),
          ],
        }),
    ],
  ]);
  test("the last of two values holds, and both are acknowledged once", async () => {
    const client = greeted();
    await client.next(settings);
    const acknowledged = (): number =>
      client.heard.filter(({ type, flags }) => type === settings && flags === ack).length;
    const before = acknowledged();
    client.frame(settings, { stream: 0, payload: [...setting(4, 100), ...setting(4, 1)] });
    client.request(1);
    await eventually("one octet is here", () => client.bodyOf(1).length === 1);
    expect(acknowledged()).toBe(before + 1);
    client.frame(windowUpdate, { payload: uint32(100) });
    await client.finished(1);
    expect(client.bodyOf(1).toString()).toBe("GET /");
  });
});

endsSession([
  ["6.6 and 8.4 PUSH_PROMISE", protocolError, (c) => c.frame(pushPromise, { payload: uint32(2) })],
]);

describe("6.9.1 the connection's window", () => {
  test("holds for all streams together, whatever each of them may still take", async () => {
    // Nobody takes their bodies: within this turn they wait to be told whether there is such a service.
    const client = new H2Frames({}).greet();
    const bodies = Array.from({ length: 33 }, (_, n) => 2 * n + 1);
    for (const stream of bodies) {
      client.request(stream, { method: "POST", ended: false });
      for (let n = 0; n < 16; n++) {
        client.frame(data, { stream, payload: new Uint8Array(16_384) });
      }
    }
    expect(await client.goAwayCode()).toBe(flowControlError);
    expect(client.shared.faults).toEqual([]);
  });
});

describe("6.7 PING", () => {
  endsSession([
    ["on a stream", protocolError, (c) => c.frame(ping, { payload: new Uint8Array(8) })],
    [
      "of 6 octets",
      frameSizeError,
      (c) => c.frame(ping, { stream: 0, payload: new Uint8Array(6) }),
    ],
  ]);
  test("an acknowledgement is not answered", async () => {
    const client = greeted();
    client.frame(ping, { stream: 0, flags: ack, payload: new Uint8Array(8) });
    await serves(client);
    expect(client.heard.some(({ type }) => type === ping)).toBe(false);
  });
});

describe("6.8 GOAWAY", () => {
  endsSession([
    [
      "without room for its code",
      frameSizeError,
      (c) => c.frame(goAway, { stream: 0, payload: new Uint8Array(7) }),
    ],
    [
      "on a stream",
      protocolError,
      (c) => c.frame(goAway, { payload: [...uint32(0), ...uint32(0)] }),
    ],
  ]);
  isTaken([
    [
      "a code that nobody knows",
      (c) => c.frame(goAway, { stream: 0, payload: [...uint32(0), ...uint32(0xff), 1, 2] }),
    ],
  ]);
});

describe("6.9 WINDOW_UPDATE", () => {
  endsSession([
    ["of nothing", protocolError, (c) => c.frame(windowUpdate, { stream: 0, payload: uint32(0) })],
    [
      "of 3 octets",
      frameSizeError,
      (c) => c.frame(windowUpdate, { stream: 0, payload: [0, 0, 1] }),
    ],
    [
      "beyond 2^31 - 1",
      flowControlError,
      (c) => c.frame(windowUpdate, { stream: 0, payload: uint32(2 ** 31 - 1) }),
    ],
    [
      "beyond 2^31 - 1 by a setting",
      flowControlError,
      (c) => {
        open(c);
        c.frame(windowUpdate, { payload: uint32(2 ** 31 - 1 - 65_535) });
        c.frame(settings, { stream: 0, payload: setting(4, 65_536) });
      },
    ],
  ]);
  endsStream([
    [
      "of nothing",
      protocolError,
      (c) => {
        open(c);
        c.frame(windowUpdate, { payload: uint32(0) });
      },
    ],
    [
      "beyond 2^31 - 1",
      flowControlError,
      (c) => {
        open(c);
        c.frame(windowUpdate, { payload: uint32(2 ** 31 - 1) });
      },
    ],
  ]);
});

describe("6.10 CONTINUATION", () => {
  endsSession([
    [
      "behind a section's end",
      protocolError,
      (c) => {
        open(c);
        c.frame(continuation, { flags: endHeaders });
      },
    ],
    [
      "on stream 0",
      protocolError,
      (c) => {
        c.frame(headers, { payload: c.block(get) });
        c.frame(continuation, { stream: 0, flags: endHeaders });
      },
    ],
    [
      "behind DATA",
      protocolError,
      (c) => {
        open(c);
        c.frame(data, { payload: [1] });
        c.frame(continuation, { flags: endHeaders });
      },
    ],
  ]);
});

describe("8.1 to 8.3 requests", () => {
  const wrong: [string, [string, string][]][] = [
    ["a name of nothing", [...get, ["", "y"]]],
    ["a name with a colon within", [...get, ["x:y", "z"]]],
    ["a line's end in a value", [...get, ["x", "y\r\nz: 1"]]],
    ["a zero in a value", [...get, ["x", "y\0"]]],
    ["a space before a value", [...get, ["x", " y"]]],
    ["a pseudo-header field that nobody knows", [...get, [":x", "y"]]],
    ["an answer's pseudo-header field", [...get, [":status", "200"]]],
    ["a pseudo-header field behind others", [...without(":path"), ["x", "y"], [":path", "/"]]],
    ["two methods", [...get, [":method", "GET"]]],
    ["two paths", [...get, [":path", "/"]]],
    ["two schemes", [...get, [":scheme", "https"]]],
    ["two authorities", [...get, [":authority", "api.localhost"]]],
    ["no method", without(":method")],
    ["no scheme", without(":scheme")],
    ["no path", without(":path")],
    ["a path of nothing", [...without(":path"), [":path", ""]]],
    ["a path that begins elsewhere", [...without(":path"), [":path", "http://api.localhost/"]]],
    ["an asterisk for GET", [...without(":path"), [":path", "*"]]],
    ["a space in a path", [...without(":path"), [":path", "/a b"]]],
    ["Connection", [...get, ["connection", "keep-alive"]]],
    ["Keep-Alive", [...get, ["keep-alive", "1"]]],
    ["Proxy-Connection", [...get, ["proxy-connection", "keep-alive"]]],
    ["Transfer-Encoding", [...get, ["transfer-encoding", "chunked"]]],
    ["Upgrade", [...get, ["upgrade", "websocket"]]],
    ["TE for gzip", [...get, ["te", "trailers, gzip"]]],
    ["a Host that is another", [...get, ["host", "web.localhost"]]],
    ["a Content-Length and no body", [...get, ["content-length", "1"]]],
    ["a Content-Length that is no number", [...get, ["content-length", "-0"]]],
  ];
  endsStream([
    [
      "a capital in a name",
      protocolError,
      (c) =>
        c.frame(headers, {
          flags: endHeaders | endStream,
          // By hand: an encoder would write it small. RFC 7541 section 6.2.2.
          payload: [...c.block(get), 0, 1, 0x58, 1, 0x79],
        }),
    ],
  ]);
  endsStream(wrong.map(([what, fields]) => [what, protocolError, (c) => section(c, fields)]));
  endsStream([
    [
      "less than the Content-Length",
      protocolError,
      (c) => {
        c.request(1, { method: "POST", more: [["content-length", "3"]], ended: false });
        c.frame(data, { payload: [1] });
        c.frame(data, { flags: endStream, payload: [2] });
      },
    ],
    [
      "more than the Content-Length, in the second frame",
      protocolError,
      (c) => {
        c.request(1, { method: "POST", more: [["content-length", "1"]], ended: false });
        c.frame(data, { payload: [1] });
        c.frame(data, { flags: endStream, payload: [2] });
      },
    ],
    [
      "trailers that do not end it",
      protocolError,
      (c) => {
        open(c);
        c.frame(headers, { flags: endHeaders, payload: c.block([["x", "y"]]) });
      },
    ],
    [
      "trailers with a pseudo-header field",
      protocolError,
      (c) => {
        open(c);
        section(c, [[":path", "/"]]);
      },
    ],
  ]);
  isTaken([
    ["TE for trailers", (c) => section(c, [...get, ["te", "trailers"]])],
    ["a Host that is the same", (c) => section(c, [...get, ["host", "api.localhost"]])],
    [
      "a Host instead of an authority",
      (c) => section(c, [...without(":authority"), ["host", "api.localhost"]]),
    ],
    [
      "OPTIONS for everything",
      (c) =>
        section(c, [
          [":method", "OPTIONS"],
          ...without(":method").filter(([n]) => n !== ":path"),
          [":path", "*"],
        ]),
    ],
  ]);
});

describe("RFC 7541", () => {
  endsSession([
    [
      "2.3.3 index 0",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x80] }),
    ],
    [
      "2.3.3 an index beyond both tables",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0xff, 0x80, 0x01] }),
    ],
    [
      "2.3.3 a name's index beyond both tables",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x7f, 0x80, 0x01, 1, 97] }),
    ],
    [
      "4.2 a size update behind a field",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x82, 0x20] }),
    ],
    [
      "5.1 an integer without end",
      compressionError,
      (c) =>
        c.frame(headers, { flags: endHeaders, payload: [0xff, ...new Uint8Array(20).fill(0xff)] }),
    ],
    [
      "5.2 a string longer than its section",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x40, 9, 97] }),
    ],
    [
      "5.2 Huffman padding of a whole octet",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x40, 0x82, 0x1f, 0xff, 1, 97] }),
    ],
    [
      "5.2 Huffman padding of zeros",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x40, 0x81, 0x18, 1, 97] }),
    ],
    [
      "5.2 Huffman with EOS",
      compressionError,
      (c) =>
        c.frame(headers, {
          flags: endHeaders,
          payload: [0x40, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 97],
        }),
    ],
    [
      "6.3 a size update beyond our setting",
      compressionError,
      (c) => c.frame(headers, { flags: endHeaders, payload: [0x3f, 0xe2, 0x1f, 0x82] }),
    ],
  ]);
  isTaken([
    [
      "6.3 two size updates in front",
      (c) =>
        c.frame(headers, {
          flags: endHeaders | endStream,
          payload: [0x20, 0x3f, 0xe1, 0x1f, ...c.block(get)],
        }),
    ],
  ]);
});
