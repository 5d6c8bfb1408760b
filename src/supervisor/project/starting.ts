/** A due service -> started with its dependencies as soon as nothing is missing, or refused. */
import { hasPort, type ServiceSpec } from "../../manifest/project.ts";
import { plainLines } from "../logs/plain-text.ts";
import type { StartRequest } from "../service/begin-life.ts";
import { terminalSize } from "../service/child.ts";
import type { Adopting, Lifecycle, LifecycleOptions } from "../service/lifecycle.ts";
import { kindOf } from "../types/kinds.ts";
import { furtherPortId } from "./port-book.ts";
import {
  blockers,
  unseenWhy,
  isDue,
  isOutdated,
  isTask,
  isUp,
  processOf,
  type Unit,
} from "./unit.ts";
import type { ProjectEffects, Units } from "./units.ts";

export type StartingOptions = {
  effects: ProjectEffects;
  /** Called when something about a service may have changed. */
  changed(unit: Unit): void;
  /** Called when a service that runs is to make way for what was built. */
  renew(unit: Unit, because: string): void;
};

/** Lines of the log that a crash keeps. */
const crashLines = 50;

export class Starting {
  readonly #units: Units;
  readonly #effects: ProjectEffects;
  readonly #changed: (unit: Unit) => void;
  readonly #renew: StartingOptions["renew"];
  /** Set when the daemon ends: no service starts any more. */
  isOver = false;
  /** True while another daemon may be about to take over. */
  isHalted = false;
  /** Those that are launched in a later turn of the event loop. */
  readonly #nextTurn = new Set<Unit>();

  constructor(units: Units, { effects, changed, renew }: StartingOptions) {
    this.#units = units;
    this.#effects = effects;
    this.#changed = changed;
    this.#renew = renew;
  }

  /** A due service that already runs needs no start. */
  settle(unit: Unit): void {
    if (isDue(unit) && isUp(unit)) this.#units.ask(unit, "started");
  }

