/** A service that is built -> its process, and beside it builds that it makes way for once they have succeeded. */
import { nothingToBuild, type Order, orderVariable } from "../../manifest/order.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import { unbuiltNote, unbuiltText } from "../../routes/state-sentence.ts";
import type { Supervised, SupervisedState } from "../../routes/supervised.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Ending } from "../family/ending.ts";
import type { Run } from "../family/family.ts";
import type { StartRequest } from "./begin-life.ts";
import { type BuildEnd, buildTask } from "./build-task.ts";
import { type BuildFiles, BuildWrites } from "./build-writes.ts";
import type { Input } from "./child.ts";
import {
  adopt,
  type Adopting,
  type Handed,
  type Lifecycle,
  type LifecycleOptions,
  type Renewal,
  supervise,
  takenRequest,
} from "./lifecycle.ts";
import { type SwapEvent, swapHanded, type SwapPhase, swapStep } from "./swap-states.ts";

export type BuiltLifecycleOptions = LifecycleOptions & { files: BuildFiles };

/**
 * Milliseconds between SIGTERM and SIGKILL for a build that nobody wants any more: what it has made is dropped. That of
 * an image takes containers away.
 */
const buildPatience = 3000;
const imagePatience = 10_000;

/** A task ends by itself: nothing of it goes on while it is built. */
export function isSwapped({ own, type }: ServiceSpec): boolean {
  if (own?.kind === "container") return own.build !== undefined;
  return own?.kind === "built" && type !== "task";
}

export function superviseBuilt(spec: ServiceSpec, options: BuiltLifecycleOptions): Lifecycle {
  return new BuiltLifecycle(spec, options, (its) => supervise(spec, its));
}

/** One that another daemon has supervised until now. A build that was under way there begins again. */
export async function adoptBuilt(
  spec: ServiceSpec,
  { adopting, ...options }: BuiltLifecycleOptions & { adopting: Adopting },
): Promise<Lifecycle> {
  let news: LifecycleOptions["onChange"] = () => {};
  const onChange: LifecycleOptions["onChange"] = (its) => news(its);
  const running = await adopt(spec, { ...options, onChange, adopting });
  const built = new BuiltLifecycle(spec, options, (its) => {
    news = its.onChange;
    return running;
  });
  built.goOnWith(adopting);
  return built;
}

/** Milliseconds by which times of files are behind: the kernel's clock for them stands still between two ticks. */
const clockStep = 10;

/** The process has these while it may still build, or could be replaced. */
const upStates: ReadonlySet<SupervisedState> = new Set(["starting", "running", "ready", "unready"]);
/** A process has begun, or has failed to. */
const launchedStates: ReadonlySet<SupervisedState> = new Set([
  "running",
  "ready",
  "unready",
  "backoff",
  "failed",
]);
const restStates: ReadonlySet<SupervisedState> = new Set(["stopped", "exited", "completed"]);

/** Something is built that no process has begun with. */
const builtPhases: ReadonlySet<SwapPhase> = new Set(["built", "builtLate", "kept", "keptLate"]);
/** No process is there that could be asked: the next one is about to begin. */
const keptPhases: ReadonlySet<SwapPhase> = new Set(["kept", "keptLate"]);
/** A build beside the process runs, or begins at once. */
const buildPhases: ReadonlySet<SwapPhase> = new Set(["building", "again", "late"]);

class BuiltLifecycle implements Lifecycle {
  readonly spec: ServiceSpec;
  readonly #options: BuiltLifecycleOptions;
  /** Builds by itself when it starts, unless that has been done for it. */
  readonly #running: Lifecycle;
  /** The same order without the service at its end. */
  readonly #build: Lifecycle;
  readonly #writes: BuildWrites;
  readonly #order: Order;
  /** Variables of the next build. */
  readonly #buildEnv: Record<string, string>;

