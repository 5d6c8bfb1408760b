/** A source and a clock -> the current services, scanned while they are in use. */
import type { Claim } from "../routes/claim.ts";
import { holderText } from "../routes/holder-text.ts";
import type { CommonName } from "../routes/common-name.ts";
import type { Service } from "../routes/service.ts";
import type { WaitingName } from "../routes/waiting-name.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import type { Infer } from "./inference.ts";
import type { Scan, Skipped, Source } from "./observation.ts";
import { naming } from "./services.ts";
import type { WorktreeLabels } from "./worktree-labels.ts";

/** The differences after a scan, each written to the log as a line. */
export type Changes = {
  appeared: readonly Service[];
  /** Services with another process, address or set of warnings under the same name, in their new state. */
  changed: readonly Service[];
  gone: readonly Service[];
  /** A server of the same process has opened another socket in the place of the one before. */
  reopened?: boolean;
};

export type ScannerOptions = {
  source: Source;
  clock: Clock;
  /** The result of `os.hostname()`. */
  hostName: string;
  /** True inside the Windows Subsystem for Linux. */
  wsl: boolean;
  ownPid: number;
  /** The user whose servers take precedence for a name. */
  uid: number;
  /** Names from beside the processes at this moment, the strongest first. */
  claims?: () => readonly Claim[];
  /** Names for servers that nothing else names; undefined: they get none. */
  infer?: Infer | undefined;
  /** Undefined: worktrees are not looked for. */
  worktrees?: WorktreeLabels | undefined;
  /** A scan -> the same with its common names. */
  judge?: (scan: Scan) => Scan;
  /** Called once for each value of NAME that is found to be no server's. */
  onCommon?: (common: CommonName) => void;
  /** Scans even if nobody calls `touch`. */
  watched?: boolean;
  /** Called after every successful scan, even if nothing changed. */
  onServices: (services: readonly Service[], changes: Changes) => void;
  /** Called once for each process or socket that could not be read, until a scan can read it. */
  onSkipped?: (skipped: Skipped) => void;
  /** Called when a scan fails and the services stay unchanged; once, until a scan succeeds or fails in another way. */
  onFailure?: (error: Error) => void;
};

export interface Scanner {
  services(): readonly Service[];
  /** Claims that lead nowhere at this moment. */
  waiting(): readonly WaitingName[];
  /** The result of the last successful scan. */
  scan(): Scan;
  /** The error of the last scan; undefined if it succeeded. */
  failure(): Error | undefined;
  /**
   * The services according to a scan that starts after this call. `atOnce`: for our own commands, which are not called
   * a thousand times a second. Never rejects.
   */
  refresh(options?: { atOnce: boolean }): Promise<readonly Service[]>;
  /** Names the last scan's servers anew, at once: the claims have changed. */
  rename(): void;
  /** Reports that the proxy is in use. Costs one store. */
  touch(): void;
  /** Scans every second until cancelled, for a person who is watching. Cancelling twice is harmless. */
  watch(): Cancel;
  /** Whether the process that a service was found with still runs; true for a service without one. */
  stillThere(service: Service): boolean;
  /** Runs the first scan. */
  start(): Promise<void>;
  /** Cancels all timers; waiting callers get the services known so far. */
  stop(): void;
}

/** Milliseconds between checks whether a scan is due. */
const tick = 1000;

/**
 * In ticks. While the proxy is in use, services are at most this old; after a use, it counts as in use for this long.
 */
const period = 5;

/**
 * A requested scan waits this long after the end of the last one: ten times the duration of a scan, within these limits
 * in milliseconds. So requests for unknown names cannot keep the processor busy for more than a tenth of the time. The
 * shorter one of the last two scans counts: the process may have had other work during a scan.
 */
const spacing = { factor: 10, least: 100, most: 1000 };

/** Ticks in which a program that has begun with a NAME is waited for: it may have to build something first. */
const patience = 30;

type Waiter = (services: readonly Service[]) => void;

/** A routable name is unique; other rows are told apart by their process. */
function keyOf(service: Service): string {
  return service.routable ? service.name : `${service.name} ${holderText(service)}`;
}

function holdersOf(services: readonly Service[], uid: number): Map<string, number> {
  return new Map(
    services.filter((its) => its.routable).map(({ name, user = uid }) => [name, user]),
  );
}

function isSame(a: Service, b: Service): boolean {
  return (
    a.process?.pid === b.process?.pid &&
    a.process?.startedAt === b.process?.startedAt &&
    a.startedAt === b.startedAt &&
    a.endpoint.address === b.endpoint.address &&
    a.endpoint.port === b.endpoint.port &&
    a.endpoint.dial.join() === b.endpoint.dial.join() &&
    a.endpoint.owners?.join() === b.endpoint.owners?.join() &&
    a.source === b.source &&
    a.because === b.because &&
    a.warnings.join() === b.warnings.join()
  );
}

function changesBetween(before: readonly Service[], after: readonly Service[]): Changes {
  const old = new Map(before.map((service) => [keyOf(service), service]));
  const now = new Map(after.map((service) => [keyOf(service), service]));
  return {
    appeared: after.filter((service) => !old.has(keyOf(service))),
    changed: after.filter((service) => {
      const was = old.get(keyOf(service));
      return was !== undefined && !isSame(was, service);
    }),
    gone: before.filter((service) => !now.has(keyOf(service))),
    reopened: after.some((service) => {
      const was = old.get(keyOf(service));
      return was !== undefined && String(was.endpoint.sockets) !== String(service.endpoint.sockets);
    }),
  };
}

