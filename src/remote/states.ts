/** The state of the connection to another machine, and an event -> the next state, and what to do. Pure. */

import { type RemoteState, remoteStates } from "../routes/remote-report.ts";

export const states = remoteStates;
export type State = RemoteState;

export const events = [
  /** Somebody uses localhostess: a request, a list, the page. */
  "used",
  /** A request for one of its names; while it waits for another attempt, not more often than every few seconds. */
  "asked",
  /** A person wants an attempt now: `remote add`, `remote retry`. */
  "told",
  /** This machine was asleep itself: what was out of reach may be there again, and what was there may be gone. */
  "woken",
  /** The session there has spoken for the first time. */
  "heard",
  /** Nothing was heard in time. */
  "silent",
  /** ssh has ended. */
  "lost",
  /** ssh has ended, and would end in the same way the next time. */
  "denied",
  /** The pause before the next attempt is over. */
  "due",
  /** The same, and nobody has used localhostess meanwhile. */
  "unused",
  /** Removed by a person, or the daemon stops. */
  "removed",
] as const;

export type Event = (typeof events)[number];

/**
 * - `dial`: start ssh.
 * - `serve`: look for services there.
 * - `check`: ask for a sign of life.
 * - `pause`: forget the services, and wait for the next attempt, as long as the state says.
 * - `end`: end ssh first, then `pause`.
 * - `leave`: end ssh and forget everything.
 */
export type Action = "dial" | "serve" | "check" | "pause" | "end" | "leave";

export type Step = { next: State; action?: Action };

type Row = Partial<Record<Event, Step>>;

const dial: Step = { next: "connecting", action: "dial" };
const leave: Step = { next: "removed", action: "leave" };

/** Both wait for the next attempt. */
const waiting: Row = {
  asked: dial,
  told: dial,
  woken: dial,
  due: dial,
  unused: { next: "idle" },
  removed: leave,
};

export const table: Readonly<Record<State, Row>> = {
  idle: { used: dial, asked: dial, told: dial, removed: leave },
  connecting: {
    heard: { next: "up", action: "serve" },
    silent: { next: "asleep", action: "end" },
    lost: { next: "backing off", action: "pause" },
    denied: { next: "refused", action: "pause" },
    removed: leave,
  },
  up: {
    asked: { next: "up", action: "check" },
    told: { next: "up", action: "check" },
    woken: { next: "up", action: "check" },
    silent: { next: "asleep", action: "end" },
    lost: { next: "backing off", action: "pause" },
    // A session that will not look: it speaks too much, or no language that we know.
    denied: { next: "refused", action: "end" },
    removed: leave,
  },
  "backing off": waiting,
  asleep: waiting,
  // Neither a request nor a lid that was opened changes what the other side thinks of us.
  refused: { told: dial, due: dial, unused: { next: "idle" }, removed: leave },
  removed: {},
};

/** Undefined: nothing changes. */
export function stepOn(state: State, event: Event): Step | undefined {
  return table[state][event];
}

/** Milliseconds until the next attempt: the first, and the longest after more and more failures. */
const pauses: Partial<Record<State, { first: number; longest: number }>> = {
  "backing off": { first: 1_000, longest: 60_000 },
  asleep: { first: 5_000, longest: 60_000 },
  // fail2ban bans after 5 failures within 10 minutes, unless told otherwise: we stay below by far.
  refused: { first: 30 * 60_000, longest: 30 * 60_000 },
};

/**
 * `failures`: attempts that failed in a row, from 1. `random`: from 0 to 1, so that machines that lost the same network
 * do not come back at once.
 */
export function pauseOf(
  state: State,
  { failures, random }: { failures: number; random: number },
): number {
  const { first, longest } = pauses[state] ?? { first: 0, longest: 0 };
  const doubled = first * 2 ** Math.min(failures - 1, 10);
  return Math.min(doubled, longest) * (0.75 + random / 2);
}
