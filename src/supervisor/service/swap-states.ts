/** A build beside the process of its service, and an event -> the next phase and an action. Pure: a table decides. */

/**
 * `idle`: nothing beside it. `building`: a build runs; `again`: the same, and something has changed since. `built`: the
 * build has succeeded, and the process is about to make way for what it built; `kept`: it has made way; `begins`: the
 * next one begins with what was built. `builtLate`, `keptLate`, `late`: the same, and something has changed since that
 * build. `stale`: the last build failed, so that the process runs what was built before.
 */
export const swapPhases = [
  "idle",
  "building",
  "again",
  "built",
  "builtLate",
  "kept",
  "keptLate",
  "begins",
  "late",
  "stale",
] as const;

export type SwapPhase = (typeof swapPhases)[number];

export const swapEvents = [
  /** A file that its build reads has changed. */
  "change",
  /** The build has ended well; or not. */
  "built",
  "unbuilt",
  /** The build has ended well, and made what runs already. */
  "same",
  /** A process begins, or is ready, that has built by itself; or, where it is `kept`, one that need not. */
  "begun",
  /** A process that need not build has begun with its own work, or has failed to. */
  "launched",
  /** The process ends to make way for another one. */
  "way",
  /** Nothing of it is to run. */
  "stop",
] as const;

export type SwapEvent = (typeof swapEvents)[number];

/** `swap`: the process makes way for what was built. `tell`: that it runs what was built before. `drop`: the build. */
export type SwapAction = "build" | "swap" | "tell" | "drop";

export type SwapStep = { next: SwapPhase; action?: SwapAction };

type Row = Partial<Record<SwapEvent, SwapStep>>;

const idle: SwapStep = { next: "idle" };
const drop: SwapStep = { next: "idle", action: "drop" };
const build: SwapStep = { next: "building", action: "build" };
const begins: SwapStep = { next: "begins" };
const late: SwapStep = { next: "late" };

const table: Record<SwapPhase, Row> = {
  idle: { change: build },
  building: {
    change: { next: "again" },
    built: { next: "built", action: "swap" },
    unbuilt: { next: "stale", action: "tell" },
    same: idle,
    ...{ begun: drop, way: drop, stop: drop },
  },
  // One after another: two builds at once would write the same files.
  again: { built: build, unbuilt: build, same: build, begun: drop, way: drop, stop: drop },
  // Nobody answers until the next process is there: it waits for no further build.
  built: { change: { next: "builtLate" }, begun: begins, way: { next: "kept" }, stop: idle },
  builtLate: { begun: late, way: { next: "keptLate" }, stop: idle },
  kept: { change: { next: "keptLate" }, begun: begins, way: idle, stop: idle },
  keptLate: { begun: late, way: idle, stop: idle },
  // A build that begins before would have the place that the process has to look into.
  begins: { change: late, launched: idle, begun: idle, way: idle, stop: idle },
  late: { launched: build, begun: idle, way: idle, stop: idle },
  stale: { change: build, begun: idle, way: idle, stop: idle },
};

/** Undefined where the event changes nothing: it is late, or has happened already. */
export function swapStep(phase: SwapPhase, event: SwapEvent): SwapStep | undefined {
  return table[phase][event];
}

/**
 * Work for the next daemon, beside going on with the process. `anew`: a build that was under way, or is due, begins
 * there, as nothing of it may be handed over.
 */
export const swapHanded = {
  idle: undefined,
  building: "anew",
  again: "anew",
  built: "built",
  builtLate: "late",
  kept: undefined,
  keptLate: undefined,
  begins: undefined,
  late: "anew",
  stale: "stale",
} as const satisfies Record<SwapPhase, string | undefined>;
