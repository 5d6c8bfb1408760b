/** Requests of HTTP/1.1 into streams to a server of HTTP/2, and its frames into answers of HTTP/1.1. */
import { describe, expect, test } from "bun:test";
import type { StreamFailure } from "../../../src/proxy/frames/stream-failure.ts";
import { connectionWindow, streamWindow } from "../../../src/proxy/frames/windows.ts";
import { ErrorCode, Flag, FrameType, Setting } from "../../../src/wire/h2/frame.ts";
import { Asker, H2ServerEnd, uint32 } from "../../support/h2-server-end.ts";
import { turns } from "../../support/turn.ts";

const get = "GET /a?b HTTP/1.1\r\nHost: api.localhost\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: api.localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
const status = [[":status", "200"]] as const;

/** A server that has said its SETTINGS. */
function server(...settings: Parameters<H2ServerEnd["settings"]>): H2ServerEnd {
  return new H2ServerEnd().settings(...settings);
}

/** A request that is on its way on the server's next stream. */
function ask(end: H2ServerEnd, request = get): Asker {
  const asker = new Asker(end.session.open());
  asker.write(request);
  return asker;
}

test("the preface comes first, without push, and the first SETTINGS make the session ready", () => {
  const end = new H2ServerEnd();
  expect(end.heard.map(({ type }) => type)).toEqual([FrameType.settings, FrameType.windowUpdate]);
  const { payload } = end.heard[0]!;
  const said = Array.from({ length: payload.length / 6 }, (_, at) => [
    ...payload.slice(at * 6, at * 6 + 6),
  ]);
  expect(said).toContainEqual([0, Setting.enablePush, 0, 0, 0, 0]);
  expect([end.session.room, end.news]).toEqual([0, []]);
  end.settings([Setting.maxConcurrentStreams, 2]);
  expect([end.session.room, end.news]).toEqual([2, ["ready"]]);
});

test.each([
  ["an answer of HTTP/1.1", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["an alert", Buffer.from([0x15, 3, 3, 0, 2, 2, 70])],
  ["something else", Buffer.from([0, 0, 0, 0, 0])],
  ["PING first", Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
])("a server whose first bytes are %s speaks no HTTP/2", async (_name, bytes) => {
  const end = new H2ServerEnd();
  end.send(bytes);
  await turns(2);
  expect(end.news[0]).toBe("declined");
});

test("SETTINGS cut at every byte", () => {
  const whole = Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 9]);
  for (let cut = 1; cut < whole.length; cut++) {
    const end = new H2ServerEnd();
    end.send(whole.subarray(0, cut));
    end.send(whole.subarray(cut));
    expect([end.session.room, end.news]).toEqual([9, ["ready"]]);
  }
});

test("a session that we end takes no request, although its link is not gone yet", () => {
  const end = server();
  end.session.close();
  expect([end.session.room, end.session.isOpen, end.news.at(-1)]).toEqual([0, false, "changed"]);
  end.session.close();
  expect(end.of(FrameType.goAway).length).toBe(1);
});

test("a session on which many streams were taken back is worn, and spent when its last one is answered", async () => {
  const end = server();
  const last = ask(end);
  for (let taken = 0; taken < 100; taken++) {
    expect(end.session.isWorn).toBe(false);
    const asker = ask(end);
    asker.link.abort();
    await turns(1);
  }
  expect([end.session.isWorn, end.session.isSpent, end.session.isOpen]).toEqual([
    true,
    false,
    true,
  ]);
  end.head(status, { ends: true });
  await turns(1);
  expect(last.text).toStartWith("HTTP/1.1 200");
  expect(end.session.isSpent).toBe(true);
});

test("a session with many streams is worn until some have ended, because all may be taken back at once", async () => {
  const end = server();
  const askers = Array.from({ length: 200 }, () => ask(end));
  await turns(1);
  expect([end.session.isWorn, end.session.isSpent]).toEqual([true, false]);
  end.head(status, { ends: true });
  await turns(1);
  expect([askers[0]!.over, end.session.isWorn, end.session.isSpent]).toEqual([
    "closed",
    false,
    false,
  ]);
});

