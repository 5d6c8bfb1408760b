/** A project whose services a test plays: they become ready, die and end when it says so. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProjectSpec, ServiceSpec } from "../../src/manifest/project.ts";
import type { Pending } from "../../src/routes/pending.ts";
import type { BootEvent } from "../../src/routes/project-report.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { type LogStore, logStore } from "../../src/supervisor/logs/log-store.ts";
import { Project } from "../../src/supervisor/project/project.ts";
import type { Completed } from "../../src/supervisor/project/unit.ts";
import type { StartRequest } from "../../src/supervisor/service/begin-life.ts";
import type { Lifecycle, LifecycleOptions } from "../../src/supervisor/service/lifecycle.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { settled, specOf } from "./fake-lifecycle.ts";
import { noKinds } from "./no-kinds.ts";

export type Declared = Partial<ServiceSpec> & { name: string };

export function projectSpec(services: readonly Declared[], name = "shop"): ProjectSpec {
  return {
    name,
    domain: `${name}.localhost`,
    directory: `/${name}`,
    services: services.map((its) => specOf({ routeName: `${its.name}.${name}`, ...its })),
    reload: { value: "git", personal: false },
    warnings: [],
    files: [`/${name}/locald.toml`],
  };
}

/** Nothing of it waits. */
export function declared(services: readonly Declared[], name = "shop") {
  return { spec: projectSpec(services, name), pending: new Map<string, Pending>() };
}

const nothing = new Uint8Array();

function holding(name: string): [string, Pending] {
  const why = "nobody has seen it";
  return [
    name,
    { change: "changed", keys: ["command"], before: null, after: "x", why, held: true },
  ];
}

/** One service. `obedient`: it ends as soon as it is asked to. */
export class PlayedService implements Lifecycle {
  readonly requests: StartRequest[] = [];
  failures = 0;
  isHeld = false;
  isRefused = false;
  obedient = true;
  /** Of a service that is built beside its process: as a test plays it. */
  isBuilding?: boolean;
  isPreparing = false;
  unbuilt?: string;
  renew?: NonNullable<Lifecycle["renew"]>;
  /** How it was asked to end: true where another process takes its place. */
  readonly ways: boolean[] = [];
  /** Set while it is being ended: many may wait for that. */
  #ending: PromiseWithResolvers<void> | undefined;
  #again: StartRequest | undefined;
  #snapshot: Supervised;
  readonly #said: string[];
  readonly #births: () => number;
  readonly #options: Omit<LifecycleOptions, "effects">;

