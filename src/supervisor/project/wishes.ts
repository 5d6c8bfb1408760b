/** A wish for a service, and an event -> the next wish and an action. Pure: this table alone decides. */
import type { SupervisedState } from "../../routes/supervised.ts";

/**
 * `unwanted`: nobody asked for it, or somebody stopped it. `dozing`: wanted, and started by a request or by its
 * schedule. `due`: started as soon as all that it depends on is ready. `given`: handed to its lifecycle, whose own
 * table decides from then on. `renewing`: its process goes on until another one could start in its place.
 * `restarting`: being ended, with others, and started again when all of them have ended. `refused`: wanted, but it
 * cannot be started, for want of a port, a reference, or a person who has seen what it runs. `suspended`: wanted, and
 * down for as long as its data is in other hands; `barred`: the same where nobody asks for it.
 */
export const wishStates = [
  "unwanted",
  "dozing",
  "due",
  "given",
  "renewing",
  "restarting",
  "refused",
  "suspended",
  "barred",
] as const;

export type WishState = (typeof wishStates)[number];

export const wishEvents = [
  /** A person asks for it to run, by its name, with its project, or with one that depends on it. */
  "up",
  /** A person brings up its project, in which it starts later: with the first request, or at its time. */
  "up-lazy",
  "request",
  /** A time of its schedule has come. */
  "scheduled",
  /** A service that depends on it has become due. */
  "dependent",
  /** A service that depends on it is restarted, which nobody typed. */
  "missed",
  "stop",
  /** No request has come for a while. */
  "doze",
  /** A person asks for another process in the place of this one. */
  "restart",
  /** A restart that nobody typed: a watched file changed, or a service that it restarts with. */
  "renew",
  /** Its lifecycle has it. */
  "started",
  /** Its lifecycle has it from the daemon before. */
  "goes-on",
  "cannot",
  /** Nothing is missing for another process in the place of this one. */
  "able",
  /** All that are restarted together have ended; or it ended by itself before it was to be restarted. */
  "ended",
  /** Its files changed, so that it would now be started from something else, or may now be started. */
  "changed",
  /** Its data is copied, removed or replaced, for which it must not run. */
  "suspend",
  /** Its data is its own again. */
  "released",
] as const;

export type WishEvent = (typeof wishEvents)[number];

/** The facts, besides the wish, that an event's effect depends on. */
export type Facts = {
  process: ProcessFact;
  /** Its files say that a request or a schedule starts it. */
  lazy: boolean;
};

/**
 * `up`: its lifecycle has a process, or will have one by itself. `ending`: that is being ended. `rested`: it ended well
 * by itself, and the next request starts it. `down`: there is none, and none will come by itself. Of a task, `working`:
 * it has a process; `done`: it is completed; `spent`: its last run failed.
 */
export const processFacts = ["up", "ending", "rested", "down", "working", "done", "spent"] as const;

export type ProcessFact = (typeof processFacts)[number];

/** `end`: its process is ended, where there is one. */
export type WishStep = { next: WishState; action?: "end" };

/** Without `process` or `lazy`, it holds for any. */
type Case = WishStep & { process?: readonly ProcessFact[]; lazy?: boolean };

type Row = Partial<Record<WishEvent, Case | readonly Case[]>>;

