/** Answers into frames without a session: windows, long sections, and a link that takes nothing. */
import { expect, test } from "bun:test";
import { nobody, type Link } from "../../../src/link/link.ts";
import { Sending } from "../../../src/proxy/frames/sending.ts";
import { writeOurSettings } from "../../../src/proxy/h2/settings.ts";
import { H2StreamLink, type StreamSession } from "../../../src/proxy/h2/stream-link.ts";
import { HeadWriter } from "../../../src/proxy/frames/head-writer.ts";
import { Flag, Found, FrameReader, FrameType } from "../../../src/wire/h2/frame.ts";
import { RequestWriter } from "../../../src/wire/h2/request.ts";
import { ResponseHead } from "../../../src/wire/head.ts";

/** A link that keeps frames as `type/flags/stream:length`. */
class Frames implements Link {
  handler = nobody;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2;
  readonly pending = 0;
  readonly descriptor = -1;
  readonly paused = false;
  readonly heard: string[] = [];
  stuck = false;
  readonly #reader = new FrameReader();

  write(bytes: Uint8Array, from: number, to: number): boolean {
    const reader = this.#reader;
    reader.push(bytes.slice(from, to), 0);
    while (reader.next() === Found.frame) {
      const { type, flags, stream, start, end } = reader;
      this.heard.push(`${type}/${flags}/${stream}:${end - start}`);
    }
    return !this.stuck;
  }

  halfClose(): void {}
  close(): void {}
  abort(): void {}
  pause(): void {}
  resume(): void {}
}

function scene(): {
  link: Frames;
  sending: Sending;
  open(id: number, window?: number): H2StreamLink;
} {
  const link = new Frames();
  const sending = new Sending(link, writeOurSettings);
  const session: StreamSession = {
    remoteAddress: "127.0.0.1",
    remotePort: 1,
    localAddress: "127.0.0.1",
    localPort: 2,
    sendHead: (stream, head) => sending.head(stream, head),
    sendData: (stream, piece) => sending.data(stream, piece),
    answered() {},
    reset() {},
    left() {},
    consumed() {},
    fault(fault) {
      throw fault;
    },
  };
  const request = new RequestWriter(new HeadWriter(16));
  return {
    link,
    sending,
    open(id, window = 1_000_000) {
      const stream = new H2StreamLink(session);
      stream.begin(id, { request, ends: true, window });
      return stream;
    },
  };
}

function answer(stream: H2StreamLink, length: number): void {
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
  const bytes = Buffer.from(text);
  stream.write(bytes, 0, bytes.length);
}

const { data, headers, continuation } = FrameType;
const { endStream, endHeaders } = Flag;

test("our SETTINGS are written once, before everything else", () => {
  const { link, sending } = scene();
  sending.begin();
  sending.begin();
  sending.flush();
  expect(link.heard.map((frame) => frame[0])).toEqual(["4", "8"]);
});

test("a head whose section is longer than a frame goes on in CONTINUATION", () => {
  const { link, sending, open } = scene();
  const value = "y".repeat(10_000);
  const lines = Array.from({ length: 4 }, (_, n) => `x-${n}: ${value}\r\n`).join("");
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${lines}\r\n`);
  const head = new ResponseHead();
  head.begin(0);
  expect(head.read(bytes).kind).toBe("done");
  sending.head(open(1), { fields: head, bytes, status: 200, last: true });
  sending.flush();
  expect(link.heard.map((frame) => frame.split(":")[0])).toEqual([
    `${headers}/${endStream}/1`,
    `${continuation}/0/1`,
    `${continuation}/${endHeaders}/1`,
  ]);
});

test("DATA goes as far as the smaller of two windows, and the rest in turn with other streams", () => {
  const { link, sending, open } = scene();
  const first = open(1);
  const narrow = open(3, 100);
  answer(narrow, 300);
  expect([narrow.pending, narrow.state]).toEqual([200, "half-closed (remote)"]);
  answer(first, 100_000);
  expect(first.pending).toBe(100_000 - (65_535 - 100));
  sending.flush();
  link.heard.length = 0;
  sending.window.widen(1_000_000);
  narrow.sendWindow.widen(1_000);
  sending.queue(narrow);
  sending.pump();
  sending.flush();
  expect(link.heard).toEqual([
    `${data}/0/1:16384`,
    `${data}/${endStream}/3:200`,
    `${data}/0/1:16384`,
    `${data}/${endStream}/1:1797`,
  ]);
  expect([first.state, narrow.state]).toEqual(["closed", "closed"]);
});

test("a link that takes nothing holds everything up, until it has taken what was written", () => {
  const { link, sending, open } = scene();
  link.stuck = true;
  sending.window.widen(10_000_000);
  const stream = open(1);
  answer(stream, 500_000);
  expect(sending.blocked).toBe(true);
  expect(stream.pending).toBeGreaterThan(400_000);
  sending.pump();
  expect(stream.pending).toBeGreaterThan(400_000);
  link.stuck = false;
  sending.unblock();
  sending.pump();
  sending.flush();
  expect([stream.pending, stream.state, sending.unread]).toEqual([0, "closed", false]);
  expect(link.heard.at(-1)).toStartWith(`${data}/${endStream}/1:`);
});
