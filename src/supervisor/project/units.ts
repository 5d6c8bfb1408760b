/** The services that a project declares -> one unit each, in file order. Wishes change here only. */
import { graphOf, reversed } from "../../manifest/graph.ts";
import { hasPort, type ProjectSpec, type ServiceSpec } from "../../manifest/project.ts";
import type { Pending } from "../../routes/pending.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { LogStore } from "../logs/log-store.ts";
import { furtherPortId } from "./port-book.ts";
import type { Adopting, Lifecycle, LifecycleOptions } from "../service/lifecycle.ts";
import { noProfiles, type Profiles, startsLater } from "./asked-services.ts";
import { taskFingerprint } from "./code.ts";
import {
  type Completed,
  type FilledSpec,
  filledSpec,
  isSuspended,
  needsRestart,
  processOf,
  type Shell,
  snapshotOf,
  type Unit,
  unitOf,
} from "./unit.ts";
import type { Gift, KindFacts, KindMachine } from "../types/kind.ts";
import { kindOf } from "../types/kinds.ts";
import { type WishEvent, type WishStep, wishStep } from "./wishes.ts";

export type ProjectEffects = {
  clock: Clock;
  /** Awaited before each launch, so that the event loop can run between them; undefined: nothing is awaited. */
  breathe?: () => Promise<void>;
  /** lifecycle.ts's, with its effects, or a test's. */
  supervise(spec: ServiceSpec, options: Omit<LifecycleOptions, "effects">): Lifecycle;
  /** The same for a service of the daemon before. */
  adopt(
    spec: ServiceSpec,
    options: Omit<LifecycleOptions, "effects"> & { adopting: Adopting },
  ): Promise<Lifecycle>;
  logs: LogStore;
  /** The parts of this machine that managed services need. */
  machine: KindMachine;
  /** The port that a service has or would have. Undefined: there is none left. */
  portOf(id: string, declared: number | undefined): number | undefined;
  /** A port for a service that is about to be started: free at this moment. */
  claimPort(id: string, declared: number | undefined): number | undefined;
  /** Whether a program could listen on a port now. */
  isFree(port: number): boolean;
  isFolder(path: string): boolean;
  /** A fingerprint of the content of all files that a task's `inputs` match. Never rejects. */
  inputsOf(spec: ServiceSpec): Promise<string>;
  /** The last completed run of each task, by name; kept for the next daemon. */
  completed: Map<string, Completed>;
  urlOf(routeName: string): string;
  /** Variables that name the bundle of authorities. */
  trust(): Readonly<Record<string, string>>;
  onChange(change: "appeared" | "changed" | "gone", snapshot: Supervised): void;
  /** Called when another service should run, or another process runs. */
  onState(): void;
};

/** A project as it runs. `pending` holds, by service, what its files say now and waits for `up`. */
export type Declared = { spec: ProjectSpec; pending: ReadonlyMap<string, Pending> };

export class Units {
  #spec: ProjectSpec;
  readonly #effects: ProjectEffects;
  readonly #all = new Map<string, Unit>();
  /** Name -> those that depend on it. */
  #dependents: ReadonlyMap<string, readonly string[]> = new Map();
  /** Called after every change of a service, with its name. */
  readonly #watchers = new Set<(name: string) => void>();
  /** Asked for by the last `up` of the whole project. */
  profiles: Profiles = noProfiles;

  constructor({ spec }: Declared, effects: ProjectEffects) {
    this.#spec = spec;
    this.#effects = effects;
  }

  get spec(): ProjectSpec {
    return this.#spec;
  }