test("a session takes no requests while half its window waits for clients that do not read", async () => {
  const end = server();
  const askers = Array.from({ length: 17 }, () => ask(end));
  await turns(1);
  const frame = "x".repeat(16_384);
  for (const [index, { link }] of askers.entries()) {
    link.pause();
    end.head(status, { stream: 2 * index + 1 });
    for (let sent = 0; sent < streamWindow; sent += frame.length) {
      end.data(frame, { stream: 2 * index + 1 });
    }
  }
  expect([end.session.room, end.session.isOpen]).toEqual([0, true]);
  for (const { link } of askers) link.resume();
  expect(end.session.room).toBeGreaterThan(0);
});

test("interim answers without end to a client that reads nothing end the request", async () => {
  const end = server();
  const asker = ask(end);
  await turns(1);
  const hint = [
    [":status", "103"],
    ["link", "l".repeat(1_000)],
  ] as const;
  for (let sent = 0; sent < 100; sent++) end.head(hint);
  expect(end.resetCode()).toBeUndefined();
  asker.link.pause();
  for (let sent = 0; sent < 100; sent++) end.head(hint);
  expect(end.resetCode()).toBe(ErrorCode.enhanceYourCalm);
  await turns(1);
  expect(asker.over).toBe("it sent more interim answers than its client reads");
  expect(end.session.isOpen).toBe(true);
});

test.each(["its content", "its trailers"])(
  "an answer to a whole request that ends too short with %s ends that request, and no other",
  async (last) => {
    const end = server();
    const [short, other] = [ask(end), ask(end)];
    await turns(1);
    end.head([...status, ["content-length", "3"]]);
    if (last === "its content") end.data("ab", { ends: true });
    else end.head([["x-a", "1"]], { ends: true });
    await turns(1);
    expect(short.over).toBe("its answer is shorter than its Content-Length");
    end.head(status, { stream: 3, ends: true });
    await turns(1);
    expect([other.over, end.session.isOpen, end.resetCode()]).toEqual(["closed", true, undefined]);
  },
);

test.each([
  ["that reads", 0, false],
  ["that reads nothing", 100, true],
])(
  "the link to a server %s ends with the session, and the requests hear why",
  async (_what, pending, isAborted) => {
    const end = server();
    let aborts = 0;
    const abort = end.abort.bind(end);
    end.abort = () => {
      aborts++;
      abort();
    };
    end.close = abort;
    end.pending = pending;
    const asker = ask(end);
    await turns(1);
    end.frame(FrameType.ping, { stream: 0, payload: [1] });
    await turns(2);
    expect(asker.over).toStartWith("it broke a rule of HTTP/2: ");
    expect([end.over, aborts]).toEqual([true, isAborted ? 1 : 0]);
  },
);

