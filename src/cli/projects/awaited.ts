/** A goal for a service, and its states as they come -> whether it has come, or why it will not. Pure. */
import { constants } from "node:os";
import {
  type Exit,
  isHopeless,
  mostAwaitedDeaths,
  type Supervised,
  type SupervisedState,
} from "../../routes/supervised.ts";

export const goals = ["ready", "stopped", "completed"] as const;

export type Goal = (typeof goals)[number];

export type Verdict =
  | { kind: "waiting" }
  /** `exit`: the exit code to pass on. */
  | { kind: "reached"; exit: number }
  /** `why` follows the service's name. */
  | { kind: "lost"; why: string };

/** The meaning of a state: `own` passes the exit code of the process on, `lost` never becomes what is awaited. */
type Meaning = "waiting" | "reached" | "own" | "lost";

/**
 * A service that nobody has started yet may be started while others wait for it. One that has ended by itself, and is
 * not restarted, ends the wait.
 */
const table: Record<Goal, Record<SupervisedState, Meaning>> = {
  ready: {
    stopped: "waiting",
    starting: "waiting",
    running: "waiting",
    ready: "reached",
    unready: "waiting",
    stopping: "waiting",
    exited: "lost",
    completed: "reached",
    backoff: "waiting",
    failed: "lost",
  },
  stopped: {
    stopped: "reached",
    starting: "waiting",
    running: "waiting",
    ready: "waiting",
    unready: "waiting",
    stopping: "waiting",
    exited: "own",
    completed: "reached",
    backoff: "waiting",
    failed: "own",
  },
  completed: {
    stopped: "waiting",
    starting: "waiting",
    running: "waiting",
    ready: "waiting",
    unready: "waiting",
    stopping: "waiting",
    exited: "own",
    completed: "reached",
    backoff: "waiting",
    failed: "own",
  },
};

/** The past of a service while it was waited for. */
export type Seen = {
  /** Deaths that are followed by another try. */
  deaths: number;
  /** The last of them: the number of its failure, or when it happened. */
  lastDeath: number | undefined;
  /** Set once it has been in another state than `stopped`. */
  ran: boolean;
};

export const unseen: Seen = { deaths: 0, lastDeath: undefined, ran: false };

export type State = Pick<Supervised, "state" | "why" | "lastExit" | "failures" | "isHeld">;

export function seenNext(seen: Seen, { state, lastExit, failures }: State): Seen {
  const ran = seen.ran || state !== "stopped";
  if (state === "ready") return { ...seen, deaths: 0, ran };
  // A start that was refused has no exit.
  const lastDeath = failures ?? lastExit?.time;
  if (state !== "backoff" || lastDeath === seen.lastDeath) return { ...seen, ran };
  return { deaths: seen.deaths + 1, lastDeath, ran };
}

/** `seen` includes the state. */
export function verdictOn(goal: Goal, { its, seen }: { its: State; seen: Seen }): Verdict {
  const { state, why } = its;
  const meaning = table[goal][state];
  if (meaning === "reached") return { kind: "reached", exit: 0 };
  if (meaning === "own") return { kind: "reached", exit: exitOf(its) };
  if (meaning === "lost") return { kind: "lost", why: why ?? `is ${state}` };
  if (goal === "completed" && state === "stopped" && seen.ran) {
    return { kind: "lost", why: "was stopped before it completed" };
  }
  if (state !== "backoff" || goal === "stopped") return { kind: "waiting" };
  if (!isHopeless(its) && seen.deaths < mostAwaitedDeaths) return { kind: "waiting" };
  if (goal === "completed") return { kind: "reached", exit: exitOf(its) };
  return { kind: "lost", why: `${why ?? "ended"}; it is tried again` };
}

/** The exit code of a service that ended by itself; 128 plus the signal's number, as shells have it. */
function exitOf({ state, lastExit }: State): number {
  const code = lastExit === undefined ? undefined : codeOf(lastExit);
  // Without an end of its own it was not ready in time, or could not be started.
  if (state !== "exited") return code || 1;
  return code ?? 0;
}

function codeOf({ code, signal }: Exit): number {
  if (signal === null) return code ?? 1;
  return 128 + (constants.signals[signal as keyof typeof constants.signals] ?? 0);
}
