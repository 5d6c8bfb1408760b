/** What a project declares, and what is asked of it -> services started in order, restarted, stopped in reverse. */
import { graphOf, reversed, withDependencies, withDependents } from "../../manifest/graph.ts";
import type { ProjectSpec, ServiceSpec } from "../../manifest/project.ts";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Pending } from "../../routes/pending.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { Clock } from "../../system/clock.ts";
import { boot, type Started } from "./boot.ts";
import type { LogStore } from "../logs/log-store.ts";
import { plainLines } from "../logs/plain-text.ts";
import type { StartRequest } from "../service/begin-life.ts";
import type { Lifecycle, LifecycleOptions } from "../service/lifecycle.ts";
import {
  blockers,
  filledSpec,
  heldWhy,
  isDue,
  isReady,
  isUp,
  isRunning,
  isWanted,
  needsRestart,
  processOf,
  type Shell,
  snapshotOf,
  type Unit,
  unitOf,
  wakes,
  whyDown,
} from "./unit.ts";
import { type Wish, type WishEvent, type WishStep, wishStep } from "./wishes.ts";

export type ProjectEffects = {
  clock: Clock;
  /** service.ts's, with its effects, or a test's. */
  supervise(spec: ServiceSpec, options: Omit<LifecycleOptions, "effects">): Lifecycle;
  logs: LogStore;
  /** The port that a service has or would have. Undefined: there is none left. */
  portOf(id: string, declared: number | undefined): number | undefined;
  /** As `portOf`, free now: it is about to be started. */
  claimPort(id: string, declared: number | undefined): number | undefined;
  urlOf(routeName: string): string;
  /** Variables that name the bundle of authorities. */
  trust(): Readonly<Record<string, string>>;
  onChange(change: "appeared" | "changed" | "gone", snapshot: Supervised): void;
  /** What should run, or what runs, is different. */
  onState(): void;
};

/** What is declared, and runs; `pending`: services of which the files say something else, that waits for `up`. */
export type Declared = { spec: ProjectSpec; pending: ReadonlyMap<string, Pending> };

export type Hear = (event: BootEvent) => void;

export type UpOptions = {
  /** Undefined: all that is not lazy. */
  names: readonly string[] | undefined;
  shell: Shell;
  hear: Hear;
};

/** What the next daemon has to know. */
export type ProjectState = {
  /** `up` was said of all of it: what is added to the file is started. */
  whole: boolean;
  /** Others that are declared were stopped, or never started; what is in neither list is new. */
  wanted: readonly string[];
  unwanted: readonly string[];
  /** Wanted, and stopped until a request comes. */
  dozing: readonly string[];
};

/** Lines of the log that a crash keeps. */
const crashLines = 50;

export class Project {
  #spec: ProjectSpec;
  readonly #effects: ProjectEffects;
  readonly #units = new Map<string, Unit>();
  /** Name -> those that depend on it. */
  #dependents: ReadonlyMap<string, readonly string[]> = new Map();
  /** Asked after every change of a service. */
  readonly #watchers = new Set<(name: string) => void>();
  #whole = false;
  #resting = false;

  constructor(declared: Declared, effects: ProjectEffects) {
    this.#spec = declared.spec;
    this.#effects = effects;
    this.#adopt(declared, {});
  }

  get spec(): ProjectSpec {
    return this.#spec;
  }

