/** A Node stream -> a link, where a library sits between us and the socket. */
import type { Duplex } from "node:stream";
import type { Link, LinkHandler } from "./link.ts";

/** The link below the stream: the addresses of the peer are the same at every layer. */
type Below = Pick<Link, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

export class StreamLink implements Link {
  handler: LinkHandler;
  readonly descriptor = -1;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;

  #stream: Duplex;
  #paused = false;
  #ending = false;
  #gone = false;
  #owing = false;

  constructor(stream: Duplex, below: Below, handler: LinkHandler) {
    this.#stream = stream;
    this.remoteAddress = below.remoteAddress;
    this.remotePort = below.remotePort;
    this.localAddress = below.localAddress;
    this.localPort = below.localPort;
    this.handler = handler;
    let cause: Error | undefined;
    stream.on("data", (bytes: Buffer) => this.#tell(() => this.handler.data(bytes)));
    stream.on("end", () => this.#tell(() => this.handler.ended()));
    stream.on("drain", () => {
      if (!this.#owing) return;
      this.#owing = false;
      this.#tell(() => this.handler.drained());
    });
    stream.on("error", (error) => {
      cause = error;
    });
    stream.on("close", () => {
      if (this.#gone) return;
      this.#gone = true;
      this.handler.closed(cause);
    });
  }

  get pending(): number {
    // Bytes below the stream's high-water mark count as taken: no `drain` event follows for them.
    return this.#owing ? this.#stream.writableLength : 0;
  }

  get paused(): boolean {
    return this.#paused;
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#ending || this.#gone || to <= from) return true;
    // The stream keeps the buffer it is given, and these bytes are reused by us. So it gets a copy.
    const taken = this.#stream.write(Buffer.from(bytes.subarray(from, to)));
    if (!taken) this.#owing = true;
    return taken;
  }

  halfClose(): void {
    if (this.#ending || this.#gone) return;
    this.#ending = true;
    this.#stream.end();
  }

  close(): void {
    if (this.#gone) return;
    if (!this.#ending) this.#stream.end();
    this.#ending = true;
    // Destroys the stream after everything pending: `end` alone would wait for the peer's end too.
    if (this.#stream.writableFinished) this.#stream.destroy();
    else this.#stream.once("finish", () => this.#stream.destroy());
  }

  abort(): void {
    if (!this.#gone) this.#stream.destroy(new Error("broken off"));
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  #tell(event: () => void): void {
    if (this.#gone) return;
    try {
      event();
    } catch (fault) {
      this.handler.failed(fault);
      this.abort();
    }
  }
}
