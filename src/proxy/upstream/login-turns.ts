/** The state of a connection that has a client's login, and an event -> the next action. Pure: this table decides. */
import { Login, type LoginStep } from "../../wire/login.ts";

export const states = [
  /** There is no connection. */
  "none",
  /** One is being made for the first request in line. */
  "dialling",
  /** A request has it. */
  "busy",
  /** No request has it. */
  "idle",
  /** No request has it, and the server waits for the next step of a login that has begun. */
  "challenged",
] as const;

export type LoginState = (typeof states)[number];

export const events = [
  /** A request wants it. */
  "asked",
  /** A request wants it that goes on with a login. */
  "next step",
  /** The dial succeeded. */
  "connected",
  /** The dial failed. */
  "failed",
  /** An answer is complete, and the server keeps the connection. */
  "answered",
  /** The same, and the server waits for the next step of the login. */
  "challenge",
  /** The connection is gone, or used for something else. */
  "left",
  /** Requests have waited for too long. */
  "late",
  /** The last request in line no longer waits. */
  "unwanted",
] as const;

export type LoginEvent = (typeof events)[number];

/**
 * - `dial`: make a connection.
 * - `queue`: the request waits for its turn.
 * - `give`: the request has its turn.
 * - `rest`: the first in line has its turn; without one, the connection is kept.
 * - `hold`: the first in line that goes on with a login has its turn; without one, the connection is kept for it.
 * - `fail`: nobody in line gets a connection.
 * - `replace`: make another connection if somebody is in line.
 * - `retire`: the same; the present one ends with the answer that it is busy with.
 * - `cancel`: end the dial.
 */
export type LoginAction =
  "dial" | "queue" | "give" | "rest" | "hold" | "fail" | "replace" | "retire" | "cancel" | "ignore";

/** An event that is missing from a row is a bug of ours. */
export const table: Readonly<Record<LoginState, Partial<Record<LoginEvent, LoginAction>>>> = {
  none: { asked: "dial", "next step": "dial" },
  dialling: {
    asked: "queue",
    "next step": "queue",
    connected: "rest",
    failed: "fail",
    unwanted: "cancel",
  },
  busy: {
    asked: "queue",
    "next step": "queue",
    answered: "rest",
    challenge: "hold",
    left: "replace",
    late: "retire",
    unwanted: "ignore",
  },
  idle: { asked: "give", "next step": "give", left: "replace", unwanted: "ignore" },
  challenged: {
    asked: "queue",
    "next step": "give",
    left: "replace",
    late: "rest",
    unwanted: "ignore",
  },
};

/** @throws if the event cannot come in this state, which is a bug of ours. */
export function actionOn(state: LoginState, event: LoginEvent): LoginAction {
  const action = table[state][event];
  if (action === undefined) throw new Error(`a login's connection that is ${state}: ${event}`);
  return action;
}

/** The event of a request that wants the connection. */
export function asking(step: LoginStep): "asked" | "next step" {
  return step === Login.later ? "next step" : "asked";
}

/**
 * Milliseconds that requests in line wait for one answer. A server's own event stream ends never, and the requests
 * behind it would wait as long; they then log in anew on a connection of their own.
 */
const answerMilliseconds = 3_000;

/** Milliseconds that requests in line wait for the next step of a login. A program takes it, not a person. */
const stepMilliseconds = 500;

/** Milliseconds until requests in line are late; undefined: they wait for something with a limit of its own. */
export function patienceIn(state: LoginState): number | undefined {
  if (state === "busy") return answerMilliseconds;
  return state === "challenged" ? stepMilliseconds : undefined;
}
