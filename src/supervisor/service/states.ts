/** A service's phase and an event -> its next phase and what is to be done. Pure: this table is all that decides. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { Exit, SupervisedState } from "../../routes/supervised.ts";

/**
 * The states that people see, and two ways more to be stopping: `restarting` is started again when all of it has
 * ended, `aborting` is ended because it failed (not ready in time, its watchdog silent, too large).
 */
export const phases = [
  "stopped",
  "starting",
  "running",
  "ready",
  "unready",
  "stopping",
  "restarting",
  "aborting",
  "exited",
  "completed",
  "backoff",
  "failed",
] as const;

export type Phase = (typeof phases)[number];

export const events = [
  /** Somebody asks for it to run. */
  "start",
  "stop",
  "restart",
  /** The process runs. */
  "spawned",
  /** The service is ready, by its port, check, pattern, word or age. */
  "ready",
  /** A ready service's check fails, or it says that it reloads. */
  "unready",
  /** The service was not ready in time, its watchdog was silent, or it took more than its limits. */
  "timed-out",
  /** All that was asked to end has ended. */
  "ended",
  /** The process ended by itself, or could not be started; `verdictOn` picks one of the four. */
  "completed",
  "rested",
  "crashed",
  "gave-up",
  /** The wait between two starts is over. */
  "waited",
] as const;

export type Event = (typeof events)[number];

/**
 * `launch`: end what is left of the former run, then spawn. `end`: signal, wait, kill, until nothing is left. `clear`:
 * the main process is gone; end what it left behind. `wait`: for the next start. `judge`: end it, then ask `verdictOn`.
 */
export type Action = "launch" | "end" | "clear" | "wait" | "judge";

export type Step = { next: Phase; action?: Action };

type Row = Partial<Record<Event, Step>>;

/** Steps of a running process. */
const up: Row = {
  stop: { next: "stopping", action: "end" },
  restart: { next: "restarting", action: "end" },
  "timed-out": { next: "aborting", action: "judge" },
  completed: { next: "completed", action: "clear" },
  rested: { next: "exited", action: "clear" },
  crashed: { next: "backoff", action: "wait" },
  "gave-up": { next: "failed", action: "clear" },
};

/** Steps where nothing runs, and nothing will by itself. */
const down: Row = {
  start: { next: "starting", action: "launch" },
  restart: { next: "starting", action: "launch" },
};

const table: Record<Phase, Row> = {
  stopped: down,
  exited: { ...down, stop: { next: "stopping", action: "end" } },
  completed: { ...down, stop: { next: "stopping", action: "end" } },
  failed: { ...down, stop: { next: "stopping", action: "end" } },
  backoff: {
    ...down,
    stop: { next: "stopping", action: "end" },
    waited: { next: "starting", action: "launch" },
  },
  starting: {
    stop: { next: "stopping", action: "end" },
    // The request is read when the process is spawned, so a changed one begins anew.
    restart: { next: "starting", action: "launch" },
    spawned: { next: "running" },
    crashed: { next: "backoff", action: "wait" },
    "gave-up": { next: "failed", action: "clear" },
  },
  running: { ...up, ready: { next: "ready" } },
  ready: { ...up, unready: { next: "unready" } },
  unready: { ...up, ready: { next: "ready" } },
  stopping: {
    start: { next: "restarting" },
    restart: { next: "restarting" },
    ended: { next: "stopped" },
  },
  restarting: {
    stop: { next: "stopping" },
    ended: { next: "starting", action: "launch" },
  },
  aborting: {
    start: { next: "restarting" },
    restart: { next: "restarting" },
    stop: { next: "stopping" },
    rested: { next: "exited" },
    crashed: { next: "backoff", action: "wait" },
    "gave-up": { next: "failed" },
  },
};

/** Undefined where the event changes nothing: it is late, or has happened already. */
export function step(phase: Phase, event: Event): Step | undefined {
  return table[phase][event];
}

/**
 * The fate of a service when another daemon takes over. `goes-on`: its process does, under the other. `rests`:
 * nothing of it runs; the other knows why, and waits as long as this one would have. `settles`: the one that is
 * replaced waits for its next phase, and hands that over.
 */
export const whenReplaced: Readonly<Record<Phase, "goes-on" | "rests" | "settles">> = {
  stopped: "rests",
  starting: "settles",
  running: "goes-on",
  ready: "goes-on",
  unready: "goes-on",
  stopping: "settles",
  restarting: "settles",
  aborting: "settles",
  exited: "rests",
  completed: "rests",
  backoff: "rests",
  failed: "rests",
};

/** The state that people see. From the moment it is asked for, a restart shows as a start to those who wait. */
export function shownAs(phase: Phase): SupervisedState {
  if (phase === "restarting") return "starting";
  return phase === "aborting" ? "stopping" : phase;
}

/** Milliseconds: the first wait between two starts, and the longest. */
const firstWait = 500;
const longestWait = 30_000;

/** Milliseconds that a service is ready without a break, after which its former deaths count no more. */
export const goodHealth = 30_000;

/** Deaths in a row without good health between them, after which it is not started again. */
export const enoughDeaths = 10;

/**
 * Milliseconds until the next start, doubled with each death in a row, give or take a fifth: services that died
 * together do not all start together. `random` is in [0, 1).
 */
export function waitAfter(deaths: number, random: number): number {
  const wait = Math.min(firstWait * 2 ** Math.max(0, deaths - 1), longestWait);
  return Math.round(wait * (0.8 + 0.4 * random));
}

/** `deaths` counts deaths in a row, including this one. */
export type Judged = Pick<ServiceSpec, "type" | "restart"> & { deaths: number };

/** The fate of a service whose process ended unasked. */
export function verdictOn(
  exit: Pick<Exit, "code" | "signal">,
  { type, restart, deaths }: Judged,
): "completed" | "rested" | "crashed" | "gave-up" {
  const well = exit.code === 0;
  if (type === "task") return well ? "completed" : "gave-up";
  if (restart === "no" || (restart === "on-failure" && well)) return "rested";
  return deaths >= enoughDeaths ? "gave-up" : "crashed";
}
