/** A declared project, and requests to it -> services started in order, restarted, and stopped in reverse. */
import { graphOf, withDependencies } from "../../manifest/graph.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { boot, type BootOptions, type Started } from "./boot.ts";
import { Restarts } from "./restarts.ts";
import { Starting } from "./starting.ts";
import {
  unseenWhy,
  isDue,
  isRunning,
  isUp,
  isWanted,
  type Shell,
  type Unit,
  wakes,
  whyDown,
} from "./unit.ts";
import { type Declared, type ProjectEffects, Units } from "./units.ts";

export type Hear = (event: BootEvent) => void;

export type UpOptions = {
  /** Undefined: all that is not lazy. */
  names: readonly string[] | undefined;
  shell: Shell;
  hear: Hear;
  /** Milliseconds for which a service is waited for that runs and has no deadline; by default a minute. */
  patience?: number | undefined;
};

/** The wishes of a project's services, as the next daemon needs them. */
export type ProjectWishes = {
  /** `up` was said of all of it: what is added to the file is started. */
  whole: boolean;
  /** Others that are declared were stopped, or never started; what is in neither list is new. */
  wanted: readonly string[];
  unwanted: readonly string[];
  /** Wanted, and stopped until a request comes. */
  dozing: readonly string[];
};

export class Project {
  readonly #effects: ProjectEffects;
  readonly #units: Units;
  readonly #starting: Starting;
  readonly #restarts: Restarts;
  /** `up` was said of all of it. */
  #whole = false;

  constructor(declared: Declared, effects: ProjectEffects) {
    this.#effects = effects;
    this.#units = new Units(declared, effects);
    const changed = (unit: Unit): void => this.#changed(unit);
    this.#starting = new Starting(this.#units, { effects, changed });
    this.#restarts = new Restarts(this.#units, { effects, changed });
    this.#units.adopt(declared, {});
  }

  get spec(): ProjectSpec {
    return this.#units.spec;
  }

  get wishes(): ProjectWishes {
    const all = this.#units.all();
    const units = all.filter(isWanted);
    const names = (these: Unit[]) => these.map(({ spec }) => spec.name);
    return {
      whole: this.#whole,
      wanted: names(units),
      unwanted: names(all.filter((unit) => !isWanted(unit))),
      dozing: names(units.filter(({ wish }) => wish.state === "dozing")),
    };
  }

  /** True while a service runs, or is wanted. */
  get isActive(): boolean {
    return this.#units.all().some((unit) => isWanted(unit) || unit.service?.run());
  }

  snapshots(): Supervised[] {
    return this.#units.all().map((unit) => this.#units.snapshot(unit));
  }

  units(): readonly Unit[] {
    return this.#units.all();
  }

  unit(name: string): Unit | undefined {
    return this.#units.get(name);
  }

