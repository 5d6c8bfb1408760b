/** What every byte stream looks like from above, be it a socket or TLS over one. */

/** What a link tells its owner. The owner changes hands: a connection first, a tunnel later. */
export interface LinkHandler {
  /** `bytes` belong to the handler during the call only. */
  data(bytes: Uint8Array): void;
  /** All that was written has been taken. Called only after a `write` that said false. */
  drained(): void;
  /** The peer sends no more; it may still read. */
  ended(): void;
  /** The link is gone, once, and nothing is called after it. `cause` is set when the peer broke it off. */
  closed(cause: Error | undefined): void;
  /** A handler threw: our own fault. The link is aborted after this. */
  failed(fault: unknown): void;
}

export interface Link {
  handler: LinkHandler;
  /** Where the peer is, as the kernel has it. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Where the peer came to, or this end dialled from. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes written that the kernel has not taken yet. */
  readonly pending: number;
  /** The kernel's number for the stream below; -1 where there is none. */
  readonly descriptor: number;
  /** While it is, only a break is told, not the peer's end. */
  readonly paused: boolean;
  /**
   * Sends bytes[from, to), copying what cannot go at once.
   * @returns false: stop writing until `drained`. Nothing is lost if you do not, but memory grows.
   */
  write(bytes: Uint8Array, from: number, to: number): boolean;
  /** No more will be written; the peer may still send. After what is pending. */
  halfClose(): void;
  /** Closes both ways after what is pending. */
  close(): void;
  /** Closes at once, as an error that the peer sees (RST). */
  abort(): void;
  pause(): void;
  resume(): void;
}

/** Handles a link for the length of one call, in which nothing can happen to it: its owner is about to take it. */
export const nobody: LinkHandler = {
  data() {},
  drained() {},
  ended() {},
  closed() {},
  failed() {},
};
