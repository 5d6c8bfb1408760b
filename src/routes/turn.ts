/** A service of a project -> why a request cannot go to it yet. Pure. */
import { hasEndedWell, type Supervised, type SupervisedState } from "./supervised.ts";

/** `wait`: the service will answer soon. `wake`: a request starts it. `down`: it stays down until someone starts it. */
export type Turn = "wait" | "wake" | "down";

/** Undefined if the service can answer. */
export function turnOf(supervised: Supervised): Turn | undefined {
  const { state, lazy } = supervised;
  return lazy && (state === "stopped" || hasEndedWell(supervised)) ? "wake" : turns[state];
}

const turns: Record<SupervisedState, Turn | undefined> = {
  stopped: "down",
  starting: "wait",
  running: "wait",
  ready: undefined,
  // The service was ready before, and its own answer says more than a page of ours.
  unready: undefined,
  stopping: "wait",
  exited: "down",
  completed: "down",
  backoff: "wait",
  failed: "down",
};