  /** Starts a due service once nothing is missing. */
  consider(unit: Unit): void {
    if (!isDue(unit) || this.isOver || this.isHalted) return;
    this.settle(unit);
    // Dependencies are looked at once its former process has ended: by then, they may be others.
    if (!isDue(unit) || processOf(unit) === "ending") return;
    const waits = blockers(unit, this.#units.byName);
    if (waits.length === 0) this.#launchInTurn(unit);
    for (const { unit: needed } of waits) {
      // An idle timeout may have passed while the other service waited.
      if (needed.wish.state === "dozing") this.#call(needed, unit);
    }
  }

  /** Starts the dependencies of a service that a request would start too. */
  callDependencies(unit: Unit): void {
    for (const name of unit.spec.dependsOn) {
      const needed = this.#units.get(name);
      if (needed !== undefined) this.#call(needed, unit);
    }
  }

  /** Starts what a service waits for, and what that waits for. */
  begin(unit: Unit, event: "up" | "missed"): void {
    const begun: Unit[] = [];
    const walk = (dependent: Unit): void => {
      for (const { unit: needed } of blockers(dependent, this.#units.byName)) {
        const because = `${dependent.spec.name} depends on it`;
        if (this.#units.ask(needed, event, because) === undefined) continue;
        begun.push(needed);
        walk(needed);
      }
    };
    walk(unit);
    for (const needed of begun) this.#changed(needed);
  }

  #call(needed: Unit, dependent: Unit): void {
    const because = `${dependent.spec.name} depends on it`;
    if (this.#units.ask(needed, "dependent", because) === undefined) return;
    this.callDependencies(needed);
    this.#changed(needed);
  }

  /** Twenty services that start at once are some 50 ms of work, in which the daemon would answer nobody. */
  #launchInTurn(unit: Unit): void {
    const { breathe } = this.#effects;
    if (breathe === undefined) {
      this.#launch(unit);
      return;
    }
    if (this.#nextTurn.has(unit)) return;
    this.#nextTurn.add(unit);
    void breathe().then(() => {
      this.#nextTurn.delete(unit);
      if (this.#mayLaunch(unit)) this.#launch(unit);
    });
  }

  /** Anything may have happened to it while it waited for its turn. */
  #mayLaunch(unit: Unit): boolean {
    if (!this.#units.has(unit) || !isDue(unit) || this.isOver || this.isHalted) return false;
    this.settle(unit);
    if (!isDue(unit)) return false;
    return processOf(unit) !== "ending" && blockers(unit, this.#units.byName).length === 0;
  }

  #launch(unit: Unit): void {
    if (unit.leaving !== undefined) return;
    const unseen = unseenWhy(unit, this.#units.spec.directory);
    if (unseen !== undefined) {
      this.#refuse(unit, unseen);
      return;
    }
    if (unit.spec.unusable !== undefined) {
      this.#refuse(unit, unit.spec.unusable);
      return;
    }
    const port = this.#portFor(unit);
    const filled = this.#units.fill(unit);
    if (port === "none") this.#refuse(unit, "there is no free port for it");
    else if (filled.kind === "mistakes") this.#refuse(unit, filled.mistakes.join("; "));
    else if (isTask(unit) && !isWeighed(unit)) void this.#weigh(unit);
    else if (unit.service !== undefined && isOutdated(unit.service.spec, filled.spec)) {
      void this.#leave(unit, unit.service);
    } else {
      const request = this.#request(unit, port);
      unit.service ??= this.#make(unit, filled.spec);
      if (isTask(unit)) {
        unit.attempt = unit.weighed?.attempt;
        // From here on, only the end of this run makes it completed.
        this.#units.complete(unit, undefined);
      }
      this.#units.ask(unit, "started");
      unit.service.start(request);
      this.#changed(unit);
    }
  }

  /** Finds out what a task would be run from. One that is completed from just that needs no start. */
  async #weigh(unit: Unit): Promise<void> {
    const { wish, declaration } = unit;
    if (unit.weighed?.wish === wish || declaration === undefined) return;
    const weighed: Unit["weighed"] = { wish, attempt: undefined };
    unit.weighed = weighed;
    const inputs = await this.#effects.inputsOf(unit.spec);
    // Something else was asked for meanwhile.
    if (unit.weighed !== weighed || unit.wish !== wish || !this.#units.has(unit)) return;
    const { completed } = unit;
    // Its file may have changed meanwhile.
    if (unit.declaration !== declaration) unit.weighed = undefined;
    else if (completed?.declaration === declaration && completed.inputs === inputs) {
      this.#units.ask(unit, "started");
    } else weighed.attempt = { declaration, inputs };
    this.#changed(unit);
  }

  #refuse(unit: Unit, why: string): void {
    this.#units.ask(unit, "cannot", why);
    this.#changed(unit);
  }

  /** Ends the former lifecycle, then reconsiders the service. */
  async #leave(unit: Unit, former: Lifecycle): Promise<void> {
    unit.leaving = former;
    await former.dispose();
    unit.leaving = undefined;
    unit.service = undefined;
    // The service may have been removed meanwhile.
    if (this.#units.has(unit)) this.#changed(unit);
  }

  #portFor(unit: Unit): number | undefined | "none" {
    if (!hasPort(unit.spec)) return undefined;
    const further = (kindOf(unit.spec).furtherPorts?.(unit.spec) ?? []).map((suffix) =>
      this.#effects.claimPort(furtherPortId(unit.id, suffix), undefined),
    );
    if (further.includes(undefined)) return "none";
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
    const service = this.#effects.supervise(spec, this.#optionsFor(unit, { spec }));
    this.#attach(unit, service);
    return service;
  }

  /** Goes on with a service of the daemon before. */
  async adopt(
    unit: Unit,
    { spec, adopting }: { spec: ServiceSpec; adopting: Adopting },
  ): Promise<void> {
    const { startedAt } = adopting.handed.lifecycle.life ?? {};
    this.#effects.logs.of(unit.id).resize(spec.pty ? terminalSize : undefined);
    const options = this.#optionsFor(unit, { spec, startedAt });
    unit.service = await this.#effects.adopt(spec, { ...options, adopting });
    this.#attach(unit, unit.service);
  }

  /** `startedAt`: of a process that another daemon has started. */
  #optionsFor(
    unit: Unit,
    { spec, startedAt: before }: { spec: ServiceSpec; startedAt?: number | undefined },
  ): Omit<LifecycleOptions, "effects"> {
    const log = this.#effects.logs.of(unit.id);
    let running = before;
    /** The number of the first line that the process which runs, or ran last, could print. */
    let firstLine = before === undefined ? log.next : Number.NEGATIVE_INFINITY;
    return {
      project: this.#units.spec.name,
      domain: this.#units.spec.domain,
      directory: this.#units.spec.directory,
      onOutput: (stream, bytes) => log.push(stream, bytes),
      onMembers: () => this.#effects.onState(),
      say: (text) => log.say(text),
      onBuilt: (because) => {
        if (unit.service?.spec === spec) this.#renew(unit, because ?? "it was built again");
      },
      tidy: this.#units.tidierOf(unit.id, spec),
      lastLines() {
        log.flush();
        const lines = log
          .last(crashLines)
          .filter(({ number, time }) => number >= firstLine && time >= (before ?? 0));
        return plainLines(lines);
      },
      onChange: ({ startedAt, state, lastExit }) => {
        if (state === "completed" && unit.attempt !== undefined && unit.service?.spec === spec) {
          this.#units.complete(unit, { ...unit.attempt, time: lastExit?.time ?? 0 });
          unit.attempt = undefined;
        }
        if (startedAt !== running) {
          running = startedAt;
          if (startedAt !== undefined) firstLine = log.next;
          this.#effects.onState();
        }
        // A former lifecycle may still have news.
        if (unit.service?.spec === spec) this.#changed(unit);
      },
    };
  }

  #attach(unit: Unit, service: Lifecycle): void {
    const log = this.#effects.logs.of(unit.id);
    log.resize(service.spec.pty ? terminalSize : undefined);
    log.source = { pause: () => service.pauseOutput(), resume: () => service.resumeOutput() };
  }
}

function isWeighed({ wish, weighed }: Unit): boolean {
  return weighed?.wish === wish && weighed.attempt !== undefined;
}
