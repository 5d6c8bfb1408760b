/** One declared service within its project: what it should be, what it is, and what it waits for. */
import { deepEquals } from "bun";
import { fill } from "../../manifest/fill.ts";
import { graphOf, nearestFirst } from "../../manifest/graph.ts";
import { orderVariable } from "../../manifest/order.ts";
import {
  type Condition,
  conditionFor,
  type ProjectSpec,
  type ServiceSpec,
} from "../../manifest/project.ts";
import { type Pending, upCommand } from "../../routes/pending.ts";
import { endText } from "../../routes/state-sentence.ts";
import { hasEndedWell, type Supervised } from "../../routes/supervised.ts";
import { shownMinute } from "../../text/local-time.ts";
import type { Gift, KindFacts } from "../types/kind.ts";
import { kindOf } from "../types/kinds.ts";
import type { Lifecycle } from "../service/lifecycle.ts";
import { isAlive, type ProcessFact, processFact, unasked, type Wish } from "./wishes.ts";
import { leftOutWhy, type Profiles } from "./asked-services.ts";

/** The environment of a shell. */
export type Shell = Readonly<Record<string, string | undefined>>;

export type Unit = {
  /** `shop:api`. */
  readonly id: string;
  /** The declaration, with references not filled. */
  spec: ServiceSpec;
  /** A change in its files that waits for `up`. */
  unseen: Pending | undefined;
  /** Made by the first start, from the spec filled; another one where that has changed. */
  service: Lifecycle | undefined;
  /** The environment of the shell that said `up` last. */
  shell: Shell;
  /** Assigned in one place only: where `Project` takes a step through the table of wishes. */
  wish: Wish;
  /** While it is `renewing`: the reason why its process has to go on. */
  held: Held | undefined;
  /** Only for a task: the fingerprint of its declaration, its last run that was completed, and its last one at all. */
  declaration: string | undefined;
  completed: Completed | undefined;
  attempt: Attempt | undefined;
  /** Fingerprints of what a task would be run from for this wish; without `attempt`, they are being made. */
  weighed: { wish: Wish; attempt: Attempt | undefined } | undefined;
  /**
   * Dependencies that were there when its process was ended for another one: that starts whatever has become of them
   * since, as after a crash. Without this, a task that is run again at the wrong moment would leave it down.
   */
  granted: ReadonlySet<string>;
  /** The former lifecycle, while it ends for good because the spec has changed. */
  leaving: Lifecycle | undefined;
  /** When the process started that was ready last. */
  readyRun: number | undefined;
  /** The next time of its schedule, in milliseconds since the Unix epoch; undefined: none is awaited. */
  nextRun: number | undefined;
  /** The last snapshot that was reported. */
  told: Supervised | undefined;
  /** The wish of the last report to its dependents: it may have been another one meanwhile, with the same snapshot. */
  toldWish: Wish;
};

/** Fingerprints of all that a task is run from. */
export type Attempt = { declaration: string; inputs: string };

/** `time`: when it ended. Milliseconds since the Unix epoch. */
export type Completed = Attempt & { time: number };

/** `isFinal`: nothing that is under way will change it. `why` completes a sentence, with the command that helps. */
export type Held = { why: string; isFinal: boolean };

export function unitOf(spec: ServiceSpec, { project, shell }: { project: string; shell: Shell }) {
  const unit: Unit = {
    id: `${project}:${spec.name}`,
    spec,
    unseen: undefined,
    service: undefined,
    shell,
    wish: unasked,
    held: undefined,
    declaration: undefined,
    completed: undefined,
    attempt: undefined,
    weighed: undefined,
    granted: new Set(),
    leaving: undefined,
    readyRun: undefined,
    nextRun: undefined,
    told: undefined,
    toldWish: unasked,
  };
  return unit;
}

/** Started, or waiting for its first request. */
export function isWanted({ wish }: Unit): boolean {
  return wish.state !== "unwanted" && wish.state !== "barred";
}

/** True for a service that waits to be started. */
export function isDue({ wish }: Unit): boolean {
  return wish.state === "due";
}

/** True for a service whose process goes on until another one could start in its place. */
export function isRenewing({ wish }: Unit): boolean {
  return wish.state === "renewing";
}