  get state(): ProjectState {
    const all = [...this.#units.values()];
    const units = all.filter(isWanted);
    const names = (these: Unit[]) => these.map(({ spec }) => spec.name);
    return {
      whole: this.#whole,
      wanted: names(units),
      unwanted: names(all.filter((unit) => !isWanted(unit))),
      dozing: names(units.filter(({ wish }) => wish.state === "dozing")),
    };
  }

  /** Something of it runs, or is to. */
  get isActive(): boolean {
    return [...this.#units.values()].some((unit) => isWanted(unit) || unit.service?.run());
  }

  snapshots(): Supervised[] {
    return [...this.#units.values()].map((unit) => this.#snapshot(unit));
  }

  units(): IterableIterator<Unit> {
    return this.#units.values();
  }

  unit(name: string): Unit | undefined {
    return this.#units.get(name);
  }

  /** Starts them and what they depend on; resolves when each is ready, or it is known why not. */
  up({ names, shell, hear }: UpOptions): Promise<Started> {
    if (names === undefined) this.#whole = true;
    const asked = names ?? this.#spec.services.filter((its) => !its.lazy).map((its) => its.name);
    const concerned = withDependencies(graphOf(this.#spec.services), asked);
    // Also of those that a request or a dependent will start later.
    for (const unit of this.#units.values()) if (!isUp(unit)) unit.shell = shell;
    if (names === undefined) {
      for (const unit of this.#units.values()) {
        if (concerned.includes(unit.spec.name)) continue;
        void this.#askAndEnd(unit, "up-lazy");
        this.#tell(unit);
      }
    }
    const changed: string[] = [];
    for (const name of concerned) {
      const unit = this.#units.get(name)!;
      this.#ask(unit, "up");
      this.#settle(unit);
      if (unit.wish.state !== "given" || !this.#differs(unit, shell)) continue;
      unit.shell = shell;
      changed.push(name);
    }
    this.#effects.onState();
    const watched = this.#boot(concerned, { hear, changed });
    if (changed.length > 0) {
      void this.#restartAll(changed, { event: "restart", because: "its declaration changed" });
    }
    for (const name of concerned) this.#consider(this.#units.get(name)!);
    return watched;
  }

  /** Those that depend on others first. Resolves when nothing of them is left. */
  async stop(names: readonly string[] | undefined): Promise<void> {
    if (names === undefined) this.#whole = false;
    const these = names ?? [...this.#units.keys()];
    for (const name of these) this.#ask(this.#units.get(name)!, "stop");
    this.#effects.onState();
    for (const name of these) this.#changed(this.#units.get(name)!);
    await this.#end(these);
    for (const name of these) this.#changed(this.#units.get(name)!);
  }

  /** Ends them and those that are to be restarted with them, in reverse, and starts them in order. */
  restart(options: UpOptions): Promise<Started> {
    const { names, shell, hear } = options;
    const asked = names ?? [...this.#units.values()].filter(isUp).map(({ spec }) => spec.name);
    const running = asked.filter((name) => isUp(this.#units.get(name)!));
    const concerned = this.#restartedWith(running);
    for (const name of concerned) this.#units.get(name)!.shell = shell;
    const others = asked.filter((name) => !running.includes(name));
    const all = [...new Set([...concerned, ...others])];
    void this.#restartAll(concerned, { event: "restart" });
    if (others.length > 0) void this.up({ names: others, shell, hear: () => {} });
    return this.#boot(all, { hear, changed: concerned });
  }

  /** One that is to be started anew for a reason that nobody typed. */
  renew(name: string, because: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined || !isRunning(unit)) return;
    void this.#restartAll(this.#restartedWith([name]), { event: "renew", because });
  }

  /** What is different is stopped, started or restarted; nothing else. `shell`: of who said `up`, for what is added. */
  async apply(declared: Declared, shell: Shell): Promise<void> {
    const { spec } = declared;
    const former = new Set(this.#units.keys());
    const removed = [...former].filter((name) => !spec.services.some((its) => its.name === name));
    if (removed.length > 0) await this.#remove(removed);
    this.#adopt(declared, shell);
    const changed = [...this.#units.values()].filter(
      (unit) => isRunning(unit) && this.#differs(unit, unit.shell),
    );
    if (changed.length > 0) {
      const names = changed.map((unit) => unit.spec.name);
      const because = "its declaration changed";
      void this.#restartAll(this.#restartedWith(names), { event: "changed", because });
    }
    for (const unit of this.#units.values()) {
      const added = !former.has(unit.spec.name);
      if (added && this.#whole) this.#ask(unit, unit.spec.lazy ? "up-lazy" : "up");
      if (unit.wish.state === "refused") {
        // What could not be started may be mended now.
        const held = heldWhy(unit, spec.directory);
        if (held !== undefined) this.#ask(unit, "cannot", held);
        else void this.#askAndEnd(unit, "changed");
      } else if (unit.wish.state === "given" && !isUp(unit) && this.#differs(unit, unit.shell)) {
        // One that has failed is tried again, where it is another now.
        void this.#askAndEnd(unit, "changed");
      }
    }
    this.#effects.onState();
    for (const unit of this.#units.values()) this.#changed(unit);
  }

  /** As another daemon left it. */
  resume({ whole, wanted, unwanted, dozing }: ProjectState, shell: Shell): void {
    this.#whole = whole;
    const names = new Set(wanted);
    for (const unit of this.#units.values()) {
      unit.shell = shell;
      // What was added to the file meanwhile belongs to a project that is up.
      const { name, lazy } = unit.spec;
      if (!names.has(name) && (!whole || unwanted.includes(name))) continue;
      const dozes = names.has(name) ? dozing.includes(name) : lazy;
      this.#ask(unit, dozes ? "up-lazy" : "up");
    }
    this.#effects.onState();
    for (const unit of this.#units.values()) this.#changed(unit);
  }

  /** A request has come for it. */
  wake(name: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined) return;
    if (this.#ask(unit, "request", "a request came for it") === undefined) return;
    this.#callDependencies(unit);
    this.#effects.onState();
    this.#consider(unit);
  }

  /** No request has come for a while: ends until the next one does. */
  async doze(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined || !wakes(unit.spec)) return;
    const ended = this.#askAndEnd(unit, "doze");
    this.#effects.onState();
    await ended;
  }

  /** The daemon ends: so do they, and they are to be started again by the next one. */
  async rest(): Promise<void> {
    this.#resting = true;
    await this.#end([...this.#units.keys()]);
  }

  /** It is no project any more. */
  async dispose(): Promise<void> {
    await this.stop(undefined);
    await this.#remove([...this.#units.keys()]);
  }

  /** For a person: `shop:api ended with exit code 1`. */
  explain(name: string): string {
    const unit = this.#units.get(name)!;
    if (!["due", "refused"].includes(unit.wish.state)) return `${unit.id} ${whyDown(unit)}`;
    return `${unit.id} did not start: ${this.#snapshot(unit).why}`;
  }

  #snapshot(unit: Unit): Supervised {
    const snapshot = snapshotOf(unit, { project: this.#spec, others: this.#units });
    if (snapshot.type !== "exec" || snapshot.port !== undefined) return snapshot;
    return { ...snapshot, port: this.#effects.portOf(unit.id, unit.spec.port) };
  }

  #adopt({ spec, pending }: Declared, shell: Shell): void {
    this.#spec = spec;
    this.#dependents = reversed(graphOf(spec.services));
    for (const service of spec.services) {
      const unit = this.#units.get(service.name);
      if (unit !== undefined) {
        unit.spec = service;
        unit.unseen = pending.get(service.name);
        continue;
      }
      const made = unitOf(service, { project: spec.name, shell });
      made.unseen = pending.get(service.name);
      this.#units.set(service.name, made);
      this.#tell(made);
    }
    // In the order of the file.
    for (const { name } of spec.services) {
      const unit = this.#units.get(name)!;
      this.#units.delete(name);
      this.#units.set(name, unit);
    }
  }

  async #remove(names: readonly string[]): Promise<void> {
    await this.stop(names);
    for (const name of names) {
      const unit = this.#units.get(name);
      // Somebody may have removed it meanwhile.
      if (unit === undefined) continue;
      await unit.service?.dispose();
      this.#units.delete(name);
      this.#effects.onChange("gone", this.#snapshot(unit));
      for (const watcher of [...this.#watchers]) watcher(name);
      await this.#effects.logs.forget(unit.id);
    }
  }

  /** Whether what runs was started from something else than would be started now. */
  #differs(unit: Unit, shell: Shell): boolean {
    if (unit.service === undefined) return false;
    const filled = this.#fill({ ...unit, shell });
    return filled.kind === "spec" && needsRestart(unit.service.spec, filled.spec);
  }

  #fill(unit: Unit) {
    return filledSpec(unit, {
      project: this.#spec,
      portOf: (name) => {
        const other = this.#units.get(name);
        if (other === undefined || other.spec.type !== "exec") return undefined;
        return this.#effects.portOf(other.id, other.spec.port);
      },
    });
  }

  #boot(names: readonly string[], { hear, changed }: { hear: Hear; changed: readonly string[] }) {
    return boot(names, {
      clock: this.#effects.clock,
      hear,
      changed,
      unitOf: (name) => this.#units.get(name),
      snapshotOf: (unit) => this.#snapshot(unit),
      explain: (name) => this.explain(name),
      watch: (watcher) => {
        this.#watchers.add(watcher);
        return () => void this.#watchers.delete(watcher);
      },
    });
  }

  /** The one place that changes what is wanted of a service. Undefined where the event changes nothing. */
  #ask(unit: Unit, event: WishEvent, because?: string): WishStep | undefined {
    const facts = { process: processOf(unit), lazy: unit.spec.lazy };
    const step = wishStep(unit.wish.state, event, facts);
    if (step !== undefined) unit.wish = { state: step.next, because };
    return step;
  }

  /** As `#ask`, and ends the process where that is to be done. */
  async #askAndEnd(unit: Unit, event: WishEvent): Promise<void> {
    if (this.#ask(unit, event)?.action === "end") await this.#end([unit.spec.name]);
  }

  /** One that runs already has what it was due for. */
  #settle(unit: Unit): void {
    if (isDue(unit) && isUp(unit)) this.#ask(unit, "started");
  }

  /** Starts it, if it is to be started and nothing is missing. */
  #consider(unit: Unit): void {
    if (!isDue(unit) || this.#resting) return;
    this.#settle(unit);
    if (!isDue(unit)) return;
    const waits = blockers(unit, this.#units);
    if (waits.length === 0) this.#launch(unit);
    for (const { unit: needed } of waits) {
      // It may have come to doze while the other waited.
      if (needed.wish.state === "dozing") this.#call(needed, unit);
    }
  }

  /** What a service depends on is started with it, where a request would start that too. */
  #callDependencies(unit: Unit): void {
    for (const name of unit.spec.dependsOn) {
      const needed = this.#units.get(name);
      if (needed !== undefined) this.#call(needed, unit);
    }
  }

  #call(needed: Unit, dependent: Unit): void {
    const because = `${dependent.spec.name} depends on it`;
    if (this.#ask(needed, "dependent", because) === undefined) return;
    this.#callDependencies(needed);
    this.#changed(needed);
  }

  #launch(unit: Unit): void {
    if (unit.leaving !== undefined) return;
    const held = heldWhy(unit, this.#spec.directory);
    if (held !== undefined) {
      this.#refuse(unit, held);
      return;
    }
    const port = this.#portFor(unit);
    const filled = this.#fill(unit);
    if (port === "none") this.#refuse(unit, "there is no free port for it");
    else if (filled.kind === "mistakes") this.#refuse(unit, filled.mistakes.join("; "));
    else if (unit.service !== undefined && needsRestart(unit.service.spec, filled.spec)) {
      void this.#leave(unit, unit.service);
    } else {
      const request = this.#request(unit, port);
      unit.service ??= this.#make(unit, filled.spec);
      this.#ask(unit, "started");
      unit.service.start(request);
      this.#changed(unit);
    }
  }

  #refuse(unit: Unit, why: string): void {
    this.#ask(unit, "cannot", why);
    this.#changed(unit);
  }

  /** Ends its former lifecycle, and then looks anew at what is wanted of it. */
  async #leave(unit: Unit, former: Lifecycle): Promise<void> {
    unit.leaving = former;
    await former.dispose();
    unit.leaving = undefined;
    unit.service = undefined;
    // Somebody may have removed it meanwhile.
    if (this.#units.get(unit.spec.name) === unit) this.#changed(unit);
  }

  #portFor(unit: Unit): number | undefined | "none" {
    if (unit.spec.type !== "exec") return undefined;
    return this.#effects.claimPort(unit.id, unit.spec.port) ?? "none";
  }

  #request(unit: Unit, port: number | undefined): StartRequest {
    const { routeName } = unit.spec;
    const request: StartRequest = {
      shell: unit.shell,
      port,
      url: routeName === undefined ? undefined : this.#effects.urlOf(routeName),
      trust: this.#effects.trust(),
    };
    const { because } = unit.wish;
    if (because !== undefined) request.reason = because;
    return request;
  }

  #make(unit: Unit, spec: ServiceSpec): Lifecycle {
    const log = this.#effects.logs.of(unit.id);
    let running: number | undefined;
    /** The number of the first line that the process which runs, or ran last, could print. */
    let firstLine = log.next;
    const service = this.#effects.supervise(spec, {
      project: this.#spec.name,
      domain: this.#spec.domain,
      directory: this.#spec.directory,
      onOutput: (stream, bytes) => log.push(stream, bytes),
      onMembers: () => this.#effects.onState(),
      lastLines() {
        log.flush();
        return plainLines(log.last(crashLines).filter(({ number }) => number >= firstLine));
      },
      onChange: ({ startedAt }) => {
        if (startedAt !== running) {
          running = startedAt;
          if (startedAt !== undefined) firstLine = log.next;
          this.#effects.onState();
        }
        if (unit.service === service) this.#changed(unit);
      },
    });
    log.source = { pause: () => service.pauseOutput(), resume: () => service.resumeOutput() };
    return service;
  }

  /** Something about it may be different: those who wait for it, and those who watch. */
  #changed(unit: Unit): void {
    const { name } = unit.spec;
    this.#consider(unit);
    const news = this.#tell(unit);
    for (const watcher of [...this.#watchers]) watcher(name);
    this.#followRestart(unit);
    if (!news) return;
    for (const dependent of this.#dependents.get(name) ?? []) {
      const other = this.#units.get(dependent);
      if (other !== undefined && isDue(other)) this.#changed(other);
    }
  }

  /** False where that is known. */
  #tell(unit: Unit): boolean {
    const snapshot = this.#snapshot(unit);
    if (unit.told !== undefined && Bun.deepEquals(unit.told, snapshot)) return false;
    const change = unit.told === undefined ? "appeared" : "changed";
    unit.told = snapshot;
    this.#effects.onChange(change, snapshot);
    return true;
  }

  /** It is ready again in another process: who depends on it hears of it, or is restarted. */
  #followRestart(unit: Unit): void {
    if (!isReady(unit)) return;
    const { startedAt } = unit.service!.snapshot();
    const before = unit.readyRun;
    unit.readyRun = startedAt;
    if (before === undefined || before === startedAt) return;
    const { name } = unit.spec;
    for (const dependent of this.#dependents.get(name) ?? []) {
      const other = this.#units.get(dependent);
      if (other === undefined || !isRunning(other)) continue;
      if (other.spec.restartWith.includes(name) || this.#differs(other, other.shell)) {
        this.renew(dependent, `${name} was restarted`);
      } else this.#effects.logs.of(other.id).say(`${name}, which it depends on, was restarted`);
    }
  }

  /** With those that are restarted with them, and so on; in the order to start. */
  #restartedWith(names: readonly string[]): string[] {
    const found = new Set(names);
    for (let size = -1; size !== found.size;) {
      size = found.size;
      for (const unit of this.#units.values()) {
        if (isRunning(unit) && unit.spec.restartWith.some((name) => found.has(name))) {
          found.add(unit.spec.name);
        }
      }
    }
    return withDependencies(graphOf(this.#spec.services), found).filter((name) => found.has(name));
  }

  async #restartAll(
    names: readonly string[],
    { event, because }: { event: "restart" | "renew" | "changed"; because?: string },
  ): Promise<void> {
    const asked = new Map<Unit, Wish>();
    for (const name of names) {
      const unit = this.#units.get(name)!;
      this.#ask(unit, event, because);
      // Not to be announced as one: those who are restarted with it know.
      unit.readyRun = undefined;
      asked.set(unit, unit.wish);
    }
    this.#effects.onState();
    await this.#end(names);
    this.#announce(names);
    for (const [unit, wish] of asked) {
      // Somebody may have stopped it meanwhile, or started it.
      if (unit.wish === wish) this.#ask(unit, "ended", because);
    }
    for (const name of names) {
      const unit = this.#units.get(name);
      if (unit !== undefined) this.#changed(unit);
    }
  }

  #announce(names: readonly string[]): void {
    for (const name of names) {
      for (const dependent of this.#dependents.get(name) ?? []) {
        const other = this.#units.get(dependent);
        if (other === undefined || names.includes(dependent) || !isUp(other)) continue;
        this.#effects.logs.of(other.id).say(`${name}, which it depends on, is restarted`);
      }
    }
  }

  /** Each after those of them that depend on it; independent ones side by side. */
  async #end(names: readonly string[]): Promise<void> {
    const these = new Set(names);
    const ends = new Map<string, Promise<void>>();
    for (const name of withDependents(graphOf(this.#spec.services), names)) {
      if (!these.has(name)) continue;
      const unit = this.#units.get(name)!;
      const needed = (this.#dependents.get(name) ?? []).map((other) => ends.get(other));
      const { wish } = unit;
      ends.set(
        name,
        Promise.all(needed).then(async () => {
          // Somebody wants it to run meanwhile.
          if (unit.wish !== wish && !this.#resting) return;
          await unit.service?.stop();
        }),
      );
    }
    await Promise.all(ends.values());
  }
}
