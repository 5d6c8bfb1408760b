/** The words that the daemon and its clients have in common: who it is, where it is, and what it speaks. */

/**
 * Moves only when a client of before can no longer be understood. A client and a daemon that differ in it do not talk;
 * versions may differ.
 */
export const protocol = "localhostess/1";

/** What ends the daemon, over HTTP. */
export const shutdownPath = "/v1/shutdown";

/** The record by which every local client finds the daemon. */
export type Registration = {
  /** Tells this launch apart from every other: who wrote the record owns it. */
  id: string;
  /** For people; not what decides whether a client and a daemon understand each other. */
  version: string;
  /** Of the HTTP API: `http://127.0.0.1:49152`, no final slash. */
  url: string;
  /** For people, and for the last resort after a probe has proved it; never for whether it lives. */
  pid: number;
  protocol: string;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  /** The path of the socket for IPC. */
  socket: string;
  /** The port on which the proxy accepts connections. */
  port: number;
  /** What its http URLs have instead; absent: `port`. */
  httpPort?: number;
  /** As `httpPort`, for https. */
  httpsPort?: number;
  /** The domains besides `localhost` that it serves. */
  tlds: readonly string[];
};

/** What a daemon tells of itself to whoever has shown the credential. */
export type Facts = Registration & {
  stateDirectory: string;
  /** What the proxy accepts connections on. */
  addresses: readonly string[];
  /** Where it writes what it has to say; undefined where that is a terminal. */
  log: string | undefined;
};
