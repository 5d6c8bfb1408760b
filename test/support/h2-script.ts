/** A script into a server of HTTP/2 that sends whatever frames it likes, over TCP. */
import type { Socket, TCPSocketListener } from "bun";
import { HeadWriter } from "../../src/proxy/frames/head-writer.ts";
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
import { uint32 } from "./h2-server-end.ts";

type Settings = readonly [(typeof Setting)[keyof typeof Setting], number][];

/** One connection. */
export class Scripted {
  readonly heard: Heard[] = [];
  /** Streams that are open, and the most that were at once. */
  readonly open = new Set<number>();
  most = 0;
  closed = false;
  #toSkip = preface.length;
  readonly #reader = new FrameReader();
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder();

  constructor(
    readonly socket: Socket<Scripted>,
    /** Its place among all connections. */
    readonly index: number,
  ) {}

  frame(type: number, { flags = 0, stream = 0, payload = [] as Uint8Array | number[] } = {}): void {
    this.socket.write(frameOf(type, { flags, stream, payload: Uint8Array.from(payload) }));
  }

  settings(settings: Settings): void {
    const payload = settings.flatMap(([setting, value]) => [0, setting, ...uint32(value)]);
    this.frame(FrameType.settings, { payload });
  }

  head(
    stream: number,
    fields: readonly (readonly [string, string])[],
    { ends = false } = {},
  ): void {
    const out = new HeadWriter(64);
    this.#encoder.begin(out);
    for (const [name, value] of fields) {
      const bytes = Buffer.from(name + value, "latin1");
      const nameEnd = name.length;
      const places = { nameStart: 0, nameEnd, valueStart: nameEnd, valueEnd: bytes.length };
      this.#encoder.field(out, bytes, places);
    }
    const flags = Flag.endHeaders | (ends ? Flag.endStream : 0);
    this.frame(FrameType.headers, { flags, stream, payload: out.bytes.slice(0, out.length) });
    if (ends) this.open.delete(stream);
  }

  answer(stream: number, body: string): void {
    this.head(stream, [[":status", "200"]]);
    this.frame(FrameType.data, { flags: Flag.endStream, stream, payload: Buffer.from(body) });
    this.open.delete(stream);
  }

  reset(stream: number, code: number): void {
    this.open.delete(stream);
    this.frame(FrameType.resetStream, { stream, payload: uint32(code) });
  }

  goAway(lastStream: number): void {
    this.frame(FrameType.goAway, { payload: [...uint32(lastStream), ...uint32(0)] });
  }

  received(bytes: Uint8Array, script: (its: Scripted, frame: Heard) => void): void {
    if (this.#toSkip === preface.length && bytes[1] !== preface[1]) {
      // A client that does not know yet what is spoken here.
      this.socket.end();
      return;
    }
    const skipped = Math.min(this.#toSkip, bytes.length);
    this.#toSkip -= skipped;
    this.#reader.push(bytes.slice(skipped), 0);
    for (let found = this.#reader.next(); found !== Found.more; found = this.#reader.next()) {
      if (found === Found.bad) throw new Error("the proxy wrote a frame that is too long");
      const { type, flags, stream, bytes: source, start, end } = this.#reader;
      const frame: Heard = { type, flags, stream, payload: source.slice(start, end), lines: [] };
      if (type === FrameType.headers) {
        const field = ({ line }: { line: Uint8Array }): void => {
          frame.lines.push(Buffer.from(line).toString("latin1").trim());
        };
        const wrong = this.#decoder.decode(source, { from: start, to: end }, { field });
        if (wrong !== undefined) throw new Error(wrong);
        this.open.add(stream);
        this.most = Math.max(this.most, this.open.size);
      }
      if (type === FrameType.resetStream) this.open.delete(stream);
      this.heard.push(frame);
      script(this, frame);
    }
  }

  /** The code of the stream's RST_STREAM; undefined: there was none. */
  resetCode(stream: number): number | undefined {
    const found = this.heard.find(
      (its) => its.type === FrameType.resetStream && its.stream === stream,
    );
    return found && readUint32(found.payload, 0);
  }
}

export class H2Script implements Disposable {
  readonly connections: Scripted[] = [];
  readonly faults: unknown[] = [];
  readonly #listener: TCPSocketListener<Scripted>;

  /** `hear` is called with every frame of the proxy's. */
  constructor({
    settings = [],
    hear,
  }: {
    settings?: Settings;
    hear(its: Scripted, frame: Heard): void;
  }) {
    this.#listener = Bun.listen<Scripted>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = new Scripted(socket, this.connections.length);
          this.connections.push(socket.data);
          socket.data.settings(settings);
        },
        data: ({ data: its }, bytes) => {
          try {
            its.received(bytes, hear);
          } catch (fault) {
            this.faults.push(fault);
          }
        },
        close: ({ data: its }) => {
          its.closed = true;
        },
        error() {},
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** @throws the script's own faults. */
  [Symbol.dispose](): void {
    this.#listener.stop(true);
    if (this.faults.length > 0) throw new AggregateError(this.faults, String(this.faults[0]));
  }
}
