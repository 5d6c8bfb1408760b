import { afterAll, describe, expect, test } from "bun:test";
import { ErrorCode, Flag, FrameType, preface, readUint31 } from "../../src/wire/h2/frame.ts";
import { eventually } from "../support/eventually.ts";
import { frameOf, H2Frames } from "../support/h2-frames.ts";
import { Random } from "../support/random.ts";
import { echo, RawServer } from "../support/raw-server.ts";
import { turns } from "../support/turn.ts";

const upstream = new RawServer({
  answer: (request, connection) => {
    if (request.target === "/never") return;
    if (request.target === "/large") {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`);
    } else if (request.target === "/cut") {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      connection.end();
    } else if (request.target === "/until-close") {
      connection.send("HTTP/1.1 200 OK\r\n\r\nabc");
      connection.end();
    } else connection.send(echo(request));
  },
});
afterAll(() => upstream.stop());

function session(serverName?: string): H2Frames {
  return new H2Frames({ api: upstream }, serverName).greet();
}

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

describe("one session", () => {
  test("answers, with our SETTINGS first, and the same link serves stream after stream", async () => {
    const client = session();
    for (const stream of [1, 3, 5]) {
      client.request(stream, { path: `/${stream}` });
      await client.finished(stream);
      expect(client.bodyOf(stream).toString()).toBe(`GET /${stream}`);
    }
    expect(client.heard[0]!.type).toBe(FrameType.settings);
    expect((await client.next(FrameType.headers, 1)).lines).toEqual([
      ":status: 200",
      "content-length: 6",
    ]);
    expect(client.session.streams).toBe(0);
    expect(client.shared.faults).toEqual([]);
  });

  test("frames cut at every byte", async () => {
    const bytes: Uint8Array[] = [preface];
    const recorder = new H2Frames({});
    recorder.send = (piece) => void bytes.push(piece);
    recorder.frame(FrameType.settings, { stream: 0 });
    recorder.request(1, { method: "POST", more: [["content-length", "3"]], ended: false });
    recorder.frame(FrameType.data, { flags: Flag.endStream, payload: [97, 98, 99] });
    const all = Buffer.concat(bytes);
    for (let cut = 1; cut < all.length; cut += 3) {
      const client = new H2Frames({ api: upstream });
      client.send(all.subarray(0, cut));
      client.send(all.subarray(cut));
      await client.finished(1);
      expect(client.bodyOf(1).toString()).toBe("POST /");
      client.abort();
    }
  });

  test("a header section in many CONTINUATIONs", async () => {
    const client = session();
    const block = client.block([
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", "api.localhost"],
      [":path", "/parts"],
    ]);
    client.frame(FrameType.headers, { flags: Flag.endStream, payload: block.slice(0, 1) });
    for (let at = 1; at < block.length; at++) {
      const flags = at === block.length - 1 ? Flag.endHeaders : 0;
      client.frame(FrameType.continuation, { flags, payload: block.slice(at, at + 1) });
    }
    await client.finished(1);
    expect(client.bodyOf(1).toString()).toBe("GET /parts");
  });

  test("pings and settings are acknowledged", async () => {
    const client = session();
    client.frame(FrameType.ping, { stream: 0, payload: [1, 2, 3, 4, 5, 6, 7, 8] });
    const pong = await client.next(FrameType.ping);
    expect([pong.flags, ...pong.payload]).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(client.heard.some(({ type, flags }) => type === 4 && flags === 1)).toBe(true);
  });

  test("drain lets answers under way end, takes no more, and closes", async () => {
    const client = session();
    client.frame(FrameType.windowUpdate, { stream: 0, payload: uint32(10_000_000) });
    client.request(1, { path: "/large" });
    await client.next(FrameType.headers, 1);
    client.shared.drains = true;
    client.session.drain();
    await client.next(FrameType.goAway);
    expect(client.lastStreamOfGoAway).toBe(1);
    client.request(3, { method: "POST", ended: false });
    client.frame(FrameType.data, { stream: 3, payload: [1] });
    client.frame(FrameType.windowUpdate, { stream: 1, payload: uint32(1_000_000) });
    await client.finished(1);
    await eventually("the link is ended", () => client.ended);
    expect(client.bodyOf(1)).toHaveLength(1_000_000);
    expect(client.heard.some(({ stream }) => stream === 3)).toBe(false);
    expect(await client.goAwayCode()).toBe(ErrorCode.noError);
  });

  test("when another proxy accepts, GOAWAY asks for no more, and streams on their way are answered", async () => {
    const client = session();
    const goAways = () =>
      client.heard
        .filter(({ type }) => type === FrameType.goAway)
        .map(({ payload }) => readUint31(payload, 0));
    client.shared.drains = true;
    // A client without a request yet could not send one after GOAWAY.
    client.session.part(2);
    client.request(1);
    await client.finished(1);
    expect(goAways()).toEqual([]);
    client.session.part(2);
    await client.next(FrameType.goAway);
    client.shared.now += 1.5;
    client.session.part(2);
    client.request(3);
    await client.finished(3);
    client.shared.now += 0.5;
    client.session.part(2);
    await eventually("the link is ended", () => client.ended);
    expect(goAways()).toEqual([2 ** 31 - 1, 3]);
    expect(await client.goAwayCode()).toBe(ErrorCode.noError);
  });

  test("when another proxy accepts, a session that is never used ends as well", async () => {
    const client = session();
    await client.next(FrameType.settings);
    client.session.part(2);
    client.shared.now += 2;
    client.session.part(2);
    await client.next(FrameType.goAway);
    client.shared.now += 2;
    client.session.part(2);
    await eventually("the link is ended", () => client.ended);
  });

  test("an idle session ends after 75 s, one that never asked after 30 s", async () => {
    const used = session();
    used.request(1);
    await used.finished(1);
    used.shared.now = 74;
    used.session.tick();
    expect(used.ended).toBe(false);
    used.shared.now = 76;
    used.session.tick();
    expect(used.ended).toBe(true);
    const unused = session();
    unused.shared.now = 31;
    unused.session.tick();
    expect(unused.ended).toBe(true);
    unused.shared.now = 34;
    unused.session.tick();
    expect(unused.over).toBe(true);
  });

  test("a client that asks for names the certificate is not for gets 421 on that stream alone", async () => {
    const client = session("api.localhost");
    const cases: [string, string][] = [
      ["api.localhost", "200"],
      ["api.localhost:443", "200"],
      ["web.localhost", "421"],
      ["a.b.api.localhost", "421"],
      ["localhost", "421"],
      ["notapi.localhost", "421"],
      ["a.api.localhost", "200"],
      ["api", "421"],
      ["evil.example", "421"],
    ];
    let stream = 1;
    for (const [authority, status] of cases) {
      client.request(stream, { authority });
      const head = await client.next(FrameType.headers, stream);
      expect([authority, head.lines[0]]).toEqual([authority, `:status: ${status}`]);
      stream += 2;
    }
    expect(client.ended).toBe(false);
  });
});

describe("answers that end early", () => {
  test.each([
    ["/cut", "reset"],
    ["/until-close", "end"],
  ])("%s: %s", async (path, outcome) => {
    const client = session();
    client.request(1, { path });
    if (outcome === "reset") expect(await client.resetCode(1)).toBe(ErrorCode.internalError);
    else await client.finished(1);
    expect(client.bodyOf(1).toString()).toBe("abc");
  });

  test("RST_STREAM from the client cancels the upstream's work", async () => {
    const client = session();
    const before = upstream.requests.length;
    client.request(1, { path: "/never" });
    await eventually("the request has come", () => upstream.requests.length > before);
    const connection = upstream.accepted.at(-1)!;
    expect(connection.over).toBe(false);
    client.frame(FrameType.resetStream, { payload: uint32(8) });
    await eventually("the upstream is broken off", () => connection.over);
    expect(client.session.streams).toBe(0);
  });

  test("an answer before the request is whole: the rest is not wanted", async () => {
    const client = session();
    client.request(1, { method: "POST", authority: "web.localhost", ended: false });
    await client.finished(1);
    client.shared.now = 2;
    client.session.tick();
    expect(await client.resetCode(1)).toBe(ErrorCode.noError);
    client.frame(FrameType.data, { payload: [1, 2] });
    client.request(3);
    await client.finished(3);
  });
});

describe("flow control", () => {
  test("no more is sent than the stream's window lets through, and negative windows are waited out", async () => {
    const client = session();
    client.frame(FrameType.settings, { stream: 0, payload: [0, 4, ...uint32(1_000)] });
    client.frame(FrameType.windowUpdate, { stream: 0, payload: uint32(10_000_000) });
    client.request(1, { path: "/large" });
    await eventually("the window is used up", () => client.bodyOf(1).length === 1_000);
    client.frame(FrameType.settings, { stream: 0, payload: [0, 4, ...uint32(0)] });
    client.frame(FrameType.windowUpdate, { payload: uint32(1_500) });
    await eventually(
      "the window is wider by what was lent",
      () => client.bodyOf(1).length === 1_500,
    );
    client.frame(FrameType.settings, { stream: 0, payload: [0, 4, ...uint32(2_000_000)] });
    await client.finished(1);
    expect(client.bodyOf(1)).toHaveLength(1_000_000);
  });

  test("streams share the connection's window in turn", async () => {
    const client = session();
    client.frame(FrameType.settings, { stream: 0, payload: [0, 4, ...uint32(2_000_000)] });
    client.request(1, { path: "/large" });
    await eventually(
      "the connection's window is used up",
      () => client.bodyOf(1).length === 65_535,
    );
    client.request(3, { path: "/large" });
    await client.next(FrameType.headers, 3);
    await eventually("the request has come", () => upstream.requests.length > 0);
    client.frame(FrameType.windowUpdate, { stream: 0, payload: uint32(10 * 16_384) });
    await eventually(
      "both have used the window up",
      () => client.bodyOf(1).length + client.bodyOf(3).length === 65_535 + 10 * 16_384,
    );
    expect(client.bodyOf(3).length).toBeGreaterThanOrEqual(4 * 16_384);
    client.frame(FrameType.windowUpdate, { stream: 0, payload: uint32(10_000_000) });
    await client.finished(1);
    await client.finished(3);
  });

  test("a link that takes nothing holds up what is sent, and what is read after too much", async () => {
    const client = session();
    client.frame(FrameType.settings, { stream: 0, payload: [0, 4, ...uint32(2_000_000)] });
    client.frame(FrameType.windowUpdate, { stream: 0, payload: uint32(10_000_000) });
    client.stuck = true;
    client.request(1, { path: "/large" });
    await client.next(FrameType.headers, 1);
    await turns(50);
    expect(client.pending).toBeLessThan(200_000);
    for (let count = 0; count < 9_000; count++) {
      client.frame(FrameType.ping, { stream: 0, payload: uint32(0).concat(uint32(count)) });
      if (client.paused) break;
    }
    for (let count = 0; count < 9_000 && !client.paused; count++) {
      client.shared.now += 10;
      client.frame(FrameType.ping, { stream: 0, payload: uint32(0).concat(uint32(count)) });
    }
    expect(client.paused).toBe(true);
    client.unstick();
    expect(client.paused).toBe(false);
    await client.finished(1);
    expect(client.bodyOf(1)).toHaveLength(1_000_000);
  });

  test("a request may send no more than its window while the upstream is not reading", async () => {
    const client = session();
    client.request(1, { method: "POST", ended: false });
    const piece = new Uint8Array(16_384);
    for (let sent = 0; sent < 16; sent++) client.frame(FrameType.data, { payload: piece });
    // The connection to the upstream has not even been made, so that all of it is held.
    expect(client.heard.some(({ type, stream }) => type === 8 && stream === 1)).toBe(false);
    client.frame(FrameType.data, { payload: [1] });
    expect(await client.resetCode(1)).toBe(ErrorCode.flowControlError);
  });

  test("windows that grow too large", async () => {
    const client = session();
    client.request(1, { path: "/never" });
    client.frame(FrameType.windowUpdate, { payload: uint32(2 ** 31 - 1) });
    expect(await client.resetCode(1)).toBe(ErrorCode.flowControlError);
    client.frame(FrameType.windowUpdate, { stream: 0, payload: uint32(2 ** 31 - 1) });
    expect(await client.goAwayCode()).toBe(ErrorCode.flowControlError);
  });
});

describe("rules that are broken", () => {
  const { protocolError, frameSizeError, compressionError, streamClosed } = ErrorCode;
  const sessionCases: [string, number, (client: H2Frames) => void][] = [
    ["no preface", protocolError, (client) => client.send(new Uint8Array(30))],
    ["DATA on stream 0", protocolError, (c) => c.frame(FrameType.data, { stream: 0 })],
    ["DATA on an idle stream", protocolError, (c) => c.frame(FrameType.data, { stream: 9 })],
    ["RST_STREAM on an idle stream", protocolError, (c) => c.frame(3, { payload: uint32(0) })],
    ["an even stream", protocolError, (c) => c.request(2)],
    ["stream 0", protocolError, (c) => c.request(0)],
    ["PUSH_PROMISE", protocolError, (c) => c.frame(5, {})],
    ["a CONTINUATION of nothing", protocolError, (c) => c.frame(9, {})],
    ["a PING of 7", frameSizeError, (c) => c.frame(6, { stream: 0, payload: new Uint8Array(7) })],
    ["SETTINGS of 5", frameSizeError, (c) => c.frame(4, { stream: 0, payload: new Uint8Array(5) })],
    ["SETTINGS on a stream", protocolError, (c) => c.frame(4, { stream: 1 })],
    ["a frame too long", frameSizeError, (c) => c.send(Uint8Array.of(0, 64, 1, 0, 0, 0, 0, 0, 1))],
    ["a broken section", compressionError, (c) => c.frame(1, { flags: 5, payload: [0x80] })],
    [
      "a section interrupted",
      protocolError,
      (client) => {
        client.frame(FrameType.headers, { payload: [0x82] });
        client.frame(FrameType.ping, { stream: 0, payload: new Uint8Array(8) });
      },
    ],
  ];
  test.each(sessionCases)("%s ends the session", async (name, code, act) => {
    const client = new H2Frames({ api: upstream });
    if (name !== "no preface") client.greet();
    act(client);
    expect(await client.goAwayCode()).toBe(code);
    expect(client.ended).toBe(true);
  });

  const streamCases: [string, number, (client: H2Frames) => void][] = [
    ["a capital", protocolError, (c) => c.request(1, { more: [[":x", "1"]] })],
    ["a connection's field", protocolError, (c) => c.request(1, { more: [["upgrade", "x"]] })],
    [
      "a length without a body",
      protocolError,
      (c) => c.request(1, { more: [["content-length", "1"]] }),
    ],
    [
      "less than announced",
      protocolError,
      (client) => {
        client.request(1, { more: [["content-length", "5"]], ended: false });
        client.frame(FrameType.data, { flags: Flag.endStream, payload: [1] });
      },
    ],
    [
      "more than announced",
      protocolError,
      (client) => {
        client.request(1, { more: [["content-length", "1"]], ended: false });
        client.frame(FrameType.data, { payload: [1, 2] });
      },
    ],
    [
      "DATA behind the end",
      streamClosed,
      (client) => {
        client.request(1, { path: "/never" });
        client.frame(FrameType.data, { payload: [1] });
      },
    ],
    [
      "trailers with a pseudo-header field",
      protocolError,
      (client) => {
        client.request(1, { method: "POST", ended: false });
        client.frame(FrameType.headers, { flags: 5, payload: client.block([[":path", "/"]]) });
      },
    ],
  ];
  test.each(streamCases)("%s ends the stream alone", async (_, code, act) => {
    const client = session();
    act(client);
    expect(await client.resetCode(1)).toBe(code);
    client.request(3);
    await client.finished(3);
    expect(client.bodyOf(3).toString()).toBe("GET /");
    expect(client.shared.faults).toEqual([]);
  });

  test("a header list over 64 KiB: 431, and the next request is read right", async () => {
    const client = session();
    const block = client.block([
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", "api.localhost"],
      [":path", "/"],
      ...Array.from({ length: 5 }, (): [string, string] => ["x", "y".repeat(15_000)]),
      ["x-last", "indexed"],
    ]);
    for (let at = 0; at < block.length; at += 16_000) {
      const last = at + 16_000 >= block.length;
      client.frame(at === 0 ? FrameType.headers : FrameType.continuation, {
        flags: (at === 0 ? Flag.endStream : 0) | (last ? Flag.endHeaders : 0),
        payload: block.slice(at, at + 16_000),
      });
    }
    expect((await client.next(FrameType.headers, 1)).lines[0]).toBe(":status: 431");
    client.request(3, { more: [["x-last", "indexed"]] });
    await client.finished(3);
    expect(upstream.requests.at(-1)!.raw).toContain("x-last: indexed");
  });

  test.each([
    ["a method of 100,000 octets", ":method", "X".repeat(100_000), "400"],
    ["a target of 100,000 octets", ":path", `/${"x".repeat(100_000)}`, "414"],
    ["a field of 100,000 octets", "x", "x".repeat(100_000), "431"],
    ["a target that is not UTF-8", ":path", "/..\xc0\xaf", "400"],
  ])("%s: its own status, and the next request is read right", async (_, name, value, status) => {
    const client = session();
    const fields = [
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", "api.localhost"],
      [":path", "/"],
    ].map(([key, old]): [string, string] => [key!, key === name ? value : old!]);
    const block = client.block(name === "x" ? [...fields, [name, value]] : fields);
    for (let at = 0; at < block.length; at += 16_000) {
      const last = at + 16_000 >= block.length;
      client.frame(at === 0 ? FrameType.headers : FrameType.continuation, {
        flags: (at === 0 ? Flag.endStream : 0) | (last ? Flag.endHeaders : 0),
        payload: block.slice(at, at + 16_000),
      });
    }
    expect((await client.next(FrameType.headers, 1)).lines[0]).toBe(`:status: ${status}`);
    client.request(3);
    await client.finished(3);
    expect(client.bodyOf(3).toString()).toBe("GET /");
  });

  test("an upstream gets a length without the zeros that stood before it", async () => {
    const client = session();
    client.request(1, { method: "POST", more: [["content-length", "0003"]], ended: false });
    client.frame(FrameType.data, { flags: Flag.endStream, payload: [97, 98, 99] });
    await client.finished(1);
    expect(upstream.requests.at(-1)!.all("content-length")).toEqual(["3"]);
  });

  test("more streams than we said are refused", async () => {
    const client = session();
    for (let stream = 1; stream <= 2 * 256 + 1; stream += 2) {
      client.request(stream, { path: "/never" });
    }
    expect(await client.resetCode(513)).toBe(ErrorCode.refusedStream);
    expect(client.session.streams).toBe(256);
    client.abort();
  });
});

describe("floods", () => {
  const calm = ErrorCode.enhanceYourCalm;

  test("a page reload that resets 500 streams is none; rapid reset without end is", async () => {
    const client = session();
    let stream = 1;
    const wave = (count: number): void => {
      for (let index = 0; index < count; index++, stream += 2) {
        client.request(stream);
        client.frame(FrameType.resetStream, { stream, payload: uint32(8) });
      }
    };
    wave(500);
    client.request(stream);
    await client.finished(stream);
    stream += 2;
    for (let round = 0; round < 100 && !client.ended; round++) wave(100);
    expect(await client.goAwayCode()).toBe(calm);
    expect(client.session.streams).toBe(0);
  });

  const floods: [string, (client: H2Frames) => void][] = [
    ["PING", (c) => c.frame(6, { stream: 0, payload: new Uint8Array(8) })],
    ["SETTINGS", (c) => c.frame(4, { stream: 0, payload: [0, 4, 0, 0, 255, 255] })],
    ["PRIORITY", (c) => c.frame(2, { payload: new Uint8Array(5) })],
    ["unknown frames", (c) => c.frame(200, {})],
    ["empty DATA", (c) => c.frame(0, { stream: 1 })],
  ];
  test.each(floods)("%s", async (name, act) => {
    const client = session();
    if (name === "empty DATA") client.request(1, { path: "/never", method: "PUT", ended: false });
    for (let count = 0; count < 20_000 && !client.ended; count++) act(client);
    expect(await client.goAwayCode()).toBe(calm);
  });

  test.each([
    ["long CONTINUATIONs", 16_384],
    ["empty CONTINUATIONs", 0],
  ])("%s", async (_, length) => {
    const client = session();
    client.frame(FrameType.headers, { payload: [0x82] });
    const payload = new Uint8Array(length);
    for (let count = 0; count < 1_000 && !client.ended; count++) {
      client.frame(FrameType.continuation, { payload });
    }
    expect(await client.goAwayCode()).toBe(calm);
  });
});

test("random frames are never thrown at anybody, and every session can be ended", async () => {
  const random = new Random(11);
  const sessions: H2Frames[] = [];
  for (let round = 0; round < 300; round++) {
    const client = session();
    sessions.push(client);
    for (let count = 0; count < 30 && !client.ended; count++) {
      if (random.chance(0.3))
        client.request(1 + 2 * random.below(20), { ended: random.chance(0.5) });
      const payload = random.bytes(random.chance(0.3) ? 4 : random.below(40));
      client.send(
        frameOf(random.below(11), {
          flags: random.chance(0.5) ? random.below(256) : random.pick([0, 1, 4, 5]),
          stream: random.chance(0.7) ? 1 + 2 * random.below(20) : random.below(40),
          payload,
        }),
      );
    }
    expect(client.shared.faults).toEqual([]);
  }
  await turns(20);
  for (const client of sessions) {
    client.abort();
    await Promise.resolve();
    expect(client.session.streams).toBe(0);
    expect(client.shared.faults).toEqual([]);
  }
});
