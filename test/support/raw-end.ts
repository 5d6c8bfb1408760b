/** One end of a TCP connection into bytes that a test sends and waits for. Knows nothing of `src`. */
import type { Socket } from "bun";
import { type Message, type MessageContext, readMessage } from "./message.ts";

/** Milliseconds after which waiting is a failure that says what had come instead. */
const patience = 4_000;

export class RawEnd implements Disposable {
  /** Received and not yet taken. */
  received: Buffer = Buffer.alloc(0);
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
  #unsent: Buffer[] = [];
  #finishing = false;
  #changed = new Set<() => void>();

  constructor(socket: Socket<RawEnd>) {
    this.#socket = socket;
    socket.setNoDelay(true);
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent(): number {
    return this.#unsent.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Text is sent one octet a character. */
  send(data: string | Uint8Array): this {
    if (this.closed) return this;
    this.#unsent.push(typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data));
    if (this.#unsent.length === 1) this.#flush();
    return this;
  }

  /** Sends FIN after what is unsent; goes on reading. */
  finish(): this {
    this.#finishing = true;
    if (this.#unsent.length === 0) this.#socket.shutdown();
    return this;
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

  /** Takes `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    await this.#when(() => this.received.length >= count, `${count} bytes`);
    return this.#take(count);
  }

  /** Takes one whole HTTP message; one that ends with the connection waits for that. */
  async message(context: MessageContext = {}): Promise<Message> {
    let message: Message | undefined;
    await this.#when(() => {
      message = readMessage(this.received, { ...context, ended: this.ended });
      return message !== undefined;
    }, "an HTTP message");
    this.#take(message!.length);
    return message!;
  }

  /** Takes all there is once the other end has sent FIN or RST. */
  async rest(): Promise<string> {
    await this.#when(() => this.ended || this.closed, "the end");
    return this.#take(this.received.length).toString("latin1");
  }

  async gone(): Promise<void> {
    await this.#when(() => this.closed, "the close");
  }

  async sent(within = patience): Promise<void> {
    const done = (): boolean => this.#unsent.length === 0 || this.closed;
    await this.#when(done, "everything to be sent", within);
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
    if (this.keep) this.received = Buffer.concat([this.received, bytes]);
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
    if (this.#finishing) this.#socket.shutdown();
    this.#tell();
  }

  #take(count: number): Buffer {
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  #tell(): void {
    for (const changed of [...this.#changed]) changed();
  }

  #when(holds: () => boolean, what: string, within = patience): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void): void => {
        clearTimeout(timer);
        this.#changed.delete(check);
        settled();
      };
      const fail = (how: string): void => {
        const shown = JSON.stringify(this.received.subarray(0, 2_000).toString("latin1"));
        settle(() =>
          reject(new Error(`waited for ${what}, but ${how}; ${this.total} bytes, left: ${shown}`)),
        );
      };
      const check = (): void => {
        try {
          if (holds()) settle(resolve);
          else if (this.closed) fail(this.broken ? "it was reset" : "it was closed");
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(() => fail(`nothing came within ${within} ms`), within);
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

/** A client's end. */
export async function connectRaw(port: number, address = "127.0.0.1"): Promise<RawEnd> {
  const { promise, resolve } = Promise.withResolvers<RawEnd>();
  await Bun.connect<RawEnd>({
    hostname: address,
    port,
    allowHalfOpen: true,
    data: undefined as unknown as RawEnd,
    socket: {
      ...rawEvents,
      open(socket) {
        socket.data = new RawEnd(socket);
        resolve(socket.data);
      },
    },
  });
  return promise;
}