export function processOf({ service, spec, completed }: Unit): ProcessFact {
  const its = service?.snapshot();
  const rests = wakes(spec) && its !== undefined && hasEndedWell(its);
  // The type may have changed since its process was started.
  const runsAsTask = (isAlive(its?.state) ? service!.spec : spec).type === "task";
  const task = runsAsTask ? { completed: completed !== undefined } : undefined;
  return processFact(its?.state, { rests, task });
}

/** True for a service that runs, or will by itself. */
export function isUp(unit: Unit): boolean {
  const process = processOf(unit);
  return process === "up" || process === "working";
}

/** True for a service that has ended, and is started again after a while; no other program has its port. */
export function isBetweenTries({ service }: Unit): boolean {
  return service !== undefined && !service.isHeld && service.snapshot().state === "backoff";
}

export function isTask({ spec }: Unit): boolean {
  return spec.type === "task";
}

/** True for a service that runs and is not about to end. */
export function isRunning(unit: Unit): boolean {
  return unit.wish.state === "given" && isUp(unit);
}

export function isReady({ wish, service }: Unit): boolean {
  if (["due", "restarting", "suspended"].includes(wish.state)) return false;
  return service?.snapshot().state === "ready";
}

/** True for one whose data is in other hands, so that it must not run. */
export function isSuspended({ wish }: Pick<Unit, "wish">): boolean {
  return wish.state === "suspended" || wish.state === "barred";
}

export type Blocker = {
  unit: Unit;
  /** The one because of which it will not become ready by itself. */
  lost: Unit | undefined;
};

/** True for one that need not listen, did its work and ended: there is no server that could be missed. */
function hasDone({ wish, spec, service }: Unit): boolean {
  if (spec.type === "exec" || wish.state !== "given") return false;
  const its = service?.snapshot();
  return its !== undefined && hasEndedWell(its);
}

/** True for a task whose last run was completed, and which is not about to be run again. */
export function isCompleted(unit: Unit): boolean {
  const { state } = unit.wish;
  if (state === "due" || state === "restarting" || state === "refused") return false;
  return isTask(unit) && processOf(unit) === "done";
}

/** True for a service that has nothing to become any more: it is ready, or its work is done. */
export function isThere(unit: Unit): boolean {
  return isReady(unit) || hasDone(unit) || isCompleted(unit);
}

/** True for a service that has, or had, a process since it was asked for. */
function isStarted({ wish, service }: Unit): boolean {
  if (wish.state !== "given" && wish.state !== "renewing") return false;
  const state = service?.snapshot().state;
  return state === "running" || state === "ready" || state === "unready" || state === "exited";
}

/** True where a service that waits for that may start. */
function isMet(condition: Condition, needed: Unit): boolean {
  if (condition === "started") return isStarted(needed) || isThere(needed);
  return condition === "ready" ? isThere(needed) : hasDone(needed) || isCompleted(needed);
}

/** The dependencies that a service waits for, and whether it waits in vain. */
export function blockers(unit: Unit, others: ReadonlyMap<string, Unit>): Blocker[] {
  return unit.spec.dependsOn.flatMap((name) => {
    const needed = others.get(name);
    if (isDue(unit) && unit.granted.has(name)) return [];
    if (needed === undefined || isMet(conditionFor(unit.spec, name), needed)) return [];
    return [{ unit: needed, lost: lostIn(needed, others) }];
  });
}

function lostIn(unit: Unit, others: ReadonlyMap<string, Unit>): Unit | undefined {
  const { state: wish } = unit.wish;
  if (wish === "refused" || wish === "unwanted" || wish === "barred") return unit;
  if (wish === "restarting" || wish === "suspended") return undefined;
  if (wish === "due") return blockers(unit, others).find(({ lost }) => lost !== undefined)?.lost;
  const state = unit.service?.snapshot().state;
  return state === "failed" || state === "exited" ? unit : undefined;
}

