/** A declared project, and requests to it -> services started in order, restarted, and stopped in reverse. */
import { graphOf, withDependents } from "../../manifest/graph.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Ending } from "../family/ending.ts";
import type { HandedStreams } from "../service/handed-life.ts";
import { isSwapped } from "../service/built-lifecycle.ts";
import type { Renewal } from "../service/lifecycle.ts";
import type { Gift } from "../types/kind.ts";
import { askedServices, partOf, startsLater } from "./asked-services.ts";
import { boot, type BootOptions, type Started } from "./boot.ts";
import { type HandedFolder, type HandedUnit, sayable } from "./handed-project.ts";
import { Restarts } from "./restarts.ts";
import { Schedules } from "./schedules.ts";
import { Starting } from "./starting.ts";
import {
  type FilledSpec,
  heldText,
  unseenWhy,
  isBetweenTries,
  isDue,
  isRenewing,
  isRunning,
  isSuspended,
  isTask,
  isUp,
  isWanted,
  type Shell,
  type Unit,
  wakes,
  whyDown,
} from "./unit.ts";
import { type Declared, type ProjectEffects, Units } from "./units.ts";
import { takenUpBy } from "./wishes.ts";

export type Hear = (event: BootEvent) => void;

export type UpOptions = {
  /** Undefined: all that is not lazy. */
  names: readonly string[] | undefined;
  /** True: tasks are run again, whether they are completed or not. */
  tasks?: boolean;
  /** Used for the whole project, and kept until its next `up`. */
  profiles?: readonly string[] | undefined;
  shell: Shell;
  /** Services that run with this environment, for want of a shell's, are started again. */
  instead?: Shell | undefined;
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
  /** Asked for by the last `up` of all of it. */
  profiles: readonly string[];
};

export type Resuming = {
  shell: Shell;
  /** Services that another shell brought up. */
  services: ReadonlyMap<string, Shell>;
};

/** Services as another daemon gets them, and the descriptors of each, by name. */
export type HandedUnits = {
  units: readonly HandedUnit[];
  streams: ReadonlyMap<string, HandedStreams>;
};

export type HaltOptions = {
  own: OwnDescriptors;
  /** The place of an environment among those that are handed over. */
  place(shell: Shell): HandedUnit["shell"];
};

export type AdoptOptions = {
  /** By service. */
  streams: ReadonlyMap<string, HandedStreams>;
  shellOf(place: HandedUnit["shell"]): Shell;
};

export class Project {
  readonly #effects: ProjectEffects;
  readonly #units: Units;
  readonly #starting: Starting;
  readonly #restarts: Restarts;
  readonly #schedules: Schedules;
  /** `up` was said of all of it. */
  #whole = false;
  /** While it is halted: gives each log back what is no line yet. */
  readonly #rests: (() => void)[] = [];

