/** A site's phase and an event -> its next phase and what is to be done. Pure: this table is all that decides. */
import type { SupervisedState } from "../../routes/supervised.ts";

/**
 * `building`: its first build runs, or `before_start`; `outdated`: the same, and something has changed since.
 * `opening`: it begins to listen. `rebuilding`: its files are served while they are built again; `again`: the same,
 * and something has changed since. `stale`: the last build failed, so that the files are those of an earlier one.
 * `waiting`: another program has its port.
 */
export const sitePhases = [
  ...([
    "stopped",
    "building",
    "outdated",
    "opening",
    "ready",
    "rebuilding",
    "again",
    "stale",
  ] as const),
  ...(["failed", "waiting", "stopping", "restarting"] as const),
];

export type SitePhase = (typeof sitePhases)[number];

export const siteEvents = [
  ...(["start", "stop", "restart"] as const),
  /** A file that its build reads has changed. */
  "renew",
  /** Its build, or what runs in its place, has ended well; or not. */
  "built",
  "unbuilt",
  "opened",
  /** No place to listen at can be had; or another program has its port. */
  "shut",
  "held",
  /** The port may be free. */
  "waited",
  /** Nothing of it is left. */
  "ended",
] as const;

export type SiteEvent = (typeof siteEvents)[number];

/** `show`: the files are new. `wait`: for the port. `end`: the build, then the listening. */
export type SiteAction = "build" | "open" | "show" | "wait" | "end";

export type SiteStep = { next: SitePhase; action?: SiteAction };

type Row = Partial<Record<SiteEvent, SiteStep>>;

const build: SiteStep = { next: "building", action: "build" };
const down: Row = { start: build, restart: build };
const end: Row = {
  stop: { next: "stopping", action: "end" },
  restart: { next: "restarting", action: "end" },
};
const rebuild: SiteStep = { next: "rebuilding", action: "build" };

const table: Record<SitePhase, Row> = {
  stopped: down,
  building: {
    ...end,
    renew: { next: "outdated" },
    built: { next: "opening", action: "open" },
    unbuilt: { next: "failed" },
  },
  outdated: { ...end, built: build, unbuilt: build },
  opening: {
    ...end,
    opened: { next: "ready" },
    shut: { next: "failed" },
    held: { next: "waiting", action: "wait" },
  },
  ready: { ...end, renew: rebuild },
  rebuilding: {
    ...end,
    renew: { next: "again" },
    built: { next: "ready", action: "show" },
    unbuilt: { next: "stale" },
  },
  // One after another: two builds at once would write the same files.
  again: { ...end, built: rebuild, unbuilt: rebuild },
  stale: { ...end, renew: rebuild },
  failed: { ...end, ...down, renew: build },
  waiting: { ...end, waited: { next: "opening", action: "open" } },
  stopping: {
    start: { next: "restarting" },
    restart: { next: "restarting" },
    ended: { next: "stopped" },
  },
  restarting: { stop: { next: "stopping" }, ended: build },
};

/** Undefined where the event changes nothing: it is late, or has happened already. */
export function siteStep(phase: SitePhase, event: SiteEvent): SiteStep | undefined {
  return table[phase][event];
}

/** The state that people see; the files of a `stale` one are served as those of a ready one are. */
export const siteShownAs: Readonly<Record<SitePhase, SupervisedState>> = {
  stopped: "stopped",
  building: "starting",
  outdated: "starting",
  opening: "starting",
  ready: "ready",
  rebuilding: "ready",
  again: "ready",
  stale: "unready",
  failed: "failed",
  waiting: "backoff",
  stopping: "stopping",
  restarting: "starting",
};

/** Phases in which nothing is under way: the next daemon goes on from there. */
export const siteHanded = {
  stopped: "stopped",
  ready: "ready",
  stale: "unready",
  failed: "failed",
  waiting: "backoff",
} as const satisfies Partial<Record<SitePhase, SupervisedState>>;
