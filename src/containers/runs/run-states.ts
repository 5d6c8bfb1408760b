/** The state of a container that we run, and an event -> the next state, and an action. Pure: this table decides. */

/**
 * `seeking`: an engine is looked for. `clearing`: what a former run of the service left is removed. `pulling`: its
 * image is looked for, pulled or built. `lost`: it ran, and its engine does not answer. `stopping`: it was asked to
 * end. `removing`: it is made to be gone, whatever there is of it.
 */
export const runStates = [
  "seeking",
  "clearing",
  "pulling",
  "creating",
  "starting",
  "running",
  "lost",
  "stopping",
  "removing",
  "ended",
] as const;

export type RunState = (typeof runStates)[number];

export const runEvents = [
  /** The action of this state has succeeded. */
  "done",
  /** The engine has refused it. */
  "failed",
  /** The engine has refused something that can be done without: once more, without it. */
  "again",
  /** The engine does not answer, or no longer. */
  "gone",
  /** The engine answers again, and the container runs. */
  "back",
  /** The container has ended. */
  "died",
  /** There is no such container any more. */
  "vanished",
  /** The time for this state is over. */
  "late",
  /** Somebody wants it to end. */
  "stop",
] as const;

export type RunEvent = (typeof runEvents)[number];

export type RunAction =
  "clear" | "pull" | "create" | "start" | "follow" | "await-engine" | "stop" | "remove" | "end";

export type RunStep = { next: RunState; action: RunAction };

type Row = Partial<Record<RunEvent, RunStep>>;

const end: RunStep = { next: "ended", action: "end" };
const remove: RunStep = { next: "removing", action: "remove" };
const stop: RunStep = { next: "stopping", action: "stop" };

/** An event that a row does not have changes nothing: it is late, or has happened already. */
const table: Record<RunState, Row> = {
  seeking: { done: { next: "clearing", action: "clear" }, failed: end, stop: end },
  clearing: {
    done: { next: "pulling", action: "pull" },
    failed: end,
    gone: end,
    // The rest of what a former run left must go, too.
    stop: remove,
  },
  pulling: {
    done: { next: "creating", action: "create" },
    failed: end,
    gone: end,
    // A builder works in a container of its own.
    stop: remove,
  },
  creating: {
    done: { next: "starting", action: "start" },
    again: { next: "creating", action: "create" },
    failed: remove,
    gone: remove,
    stop: remove,
  },
  starting: {
    done: { next: "running", action: "follow" },
    again: { next: "clearing", action: "clear" },
    failed: remove,
    died: remove,
    vanished: end,
    gone: { next: "lost", action: "await-engine" },
    stop,
  },
  running: {
    died: remove,
    vanished: end,
    gone: { next: "lost", action: "await-engine" },
    stop,
  },
  lost: {
    back: { next: "running", action: "follow" },
    died: remove,
    vanished: end,
    late: end,
    stop,
  },
  stopping: {
    done: remove,
    died: remove,
    failed: remove,
    gone: remove,
    late: remove,
    vanished: end,
  },
  removing: { done: end, failed: end, gone: end, late: end },
  ended: {},
};

export function runStep(state: RunState, event: RunEvent): RunStep | undefined {
  return table[state][event];
}
