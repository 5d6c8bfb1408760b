/** A port into a TCP client that sends any bytes in any pieces and keeps what comes back. */
import type { Socket } from "bun";

/** How the peer ended the connection. */
export type Ending = "fin" | "reset";

export type RawClientOptions = {
  address?: string;
  /** Sent as one piece as soon as the connection stands. */
  send?: string | Uint8Array;
};

/** Far longer than anything here takes, so that a hang is a failed test and no stopped run. */
const patience = 10_000;

export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

export class RawClient {
  /** How the peer ended it; undefined while it goes on, and after a reset of our own. */
  ending: Ending | undefined;

  #socket: Socket<unknown> | undefined;
  #received: Buffer[] = [];
  #length = 0;
  #closed = false;
  #waiting = new Set<() => void>();
  #unsent: Uint8Array[] = [];

  /** All that has come, one character an octet. */
  get text(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  /** Octets that have come. */
  get length(): number {
    return this.#length;
  }

  /** The peer sent its end, or the connection is gone. */
  get over(): boolean {
    return this.#closed || this.ending !== undefined;
  }

  async connect(port: number, address: string): Promise<void> {
    const wake = (): void => {
      for (const check of [...this.#waiting]) check();
    };
    this.#socket = await Bun.connect<unknown>({
      hostname: address,
      port,
      allowHalfOpen: true,
      data: undefined,
      socket: {
        data: (_socket, bytes) => {
          this.#received.push(Buffer.from(bytes));
          this.#length += bytes.length;
          wake();
        },
        drain: () => {
          this.#flush();
          wake();
        },
        end: () => {
          this.ending ??= "fin";
          wake();
        },
        close: (_socket, error) => {
          if (this.ending === undefined && !this.#closed) this.ending = error ? "reset" : "fin";
          this.#closed = true;
          wake();
        },
        error: () => {
          this.ending ??= "reset";
          wake();
        },
      },
    });
    this.#socket.setNoDelay(true);
  }

  /** Sends as one piece; resolves when the kernel has all of it, or the connection is gone. */
  async send(bytes: string | Uint8Array): Promise<void> {
    const piece = typeof bytes === "string" ? latin1Bytes(bytes) : bytes;
    if (this.#closed || piece.length === 0) return;
    this.#unsent.push(piece);
    this.#flush();
    if (this.#unsent.length > 0) {
      await this.#when(() => this.#unsent.length === 0 || this.#closed, 60_000);
    }
  }

  /** Sends pieces of `size` octets, each in a packet of its own. */
  async sendEach(bytes: string | Uint8Array, size = 1): Promise<void> {
    const all = typeof bytes === "string" ? latin1Bytes(bytes) : bytes;
    for (let at = 0; at < all.length && !this.#closed; at += size) {
      await this.send(all.subarray(at, at + size));
      await turn();
    }
  }

  /** Waits for a text, or until `wanted` says that what has come is enough. @throws when it does not come in time. */
  async until(wanted: string | ((text: string) => boolean), timeout = patience): Promise<string> {
    const enough = typeof wanted === "string" ? (text: string) => text.includes(wanted) : wanted;
    await this.#when(() => enough(this.text) || this.over, timeout);
    const { text } = this;
    if (!enough(text)) {
      throw new Error(
        `the peer ended (${this.ending}) before ${JSON.stringify(String(wanted))}: ${JSON.stringify(text.slice(0, 400))}`,
      );
    }
    return text;
  }

  /** Everything until the peer ends. `ending` then says how. */
  async all(timeout = patience): Promise<string> {
    await this.#when(() => this.over, timeout);
    return this.text;
  }

  /** Sends our end, and goes on reading. */
  halfClose(): void {
    if (!this.#closed) this.#socket?.shutdown();
  }

  /** Ends both ways. */
  close(): void {
    if (!this.#closed) this.#socket?.end();
  }

  /** Breaks off: the peer sees RST. */
  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.terminate();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #flush(): void {
    while (this.#unsent.length > 0) {
      const piece = this.#unsent[0]!;
      const taken = this.#socket?.write(piece) ?? 0;
      if (taken < 0) {
        this.#unsent = [];
        return;
      }
      if (taken < piece.length) {
        this.#unsent[0] = piece.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  #when(met: () => boolean, timeout: number): Promise<void> {
    if (met()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        const { text } = this;
        reject(
          new Error(`nothing more came in ${timeout} ms: ${JSON.stringify(text.slice(-400))}`),
        );
      }, timeout);
      const check = (): void => {
        if (!met()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }
}

/** Lets everyone else in this process have a turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Connects. @throws the system's error where nobody accepts. */
export async function rawClient(
  port: number,
  { address = "127.0.0.1", send }: RawClientOptions = {},
): Promise<RawClient> {
  const client = new RawClient();
  await client.connect(port, address);
  if (send !== undefined) await client.send(send);
  return client;
}
