/** A declared service -> one that runs, is ready, restarts and stops, and reports it. All I/O is an effect. */
import type { ServiceSpec } from "../../manifest/project.ts";
import { endText } from "../../routes/state-sentence.ts";
import type { Exit, Supervised } from "../../routes/supervised.ts";
import type { Cancel } from "../../system/clock.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Ending } from "../family/ending.ts";
import type { Run } from "../family/family.ts";
import {
  type BeginEffects,
  beginLife,
  type Preparing,
  type StartRequest,
  takenBy,
} from "./begin-life.ts";
import { adoptLife, handLife } from "./hand-life.ts";
import type { HandedLifecycle, HandedStreams } from "./handed-life.ts";
import type { Input, Stream } from "./child.ts";
import type { Hooks } from "./hooks.ts";
import type { Life, LifeEffects, LifeOwner } from "./life.ts";
import type { Notice } from "./notify.ts";
import { portTaken, whoHas } from "./port-words.ts";
import { refusalOf } from "./refusal.ts";
import {
  type Event,
  goodHealth,
  type Phase,
  shownAs,
  step,
  verdictOn,
  waitAfter,
  whenReplaced,
} from "./states.ts";
import { watchLife } from "./watch-life.ts";

export type LifecycleEffects = LifeEffects &
  BeginEffects & {
    /** In [0, 1). */
    random(): number;
  };

export type LifecycleOptions = {
  project: string;
  /** The project's domain and folder. */
  domain: string;
  directory: string;
  effects: LifecycleEffects;
  onChange(snapshot: Supervised): void;
  /** `bytes` are the callee's only until it returns. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  /** A look found other processes of it than the look before. */
  onMembers(): void;
  /** A line of our own in the service's log. */
  say(text: string): void;
  /**
   * Ends what a process that did not end by itself has left outside of its family; resolves with a warning. Undefined:
   * there is nothing of the kind.
   */
  tidy?: (() => Promise<string | undefined>) | undefined;
  /** The last output, at most 50 printable lines; read when the process has ended. */
  lastLines(): readonly string[];
  /**
   * Called when something newer than what runs was built. Its project ends it and starts it again, in order, with those
   * that restart with it.
   */
  onBuilt?: ((because: string | undefined) => void) | undefined;
};

/** A change of its files. */
export type Renewal = {
  /** Absolute; undefined: they are not known. */
  paths?: readonly string[] | undefined;
};

/** The process machine of one supervised service. */
export interface Lifecycle {
  readonly spec: ServiceSpec;
  snapshot(): Supervised;
  /** Ends by itself, and starts that were refused, since it was made: it only grows. */
  readonly failures: number;
  /** True where no process could be started the last time; `why` is a whole sentence then. */
  readonly isRefused: boolean;
  /** True while another program has its port: to wait for the next start is to wait for that one to end. */
  readonly isHeld: boolean;
  /** Milliseconds since its process was started; undefined where nothing of it can be left. */
  age(): number | undefined;
  /** The identity by which the next daemon ends it; undefined where no process can be left. */
  run(): Run | undefined;
  /** The same of a build beside its process. */
  besides?(): Run | undefined;
  /** Starts it at once and resets the counts; does nothing where it runs or starts already. */
  start(request: StartRequest): void;
  /**
   * Resolves when nothing of it is left, or when somebody has started it again meanwhile. `makesWay`: another process
   * is to take its place.
   */
  stop(options?: { makesWay: boolean }): Promise<void>;
  /** Ends it and starts it again; where it does not run, starts it. */
  restart(request: StartRequest): void;
  /** Takes a change in its files without a restart. False, or undefined as a whole: only a restart will do. */
  renew?(because: string, renewal?: Renewal): boolean;
  /** True while its process builds by itself: the service itself has not begun. */
  readonly isPreparing?: boolean;
  /** True while it is built beside the process that runs. */
  readonly isBuilding?: boolean;
  /** A sentence: its last build failed, and it runs what was built before. */
  readonly unbuilt?: string | undefined;
  /** Its processes wait when they write; other services' do not. */
  pauseOutput(): void;
  resumeOutput(): void;
  /** Undefined: no process runs. */
  input(): Input | undefined;
  /** Stops it for good. */
  dispose(): Promise<void>;
  /** Nothing of it is under way that another daemon could not go on with. */
  readonly isSettled: boolean;
  /**
   * From now on nothing happens to it here, until `goOn` or `leave`. Resolves with all that another daemon needs in
   * order to go on with it; undefined where that cannot be.
   */
  halt(own: OwnDescriptors): Promise<Handed | undefined>;
  /** As if it had not been halted: what was to happen meanwhile happens now. */
  goOn(): void;
  /** Leaves it to another daemon. `ended` is called for processes whose end only we see. */
  leave(ended: (pid: number, ending: Ending) => void): void;
}

