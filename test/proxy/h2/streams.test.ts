/** Numbers of streams without a session: which state each has, live, over, never opened or long forgotten. */
import { expect, test } from "bun:test";
import { H2StreamLink, type StreamSession } from "../../../src/proxy/h2/stream-link.ts";
import { Streams } from "../../../src/proxy/h2/streams.ts";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { ErrorCode } from "../../../src/wire/h2/frame.ts";
import { RequestWriter } from "../../../src/wire/h2/request.ts";

const session: StreamSession = {
  remoteAddress: "127.0.0.1",
  remotePort: 1,
  localAddress: "127.0.0.1",
  localPort: 2,
  sendHead() {},
  sendData: (_, { to }) => to,
  answered() {},
  reset() {},
  left() {},
  consumed() {},
  fault(fault) {
    throw fault;
  },
};
const request = new RequestWriter(new HeadWriter(16));

function opened(streams: Streams, id: number, ends = false): H2StreamLink {
  const stream = new H2StreamLink(session);
  streams.addLink(stream);
  streams.last = id;
  stream.begin(id, { request, ends, window: 1 });
  streams.open(stream);
  return stream;
}

function reset(streams: Streams, id: number): void {
  const stream = opened(streams, id);
  stream.move("send RST_STREAM");
  streams.close(stream);
}

test("a number is idle until its stream is opened, then has the state of the stream", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  expect(streams.stateOf(1)).toBe("idle");
  opened(streams, 1);
  opened(streams, 3, true);
  expect([1, 3, 5].map((id) => streams.stateOf(id))).toEqual([
    "open",
    "half-closed (remote)",
    "idle",
  ]);
  expect(streams.size).toBe(2);
});

test("a number that was passed over is closed: section 5.1.1", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  opened(streams, 5);
  expect(streams.stateOf(3)).toBe("closed");
  expect(streams.moveOther(3, "recv HEADERS")?.code).toBe(ErrorCode.protocolError);
});

test("a stream that we reset takes what was on its way, up to its end", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  reset(streams, 1);
  expect(streams.stateOf(1)).toBe("closed (reset)");
  expect(streams.moveOther(1, "recv DATA")).toBeUndefined();
  expect(streams.moveOther(1, "recv END_STREAM")).toBeUndefined();
  expect(streams.stateOf(1)).toBe("closed");
  expect(streams.moveOther(1, "recv DATA")?.scope).toBe("connection");
});

test("of streams that were reset long ago nothing is remembered, and none is held against the client", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  for (let id = 1; id < 2 * 2_000; id += 2) reset(streams, id);
  for (const id of [1, 1_001, 3_999]) expect(streams.stateOf(id)).toBe("closed (reset)");
  expect(streams.stateOf(4_001)).toBe("idle");
});

test("while the proxy stops, every number without a stream is ignored", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  opened(streams, 1);
  streams.draining = true;
  expect([1, 3].map((id) => streams.stateOf(id))).toEqual(["open", "closed (reset)"]);
});

test("links end once, in the order of their leaving, and those that end meanwhile with them", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  const ended: number[] = [];
  const leaving = [1, 3, 5].map((id) => {
    const stream = opened(streams, id);
    stream.handler = {
      ...stream.handler,
      closed() {
        ended.push(id);
        if (id === 1) streams.leave(stream);
        if (id === 1) streams.leave(leaving[2]!);
      },
    };
    return stream;
  });
  streams.leave(leaving[0]!);
  streams.leave(leaving[1]!);
  streams.removeLeaving();
  expect(ended).toEqual([1, 3, 5]);
  streams.removeAll(undefined);
  expect(ended).toEqual([1, 3, 5]);
});

test("what we must not send is our own fault, and thrown", () => {
  const streams = new Streams({ credit() {}, wake() {}, reset() {} });
  const stream = opened(streams, 1, true);
  stream.move("send END_STREAM");
  expect(() => stream.move("send HEADERS")).toThrow('"send HEADERS" on a stream that is closed');
});
