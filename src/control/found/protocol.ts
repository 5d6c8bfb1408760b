/** The facts of a daemon that its clients read: identity, addresses and protocol. Shapes and constants only. */

/**
 * Changes only when older clients can no longer be understood. A client and a daemon with different protocols do not
 * talk; their versions may differ.
 */
export const protocol = "localhostess/2";

/** The codes of errors that the daemon answers with, by every door. docs/json.md says when each is used. */
export const errorCodes = [
  "bad_json",
  "too_long",
  "unknown_command",
  "bad_request",
  "not_found",
  "unsupported",
  "forbidden",
  "timeout",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** By HTTP, also codes of the door itself. */
export type ApiError<Code = string> = {
  code: Code;
  message: string;
  /** The part of the message that says what to do. */
  hint: string | null;
};

/** The route that stops the daemon. */
export const shutdownPath = "/v1/shutdown";

/** The record by which every local client finds the daemon. */
export type Registration = {
  /** Unique to this launch: the daemon with this id owns the record. */
  id: string;
  /** For people. `protocol` decides whether a client and a daemon understand each other. */
  version: string;
  /** The HTTP API: `http://127.0.0.1:49152`, no final slash. */
  url: string;
  /** For people, and as the last resort after a probe has proved it. Never a sign that the daemon is alive. */
  pid: number;
  protocol: string;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  /** The path of the socket for IPC. */
  socket: string;
  /** The port on which the proxy accepts connections. */
  port: number;
  /** The port in http URLs; absent: `port`. */
  httpPort?: number;
  /** The port in https URLs; absent: `port`. */
  httpsPort?: number;
  /** Domains besides `localhost` that the proxy serves. */
  tlds: readonly string[];
};

/** A daemon's facts, for clients that have shown the credential. */
export type Facts = Registration & {
  stateDirectory: string;
  /** The addresses on which the proxy accepts connections. */
  addresses: readonly string[];
  /** The file with the daemon's notes; undefined: they go to a terminal. */
  log: string | undefined;
};