  /** Starts services with their dependencies. Resolves when each is ready, or known not to become ready. */
  up({ names, shell, hear, patience }: UpOptions): Promise<Started> {
    if (names === undefined) this.#whole = true;
    const asked =
      names ?? this.#units.spec.services.filter((its) => !its.lazy).map((its) => its.name);
    const concerned = withDependencies(graphOf(this.#units.spec.services), asked);
    // Also of those that a request or a dependent will start later.
    for (const unit of this.#units.all()) if (!isUp(unit)) unit.shell = shell;
    if (names === undefined) {
      for (const unit of this.#units.all()) {
        if (concerned.includes(unit.spec.name)) continue;
        void this.#restarts.askAndEnd(unit, "up-lazy");
        this.#units.tell(unit);
      }
    }
    const changed: string[] = [];
    for (const name of concerned) {
      const unit = this.#units.get(name)!;
      this.#units.ask(unit, "up");
      this.#starting.settle(unit);
      if (unit.wish.state !== "given" || !this.#units.differs(unit, shell)) continue;
      unit.shell = shell;
      changed.push(name);
    }
    this.#effects.onState();
    const watched = this.#boot(concerned, { hear, changed, patience });
    if (changed.length > 0) {
      void this.#restarts.restartAll(changed, {
        event: "restart",
        because: "its declaration changed",
      });
    }
    for (const name of concerned) this.#starting.consider(this.#units.get(name)!);
    return watched;
  }

  /** Dependents end first. Resolves when no process of them is left. */
  async stop(names: readonly string[] | undefined): Promise<void> {
    if (names === undefined) this.#whole = false;
    const these = names ?? this.#units.names;
    for (const name of these) this.#units.ask(this.#units.get(name)!, "stop");
    this.#effects.onState();
    for (const name of these) this.#changed(this.#units.get(name)!);
    await this.#restarts.end(these);
    for (const name of these) this.#changed(this.#units.get(name)!);
  }

  /** Ends services and those that restart with them, in reverse order, then starts them in order. */
  restart(options: UpOptions): Promise<Started> {
    const { names, shell, hear, patience } = options;
    const asked =
      names ??
      this.#units
        .all()
        .filter(isUp)
        .map(({ spec }) => spec.name);
    const running = asked.filter((name) => isUp(this.#units.get(name)!));
    const concerned = this.#restarts.restartedWith(running);
    for (const name of concerned) this.#units.get(name)!.shell = shell;
    const others = asked.filter((name) => !running.includes(name));
    const all = [...new Set([...concerned, ...others])];
    void this.#restarts.restartAll(concerned, { event: "restart" });
    if (others.length > 0) void this.up({ names: others, shell, hear: () => {} });
    return this.#boot(all, { hear, changed: concerned, patience });
  }

  /** Restarts a service that runs, for a reason that nobody typed. */
  renew(name: string, because: string): void {
    this.#restarts.renew(name, because);
  }

  /** Stops, starts or restarts what differs, and nothing else. `shell` is the environment for added services. */
  async apply(declared: Declared, shell: Shell): Promise<void> {
    const { spec } = declared;
    const former = new Set(this.#units.names);
    const removed = [...former].filter((name) => !spec.services.some((its) => its.name === name));
    if (removed.length > 0) await this.#remove(removed);
    this.#units.adopt(declared, shell);
    const changed = this.#units
      .all()
      .filter((unit) => isRunning(unit) && this.#units.differs(unit, unit.shell));
    if (changed.length > 0) {
      const names = changed.map((unit) => unit.spec.name);
      const because = "its declaration changed";
      void this.#restarts.restartAll(this.#restarts.restartedWith(names), {
        event: "changed",
        because,
      });
    }
    for (const unit of this.#units.all()) {
      const added = !former.has(unit.spec.name);
      if (added && this.#whole) this.#units.ask(unit, unit.spec.lazy ? "up-lazy" : "up");
      if (unit.wish.state === "refused") {
        // The files may have removed the cause of a refusal.
        const unseen = unseenWhy(unit, spec.directory);
        if (unseen !== undefined) this.#units.ask(unit, "cannot", unseen);
        else void this.#restarts.askAndEnd(unit, "changed");
      } else if (
        unit.wish.state === "given" &&
        !isUp(unit) &&
        this.#units.differs(unit, unit.shell)
      ) {
        // A failed service is tried again where its declaration changed.
        void this.#restarts.askAndEnd(unit, "changed");
      }
    }
    this.#effects.onState();
    for (const unit of this.#units.all()) this.#changed(unit);
  }

  /** Takes up the wishes that another daemon left. */
  resume({ whole, wanted, unwanted, dozing }: ProjectWishes, shell: Shell): void {
    this.#whole = whole;
    const names = new Set(wanted);
    for (const unit of this.#units.all()) {
      unit.shell = shell;
      // A service that was added meanwhile starts in a project that is up as a whole.
      const { name, lazy } = unit.spec;
      if (!names.has(name) && (!whole || unwanted.includes(name))) continue;
      const dozes = names.has(name) ? dozing.includes(name) : lazy;
      this.#units.ask(unit, dozes ? "up-lazy" : "up");
    }
    this.#effects.onState();
    for (const unit of this.#units.all()) this.#changed(unit);
  }

  /** Starts a dozing service because a request came for it. */
  wake(name: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined) return;
    if (this.#units.ask(unit, "request", "a request came for it") === undefined) return;
    this.#starting.callDependencies(unit);
    this.#effects.onState();
    this.#starting.consider(unit);
  }

  /** Ends an idle service until its next request. */
  async doze(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined || !wakes(unit.spec)) return;
    const ended = this.#restarts.askAndEnd(unit, "doze");
    this.#effects.onState();
    await ended;
  }

  /** Ends all services with the daemon. Their wishes stay, so that the next daemon starts them again. */
  async rest(): Promise<void> {
    this.#starting.isOver = true;
    this.#restarts.isLast = true;
    await this.#restarts.end(this.#units.names);
  }

  /** Ends all services: the project is gone. */
  async dispose(): Promise<void> {
    await this.stop(undefined);
    await this.#remove(this.#units.names);
  }

  /** For a person: `shop:api ended with exit code 1`. */
  explain(name: string): string {
    const unit = this.#units.get(name)!;
    if (!["due", "refused"].includes(unit.wish.state)) return `${unit.id} ${whyDown(unit)}`;
    return `${unit.id} did not start: ${this.#units.snapshot(unit).why}`;
  }

  async #remove(names: readonly string[]): Promise<void> {
    await this.stop(names);
    for (const name of names) {
      const unit = this.#units.get(name);
      // The service may have been removed meanwhile.
      if (unit === undefined) continue;
      await this.#units.remove(unit);
    }
  }

  #boot(names: readonly string[], asked: Pick<BootOptions, "hear" | "changed" | "patience">) {
    return boot(names, {
      ...asked,
      clock: this.#effects.clock,
      unitOf: (name) => this.#units.get(name),
      snapshotOf: (unit) => this.#units.snapshot(unit),
      explain: (name) => this.explain(name),
      watch: (watcher) => this.#units.watch(watcher),
    });
  }

  /** Reconsiders a service that may have changed, then informs its dependents and watchers. */
  #changed(unit: Unit): void {
    const { name } = unit.spec;
    this.#starting.consider(unit);
    const news = this.#units.tell(unit);
    this.#units.tellWatchers(name);
    this.#restarts.followRestart(unit);
    if (!news) return;
    for (const other of this.#units.dependentsOf(name)) if (isDue(other)) this.#changed(other);
  }
}
