/** One end of a connection into bytes that a test sends and waits for. Knows nothing of `src`. */
import type { Socket } from "bun";
import { latin1Bytes } from "./latin1.ts";
import { type Message, type MessageContext, readMessage } from "./strict-reader.ts";
import { turn } from "./turn.ts";

/** Milliseconds: far more than anything here takes on a busy machine, and less than a test may take. */
const patience = 20_000;

/** The connection is gone, or the other end has said its last, before what was waited for. */
export class Gone extends Error {}

export class RawEnd implements Disposable {
  /** Bytes received in all, taken or not, kept or not. */
  total = 0;
  /** The other end sent FIN. */
  ended = false;
  /** The connection is gone. */
  closed = false;
  /** The other end broke it off (RST). */
  broken = false;
  /** False: bytes are counted and thrown away. */
  keep = true;

  #socket: Socket<RawEnd>;
  #bytes = Buffer.alloc(0);
  /** `#bytes` is filled up to here. */
  #filled = 0;
  #taken = 0;
  #unsent: Uint8Array[] = [];
  /** Done behind the last unsent byte. */
  #then: "nothing" | "finish" | "end" = "nothing";
  #changed = new Set<() => void>();

  constructor(socket: Socket<RawEnd>) {
    this.#socket = socket;
    socket.setNoDelay(true);
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  /** All that was kept, taken or not, one character an octet. */
  get text(): string {
    return this.#bytes.toString("latin1", 0, this.#filled);
  }

  /** Received and not yet taken. */
  get received(): Buffer {
    return this.#bytes.subarray(this.#taken, this.#filled);
  }

  /** The other end sent FIN or RST, or the connection is gone. */
  get over(): boolean {
    return this.ended || this.closed;
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent(): number {
    return this.#unsent.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Text is sent one octet a character. */
  send(data: string | Uint8Array): this {
    if (this.closed || data.length === 0) return this;
    this.#unsent.push(typeof data === "string" ? latin1Bytes(data) : data);
    if (this.#unsent.length === 1) this.#flush();
    // The caller may use its bytes again.
    if (this.#unsent.length > 0) this.#unsent.push(this.#unsent.pop()!.slice());
    return this;
  }

  /** Sends pieces of `size` octets, each in a packet of its own. */
  async sendEach(data: string | Uint8Array, size = 1): Promise<void> {
    const bytes = typeof data === "string" ? latin1Bytes(data) : data;
    for (let at = 0; at < bytes.length && !this.closed; at += size) {
      this.send(bytes.subarray(at, at + size));
      await this.sent();
      await turn();
    }
  }

  /** Sends FIN after what is unsent; goes on reading. */
  finish(): this {
    return this.#afterSending("finish");
  }

  /** Sends what is unsent, and ends both ways: a server's `Connection: close`. */
  end(): this {
    return this.#afterSending("end");
  }

  /** As a program does that exits: FIN, and nobody reads any more. */
  close(): void {
    if (!this.closed) this.#socket.end();
  }

  reset(): void {
    if (!this.closed) this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Takes everything up to the end of `text`. @throws where the other end sends no more before. */
  async until(text: string): Promise<string> {
    await this.#when(() => this.received.indexOf(text, 0, "latin1") !== -1, JSON.stringify(text));
    return this.#take(this.received.indexOf(text, 0, "latin1") + text.length).toString("latin1");
  }

  /**
   * Waits for all of `text` to be enough, or for its end, and takes nothing. @throws where it ends and is not enough.
   */
  async enough(holds: (text: string) => boolean): Promise<string> {
    await this.#when(() => holds(this.text) || this.over, "enough");
    if (!holds(this.text)) throw new Gone(this.#shown("enough", "it ended"));
    return this.text;
  }

  /** Takes `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    await this.#when(() => this.received.length >= count, `${count} bytes`);
    return this.#take(count);
  }

  /** Takes one whole HTTP message; one that ends with the connection waits for that. @throws `Malformed`. */
  async message(context: MessageContext = {}): Promise<Message> {
    let message: Message | undefined;
    await this.#when(() => {
      message = this.#read(context);
      return message !== undefined;
    }, "an HTTP message");
    this.#take(message!.raw.length);
    return message!;
  }

  /** The first byte of all, however long it takes, and takes nothing; undefined: there is none. */
  async first(): Promise<number | undefined> {
    await this.#when(() => this.#filled > 0 || this.over, "a byte", Number.POSITIVE_INFINITY);
    return this.#filled > 0 ? this.#bytes[0] : undefined;
  }

  /** The next message, however long it takes; undefined: the other end has sent its last. @throws `Malformed`. */
  async next(): Promise<Message | undefined> {
    let message: Message | undefined;
    const come = (): boolean => {
      message = this.#read({});
      return message !== undefined || this.over;
    };
    await this.#when(come, "a request", Number.POSITIVE_INFINITY);
    if (message !== undefined) this.#take(message.raw.length);
    return message;
  }

  /** Takes all there is once the other end has sent FIN or RST. */
  async rest(): Promise<string> {
    await this.#when(() => this.over, "the end");
    return this.#take(this.received.length).toString("latin1");
  }

  async gone(): Promise<void> {
    await this.#when(() => this.closed, "the close");
  }

  async sent(within = patience): Promise<void> {
    const done = (): boolean => this.#unsent.length === 0 || this.closed;
    if (!done()) await this.#when(done, "everything to be sent", within);
  }

  /** Until `total` has reached `count`. */
  async counted(count: number, within = patience): Promise<void> {
    await this.#when(() => this.total >= count, `${count} bytes in all`, within);
  }

  [Symbol.dispose](): void {
    this.reset();
  }

  // Called by the socket.

  got(bytes: Uint8Array): void {
    this.total += bytes.length;
    if (this.keep) this.#keep(bytes);
    this.#tell();
  }

  gotEnd(): void {
    this.ended = true;
    this.#tell();
  }

  gotClose(error: unknown): void {
    this.closed = true;
    if (error !== undefined && error !== null && !this.ended) this.broken = true;
    this.#tell();
  }

  writable(): void {
    this.#flush();
  }

  #flush(): void {
    for (;;) {
      const first = this.#unsent[0];
      if (first === undefined) break;
      const taken = Math.max(0, this.#socket.write(first));
      if (taken < first.length) {
        this.#unsent[0] = first.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#then === "finish") this.#socket.shutdown();
    if (this.#then === "end") this.#socket.end();
    this.#tell();
  }

  #afterSending(then: "finish" | "end"): this {
    this.#then = then;
    if (this.#unsent.length === 0 && !this.closed) {
      if (then === "finish") this.#socket.shutdown();
      else this.#socket.end();
    }
    return this;
  }

  /** Bytes are only ever put behind, so that those which were given out stay as they are. */
  #keep(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length, 1_024));
      this.#bytes.copy(grown, 0, 0, this.#filled);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#filled);
    this.#filled = needed;
  }

  #take(count: number): Buffer {
    const taken = this.received.subarray(0, count);
    this.#taken += count;
    return taken;
  }

  #read(context: MessageContext): Message | undefined {
    return readMessage(this.received, { ...context, ended: this.ended });
  }

  #shown(what: string, how: string): string {
    const left = JSON.stringify(this.received.subarray(0, 2_000).toString("latin1"));
    return `waited for ${what}, but ${how}; ${this.total} bytes, left: ${left}`;
  }

  #tell(): void {
    for (const changed of [...this.#changed]) changed();
  }

  #when(holds: () => boolean, what: string, within = patience): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const settle = (settled: () => void): void => {
        clearTimeout(timer);
        this.#changed.delete(check);
        settled();
      };
      const check = (): void => {
        try {
          if (holds()) settle(resolve);
          else if (this.closed) {
            const how = this.broken ? "it was reset" : "it was closed";
            settle(() => reject(new Gone(this.#shown(what, how))));
          }
        } catch (error) {
          settle(() => reject(error));
        }
      };
      if (Number.isFinite(within)) {
        const late = `nothing came within ${within} ms`;
        timer = setTimeout(() => settle(() => reject(new Error(this.#shown(what, late)))), within);
      }
      this.#changed.add(check);
      check();
    });
  }
}

/** For `Bun.listen` and `Bun.connect`; `data` has to be set in `open`. */
export const rawEvents = {
  data(socket: Socket<RawEnd>, bytes: Uint8Array): void {
    socket.data.got(bytes);
  },
  drain(socket: Socket<RawEnd>): void {
    socket.data?.writable();
  },
  end(socket: Socket<RawEnd>): void {
    socket.data?.gotEnd();
  },
  close(socket: Socket<RawEnd>, error?: Error): void {
    socket.data?.gotClose(error);
  },
  error(socket: Socket<RawEnd>, error: Error): void {
    socket.data?.gotClose(error);
  },
};

export type ConnectOptions = {
  address?: string;
  /** Sent as soon as the connection stands. */
  send?: string | Uint8Array;
};

/** A client's end, to a port or to a socket's path. @throws the system's error where nobody accepts. */
export async function connectRaw(
  to: number | { unix: string },
  { address = "127.0.0.1", send = "" }: ConnectOptions = {},
): Promise<RawEnd> {
  const { promise, resolve } = Promise.withResolvers<RawEnd>();
  const options = {
    allowHalfOpen: true,
    data: undefined as unknown as RawEnd,
    socket: {
      ...rawEvents,
      open(socket: Socket<RawEnd>) {
        socket.data = new RawEnd(socket);
        resolve(socket.data.send(send));
      },
    },
  };
  await (typeof to === "number"
    ? Bun.connect<RawEnd>({ ...options, hostname: address, port: to })
    : Bun.connect<RawEnd>({ ...options, unix: to.unix }));
  return promise;
}
