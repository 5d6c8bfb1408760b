/** A lifecycle whose processes, checks, sockets and clock a test plays. */
import type { PortHolder } from "../../src/discovery/port-holder.ts";
import type { HealthCheck, ServiceSpec } from "../../src/manifest/project.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import type { Asking } from "../../src/supervisor/service/checks.ts";
import type { Health } from "../../src/supervisor/service/health.ts";
import type { Ending } from "../../src/supervisor/family/ending.ts";
import type { StartRequest } from "../../src/supervisor/service/begin-life.ts";
import type { AdoptedOptions } from "../../src/supervisor/service/adopted-child.ts";
import type { ChildOptions, Spawned } from "../../src/supervisor/service/child.ts";
import type { Seen } from "../../src/supervisor/family/census.ts";
import type { Ended, EndOptions, Families, Run } from "../../src/supervisor/family/family.ts";
import {
  adopt,
  type Handed,
  type Lifecycle,
  type LifecycleEffects,
  type LifecycleOptions,
  supervise,
} from "../../src/supervisor/service/lifecycle.ts";
import type { SiteEffects } from "../../src/supervisor/service/served-site.ts";
import type { BuildFiles } from "../../src/supervisor/service/build-writes.ts";
import { adoptBuilt, superviseBuilt } from "../../src/supervisor/service/built-lifecycle.ts";
import { orderVariable } from "../../src/manifest/order.ts";
import { superviseSite } from "../../src/supervisor/service/site-lifecycle.ts";
import { FakeClock } from "../support/fake-clock.ts";

export function specOf(changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name: "web",
    type: "exec",
    command: "serve",
    hooks: {},
    shell: ["/bin/sh", "-c"],
    workdir: "/tmp",
    port: undefined,
    env: {},
    envFiles: [],
    dependsOn: [],
    conditions: {},
    restartWith: [],
    health: undefined,
    readyPattern: undefined,
    stopSignal: "SIGTERM",
    stopTimeout: 5000,
    startTimeout: 30_000,
    restart: "on-failure",
    limits: { memory: undefined },
    schedule: undefined,
    disabled: false,
    profiles: [],
    lazy: false,
    idleTimeout: undefined,
    watch: [],
    inputs: [],
    pty: true,
    routeName: "shop",
    ...changes,
  };
}

export const request: StartRequest = {
  shell: { PATH: "/bin", HOME: "/home/me" },
  port: 21_000,
  url: "http://shop.localhost",
  trust: {},
};

/** Lets everything that waits for nothing but promises happen. */
export async function settled(): Promise<void> {
  for (let at = 0; at < 4; at++) await new Promise((resolve) => setImmediate(resolve));
}

export type PlayedHook = {
  command: string;
  env: Readonly<Record<string, string>>;
  print(text: string): void;
  end(code: number | null, signal?: string | null): void;
};

export class FakeLifecycle {
  readonly clock = new FakeClock();
  readonly spawns: ChildOptions[] = [];
  readonly endings: (Run & EndOptions)[] = [];
  readonly extended: number[] = [];
  readonly asked: { ask: HealthCheck["ask"]; asking: Asking }[] = [];
  readonly seen: Supervised[] = [];
  readonly calls: string[] = [];
  /** Commands beside its own, in the order in which they were started. */
  readonly hooks: PlayedHook[] = [];
  /** Those that run, by pid. */
  readonly lingering = new Map<number, PlayedHook>();
  /** Builds beside its process, in the order in which they were started. */
  readonly builds: PlayedHook[] = [];
  /** Requests to make way for what was built, with their reasons. */
  readonly swaps: (string | undefined)[] = [];
  /** Whether each of them ends well by itself. */
  hooksEnd = true;
  onHookFlow: (what: "pause" | "resume") => void = () => {};
  /** Lines of our own in the log. */
  readonly said: string[] = [];
  /** Ports on which something listens. */
  listening = new Set<number>();
  /** Where the service's own processes listen. */
  own: number[] = [];
  members: number[] = [];
  /** As whom it listens. */
  uid = 0;
  /** How often other members were told of. */
  memberNews = 0;
  /** Resident bytes, and those with shared pages counted once. */
  memory = 0;
  proportional: number | undefined;
  busy = new Set<number>();
  /** Who listens on a port that is busy. */
  holders: PortHolder[] = [];
  /** Ports that the system keeps for root. */
  reserved = new Set<number>();
  mayNotify = false;
  refusal: Exclude<Spawned, { kind: "spawned" }> | undefined;
  /** How checks answer from now on; undefined: as a test says by one of `answers`. */
  health: Health | undefined = { kind: "well" };
  /** Whether what is asked to end ends at once. */
  obedient = true;
  /** How the program ended, where that is another than the process that was spawned. */
  programExit: Ending | undefined;
  result: Ended = { kind: "ended" };
  readonly answers: ((health: Health) => void)[] = [];
  sockets = 0;
  /** How often what it leaves outside of its family was ended, and the ports that this sets free. */
  tidied = 0;
  left: number[] = [];
  /** Whether the descriptors of its process can be had. */
  handable = true;
  /** Processes of another daemon. */
  readonly adopted: AdoptedOptions[] = [];
  onTold: (snapshot: Supervised) => void = () => {};
  readonly #buildPids = new Set<number>();
  /** Of each process, in the order in which they were started. */
  readonly #hears: ((bytes: Uint8Array) => void)[] = [];
  #finish: (() => void) | undefined;