describe("a request", () => {
  test("is a section with pseudo-header fields first, and without the fields of HTTP/1.1's connections", async () => {
    const end = server();
    ask(
      end,
      "GET /a?b HTTP/1.1\r\nHost: api.localhost:8080\r\nConnection: Upgrade\r\nUpgrade: other\r\nTE: trailers\r\nAccept: */*\r\nVia: 1.1 x\r\n\r\n",
    );
    await turns(1);
    const [head] = end.of(FrameType.headers);
    expect(head!.lines).toEqual([
      ":method: GET",
      ":scheme: http",
      ":authority: api.localhost:8080",
      ":path: /a?b",
      "accept: */*",
      "via: 1.1 x",
    ]);
    expect([head!.stream, head!.flags]).toEqual([1, Flag.endHeaders | Flag.endStream]);
  });

  test("says te: trailers where the client does, or speaks gRPC", async () => {
    const end = server();
    const asker = new Asker(end.session.open());
    asker.link.trailers = true;
    asker.write(get);
    ask(end, get.replace("\r\n\r\n", "\r\nContent-Type: application/grpc+proto\r\n\r\n"));
    ask(end, get.replace("\r\n\r\n", "\r\nContent-Type: application/grpc-web\r\n\r\n"));
    await turns(1);
    const said = end.of(FrameType.headers).map(({ lines }) => lines.includes("te: trailers"));
    expect(said).toEqual([true, true, false]);
  });

  test("has a body in DATA, and trailers, in whatever pieces they come", async () => {
    const text = `${post}3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\n`;
    for (let cut = 1; cut < text.length; cut += 3) {
      const end = server();
      const asker = ask(end, text.slice(0, cut));
      asker.write(text.slice(cut));
      await turns(1);
      const [head, trailers] = end.of(FrameType.headers);
      expect(head!.flags).toBe(Flag.endHeaders);
      expect(end.bodyOf(1)).toBe("abc0123456789abcdef");
      expect(trailers!.lines).toEqual(["x-sum: 1"]);
      expect(trailers!.flags).toBe(Flag.endHeaders | Flag.endStream);
    }
  });

  test("with a length ends with its last octet", async () => {
    const end = server();
    ask(end, "PUT / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 3\r\n\r\nabc");
    await turns(1);
    expect(end.of(FrameType.headers)[0]!.lines).toContain("content-length: 3");
    expect(end.of(FrameType.data).map(({ flags }) => flags)).toEqual([Flag.endStream]);
  });

  test("with a head of more than a frame is cut into CONTINUATION", async () => {
    const end = server();
    const cookie = `Cookie: ${"c".repeat(40_000)}`;
    ask(end, get.replace("\r\n\r\n", `\r\n${cookie}\r\n\r\n`));
    await turns(1);
    expect(end.of(FrameType.continuation).length).toBe(2);
    expect(end.of(FrameType.headers)[0]!.lines.at(-1)).toBe(cookie.replace("C", "c"));
  });

  test("waits for the server's windows, the stream's and the connection's, and its owner hears when it may go on", async () => {
    const end = server([Setting.initialWindowSize, 10]);
    const asker = ask(end, post);
    expect(asker.write(`14\r\n${"x".repeat(20)}\r\n`)).toBe(false);
    await turns(1);
    expect(end.bodyOf(1)).toBe("x".repeat(10));
    expect(asker.link.pending).toBe(10);
    end.window(4, 1);
    expect(end.bodyOf(1).length).toBe(14);
    // INITIAL_WINDOW_SIZE changes the windows of streams that are open.
    end.settings([Setting.initialWindowSize, 13]);
    expect([end.bodyOf(1).length, asker.drains]).toEqual([17, 0]);
    end.window(100, 1);
    expect([end.bodyOf(1).length, asker.drains, asker.link.pending]).toEqual([20, 1, 0]);
    asker.write("0\r\n\r\n");
    await turns(1);
    expect(end.of(FrameType.data, 1).at(-1)!.flags).toBe(Flag.endStream);
  });

  test("waits for a link that takes nothing", async () => {
    const end = server();
    const asker = ask(end, post);
    await turns(1);
    end.stuck = true;
    const piece = `4000\r\n${"x".repeat(16_384)}\r\n`;
    const taken = [1, 2, 3, 4, 5, 6].map(() => asker.write(piece));
    expect(taken.at(-1)).toBe(false);
    end.unstick();
    end.window(1_000_000);
    end.window(1_000_000, 1);
    await turns(1);
    expect(end.bodyOf(1).length).toBe(6 * 16_384);
    expect(asker.drains).toBe(1);
  });
});

