/** Connections to servers of HTTP/2 that many requests share: refused, taken back, full, idle, and broken off. */
import { expect, test } from "bun:test";
import { connect } from "node:http2";
import { ErrorCode, Flag, FrameType, Setting } from "../../src/wire/h2/frame.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import type { Heard } from "../support/h2-frames.ts";
import { H2Script, type Scripted } from "../support/h2-script.ts";
import { connectRaw } from "../support/raw-end.ts";
import { startTestProxy } from "../support/test-proxy.ts";
import { turns } from "../support/turn.ts";

const get = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 5\r\n\r\nhello";

/** Whether the frame ends a request. */
function ends({ type, flags }: Heard): boolean {
  return type <= FrameType.headers && (flags & Flag.endStream) !== 0;
}

async function ask(port: number, request: string): Promise<{ status: number; body: string }> {
  using client = await connectRaw(port);
  client.send(request);
  return await client.message();
}

const takenBack: Record<string, (its: Scripted, stream: number) => void> = {
  "refuses the stream": (its, stream) => its.reset(stream, ErrorCode.refusedStream),
  "says GOAWAY and has not seen the stream": (its) => its.goAway(0),
};

for (const [how, take] of Object.entries(takenBack)) {
  test(`a request of any method is sent again to a server that ${how}, whole`, async () => {
    const bodies: string[] = [];
    let refusals = 0;
    using server = new H2Script({
      hear(its, frame) {
        if (frame.type === FrameType.data) bodies.push(Buffer.from(frame.payload).toString());
        if (!ends(frame)) return;
        if (refusals++ === 0) take(its, frame.stream);
        else its.answer(frame.stream, "answered");
      },
    });
    await using proxy = await startTestProxy({ services: { api: server } });
    expect(await ask(proxy.port, post)).toMatchObject({ status: 200, body: "answered" });
    expect(bodies).toEqual(["hello", "hello"]);
  });

  test(`a server that ${how} every time is asked four times`, async () => {
    let asked = 0;
    using server = new H2Script({
      hear(its, frame) {
        if (!ends(frame)) return;
        asked++;
        take(its, frame.stream);
      },
    });
    await using proxy = await startTestProxy({ services: { api: server } });
    const { status, body } = await ask(proxy.port, post);
    expect([status, asked]).toEqual([502, 4]);
    expect(body).toContain("it ");
  });
}