  get names(): string[] {
    return [...this.#all.keys()];
  }

  all(): Unit[] {
    return [...this.#all.values()];
  }

  get(name: string): Unit | undefined {
    return this.#all.get(name);
  }

  /** The service with that name; for a name that instances share, the first of them. */
  first(name: string): Unit | undefined {
    return this.#all.get(name) ?? this.all().find(({ spec }) => spec.instance?.of === name);
  }

  /** The service and, where it is an instance, the others of its name. */
  together(unit: Unit): Unit[] {
    const of = unit.spec.instance?.of;
    return of === undefined ? [unit] : this.all().filter(({ spec }) => spec.instance?.of === of);
  }

  has(unit: Unit): boolean {
    return this.#all.get(unit.spec.name) === unit;
  }

  get byName(): ReadonlyMap<string, Unit> {
    return this.#all;
  }

  dependentsOf(name: string): Unit[] {
    return (this.#dependents.get(name) ?? []).flatMap((other) => this.#all.get(other) ?? []);
  }

  /** `shell`: of services that are new. Those that are declared no more have ended; they are dropped and returned. */
  adopt({ spec, pending }: Declared, shell: Shell): Unit[] {
    const declared = new Set(spec.services.map(({ name }) => name));
    const dropped = this.all().filter((unit) => !declared.has(unit.spec.name));
    for (const unit of dropped) this.drop(unit);
    this.#spec = spec;
    this.#dependents = reversed(graphOf(spec.services));
    for (const service of spec.services) {
      const { name } = service;
      const known = this.#all.get(name);
      const unit = known ?? unitOf(service, { project: spec.name, shell });
      if (known === undefined) unit.completed = this.#effects.completed.get(name);
      unit.spec = service;
      unit.declaration = service.type === "task" ? taskFingerprint(service, spec) : undefined;
      unit.unseen = pending.get(name);
      // In the order of the file.
      this.#all.delete(name);
      this.#all.set(name, unit);
      if (known === undefined) this.tell(unit);
    }
    return dropped;
  }

  /** In one step: nobody finds a graph with a service that there is not, but for who has waited meanwhile. */
  drop(unit: Unit): void {
    const { name } = unit.spec;
    this.#all.delete(name);
    this.#effects.onChange("gone", this.snapshot(unit));
    this.tellWatchers(name);
  }

  /** The one place that changes what is wanted of a service. Undefined where the event changes nothing. */
  ask(unit: Unit, event: WishEvent, because?: string): WishStep | undefined {
    const facts = { process: processOf(unit), lazy: startsLater(unit.spec) };
    const step = wishStep(unit.wish.state, event, facts);
    if (step === undefined) return undefined;
    const stays = isSuspended(unit) && isSuspended({ wish: { state: step.next, because } });
    // Its data is in the same hands as before, whatever is asked for meanwhile.
    unit.wish = { state: step.next, because: stays ? unit.wish.because : because };
    if (step.next !== "restarting" && step.next !== "due") unit.granted = new Set();
    return step;
  }

  /** Notes the completed run of a task; undefined: there is none that counts. */
  complete(unit: Unit, completed: Completed | undefined): void {
    const { name } = unit.spec;
    unit.completed = completed;
    if (completed === undefined) this.#effects.completed.delete(name);
    else this.#effects.completed.set(name, completed);
    this.#effects.onState();
  }

  /** A task is to be run again, whatever becomes of a run that is under way. */
  forgetRun(unit: Unit): void {
    unit.attempt = undefined;
    this.complete(unit, undefined);
  }

  snapshot(unit: Unit): Supervised {
    const snapshot = snapshotOf(unit, {
      project: this.#spec,
      others: this.#all,
      profiles: this.profiles,
    });
    if (!hasPort(unit.spec) || snapshot.port !== undefined) return snapshot;
    return { ...snapshot, port: this.#effects.portOf(unit.id, unit.spec.port) };
  }

  fill(unit: Pick<Unit, "spec" | "shell">): FilledSpec {
    return filledSpec(unit, {
      project: this.#spec,
      giftOf: (name) => this.giftOf(name),
      facts: this.#factsOf(`${this.#spec.name}:${unit.spec.name}`, unit.spec),
    });
  }

  /** A spec of the daemon before, started again by our own program: its own may be gone, or read another order. */
  renewed({ spec, shell }: Pick<Unit, "spec" | "shell">, declared: ServiceSpec): ServiceSpec {
    if (spec.program === undefined) return spec;
    const filled = this.fill({ spec: declared, shell });
    if (filled.kind === "mistakes") return spec;
    const { program = spec.program, env } = filled.spec;
    return { ...spec, program, ...(needsRestart(spec, filled.spec) ? {} : { env }) };
  }

  /** The gift of a service to others; undefined where there is none of that name. */
  giftOf(name: string): Gift | undefined {
    const other = this.first(name);
    if (other === undefined || other.spec.unusable !== undefined) return undefined;
    return kindOf(other.spec).gives(other.spec, this.#factsOf(other.id, other.spec));
  }

  /** Ends what processes of a service leave outside of their families. */
  tidierOf(id: string, spec: ServiceSpec): (() => Promise<string | undefined>) | undefined {
    const { tidy } = kindOf(spec);
    return tidy && (() => tidy(spec, this.#factsOf(id, spec)));
  }

  #factsOf(id: string, spec: ServiceSpec): KindFacts {
    const { name: project, directory } = this.#spec;
    const port = hasPort(spec) ? this.#effects.portOf(id, spec.port) : undefined;
    const portOf = (suffix: string) => this.#effects.portOf(furtherPortId(id, suffix), undefined);
    const { routeName } = spec;
    const url = routeName === undefined ? undefined : this.#effects.urlOf(routeName);
    return { id, project, directory, port, portOf, url, machine: this.#effects.machine };
  }

  /** Whether what runs was started from something else than would be started now, from that shell. */
  differs({ service, spec }: Unit, shell: Shell): boolean {
    if (service === undefined) return false;
    const filled = this.fill({ spec, shell });
    return filled.kind === "spec" && needsRestart(service.spec, filled.spec);
  }

  /** Reports the snapshot of a service. False where it equals the last one. */
  tell(unit: Unit): boolean {
    const snapshot = this.snapshot(unit);
    if (unit.told !== undefined && Bun.deepEquals(unit.told, snapshot)) return false;
    const change = unit.told === undefined ? "appeared" : "changed";
    unit.told = snapshot;
    this.#effects.onChange(change, snapshot);
    return true;
  }

  tellWatchers(name: string): void {
    for (const watcher of [...this.#watchers]) watcher(name);
  }

  watch(watcher: (name: string) => void): Cancel {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }
}
