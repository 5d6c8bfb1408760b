/** The interface of every byte stream, a socket or TLS over one, and of the owner that receives its events. */

/** A link's events, as its owner receives them. The owner may change: first a connection, later a tunnel. */
export interface LinkHandler {
  /** `bytes` are only valid during the call. */
  data(bytes: Uint8Array): void;
  /** Everything written has been taken by the kernel. Called only after a `write` that returned false. */
  drained(): void;
  /** The peer sends no more; it may still read. */
  ended(): void;
  /** The link is gone. Called once, and nothing is called after it. `cause` is set if the peer reset the connection. */
  closed(cause: Error | undefined): void;
  /** A handler threw, which is our own fault. The link is aborted after this call. */
  failed(fault: unknown): void;
}

export interface Link {
  handler: LinkHandler;
  /** Links of one connection share what is owed to one client. Undefined: the link is one of its own. */
  readonly party?: object;
  /** The peer's address and port, as the kernel reports them. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The address and port that the peer connected to, or that this end connected from. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes written that the kernel has not taken yet. */
  readonly pending: number;
  /** The file descriptor of the socket below; -1 if there is none. */
  readonly descriptor: number;
  /** While paused, only a reset is reported, not the peer's end. */
  readonly paused: boolean;
  /**
   * Sends bytes[from, to), and copies what cannot be sent at once.
   * @returns false to stop writing until `drained`. A caller that goes on loses nothing, but memory grows.
   */
  write(bytes: Uint8Array, from: number, to: number): boolean;
  /** Sends the end of our side after everything pending; the peer may still send. */
  halfClose(): void;
  /** Closes both directions after everything pending is sent. */
  close(): void;
  /** Closes at once, with a reset (RST) that the peer sees as an error. */
  abort(): void;
  /** Where an end without the end of the answer has a code (HTTP/2): the one that the server gave as its reason. */
  breaksWith?(code: number): void;
  pause(): void;
  resume(): void;
}

/** A placeholder handler during a single call in which no event can occur: the owner is about to set its own. */
export const nobody: LinkHandler = {
  data() {},
  drained() {},
  ended() {},
  closed() {},
  failed() {},
};
