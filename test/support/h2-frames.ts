/** An HTTP/2 session without a network into frames: what a test writes goes in, what comes out is kept. */
import type { Link, LinkHandler } from "../../src/link/link.ts";
import { H2Session, type H2SessionOptions } from "../../src/proxy/h2/session.ts";
import { HeadWriter } from "../../src/proxy/frames/head-writer.ts";
import {
  Flag,
  Found,
  FrameReader,
  FrameType,
  preface,
  readUint31,
  readUint32,
  writeFrameHead,
} from "../../src/wire/h2/frame.ts";
import { HpackDecoder } from "../../src/wire/h2/hpack-decoder.ts";
import { HpackEncoder } from "../../src/wire/h2/hpack-encoder.ts";
import { eventually } from "./eventually.ts";
import { testShared, type TestShared } from "./h2-proxy.ts";
import type { Place } from "./test-proxy.ts";

export type Heard = {
  type: number;
  flags: number;
  stream: number;
  payload: Uint8Array;
  /** Of HEADERS. */
  lines: string[];
};

/** The client's end, and the link that the session has. */
export class H2Frames implements Link {
  handler!: LinkHandler;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2;
  readonly descriptor = -1;
  readonly heard: Heard[] = [];
  readonly session: H2Session;
  readonly shared: TestShared;
  paused = false;
  /** Octets that the session wrote and that were not taken yet, while `stuck`. */
  pending = 0;
  stuck = false;
  ended = false;
  over = false;
  readonly #reader = new FrameReader();
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder();

  constructor(
    services: Record<string, Place>,
    serverName: string | undefined = "api.localhost",
    allowances?: H2SessionOptions["allowances"],
  ) {
    this.shared = testShared(services);
    this.session = new H2Session(this, {
      shared: this.shared,
      secured: true,
      tunnelled: false,
      serverName,
      ...(allowances === undefined ? {} : { allowances }),
      gone() {},
    });
  }

  // The client.

  send(bytes: Uint8Array): void {
    this.handler.data(bytes);
  }

  /** The preface and empty SETTINGS. */
  greet(): this {
    this.send(preface);
    this.frame(FrameType.settings, { stream: 0 });
    return this;
  }

  frame(
    type: number,
    {
      flags = 0,
      stream = 1,
      payload = new Uint8Array(0),
    }: { flags?: number; stream?: number; payload?: Uint8Array | number[] },
  ): void {
    this.send(frameOf(type, { flags, stream, payload: Uint8Array.from(payload) }));
  }

  /** A header section's octets. */
  block(fields: readonly (readonly [string, string])[]): Uint8Array {
    const out = new HeadWriter(64);
    this.#encoder.begin(out);
    for (const [name, value] of fields) {
      const bytes = Buffer.from(name + value, "latin1");
      const nameEnd = name.length;
      const places = { nameStart: 0, nameEnd, valueStart: nameEnd, valueEnd: bytes.length };
      this.#encoder.field(out, bytes, places);
    }
    return out.bytes.slice(0, out.length);
  }

  request(
    stream: number,
    {
      method = "GET",
      path = "/",
      authority = "api.localhost",
      more = [],
      ended = true,
    }: {
      method?: string;
      path?: string;
      authority?: string;
      more?: [string, string][];
      ended?: boolean;
    } = {},
  ): void {
    const payload = this.block([
      [":method", method],
      [":scheme", "https"],
      [":authority", authority],
      [":path", path],
      ...more,
    ]);
    const flags = Flag.endHeaders | (ended ? Flag.endStream : 0);
    this.frame(FrameType.headers, { flags, stream, payload });
  }

  /** Waits for a frame of this type, on this stream where one is given. */
  async next(type: number, stream?: number): Promise<Heard> {
    let found: Heard | undefined;
    await eventually(`frame ${type} on stream ${stream}`, () => {
      found = this.heard.find(
        (frame) => frame.type === type && (stream === undefined || frame.stream === stream),
      );
      return found !== undefined;
    });
    return found!;
  }

  /** RST_STREAM's code, once it is there. */
  async resetCode(stream: number): Promise<number> {
    return readUint32((await this.next(FrameType.resetStream, stream)).payload, 0);
  }

  async goAwayCode(): Promise<number> {
    return readUint32((await this.next(FrameType.goAway)).payload, 4);
  }

  get lastStreamOfGoAway(): number {
    return readUint31(this.heard.find(({ type }) => type === FrameType.goAway)!.payload, 0);
  }

  bodyOf(stream: number): Buffer {
    return Buffer.concat(
      this.heard
        .filter((frame) => frame.type === FrameType.data && frame.stream === stream)
        .map(({ payload }) => payload),
    );
  }

  async finished(stream: number): Promise<void> {
    await eventually(`the end of stream ${stream}`, () =>
      this.heard.some(
        (frame) => frame.stream === stream && frame.type <= 1 && (frame.flags & Flag.endStream) > 0,
      ),
    );
  }

  unstick(): void {
    this.stuck = false;
    this.pending = 0;
    this.handler.drained();
  }

  // The link.

  write(bytes: Uint8Array, from: number, to: number): boolean {
    this.#reader.push(bytes.slice(from, to), 0);
    for (let found = this.#reader.next(); found !== Found.more; found = this.#reader.next()) {
      if (found === Found.bad) throw new Error("the session wrote a frame that is too long");
      const { type, flags, stream, bytes: source, start, end } = this.#reader;
      const lines: string[] = [];
      if (type === FrameType.headers) {
        const wrong = this.#decoder.decode(
          source,
          { from: start, to: end },
          { field: ({ line }) => lines.push(Buffer.from(line).toString("latin1").trim()) },
        );
        if (wrong !== undefined) throw new Error(wrong);
      }
      this.heard.push({ type, flags, stream, payload: source.slice(start, end), lines });
    }
    if (this.stuck) this.pending += to - from;
    return !this.stuck;
  }

  halfClose(): void {
    this.ended = true;
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    queueMicrotask(() => this.handler.closed(undefined));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

export function frameOf(
  type: number,
  { flags, stream, payload }: { flags: number; stream: number; payload: Uint8Array },
): Uint8Array {
  const out = new HeadWriter(payload.length + 9);
  writeFrameHead(out, { length: payload.length, type, flags, stream });
  out.append(payload);
  return out.bytes.slice(0, out.length);
}
