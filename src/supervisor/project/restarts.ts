/** Services to end or restart -> ended in reverse order, and started again with those that restart with them. */
import { graphOf, startOrder, withDependencies, withDependents } from "../../manifest/graph.ts";
import type { Cancel } from "../../system/clock.ts";
import { heldBy } from "./held-by.ts";
import {
  type Held,
  heldText,
  isCompleted,
  isReady,
  isRenewing,
  isRunning,
  isTask,
  isUp,
  processOf,
  type Unit,
} from "./unit.ts";
import type { ProjectEffects, Units } from "./units.ts";
import type { Wish, WishEvent } from "./wishes.ts";

export type RestartsOptions = {
  effects: ProjectEffects;
  /** Called when something about a service may have changed. */
  changed(unit: Unit): void;
  /** Starts what a service waits for, and what that waits for. */
  begin(unit: Unit, event: "up" | "missed"): void;
};

/** Milliseconds between two looks at what no event tells of: a port that another program holds, a folder. */
const lookPeriod = 1000;

export class Restarts {
  readonly #units: Units;
  readonly #options: RestartsOptions;
  /** Set while a service is held by something that no event tells of. */
  #cancelLook: Cancel | undefined;
  /** Set when the daemon ends: services end whatever is wanted of them. */
  isLast = false;
  /** True while another daemon may be about to take over. */
  isHalted = false;

  constructor(units: Units, options: RestartsOptions) {
    this.#units = units;
    this.#options = options;
  }

  /** Takes a step with `ask`, and ends the process where the table says so. */
  async askAndEnd(unit: Unit, event: WishEvent): Promise<void> {
    if (this.#units.ask(unit, event)?.action === "end") await this.end([unit.spec.name]);
  }

  /** Restarts a service that runs, for a reason that nobody typed. */
  renew(name: string, because: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined || !isRunning(unit)) return;
    void this.restartAll([name], { event: "renew", because });
  }

  /** Informs or restarts the dependents of a service that is ready again in a new process, or of a task run again. */
  followRestart(unit: Unit): void {
    const run = isCompleted(unit)
      ? unit.completed!.time
      : isReady(unit)
        ? unit.service!.snapshot().startedAt
        : undefined;
    if (run === undefined) return;
    const before = unit.readyRun;
    unit.readyRun = run;
    if (before === undefined || before === run) return;
    const { name } = unit.spec;
    const what = isTask(unit) ? "was run again" : "was restarted";
    for (const other of this.#units.dependentsOf(name)) {
      if (!isRunning(other)) continue;
      if (other.spec.restartWith.includes(name) || this.#units.differs(other, other.shell)) {
        this.renew(other.spec.name, `${name} ${what}`);
      } else {
        this.#log(other).say(`${name}, which it depends on, ${what}`);
      }
    }
  }