/** A service as people see it. */
export function snapshotOf(
  unit: Unit,
  {
    project,
    others,
    profiles,
  }: { project: ProjectSpec; others: ReadonlyMap<string, Unit>; profiles: Profiles },
): Supervised {
  const { spec } = unit;
  const its = asDeclared(unit, project);
  const { domain, directory } = project;
  const snapshot: Supervised = {
    ...its,
    ...taskState(unit),
    lazy: isWanted(unit) && wakes(spec),
    ...(spec.instance === undefined ? {} : { instance: spec.instance }),
    ...(spec.plugin === undefined ? {} : { plugin: spec.plugin }),
    ...(spec.settings === undefined ? {} : { settings: spec.settings }),
    domain,
    directory,
    ...(unit.unseen === undefined ? {} : { pending: unit.unseen }),
    ...(unit.nextRun === undefined ? {} : { nextRun: unit.nextRun }),
  };
  const { state: wish, because } = unit.wish;
  if (wish === "renewing" && unit.held !== undefined) {
    return { ...snapshot, warnings: [...snapshot.warnings, heldText(unit.held)] };
  }
  if (wish === "refused") return { ...snapshot, state: "failed", why: because };
  if (wish === "unwanted" && its.state === "stopped") {
    return { ...snapshot, why: its.why ?? leftOutWhy(spec, profiles) };
  }
  if (wish === "barred" && its.state === "stopped") return { ...snapshot, why: because };
  if (wish === "suspended" && !isAlive(its.state)) {
    return { ...snapshot, state: "starting", why: because };
  }
  if (wish === "restarting") {
    const ends = its.state === "stopping" || its.state === "stopped";
    return ends ? { ...snapshot, state: "starting", why: its.why ?? because } : snapshot;
  }
  if (wish !== "due") return { ...snapshot, why: whyWaiting(snapshot) };
  const waits = blockers(unit, others);
  if (waits.length === 0) return { ...snapshot, state: "starting", why: because };
  const { lost, why } = waitText(waits);
  return { ...snapshot, state: lost === undefined ? "starting" : "failed", why };
}

/** `waits for db`; `db, which it waits for, is stopped`, where it waits in vain. `waits` has one at least. */
export function waitText(waits: readonly Blocker[]): { lost: Unit | undefined; why: string } {
  const lost = waits.find((blocker) => blocker.lost !== undefined)?.lost;
  const names = waits.map((blocker) => blocker.unit.spec.name);
  const why =
    lost === undefined
      ? `waits for ${names.join(", ")}`
      : `${lost.spec.name}, which it waits for, ${whyDown(lost)}`;
  return { lost, why };
}

/** For example `is not restarted yet and goes on: waits for db`. */
export function heldText({ why }: Held): string {
  return `is not restarted yet and goes on: ${why}`;
}

/** The reason of its state, and between two runs the time of the next. */
function whyWaiting({ state, why, nextRun }: Supervised): string | undefined {
  if (nextRun === undefined || !restStates.has(state)) return why;
  const next = `next run at ${shownMinute(nextRun)}`;
  return why === undefined ? next : `${why}; ${next}`;
}

const restStates: ReadonlySet<string> = new Set(["stopped", "exited", "completed", "failed"]);

/** After the process has gone, the current declaration decides type, address and port. */
function asDeclared(unit: Unit, project: ProjectSpec): Supervised {
  const { spec, service } = unit;
  const its = service?.snapshot();
  if (its === undefined) return blank(unit, project);
  if (!restStates.has(its.state)) return its;
  const { type, routeName } = spec;
  return { ...its, type, routeName, port: type === its.type ? its.port : spec.port };
}

/** A task that is completed may have been so under another daemon, which its lifecycle does not know of. */
function taskState(unit: Unit): Partial<Supervised> {
  if (unit.wish.state !== "given" || !isCompleted(unit)) return {};
  const isCurrent = unit.completed!.declaration === unit.declaration;
  const why = isCurrent ? undefined : "its declaration has changed since, so that up runs it again";
  return { state: "completed", why };
}

/** Why it must not be started: nothing that a person has seen is known of it. */
export function unseenWhy({ unseen }: Unit, directory: string): string | undefined {
  if (!unseen?.held) return undefined;
  const what = unseen.change === "added" ? "it is new" : `its ${unseen.keys.join(", ")} changed`;
  return `${what}, and ${unseen.why}; ${upCommand(directory)} takes it`;
}

const blankDown = { state: "stopped", why: undefined, lastExit: undefined } as const;

/** After its name. */
export function whyDown({ spec, wish, service }: Unit): string {
  if (wish.state === "refused") return `cannot start: ${wish.because}`;
  if (wish.state === "unwanted") return "is stopped";
  if (isSuspended({ wish })) return `is stopped: ${wish.because}`;
  const { state, why, lastExit } = service?.snapshot() ?? blankDown;
  if (service?.isRefused && why !== undefined) return `could not be started: ${why}`;
  // The program of a managed service has said why in a sentence, which has a subject of its own.
  const isSaid = spec.own !== undefined && lastExit !== undefined && lastExit.code !== 0;
  if (isSaid && ["failed", "backoff"].includes(state) && !why?.startsWith(endText(lastExit))) {
    return why === undefined ? "failed" : `failed: ${why}`;
  }
  return why ?? (state === "failed" ? "failed" : `is ${state}`);
}