  #phase: SwapPhase = "idle";
  /** For a person: what has changed. */
  #because: string | undefined;
  /** While it is stale: why. */
  #unbuilt: string | undefined;
  #request: StartRequest | undefined;
  /** The files that the build runs for, where all of them changed during the last one. */
  #doubtful: readonly string[] = [];
  /** When the last change was made that is not built yet. Milliseconds since the Unix epoch. */
  #asked = 0;
  /** The build that runs has found nothing to do. */
  #isNothing = false;
  /** A build has succeeded since the process was started. */
  #isOutdated = false;
  /** The process may build by itself. */
  #mayBuild = false;
  /** A process that has built by itself, while it is not ready, and the last build beside it had failed. */
  #doubt: number | undefined;
  #before: Pick<Supervised, "state" | "startedAt"> = { state: "stopped", startedAt: undefined };
  /** While it is halted: what has changed meanwhile, or was being built. */
  #halted: { change: string | undefined } | undefined;

  constructor(
    spec: ServiceSpec,
    options: BuiltLifecycleOptions,
    run: (options: LifecycleOptions) => Lifecycle,
  ) {
    this.spec = spec;
    this.#options = options;
    const { files, effects, say } = options;
    this.#writes = new BuildWrites({ ...files, wall: () => effects.clock.wall(), say });
    this.#running = run({ ...options, onChange: (its) => this.#heardOfProcess(its) });
    this.#order = JSON.parse(spec.env[orderVariable] ?? "{}") as Order;
    this.#buildEnv = { ...spec.env };
    this.#build = buildTask(buildSpec(spec, this.#buildEnv), {
      ...options,
      // Whatever it has left outside of its family may be the process's.
      tidy: undefined,
      onNews: (its, end) => this.#heardOfBuild(its, end),
    });
  }

  snapshot(): Supervised {
    const its = this.#running.snapshot();
    const status = this.isBuilding ? this.#buildStatus : its.status;
    const { unbuilt } = this;
    const warnings = unbuilt === undefined ? its.warnings : [...its.warnings, unbuilt];
    return { ...its, status, warnings };
  }

  get #buildStatus(): string {
    const { status } = this.#build.snapshot();
    // `builds: npm run build`, as the first one is told.
    return status === undefined
      ? "builds again"
      : `builds again: ${status.replace("builds: ", "")}`;
  }

  get isPreparing(): boolean {
    return this.#running.isPreparing === true;
  }

  get isBuilding(): boolean {
    return buildPhases.has(this.#phase);
  }

  get unbuilt(): string | undefined {
    if (this.#phase !== "stale") return undefined;
    const { project } = this.#options;
    return unbuiltText({ id: `${project}:${this.spec.name}`, why: this.#unbuilt });
  }

  get failures(): number {
    return this.#running.failures;
  }

  get isRefused(): boolean {
    return this.#running.isRefused;
  }

  get isHeld(): boolean {
    return this.#running.isHeld;
  }

  age(): number | undefined {
    return this.#running.age();
  }

  run(): Run | undefined {
    return this.#running.run() ?? this.#build.run();
  }

  besides(): Run | undefined {
    return this.#build.run();
  }

  start(request: StartRequest): void {
    if (upStates.has(this.#running.snapshot().state)) return;
    this.#running.start(this.#begun(request));
  }

  restart(request: StartRequest): void {
    this.#running.restart(this.#begun(request));
  }

  async stop({ makesWay }: { makesWay: boolean } = { makesWay: false }): Promise<void> {
    if (this.#halted !== undefined) {
      await this.#running.stop();
      if (this.#halted !== undefined) return;
    }
    this.#happen(makesWay ? "way" : "stop");
    await Promise.all([this.#running.stop(), this.#build.stop()]);
  }

  async dispose(): Promise<void> {
    await this.stop();
    await Promise.all([this.#running.dispose(), this.#build.dispose()]);
  }

  /** Builds it again while it goes on. False where nothing runs that could go on, and nothing is to be started. */
  renew(because: string, { paths }: Renewal = {}): boolean {
    if (this.#halted !== undefined) {
      this.#halted.change = because;
      return true;
    }
    const { state } = this.#running.snapshot();
    const isOver = restStates.has(state) || state === "stopping";
    if (isOver && !keptPhases.has(this.#phase)) return false;
    if (paths === undefined || this.#writes.heard(paths)) this.#change(because, paths);
    // A build that runs is asked about its files when it has ended.
    else if (!this.#writes.isOpen) void this.#judge(because);
    return true;
  }

  pauseOutput(): void {
    this.#running.pauseOutput();
    this.#build.pauseOutput();
  }

  resumeOutput(): void {
    this.#running.resumeOutput();
    this.#build.resumeOutput();
  }

  input(): Input | undefined {
    return this.#running.input();
  }

  /** A build does not keep the next daemon waiting: it begins again there. */
  get isSettled(): boolean {
    return this.#running.isSettled;
  }

  async halt(own: OwnDescriptors): Promise<Handed | undefined> {
    if (this.#halted !== undefined || !this.isSettled) return undefined;
    const todo = swapHanded[this.#phase];
    const why = this.#phase === "stale" ? this.#unbuilt : this.#because;
    const halted: { change: string | undefined } = { change: undefined };
    if (todo === "anew") halted.change = why ?? "it was built again";
    this.#halted = halted;
    // Another phase goes on to the next daemon as it is.
    if (this.isBuilding) this.#step("stop");
    await this.#build.stop();
    const handed = await this.#running.halt(own);
    if (handed === undefined) {
      this.goOn();
      return undefined;
    }
    if (todo === undefined) return handed;
    const build = { todo, ...(why === undefined ? {} : { why }) };
    return { ...handed, lifecycle: { ...handed.lifecycle, build } };
  }

  goOn(): void {
    const change = this.#halted?.change;
    this.#halted = undefined;
    this.#running.goOn();
    if (change !== undefined) this.#change(change);
  }

  leave(ended: (pid: number, ending: Ending) => void): void {
    this.#halted ??= { change: undefined };
    this.#build.leave(ended);
    this.#running.leave(ended);
  }

  goOnWith({ handed, shell }: Adopting): void {
    const { request, build } = handed.lifecycle;
    if (request !== undefined) this.#request = takenRequest(request, shell);
    const { state, startedAt } = this.#running.snapshot();
    this.#before = { state, startedAt };
    if (this.#running.isPreparing && request?.isBuilt) this.#phase = "begins";
    else if (this.#running.isPreparing) this.#open(startedAt);
    if (build?.todo === "anew") this.#change(build.why ?? "it was built again");
    else if (build?.todo === "built") this.#phase = "built";
    else if (build?.todo === "late") {
      this.#phase = "builtLate";
      this.#because = build.why;
      this.#asked = this.#options.effects.clock.wall();
    } else if (build?.todo === "stale") {
      this.#phase = "stale";
      this.#unbuilt = build.why;
    }
  }

  #tell(): void {
    this.#options.onChange(this.snapshot());
  }

  #happen(event: SwapEvent, because?: string): void {
    if (this.#halted === undefined) this.#step(event, because);
  }

  /** Walks the table. */
  #step(event: SwapEvent, because?: string): void {
    const found = swapStep(this.#phase, event);
    if (found === undefined) return;
    this.#phase = found.next;
    if (event === "change") this.#because = because;
    if (found.action === "build") this.#make();
    else if (found.action === "drop") void this.#drop();
    else if (found.action === "tell") this.#options.say(unbuiltNote);
    this.#tell();
    if (found.action === "swap") this.#swap();
  }

  // --- the process

  /** The request for a process that begins: it builds by itself unless that has been done for it. */
  #begun(request: StartRequest): StartRequest {
    const isBuilt = builtPhases.has(this.#phase);
    this.#happen("begun");
    this.#request = request;
    this.#isOutdated = false;
    if (this.#phase !== "late") this.#doubtful = [];
    const { isBuilt: _former, ...others } = request;
    if (isBuilt) return { ...others, isBuilt: true };
    this.#open();
    return others;
  }

  /** From now on the process may build, until it says that it has. */
  #open(since?: number): void {
    this.#writes.begin(since);
    this.#mayBuild = true;
  }

  #close(): void {
    this.#mayBuild = false;
    // One beside it has begun before it was over, and waits for it.
    if (!this.isBuilding) this.#writes.end();
    void this.#judge(undefined);
  }

  #heardOfProcess({ state, startedAt }: Supervised): void {
    const before = this.#before;
    this.#before = { state, startedAt };
    const isAtIt = state === "starting" || this.#running.isPreparing === true;
    if (this.#mayBuild && !isAtIt) this.#close();
    // The program that runs a container looks for the image first.
    const isSeeking = state === "running" && this.spec.own?.kind === "container";
    if (launchedStates.has(state) && !isAtIt && !isSeeking) this.#happen("launched");
    const builds = this.#request?.isBuilt !== true;
    if (builds && state === "starting" && before.state === "backoff") this.#open();
    // After a crash, it has built by itself.
    const isNew = startedAt !== undefined && startedAt !== before.startedAt;
    if (isNew && builds && this.#phase === "stale") this.#doubt = startedAt;
    if (state === "ready" && this.#doubt === startedAt && this.#phase === "stale") {
      this.#step("begun");
      return;
    }
    this.#tell();
  }

  // --- the build beside it

  #change(because: string, paths?: readonly string[]): void {
    this.#doubtful = [];
    this.#asked = Math.max(this.#asked, this.#timeOf(paths));
    const { state } = this.#running.snapshot();
    const begins = this.isBuilding || keptPhases.has(this.#phase);
    if (state !== "failed" || begins || this.#request === undefined) {
      this.#happen("change", because);
      return;
    }
    // Nothing runs that could go on meanwhile.
    this.#running.start(this.#begun({ ...this.#request, reason: because }));
  }

  /** Builds it again for what others may have changed while a build ran. */
  async #judge(because: string | undefined): Promise<void> {
    const paths = await this.#writes.judged();
    const [first, ...others] = paths;
    if (first === undefined || this.#halted !== undefined) return;
    const folder = `${this.spec.workdir}/`;
    const shown = first.startsWith(folder) ? first.slice(folder.length) : first;
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    this.#change(because ?? `${shown}${more} changed`, paths);
    this.#doubtful = paths;
  }

  /** By which all of these had changed. */
  #timeOf(paths: readonly string[] | undefined): number {
    const { files, effects } = this.#options;
    const times = paths?.map((path) => files.timesOf(path)?.changed);
    if (times === undefined || times.includes(undefined)) return effects.clock.wall();
    return Math.max(...times.map((time) => time ?? 0)) + clockStep;
  }

  #make(): void {
    const order: Order = { ...this.#order, only: "build", asked: this.#asked };
    this.#buildEnv[orderVariable] = JSON.stringify(order);
    this.#asked = 0;
    this.#writes.begin();
    this.#isNothing = false;
    const { port: _port, isBuilt: _isBuilt, ...request } = this.#request!;
    this.#options.say(`builds again: ${this.#because ?? "something changed"}`);
    this.#build.start({ ...request, port: undefined });
  }

  async #drop(): Promise<void> {
    this.#writes.end();
    await this.#build.stop();
  }

  #heardOfBuild({ status }: Supervised, end: BuildEnd | undefined): void {
    if (status === nothingToBuild) this.#isNothing = true;
    if (end === undefined) this.#tell();
    else void this.#ended(end);
  }

  async #ended(end: BuildEnd): Promise<void> {
    this.#writes.end();
    const doubtful = this.#doubtful;
    await this.#judge(undefined);
    // Dropped while its files were looked at.
    if (!this.isBuilding || this.#halted !== undefined) return;
    if (end.kind === "unbuilt") {
      this.#unbuilt = end.why;
      this.#happen("unbuilt");
      return;
    }
    if (this.#isNothing) this.#writes.own(doubtful);
    const areOwn = doubtful.every((path) => this.#writes.isOwn(path));
    const isSame = !this.#isOutdated && doubtful.length > 0 && areOwn;
    if (!isSame) this.#isOutdated = true;
    this.#happen(isSame ? "same" : "built");
  }

  /** The process makes way; where none is left, another one starts at once. */
  #swap(): void {
    const { state } = this.#running.snapshot();
    if (state === "failed" && this.#request !== undefined) {
      this.#running.start(
        this.#begun({ ...this.#request, reason: this.#because ?? "it was built" }),
      );
    } else this.#options.onBuilt?.(this.#because);
  }
}

/** The spec of a build alone, from that of a service that builds by itself. */
function buildSpec(spec: ServiceSpec, env: Readonly<Record<string, string>>): ServiceSpec {
  return {
    ...spec,
    hooks: {},
    // The limit is the service's own: what the build in its process takes is not counted either.
    limits: { memory: undefined },
    routeName: undefined,
    env,
    stopTimeout: spec.own?.kind === "container" ? imagePatience : buildPatience,
  };
}
