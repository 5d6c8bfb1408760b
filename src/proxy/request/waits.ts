/** A request's wait and an event -> the next action. Pure: these tables decide everything. */
import type { Turn } from "../../routes/turn.ts";
import type { Supervised } from "../../routes/supervised.ts";

/** Operations that a request can wait for. */
export const waits = [
  /** A scan of the machine: the name may have moved, or be new. */
  "look",
  /** A connection to the request's service. */
  "dial",
  /** A service of the supervisor that starts, or comes back, without this request. */
  "service",
  /** A lazy service that was started for this request: the service's end is an answer. */
  "woken",
  /** The check whether the request's service speaks TLS, or HTTP/2. */
  "question",
  /** A change of the routes, for a page of ours that asks whether what it says still holds. */
  "change",
] as const;

export type WaitsFor = (typeof waits)[number];

export const events = [
  /** The wait succeeded: the scan is done, a connection is open, the service can answer, or it speaks otherwise. */
  "came",
  /** The wait failed: the scan or the dial failed, or the service speaks as we did. */
  "failed",
  /** The dial failed, and has shown that the service wants to be dialled otherwise. */
  "learned",
  /** The supervisor has news, or half a second has passed. */
  "news",
  /** The wait has lasted too long, or the proxy stops. */
  "late",
  /** The client has sent all that may be held. */
  "full",
  /** The same, for a body of unknown length. */
  "overfull",
  /** The client is gone. */
  "gone",
] as const;

export type Event = (typeof events)[number];

/**
 * - `decide`: decide again where the request goes.
 * - `send`: send the request on the connection that was dialled.
 * - `judge`: call `afterFailure`.
 * - `ask`: call `onAbsence` if anything has changed since.
 * - `replay`: send the request again, in the way that the service wants.
 * - `read on`: the bytes that the service has sent are its answer.
 * - `give up`: decide for the last time; a request that would have to wait longer is answered with the time it waited.
 * - `too large`: answer that the body is too large to be held.
 * - `pause`: read no more from the client.
 * - `drop`: undo what was begun for the request.
 */
export type Action =
  | "decide"
  | "send"
  | "judge"
  | "ask"
  | "replay"
  | "read on"
  | "give up"
  | "too large"
  | "pause"
  | "drop";

type Row = Partial<Record<Event, Action>>;

/** Shared by all waits. A dial and a TLS check have limits of their own, and end by themselves. */
const common = { full: "pause", overfull: "pause", gone: "drop" } as const;

const supervised: Row = {
  came: "decide",
  news: "ask",
  late: "give up",
  full: "pause",
  overfull: "too large",
  gone: "drop",
};

export const table: Readonly<Record<WaitsFor, Row>> = {
  // After a failed scan, the earlier results still hold.
  look: { ...common, came: "decide", failed: "decide" },
  dial: { ...common, came: "send", failed: "judge", learned: "decide" },
  service: supervised,
  woken: supervised,
  question: { ...common, came: "replay", failed: "read on" },
  change: { ...common, came: "decide", news: "ask", late: "give up" },
};

/** Undefined if the event has no meaning for this wait. */
export function actionOn(waitsFor: WaitsFor, event: Event): Action | undefined {
  return table[waitsFor][event];
}

/**
 * The next step of a request whose dial failed. A server may have moved since the last scan, and a service that had
 * become ready may be on its way back; otherwise the failure is the answer.
 */
export function afterFailure(facts: { looked: boolean; returns: boolean }) {
  if (!facts.looked) return "look";
  return facts.returns ? "service" : "error";
}

export type AbsenceFacts = {
  turn: Turn;
  /** The machine was already scanned for the request. */
  looked: boolean;
  /** The service was started for this request, and has ended since. */
  ended: boolean;
  /** The request comes from a page that is not ours. */
  stranger: boolean;
  /** A person looks at the answer, and no byte of the request has been sent to the service. */
  pageLoad: boolean;
  /** The request's body is longer than may be held. */
  large: boolean;
};

/**
 * The next step of a request whose service cannot answer now.
 * - `look`: another server may have taken the name.
 * - `down`, `strangers`, `soon`, `too large`: the request is answered with a page for that case.
 * - `wait`: the request waits.
 *
 * `wakes`: the service is started meanwhile, with `wait` and `soon`.
 */
export function onAbsence({ turn, looked, ended, stranger, pageLoad, large }: AbsenceFacts): {
  kind: "look" | "down" | "strangers" | "soon" | "too large" | "wait";
  wakes: boolean;
} {
  if (turn === "down") return { kind: looked ? "down" : "look", wakes: false };
  if (turn === "wake" && stranger) return { kind: "strangers", wakes: false };
  if (ended) return { kind: "down", wakes: false };
  const wakes = turn === "wake";
  if (pageLoad) return { kind: "soon", wakes };
  return { kind: large ? "too large" : "wait", wakes };
}

/** Seconds that a request waits for a service that starts: half the default of `start_timeout`. */
export const startSeconds = 30;
/** Seconds that a request waits for a service that has answered before; a longer restart is shown as an error. */
const restartSeconds = 10;
/** Octets of a body that may be held while its request waits. */
export const heldBodyLimit = 1_048_576;

/** Seconds that a request waits for a service. */
export function patienceFor(service: Supervised, { woken }: { woken: boolean }): number {
  return !woken && isRestart(service) ? restartSeconds : startSeconds;
}

/** Whether a service has answered before and is expected back, rather than started for the first time. */
function isRestart({ state, restarts, port, listens }: Supervised): boolean {
  // The service reported itself ready, but has not been seen listening yet: it is still starting.
  if (state === "ready" && restarts === 0 && port !== undefined && listens.length === 0)
    return false;
  return restarts > 0 || !["stopped", "starting", "running", "exited"].includes(state);
}
