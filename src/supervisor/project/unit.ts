/** One declared service within its project: what it should be, what it is, and what it waits for. */
import { deepEquals } from "bun";
import { fill } from "../../manifest/fill.ts";
import type { ProjectSpec, ServiceSpec } from "../../manifest/project.ts";
import { type Pending, upCommand } from "../../routes/pending.ts";
import { hasEndedWell, type Supervised } from "../../routes/supervised.ts";
import type { Service } from "../service/service.ts";

/** The environment of a shell. */
export type Shell = Readonly<Record<string, string | undefined>>;

export type Unit = {
  /** `shop:api`. */
  readonly id: string;
  /** As declared, references not filled. */
  spec: ServiceSpec;
  /** What its files say besides, and waits for `up`. */
  unseen: Pending | undefined;
  /** Made by the first start, from the spec filled; another one where that has changed. */
  service: Service | undefined;
  /** The environment of the shell that said `up` last. */
  shell: Shell;
  /** It should run, or be there for the first request. */
  wanted: boolean;
  /** It is wanted, and starts with the first request. */
  dozing: boolean;
  /** It is to be started as soon as all that it depends on is ready. */
  pending: boolean;
  /** It is being ended, to be started again with others. */
  restarting: boolean;
  /** A start is under way, up to the service's own. */
  launching: boolean;
  /** For a person: why it is started, where nobody asked for it. */
  reason: string | undefined;
  /** Why it cannot be started at all. */
  refusal: string | undefined;
  /** Counts what was asked of it: what began before means nothing then. */
  asked: number;
  /** When the process started that was ready last. */
  readyRun: number | undefined;
  /** As told last. */
  told: Supervised | undefined;
};

export function unitOf(spec: ServiceSpec, { project, shell }: { project: string; shell: Shell }) {
  const unit: Unit = {
    id: `${project}:${spec.name}`,
    spec,
    unseen: undefined,
    service: undefined,
    shell,
    wanted: false,
    dozing: false,
    pending: false,
    restarting: false,
    launching: false,
    reason: undefined,
    refusal: undefined,
    asked: 0,
    readyRun: undefined,
    told: undefined,
  };
  return unit;
}

/** States in which it has a process, or is about to have one, of its own accord. */
const upStates: ReadonlySet<Supervised["state"]> = new Set([
  "starting",
  "running",
  "ready",
  "unready",
  "backoff",
]);

/** It runs, or will by itself. */
export function isUp(unit: Unit): boolean {
  return unit.service !== undefined && upStates.has(unit.service.snapshot().state);
}

/** It has no process, and will have none before somebody or something asks for it. */
export function isDown(unit: Unit): boolean {
  if (unit.pending || unit.restarting || unit.launching) return false;
  return !isUp(unit) && unit.service?.snapshot().state !== "stopping";
}

/** A request starts it, as one that nobody has asked for yet: it has ended well by itself. */
export function hasEnded(unit: Unit): boolean {
  const its = unit.service?.snapshot();
  return isDown(unit) && wakes(unit.spec) && its !== undefined && hasEndedWell(its);
}

export function isReady(unit: Unit): boolean {
  return !unit.pending && !unit.restarting && unit.service?.snapshot().state === "ready";
}

export type Blocker = {
  unit: Unit;
  /** The one because of which it will not become ready by itself. */
  lost: Unit | undefined;
};

/** What it waits for, and whether that is in vain. */
export function blockers(unit: Unit, others: ReadonlyMap<string, Unit>): Blocker[] {
  return unit.spec.dependsOn.flatMap((name) => {
    const needed = others.get(name);
    if (needed === undefined || isReady(needed)) return [];
    return [{ unit: needed, lost: lostIn(needed, others) }];
  });
}

