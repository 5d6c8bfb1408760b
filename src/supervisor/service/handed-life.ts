/** A daemon's description of a service that goes on under the next one -> checked values. Descriptors come beside. */
import * as v from "valibot";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const pid = v.pipe(v.number(), v.integer(), v.minValue(2));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{16,128}$/));
const text = v.optional(v.string());

/** The phases that go on: `states.ts` says what becomes of the others. */
const handedPhases = [
  ...(["stopped", "running", "ready", "unready"] as const),
  ...(["exited", "completed", "backoff", "failed"] as const),
];

const life = v.object({
  pid,
  /** Milliseconds since the Unix epoch. */
  startedAt: v.number(),
  runId: hex,
  /** Proves that the pid is still the same process, so there is no handover without. */
  birth: count,
  /** Members that the last look found. */
  members: v.array(v.object({ pid, birth: count })),
  /** Milliseconds that it has lived. */
  age: v.number(),
  port: v.optional(port),
  socket: v.string(),
  maySpeak: v.boolean(),
  speaks: v.boolean(),
  isGreeted: v.boolean(),
  isAlive: v.boolean(),
  /** A daemon that does not say it has built nothing. */
  isBuilding: v.optional(v.boolean(), false),
  mainPid: v.optional(pid),
  /** How the process that was spawned has ended, where another is the main one. */
  exit: v.optional(v.object({ code: v.nullable(v.number()), signal: v.nullable(v.string()) })),
  readyAt: v.optional(v.number()),
  status: text,
  listens: v.array(port),
  listensAs: v.array(count),
  warnings: v.array(v.string()),
  remarks: v.array(v.string()),
  /** Milliseconds between two signs of life that it promised; 0: none. */
  watchdog: v.number(),
  /** Milliseconds of its age by which it has to be ready, where it has asked for another time than its file says. */
  readyBy: v.optional(v.number()),
  /** Only READY=1 makes it ready again. */
  isReloading: v.boolean(),
});

const exit = v.object({
  code: v.nullable(v.number()),
  signal: v.nullable(v.string()),
  time: v.number(),
  lastLines: v.array(v.string()),
});

const request = v.object({
  port: v.optional(port),
  url: text,
  trust: v.record(v.string(), v.string()),
  reason: text,
  isBuilt: v.optional(v.literal(true)),
});

export const handedLifecycle = v.object({
  phase: v.picklist(handedPhases),
  why: text,
  restarts: count,
  deaths: count,
  failures: count,
  isRefused: v.boolean(),
  /** The port that another program has. */
  held: v.optional(port),
  lastExit: v.optional(exit),
  leftovers: v.array(v.string()),
  /** The last request to start it, without its shell. */
  request: v.optional(request),
  life: v.optional(life),
  /** Only where it is built: what is to be done beside its process, and for a person why. */
  build: v.optional(v.object({ todo: v.picklist(["anew", "built", "late", "stale"]), why: text })),
  /** Since when it is served, where it has no process: milliseconds since the Unix epoch. */
  served: v.optional(v.object({ startedAt: v.number(), readyAt: v.number() })),
});

export type HandedLife = v.InferOutput<typeof life>;
export type HandedLifecycle = v.InferOutput<typeof handedLifecycle>;

/**
 * Descriptors by name: those of `Descriptors`, `notify` for the socket of its notices, and `after_ready/stdout` for
 * what a hook has left running.
 */
export type HandedStreams = Readonly<Record<string, number>>;