/** A request starts it. */
export function wakes(spec: ServiceSpec): boolean {
  return spec.lazy || spec.idleTimeout !== undefined;
}

function blank({ id, spec }: Unit, project: ProjectSpec): Supervised {
  return {
    id,
    project: project.name,
    domain: project.domain,
    service: spec.name,
    type: spec.type,
    state: "stopped",
    why: undefined,
    status: undefined,
    routeName: spec.routeName,
    pid: undefined,
    port: spec.port,
    listens: [],
    listensAs: [],
    startedAt: undefined,
    readyAt: undefined,
    restarts: 0,
    lastExit: undefined,
    lazy: spec.lazy,
    directory: project.directory,
    warnings: [],
  };
}

export type FilledSpec =
  { kind: "spec"; spec: ServiceSpec } | { kind: "mistakes"; mistakes: readonly string[] };

export type FillOptions = {
  project: ProjectSpec;
  /** Undefined: there is no such service, or it has nothing to give yet. */
  giftOf(service: string): Gift | undefined;
  /** The service's own. */
  facts: KindFacts;
};

/** The spec that a process is started from. */
export function filledSpec(
  { spec, shell }: Pick<Unit, "spec" | "shell">,
  { project, giftOf, facts }: FillOptions,
): FilledSpec {
  const { port } = facts;
  const given: Record<string, string> = {
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(spec.routeName === undefined ? {} : { LOCALHOSTESS_NAME: spec.routeName }),
    ...instanceVariables(spec),
  };
  try {
    // The nearest of two databases is the one that DATABASE_URL means, and of those the first.
    const offered = Object.assign(
      {},
      ...nearestFirst(graphOf(project.services), spec.dependsOn)
        .map((name) => giftOf(name)?.variables ?? {})
        .reverse(),
    ) as Record<string, string>;
    const fieldOf = (name: string, field: string) => giftOf(name)?.fields[field];
    const filled = fill(spec, { project, shell, given, fieldOf, offered });
    if (filled.kind === "mistakes") return filled;
    const { env, command, hooks, own, health } = filled;
    const made = {
      ...{ ...spec, env: { ...offered, ...env }, command, hooks, health },
      ...(own === undefined ? {} : { own }),
    };
    const isUnusable = spec.unusable !== undefined;
    return { kind: "spec", spec: isUnusable ? made : kindOf(spec).launched(made, facts) };
  } catch (error) {
    // A place that cannot be made, or a password that cannot be read: its own, or that of a store it depends on.
    return { kind: "mistakes", mistakes: [(error as Error).message] };
  }
}

/** A reference to them is filled like one to PORT. */
function instanceVariables({ instance, env }: ServiceSpec): Record<string, string> {
  if (instance === undefined) return {};
  const number = String(instance.number);
  const declared = env.INSTANCE === undefined ? { INSTANCE: number } : {};
  return { LOCALHOSTESS_INSTANCE: number, ...declared };
}

/** Whether a process of the one spec must be restarted for the other. Keys that only the project reads do not count. */
export function needsRestart(before: ServiceSpec, after: ServiceSpec): boolean {
  return !deepEquals(startedFrom(before), startedFrom(after));
}

/** Whether a process that starts now would be told something else, such as another port of a store. */
export function isOutdated(before: ServiceSpec, after: ServiceSpec): boolean {
  return needsRestart(before, after) || before.env[orderVariable] !== after.env[orderVariable];
}

function startedFrom(spec: ServiceSpec): object {
  const { dependsOn: _d, restartWith: _r, lazy: _l, idleTimeout: _i, ...others } = spec;
  const { watch: _w, envFiles: _e, disabled: _off, profiles: _p, schedule: _s, ...its } = others;
  // Our own program is another one after an upgrade, and runs the same service.
  const { conditions: _c, inputs: _in, settings: _n, program: _own, ...rest } = its;
  // Its order follows from the rest, in the words of the version that wrote it.
  const { [orderVariable]: _order, ...env } = rest.env;
  return { ...rest, env };
}
