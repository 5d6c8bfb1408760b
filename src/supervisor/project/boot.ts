/** Services that are being started -> what happens to each, until it is ready or known not to become so. */
import type { BootEvent } from "../../routes/project-report.ts";
import {
  hasEndedWell,
  isHopeless,
  mostAwaitedDeaths,
  type Supervised,
} from "../../routes/supervised.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { slowPatience, slowText } from "./slow-start.ts";
import {
  heldText,
  isCompleted,
  isDue,
  isRenewing,
  isTask,
  isThere,
  isUp,
  isWanted,
  type Unit,
  whyDown,
} from "./unit.ts";

/** `reasons` are sentences, with the ids of those that did not become ready. */
export type Started = { kind: "ready" } | { kind: "failed"; reasons: readonly string[] };

export type BootOptions = {
  clock: Clock;
  hear(event: BootEvent): void;
  /**
   * Milliseconds for which somebody waits for a service that runs and has no deadline of its own; by default a minute.
   */
  patience?: number | undefined;
  /** Services that are ended first, and started again. */
  changed: readonly string[];
  /** Services that are built beside their processes, which make way where that succeeds. */
  building?: readonly string[];
  unitOf(name: string): Unit | undefined;
  snapshotOf(unit: Unit): Supervised;
  /** `shop:api ended with exit code 1`. */
  explain(name: string): string;
  /** Calls back on every change of a service, until it is cancelled. */
  watch(watcher: (name: string) => void): Cancel;
};

type Followed = {
  name: string;
  id: string;
  /** Deaths of its process and refused starts, seen here. */
  deaths: number;
  /** The same, since its lifecycle was made. */
  failures: number;
  said: string | undefined;
  /** The end of the last completed run of a task. */
  completedBefore: number | undefined;
  /** Set once it was seen to run without a deadline. */
  isTimed: boolean;
  /** When it last said that it does something else, by the clock that is never set. */
  worked: number;
  /** True where it is there only once its build has ended. */
  builds: boolean;
  /** Its process has built: its time counts from the end of that. */
  wasBuilt: boolean;
  /** The start of the process that is ended first. */
  formerRun: number | undefined;
  /** The first of those that failed, where it waited for that in vain. */
  root?: { name: string; why: string };
};

