/** A loopback port into connections that answer HTTP/1.1 requests. Their number is limited, and the limit is fair. */
import type { Listening } from "../../link/listen.ts";
import { listenOnBoth, type Ready } from "../../link/listen-on-both.ts";
import { ApiConnection, type ConnectionOptions } from "./api-connection.ts";

export type HttpServerOptions = ConnectionOptions & {
  /** 0 picks one. */
  port: number;
  /** Sockets that listen already. */
  ready?: Ready | undefined;
};

export interface HttpServer {
  readonly port: number;
  readonly connections: number;
  readonly sockets: readonly Listening[];
  /**
   * Another process listens on our sockets: takes no new connection. A request under way, or one more that is on
   * its way, is answered; streams end. Resolves as `stop` does.
   */
  leave(patience: number): Promise<void>;
  /** Takes no new connection. Resolves when answers under way have ended, or after `patience` milliseconds. */
  stop(patience: number): Promise<void>;
}

/**
 * So that nobody uses up the process's descriptors here: one more, and the oldest that has not shown who it is ends,
 * another person's before one of our own. No crowd, however fast, can keep others out.
 */
const mostConnections = 512;

/** @throws the system's error, with its `code`, where the port cannot be had. */
export function startHttpServer(options: HttpServerOptions): HttpServer {
  const connections = new Set<ApiConnection>();
  let emptied: (() => void) | undefined;
  const { ready } = options;
  // Both: a browser that looks for the page's host tries ::1 first, which must not be another person's.
  const { port, listening } = listenOnBoth({ port: options.port, ready, note() {} }, (link) => {
    const connection = new ApiConnection(link, options, () => {
      connections.delete(connection);
      if (connections.size === 0) emptied?.();
    });
    link.handler = connection;
    const oldest = connections.size < mostConnections ? undefined : leastKnown(connections);
    if (oldest !== undefined) {
      // The link tells its end in a turn of its own, and others may come before that.
      connections.delete(oldest);
      oldest.drop();
    }
    connections.add(connection);
    if (connections.size > mostConnections) connection.drop();
  });
  return {
    port,
    get connections() {
      return connections.size;
    },
    sockets: listening,
    async leave(patience) {
      for (const listener of listening) listener.stop();
      for (const connection of [...connections]) connection.leave();
      await empty(patience);
    },
    async stop(patience) {
      for (const listener of listening) listener.stop();
      for (const connection of [...connections]) connection.finish();
      await empty(patience);
    },
  };

  async function empty(patience: number): Promise<void> {
    if (connections.size === 0) return;
    await new Promise<void>((resolve) => {
      const before = emptied;
      const cancel = options.clock.after(patience, () => {
        for (const connection of [...connections]) connection.drop();
        resolve();
      });
      emptied = () => {
        before?.();
        cancel();
        resolve();
      };
    });
  }
}

/** The oldest unknown connection, another person's first; undefined: all are known. */
function leastKnown(connections: ReadonlySet<ApiConnection>): ApiConnection | undefined {
  let oldest: ApiConnection | undefined;
  for (const connection of connections) {
    if (connection.known) continue;
    if (connection.isOwn() === false) return connection;
    oldest ??= connection;
  }
  return oldest;
}