/** Whether a NAME leads, with or without a worktree's label, to a server without one: a NAME takes such a name. */
function takesInferred(names: readonly string[], services: readonly Service[]): boolean {
  if (names.length === 0) return false;
  const inferred = services.filter(({ source }) => source === "folder");
  return names.some((raw) => {
    const name = raw.toLowerCase();
    return inferred.some((its) => its.name === name || its.name.endsWith(`.${name}`));
  });
}

export function scanner(options: ScannerOptions): Scanner {
  const { source, clock, watched = false, onServices, onSkipped, onFailure } = options;
  let services: readonly Service[] = [];
  let waiting: readonly WaitingName[] = [];
  let seen: Scan = { observations: [], processes: new Map(), skipped: [] };
  let state: "idle" | "scanning" | "stopped" = "idle";
  let waiters: Waiter[] = [];
  /** One of the waiting callers wants its scan at once. */
  let hurried = false;
  let scanning: Waiter[] = [];
  let touched = false;
  const watchers = new Set<object>();
  /** Ticks since the last touch, and since the end of the last scan. */
  let quiet = period;
  let age = period;
  let last: { ended: number; duration: number; before: number } | undefined;
  let cancelTicks: Cancel | undefined;
  let cancelDelay: Cancel | undefined;
  let told = new Set<string>();
  let lastFailure: Error | undefined;
  /** Ticks for which a program that has just begun may take the name of a server that only its folder has named. */
  let expecting = 0;

  function tellSkipped(skipped: readonly Skipped[]): void {
    const before = told;
    told = new Set();
    for (const entry of skipped) {
      const key = `${entry.pid} ${entry.why}`;
      if (!before.has(key) && !told.has(key)) onSkipped?.(entry);
      told.add(key);
    }
  }

  function tellCommon(common: readonly CommonName[]): void {
    const before = new Set(seen.common?.map(({ name }) => name));
    for (const its of common) if (!before.has(its.name)) options.onCommon?.(its);
  }

  function rename(): void {
    const { services: found, waiting: left } = naming(seen, {
      ...options,
      claims: options.claims?.(),
      holders: holdersOf(services, options.uid),
    });
    waiting = left;
    const changes = changesBetween(services, found);
    services = found;
    onServices(found, changes);
  }

  async function look(): Promise<void> {
    try {
      const found = await source.scan();
      if (state === "stopped") return;
      const scan = options.judge?.(found) ?? found;
      tellCommon(scan.common ?? []);
      seen = scan;
      lastFailure = undefined;
      tellSkipped(scan.skipped);
      rename();
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const known = error.message === lastFailure?.message;
      lastFailure = error;
      if (state === "stopped" || known) return;
      onFailure?.(error);
    }
  }

  function begin(): void {
    cancelDelay?.();
    cancelDelay = undefined;
    state = "scanning";
    scanning = waiters;
    waiters = [];
    hurried = false;
    const started = clock.now();
    void look().finally(() => {
      if (state === "stopped") return;
      const ended = clock.now();
      const duration = Math.max(0, ended - started);
      last = { ended, duration, before: last?.duration ?? duration };
      age = 0;
      state = "idle";
      release(scanning);
      schedule();
    });
  }

  function release(waiting: Waiter[]): void {
    for (const resolve of waiting.splice(0)) resolve(services);
  }

  /** Starts the requested scan as soon as it may start. */
  function schedule(): void {
    if (state !== "idle" || waiters.length === 0) return;
    if (cancelDelay !== undefined && !hurried) return;
    const wait = last === undefined || hurried ? 0 : delayAfter(last);
    if (wait === 0) begin();
    else cancelDelay = clock.after(wait, begin);
  }

  function delayAfter({ ended, duration, before }: NonNullable<typeof last>): number {
    const usual = Math.min(duration, before);
    const pause = Math.min(Math.max(usual * spacing.factor, spacing.least), spacing.most);
    // If the clock was set back, nobody may have to wait until it has caught up.
    const since = Math.max(0, clock.now() - ended);
    return Math.max(0, pause - since);
  }

  /** Counts ticks instead of reading the clock, which may be set. */
  function onTick(): void {
    quiet = touched ? 0 : quiet + 1;
    touched = false;
    age++;
    if (expecting > 0) expecting--;
    if (state === "idle" && takesInferred(source.glance?.() ?? [], services)) expecting = patience;
    const isWatched = watchers.size > 0 || expecting > 0;
    const due = isWatched || (age >= period && (watched || quiet < period));
    if (state === "idle" && due) begin();
  }

  function refresh(options = { atOnce: false }): Promise<readonly Service[]> {
    if (state === "stopped") return Promise.resolve(services);
    return new Promise((resolve) => {
      waiters.push(resolve);
      hurried ||= options.atOnce;
      schedule();
    });
  }

  return {
    services: () => services,
    waiting: () => waiting,
    scan: () => seen,
    failure: () => lastFailure,
    refresh,
    rename() {
      if (state !== "stopped") rename();
    },
    touch() {
      touched = true;
    },
    watch() {
      const watcher = {};
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    stillThere: ({ process }) => process === undefined || (source.alive?.(process) ?? true),
    async start() {
      if (state !== "stopped") cancelTicks ??= clock.every(tick, onTick);
      await refresh();
    },
    stop() {
      state = "stopped";
      cancelTicks?.();
      cancelDelay?.();
      cancelTicks = cancelDelay = undefined;
      release(scanning);
      release(waiters);
    },
  };
}
