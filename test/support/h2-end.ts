/**
 * A port into one request of HTTP/2 over TLS, whose windows a test opens by hand. Its bytes are those of DATA alone.
 */
import type { Socket } from "bun";
import { HeadWriter } from "../../src/proxy/frames/head-writer.ts";
import {
  contentOf,
  Flag,
  Found,
  FrameReader,
  FrameType,
  payloadLimit,
  preface,
  readUint31,
  readUint32,
  Setting,
  writeFrameHead,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "../../src/wire/h2/frame.ts";
import { HpackEncoder } from "../../src/wire/h2/hpack-encoder.ts";
import { RawEnd } from "./raw-end.ts";
import { connectSecure, type SecureOptions } from "./secure-end.ts";

const largest = 2 ** 31 - 1;
const first = 65_535;
/** What a browser lets come before it looks. */
const ordinary = 6 * 1_048_576;

export type H2EndOptions = {
  /** `opened` again as DATA is read; `wide`: as wide as can be, so that only an unread socket holds anything up. */
  windows?: "opened" | "wide";
};

export class H2End extends RawEnd {
  /** The answer is whole. */
  answered = false;
  /** Waits for windows that the other side has opened. */
  readonly #reader = new FrameReader();
  readonly #wide: boolean;
  #sendWindow = first;
  #streamWindow = first;
  #granting = true;
  #owed = 0;
  #widened: () => void = () => {};

  constructor(socket: Socket<RawEnd>, { windows = "opened" }: H2EndOptions) {
    super(socket);
    this.#wide = windows === "wide";
    this.keep = false;
  }

  /** The preface, and stream 1. `length`: of a body that `pump` will send. */
  ask(path: string, length?: number): void {
    const out = new HeadWriter(512);
    const window = this.#wide ? largest : ordinary;
    out.append(preface);
    writeSettings(out, [[Setting.initialWindowSize, window]]);
    writeWindowUpdate(out, 0, window - first);
    const block = new HeadWriter(256);
    const encoder = new HpackEncoder();
    encoder.begin(block);
    const fields: [string, string][] = [
      [":method", length === undefined ? "GET" : "POST"],
      [":scheme", "https"],
      [":authority", "api.localhost"],
      [":path", path],
    ];
    if (length !== undefined) fields.push(["content-length", String(length)]);
    for (const [name, value] of fields) {
      const bytes = Buffer.from(name + value);
      encoder.field(block, bytes, {
        nameStart: 0,
        nameEnd: name.length,
        valueStart: name.length,
        valueEnd: bytes.length,
      });
    }
    writeFrameHead(out, {
      length: block.length,
      type: FrameType.headers,
      flags: Flag.endHeaders | (length === undefined ? Flag.endStream : 0),
      stream: 1,
    });
    out.copy(block.bytes, 0, block.length);
    this.send(out.bytes.subarray(0, out.length));
  }

  /** Sends `count` octets of DATA as its windows let it. */
  async pump(count: number, within: number): Promise<void> {
    const frame = new HeadWriter(payloadLimit + 9);
    for (let left = count; left > 0;) {
      const most = Math.min(left, this.#sendWindow, this.#streamWindow, 64 * payloadLimit);
      if (most <= 0) {
        await new Promise<void>((resolve) => {
          this.#widened = resolve;
        });
        continue;
      }
      frame.clear();
      for (let at = 0; at < most; at += payloadLimit) {
        const length = Math.min(payloadLimit, most - at);
        const flags = left - at === length ? Flag.endStream : 0;
        writeFrameHead(frame, { length, type: FrameType.data, flags, stream: 1 });
        frame.reserve(length);
        frame.length += length;
      }
      left -= most;
      this.#sendWindow -= most;
      this.#streamWindow -= most;
      this.send(frame.bytes.subarray(0, frame.length));
      await this.sent(within);
    }
  }

  override got(bytes: Uint8Array): void {
    const reader = this.#reader;
    reader.push(bytes, 0);
    for (let found = reader.next(); found !== Found.more; found = reader.next()) {
      if (found === Found.bad) throw new Error("a frame is too long");
      this.#handle(reader);
    }
  }

  override pause(): void {
    if (this.#wide) super.pause();
    else this.#granting = false;
  }

  override resume(): void {
    if (this.#wide) super.resume();
    else {
      this.#granting = true;
      this.#grant();
    }
  }

  #handle(frame: FrameReader): void {
    const { type, flags, stream, bytes, start, end } = frame;
    if (type === FrameType.data) {
      const content = contentOf(frame)!;
      this.#owed += end - start;
      this.#grant();
      super.got(bytes.subarray(content.start, content.end));
    } else if (type === FrameType.settings && (flags & Flag.ack) === 0) {
      for (let at = start; at < end; at += 6) {
        if (bytes[at + 1] !== Setting.initialWindowSize) continue;
        this.#streamWindow += readUint32(bytes, at + 2) - first;
      }
      this.#write(writeSettingsAck);
      this.#widened();
    } else if (type === FrameType.windowUpdate) {
      if (stream === 0) this.#sendWindow += readUint31(bytes, start);
      else this.#streamWindow += readUint31(bytes, start);
      this.#widened();
    } else if (type === FrameType.resetStream || type === FrameType.goAway) {
      throw new Error(`frame ${type} with ${Buffer.from(bytes.slice(start, end)).toString("hex")}`);
    }
    if (type <= FrameType.headers && (flags & Flag.endStream) !== 0) {
      this.answered = true;
      super.got(new Uint8Array(0));
    }
  }

  #grant(): void {
    if (!this.#granting || this.#wide || this.#owed < 65_536) return;
    const count = this.#owed;
    this.#owed = 0;
    this.#write((out) => {
      writeWindowUpdate(out, 0, count);
      writeWindowUpdate(out, 1, count);
    });
  }

  #write(write: (out: HeadWriter) => void): void {
    const out = new HeadWriter(64);
    write(out);
    this.send(out.bytes.subarray(0, out.length));
  }
}

export function connectH2(port: number, options: SecureOptions & H2EndOptions): Promise<H2End> {
  const make = (socket: Socket<RawEnd>): H2End => new H2End(socket, options);
  return connectSecure(port, options, { protocol: "h2", make });
}