  /** Adds the services that restart with the given ones, transitively, in start order. */
  restartedWith(names: Iterable<string>): string[] {
    const found = new Set(names);
    for (let size = -1; size !== found.size;) {
      size = found.size;
      for (const unit of this.#units.all()) {
        if (isRunning(unit) && unit.spec.restartWith.some((name) => found.has(name))) {
          found.add(unit.spec.name);
        }
      }
    }
    return withDependencies(this.#graph(), found).filter((name) => found.has(name));
  }

  /** Restarts services, and those that restart with them, each as soon as it could start again. */
  async restartAll(
    names: readonly string[],
    { event, because }: { event: "restart" | "renew" | "changed"; because?: string },
  ): Promise<void> {
    const going = new Set<string>();
    const asked: Unit[] = [];
    for (const name of names) {
      const unit = this.#units.get(name)!;
      const step = this.#units.ask(unit, event, because);
      if (step === undefined) continue;
      unit.held = undefined;
      asked.push(unit);
      if (step.action !== "end") continue;
      going.add(name);
      // Its run is to be ended, and does not count where it ends well before that.
      if (isTask(unit)) this.#units.forgetRun(unit);
    }
    for (const unit of asked) this.#options.begin(unit, event === "restart" ? "up" : "missed");
    this.#options.effects.onState();
    await this.#go(going);
  }

  /** Restarts what waits for that, as far as it could start again by now. */
  consider(unit: Unit): void {
    if (this.isLast || this.isHalted || !isRenewing(unit)) return;
    if (!isUp(unit) && processOf(unit) !== "ending") {
      // There is no process any more that would have to go on.
      this.#units.ask(unit, "ended", unit.wish.because);
      this.#options.changed(unit);
    } else void this.#go(new Set());
  }

  /** Looks at nothing any more. */
  close(): void {
    this.isLast = true;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** Restarts these, whose end is due, with all that wait for a restart and could start again. */
  async #go(going: Set<string>): Promise<void> {
    if (this.isLast || this.isHalted) return;
    const joined = new Set<Unit>();
    const holding = this.#join(going, joined);
    for (const [unit, held] of holding) this.#hold(unit, held);
    this.#lookLater();
    if (going.size === 0) return;
    const names = startOrder(this.#graph()).filter((name) => going.has(name));
    const asked = new Map<Unit, Wish>();
    for (const name of names) {
      const unit = this.#units.get(name)!;
      unit.held = undefined;
      // Services that restart together need no announcement of each other.
      unit.readyRun = undefined;
      asked.set(unit, unit.wish);
    }
    const ended = this.end(names);
    for (const unit of joined) if (isRenewing(unit)) this.#options.begin(unit, "missed");
    await ended;
    this.#announce(names);
    for (const [unit, wish] of asked) {
      // A stop or a start may have overtaken this restart.
      if (unit.wish === wish) this.#units.ask(unit, "ended", wish.because);
    }
    for (const name of names) {
      const unit = this.#units.get(name);
      if (unit !== undefined) this.#options.changed(unit);
    }
  }

  /**
   * Adds those that could start again to `going`, and those that restart with them to `joined`. Whatever cannot go is
   * returned, with the reason.
   */
  #join(going: Set<string>, joined: Set<Unit>): Map<Unit, Held> {
    const holding = new Map<Unit, Held>();
    for (let size = -1; size !== going.size;) {
      size = going.size;
      for (const name of this.restartedWith(going)) {
        if (going.has(name)) continue;
        const unit = this.#units.get(name)!;
        this.#units.ask(unit, "renew");
        joined.add(unit);
      }
      // In start order: what a service depends on may restart together with it.
      for (const name of startOrder(this.#graph())) {
        const unit = this.#units.get(name);
        // One that is declared no more may be gone already.
        if (unit === undefined || !isRenewing(unit)) continue;
        const { effects } = this.#options;
        const held = heldBy(unit, { units: this.#units, effects, going });
        if (held === undefined) {
          this.#units.ask(unit, "able", unit.wish.because);
          unit.granted = new Set(unit.spec.dependsOn.filter((its) => !going.has(its)));
          holding.delete(unit);
          going.add(name);
        } else holding.set(unit, held);
      }
    }
    return holding;
  }

  /** Tells why the process goes on, once for each reason. */
  #hold(unit: Unit, held: Held): void {
    const isNews = unit.held?.why !== held.why;
    unit.held = held;
    if (!isNews) return;
    this.#log(unit).say(heldText(held));
    this.#units.tell(unit);
    this.#units.tellWatchers(unit.spec.name);
  }

  #lookLater(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    if (this.isLast || !this.#units.all().some((unit) => isRenewing(unit))) return;
    const look = (): void => void this.#go(new Set());
    this.#cancelLook = this.#options.effects.clock.after(lookPeriod, look);
  }

  #announce(names: readonly string[]): void {
    for (const name of names) {
      for (const other of this.#units.dependentsOf(name)) {
        if (names.includes(other.spec.name) || !isUp(other)) continue;
        this.#log(other).say(`${name}, which it depends on, is restarted`);
      }
    }
  }

  /** Ends each service after its dependents; independent services end side by side. */
  async end(names: readonly string[]): Promise<void> {
    const these = new Set(names);
    const ends = new Map<string, Promise<void>>();
    for (const name of withDependents(this.#graph(), names)) {
      if (!these.has(name)) continue;
      const unit = this.#units.get(name)!;
      const needed = this.#units.dependentsOf(name).map((other) => ends.get(other.spec.name));
      const { wish } = unit;
      ends.set(
        name,
        Promise.all(needed).then(async () => {
          // A later wish has overtaken this end.
          if (unit.wish !== wish && !this.isLast) return;
          await unit.service?.stop({ makesWay: wish.state === "restarting" && !this.isLast });
        }),
      );
    }
    await Promise.all(ends.values());
  }

  #graph() {
    return graphOf(this.#units.spec.services);
  }

  #log({ id }: Unit) {
    return this.#options.effects.logs.of(id);
  }
}