export type Handed = {
  lifecycle: HandedLifecycle;
  streams: HandedStreams;
  /** The environment of the shell that started it; undefined: it was never started. */
  shell: StartRequest["shell"] | undefined;
};

export type Adopting = {
  handed: Handed;
  /** The environment of the shell that started it. */
  shell: StartRequest["shell"];
  /** Output of its streams that is no line yet: it comes first. */
  rest: Readonly<Record<Stream, Uint8Array>>;
};

/** Milliseconds after which somebody is told that an end takes its time. */
const tellEndAfter = 2000;

/** Milliseconds between two looks at a port that another program has, and between two at who that is. */
const portPeriod = 500;
const holderPeriod = 30_000;
const reservedPeriod = 3000;

const livePhases: ReadonlySet<Phase> = new Set<Phase>(["running", "ready", "unready"]);
const endPhases: ReadonlySet<Phase> = new Set<Phase>(["stopping", "restarting", "aborting"]);

export function supervise(spec: ServiceSpec, options: LifecycleOptions): Lifecycle {
  return new StateMachine(spec, options);
}

/** One that another daemon has supervised until now. Its process may be at its end already. */
export async function adopt(
  spec: ServiceSpec,
  { adopting, ...options }: LifecycleOptions & { adopting: Adopting },
): Promise<Lifecycle> {
  const machine = new StateMachine(spec, options);
  await machine.adopt(adopting);
  return machine;
}

class StateMachine implements Lifecycle {
  readonly spec: ServiceSpec;
  readonly #options: LifecycleOptions;
  readonly #effects: LifecycleEffects;
  readonly #owner: LifeOwner;

  #phase: Phase = "stopped";
  /** For a person: the reason of the phase. */
  #why: string | undefined;
  #request: StartRequest | undefined;
  #restarts = 0;
  /** In a row, without good health between them. */
  #deaths = 0;
  failures = 0;
  isRefused = false;
  /** The port that another program has. */
  #held: number | undefined;
  #lastExit: Exit | undefined;
  #paused = false;
  /** Warnings about what an end left behind. */
  #leftovers: readonly string[] = [];

  /** Set from the spawn of a process until nothing of it is left. */
  #life: Life | undefined;
  /** Set from `before_start` until there is a life, or nothing of it is left. */
  #preparing: Preparing | undefined;
  /** Set while a start is under way, up to the spawn; another one where that was overtaken. */
  #attempt: object | undefined;
  /** Set while it waits for its next start. */
  #cancelWait: Cancel | undefined;
  /** Set while it is ready: good health is without a break. */
  #cancelHealth: Cancel | undefined;
  readonly #stopWaiters: (() => void)[] = [];
  /** While it is halted: what would have happened. */
  #deferred: (() => void)[] | undefined;
  /** Called when it is known whether it goes on here. */
  readonly #onDecided: (() => void)[] = [];

