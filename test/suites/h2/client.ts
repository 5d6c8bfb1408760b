/**
 * A port that speaks TLS into a client of HTTP/2 that writes any frame, well-formed or not, and hears what comes back.
 * Its fields are literals without Huffman coding, so that any octet can be sent. Acknowledges SETTINGS and PING.
 */
import { type Socket, connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  Found,
  FrameReader,
  FrameType,
  preface,
  readUint31,
  readUint32,
} from "../../../src/wire/h2/frame.ts";
import { HpackDecoder } from "../../../src/wire/h2/hpack-decoder.ts";

export type Field = readonly [name: string, value: string];

export type Frame = {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
  /** `name: value`, of HEADERS and what continues them. */
  fields: string[];
};

export type FrameOptions = { flags?: number; stream?: number; payload?: Uint8Array };

const firstWindow = 65_535;

export class H2Client {
  readonly heard: Frame[] = [];
  closed = false;
  /** Called with each frame, behind what the client itself does with it. */
  onFrame: (frame: Frame) => void = () => {};
  /** Octets that may be sent on the connection, and on each stream that was opened. */
  window = firstWindow;
  readonly windows = new Map<number, number>();
  initialWindow = firstWindow;
  /** The peer's settings by number. */
  readonly settings = new Map<number, number>();
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #decoder = new HpackDecoder();
  #block: Buffer[] = [];
  /** What the other end has to begin with, as far as it has not come. */
  #awaited: Uint8Array;
  #changed = new Set<() => void>();

