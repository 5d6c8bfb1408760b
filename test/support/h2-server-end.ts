/** A session with a server of HTTP/2, without a network: frames of a test go in, and what comes out is kept. */
import type { Link, LinkHandler } from "../../src/link/link.ts";
import { HeadWriter } from "../../src/proxy/frames/head-writer.ts";
import type { RequestStream } from "../../src/proxy/streams/request-stream.ts";
import { ServerSession } from "../../src/proxy/streams/server-session.ts";
import {
  Flag,
  Found,
  FrameReader,
  FrameType,
  preface,
  readUint32,
  type Setting,
} from "../../src/wire/h2/frame.ts";
import { HpackDecoder } from "../../src/wire/h2/hpack-decoder.ts";
import { HpackEncoder } from "../../src/wire/h2/hpack-encoder.ts";
import { frameOf, type Heard } from "./h2-frames.ts";

type Field = readonly [name: string, value: string];

/** The link that the session has, and the server behind it. */
export class H2ServerEnd implements Link {
  handler!: LinkHandler;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2;
  readonly descriptor = -1;
  readonly heard: Heard[] = [];
  readonly session: ServerSession;
  /** `ready`, `declined`, `changed` and `gone`, in their order, without repetition of `changed`. */
  readonly news: string[] = [];
  readonly faults: unknown[] = [];
  /** Milliseconds. */
  now = 0;
  paused = false;
  stuck = false;
  over = false;
  pending = 0;
  #toSkip = preface.length;
  readonly #reader = new FrameReader();
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder();
  /** The frames of a section, so far, and the first of them. */
  #section: Uint8Array[] = [];
  #opened: Heard | undefined;

  constructor() {
    const tell = (what: string) => (): void => {
      if (this.news.at(-1) !== what) this.news.push(what);
    };
    this.session = new ServerSession(this, {
      scheme: "http",
      now: () => this.now,
      ready: tell("ready"),
      declined: tell("declined"),
      changed: tell("changed"),
      gone: tell("gone"),
      fault: (fault) => this.faults.push(fault),
    });
  }

  // The server.

  send(bytes: Uint8Array): void {
    this.handler.data(bytes);
  }

  frame(
    type: number,
    {
      flags = 0,
      stream = 1,
      payload = new Uint8Array(0),
    }: { flags?: number; stream?: number; payload?: Uint8Array | number[] } = {},
  ): void {
    this.send(frameOf(type, { flags, stream, payload: Uint8Array.from(payload) }));
  }

  settings(...values: [(typeof Setting)[keyof typeof Setting], number][]): this {
    const payload = values.flatMap(([setting, value]) => [0, setting, ...uint32(value)]);
    this.frame(FrameType.settings, { stream: 0, payload });
    return this;
  }

  block(fields: readonly Field[]): Uint8Array {
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

  head(fields: readonly Field[], { stream = 1, ends = false } = {}): void {
    const flags = Flag.endHeaders | (ends ? Flag.endStream : 0);
    this.frame(FrameType.headers, { flags, stream, payload: this.block(fields) });
  }

  data(text: string, { stream = 1, ends = false } = {}): void {
    const flags = ends ? Flag.endStream : 0;
    this.frame(FrameType.data, { flags, stream, payload: Buffer.from(text, "latin1") });
  }

  reset(code: number, stream = 1): void {
    this.frame(FrameType.resetStream, { stream, payload: uint32(code) });
  }

  goAway(lastStream: number): void {
    this.frame(FrameType.goAway, { stream: 0, payload: [...uint32(lastStream), ...uint32(0)] });
  }

  window(increment: number, stream = 0): void {
    this.frame(FrameType.windowUpdate, { stream, payload: uint32(increment) });
  }

  /** Frames of this type, on this stream where one is given. */
  of(type: number, stream?: number): Heard[] {
    return this.heard.filter((its) => its.type === type && (stream ?? its.stream) === its.stream);
  }

  /** The code of the stream's RST_STREAM; undefined: there was none. */
  resetCode(stream = 1): number | undefined {
    const [reset] = this.of(FrameType.resetStream, stream);
    return reset && readUint32(reset.payload, 0);
  }

  /** The code of GOAWAY; undefined: there was none. */
  get goAwayCode(): number | undefined {
    const [said] = this.of(FrameType.goAway);
    return said && readUint32(said.payload, 4);
  }

  bodyOf(stream: number): string {
    return Buffer.concat(this.of(FrameType.data, stream).map((its) => its.payload)).toString(
      "latin1",
    );
  }

  unstick(): void {
    this.stuck = false;
    this.handler.drained();
  }

  // The link.

  write(bytes: Uint8Array, from: number, to: number): boolean {
    const skipped = Math.min(this.#toSkip, to - from);
    this.#toSkip -= skipped;
    this.#reader.push(bytes.slice(from + skipped, to), 0);
    for (let found = this.#reader.next(); found !== Found.more; found = this.#reader.next()) {
      if (found === Found.bad) throw new Error("the session wrote a frame that is too long");
      this.#hear();
    }
    return !this.stuck;
  }

  #hear(): void {
    const { type, flags, stream, bytes, start, end } = this.#reader;
    const frame: Heard = { type, flags, stream, payload: bytes.slice(start, end), lines: [] };
    this.heard.push(frame);
    if (type === FrameType.headers) this.#opened = frame;
    if (type !== FrameType.headers && type !== FrameType.continuation) return;
    this.#section.push(frame.payload);
    if ((flags & Flag.endHeaders) === 0) return;
    const { lines } = this.#opened!;
    const block = Buffer.concat(this.#section.splice(0));
    const field = ({ line }: { line: Uint8Array }): void => {
      lines.push(Buffer.from(line).toString("latin1").trim());
    };
    const wrong = this.#decoder.decode(block, { from: 0, to: block.length }, { field });
    if (wrong !== undefined) throw new Error(wrong);
  }

  halfClose(): void {}

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

/** The owner of one request's link: keeps what it hears. */
export class Asker implements LinkHandler {
  text = "";
  drains = 0;
  hasEnded = false;
  /** Undefined: the link is not closed yet; a link without a cause says `closed`. */
  over: string | undefined;
  cause: Error | undefined;

  constructor(readonly link: RequestStream) {
    link.handler = this;
  }

  write(text: string): boolean {
    const bytes = Buffer.from(text, "latin1");
    return this.link.write(bytes, 0, bytes.length);
  }

  data(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString("latin1");
  }

  drained(): void {
    this.drains++;
  }

  ended(): void {
    this.hasEnded = true;
  }

  closed(cause: Error | undefined): void {
    if (this.over !== undefined) throw new Error("closed twice");
    this.over = cause?.message ?? "closed";
    this.cause = cause;
  }

  failed(fault: unknown): void {
    throw fault;
  }
}

export function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
