/** A Bun TCP socket -> a link that keeps partial writes and reports each event once. */
import type { Socket } from "bun";
import type { Link, LinkHandler } from "./link.ts";

const OPEN = 0;
const HALF_CLOSING = 1;
const CLOSING = 2;
const GONE = 3;

/** Receives Bun's callbacks: a link, or an object from which a link will be made. */
export interface SocketOwner {
  received(bytes: Uint8Array): void;
  writable(): void;
  finished(): void;
  gone(cause: Error | undefined): void;
}

export class SocketLink implements Link, SocketOwner {
  handler: LinkHandler;

  #socket: Socket<SocketLink>;
  #queue: Uint8Array[] = [];
  #pending = 0;
  #state: number = OPEN;
  #paused = false;
  /** True after `write` returned false, until `drained` is called. */
  #owing = false;

  constructor(socket: Socket<SocketLink>, handler: LinkHandler) {
    this.#socket = socket;
    this.handler = handler;
  }

  // Each of these asks the kernel, so they are read only when needed.

  get remoteAddress(): string {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number {
    return this.#socket.remotePort;
  }

  get localAddress(): string {
    // Bun provides this property, but its types do not include it.
    return (this.#socket as unknown as { localAddress: string }).localAddress;
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  get descriptor(): number {
    return this.#state === GONE ? -1 : (this.#socket as unknown as { fd: number }).fd;
  }

  get pending(): number {
    return this.#pending;
  }

  get paused(): boolean {
    return this.#paused;
  }

  write(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#state !== OPEN || to <= from) return this.#pending === 0;
    if (this.#pending > 0) {
      this.#keep(bytes, from, to);
      return false;
    }
    const taken = this.#socket.write(bytes, from, to - from);
    if (taken === to - from) return true;
    // A negative count means that the socket is closed; its close event follows shortly.
    this.#keep(bytes, from + Math.max(0, taken), to);
    return false;
  }

  halfClose(): void {
    if (this.#state !== OPEN) return;
    this.#state = HALF_CLOSING;
    if (this.#pending === 0) this.#socket.shutdown();
  }

  close(): void {
    if (this.#state >= CLOSING) return;
    this.#state = CLOSING;
    if (this.#pending === 0) this.#socket.end();
    // The peer's bytes no longer matter, but its FIN must be seen.
    else this.resume();
  }

  abort(): void {
    if (this.#state === GONE) return;
    this.#state = CLOSING;
    this.#drop();
    this.#socket.terminate();
  }

  pause(): void {
    if (this.#paused || this.#state >= CLOSING) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state !== GONE) this.#socket.resume();
  }

  /** Hands the socket to a layer above. This link reports nothing from now on. Only called within this folder. */
  surrender(): Socket<SocketOwner> {
    this.#state = GONE;
    this.#drop();
    if (this.#paused) this.#socket.resume();
    this.#paused = false;
    return this.#socket as unknown as Socket<SocketOwner>;
  }

  /** The socket's events. Only called within this folder. */
  received(bytes: Uint8Array): void {
    if (this.#state >= CLOSING) return;
    try {
      this.handler.data(bytes);
    } catch (fault) {
      this.#fault(fault);
    }
  }

  writable(): void {
    while (this.#queue.length > 0) {
      const first = this.#queue[0]!;
      const taken = Math.max(0, this.#socket.write(first));
      this.#pending -= taken;
      if (taken < first.length) {
        this.#queue[0] = first.subarray(taken);
        return;
      }
      this.#queue.shift();
    }
    if (this.#state === HALF_CLOSING) this.#socket.shutdown();
    else if (this.#state === CLOSING) this.#socket.end();
    else if (this.#owing) {
      this.#owing = false;
      try {
        this.handler.drained();
      } catch (fault) {
        this.#fault(fault);
      }
    }
  }

  finished(): void {
    if (this.#state >= CLOSING) return;
    try {
      this.handler.ended();
    } catch (fault) {
      this.#fault(fault);
    }
  }

  gone(cause: Error | undefined): void {
    if (this.#state === GONE) return;
    this.#state = GONE;
    this.#drop();
    try {
      this.handler.closed(cause);
    } catch (fault) {
      this.handler.failed(fault);
    }
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    this.#queue.push(bytes.slice(from, to));
    this.#pending += to - from;
    this.#owing = true;
  }

  #drop(): void {
    this.#queue = [];
    this.#pending = 0;
  }

  #fault(fault: unknown): void {
    this.handler.failed(fault);
    this.abort();
  }
}