test("a request that a server may have processed is not sent again", async () => {
  let asked = 0;
  using server = new H2Script({
    hear(its, frame) {
      if (!ends(frame)) return;
      asked++;
      its.reset(frame.stream, ErrorCode.internalError);
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  const { status, body } = await ask(proxy.port, get);
  expect([status, asked]).toEqual([502, 1]);
  expect(body).toContain("it reset the request's stream (error 2 of HTTP/2)");
});

test("a server that takes few streams at once gets no more, and further connections", async () => {
  const held: (() => void)[] = [];
  using server = new H2Script({
    settings: [[Setting.maxConcurrentStreams, 2]],
    hear(its, frame) {
      if (ends(frame)) held.push(() => its.answer(frame.stream, "answered"));
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  const known = ask(proxy.port, get);
  await eventually("it is known what is spoken", () => held.length === 1);
  held.shift()!();
  await known;
  const answers = Array.from({ length: 50 }, () => ask(proxy.port, get));
  // As many connections as there may be, each of them full: the others wait.
  await eventually("as many as may be are asked", () => held.length === 32);
  for (let answered = 0; answered < 50; answered++) {
    await eventually("another one is asked", () => held.length > 0);
    held.shift()!();
  }
  for (const answer of answers) expect(await answer).toMatchObject({ status: 200 });
  expect(Math.max(...server.connections.map(({ most }) => most))).toBe(2);
  expect(server.connections.length).toBeLessThanOrEqual(1 + 16);
});

test("a client that leaves while it waits for a place leaves its place to others", async () => {
  const asked: string[] = [];
  const held: (() => void)[] = [];
  using server = new H2Script({
    settings: [[Setting.maxConcurrentStreams, 1]],
    hear(its, frame) {
      if (!ends(frame)) return;
      asked.push(frame.lines.find((line) => line.startsWith(":path"))!);
      held.push(() => its.answer(frame.stream, "answered"));
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  const first = Array.from({ length: 16 }, () => ask(proxy.port, get));
  await eventually("all places are taken", () => held.length === 16);
  const leaving = await connectRaw(proxy.port);
  leaving.send(get.replace("/ ", "/left "));
  const waiting = ask(proxy.port, get.replace("/ ", "/waits "));
  leaving.reset();
  await eventually("the client has left", () => proxy.connections === 17);
  for (const answer of held.splice(0)) answer();
  await eventually("the one that waits is asked", () => held.length === 1);
  held[0]!();
  await Promise.all([...first, waiting]);
  expect(asked).not.toContain(":path: /left");
});

test("a client that leaves takes its request back, and the session goes on", async () => {
  using server = new H2Script({
    hear(its, frame) {
      if (ends(frame) && frame.lines.includes(":path: /")) its.answer(frame.stream, "answered");
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  await ask(proxy.port, get);
  const [, its] = server.connections;
  const client = await connectRaw(proxy.port);
  client.send(get.replace("/ ", "/slow "));
  await eventually("the request is there", () => its!.open.size === 1);
  client.reset();
  await eventually("it is taken back", () => its!.resetCode(3) === ErrorCode.cancel);
  expect(await ask(proxy.port, get)).toMatchObject({ status: 200 });
  expect(server.connections.length).toBe(2);
});

test("clients that take requests back do not end another one's at a server that ends its connection for that", async () => {
  using server = new H2Script({
    hear(its, frame) {
      const lasts = frame.lines.includes(":path: /lasts");
      if (lasts) its.head(frame.stream, [[":status", "200"]]);
      if (frame.type === FrameType.data && frame.payload.length > 0) {
        its.frame(FrameType.data, { stream: frame.stream, payload: frame.payload });
      }
      // As Netty does.
      const resets = its.heard.filter(({ type }) => type === FrameType.resetStream).length;
      if (resets > 200) its.socket.terminate();
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  using lasting = await connectRaw(proxy.port);
  lasting.send(post.replace("POST /", "POST /lasts").replace(": 5", ": 10"));
  await lasting.until("hello");
  const open = (): number => server.connections.reduce((sum, { open: its }) => sum + its.size, 0);
  for (let round = 0; round < 5; round++) {
    const leaving = await Promise.all(Array.from({ length: 120 }, () => connectRaw(proxy.port)));
    for (const client of leaving) client.send(get);
    await eventually("all are asked", () => open() === 121);
    for (const client of leaving) client.reset();
    await eventually("all are taken back", () => open() === 1);
  }
  lasting.send("world");
  await lasting.until("world");
  // The first one was HTTP/1.1. The one that lasts is as worn as most others, but not idle.
  const closed = (): number => server.connections.filter((its) => its.closed).length;
  await eventually("worn connections end", () => closed() >= 3);
  expect(server.connections.length).toBeLessThan(10);
});

test("an answer that breaks off is broken off for the client as well", async () => {
  using server = new H2Script({
    hear(its, frame) {
      if (!ends(frame)) return;
      its.head(frame.stream, [[":status", "200"]]);
      its.frame(FrameType.data, { stream: frame.stream, payload: [97] });
      its.reset(frame.stream, ErrorCode.internalError);
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  using client = await connectRaw(proxy.port);
  client.send(get);
  const text = (await client.rest()).toString();
  expect(text).toEndWith("\r\n\r\n1\r\na\r\n");
});

test.each([
  [ErrorCode.cancel, ErrorCode.cancel],
  [ErrorCode.enhanceYourCalm, ErrorCode.enhanceYourCalm],
  [ErrorCode.refusedStream, ErrorCode.internalError],
  [ErrorCode.noError, ErrorCode.internalError],
])("within an answer, RST_STREAM with %i reaches a client of HTTP/2 as %i", async (code, told) => {
  using server = new H2Script({
    hear(its, frame) {
      if (!ends(frame)) return;
      its.head(frame.stream, [[":status", "200"]]);
      its.frame(FrameType.data, { stream: frame.stream, payload: [97] });
      its.reset(frame.stream, code);
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  const stream = session.request({ ":authority": "api.localhost" });
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  stream.on("error", () => {
    // The code says why.
  });
  stream.resume();
  await closed;
  expect(stream.rstCode).toBe(told);
  session.destroy();
});

test("a client of gRPC is told by which code its server has refused the call", async () => {
  using server = new H2Script({
    hear(its, frame) {
      if (ends(frame)) its.reset(frame.stream, ErrorCode.cancel);
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  using client = await connectRaw(proxy.port);
  client.send(
    post.replace("\r\n\r\n", "\r\nContent-Type: application/grpc\r\nTE: trailers\r\n\r\n"),
  );
  expect(await client.until("\r\n\r\n")).toContain("\r\ngrpc-status: 1\r\n");
});

test("a server that goes while it answers is 502 for requests that it may have processed", async () => {
  using server = new H2Script({
    hear(its, frame) {
      if (ends(frame)) its.socket.terminate();
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  const { status, body } = await ask(proxy.port, post);
  expect(status).toBe(502);
  expect(body).toContain("it closed the connection before its answer was complete");
});

test("a session that is idle for four seconds ends, with GOAWAY, and the next request makes another", async () => {
  const clock = new FakeClock();
  using server = new H2Script({
    hear(its, frame) {
      if (ends(frame)) its.answer(frame.stream, "answered");
    },
  });
  await using proxy = await startTestProxy({ services: { api: server }, clock });
  await ask(proxy.port, get);
  const [, session] = server.connections;
  clock.advance(3_000);
  await ask(proxy.port, get);
  expect(server.connections.length).toBe(2);
  clock.advance(5_000);
  await eventually("the session ends", () => session!.closed);
  expect(session!.heard.some(({ type }) => type === FrameType.goAway)).toBe(true);
  await ask(proxy.port, get);
  expect(server.connections.length).toBe(3);
});

test("a large upload waits for the server's windows, and a large answer for its client", async () => {
  const length = 3_000_000;
  let received = 0;
  using server = new H2Script({
    hear(its, frame) {
      const { stream } = frame;
      if (frame.type !== FrameType.data) return;
      received += frame.payload.length;
      const increment = [0, 0, frame.payload.length >> 8, frame.payload.length & 255];
      if (frame.payload.length > 0) {
        its.frame(FrameType.windowUpdate, { payload: increment });
        its.frame(FrameType.windowUpdate, { stream, payload: increment });
      }
      if (ends(frame)) its.answer(stream, String(received));
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  // The first request shows what the server speaks, and must not be too long for that.
  await ask(proxy.port, post);
  received = 0;
  const upload = `POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: ${length}\r\n\r\n`;
  expect(await ask(proxy.port, upload + "x".repeat(length))).toMatchObject({ body: `${length}` });
});

test("a WebSocket goes over a stream to a server that takes it so, both ways, to both ends", async () => {
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  using server = new H2Script({
    settings: [[Setting.enableConnectProtocol, 1]],
    hear(its, frame) {
      const { stream, type, flags } = frame;
      if (type === FrameType.headers) {
        if (frame.lines.includes(":protocol: websocket")) its.head(stream, [[":status", "200"]]);
        else its.answer(stream, "answered");
      }
      // What comes goes back as it is, with its end.
      if (type === FrameType.data) its.frame(type, { flags, stream, payload: frame.payload });
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  using client = await connectRaw(proxy.port);
  client.send(
    `GET /ws HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  const accepted = await client.until("\r\n\r\n");
  expect(accepted).toStartWith("HTTP/1.1 101 Switching Protocols\r\n");
  expect(accepted).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  client.send("one");
  await client.until("one");
  client.send("two").finish();
  expect((await client.rest()).toString()).toBe("two");
});

test("a request that waits a minute for a place is 503, and says for what", async () => {
  const clock = new FakeClock();
  let asked = 0;
  using server = new H2Script({
    settings: [[Setting.maxConcurrentStreams, 1]],
    hear(_its, frame) {
      if (ends(frame)) asked++;
    },
  });
  await using proxy = await startTestProxy({ services: { api: server }, clock });
  const clients = await Promise.all(Array.from({ length: 16 }, () => connectRaw(proxy.port)));
  for (const client of clients) client.send(get);
  await eventually("all places are taken", () => asked === 16);
  using late = await connectRaw(proxy.port);
  late.send(get);
  await eventually("it waits", () => proxy.connections === 17);
  await turns(5);
  clock.advance(61_000);
  const { status, body } = await late.message();
  expect(status).toBe(503);
  expect(body).toContain("this one waited 60 s for a connection");
  for (const client of clients) client.reset();
});

test("a server that ends every connection before it takes a request is not dialled for ever", async () => {
  using server = new H2Script({
    settings: [[Setting.maxConcurrentStreams, 0]],
    hear(its, { type, flags }) {
      if (type === FrameType.settings && (flags & Flag.ack) !== 0) its.goAway(0);
    },
  });
  await using proxy = await startTestProxy({ services: { api: server } });
  const { status, body } = await ask(proxy.port, get);
  expect(status).toBe(502);
  expect(body).toContain("it speaks HTTP/2, and ends every connection before it takes a request");
  expect(server.connections.length).toBeLessThan(30);
});