  constructor(
    readonly spec: ServiceSpec,
    {
      options,
      said,
      births,
    }: {
      options: Omit<LifecycleOptions, "effects">;
      said: string[];
      /** The number of the next process of its project. */
      births: () => number;
    },
  ) {
    this.#births = births;
    this.#options = options;
    this.#said = said;
    this.#snapshot = {
      id: `${options.project}:${spec.name}`,
      project: options.project,
      domain: options.domain,
      service: spec.name,
      type: spec.type,
      state: "stopped",
      why: undefined,
      status: undefined,
      routeName: spec.routeName,
      pid: undefined,
      port: undefined,
      listens: [],
      listensAs: [],
      startedAt: undefined,
      readyAt: undefined,
      restarts: 0,
      lastExit: undefined,
      lazy: spec.lazy,
      directory: options.directory,
      warnings: [],
    };
  }

  be(state: Supervised["state"], changes: Partial<Supervised> = {}): void {
    this.#snapshot = { ...this.#snapshot, why: undefined, ...changes, state };
    this.#options.onChange(this.#snapshot);
  }

  die(code: number, state: Supervised["state"] = "backoff"): void {
    const time = (this.#snapshot.lastExit?.time ?? 0) + 1;
    this.failures++;
    const lastExit = { code, signal: null, time, lastLines: [] };
    this.be(state, { lastExit, startedAt: undefined, why: `ended with exit code ${code}` });
  }

  /** No process is started: another program has its port, or the system has no room for one. */
  refuse(why: string, { isHeld = false }: { isHeld?: boolean } = {}): void {
    this.failures++;
    this.isHeld = isHeld;
    this.isRefused = !isHeld;
    this.be("backoff", { startedAt: undefined, why });
  }

  /** It was asked to end, whatever it is to be afterwards. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  print(text: string): void {
    this.#options.onOutput("stdout", new TextEncoder().encode(text));
  }

  isSettled = true;
  halt = async () => undefined;
  goOn(): void {}
  leave(): void {}

  snapshot = () => this.#snapshot;
  run = () => undefined;
  age = () => undefined;
  pauseOutput(): void {}
  resumeOutput(): void {}
  input(): undefined {}

  start(request: StartRequest): void {
    if (this.#snapshot.state === "stopping") {
      this.#again = request;
      this.be("starting");
      return;
    }
    if (["starting", "running", "ready", "unready"].includes(this.#snapshot.state)) return;
    this.requests.push(request);
    this.#said.push(`start ${this.spec.name}`);
    this.be("starting", { startedAt: this.#births(), port: request.port });
  }

  /** Its build has succeeded. */
  built(because: string): void {
    this.#options.onBuilt?.(because);
  }

  async stop({ makesWay }: { makesWay: boolean } = { makesWay: false }): Promise<void> {
    this.ways.push(makesWay);
    this.#again = undefined;
    if (this.#snapshot.state === "stopped") return;
    if (this.#ending !== undefined) {
      if (this.#snapshot.state !== "stopping") this.be("stopping");
      await this.#ending.promise;
      return;
    }
    const ending = Promise.withResolvers<void>();
    this.#ending = ending;
    this.#said.push(`stop ${this.spec.name}`);
    this.be("stopping");
    if (this.obedient) this.end();
    await ending.promise;
  }

  /** What was asked to end does. */
  end(): void {
    if (this.#ending === undefined) return;
    const again = this.#again;
    this.#again = undefined;
    this.#ending.resolve();
    this.#ending = undefined;
    this.be("stopped", { startedAt: undefined });
    if (again !== undefined) this.start(again);
  }

  restart(request: StartRequest): void {
    this.start(request);
  }

  async dispose(): Promise<void> {
    await this.stop();
  }
}

export class PlayedProject implements Disposable {
  readonly clock = new FakeClock();
  /** `start db`, `stop db`, in order. */
  readonly said: string[] = [];
  readonly heard: BootEvent[] = [];
  readonly changes: [string, Supervised][] = [];
  readonly made = new Map<string, PlayedService>();
  readonly project: Project;
  readonly logs: LogStore;
  readonly #folder = mkdtempSync(join(tmpdir(), "project-"));
  #ports = new Map<string, number>();
  #born = 0;
  noPorts = false;
  /** By id: the port that a service has from now on. */
  readonly moved = new Map<string, number>();
  /** Ports that other programs hold, and folders that are not there. */
  readonly taken = new Set<number>();
  readonly missing = new Set<string>();
  /** By task: a fingerprint of the content of its inputs, and the last completed run. */
  readonly inputs = new Map<string, string>();
  readonly completed: Map<string, Completed>;

  /** `held`: those of which nobody has seen what they run. */
  constructor(
    services: readonly Declared[],
    held: readonly string[] = [],
    completed = new Map<string, Completed>(),
  ) {
    this.completed = completed;
    // Nothing here is about files, which somebody would have to close.
    const fileAt = () => ({
      write: async () => {},
      tail: async () => nothing,
      close: async () => {},
    });
    this.logs = logStore({ directory: this.#folder, clock: this.clock, note() {}, fileAt });
    const portOf = (id: string, declared: number | undefined): number | undefined => {
      if (this.noPorts) return undefined;
      if (!this.#ports.has(id)) this.#ports.set(id, 21_000 + this.#ports.size);
      return declared ?? this.moved.get(id) ?? this.#ports.get(id);
    };
    this.project = new Project(
      { ...declared(services), pending: new Map(held.map(holding)) },
      {
        clock: this.clock,
        logs: this.logs,
        machine: noKinds,
        supervise: (spec, options) => {
          const played = new PlayedService(spec, {
            options,
            said: this.said,
            births: () => ++this.#born,
          });
          this.made.set(spec.name, played);
          return played;
        },
        adopt: async () => {
          throw new Error("no other daemon has played");
        },
        portOf,
        claimPort: portOf,
        isFree: (port) => !this.taken.has(port),
        isFolder: (path) => !this.missing.has(path),
        inputsOf: async ({ name }) => this.inputs.get(name) ?? "0",
        completed: this.completed,
        urlOf: (routeName) => `http://${routeName}.localhost`,
        trust: () => ({}),
        onChange: (change, snapshot) => void this.changes.push([change, snapshot]),
        onState() {},
      },
    );
  }

  [Symbol.dispose](): void {
    // Files that are open may not be collected.
    void this.logs.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  service(name: string): PlayedService {
    return this.made.get(name)!;
  }

  /** Name -> state. */
  get states(): Record<string, string> {
    return Object.fromEntries(this.project.snapshots().map((its) => [its.service, its.state]));
  }

  snapshot(name: string): Supervised {
    return this.project.snapshots().find((its) => its.service === name)!;
  }

  up(...names: string[]) {
    const hear = (event: BootEvent) => void this.heard.push(event);
    return this.project.up({ names: names.length > 0 ? names : undefined, shell: {}, hear });
  }

  restart(...names: string[]) {
    const hear = (event: BootEvent) => void this.heard.push(event);
    return this.project.restart({ names: names.length > 0 ? names : undefined, shell: {}, hear });
  }

  /** All become ready, as each is started. */
  async allReady(): Promise<void> {
    for (let left = this.project.snapshots().length; left > 0; left--) {
      await settled();
      for (const service of this.made.values()) {
        if (service.snapshot().state === "starting") service.be("ready");
      }
    }
    await settled();
  }

  /** Of those that are heard: `api ready`, `api: ended with exit code 1`. */
  get finished(): string[] {
    return this.heard.flatMap((event) => {
      if (event.type !== "StepFinished") return [];
      const { id, result } = event.data;
      return ["Ok" in result ? `${id} ready` : `${id}: ${result.Err}`];
    });
  }

  takeSaid(): string[] {
    return this.said.splice(0);
  }
}