  /** `expects`: of a server, the client's preface. */
  constructor(socket: Socket, { expects = new Uint8Array(0) }: { expects?: Uint8Array } = {}) {
    this.#socket = socket;
    this.#awaited = expects;
    socket.on("data", (bytes: Buffer) => this.#got(bytes));
    socket.on("error", () => this.#gone());
    socket.on("close", () => this.#gone());
    socket.on("end", () => this.#gone());
  }

  send(bytes: Uint8Array): void {
    if (!this.closed) this.#socket.write(bytes);
  }

  /** The preface and SETTINGS. */
  greet(settings: readonly (readonly [id: number, value: number])[] = []): this {
    this.send(preface);
    this.send(frame(FrameType.settings, { payload: settingsOf(settings) }));
    return this;
  }

  frame(type: number, options: FrameOptions): void {
    this.send(frame(type, options));
  }

  /** HEADERS, and CONTINUATION where they do not fit. */
  headers(stream: number, fields: readonly Field[], { end = true }: { end?: boolean } = {}): void {
    if (!this.windows.has(stream)) this.windows.set(stream, this.initialWindow);
    const block = blockOf(fields);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at === 0 || at < block.length; at += 16_384) {
      const last = at + 16_384 >= block.length;
      const flags = (last ? 4 : 0) | (at === 0 && end ? 1 : 0);
      const type = at === 0 ? FrameType.headers : FrameType.continuation;
      pieces.push(frame(type, { flags, stream, payload: block.subarray(at, at + 16_384) }));
    }
    this.send(Buffer.concat(pieces));
  }

  data(
    stream: number,
    payload: string | Uint8Array,
    { end = false }: { end?: boolean } = {},
  ): void {
    const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
    this.frame(FrameType.data, { flags: end ? 1 : 0, stream, payload: bytes });
  }

  /** Waits for a frame. @returns undefined where none comes in time, or the connection ends first. */
  async next(wanted: (frame: Frame) => boolean, within: number): Promise<Frame | undefined> {
    const found = (): Frame | undefined => this.heard.find(wanted);
    if (found() === undefined && !this.closed) {
      await new Promise<void>((resolve) => {
        const settle = (): void => {
          clearTimeout(timer);
          this.#changed.delete(check);
          resolve();
        };
        const check = (): void => {
          if (found() !== undefined || this.closed) settle();
        };
        const timer = setTimeout(settle, within);
        this.#changed.add(check);
      });
    }
    return found();
  }

  /** Waits for the end of the connection, for so long. */
  async gone(within: number): Promise<boolean> {
    await this.next(() => false, within);
    return this.closed;
  }

  /** Octets of a stream's DATA so far. */
  bodyOf(stream: number): string {
    const parts = this.heard.filter((it) => it.type === FrameType.data && it.stream === stream);
    return Buffer.concat(parts.map(({ payload }) => payload)).toString("latin1");
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Opens the other end's windows again. */
  grant(stream: number, count: number): void {
    if (count === 0) return;
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(count);
    for (const of of [0, stream]) this.frame(FrameType.windowUpdate, { stream: of, payload });
  }

  #got(all: Buffer): void {
    const front = all.subarray(0, this.#awaited.length);
    if (!front.equals(this.#awaited.subarray(0, front.length))) {
      this.close();
      return;
    }
    this.#awaited = this.#awaited.subarray(front.length);
    const bytes = all.subarray(front.length);
    this.#reader.push(Uint8Array.from(bytes), 0);
    for (let found = this.#reader.next(); found !== Found.more; found = this.#reader.next()) {
      if (found === Found.bad) {
        this.close();
        return;
      }
      const { type, flags, stream, bytes: source, start, end } = this.#reader;
      const payload = Buffer.from(source.slice(start, end));
      this.#handle({ type, flags, stream, payload, fields: [] });
    }
    this.#tell();
  }

  #handle(come: Frame): void {
    const { type, flags, stream, payload } = come;
    if (type === FrameType.settings && (flags & 1) === 0) {
      for (let at = 0; at + 6 <= payload.length; at += 6) {
        this.settings.set(payload.readUInt16BE(at), readUint32(payload, at + 2));
      }
      this.initialWindow = this.settings.get(4) ?? firstWindow;
      this.frame(FrameType.settings, { flags: 1 });
    }
    if (type === FrameType.ping && (flags & 1) === 0) this.frame(type, { flags: 1, payload });
    if (type === FrameType.windowUpdate) {
      const more = readUint31(payload, 0);
      if (stream === 0) this.window += more;
      else this.windows.set(stream, (this.windows.get(stream) ?? this.initialWindow) + more);
    }
    if (type === FrameType.headers) this.#block = [payload];
    if (type === FrameType.continuation) this.#block.push(payload);
    if ((type === FrameType.headers || type === FrameType.continuation) && (flags & 4) > 0) {
      const block = Buffer.concat(this.#block);
      const field = ({ line }: { line: Uint8Array }): void =>
        void come.fields.push(Buffer.from(line).toString("latin1").replace(/\r\n$/, ""));
      this.#decoder.decode(block, { from: 0, to: block.length }, { field });
    }
    this.heard.push(come);
    this.onFrame(come);
  }

  #gone(): void {
    this.closed = true;
    this.#tell();
  }

  #tell(): void {
    for (const changed of [...this.#changed]) changed();
  }
}

/** Over TLS with ALPN h2. @throws where the handshake fails or another protocol is chosen. */
export async function connectH2(port: number, host: string): Promise<H2Client> {
  const { promise, resolve, reject } = Promise.withResolvers<H2Client>();
  const socket = connectTls({
    socket: connectTcp({ host: "127.0.0.1", port }),
    servername: host,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
  });
  socket.once("error", reject);
  socket.once("secureConnect", () => {
    if (socket.alpnProtocol === "h2") resolve(new H2Client(socket));
    else reject(new Error(`the protocol is ${socket.alpnProtocol}, not h2`));
  });
  return promise;
}

/** Without TLS, by prior knowledge. */
export async function connectH2c(port: number): Promise<H2Client> {
  const socket = connectTcp({ host: "127.0.0.1", port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return new H2Client(socket);
}

export function frame(
  type: number,
  { flags = 0, stream = 0, payload = new Uint8Array(0) }: FrameOptions,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function settingsOf(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return payload;
}

/** RFC 7541 section 6.2.2: literals without indexing, with new names. */
export function blockOf(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), textOf(name), textOf(value)]),
  );
}

/** RFC 7541 section 5.2. */
function textOf(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) length.push((left % 128) + 128);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}