  service: Lifecycle;
  /** The last output, in the order in which it came. */
  printed = "";

  /** `sites`: a site's own effects; only a site has them. `files`: of a service that is built, the same. */
  constructor(
    changes: Partial<ServiceSpec> = {},
    { sites, files }: { sites?: SiteEffects; files?: BuildFiles } = {},
  ) {
    const spec = specOf(changes);
    if (sites !== undefined) this.service = superviseSite(spec, { ...this.#options(), sites });
    else if (files !== undefined)
      this.service = superviseBuilt(spec, { ...this.#options(), files });
    else this.service = supervise(spec, this.#options());
  }

  /** The same for a service that is built. */
  async takeOverBuilt(handed: Handed, files: BuildFiles) {
    this.service = await adoptBuilt(this.service.spec, {
      ...this.#options(),
      files,
      adopting: {
        handed: JSON.parse(JSON.stringify(handed)),
        shell: request.shell,
        rest: { stdout: new Uint8Array(), stderr: new Uint8Array() },
      },
    });
  }

  /** Goes on with a service of another one, in the place of its own. */
  async takeOver(handed: Handed, rest: Partial<Record<"stdout" | "stderr", string>> = {}) {
    const { stdout = "", stderr = "" } = rest;
    this.service = await adopt(this.service.spec, {
      ...this.#options(),
      adopting: {
        // As it would come out of another process.
        handed: JSON.parse(JSON.stringify(handed)),
        shell: request.shell,
        rest: { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) },
      },
    });
  }

  #options(): LifecycleOptions {
    return {
      tidy: async () => {
        this.tidied++;
        for (const port of this.left) this.busy.delete(port);
        return undefined;
      },
      project: "shop",
      domain: "shop.localhost",
      directory: "/shop",
      effects: this.#effects(),
      onChange: (snapshot) => {
        this.seen.push(snapshot);
        this.onTold(snapshot);
      },
      onOutput: (_stream, bytes) => {
        this.printed += Buffer.from(bytes).toString();
      },
      onMembers: () => void this.memberNews++,
      say: (text) => void this.said.push(text),
      lastLines: () => ["last words"],
      onBuilt: (because) => void this.swaps.push(because),
    };
  }

  #effects(): LifecycleEffects {
    const families: Families = {
      members: async () => [...this.members, this.pid].map((pid) => ({ pid }) as Seen),
      runsOf: async () => [],
      birthOf: (pid) => pid * 10,
      boot: undefined,
      remembered: () => [],
      strays: () => [],
      usage: async () => ({ pids: [this.pid], cpu: 0, memory: this.memory }),
      end: (run, options) => {
        this.endings.push({ ...run, ...options });
        if (this.#buildPids.has(run.pid)) {
          this.lingering.get(run.pid)?.end(null, options.signal);
          return { done: Promise.resolve(this.result), extend() {}, exitOf: (own) => own };
        }
        const { promise, resolve } = Promise.withResolvers<Ended>();
        this.#finish = () => {
          for (const hook of [...this.lingering.values()]) {
            if (!this.builds.includes(hook)) hook.end(null, options.signal);
          }
          this.members = [];
          this.exit({ code: null, signal: options.signal });
          resolve(this.result);
        };
        if (this.obedient) this.#finish();
        return {
          done: promise,
          extend: (by) => void this.extended.push(by),
          exitOf: (own) => this.programExit ?? own,
        };
      },
      endingOf: () => ({ code: 9, signal: null }),
      reapSoon() {},
      stop() {},
    };
    return {
      clock: this.clock,
      families,
      spawn: (options) => {
        if (options.command !== this.service.spec.command) return this.#spawnHook(options);
        if (options.env[orderVariable]?.includes('"only":"build"')) {
          return this.#spawnHook(options, this.builds);
        }
        if (this.refusal !== undefined) return this.refusal;
        this.spawns.push(options);
        this.#exited = false;
        return {
          kind: "spawned",
          child: {
            pid: this.pid,
            input: { write() {}, untaken: 0, resize() {} },
            pause: () => void this.calls.push("pause"),
            resume: () => void this.calls.push("resume"),
            kill: () => void this.calls.push("kill"),
            release: () => void this.calls.push("release"),
            halt: async () => {
              this.calls.push("halt");
              return this.handable ? { descriptors: { terminal: 7 }, isOver: false } : undefined;
            },
            goOn: () => void this.calls.push("go on"),
            leave: () => void this.calls.push("leave"),
          },
        };
      },
      notifySocket: async (hear) => {
        this.sockets++;
        this.#hears.push(hear);
        return this.#socket();
      },
      adoptSocket: async (_from, hear) => {
        this.sockets++;
        this.#hears.push(hear);
        return this.#socket();
      },
      adoptChild: (options) => {
        this.adopted.push(options);
        this.#exited = options.ending !== undefined;
        return {
          pid: options.process.pid,
          input: { write() {}, untaken: 0, resize() {} },
          pause: () => void this.calls.push("pause"),
          resume: () => void this.calls.push("resume"),
          kill: () => void this.calls.push("kill"),
          release: () => void this.calls.push("release"),
          halt: async () => undefined,
          goOn() {},
          leave() {},
        };
      },
      ask: (ask, asking) => {
        this.asked.push({ ask, asking });
        const { promise: done, resolve } = Promise.withResolvers<Health>();
        if (this.health === undefined) this.answers.push(resolve);
        else resolve(this.health);
        return { done, cancel: () => void this.calls.push("cancel") };
      },
      listening: {
        on: async (port) => this.listening.has(port),
        of: async () => this.own.map((port) => ({ port, uid: this.uid })),
      },
      proportional: async () => this.proportional,
      isFree: (port) => !this.busy.has(port),
      holdersOf: async () => this.holders,
      ownerOf: async (pids) => (pids.includes(77) ? "other:api" : undefined),
      rightTo: (port) => (this.reserved.has(port) ? "sudo let-me" : undefined),
      mayNotify: async () => this.mayNotify,
      runId: () => `${this.spawns.length}`.padStart(32, "0"),
      random: () => 0.5,
    };
  }

  #socket() {
    return {
      path: "/run/n",
      close: () => void this.sockets--,
      halt: () => 9,
      goOn() {},
      leave() {},
    };
  }

