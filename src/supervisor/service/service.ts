/** A declared service -> one that runs, is ready, is started again and stopped, and says so. Everything outside is an effect. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { Exit, Supervised } from "../../routes/supervised.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Ask, Asked } from "./checks.ts";
import type { Ending } from "../family/ending.ts";
import type { Child, ChildOptions, Spawned, Stream } from "./child.ts";
import { environmentOf } from "./environment.ts";
import type { Ends, Families, Run } from "../family/family.ts";
import type { Listening } from "./listening.ts";
import { type Notice, noticesIn } from "./notify.ts";
import { patternIn } from "./ready-pattern.ts";
import {
  type Event,
  goodHealth,
  type Phase,
  shownAs,
  step,
  verdictOn,
  waitAfter,
} from "./states.ts";

/** What a start is given by the project; kept for the starts that nobody asks for. */
export type StartRequest = {
  /** The environment of the shell that asked. */
  shell: Readonly<Record<string, string | undefined>>;
  /** Undefined for a worker. */
  port: number | undefined;
  url: string | undefined;
  trust: Readonly<Record<string, string>>;
  /** For a person: `its file src/a.ts changed`. */
  reason?: string;
};

export type ServiceEffects = {
  clock: Clock;
  spawn(options: ChildOptions): Spawned;
  families: Families;
  /** A socket whose datagrams are heard until it is closed. @throws with a sentence, where there can be none. */
  notifySocket(hear: (bytes: Uint8Array) => void): Promise<{ path: string; close(): void }>;
  ask: Ask;
  listening: Listening;
  isFree(port: number): boolean;
  /** Whether the command looks as if it would say READY=1 by itself. */
  mayNotify(command: string, workdir: string): Promise<boolean>;
  /** 128 random bits in hex. */
  runId(): string;
  /** In [0, 1). */
  random(): number;
};

export type ServiceOptions = {
  project: string;
  /** The project's domain and folder. */
  domain: string;
  directory: string;
  effects: ServiceEffects;
  onChange(snapshot: Supervised): void;
  /** `bytes` are the callee's only until it returns. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  /** A look found other processes of it than the look before. */
  onMembers(): void;
  /** What it printed last, at most 50 printable lines; asked for when it has ended. */
  lastLines(): readonly string[];
};

export interface Service {
  readonly spec: ServiceSpec;
  snapshot(): Supervised;
  /** What the next daemon needs to end it; undefined where nothing of it can be left. */
  run(): Run | undefined;
  /** Nothing where it runs or starts already; else at once, and counted anew. */
  start(request: StartRequest): void;
  /** Resolves when nothing of it is left, or when somebody has started it again meanwhile. */
  stop(): Promise<void>;
  /** Ends it and starts it again; where it does not run, starts it. */
  restart(request: StartRequest): void;
  /** Its processes wait when they write; other services' do not. */
  pauseOutput(): void;
  resumeOutput(): void;
  /** Stops it for good. */
  dispose(): Promise<void>;
}

/** Milliseconds between two looks at whether its port listens: at first, and later. */
const firstLook = 50;
const lastLook = 250;

/** Milliseconds that a service which may say READY=1 has to do so, from when its port listens. */
const notifyPatience = 10_000;

/** Milliseconds after which a service that listens somewhere else, and not on its port, is taken to mean it. */
const elsewhereAfter = 3000;
/** Milliseconds between looks at where it listens: until it is ready and for a few looks more, then. */
const elsewherePeriod = 1000;
const soonLooks = 3;
const listensPeriod = 30_000;

/** Ports that debuggers of Node, Bun and browsers open before anything else: not what a service is for. */
const isInspector = (port: number): boolean => port >= 9222 && port <= 9240;

/** Milliseconds that a worker which has no other sign has to live to be ready. */
const workerReady = 1000;

/** Milliseconds between two checks of a service that is not ready, at most. */
const eagerCheck = 500;

/** Milliseconds that a port may take to become free when its last holder has ended, and between two looks. */
const portPatience = 2000;
const portPeriod = 50;

/** Milliseconds between two looks at a main process that is not our child. */
const mainPeriod = 1000;

/** Milliseconds in which Bun tells of an end that the kernel shows. */
const exitPatience = 1000;

