/** The proxy's record of served requests: values that the daemon passes to its page and its other clients. */

import type { DenialReport } from "./denial.ts";

/** One request and its response, or a tunnel or upgraded connection as a whole. */
export type RecordedRequest = {
  /** Starts at 1 in every run of the daemon. */
  id: number;
  /** When the request's head was complete. Milliseconds since the Unix epoch. */
  time: number;
  /** The name that the request was routed by; empty if it reached no service. */
  service: string;
  method: string;
  /** Path and query as requested, printable, cut after 2,048 characters. */
  target: string;
  scheme: "http" | "https";
  /** The response's status, including our own responses; 0 if the request was broken off before there was one. */
  status: number;
  /** From the complete head to the last byte of the response. */
  milliseconds: number;
  /** Octets of the request's and the response's body on the wire. */
  received: number;
  sent: number;
  /** Server-sent events, a tunnel or an upgraded connection: `milliseconds` is the time for which it was open. */
  stream: boolean;
  /** Set if the guard had something against it; `passed`: because of `guard = "log"`. */
  denied: "refused" | "passed" | null;
  /** The process that owned the client's socket; undefined if it was not found in time. */
  caller: { pid: number; command: string } | undefined;
};

/** Counts for one service since the daemon started. */
export type TrafficCounts = {
  requests: number;
  /** Responses with a status of 500 or more, and requests that were broken off and are no streams. */
  errors: number;
  /** Requests in progress. */
  active: number;
  /** Requests of other sites' pages that the guard refused, or let pass with `guard = "log"`. */
  denied: number;
  /** The median of the last hundred requests that are no streams; null if there were none. */
  medianMilliseconds: number | null;
  /** Requests in each of the last 60 seconds, the oldest first. */
  perSecond: readonly number[];
};

/** The recorder, as other parts of the daemon see it. */
export interface Traffic {
  /** The requests of one service, or of all, newest first, at most `limit`. */
  recent(options: { service?: string; limit: number }): readonly RecordedRequest[];
  counts(service: string): TrafficCounts;
  /** Requests that the guard has something against, by origin and kind; the newest first. */
  denials(service: string): readonly DenialReport[];
}