describe("an answer", () => {
  const answers: Record<string, { send(end: H2ServerEnd): void; text: string }> = {
    "with a body of unknown length is chunked": {
      send(end) {
        end.head(status);
        end.data("abc");
        end.data("", { ends: true });
      },
      text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    },
    "with a Content-Length keeps it": {
      send(end) {
        end.head([...status, ["content-length", "3"]]);
        end.data("abc", { ends: true });
      },
      text: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    },
    "with nothing behind its head has a length of 0": {
      send: (end) =>
        end.head(
          [
            [":status", "404"],
            ["x-a", "1"],
          ],
          { ends: true },
        ),
      text: "HTTP/1.1 404 Not Found\r\nx-a: 1\r\nContent-Length: 0\r\n\r\n",
    },
    "204 has no length": {
      send: (end) =>
        end.head(
          [
            [":status", "204"],
            ["content-length", "0"],
          ],
          { ends: true },
        ),
      text: "HTTP/1.1 204 No Content\r\n\r\n",
    },
    "304 keeps the length of what it stands for": {
      send: (end) =>
        end.head(
          [
            [":status", "304"],
            ["content-length", "9"],
          ],
          { ends: true },
        ),
      text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    },
    "may have interim responses before it": {
      send(end) {
        end.head([
          [":status", "103"],
          ["link", "</a>"],
        ]);
        end.head([[":status", "200"]], { ends: true });
      },
      text: "HTTP/1.1 103 \r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    },
    "ends with trailers": {
      send(end) {
        end.head([...status, ["content-type", "application/grpc"]]);
        end.data("m");
        end.head([["grpc-status", "0"]], { ends: true });
      },
      text: "HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nm\r\n0\r\ngrpc-status: 0\r\n\r\n",
    },
    "that announces trailers is chunked although it has a length": {
      send(end) {
        end.head([...status, ["trailer", "x-sum"], ["content-length", "1"]]);
        end.data("m");
        end.head([["x-sum", "7"]], { ends: true });
      },
      text: "HTTP/1.1 200 OK\r\ntrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nm\r\n0\r\nx-sum: 7\r\n\r\n",
    },
    "says its length once": {
      send: (end) =>
        end.head([...status, ["content-length", "0"], ["content-length", "0"]], { ends: true }),
      text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    },
    "loses fields of HTTP/1.1's connections": {
      send: (end) =>
        end.head([...status, ["connection", "close"], ["keep-alive", "5"]], { ends: true }),
      text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    },
  };

  test.each(Object.entries(answers))("%s", async (_name, { send, text }) => {
    const end = server();
    const asker = ask(end);
    await turns(1);
    send(end);
    expect(asker.text).toBe(text);
    asker.link.close();
    await turns(1);
    // Both sides have ended the stream, so that there is nothing to take back.
    expect([end.resetCode(), asker.over, end.session.isIdle]).toEqual([undefined, "closed", true]);
  });

  test("to HEAD has a length and no body", async () => {
    const end = server();
    const asker = ask(end, get.replace("GET", "HEAD"));
    await turns(1);
    end.head([...status, ["content-length", "7"]], { ends: true });
    expect(asker.text).toBe("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  });

  test("in a section of many frames, cut at every byte", async () => {
    const end = server();
    const block = end.block([...status, ["x-long", "v".repeat(300)]]);
    for (let cut = 1; cut < block.length; cut += 7) {
      const asker = ask(end);
      await turns(1);
      const stream = asker.link.id;
      // The first section has filled the table that both sides share.
      end.frame(FrameType.headers, { flags: Flag.endStream, stream, payload: block.slice(0, cut) });
      end.frame(FrameType.continuation, {
        flags: Flag.endHeaders,
        stream,
        payload: block.slice(cut),
      });
      expect(asker.text).toContain("HTTP/1.1 200 OK\r\nx-long: vvv");
    }
  });

  test("goes on while the request is on its way, and each side ends when it likes", async () => {
    const end = server();
    const asker = ask(end, post);
    await turns(1);
    end.head(status);
    end.data("a");
    asker.write("1\r\nb\r\n");
    await turns(1);
    end.data("c");
    expect(end.bodyOf(1)).toBe("b");
    expect(asker.text).toContain("1\r\na\r\n1\r\nc\r\n");
    end.data("", { ends: true });
    expect(asker.text.endsWith("0\r\n\r\n")).toBe(true);
    asker.write("0\r\n\r\n");
    await turns(1);
    expect([asker.over, end.session.isIdle]).toEqual(["closed", true]);
  });

  test("that is complete before the request takes the rest of it back without an error", async () => {
    const end = server();
    const asker = ask(end, post);
    await turns(1);
    end.head(status, { ends: true });
    asker.link.abort();
    await turns(1);
    expect(end.resetCode()).toBe(ErrorCode.noError);
  });

  test("is paused with its owner: the server gets no window back until the owner goes on", async () => {
    const end = server();
    const asker = ask(end);
    await turns(1);
    end.head(status);
    asker.link.pause();
    const piece = "x".repeat(16_384);
    for (let sent = 0; sent < streamWindow; sent += piece.length) end.data(piece);
    await turns(1);
    expect(end.of(FrameType.windowUpdate, 1)).toEqual([]);
    asker.link.resume();
    await turns(1);
    expect(end.of(FrameType.windowUpdate, 1).length).toBe(1);
    expect(connectionWindow).toBeGreaterThan(streamWindow);
  });
});

/** Whatever the server does wrong on one stream: the sentence that the client gets, and that other streams go on. */
const wrongs: Record<string, { send(end: H2ServerEnd): void; why: string; code?: number }> = {
  "has no status": {
    send: (end) => end.head([["x-a", "1"]], { ends: true }),
    why: "its answer has no status",
  },
  "has two statuses": {
    send: (end) => end.head([...status, ...status], { ends: true }),
    why: "its answer's status is not a number of three digits",
  },
  "has a status of two digits": {
    send: (end) => end.head([[":status", "20"]], { ends: true }),
    why: "its answer's status is not a number of three digits",
  },
  "has a status that is no number": {
    send: (end) => end.head([[":status", "2x0"]], { ends: true }),
    why: "its answer's status is not a number of three digits",
  },
  "switches protocols": {
    send: (end) => end.head([[":status", "101"]]),
    why: "it switched protocols, which HTTP/2 does not have",
  },
  "ends with an interim response": {
    send: (end) => end.head([[":status", "100"]], { ends: true }),
    why: "its answer ends with an interim response",
  },
  "has a pseudo-header field of requests": {
    send: (end) => end.head([...status, [":path", "/"]], { ends: true }),
    why: "its answer has a pseudo-header field that no answer has",
  },
  "has a pseudo-header field behind others": {
    send: (end) => end.head([["x-a", "1"], ...status], { ends: true }),
    why: "its answer has no status",
  },
  "has a line end in a value": {
    send: (end) => end.head([...status, ["x-a", "1\r\nset-cookie: a"]], { ends: true }),
    why: "a field value of its answer holds a line end or NUL",
  },
  "has NUL in a value": {
    send: (end) => end.head([...status, ["x-a", "1\0"]], { ends: true }),
    why: "a field value of its answer holds a line end or NUL",
  },
  "has a blank in a name": {
    send: (end) => end.head([...status, ["x a", "1"]], { ends: true }),
    why: "a field name of its answer holds what no name may hold",
  },
  "has lengths that differ": {
    send: (end) =>
      end.head([...status, ["content-length", "1"], ["content-length", "2"]], { ends: false }),
    why: "its answer has two Content-Lengths that differ",
  },
  "has a length that is no number": {
    send: (end) => end.head([...status, ["content-length", "1, 1"]]),
    why: "the Content-Length of its answer is not a number of bytes",
  },
  "announces a body and has none": {
    send: (end) => end.head([...status, ["content-length", "1"]], { ends: true }),
    why: "its answer announces a body and has none",
  },
  "is longer than announced": {
    send(end) {
      end.head([...status, ["content-length", "1"]]);
      end.data("ab");
    },
    why: "its answer is longer than its Content-Length",
  },
  "is shorter than announced": {
    send(end) {
      end.head([...status, ["content-length", "3"]]);
      end.data("ab", { ends: true });
    },
    why: "its answer is shorter than its Content-Length",
  },
  "begins with DATA": {
    send: (end) => end.data("a"),
    why: "it broke a rule of HTTP/2 within its answer",
  },
  "has a pseudo-header field in its trailers": {
    send(end) {
      end.head(status);
      end.head([[":status", "200"]], { ends: true });
    },
    why: "its answer's trailers hold what no trailer may hold",
  },
  "has trailers that do not end it": {
    send(end) {
      end.head(status);
      end.head([["x-a", "1"]]);
    },
    why: "its answer's trailers hold what no trailer may hold",
  },
  "has a head that is too large": {
    send(end) {
      const names = Array.from({ length: 20 }, (_, at) => [`x-${at}`, "v".repeat(3_500)] as const);
      const block = end.block([...status, ...names]);
      for (let at = 0; at < block.length; at += 16_000) {
        const last = at + 16_000 >= block.length;
        end.frame(at === 0 ? FrameType.headers : FrameType.continuation, {
          flags: (at === 0 ? Flag.endStream : 0) | (last ? Flag.endHeaders : 0),
          payload: block.slice(at, at + 16_000),
        });
      }
    },
    why: "the head of its answer is longer than 65536 bytes",
  },
  "opens a stream's window by nothing": {
    send: (end) => end.window(0, 1),
    why: "it broke a rule of HTTP/2 within its answer",
  },
  "opens a stream's window too far": {
    send: (end) => end.window(2 ** 31 - 1, 1),
    why: "it broke a rule of HTTP/2 within its answer",
    code: ErrorCode.flowControlError,
  },
};

describe("an answer that", () => {
  test.each(Object.entries(wrongs))(
    "%s ends its stream alone",
    async (_name, { send, why, code }) => {
      const end = server();
      const asker = ask(end, post);
      const other = ask(end);
      await turns(1);
      send(end);
      await turns(1);
      expect([asker.over, end.resetCode()]).toEqual([why, code ?? ErrorCode.protocolError]);
      expect((asker.cause as StreamFailure).unprocessed).toBe(false);
      end.head(status, { stream: 3, ends: true });
      expect(other.text).toContain("HTTP/1.1 200 OK");
      expect(end.goAwayCode).toBeUndefined();
    },
  );
});

/** Whatever the server does wrong with the connection. */
const breaches: Record<string, { send(end: H2ServerEnd): void; code: number }> = {
  "DATA on a stream that was never opened": {
    send: (end) => end.data("a", { stream: 9 }),
    code: ErrorCode.protocolError,
  },
  "HEADERS on a stream that was never opened": {
    send: (end) => end.head(status, { stream: 9 }),
    code: ErrorCode.protocolError,
  },
  "HEADERS on a stream of its own": {
    send: (end) => end.head(status, { stream: 2 }),
    code: ErrorCode.protocolError,
  },
  "a promise": {
    send: (end) => end.frame(FrameType.pushPromise, { payload: uint32(2) }),
    code: ErrorCode.protocolError,
  },
  "a section that is no HPACK": {
    send: (end) => end.frame(FrameType.headers, { flags: Flag.endHeaders, payload: [0xff, 0xff] }),
    code: ErrorCode.compressionError,
  },
  "a section that another frame interrupts": {
    send(end) {
      end.frame(FrameType.headers, { payload: end.block(status) });
      end.data("a");
    },
    code: ErrorCode.protocolError,
  },
  "a section without end": {
    send(end) {
      end.frame(FrameType.headers, {});
      for (let i = 0; i < 200 && !end.over; i++) end.frame(FrameType.continuation, {});
    },
    code: ErrorCode.enhanceYourCalm,
  },
  "a frame that is too long": {
    send: (end) => end.frame(FrameType.data, { payload: new Uint8Array(16_385) }),
    code: ErrorCode.frameSizeError,
  },
  "a window of the connection that is too large": {
    send: (end) => end.window(2 ** 31 - 1),
    code: ErrorCode.flowControlError,
  },
  "an INITIAL_WINDOW_SIZE out of range": {
    send: (end) => void end.settings([Setting.initialWindowSize, 2 ** 31]),
    code: ErrorCode.flowControlError,
  },
  "an acknowledgement that says more": {
    send: (end) =>
      end.frame(FrameType.settings, { stream: 0, flags: Flag.ack, payload: [0, 3, 0, 0, 0, 1] }),
    code: ErrorCode.frameSizeError,
  },
};

describe("a server that sends", () => {
  test.each(Object.entries(breaches))("%s loses the session", async (_name, { send, code }) => {
    const end = server();
    const asker = ask(end);
    await turns(1);
    send(end);
    await turns(2);
    expect(end.goAwayCode).toBe(code);
    expect(asker.over).toStartWith("it broke a rule of HTTP/2: ");
    expect([end.over, end.news.at(-1)]).toEqual([true, "gone"]);
  });
});

describe("a server that takes back", () => {
  test("a stream as refused has not touched the request", async () => {
    const end = server();
    const asker = ask(end);
    await turns(1);
    end.reset(ErrorCode.refusedStream);
    await turns(1);
    expect((asker.cause as StreamFailure).unprocessed).toBe(true);
    expect(end.session.room).toBeGreaterThan(0);
  });

  test.each([
    [ErrorCode.internalError, "it reset the request's stream (error 2 of HTTP/2)"],
    [ErrorCode.cancel, "it reset the request's stream (error 8 of HTTP/2)"],
    [ErrorCode.http11Required, "it wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)"],
  ])("a stream with error %i may have done something", async (code, why) => {
    const end = server();
    const asker = ask(end);
    await turns(1);
    end.reset(code);
    await turns(1);
    expect([asker.over, (asker.cause as StreamFailure).unprocessed]).toEqual([why, false]);
  });

  test("streams with GOAWAY has not touched those above its number, and answers the others", async () => {
    const end = server();
    const [first, second] = [ask(end), ask(end)];
    await turns(1);
    end.goAway(1);
    await turns(1);
    expect([first.over, (second.cause as StreamFailure).unprocessed]).toEqual([undefined, true]);
    expect([end.session.isOpen, end.session.room]).toEqual([false, 0]);
    end.head(status, { ends: true });
    expect(first.text).toContain("200 OK");
    first.link.close();
    await turns(2);
    expect(end.over).toBe(true);
  });

  test("a request that was given a place and has sent nothing goes elsewhere", async () => {
    const end = server();
    const asker = new Asker(end.session.open());
    end.goAway(0);
    asker.write(get);
    await turns(1);
    expect((asker.cause as StreamFailure).unprocessed).toBe(true);
    expect(end.of(FrameType.headers)).toEqual([]);
  });

  test("the connection ends every request, and only those that were sent may have been touched", async () => {
    const end = server();
    const sent = ask(end);
    const unsent = new Asker(end.session.open());
    await turns(1);
    end.abort();
    await turns(2);
    expect([sent.over, sent.cause]).toEqual(["closed", undefined]);
    expect((unsent.cause as StreamFailure).unprocessed).toBe(true);
  });
});

test("a client that leaves takes its request back with CANCEL, and what still comes for it costs nothing", async () => {
  const end = server([Setting.maxConcurrentStreams, 1]);
  const asker = ask(end);
  await turns(1);
  expect(end.session.room).toBe(0);
  asker.link.abort();
  await turns(1);
  expect([end.resetCode(), end.session.room]).toEqual([ErrorCode.cancel, 1]);
  end.head(status);
  end.data("late");
  end.head([["x-a", "1"]], { ends: true });
  end.reset(ErrorCode.cancel);
  end.window(5, 1);
  expect([end.over, asker.text]).toEqual([false, ""]);
});

test("a link that is closed before its request begins gives its place back and sends nothing", async () => {
  const end = server([Setting.maxConcurrentStreams, 1]);
  const asker = new Asker(end.session.open());
  expect(end.session.room).toBe(0);
  asker.link.close();
  await turns(1);
  expect([end.session.room, asker.over, end.of(FrameType.resetStream)]).toEqual([1, "closed", []]);
});

test("PING is answered with its own octets, and SETTINGS are acknowledged", async () => {
  const end = server();
  end.frame(FrameType.ping, { stream: 0, payload: [1, 2, 3, 4, 5, 6, 7, 8] });
  end.frame(FrameType.ping, { stream: 0, flags: Flag.ack, payload: [1, 2, 3, 4, 5, 6, 7, 8] });
  await turns(1);
  const [pong, ...more] = end.of(FrameType.ping);
  expect([[...pong!.payload], pong!.flags, more]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], Flag.ack, []]);
  expect(end.of(FrameType.settings).map(({ flags }) => flags)).toEqual([0, Flag.ack]);
});

test("a server that reads nothing is not read either", async () => {
  const end = server();
  end.stuck = true;
  for (let i = 0; i < 20_000; i++) {
    end.frame(FrameType.ping, { stream: 0, payload: [1, 2, 3, 4, 5, 6, 7, 8] });
  }
  expect(end.paused).toBe(true);
  end.unstick();
  expect(end.paused).toBe(false);
});

test("the head of an answer that does not come to its end is not waited for", async () => {
  const end = server();
  const asker = ask(end);
  await turns(1);
  end.frame(FrameType.headers, { payload: end.block(status) });
  end.now = 14_000;
  end.session.tick();
  expect(end.over).toBe(false);
  end.now = 15_500;
  end.session.tick();
  await turns(2);
  expect(asker.over).toBe("the head of its answer is too slow");
});

describe("a WebSocket", () => {
  const handshake =
    "GET /ws HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

  test("is an extended CONNECT, whose answer is the 101 of the handshake, and bytes go both ways", async () => {
    const end = server([Setting.enableConnectProtocol, 1]);
    const asker = ask(end, handshake);
    await turns(1);
    const [head] = end.of(FrameType.headers);
    expect(head!.lines).toEqual([
      ":method: CONNECT",
      ":protocol: websocket",
      ":scheme: http",
      ":authority: api.localhost",
      ":path: /ws",
      "sec-websocket-version: 13",
    ]);
    expect(head!.flags).toBe(Flag.endHeaders);
    end.head([...status, ["sec-websocket-protocol", "chat"]]);
    expect(asker.text).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: chat\r\n\r\n",
    );
    end.data("to client");
    asker.write("to server");
    await turns(1);
    expect([asker.text.endsWith("\r\n\r\nto client"), end.bodyOf(1)]).toEqual([true, "to server"]);
    // The client's end and the server's are told as such.
    asker.link.halfClose();
    await turns(1);
    expect(end.of(FrameType.data, 1).at(-1)!.flags).toBe(Flag.endStream);
    end.data("last", { ends: true });
    await turns(1);
    expect([asker.hasEnded, asker.over, end.session.isIdle]).toEqual([true, "closed", true]);
  });

  test("whose client is gone ends in order, and is taken back from a server that stays", async () => {
    const end = server([Setting.enableConnectProtocol, 1]);
    const asker = ask(end, handshake);
    await turns(1);
    end.head(status);
    asker.link.close();
    await turns(1);
    expect([end.of(FrameType.data, 1).at(-1)!.flags, end.resetCode()]).toEqual([1, undefined]);
    end.now = 2_000;
    end.session.tick();
    await turns(1);
    expect([end.resetCode(), end.session.isIdle]).toEqual([ErrorCode.cancel, true]);
  });

  test("whose client is gone is taken back from a server that does not read it, after a minute", async () => {
    const end = server([Setting.enableConnectProtocol, 1], [Setting.initialWindowSize, 4]);
    const asker = ask(end, handshake);
    await turns(1);
    end.head(status);
    asker.write("to server");
    asker.link.close();
    end.now = 59_000;
    end.session.tick();
    await turns(1);
    expect([end.bodyOf(1), end.session.isIdle]).toEqual(["to s", false]);
    end.now = 60_000;
    end.session.tick();
    await turns(1);
    expect([end.resetCode(), end.session.isIdle]).toEqual([ErrorCode.cancel, true]);
  });

  test("that the server refuses gets the refusal", async () => {
    const end = server([Setting.enableConnectProtocol, 1]);
    const asker = ask(end, handshake);
    await turns(1);
    end.head([[":status", "403"]], { ends: true });
    expect(asker.text).toBe("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });

  test("to a server that takes none is refused with a sentence, and nothing is sent", async () => {
    const end = server();
    const asker = ask(end, handshake);
    await turns(1);
    expect(asker.over).toBe("it speaks HTTP/2, and takes no WebSocket over it (RFC 8441)");
    expect(end.of(FrameType.headers)).toEqual([]);
  });
});
