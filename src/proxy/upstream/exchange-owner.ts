/** The news of an exchange for the client's connection, and the parts that all exchanges share: interfaces only. */
import type { HeadWriters } from "../frames/head-writer.ts";
import type { Dialect } from "./dialect.ts";
import type { Hop } from "./forward.ts";
import type { Upstream, UpstreamPool } from "./pool.ts";

/** Callbacks from an exchange to the client's connection. */
export interface ExchangeOwner {
  /** The answer is complete. `keepAlive`: the client's connection continues. */
  finished(keepAlive: boolean): void;
  /**
   * No answer is available, and the client has seen no part of one. `again`: the service has sent no byte, and
   * repeating the request is safe. `code`: of a server's RST_STREAM.
   */
  unanswered(problem: {
    status: 400 | 502;
    why: string;
    again?: boolean;
    code?: number | undefined;
  }): void;
  /**
   * The connection came from the pool and died before a byte of the answer, and repeating the request with `resend` is
   * safe.
   */
  retry(): void;
  /**
   * The connection ended, or its service complained, as a port of TLS or HTTP/2 might. The owner asks the service, and
   * then calls `speaksOtherwise` or `readOn`.
   */
  doubted(way: { address: string; secured: boolean }): void;
  /**
   * The service speaks TLS, or HTTP/2, and processed no part of the request, which the owner has to send again in that
   * way, with `resend`.
   */
  sendOtherwise(): void;
  /**
   * The answer offers a login that is bound to its connection, so the connection is the client's own from here on.
   */
  bound(upstream: Upstream, status: number): void;
  /** The answer broke off. `silent`: a normal close would look like success, so the connection has to be reset. */
  broken(silent: boolean): void;
  /** The upstream speaks another protocol from here on; `rest` holds its first bytes. */
  switched(upstream: Upstream, rest: Uint8Array): void;
  /** The upstream accepts more of the request again. */
  requestDrained(): void;
}

/** How requests to a service are changed on their way, and what is known of the way. */
export type ServiceFacts = {
  hop: Hop | undefined;
  dialect: Dialect | undefined;
};

/** Shared by all exchanges of one proxy. */
export type ExchangeShared = {
  readonly pool: UpstreamPool;
  /** Heads for clients are assembled in these, and written at once. */
  readonly writers: HeadWriters;
  /** The proxy is stopping: connections end after the current answer. */
  draining(): boolean;
  /** Logs a bug of our own. */
  fault(fault: unknown): void;
};
