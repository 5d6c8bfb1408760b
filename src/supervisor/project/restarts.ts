/** Services to end or restart -> ended in reverse order, and started again with those that restart with them. */
import { graphOf, withDependencies, withDependents } from "../../manifest/graph.ts";
import { isReady, isRunning, isUp, type Unit } from "./unit.ts";
import type { ProjectEffects, Units } from "./units.ts";
import type { Wish, WishEvent } from "./wishes.ts";

export type RestartsOptions = {
  effects: ProjectEffects;
  /** Called when something about a service may have changed. */
  changed(unit: Unit): void;
};

export class Restarts {
  readonly #units: Units;
  readonly #effects: ProjectEffects;
  readonly #changed: (unit: Unit) => void;
  /** Set when the daemon ends: services end whatever is wanted of them. */
  isLast = false;

  constructor(units: Units, { effects, changed }: RestartsOptions) {
    this.#units = units;
    this.#effects = effects;
    this.#changed = changed;
  }

  /** Takes a step with `ask`, and ends the process where the table says so. */
  async askAndEnd(unit: Unit, event: WishEvent): Promise<void> {
    if (this.#units.ask(unit, event)?.action === "end") await this.end([unit.spec.name]);
  }

  /** Restarts a service that runs, for a reason that nobody typed. */
  renew(name: string, because: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined || !isRunning(unit)) return;
    void this.restartAll(this.restartedWith([name]), { event: "renew", because });
  }

  /** Informs or restarts the dependents of a service that is ready again in a new process. */
  followRestart(unit: Unit): void {
    if (!isReady(unit)) return;
    const { startedAt } = unit.service!.snapshot();
    const before = unit.readyRun;
    unit.readyRun = startedAt;
    if (before === undefined || before === startedAt) return;
    const { name } = unit.spec;
    for (const other of this.#units.dependentsOf(name)) {
      if (!isRunning(other)) continue;
      if (other.spec.restartWith.includes(name) || this.#units.differs(other, other.shell)) {
        this.renew(other.spec.name, `${name} was restarted`);
      } else this.#effects.logs.of(other.id).say(`${name}, which it depends on, was restarted`);
    }
  }

  /** Adds the services that restart with the given ones, transitively, in start order. */
  restartedWith(names: readonly string[]): string[] {
    const found = new Set(names);
    for (let size = -1; size !== found.size;) {
      size = found.size;
      for (const unit of this.#units.all()) {
        if (isRunning(unit) && unit.spec.restartWith.some((name) => found.has(name))) {
          found.add(unit.spec.name);
        }
      }
    }
    return withDependencies(graphOf(this.#units.spec.services), found).filter((name) =>
      found.has(name),
    );
  }

  async restartAll(
    names: readonly string[],
    { event, because }: { event: "restart" | "renew" | "changed"; because?: string },
  ): Promise<void> {
    const asked = new Map<Unit, Wish>();
    for (const name of names) {
      const unit = this.#units.get(name)!;
      this.#units.ask(unit, event, because);
      // Services that restart together need no announcement of each other.
      unit.readyRun = undefined;
      asked.set(unit, unit.wish);
    }
    this.#effects.onState();
    await this.end(names);
    this.#announce(names);
    for (const [unit, wish] of asked) {
      // A stop or a start may have overtaken this restart.
      if (unit.wish === wish) this.#units.ask(unit, "ended", because);
    }
    for (const name of names) {
      const unit = this.#units.get(name);
      if (unit !== undefined) this.#changed(unit);
    }
  }

  #announce(names: readonly string[]): void {
    for (const name of names) {
      for (const other of this.#units.dependentsOf(name)) {
        if (names.includes(other.spec.name) || !isUp(other)) continue;
        this.#effects.logs.of(other.id).say(`${name}, which it depends on, is restarted`);
      }
    }
  }

  /** Ends each service after its dependents; independent services end side by side. */
  async end(names: readonly string[]): Promise<void> {
    const these = new Set(names);
    const ends = new Map<string, Promise<void>>();
    for (const name of withDependents(graphOf(this.#units.spec.services), names)) {
      if (!these.has(name)) continue;
      const unit = this.#units.get(name)!;
      const needed = this.#units.dependentsOf(name).map((other) => ends.get(other.spec.name));
      const { wish } = unit;
      ends.set(
        name,
        Promise.all(needed).then(async () => {
          // A later wish has overtaken this end.
          if (unit.wish !== wish && !this.isLast) return;
          await unit.service?.stop();
        }),
      );
    }
    await Promise.all(ends.values());
  }
}