function lostIn(unit: Unit, others: ReadonlyMap<string, Unit>): Unit | undefined {
  if (unit.refusal !== undefined || !unit.wanted) return unit;
  if (unit.restarting) return undefined;
  if (unit.pending) {
    return blockers(unit, others).find(({ lost }) => lost !== undefined)?.lost;
  }
  const state = unit.service?.snapshot().state;
  return state === "failed" || state === "exited" ? unit : undefined;
}

/** It as people see it. */
export function snapshotOf(
  unit: Unit,
  { project, others }: { project: ProjectSpec; others: ReadonlyMap<string, Unit> },
): Supervised {
  const { spec } = unit;
  const its = asDeclared(unit, project);
  const { domain, directory } = project;
  const snapshot: Supervised = {
    ...its,
    lazy: unit.wanted && wakes(spec),
    domain,
    directory,
    ...(unit.unseen === undefined ? {} : { pending: unit.unseen }),
  };
  if (unit.refusal !== undefined) return { ...snapshot, state: "failed", why: unit.refusal };
  if (unit.restarting) {
    const ends = its.state === "stopping" || its.state === "stopped";
    return ends ? { ...snapshot, state: "starting", why: unit.reason } : snapshot;
  }
  if (!unit.pending) return snapshot;
  const waits = blockers(unit, others);
  const lost = waits.find((blocker) => blocker.lost !== undefined)?.lost;
  if (lost !== undefined) {
    const why = `${lost.spec.name}, which it waits for, ${whyDown(lost)}`;
    return { ...snapshot, state: "failed", why };
  }
  const names = waits.map((blocker) => blocker.unit.spec.name);
  const why = names.length === 0 ? unit.reason : `waits for ${names.join(", ")}`;
  return { ...snapshot, state: "starting", why };
}

/** What there was of it before says nothing of what it is now, once its process has gone. */
function asDeclared(unit: Unit, project: ProjectSpec): Supervised {
  const { spec, service } = unit;
  const its = service?.snapshot();
  if (its === undefined) return blank(unit, project);
  if (!["stopped", "exited", "failed"].includes(its.state)) return its;
  const { type, routeName } = spec;
  return { ...its, type, routeName, port: type === its.type ? its.port : spec.port };
}

/** Why it must not be started: nothing that a person has seen is known of it. */
export function heldWhy({ unseen }: Unit, directory: string): string | undefined {
  if (!unseen?.held) return undefined;
  const what = unseen.change === "added" ? "it is new" : `its ${unseen.keys.join(", ")} changed`;
  return `${what}, and ${unseen.why}; ${upCommand(directory)} takes it`;
}

/** After its name. */
export function whyDown({ refusal, wanted, service }: Unit): string {
  if (refusal !== undefined) return `cannot start: ${refusal}`;
  if (!wanted) return "is stopped";
  const { state, why } = service?.snapshot() ?? { state: "stopped", why: undefined };
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

/** The spec that a process is started from. */
export function filledSpec(
  { spec, shell }: Pick<Unit, "spec" | "shell">,
  { project, portOf }: { project: ProjectSpec; portOf(service: string): number | undefined },
): FilledSpec {
  const port = spec.type === "exec" ? portOf(spec.name) : undefined;
  const given: Record<string, string> = {
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(spec.routeName === undefined ? {} : { LOCALHOSTESS_NAME: spec.routeName }),
  };
  const filled = fill(spec, { project, shell, given, portOf });
  if (filled.kind === "mistakes") return filled;
  const { env, command, health } = filled;
  return { kind: "spec", spec: { ...spec, env, command, health } };
}

/** Whether a process of the one has to be started anew to be the other's. What only the project goes by does not count. */
export function needsRestart(before: ServiceSpec, after: ServiceSpec): boolean {
  return !deepEquals(processOf(before), processOf(after));
}

function processOf(spec: ServiceSpec): object {
  const { dependsOn: _d, restartWith: _r, lazy: _l, idleTimeout: _i, ...others } = spec;
  const { watch: _w, envFiles: _e, ...its } = others;
  return its;
}
