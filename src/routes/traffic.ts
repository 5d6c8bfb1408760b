/** What the proxy tells of the requests that it has served: values, which the daemon hands to its page and its other clients. */

/** One request and its answer; of a tunnel or an upgraded connection, all of it. */
export type RecordedRequest = {
  /** Counts up from 1 in every run of the daemon. */
  id: number;
  /** When its head was complete. Milliseconds since the Unix epoch. */
  time: number;
  /** The name it was routed by; empty where it reached none. */
  service: string;
  method: string;
  /** Path and query as asked for, printable, cut at 2,048 characters. */
  target: string;
  scheme: "http" | "https";
  /** Of the answer, our own answers included; 0: broken off before there was one. */
  status: number;
  /** From the complete head to the answer's last byte. */
  milliseconds: number;
  /** Octets of the request's and of the answer's body, as they went over the wire. */
  received: number;
  sent: number;
  /** Who asked: the process that had the client's socket; undefined where it was not looked up in time. */
  caller: { pid: number; command: string } | undefined;
};

/** What a service has been asked since the daemon started. */
export type TrafficCounts = {
  requests: number;
  /** Answers with 500 and above, and those broken off. */
  errors: number;
  /** Under way. */
  active: number;
  /** Over the last hundred requests; null where there was none. */
  medianMilliseconds: number | null;
  /** Requests in each of the last 60 seconds, the oldest first. */
  perSecond: readonly number[];
};

/** The recorder as others see it. */
export interface Traffic {
  /** Of one service, or of all; the newest first, at most `limit`. */
  recent(options: { service?: string; limit: number }): readonly RecordedRequest[];
  counts(service: string): TrafficCounts;
}
