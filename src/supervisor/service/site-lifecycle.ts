/** A declared site -> its files, built and served by this daemon itself, and reports of it. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { SiteSpec } from "../../manifest/types/own.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { Cancel } from "../../system/clock.ts";
import { isFolder } from "../../system/is-folder.ts";
import type { OwnDescriptors } from "../../system/own-descriptors.ts";
import type { Ending } from "../family/ending.ts";
import type { Run } from "../family/family.ts";
import { type StartRequest, takenBy } from "./begin-life.ts";
import type { Input } from "./child.ts";
import type { HandedLifecycle } from "./handed-life.ts";
import { type BuildEnd, buildTask } from "./build-task.ts";
import {
  type Adopting,
  type Handed,
  type Lifecycle,
  type LifecycleOptions,
  takenRequest,
} from "./lifecycle.ts";
import { portTaken } from "./port-words.ts";
import { ServedSite, type SiteEffects } from "./served-site.ts";
import {
  siteHanded,
  type SiteEvent,
  type SitePhase,
  siteShownAs,
  siteStep,
} from "./site-states.ts";

export type SiteLifecycleOptions = LifecycleOptions & { sites: SiteEffects };

/** Milliseconds between two looks at a port that another program has. */
const portPeriod = 500;

/** Milliseconds for answers under way at a site's port when another daemon has taken over, as the proxy's have. */
const leavingPatience = 60_000;

export function superviseSite(spec: ServiceSpec, options: SiteLifecycleOptions): Lifecycle {
  return new SiteLifecycle(spec, options);
}

/** One that another daemon has served until now. Its files are as they were: nothing is built. */
export async function adoptSite(
  spec: ServiceSpec,
  { adopting, ...options }: SiteLifecycleOptions & { adopting: Adopting },
): Promise<Lifecycle> {
  const site = new SiteLifecycle(spec, options);
  await site.adopt(adopting);
  return site;
}

class SiteLifecycle implements Lifecycle {
  readonly spec: ServiceSpec;
  readonly #options: SiteLifecycleOptions;
  /** Runs `before_start` and the build; undefined: there is neither. */
  readonly #build: Lifecycle | undefined;

  #phase: SitePhase = "stopped";
  #why: string | undefined;
  #request: StartRequest | undefined;
  #failures = 0;
  isRefused = false;
  #startedAt: number | undefined;
  #readyAt: number | undefined;
  /** For `age`: on the monotonic clock. */
  #begun = 0;
  #lastExit: Supervised["lastExit"];
  /** Set while it listens. */
  #open: ServedSite | undefined;
  #warnings: readonly string[] = [];
  #cancelWait: Cancel | undefined;
  /** Set by the last try to listen, until that is overtaken. */
  #attempt: object | undefined;
  readonly #stopWaiters: (() => void)[] = [];
  /** While it is halted: what would have happened. */
  #deferred: (() => void)[] | undefined;

  constructor(spec: ServiceSpec, options: SiteLifecycleOptions) {
    this.spec = spec;
    this.#options = options;
    if (spec.command === "" && spec.hooks.before_start === undefined) return;
    const command = spec.command === "" ? ":" : spec.command;
    this.#build = buildTask(
      { ...spec, command },
      { ...options, onNews: (its, end) => this.#heard(its, end) },
    );
  }