  constructor(declared: Declared, effects: ProjectEffects) {
    this.#effects = effects;
    this.#units = new Units(declared, effects);
    const changed = (unit: Unit): void => this.#changed(unit);
    this.#starting = new Starting(this.#units, {
      effects,
      changed,
      renew: (unit, because) => this.#restarts.renew(unit.spec.name, because),
    });
    this.#schedules = new Schedules({
      clock: effects.clock,
      run: (unit, because) => this.#call(unit, "scheduled", because),
      say: (unit, text) => effects.logs.of(unit.id).say(text),
      changed,
    });
    this.#restarts = new Restarts(this.#units, {
      effects,
      changed,
      begin: (unit, event) => this.#starting.begin(unit, event),
    });
    this.#units.adopt(declared, {});
  }

  get spec(): ProjectSpec {
    return this.#units.spec;
  }

  get wishes(): ProjectWishes {
    const all = this.#units.all();
    // A task that only its name runs is not run by the next daemon, unless a service waits for it.
    const isAlone = (unit: Unit): boolean =>
      isTask(unit) &&
      partOf(unit.spec, this.#units.profiles) === "by-name" &&
      !this.#units.dependentsOf(unit.spec.name).some((other) => isWanted(other));
    const units = all.filter((unit) => isWanted(unit) && !isAlone(unit));
    const names = (these: Unit[]) => these.map(({ spec }) => spec.name);
    return {
      whole: this.#whole,
      wanted: names(units),
      unwanted: names(all.filter((unit) => !units.includes(unit))),
      dozing: names(units.filter(({ wish }) => wish.state === "dozing")),
      profiles: [...this.#units.profiles],
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

  /** The service and, where it is an instance, the others of its name. */
  together(unit: Unit): readonly Unit[] {
    return this.#units.together(unit);
  }

  /** The spec that a process of it would be started from. */
  filled(unit: Pick<Unit, "spec" | "shell">): FilledSpec {
    return this.#units.fill(unit);
  }

  /** The values that the service of that name gives to others. */
  giftOf(name: string): Gift | undefined {
    return this.#units.giftOf(name);
  }

  /** The service with that name; for a name that instances share, the first of them. */
  first(name: string): Unit | undefined {
    return this.#units.first(name);
  }

  /** Starts services with their dependencies. Resolves when each is ready, or known not to become ready. */
  up({
    names,
    tasks = false,
    profiles = [],
    shell,
    instead,
    hear,
    patience,
  }: UpOptions): Promise<Started> {
    if (names === undefined) {
      this.#whole = true;
      this.#units.profiles = new Set(profiles);
    }
    const { spec, profiles: asked } = this.#units;
    const { up: concerned, doze } = askedServices(spec.services, { names, profiles: asked });
    // Also of those that a request or a dependent will start later.
    for (const unit of this.#units.all()) if (!isUp(unit)) unit.shell = shell;
    for (const name of doze) {
      const unit = this.#units.get(name)!;
      void this.#restarts.askAndEnd(unit, "up-lazy");
      this.#schedules.consider(unit);
      this.#units.tell(unit);
    }
    const changed: string[] = [];
    const renewing: string[] = [];
    const retried: string[] = [];
    const building: string[] = [];
    let isLacking = false;
    for (const name of concerned) {
      const unit = this.#units.get(name)!;
      const again = tasks || names?.includes(name) === true;
      if (again && isTask(unit) && !isUp(unit)) this.#units.complete(unit, undefined);
      this.#units.ask(unit, "up");
      this.#starting.settle(unit);
      const lacksShell = instead !== undefined && unit.shell === instead;
      if (isRenewing(unit)) {
        unit.shell = shell;
        // The reason why it goes on may be gone with this `up`.
        unit.held = undefined;
        renewing.push(name);
      }
      if (unit.wish.state !== "given") continue;
      if (!lacksShell && !this.#units.differs(unit, shell)) {
        // Its next try would have the former shell's environment, in which the cause may not be mended.
        if (isBetweenTries(unit)) {
          unit.shell = shell;
          retried.push(name);
        } else if (buildsAgain(unit)) building.push(name);
        continue;
      }
      unit.shell = shell;
      isLacking ||= lacksShell;
      changed.push(name);
    }
    if (retried.length > 0) {
      // Before anybody looks: its last death is not that of the start that is awaited.
      void this.#restarts.restartAll(retried, { event: "restart", because: "`up` was said again" });
    }
    this.#effects.onState();
    const watched = this.#boot(concerned, {
      ...{ hear, patience, building },
      changed: [...changed, ...renewing, ...retried],
    });
    if (changed.length > 0) {
      const because = isLacking
        ? "the environment of its shell is known again"
        : "its declaration changed";
      void this.#restarts.restartAll(changed, { event: "restart", because });
    }
    for (const name of concerned) {
      const unit = this.#units.get(name)!;
      this.#starting.consider(unit);
      this.#restarts.consider(unit);
    }
    return watched;
  }

  /** Dependents end first. Resolves when no process of them is left. */
  async stop(names: readonly string[] | undefined): Promise<void> {
    if (names === undefined) this.#whole = false;
    const units = (names ?? this.#units.names).flatMap((name) => this.#units.get(name) ?? []);
    const these = units.map(({ spec }) => spec.name);
    for (const unit of units) this.#units.ask(unit, "stop");
    this.#effects.onState();
    this.#changedAll(these);
    await this.#restarts.end(these);
    this.#changedAll(these);
  }

  /** Ends services and those that restart with them, in reverse order, then starts them in order. */
  restart(options: UpOptions): Promise<Started> {
    const { names, shell, hear, patience } = options;
    // Tasks are run again where they are named, and not where everything is.
    const all = this.#units.all();
    const whole =
      names === undefined || (names.length === all.length && !all.every((unit) => isTask(unit)));
    const asked = (whole ? all.filter((unit) => !isTask(unit)) : all)
      .filter((unit) => names?.includes(unit.spec.name) ?? isUp(unit))
      .map(({ spec }) => spec.name);
    const running = asked.filter((name) => isUp(this.#units.get(name)!));
    const concerned = this.#restarts.restartedWith(running);
    for (const name of concerned) this.#units.get(name)!.shell = shell;
    const others = asked.filter((name) => !running.includes(name));
    const followed = [...new Set([...concerned, ...others])];
    void this.#restarts.restartAll(running, { event: "restart" });
    if (others.length > 0) void this.up({ names: others, shell, hear: () => {} });
    return this.#boot(followed, { hear, changed: concerned, patience });
  }

  /**
   * Ends a service, and keeps it from running until `release`, as its data is in other hands: `because` says so to a
   * person. Services that depend on it go on. Resolves when nothing of it runs.
   */
  async suspend(name: string, because: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined) return;
    this.#units.ask(unit, "suspend", because);
    this.#effects.onState();
    // A stop may overtake the end, and does the same.
    do {
      this.#changedAll([name]);
      await this.#restarts.end([name]);
    } while (isUp(unit) && this.#units.has(unit));
    this.#changedAll([name]);
  }

  /** Starts it again where it is wanted. */
  release(name: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined || !isSuspended(unit)) return;
    // A service that is not wanted has ended long ago.
    void this.#restarts.askAndEnd(unit, "released");
    this.#starting.begin(unit, "missed");
    this.#effects.onState();
    this.#changedAll([name]);
  }

  /** Tasks that have completed on what the service had before: they are to be run again. Returns their names. */
  forgetRuns(name: string): string[] {
    const after = withDependents(graphOf(this.spec.services), [name]);
    return after.filter((its) => {
      const unit = this.#units.get(its);
      if (its === name || unit === undefined || !isTask(unit)) return false;
      if (unit.completed === undefined) return false;
      this.#units.forgetRun(unit);
      return true;
    });
  }

  /** Restarts a service that runs, or builds it again beside that, for a reason that nobody typed. */
  renew(name: string, because: string, renewal?: Renewal): void {
    const { wish, service } = this.#units.get(name) ?? {};
    // A change between a build and the process that is to begin with it is built after that.
    const isBetween = wish?.state === "due" && service?.snapshot().state === "stopped";
    const makesWay = wish?.state === "renewing" || wish?.state === "restarting" || isBetween;
    const heeds =
      wish?.state === "given" || (makesWay && service !== undefined && isSwapped(service.spec));
    if (heeds && service?.renew?.(because, renewal)) return;
    this.#restarts.renew(name, because);
  }

  /** Stops, starts or restarts what differs, and nothing else. `shell` is the environment for added services. */
  async apply(declared: Declared, shell: Shell): Promise<void> {
    const { spec } = declared;
    const former = new Set(this.#units.names);
    const shared = sharedNames(this.#units.all().filter((unit) => isWanted(unit)));
    const removed = [...former].filter((name) => !spec.services.some((its) => its.name === name));
    if (removed.length > 0) await this.#leave(removed);
    const dropped = this.#units.adopt(declared, shell);
    for (const unit of dropped) this.#schedules.forget(unit);
    const changed = this.#units
      .all()
      .filter((unit) => isRunning(unit) && this.#units.differs(unit, unit.shell));
    if (changed.length > 0) {
      const names = changed.map((unit) => unit.spec.name);
      const because = "its declaration changed";
      void this.#restarts.restartAll(names, { event: "changed", because });
    }
    for (const unit of this.#units.all()) {
      const added = !former.has(unit.spec.name);
      const part = partOf(unit.spec, this.#units.profiles);
      if (added && ((this.#whole && part !== "by-name") || shared.has(sharedName(unit)))) {
        this.#units.ask(unit, startsLater(unit.spec) ? "up-lazy" : "up");
      } else if (unit.wish.state === "dozing" && !wakes(unit.spec) && !startsLater(unit.spec)) {
        // Nothing else would start it any more.
        this.#units.ask(unit, "up");
      }
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
    await this.#forgetLogs(dropped);
  }

  /** Its folder is at another path. Whatever runs goes on; the next start of each service is there. */
  moved(spec: ProjectSpec): void {
    const pending = new Map(
      this.#units
        .all()
        .flatMap((unit) =>
          unit.unseen === undefined ? [] : [[unit.spec.name, unit.unseen] as const],
        ),
    );
    this.#units.adopt({ spec, pending }, {});
    for (const unit of this.#units.all()) this.#units.tell(unit);
  }

  /** Takes up the wishes that another daemon left. */
  resume(wishes: ProjectWishes, { shell, services }: Resuming): void {
    const { whole, wanted, unwanted, dozing, profiles } = wishes;
    this.#whole = whole;
    this.#units.profiles = new Set(profiles);
    const names = new Set(wanted);
    const shared = sharedNames(this.#units.all().filter(({ spec }) => names.has(spec.name)));
    for (const unit of this.#units.all()) {
      unit.shell = services.get(unit.spec.name) ?? shell;
      // A service that was added meanwhile starts in a project that is up as a whole.
      const { name } = unit.spec;
      const part = partOf(unit.spec, this.#units.profiles);
      const joins = (whole && part !== "by-name") || shared.has(sharedName(unit));
      const isNew = joins && !unwanted.includes(name);
      if (!names.has(name) && !isNew) continue;
      // A run that was under way, or that nobody was there for, is not made up for.
      const waits = unit.spec.schedule !== undefined || dozing.includes(name);
      const dozes = names.has(name) ? waits : part === "dozes";
      this.#units.ask(unit, dozes ? "up-lazy" : "up");
    }
    this.#beginDue();
  }

  #beginDue(): void {
    // A service that ran on without a dependency, which somebody had stopped, could not start without it.
    for (const unit of this.#units.all()) if (isDue(unit)) this.#starting.begin(unit, "missed");
    this.#effects.onState();
    for (const unit of this.#units.all()) this.#changed(unit);
  }

  // --- another daemon takes over

  /** True unless something is under way that another daemon could not go on with. */
  get isSettled(): boolean {
    return this.#units.all().every((unit) => isSettled(unit));
  }

  /** Nothing happens here from now on, until `goOn` or `leave`. Services that are not settled are left out. */
  async halt({ own, place }: HaltOptions): Promise<HandedUnits> {
    this.#setHalted(true);
    const streams = new Map<string, HandedStreams>();
    const units = this.#units.all().map(async (unit): Promise<HandedUnit> => {
      const { service, spec, wish, unseen } = unit;
      const { name } = spec;
      const log = this.#effects.logs.of(unit.id);
      const handed = isSettled(unit) ? await service?.halt(own) : undefined;
      const rest = handed === undefined ? undefined : await log.leave();
      const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
      if (rest !== undefined) {
        this.#rests.push(() => {
          log.push("stdout", rest.stdout);
          log.push("stderr", rest.stderr);
        });
      }
      if (handed !== undefined) streams.set(name, handed.streams);
      const shell = place(unit.shell);
      return {
        name,
        wish: { state: wish.state, because: wish.because },
        shell,
        unseen: unseen && { ...unseen, keys: [...unseen.keys] },
        granted: [...unit.granted],
        attempt: unit.attempt,
        readyRun: unit.readyRun,
        nextRun: unit.nextRun,
        service:
          handed === undefined || service === undefined || rest === undefined
            ? undefined
            : {
                spec: sayable(service.spec) as typeof service.spec,
                lifecycle: handed.lifecycle,
                shell: handed.shell === undefined ? shell : place(handed.shell),
                rest: { stdout: base64(rest.stdout), stderr: base64(rest.stderr) },
              },
      };
    });
    return { units: await Promise.all(units), streams };
  }

  /** As if it had not been halted. */
  goOn(): void {
    this.#setHalted(false);
    for (const push of this.#rests.splice(0)) push();
    for (const unit of this.#units.all()) unit.service?.goOn();
    for (const unit of this.#units.all()) this.#changed(unit);
  }

  /** Its services are another daemon's. `ended` is called for processes whose end only we see. */
  leave(ended: (pid: number, ending: Ending) => void): void {
    this.#schedules.close();
    this.#restarts.close();
    for (const unit of this.#units.all()) unit.service?.leave(ended);
  }

  /**
   * Goes on with services of the daemon before. The others wait for `takeUp`. Returns those that were handed over and
   * could not be adopted, with the reason.
   */
  async adopt(
    handed: HandedFolder,
    { streams, shellOf }: AdoptOptions,
  ): Promise<ReadonlyMap<string, string>> {
    const failed = new Map<string, string>();
    this.#whole = handed.whole;
    this.#units.profiles = new Set(handed.profiles);
    const adopted = handed.units.map(async (its) => {
      const unit = this.#units.get(its.name);
      if (unit === undefined) return;
      unit.shell = shellOf(its.shell);
      unit.granted = new Set(its.granted);
      unit.attempt = its.attempt;
      unit.readyRun = its.readyRun;
      unit.nextRun = its.nextRun;
      if (its.service === undefined) return;
      const { spec, lifecycle, shell, rest } = its.service;
      const bytes = (text: string): Uint8Array => Buffer.from(text, "base64");
      const adopting = {
        handed: { lifecycle, streams: streams.get(its.name) ?? {}, shell: undefined },
        shell: shellOf(shell),
        rest: { stdout: bytes(rest.stdout), stderr: bytes(rest.stderr) },
      };
      try {
        await this.#starting.adopt(unit, {
          spec: this.#units.renewed({ spec, shell: adopting.shell }, unit.spec),
          adopting,
        });
      } catch (error) {
        failed.set(its.name, (error as Error).message);
        return;
      }
      if (takenUpBy[its.wish.state][0] === "goes-on") {
        this.#units.ask(unit, "goes-on", its.wish.because);
      }
    });
    await Promise.all(adopted);
    for (const unit of this.#units.all()) if (unit.service !== undefined) this.#changed(unit);
    return failed;
  }

  /** Takes up what the daemon before was about to do. What it left behind has ended. */
  takeUp({ units }: HandedFolder): void {
    for (const { name, wish } of units) {
      const unit = this.#units.get(name);
      if (unit === undefined) continue;
      for (const event of takenUpBy[wish.state]) {
        // A service that was not handed over is started again.
        const asked = event === "goes-on" && unit.service === undefined ? "up" : event;
        if (asked === "renew") {
          const because = wish.because ?? "it was about to be restarted";
          // The build is there already, or made at its start.
          if (isSwapped(unit.spec)) this.#restarts.renew(name, because);
          else this.renew(name, because);
        } else this.#units.ask(unit, asked, wish.because);
      }
    }
    this.#beginDue();
  }

  #setHalted(halted: boolean): void {
    for (const part of [this.#starting, this.#restarts, this.#schedules]) part.isHalted = halted;
  }

  /** Starts a dozing service because a request came for it. */
  wake(name: string): void {
    const unit = this.#units.get(name);
    if (unit === undefined) return;
    // Instances start and doze as one: a request for one of them may go to any.
    for (const its of this.#units.together(unit)) {
      this.#call(its, "request", "a request came for it");
    }
  }

  /** False where that changes nothing. */
  #call(unit: Unit, event: "request" | "scheduled", because: string): boolean {
    if (this.#units.ask(unit, event, because) === undefined) return false;
    // A task is run at its times even if nothing that it is run from has changed.
    if (event === "scheduled" && isTask(unit)) this.#units.complete(unit, undefined);
    this.#starting.callDependencies(unit);
    this.#effects.onState();
    this.#starting.consider(unit);
    return true;
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
    this.#schedules.close();
    this.#restarts.close();
    await this.#restarts.end(this.#units.names);
  }

  /** Ends all services: the project is gone. */
  async dispose(): Promise<void> {
    await this.#leave(this.#units.names);
    this.#restarts.close();
    const all = this.#units.all();
    for (const unit of all) {
      this.#schedules.forget(unit);
      this.#units.drop(unit);
    }
    await this.#forgetLogs(all);
  }

  /** For a person: `shop:api ended with exit code 1`. */
  explain(name: string): string {
    const unit = this.#units.get(name)!;
    if (isRenewing(unit) && unit.held !== undefined) return `${unit.id} ${heldText(unit.held)}`;
    if (!["due", "refused"].includes(unit.wish.state)) return `${unit.id} ${whyDown(unit)}`;
    return `${unit.id} did not start: ${this.#units.snapshot(unit).why}`;
  }

  /** Ends services for good, also those that somebody starts again meanwhile. */
  async #leave(names: readonly string[]): Promise<void> {
    const units = names.flatMap((name) => this.#units.get(name) ?? []);
    do {
      await this.stop(names);
      await Promise.all(units.map((unit) => unit.service?.dispose()));
    } while (units.some((unit) => this.#units.has(unit) && isWanted(unit)));
  }

  async #forgetLogs(units: readonly Unit[]): Promise<void> {
    for (const { id } of units) await this.#effects.logs.forget(id);
  }

  #boot(
    names: readonly string[],
    asked: Pick<BootOptions, "hear" | "changed" | "building" | "patience">,
  ) {
    return boot(names, {
      ...asked,
      clock: this.#effects.clock,
      unitOf: (name) => this.#units.get(name),
      snapshotOf: (unit) => this.#units.snapshot(unit),
      explain: (name) => this.explain(name),
      watch: (watcher) => this.#units.watch(watcher),
    });
  }

  /** Services may have been removed meanwhile. */
  #changedAll(names: readonly string[]): void {
    for (const name of names) {
      const unit = this.#units.get(name);
      if (unit !== undefined) this.#changed(unit);
    }
  }

  /** Reconsiders a service that may have changed, then informs its dependents and watchers. */
  #changed(unit: Unit): void {
    const { name } = unit.spec;
    this.#schedules.consider(unit);
    this.#starting.consider(unit);
    this.#restarts.consider(unit);
    const isNews = this.#units.tell(unit) || unit.toldWish !== unit.wish;
    unit.toldWish = unit.wish;
    this.#units.tellWatchers(name);
    this.#restarts.followRestart(unit);
    if (!isNews) return;
    for (const other of this.#units.dependentsOf(name)) {
      if (isDue(other) || isRenewing(other)) this.#changed(other);
    }
  }
}

function isSettled({ service, leaving, wish }: Unit): boolean {
  if (leaving !== undefined || wish.state === "restarting" || isSuspended({ wish })) return false;
  const isEnding = wish.state === "unwanted" || wish.state === "dozing";
  if (isEnding && service?.run() !== undefined) return false;
  return service?.isSettled ?? true;
}

/** Builds it again where its last build failed. True where a build is under way. */
function buildsAgain({ service }: Unit): boolean {
  if (service?.unbuilt !== undefined) service.renew?.("`up` was said again");
  return service?.isBuilding === true;
}

/** The name by which people mean a service, which instances share, also one that was none before. */
function sharedName({ spec }: Unit): string {
  return spec.instance?.of ?? spec.name;
}

function sharedNames(units: readonly Unit[]): ReadonlySet<string> {
  return new Set(units.map(sharedName));
}