const table: Record<WishState, Row> = {
  unwanted: {
    up: { next: "due" },
    missed: { next: "due" },
    "goes-on": { next: "given" },
    // Its process may still wait for its dependents to end, and so it may below.
    "up-lazy": { next: "dozing", action: "end" },
    restart: { next: "restarting", action: "end" },
    // Its process may still be ending.
    suspend: { next: "barred", action: "end" },
  },
  dozing: {
    up: { next: "due" },
    request: { next: "due" },
    scheduled: { next: "due" },
    dependent: { next: "due" },
    missed: { next: "due" },
    stop: { next: "unwanted", action: "end" },
    restart: { next: "restarting", action: "end" },
    suspend: { next: "suspended", action: "end" },
  },
  due: {
    stop: { next: "unwanted", action: "end" },
    doze: { next: "dozing", action: "end" },
    restart: { next: "restarting", action: "end" },
    started: { next: "given" },
    cannot: { next: "refused" },
    suspend: { next: "suspended", action: "end" },
  },
  given: {
    // A task that is done is not run again for that, unless it differs from what was run: `starting.ts` weighs it.
    up: { next: "due", process: ["ending", "rested", "down", "done", "spent"] },
    "up-lazy": { next: "dozing", action: "end", process: ["down"] },
    request: { next: "due", process: ["rested"] },
    scheduled: { next: "due", process: ["rested", "down", "done", "spent"] },
    dependent: { next: "due", process: ["rested"] },
    missed: { next: "due", process: ["rested", "down"] },
    stop: { next: "unwanted", action: "end" },
    doze: { next: "dozing", action: "end" },
    restart: [
      { next: "renewing", process: ["up"] },
      { next: "restarting", action: "end" },
    ],
    renew: { next: "renewing", process: ["up"] },
    changed: [
      { next: "renewing", process: ["up"] },
      // A task that works, or is done, is left alone: another run of it is a person's to ask for, or its schedule's.
      { next: "dozing", action: "end", lazy: true, process: ["ending", "rested", "down", "spent"] },
      { next: "due", process: ["ending", "rested", "down", "spent"] },
    ],
    suspend: { next: "suspended", action: "end" },
  },
  renewing: {
    stop: { next: "unwanted", action: "end" },
    doze: { next: "dozing", action: "end" },
    restart: { next: "renewing" },
    renew: { next: "renewing" },
    changed: { next: "renewing" },
    able: { next: "restarting", action: "end" },
    ended: { next: "due" },
    suspend: { next: "suspended", action: "end" },
  },
  restarting: {
    stop: { next: "unwanted", action: "end" },
    doze: { next: "dozing", action: "end" },
    // Begins anew: it may be ended with others now.
    restart: { next: "restarting", action: "end" },
    ended: { next: "due" },
    suspend: { next: "suspended", action: "end" },
  },
  refused: {
    up: { next: "due" },
    "up-lazy": { next: "dozing", action: "end" },
    stop: { next: "unwanted", action: "end" },
    restart: { next: "due" },
    scheduled: { next: "due" },
    // The reason may be another one.
    cannot: { next: "refused" },
    changed: [{ next: "dozing", action: "end", lazy: true }, { next: "due" }],
    suspend: { next: "suspended", action: "end" },
  },
  // Whatever is asked for meanwhile counts once its data is its own again.
  suspended: {
    stop: { next: "barred", action: "end" },
    released: { next: "due" },
  },
  barred: {
    up: { next: "suspended" },
    "up-lazy": { next: "suspended" },
    missed: { next: "suspended" },
    restart: { next: "suspended" },
    released: { next: "unwanted", action: "end" },
  },
};

/**
 * The wishes that the daemon before had -> the events by which they are taken up, where nothing is wanted yet. One that
 * cannot be started is tried again, as the reason may be gone; one that was being restarted has ended.
 */
export const takenUpBy: Readonly<Record<WishState, readonly WishEvent[]>> = {
  unwanted: [],
  dozing: ["up-lazy"],
  due: ["up"],
  given: ["goes-on"],
  renewing: ["goes-on", "renew"],
  restarting: ["up"],
  refused: ["up"],
  suspended: ["up"],
  barred: [],
};

/** Undefined where the event changes nothing. */
export function wishStep(state: WishState, event: WishEvent, facts: Facts): WishStep | undefined {
  const cases: readonly Case[] = [table[state][event] ?? []].flat();
  const found = cases.find(
    ({ process, lazy }) =>
      (process?.includes(facts.process) ?? true) && (lazy ?? facts.lazy) === facts.lazy,
  );
  if (found === undefined) return undefined;
  const { next, action } = found;
  return action === undefined ? { next } : { next, action };
}

/**
 * The wish for one service. Each event that counts makes a new object: code that waited compares objects to see whether
 * something else was asked for meanwhile.
 */
export type Wish = {
  readonly state: WishState;
  /** For a person: why a service starts that nobody asked for, or why it cannot start. */
  readonly because: string | undefined;
};

export const unasked: Wish = { state: "unwanted", because: undefined };

/** States in which a lifecycle has a process, or will have one by itself. */
const upStates: ReadonlySet<SupervisedState> = new Set([
  "starting",
  "running",
  "ready",
  "unready",
  "backoff",
]);

export function isAlive(state: SupervisedState | undefined): boolean {
  return state !== undefined && upStates.has(state);
}

export type FactOptions = {
  /** True for one that ended well by itself, and that a request starts. */
  rests: boolean;
  /** Set for a task; `completed`: as far as is known of its last run. */
  task: { completed: boolean } | undefined;
};

export function processFact(
  state: SupervisedState | undefined,
  { rests, task }: FactOptions,
): ProcessFact {
  if (isAlive(state)) return task === undefined ? "up" : "working";
  if (state === "stopping") return "ending";
  if (task?.completed === true) return "done";
  if (task !== undefined && state === "failed") return "spent";
  return rests ? "rested" : "down";
}
