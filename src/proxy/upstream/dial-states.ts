/** A request's wish for a connection and an event -> the next state and what is done. Pure. */

export const states = [
  /** Its turn has not come. */
  "queued",
  /** A connection is being made on its behalf. */
  "dialling",
  /** The same, and the client has left meanwhile. */
  "orphaned",
  "over",
] as const;

export type DialState = (typeof states)[number];

export const events = [
  /** The server has room for a connection. */
  "turn",
  /** A connection of another one's is free. */
  "served",
  /** The connection is open, inside TLS if that was asked for. */
  "opened",
  /** There is no connection, and the reason is known. */
  "failed",
  /** The server has no room after all. */
  "full",
  /** The client needs no connection any more. */
  "left",
  /** The wait took too long. */
  "late",
] as const;

export type DialEvent = (typeof events)[number];

/**
 * - `connect`: make a connection.
 * - `hand over`: the client gets the connection.
 * - `report`: the client gets the reason why there is none.
 * - `leave the queue`: nothing was begun.
 * - `queue again`: its turn comes again, before all others.
 * - `go on`: the server has seen the connection, so that it is made all the same.
 * - `spare`: the connection is the next one's in the queue, or nobody's.
 * - `forget`: nobody waits for the outcome.
 */
export type DialAction =
  | "connect"
  | "hand over"
  | "report"
  | "leave the queue"
  | "queue again"
  | "go on"
  | "spare"
  | "forget";

export type DialStep = { next: DialState; action: DialAction };

type Row = Partial<Record<DialEvent, DialStep>>;

export const table: Readonly<Record<DialState, Row>> = {
  queued: {
    turn: { next: "dialling", action: "connect" },
    served: { next: "over", action: "hand over" },
    left: { next: "over", action: "leave the queue" },
    late: { next: "over", action: "report" },
  },
  dialling: {
    opened: { next: "over", action: "hand over" },
    failed: { next: "over", action: "report" },
    full: { next: "queued", action: "queue again" },
    left: { next: "orphaned", action: "go on" },
  },
  orphaned: {
    opened: { next: "over", action: "spare" },
    failed: { next: "over", action: "forget" },
    full: { next: "over", action: "forget" },
  },
  over: {},
};

/** Undefined if the event has no meaning in this state. */
export function stepOn(state: DialState, event: DialEvent): DialStep | undefined {
  return table[state][event];
}