  constructor(spec: ServiceSpec, options: LifecycleOptions) {
    this.spec = spec;
    this.#options = options;
    this.#effects = options.effects;
    const phase = (): Phase => this.#phase;
    this.#owner = {
      spec,
      effects: options.effects,
      get phase() {
        return phase();
      },
      happen: (event, because) => this.#happen(event, because),
      changed: (why) => {
        this.#why = why ?? this.#why;
        this.#tell();
      },
      onMembers: options.onMembers,
      say: options.say,
    };
  }

  get #id(): string {
    return `${this.#options.project}:${this.spec.name}`;
  }

  snapshot(): Supervised {
    const { spec } = this;
    const { project, domain, directory } = this.#options;
    const life = this.#life?.isAlive ? this.#life : undefined;
    return {
      id: this.#id,
      project,
      domain,
      service: spec.name,
      type: spec.type,
      state: shownAs(this.#phase),
      why: this.#why,
      status: life?.status,
      routeName: spec.routeName,
      pid: life?.pid,
      port: this.#request?.port,
      listens: life?.listens ?? [],
      listensAs: [...(life?.listensAs ?? []), ...(life?.portOwners ?? [])],
      startedAt: life?.startedAt,
      readyAt: life?.readyAt,
      restarts: this.#restarts,
      lastExit: this.#lastExit,
      failures: this.failures,
      isHeld: this.isHeld,
      lazy: spec.lazy,
      directory,
      warnings: life === undefined ? this.#leftovers : [...life.warnings, ...life.remarks],
    };
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  age(): number | undefined {
    return this.#life?.age;
  }

  get isPreparing(): boolean {
    return this.#life?.isAlive === true && this.#life.isBuilding;
  }

  run(): Run | undefined {
    return this.#life?.born.run ?? this.#preparing?.run;
  }

  start(request: StartRequest): void {
    if (step(this.#phase, "start") === undefined) return;
    this.#request = request;
    this.#deaths = 0;
    this.#restarts = 0;
    this.#happen("start", request.reason);
  }

  async stop(): Promise<void> {
    if (this.#deferred !== undefined) {
      await new Promise<void>((resolve) => void this.#onDecided.push(resolve));
      if (this.#deferred !== undefined) return;
    }
    this.#happen("stop");
    if (!endPhases.has(this.#phase)) return;
    await new Promise<void>((resolve) => void this.#stopWaiters.push(resolve));
  }

  restart(request: StartRequest): void {
    this.#request = request;
    this.#deaths = 0;
    this.#happen("restart", request.reason);
  }

  pauseOutput(): void {
    this.#paused = true;
    this.#life?.born.child.pause();
    this.#hooks?.pause();
  }

  resumeOutput(): void {
    this.#paused = false;
    this.#life?.born.child.resume();
    this.#hooks?.resume();
  }

  get #hooks(): Hooks | undefined {
    return this.#life?.born.hooks ?? this.#preparing?.hooks;
  }

  input(): Input | undefined {
    return this.#life?.isAlive ? this.#life.born.child.input : undefined;
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.#quiet();
  }

  get isSettled(): boolean {
    const life = this.#life;
    const goesOn = whenReplaced[this.#phase] === "goes-on";
    if (whenReplaced[this.#phase] === "settles" || this.#preparing !== undefined) return false;
    if (life === undefined) return !goesOn;
    // Processes that it left behind may still be being ended.
    return goesOn && !life.isEnding && life.isAlive && life.born.hooks.isIdle;
  }

  async halt(own: OwnDescriptors): Promise<Handed | undefined> {
    if (this.#deferred !== undefined || !this.isSettled) return undefined;
    this.#deferred = [];
    const life = this.#life;
    const handed = life === undefined ? undefined : await handLife(life, { ...this.#effects, own });
    if (life !== undefined && handed === undefined) {
      this.goOn();
      return undefined;
    }
    const { shell, ...request } = this.#request ?? { shell: undefined };
    const lifecycle = {
      phase: this.#phase as HandedLifecycle["phase"],
      why: this.#why,
      restarts: this.#restarts,
      deaths: this.#deaths,
      failures: this.failures,
      isRefused: this.isRefused,
      held: this.#held,
      lastExit: this.#lastExit && {
        ...this.#lastExit,
        lastLines: [...this.#lastExit.lastLines],
      },
      leftovers: [...this.#leftovers],
      ...(this.#request === undefined ? {} : { request: request as HandedLifecycle["request"] }),
      ...(handed === undefined ? {} : { life: handed.life }),
    };
    return { lifecycle, streams: handed?.streams ?? {}, shell };
  }

  goOn(): void {
    const deferred = this.#deferred ?? [];
    this.#deferred = undefined;
    const { child, socket, hooks } = this.#life?.born ?? {};
    socket?.goOn();
    hooks?.goOn();
    child?.goOn();
    for (const happen of deferred) happen();
    for (const decided of this.#onDecided.splice(0)) decided();
  }

  leave(ended: (pid: number, ending: Ending) => void): void {
    const isHalted = this.#deferred !== undefined;
    // Nothing happens here any more.
    this.#deferred = [];
    for (const decided of this.#onDecided.splice(0)) decided();
    this.#cancelHealth?.();
    this.#quiet();
    // One that was not handed over is ended by the other, which finds it by its run id.
    if (!isHalted) return;
    const { child, socket, hooks } = this.#life?.born ?? {};
    socket?.leave();
    hooks?.leave();
    child?.leave((ending) => ended(child.pid, ending));
  }

  async adopt({ handed: { lifecycle: its, streams }, shell, rest }: Adopting): Promise<void> {
    this.#phase = its.phase;
    this.#why = its.why;
    this.#restarts = its.restarts;
    this.#deaths = its.deaths;
    this.failures = its.failures;
    this.isRefused = its.isRefused;
    this.#held = its.held;
    this.#lastExit = its.lastExit;
    this.#leftovers = its.leftovers;
    const { request } = its;
    if (request !== undefined) {
      this.#request = takenRequest(request, shell);
    }
    if (its.life === undefined) {
      if (this.#phase === "backoff") this.#waitForNext();
      return;
    }
    const life = await adoptLife(its.life, {
      spec: this.spec,
      request: this.#request ?? { shell, port: its.life.port, url: undefined, trust: {} },
      streams,
      effects: this.#effects,
      say: this.#options.say,
      onOutput: this.#options.onOutput,
      onNotice: (notice, of) => this.#hear(notice, of),
      onExit: (how, of) => this.#exited(how, of),
    });
    this.#life = life;
    if (this.#paused) life.born.child.pause();
    watchLife(life, { owner: this.#owner, onEnd: (how) => this.#died(how, life) });
    for (const stream of ["stdout", "stderr"] as const) {
      if (rest[stream].length === 0) continue;
      this.#options.onOutput(stream, rest[stream]);
      life.watcher?.onOutput(stream, rest[stream]);
    }
    if (this.#phase === "ready") this.#countHealth();
  }

  #tell(): void {
    this.#options.onChange(this.snapshot());
  }

  /** Walks the table; does nothing where the event has no step in this phase. */
  #happen(event: Event, because?: string): void {
    if (this.#deferred !== undefined) {
      this.#deferred.push(() => this.#happen(event, because));
      return;
    }
    const found = step(this.#phase, event);
    if (found === undefined) return;
    const { next, action } = found;
    this.#phase = next;
    this.#why = because;
    this.#cancelHealth?.();
    if (!livePhases.has(next)) this.#quiet();
    if (next !== "backoff") this.#held = undefined;
    if (next === "ready") {
      this.#countHealth();
      this.#life?.greet(() => this.#tell());
    }
    if (action === "launch") this.#launch();
    else if (action === "wait") this.#waitForNext();
    else if (action === "clear") void this.#clear();
    else if (action !== undefined) void this.#endAll(because);
    this.#tell();
    if (endPhases.has(this.#phase)) return;
    for (const resolve of this.#stopWaiters.splice(0)) resolve();
  }

  /** Ends what watches the process that ran, and what would start the next one. */
  #quiet(): void {
    this.#life?.close();
    this.#attempt = undefined;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  #countHealth(): void {
    this.#cancelHealth = this.#life?.after(goodHealth, () => {
      this.#deaths = 0;
    });
  }

  // --- starting

  #launch(): void {
    this.isRefused = false;
    const attempt = {};
    this.#attempt = attempt;
    const isOver = (): boolean => this.#attempt !== attempt;
    this.#start(isOver).catch((error: NodeJS.ErrnoException) => {
      if (isOver()) return;
      const { why } = error.code === undefined ? { why: error.message } : refusalOf(error);
      this.#refuse(why, { passing: true });
    });
  }

  async #start(isOver: () => boolean): Promise<void> {
    await this.#clear();
    await this.#freePort();
    if (isOver()) return;
    const begun = await beginLife(this.spec, {
      id: this.#id,
      request: this.#request!,
      effects: this.#effects,
      isOver,
      onOutput: this.#options.onOutput,
      say: this.#options.say,
      onPreparing: (preparing) => {
        this.#preparing = preparing;
        if (this.#paused) preparing.hooks.pause();
        this.#owner.changed("runs its before_start");
      },
      onNotice: (notice, life) => this.#hear(notice, life),
      onLife: (life) => this.#begin(life),
      onExit: (how, life) => this.#exited(how, life),
    });
    if (begun.kind === "life" || isOver()) return;
    if (begun.kind === "refused") this.#refuse(begun.why, begun);
    else if (begun.kind === "held") this.#hold(begun);
  }

  #begin(life: Life): void {
    this.#life = life;
    this.#preparing = undefined;
    this.#attempt = undefined;
    this.#leftovers = [];
    if (this.#paused) life.born.child.pause();
    this.#happen("spawned", this.#request!.reason);
    // A listener may have stopped it.
    if (life.isOver) return;
    watchLife(life, { owner: this.#owner, onEnd: (how) => this.#died(how, life) });
  }

  /** The port may be held for what a process of another daemon has left. */
  async #freePort(): Promise<void> {
    const { tidy } = this.#options;
    const { port } = this.#request!;
    if (tidy === undefined || port === undefined || this.#effects.isFree(port)) return;
    const warning = await tidy();
    if (warning !== undefined) this.#options.say(warning);
  }

  /** Handles a failed start: counted as a death where the cause may pass. */
  #refuse(because: string, { passing }: { passing: boolean }): void {
    this.#deaths++;
    this.failures++;
    this.isRefused = true;
    this.#happen(passing ? this.#unexplained() : "gave-up", because);
  }

  /** Another program has its port: no death of its own, and no reason to give it up. */
  #hold({ port, why }: { port: number; why: string }): void {
    this.failures++;
    this.#held = port;
    this.#happen("crashed", why);
  }

  /** The verdict where no process ended by itself, so that there is no exit code. */
  #unexplained(): "crashed" | "gave-up" {
    const judged = { ...this.spec, deaths: this.#deaths };
    const verdict = verdictOn({ code: null, signal: null }, judged);
    return verdict === "crashed" ? "crashed" : "gave-up";
  }

  #waitForNext(): void {
    void this.#clear();
    if (this.#held !== undefined) {
      this.#waitForPort(this.#held);
      return;
    }
    const delay = waitAfter(this.#deaths, this.#effects.random());
    this.#cancelWait = this.#effects.clock.after(delay, () => {
      this.#restarts++;
      this.#happen("waited", this.#why);
    });
  }

  /** Until the port is free. Who has it is told anew where that is another program. */
  #waitForPort(port: number): void {
    const { clock, isFree, rightTo } = this.#effects;
    // Only a look at who listens there tells that a port which the system keeps for root is free.
    const period = rightTo(port) === undefined ? holderPeriod : reservedPeriod;
    const look = async (): Promise<void> => {
      const taken = await takenBy(port, { id: this.#id, effects: this.#effects });
      if (this.#cancelWait !== cancel) return;
      if (taken === undefined) this.#happen("waited", this.#why);
      else if (portTaken(port, taken) !== this.#why) this.#owner.changed(portTaken(port, taken));
    };
    let next = clock.now() + period;
    const cancel = clock.every(portPeriod, () => {
      if (isFree(port)) this.#happen("waited", this.#why);
      else if (clock.now() >= next) {
        next = clock.now() + period;
        void look();
      }
    });
    this.#cancelWait = cancel;
  }

  // --- ending

  #hear(notice: Notice, life: Life): void {
    if (this.#deferred !== undefined) this.#deferred.push(() => this.#hear(notice, life));
    else if (life.watcher !== undefined) life.watcher.hear(notice);
    // On its way out it may ask for time.
    else if (notice.kind === "extend" && endPhases.has(this.#phase)) life.extend?.(notice.by);
  }

  /** The process that was spawned has ended. */
  #exited(how: Ending, life: Life): void {
    if (this.#deferred !== undefined) {
      this.#deferred.push(() => this.#exited(how, life));
      return;
    }
    if (this.#life !== life) return;
    life.exit = how;
    if (life.watcher !== undefined) life.watcher.spawnedEnded(how);
    else this.#died(how, life);
    life.exited.resolve();
  }

  #died(how: Ending, life: Life): void {
    life.isAlive = false;
    life.how = how;
    const lastLines = this.#options.lastLines();
    this.#lastExit = { ...how, time: this.#effects.clock.wall(), lastLines };
    if (!livePhases.has(this.#phase)) return;
    this.#deaths++;
    this.failures++;
    const { cannot } = life;
    const verdict =
      cannot?.passing === false
        ? "gave-up"
        : verdictOn(how, { ...this.spec, deaths: this.#deaths });
    const why = cannot?.why ?? `${endText(how)}${this.#rightHint(life)}`;
    this.#happen(verdict, verdict === "completed" ? undefined : why);
  }

  /** For a program that ended where it may have been refused a port that the system keeps for root. */
  #rightHint({ born: { port }, readyAt }: Life): string {
    const right =
      port === undefined || readyAt !== undefined ? undefined : this.#effects.rightTo(port);
    return right === undefined ? "" : `; its port ${port} needs a right: ${right}`;
  }

  /** Ends the rest of the life and drops it. Many may wait. Resolves with a warning where processes are left. */
  async #clear({ asked = false } = {}): Promise<string | undefined> {
    const preparing = this.#preparing;
    if (preparing !== undefined) {
      await preparing.end();
      if (this.#preparing === preparing) this.#preparing = undefined;
    }
    const life = this.#life;
    if (life === undefined) return undefined;
    const { stopSignal: signal, stopTimeout: timeout } = this.spec;
    let left = await life.end({ signal, timeout, asked });
    // A program that ends by itself has ended all that is its own.
    if (life.exit === undefined || life.exit.code === null) left ??= await this.#options.tidy?.();
    if (this.#life === life) {
      this.#life = undefined;
      if (this.#lastExit !== undefined) this.#lastExit = { ...this.#lastExit, ...life.programExit };
    }
    return left;
  }

  /** A warning where the port is another program's once all of the service has ended. */
  async #stillHeld(port: number): Promise<string | undefined> {
    const taken = await takenBy(port, { id: this.#id, effects: this.#effects });
    return taken && `its port ${port} is not free: ${whoHas(port, taken)}`;
  }

  /** Ends the process, for the phases that end it. */
  async #endAll(because: string | undefined): Promise<void> {
    const life = this.#life;
    const port = life?.born.port;
    const cancel = this.#effects.clock.after(tellEndAfter, () => {
      const seconds = this.spec.stopTimeout / 1000;
      this.#owner.changed(`waits for its processes to end, at most ${seconds} s before SIGKILL`);
    });
    const left = await this.#clear({ asked: this.#phase !== "aborting" });
    cancel();
    const held = port === undefined ? undefined : await this.#stillHeld(port);
    const remarks = [...(life?.remarks ?? []), left, held];
    this.#leftovers = remarks.filter((its) => its !== undefined);
    if (this.#phase === "aborting") {
      this.#deaths++;
      this.failures++;
      this.#happen(this.#unexplained(), because);
    } else {
      this.#happen("ended", this.#phase === "restarting" ? this.#request?.reason : undefined);
    }
  }
}

/** The request that another daemon has handed over. */
export function takenRequest(
  { port, url, trust, reason, isBuilt }: NonNullable<HandedLifecycle["request"]>,
  shell: StartRequest["shell"],
): StartRequest {
  return {
    ...{ shell, port, url, trust },
    ...(reason === undefined ? {} : { reason }),
    ...(isBuilt === undefined ? {} : { isBuilt }),
  };
}
