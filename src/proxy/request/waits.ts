/** What a request waits for and what happens -> what it does next. Pure: these tables are all that decides. */
import type { Turn } from "../../routes/decide.ts";
import type { Supervised } from "../../routes/supervised.ts";

/** What a request that cannot go on waits for. */
export const waits = [
  /** A look at the machine: the name may have moved, or be new. */
  "look",
  /** A connection to its service. */
  "dial",
  /** A service of the supervisor that starts, or comes back, by itself. */
  "service",
  /** A lazy service that was started for this request: its end is an answer. */
  "woken",
  /** Whether its service speaks TLS. */
  "question",
] as const;

export type WaitsFor = (typeof waits)[number];

export const events = [
  /** What it waits for is there: the look is done, a connection stands, the service can answer, it speaks TLS. */
  "came",
  /** It does not come: the look or the dial failed, the service speaks no TLS. */
  "failed",
  /** The supervisor has news, or half a second has passed. */
  "news",
  /** The wait has lasted too long, or the proxy stops. */
  "late",
  /** The client has sent all that may be held. */
  "full",
  /** The same, of a body whose end cannot be foreseen. */
  "overfull",
  /** The client is gone. */
  "gone",
] as const;

export type Event = (typeof events)[number];

/**
 * - `decide`: decide again where the request goes.
 * - `send`: send it on the connection that was dialled.
 * - `judge`: ask `afterFailure`.
 * - `ask`: ask `onAbsence`, where anything has changed since.
 * - `replay`: send it again, inside TLS.
 * - `read on`: what the service has said is its answer.
 * - `give up`: decide for the last time: what would have to wait on is answered with the time that was waited.
 * - `too large`: answer that the body is too large to be held.
 * - `pause`: take no more from the client.
 * - `drop`: undo what was begun for it.
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

/** What every wait has in common. A dial and a question have limits of their own, and end by themselves. */
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
  // What was seen before a look that failed still holds.
  look: { ...common, came: "decide", failed: "decide" },
  dial: { ...common, came: "send", failed: "judge" },
  service: supervised,
  woken: supervised,
  question: { ...common, came: "replay", failed: "read on" },
};

/** Undefined where the event means nothing to this wait. */
export function actionOn(waitsFor: WaitsFor, event: Event): Action | undefined {
  return table[waitsFor][event];
}

/**
 * What a request does whose dial failed: a server may have moved since the last look; a service that was well may be on
 * its way back; otherwise the failure is the answer.
 */
export function afterFailure(facts: { looked: boolean; returns: boolean }) {
  if (!facts.looked) return "look";
  return facts.returns ? "service" : "error";
}

export type AbsenceFacts = {
  turn: Turn;
  /** The request has had its look at the machine. */
  looked: boolean;
  /** The service was started for this request, and has ended since. */
  ended: boolean;
  /** A page that is none of ours makes the request. */
  stranger: boolean;
  /** A person looks at the answer, and no byte of the request has gone to the service. */
  pageLoad: boolean;
  /** Its body is longer than what may be held. */
  large: boolean;
};

/**
 * What a request does whose service cannot answer now.
 * - `look`: another server may have taken the name.
 * - `down`, `strangers`, `soon`, `too large`: it is answered so.
 * - `wake`: the service is started, and the request waits for that.
 * - `wait`: it waits.
 *
 * `wakes` says with `soon` whether the service is started meanwhile.
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

/** Seconds for which a request waits for a service that starts: as long as a start may take unless a project says otherwise. */
export const startSeconds = 30;
/** Seconds for which it waits for one that has answered before and comes back: a restart that takes longer is a fault to be shown. */
export const restartSeconds = 10;
/** Octets of a body that wait with their request. */
export const heldBodyLimit = 1_048_576;

/** Seconds that a request waits for a service. */
export function patienceFor(service: Supervised, { woken }: { woken: boolean }): number {
  return !woken && isRestart(service) ? restartSeconds : startSeconds;
}

/** Whether a service has answered before and is expected back, rather than started. */
function isRestart({ state, restarts, port, listens }: Supervised): boolean {
  // Ready by its own word, and nobody has seen it listen yet: that is still its start.
  if (state === "ready" && restarts === 0 && port !== undefined && listens.length === 0)
    return false;
  return restarts > 0 || !["stopped", "starting", "running", "exited"].includes(state);
}