const lives: ReadonlySet<Phase> = new Set<Phase>(["running", "ready", "unready"]);
const ends: ReadonlySet<Phase> = new Set<Phase>(["stopping", "restarting", "aborting"]);

export function supervise(spec: ServiceSpec, options: ServiceOptions): Service {
  const { effects, onChange } = options;
  const { clock, families } = effects;

  let phase: Phase = "stopped";
  let request: StartRequest | undefined;
  let why: string | undefined;
  let status: string | undefined;
  let run: Run | undefined;
  let child: Child | undefined;
  let env: Readonly<Record<string, string>> = {};
  let mainPid: number | undefined;
  let startedAt: number | undefined;
  let readyAt: number | undefined;
  let restarts = 0;
  /** In a row, without good health between them. */
  let deaths = 0;
  let lastExit: Exit | undefined;
  let listens: readonly number[] = [];
  /** The users as whom it does. */
  let listensAs: readonly number[] = [];
  let warnings: string[] = [];
  let paused = false;
  /** Of the end that is under way, or the last. */
  let ending: Ends | undefined;
  let exited = Promise.withResolvers<void>();
  let socket: { path: string; close(): void } | undefined;
  /** Differs after each start and each end: what was waited for before means nothing then. */
  let generation = 0;
  /** Timers and checks of the process that runs. */
  let cancels = new Set<Cancel>();
  let waiting: Cancel | undefined;
  const stopWaiters: (() => void)[] = [];

  /** Of the process that runs. */
  let speaks = false;
  let maySpeak = false;
  let listensSince: number | undefined;
  let reloading = false;
  let failures = 0;
  /** What the last check found. */
  let illness: string | undefined;
  /** Looks at where it listens. */
  let looks = 0;
  let lastMembers: readonly number[] = [];
  /** Whether a process that it named may be its main one. */
  let believing: Promise<void> | undefined;
  let startDeadline = 0;
  let cancelStart: Cancel | undefined;
  let cancelHealth: Cancel | undefined;
  let cancelWatchdog: Cancel | undefined;
  let watchdogPeriod = 0;
  let findPattern: ((bytes: Uint8Array) => boolean) | undefined;

  function snapshot(): Supervised {
    return {
      id: `${options.project}:${spec.name}`,
      project: options.project,
      domain: options.domain,
      service: spec.name,
      type: spec.type,
      state: shownAs(phase),
      why,
      status,
      routeName: spec.routeName,
      pid: startedAt === undefined ? undefined : (mainPid ?? run?.pid),
      port: request?.port,
      listens,
      listensAs,
      startedAt,
      readyAt,
      restarts,
      lastExit,
      lazy: spec.lazy,
      directory: options.directory,
      warnings,
    };
  }

  function tell(): void {
    onChange(snapshot());
  }

  /** False where the event changes nothing in this phase. */
  function happen(event: Event, because?: string): boolean {
    const found = step(phase, event);
    if (found === undefined) return false;
    const before = phase;
    phase = found.next;
    why = because;
    if (before === "ready" && phase !== "ready") cancelHealth?.();
    if (!lives.has(phase)) quiet();
    if (found.action === "launch") launch();
    else if (found.action === "wait") waitForNext();
    else if (found.action === "clear") void clear();
    else if (found.action !== undefined) void endAll(because);
    tell();
    if (!ends.has(phase)) for (const resolve of stopWaiters.splice(0)) resolve();
    return true;
  }

  /** Ends what watches the process that ran. */
  function quiet(): void {
    for (const cancel of cancels) cancel();
    cancels = new Set();
    waiting?.();
    waiting = undefined;
    findPattern = undefined;
    generation++;
  }

  function after(delay: number, action: () => void): Cancel {
    const cancel = clock.after(delay, () => {
      cancels.delete(cancel);
      action();
    });
    cancels.add(cancel);
    return () => {
      cancel();
      cancels.delete(cancel);
    };
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resume) => void clock.after(milliseconds, resume));
  }

  // --- starting

  function launch(): void {
    quiet();
    const mine = generation;
    start(() => mine !== generation).catch((error: Error) => {
      if (mine === generation) refuse(error.message, { passing: true });
    });
  }

  async function start(isOver: () => boolean): Promise<void> {
    await clear();
    if (isOver()) return;
    const { port, shell, url, trust } = request!;
    if (port !== undefined && !(await becomesFree(port, isOver))) {
      if (!isOver()) refuse(`another program listens on its port ${port}`, { passing: true });
      return;
    }
    const may = await effects.mayNotify(spec.command, spec.workdir);
    const heard = await effects.notifySocket((bytes) => {
      if (socket === heard) for (const notice of noticesIn(bytes)) hear(notice);
    });
    if (isOver()) {
      heard.close();
      return;
    }
    deafen();
    socket = heard;
    const runId = effects.runId();
    env = environmentOf(spec, {
      shell,
      port,
      url,
      trust,
      run: { id: runId, notifySocket: socket.path },
    });
    exited = Promise.withResolvers();
    const mine = exited;
    const result = effects.spawn({
      command: spec.command,
      workdir: spec.workdir,
      env,
      pty: spec.pty,
      onOutput(stream, bytes) {
        options.onOutput(stream, bytes);
        if (findPattern?.(bytes)) becomeReady();
      },
      onExit(how) {
        if (exited === mine) ended(how);
        mine.resolve();
      },
    });
    if (result.kind === "refused") {
      exited.resolve();
      deafen();
      refuse(result.why, result);
      return;
    }
    child = result.child;
    startedAt = clock.now();
    run = { pid: child.pid, startedAt, runId, birth: families.birthOf(child.pid) };
    ending = undefined;
    if (paused) child.pause();
    mainPid = undefined;
    readyAt = undefined;
    status = undefined;
    listens = [];
    listensAs = [];
    warnings = [];
    speaks = false;
    maySpeak = may;
    listensSince = undefined;
    reloading = false;
    failures = 0;
    illness = undefined;
    looks = 0;
    lastMembers = [];
    believing = undefined;
    watchdogPeriod = 0;
    happen("spawned", request!.reason);
    watch();
  }

  /** It could not be started: a death like others, where it may pass. */
  function refuse(because: string, { passing }: { passing: boolean }): void {
    deaths++;
    const exit = { code: null, signal: null };
    const verdict = passing ? verdictOn(exit, { restart: spec.restart, deaths }) : "gave-up";
    happen(verdict === "crashed" ? "crashed" : "gave-up", because);
  }

  async function becomesFree(port: number, isOver: () => boolean): Promise<boolean> {
    const end = clock.now() + portPatience;
    while (!effects.isFree(port)) {
      if (clock.now() >= end || isOver()) return false;
      await pause(portPeriod);
    }
    return true;
  }

  function waitForNext(): void {
    void clear();
    const delay = waitAfter(deaths, effects.random());
    waiting = clock.after(delay, () => {
      restarts++;
      happen("waited", why);
    });
  }

  // --- ready

  function watch(): void {
    startDeadline = clock.now() + spec.startTimeout;
    armStart();
    if (spec.health !== undefined) check();
    else if (spec.readyPattern !== undefined) findPattern = patternIn(spec.readyPattern);
    else if (spec.type === "worker") {
      after(workerReady, () => {
        if (!speaks) becomeReady();
      });
    } else watchPort(firstLook);
    watchMembers();
  }

  function armStart(): void {
    cancelStart?.();
    cancelStart = after(startDeadline - clock.now(), () => {
      if (phase !== "running") return;
      const seconds = Math.round((clock.now() - startedAt!) / 100) / 10;
      const last = illness === undefined ? "" : `: ${illness}`;
      happen("timed-out", `did not become ready within ${seconds} s${last}`);
    });
  }

  function becomeReady(): void {
    if (phase !== "running" && phase !== "unready") return;
    cancelStart?.();
    findPattern = undefined;
    reloading = false;
    failures = 0;
    readyAt ??= clock.now();
    happen("ready");
    cancelHealth = after(goodHealth, () => {
      deaths = 0;
    });
  }

  /** By the kernel's table of sockets, so that nothing is sent to a server that takes one connection only. */
  function watchPort(delay: number): void {
    const mine = generation;
    after(delay, async () => {
      const listening = await effects.listening.on(request!.port!).catch(() => false);
      if (mine !== generation || phase !== "running" || speaks) return;
      // Its own processes may have changed to another user.
      if (listening || listens.includes(request!.port!)) listensSince ??= clock.now();
      else listensSince = undefined;
      const patience = maySpeak ? notifyPatience : 0;
      if (listensSince !== undefined && clock.now() - listensSince >= patience) becomeReady();
      else watchPort(Math.min(delay * 2, lastLook));
    });
  }

  /** Which processes it has, and where they listen, for as long as it runs. */
  function watchMembers(): void {
    const mine = generation;
    const soon = phase === "running" || looks++ < soonLooks;
    after(soon ? elsewherePeriod : listensPeriod, async () => {
      let found = listens;
      let owners = listensAs;
      try {
        const pids = (await families.members(run!)).map(({ pid }) => pid);
        const seen = [...pids, ...families.strays().map(({ pid }) => -pid)];
        if (mine === generation && String(seen) !== String(lastMembers)) {
          lastMembers = seen;
          options.onMembers();
        }
        if (spec.type === "exec") {
          const sockets = await effects.listening.of(pids);
          found = [...new Set(sockets.map(({ port }) => port))];
          owners = [...new Set(sockets.flatMap(({ uid }) => uid ?? []))];
        }
      } catch {
        // The machine could not be looked at, which the families report: what was seen last stands.
      }
      if (mine !== generation) return;
      if (String([found, owners]) !== String([listens, listensAs])) {
        listens = found;
        listensAs = owners;
        tell();
      }
      if (spec.type === "exec" && clock.now() - startedAt! >= elsewhereAfter) settleElsewhere();
      watchMembers();
    });
  }

  /** The port to be asked: where it listens somewhere else only, that one. */
  function elsewhere(): number | undefined {
    const port = request!.port!;
    if (listens.includes(port)) return undefined;
    return listens.find((other) => !isInspector(other));
  }

  function settleElsewhere(): void {
    const port = elsewhere();
    const warned =
      port === undefined ? [] : [`listens on port ${port}, not on PORT=${request!.port}`];
    if (String(warned) !== String(warnings)) {
      warnings = warned;
      tell();
    }
    if (port === undefined) return;
    if (spec.health === undefined && spec.readyPattern === undefined && !speaks) becomeReady();
  }

  // --- checks

  function check(): void {
    const mine = generation;
    const health = spec.health!;
    const asked: Asked = effects.ask(health.ask, {
      port: spec.type === "worker" ? undefined : (elsewhere() ?? request!.port),
      env,
      workdir: spec.workdir,
      timeout: health.timeout,
    });
    const cancel = () => asked.cancel();
    cancels.add(cancel);
    void asked.done.then((result) => {
      cancels.delete(cancel);
      if (mine !== generation) return;
      if (result.kind === "well") {
        failures = 0;
        if (!reloading) becomeReady();
      } else if (phase === "ready") {
        if (clock.now() - startedAt! >= health.startPeriod) failures++;
        if (failures >= Math.max(1, health.retries)) happen("unready", result.why);
      } else if (illness !== result.why) {
        illness = why = result.why;
        tell();
      }
      const eager = Math.min(health.interval, eagerCheck);
      after(phase === "ready" ? health.interval : eager, check);
    });
  }

  // --- what it says of itself

  function hear(notice: Notice): void {
    if (!lives.has(phase)) {
      // On its way out it may ask for time.
      if (notice.kind === "extend" && ends.has(phase)) ending?.extend(notice.by);
      return;
    }
    switch (notice.kind) {
      case "ready":
        speaks = true;
        becomeReady();
        break;
      case "status":
        speaks = true;
        status = notice.text === "" ? undefined : notice.text;
        tell();
        break;
      case "reloading":
        speaks = true;
        reloading = true;
        happen("unready", "it reloads");
        break;
      case "stopping":
        reloading = true;
        happen("unready", "it stops");
        break;
      case "main-pid":
        speaks = true;
        believing = believe(notice.pid);
        break;
      case "extend":
        speaks = true;
        startDeadline = Math.max(startDeadline, clock.now() + notice.by);
        if (phase === "running") armStart();
        else if (watchdogPeriod > 0) armWatchdog(Math.max(watchdogPeriod, notice.by));
        break;
      case "watchdog":
        if (watchdogPeriod > 0) armWatchdog(watchdogPeriod);
        break;
      case "watchdog-every":
        watchdogPeriod = notice.period;
        if (watchdogPeriod > 0) armWatchdog(watchdogPeriod);
        else cancelWatchdog?.();
        break;
      case "watchdog-trigger":
        happen("timed-out", "its watchdog asked for a restart");
    }
  }

  function armWatchdog(period: number): void {
    cancelWatchdog?.();
    cancelWatchdog = after(period, () => {
      happen("timed-out", `its watchdog was silent for ${Math.round(period)} ms`);
    });
  }

  /** Only a process of its own family can be its main one. */
  async function believe(pid: number): Promise<void> {
    const mine = generation;
    if (pid === run!.pid || !(await isMember(pid)) || mine !== generation) return;
    mainPid = pid;
    tell();
  }

  async function isMember(pid: number): Promise<boolean> {
    try {
      return (await families.members(run!)).some((member) => member.pid === pid);
    } catch {
      // The machine could not be looked at, which the families report.
      return false;
    }
  }

  // --- ending

  /** The process that was started has ended. */
  function ended(how: Ending): void {
    if (believing !== undefined && lives.has(phase)) void followMain(how);
    else died(how);
  }

  /** It has put another in its place, and is done; that one's end is the end. */
  async function followMain(how: Ending): Promise<void> {
    const mine = generation;
    await believing;
    const main = mainPid;
    const alive = main !== undefined && (await isMember(main));
    if (mine !== generation) return;
    if (main === undefined) died(how);
    else if (alive) after(mainPeriod, () => void followMain({ code: null, signal: null }));
    else died(families.endingOf(main) ?? how);
  }

  function died(how: Ending): void {
    lastExit = { ...how, time: clock.now(), lastLines: options.lastLines() };
    startedAt = undefined;
    if (!lives.has(phase)) return;
    deaths++;
    happen(verdictOn(how, { restart: spec.restart, deaths }), wordsFor(how));
  }

  /** Ends all that is left of the last run, and lets go of its output. Many may wait for it. */
  async function clear(): Promise<string | undefined> {
    const last = run;
    if (last === undefined) {
      deafen();
      return undefined;
    }
    ending ??= families.end(last, { signal: spec.stopSignal, timeout: spec.stopTimeout });
    const result = await ending.done;
    if (run !== last) return undefined;
    // The kernel is quicker to show an end than Bun to tell of it, and its exit code is wanted.
    await Promise.race([exited.promise, pause(exitPatience)]);
    if (run !== last) return undefined;
    child?.release();
    deafen();
    child = undefined;
    run = undefined;
    ending = undefined;
    mainPid = undefined;
    startedAt = undefined;
    if (result.kind === "ended") return undefined;
    return `could not be ended altogether: ${result.pids.join(", ")} still run`;
  }

  function deafen(): void {
    socket?.close();
    socket = undefined;
  }

  /** For the phases that end it. */
  async function endAll(because: string | undefined): Promise<void> {
    const port = run === undefined ? undefined : request?.port;
    const left = await clear();
    const free = port === undefined || (await becomesFree(port, () => false));
    listens = [];
    listensAs = [];
    status = undefined;
    warnings = [
      ...(left === undefined ? [] : [left]),
      ...(free ? [] : [`its port ${port} is still held by another program`]),
    ];
    if (phase === "aborting") {
      deaths++;
      const exit = { code: null, signal: null };
      const verdict = verdictOn(exit, { restart: spec.restart, deaths });
      happen(verdict === "rested" ? "gave-up" : verdict, because);
    } else happen("ended", phase === "restarting" ? request?.reason : undefined);
  }

  return {
    spec,
    snapshot,
    run: () => run,
    start(asked) {
      if (step(phase, "start") === undefined) return;
      request = asked;
      deaths = 0;
      restarts = 0;
      happen("start", asked.reason);
    },
    async stop() {
      happen("stop");
      if (!ends.has(phase)) return;
      await new Promise<void>((resolve) => void stopWaiters.push(resolve));
    },
    restart(asked) {
      request = asked;
      deaths = 0;
      happen("restart", asked.reason);
    },
    pauseOutput() {
      paused = true;
      child?.pause();
    },
    resumeOutput() {
      paused = false;
      child?.resume();
    },
    async dispose() {
      await this.stop();
      quiet();
    },
  };
}

function wordsFor({ code, signal }: Ending): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "ended" : `ended with exit code ${code}`;
}
