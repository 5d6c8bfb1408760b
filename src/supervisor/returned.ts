/**
 * Services as a daemon got them that has failed, and its own words about them -> those that go on here.
 * Pure.
 */
import type { Supervised, SupervisedState } from "../routes/supervised.ts";
import type { HandedFolder, HandedUnit } from "./project/handed-project.ts";
import type { KeptProject, KeptState } from "./project/state-file.ts";
import type { HandedStreams } from "./service/handed-life.ts";
import type { TakenFolder } from "./taken.ts";

export type ReturnedOptions = {
  /** The state as the other daemon has written it last; undefined: there is none that can be read. */
  before: KeptState | undefined;
  /** Whether the folder's project is known in the registry as the other daemon has written it last. */
  isKnown(directory: string): boolean;
  /** The last that the other daemon told of each service. */
  news: readonly Supervised[];
};

export type Returned = {
  folders: TakenFolder[];
  /** Descriptors of what has ended, or was started anew. */
  unused: number[];
};

type Service = NonNullable<HandedUnit["service"]>;
type Lifecycle = Service["lifecycle"];

const runs: ReadonlySet<SupervisedState> = new Set(["running", "ready", "unready"]);
const rests: ReadonlySet<SupervisedState> = new Set([
  ...(["stopped", "exited", "completed", "backoff", "failed"] as const),
]);

/**
 * A process that the other daemon has not touched goes on, with what was heard of it meanwhile. One that it has ended,
 * or that has ended under it, is not started again by mistake; one that it has started is its own, and ends with it.
 * What is wanted is what it has written.
 */
export function returned(folders: readonly TakenFolder[], options: ReturnedOptions): Returned {
  const { before, isKnown, news } = options;
  const byId = new Map(news.map((its) => [its.id, its] as const));
  const unused: number[] = [];
  const all = folders.flatMap(({ handed, streams }): TakenFolder[] => {
    const kept = before?.projects.find((its) => its.directory === handed.directory);
    const isGone = before !== undefined && kept === undefined && !isKnown(handed.directory);
    if (isGone || (kept !== undefined && kept.name !== handed.spec.name)) {
      for (const its of streams.values()) unused.push(...Object.values(its));
      return [];
    }
    const left = new Map<string, HandedStreams>(streams);
    const units = handed.units.map((unit): HandedUnit => {
      const service = serviceNow(unit, byId.get(`${handed.spec.name}:${unit.name}`));
      const lifeless = service?.lifecycle.life === undefined;
      if (lifeless) {
        unused.push(...Object.values(left.get(unit.name) ?? {}));
        left.delete(unit.name);
      }
      return { ...unit, wish: wishNow(unit, { before, kept }), service };
    });
    const whole = kept?.whole ?? (before === undefined && handed.whole);
    const profiles = kept?.profiles ?? handed.profiles;
    const now: HandedFolder = { ...handed, whole, profiles, units };
    return [{ handed: now, streams: left }];
  });
  return { folders: all, unused };
}

function wishNow(
  { name, wish }: HandedUnit,
  { before, kept }: { before: KeptState | undefined; kept: KeptProject | undefined },
): HandedUnit["wish"] {
  if (before === undefined || wish.state === "barred") return wish;
  if (kept === undefined || kept.unwanted.includes(name)) return { state: "unwanted" };
  if (kept.dozing.includes(name)) return { state: "dozing" };
  const wasIdle = wish.state === "unwanted" || wish.state === "dozing";
  return wasIdle && kept.wanted.includes(name) ? { state: "due" } : wish;
}

/** Undefined: it is started again where it is wanted. */
function serviceNow({ service }: HandedUnit, now: Supervised | undefined): Service | undefined {
  if (service === undefined || now === undefined) return service;
  const { lifecycle } = service;
  const { life } = lifecycle;
  const { state } = now;
  if (rests.has(state)) {
    const rested: Lifecycle = {
      ...lifecycle,
      phase: state as Lifecycle["phase"],
      why: now.why,
      restarts: now.restarts,
      failures: now.failures ?? lifecycle.failures,
      lastExit: now.lastExit && { ...now.lastExit, lastLines: [...now.lastExit.lastLines] },
      life: undefined,
    };
    return { ...service, lifecycle: rested, rest: { stdout: "", stderr: "" } };
  }
  if (life === undefined || life.pid !== now.pid || !runs.has(state)) return undefined;
  const went: Lifecycle = {
    ...lifecycle,
    phase: state as Lifecycle["phase"],
    why: now.why,
    restarts: now.restarts,
    life: {
      ...life,
      // Whoever says READY=1 says it once, and the other daemon has heard it.
      readyAt: now.readyAt,
      isGreeted: life.isGreeted || now.readyAt !== undefined,
      isReloading: life.isReloading && state !== "ready",
      status: now.status,
      listens: [...now.listens],
    },
  };
  // The other daemon has written what stood there before its own lines.
  return { ...service, lifecycle: went, rest: { stdout: "", stderr: "" } };
}
