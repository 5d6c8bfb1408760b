/** Writing names into the hosts file, as a table: a state and an event -> the next state, and what is done. */

/**
 * `settled`: nothing is to be written, as far as is known. `due`: a timer runs, after which it is written. `writing`:
 * one call is under way. `stale`: the same, and the names have changed since. `resting`: a call has failed, and a timer
 * runs until the next one. `over`: nothing is written any more.
 */
export const stepStates = ["settled", "due", "writing", "stale", "resting", "over"] as const;
export type StepState = (typeof stepStates)[number];

/** `changed`: the names, or what may be done with them. `time`: the timer. `end`: the daemon ends. */
export const stepEvents = ["changed", "time", "written", "failed", "end"] as const;
export type StepEvent = (typeof stepEvents)[number];

/** `wait`: the timer of changes is started, or made to end earlier. `rest`: that of failures is started. */
export type StepAction = "wait" | "write" | "rest" | "stop";

export type StepMove = { next: StepState; action?: StepAction };

const over: StepMove = { next: "over", action: "stop" };

/** Events that are missing change nothing. */
export const stepTable: Readonly<Record<StepState, Partial<Record<StepEvent, StepMove>>>> = {
  settled: { changed: { next: "due", action: "wait" }, end: over },
  due: {
    changed: { next: "due", action: "wait" },
    time: { next: "writing", action: "write" },
    end: over,
  },
  writing: {
    changed: { next: "stale" },
    written: { next: "settled" },
    failed: { next: "resting", action: "rest" },
    end: over,
  },
  stale: {
    written: { next: "due", action: "wait" },
    failed: { next: "resting", action: "rest" },
    end: over,
  },
  // The next call has the newest names anyway.
  resting: { time: { next: "writing", action: "write" }, end: over },
  over: {},
};