  get #id(): string {
    return `${this.#options.project}:${this.spec.name}`;
  }

  get failures(): number {
    return this.#failures;
  }

  get isHeld(): boolean {
    return this.#phase === "waiting";
  }

  snapshot(): Supervised {
    const { spec } = this;
    const { project, domain, directory } = this.#options;
    const port = this.#request?.port;
    const isOpen = this.#open !== undefined;
    return {
      id: this.#id,
      ...{ project, domain, directory },
      service: spec.name,
      type: spec.type,
      state: siteShownAs[this.#phase],
      why: this.#why,
      status: this.#status,
      routeName: spec.routeName,
      // While it is built.
      pid: this.#build?.snapshot().pid,
      port,
      ...(isOpen ? { socket: this.#open!.socket } : {}),
      listens: isOpen && port !== undefined ? [port] : [],
      listensAs: [],
      startedAt: this.#startedAt,
      readyAt: this.#readyAt,
      restarts: 0,
      lastExit: this.#lastExit,
      failures: this.failures,
      isHeld: this.isHeld,
      lazy: spec.lazy,
      warnings: [...this.#warnings, ...(isOpen ? this.#missing : [])],
    };
  }

  /** A warning of a folder that may come at any time, and is served then. */
  get #missing(): string[] {
    const { path } = this.spec.own as SiteSpec;
    return isFolder(path) ? [] : [`its folder ${path} is not there`];
  }

  get #status(): string | undefined {
    if (this.#phase === "building" || this.#phase === "outdated")
      return this.spec.command === "" ? undefined : "builds";
    return this.#phase === "rebuilding" || this.#phase === "again" ? "builds again" : undefined;
  }

  age(): number | undefined {
    return this.run() === undefined && this.#open === undefined
      ? undefined
      : this.#options.effects.clock.now() - this.#begun;
  }

  run(): Run | undefined {
    return this.#build?.run();
  }

  start(request: StartRequest): void {
    if (siteStep(this.#phase, "start") === undefined) return;
    this.#request = request;
    this.#happen("start", request.reason);
  }

  async stop(): Promise<void> {
    this.#happen("stop");
    if (this.#phase !== "stopping" && this.#phase !== "restarting") return;
    await new Promise<void>((resolve) => void this.#stopWaiters.push(resolve));
  }

  restart(request: StartRequest): void {
    this.#request = request;
    this.#happen("restart", request.reason);
  }

  /** Its files are built again, or shown anew, while it goes on. False where it has nothing to go on with. */
  renew(because: string): boolean {
    if (this.#deferred === undefined && siteStep(this.#phase, "renew") === undefined) {
      return this.#phase === "again" || this.#phase === "outdated";
    }
    this.#happen("renew", because);
    return true;
  }

  pauseOutput(): void {
    this.#build?.pauseOutput();
  }

  resumeOutput(): void {
    this.#build?.resumeOutput();
  }

  input(): Input | undefined {
    return this.#build?.input();
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.#cancelWait?.();
  }

  get isSettled(): boolean {
    return this.#phase in siteHanded && (this.#build?.isSettled ?? true);
  }

  async halt(own: OwnDescriptors): Promise<Handed | undefined> {
    if (this.#deferred !== undefined || !this.isSettled) return undefined;
    this.#deferred = [];
    // Nothing of a build runs; what it knows of the last one is not needed.
    await this.#build?.halt(own);
    this.#open?.leavePort();
    const { shell, ...request } = this.#request ?? { shell: undefined };
    const lifecycle: HandedLifecycle = {
      phase: siteHanded[this.#phase as keyof typeof siteHanded],
      why: this.#why,
      restarts: 0,
      deaths: 0,
      failures: this.failures,
      isRefused: this.isRefused,
      lastExit: this.#lastExit && { ...this.#lastExit, lastLines: [...this.#lastExit.lastLines] },
      leftovers: [],
      ...(this.#request === undefined ? {} : { request: request as HandedLifecycle["request"] }),
    };
    if (this.#startedAt !== undefined && this.#readyAt !== undefined) {
      lifecycle.served = { startedAt: this.#startedAt, readyAt: this.#readyAt };
    }
    return { lifecycle, streams: {}, shell };
  }

  goOn(): void {
    const deferred = this.#deferred ?? [];
    this.#deferred = undefined;
    this.#build?.goOn();
    this.#open?.takePort();
    if (this.#status === undefined) this.#open?.show();
    for (const happen of deferred) happen();
  }

  /** Answers that are under way end; so do connections that are open, with the proxy in front of them. */
  leave(ended: (pid: number, ending: Ending) => void): void {
    this.#deferred = [];
    this.#cancelWait?.();
    this.#build?.leave(ended);
    if (this.#open !== undefined) this.#options.sites.onLeft(this.#open.leave(leavingPatience));
  }

  async adopt({ handed: { lifecycle: its }, shell }: Adopting): Promise<void> {
    this.#why = its.why;
    this.#failures = its.failures;
    this.isRefused = its.isRefused;
    this.#lastExit = its.lastExit;
    if (its.request !== undefined) this.#request = takenRequest(its.request, shell);
    const phases = Object.entries(siteHanded) as [SitePhase, string][];
    const phase = phases.find(([, state]) => state === its.phase)?.[0] ?? "stopped";
    if (phase !== "ready" && phase !== "stale" && phase !== "waiting") {
      this.#phase = phase;
      return;
    }
    this.#begin();
    // Those that restart with it do not now.
    this.#startedAt = its.served?.startedAt ?? this.#startedAt;
    this.#phase = "opening";
    await this.#listen();
    if ((this.#phase as SitePhase) !== "ready") return;
    // As it was, and not as if it had just been built.
    this.#readyAt = its.served?.readyAt ?? this.#readyAt;
    if (phase === "stale") this.#phase = phase;
    this.#why = its.why;
  }

  #tell(): void {
    this.#options.onChange(this.snapshot());
  }

  /** Walks the table; does nothing where the event has no step in this phase. */
  #happen(event: SiteEvent, because?: string): void {
    if (this.#deferred !== undefined) {
      this.#deferred.push(() => this.#happen(event, because));
      return;
    }
    const found = siteStep(this.#phase, event);
    if (found === undefined) return;
    this.#phase = found.next;
    this.#why = because;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    if (found.next === "failed" || found.next === "stale" || found.next === "waiting") {
      this.#failures++;
    }
    this.isRefused = found.next === "failed";
    if (found.action === "build") this.#make();
    else if (found.action === "open") void this.#listen();
    else if (found.action === "show") this.#open?.show();
    else if (found.action === "wait") this.#waitForPort();
    else if (found.action === "end") void this.#end();
    this.#tell();
    if (this.#phase === "stopping" || this.#phase === "restarting") return;
    for (const resolve of this.#stopWaiters.splice(0)) resolve();
  }

  #begin(): void {
    this.#startedAt = this.#options.effects.clock.wall();
    this.#begun = this.#options.effects.clock.now();
  }

  // --- building

  #make(): void {
    if (this.#open === undefined) this.#begin();
    if (this.#build === undefined) {
      this.#happen("built", this.#why);
      return;
    }
    const { port: _port, ...request } = this.#request!;
    if (this.spec.command !== "") this.#options.say(`builds: ${this.spec.command}`);
    // Its former run has ended: this phase is entered with none under way.
    this.#build.start({ ...request, port: undefined });
  }

  /** The task that builds has news. */
  #heard({ lastExit }: Supervised, end: BuildEnd | undefined): void {
    this.#lastExit = lastExit ?? this.#lastExit;
    if (end?.kind === "built") {
      this.#happen("built", this.#phase === "again" ? this.#why : undefined);
    } else if (end?.kind === "unbuilt") {
      const goesOn = this.#open === undefined ? "" : "; the files of an earlier one are served";
      if (this.#open !== undefined) this.#options.say(`${end.why}${goesOn}`);
      this.#happen("unbuilt", `${end.why}${goesOn}`);
    } else this.#tell();
  }

  // --- serving

  async #listen(): Promise<void> {
    const { effects, sites, say, domain } = this.#options;
    const attempt = {};
    this.#attempt = attempt;
    const port = this.#request?.port;
    try {
      const served = new ServedSite(this.spec, {
        ...{ id: this.#id, domain, port, clock: effects.clock, sites, say },
        isBuilt: () => this.#status !== undefined || this.#deferred !== undefined,
        onTrouble: (troubles) => {
          this.#warnings = troubles;
          this.#tell();
        },
      });
      served.start();
      this.#open = served;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "EADDRINUSE" || port === undefined) {
        this.#happen("shut", `cannot listen: ${message}`);
        return;
      }
      const taken = await takenBy(port, { id: this.#id, effects });
      if (this.#attempt !== attempt) return;
      const why = taken === undefined ? `port ${port} was taken` : portTaken(port, taken);
      this.#happen("held", why);
      return;
    }
    this.#readyAt = effects.clock.wall();
    this.#happen("opened");
  }

  #waitForPort(): void {
    const { clock, isFree } = this.#options.effects;
    const port = this.#request!.port!;
    this.#cancelWait = clock.every(portPeriod, () => {
      if (isFree(port)) this.#happen("waited", this.#why);
    });
  }

  async #end(): Promise<void> {
    this.#attempt = undefined;
    await this.#build?.stop();
    await this.#close();
    this.#startedAt = undefined;
    this.#readyAt = undefined;
    this.#happen("ended", this.#phase === "restarting" ? this.#request?.reason : undefined);
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    this.#warnings = [];
    await open.stop(this.spec.stopTimeout);
  }
}