  #spawnHook(options: ChildOptions, among = this.hooks): Spawned {
    const pid = 5001 + this.hooks.length + this.builds.length;
    let over = false;
    const end = (code: number | null, signal: string | null = null): void => {
      if (over) return;
      over = true;
      this.lingering.delete(pid);
      options.onExit({ code, signal });
    };
    const { command, env } = options;
    const hook = {
      command,
      env,
      print: (text: string) => options.onOutput("stdout", Buffer.from(text)),
      end,
    };
    among.push(hook);
    if (among === this.builds) this.#buildPids.add(pid);
    this.lingering.set(pid, hook);
    if (this.hooksEnd && among === this.hooks) queueMicrotask(() => end(0));
    const child = {
      pid,
      input: { write() {}, untaken: 0, resize() {} },
      pause: () => this.onHookFlow("pause"),
      resume: () => this.onHookFlow("resume"),
      kill: () => end(null, "SIGKILL"),
      release() {},
      halt: async () => undefined,
      goOn() {},
      leave() {},
    };
    return { kind: "spawned", child };
  }

  #exited = true;

  /** Of the process that was started last. */
  get pid(): number {
    return 1000 + this.spawns.length;
  }

  get state(): string {
    return this.service.snapshot().state;
  }

  get why(): string | undefined {
    return this.service.snapshot().why;
  }

  /** The states that were told, repeats left out. */
  get states(): string[] {
    return this.seen
      .map(({ state }) => state as string)
      .filter((state, at, all) => state !== all[at - 1]);
  }

  exit(ending: Ending): void {
    if (this.#exited) return;
    this.#exited = true;
    (this.spawns.at(-1) ?? this.adopted.at(-1))!.onExit(ending);
  }

  /** What was asked to end has ended. */
  finish(): void {
    this.#finish?.();
  }

  /** `at`: the process that says it, counted from 0; the last one by default. */
  say(text: string, at = -1): void {
    this.#hears.at(at)?.(Buffer.from(text));
  }

  print(text: string): void {
    this.spawns.at(-1)!.onOutput("stdout", Buffer.from(text));
  }

  async start(changes: Partial<StartRequest> = {}): Promise<void> {
    this.service.start({ ...request, ...changes });
    await settled();
  }

  /** In steps, so that what a timer begins is done before the next. */
  async pass(milliseconds: number): Promise<void> {
    const step = milliseconds > 5000 ? 250 : 50;
    for (let passed = 0; passed < milliseconds; passed += step) {
      this.clock.advance(Math.min(step, milliseconds - passed));
      await settled();
    }
  }

  /** Its port listens, and that has been seen. */
  async becomeReady(): Promise<void> {
    this.listening.add(21_000);
    await this.pass(250);
  }
}