/** Resolves when nothing is awaited any more. Never rejects. */
export function boot(names: readonly string[], options: BootOptions): Promise<Started> {
  const { hear, unitOf, snapshotOf, explain, watch, clock, patience = slowPatience } = options;
  const open = new Map<string, Followed>();
  const reasons: string[] = [];
  const done = Promise.withResolvers<Started>();
  const cancels: Cancel[] = [];

  const settle = (its: Followed, reason?: string): void => {
    open.delete(its.name);
    if (reason !== undefined) reasons.push(reason);
    const result = reason === undefined ? { Ok: null } : { Err: reason };
    hear({ type: "StepFinished", data: { id: its.id, result } });
    if (reason !== undefined) settleWaiting(its);
    if (open.size === 0) finish();
  };

  /** Settles the services that wait for a failed one. They may still start later; nobody waits for that here. */
  const settleWaiting = (lost: Followed): void => {
    const { root = { name: lost.name, why: whyOf(lost.name) } } = lost;
    for (const its of [...open.values()]) {
      const unit = unitOf(its.name);
      if (!open.has(its.name) || unit === undefined || !isDue(unit)) continue;
      if (!unit.spec.dependsOn.includes(lost.name)) continue;
      its.root = root;
      settle(its, `${its.id} did not start: ${root.name}, which it waits for, ${root.why}`);
    }
  };

  const whyOf = (name: string): string => {
    const unit = unitOf(name);
    return unit === undefined ? "is not declared any more" : whyDown(unit);
  };

  const finish = (): void => {
    for (const cancel of cancels) cancel();
    done.resolve(reasons.length === 0 ? { kind: "ready" } : { kind: "failed", reasons });
  };

  const look = (name: string): void => {
    const its = open.get(name);
    if (its === undefined) return;
    const unit = unitOf(name);
    if (unit === undefined) {
      settle(its, `${its.id} is not declared any more`);
      return;
    }
    if (!isWanted(unit)) {
      settle(its, `${its.id} was stopped before it was ready`);
      return;
    }
    // Nobody has used it meanwhile: it has nothing to become before its next request.
    if (unit.wish.state === "dozing" && !isUp(unit)) {
      settle(its);
      return;
    }
    const { state, why, status, lastExit, startedAt } = snapshotOf(unit);
    if (isRenewing(unit)) {
      if (unit.held?.isFinal) settle(its, explain(name));
      else if (unit.held !== undefined) progress(its, heldText(unit.held));
      return;
    }
    // The process that ends, or has ended already, is not the start that is awaited.
    if (unit.wish.state === "restarting") return;
    if (startedAt !== undefined && startedAt !== its.formerRun) its.formerRun = undefined;
    if (its.builds && unit.service?.isBuilding) {
      progress(its, status);
      return;
    }
    if (its.builds && unit.service?.unbuilt !== undefined) {
      settle(its, `${its.id}: ${unit.service.unbuilt}`);
      return;
    }
    if (isThere(unit) && its.formerRun === undefined) {
      if (isCompleted(unit) && unit.completed!.time === its.completedBefore) {
        progress(its, "already completed");
      }
      settle(its);
      return;
    }
    // A run that was asked for by name may be over before it counts as ready.
    if (unit.spec.schedule !== undefined && !isDue(unit) && hasEndedWell(snapshotOf(unit))) {
      settle(its);
      return;
    }
    const { failures = 0, isHeld = false } = unit.service ?? {};
    if (failures !== its.failures && !isDue(unit)) {
      its.failures = failures;
      if (state === "backoff" || state === "failed") its.deaths += 1;
    }
    const lost = state === "backoff" && isHopeless({ isHeld, lastExit });
    if (state === "failed" || state === "exited" || its.deaths >= mostAwaitedDeaths || lost) {
      settle(its, explain(name));
      return;
    }
    if (isTask(unit) && state === "running") {
      progress(its, "running");
      return;
    }
    const prepares = unit.service?.isPreparing === true;
    if (prepares || its.wasBuilt !== prepares) its.worked = clock.now();
    its.wasBuilt = prepares;
    if (state === "running" && unit.spec.startTimeout === undefined) timeSlow(its);
    if (state === "running" && status !== undefined) {
      if (status !== its.said) its.worked = clock.now();
      progress(its, status);
    } else progress(its, state === "backoff" ? `${why ?? "ended"}; it is tried again` : why);
  };

  const progress = (its: Followed, message: string | undefined): void => {
    // The next attempt keeps the reason of the last one until it has another.
    if (message === undefined || its.said?.startsWith(message)) return;
    its.said = message;
    hear({ type: "StepProgress", data: { id: its.id, message } });
  };

  /** Says after a while what would help, and waits no longer than for `patience`. */
  const timeSlow = (its: Followed): void => {
    if (its.isTimed) return;
    its.isTimed = true;
    // Time counts from when it last said that it does something else, such as fetching what it needs.
    const later = (waited: number, then: (text: string) => void, wait = waited): void => {
      cancels.push(
        clock.after(wait, () => {
          const unit = unitOf(its.name);
          if (!open.has(its.name) || unit === undefined) return;
          const { state, why } = snapshotOf(unit);
          if (unit.service?.isPreparing) its.worked = clock.now();
          const idle = clock.now() - its.worked;
          if (state === "running" && idle < waited) {
            later(waited, then, waited - idle);
          } else if (state === "running") then(slowText(unit.spec, { waited, why }));
          // The next time that it runs, it is timed again.
          else its.isTimed = false;
        }),
      );
    };
    later(patience, (text) => settle(its, `${its.id} ${text}`));
    if (patience <= slowPatience) return;
    later(slowPatience, (message) => hear({ type: "StepProgress", data: { id: its.id, message } }));
  };

  for (const name of names) {
    const unit = unitOf(name)!;
    const { state, startedAt } = snapshotOf(unit);
    const anew = options.changed.includes(name);
    const builds = options.building?.includes(name) ?? false;
    const asItIs = (state === "ready" || state === "unready") && !anew && !builds;
    const kind = isTask(unit) ? "task" : "service";
    const weighed = isTask(unit) && unit.completed !== undefined;
    const started = builds ? "Building" : "Starting";
    const verb = weighed ? "Checking" : anew ? "Restarting" : started;
    const description = asItIs ? `Service ${unit.id} up to date` : `${verb} ${kind} ${unit.id}`;
    hear({ type: "StepStarted", data: { id: unit.id, description } });
    open.set(name, {
      name,
      id: unit.id,
      deaths: 0,
      failures: unit.service?.failures ?? 0,
      said: undefined,
      completedBefore: unit.completed?.time,
      isTimed: false,
      worked: clock.now(),
      builds,
      wasBuilt: false,
      formerRun: anew ? startedAt : undefined,
    });
    // Without a limit a failing check, its own or that of what it waits for, would keep the caller waiting for ever.
    if (state === "unready" || anew) {
      cancels.push(
        clock.after(unit.spec.startTimeout ?? slowPatience, () => {
          const its = open.get(name);
          if (its === undefined || (anew && !isRenewing(unit))) return;
          settle(its, explain(name));
        }),
      );
    }
  }
  cancels.push(watch(look));
  if (open.size === 0) finish();
  else for (const name of names) look(name);
  return done.promise;
}
