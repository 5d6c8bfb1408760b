/** A source and a clock -> the services of this moment, scanned while somebody wants to know. */
import type { Service } from "../routes/service.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { groupServices } from "./group.ts";
import type { Scan, Skipped, Source } from "./observation.ts";

/** What a scan changed, for a line of log each. */
export type Changes = {
  appeared: readonly Service[];
  /** Another process, address, or set of warnings under the same name: as it is now. */
  changed: readonly Service[];
  gone: readonly Service[];
};

export type ScannerOptions = {
  source: Source;
  clock: Clock;
  /** As `os.hostname()` has it. */
  hostName: string;
  /** Inside the Windows Subsystem for Linux. */
  wsl: boolean;
  ownPid: number;
  /** Of the user whose servers have their names before anybody else's. */
  uid: number;
  /** Rescans although nobody calls `touch`. */
  watched?: boolean;
  /** After every scan that worked, also when nothing changed. */
  onServices: (services: readonly Service[], changes: Changes) => void;
  /** Once for each thing that could not be read, until it could be for a scan. */
  onSkipped?: (skipped: Skipped) => void;
  /** A scan failed and the services stay as they were; once, until one works or fails otherwise. */
  onFailure?: (error: Error) => void;
};

export interface Scanner {
  services(): readonly Service[];
  /** What the last scan that worked saw. */
  scan(): Scan;
  /** Why the last scan did not work; undefined where it did. */
  failure(): Error | undefined;
  /**
   * The services as a scan sees them that starts after this call. `atOnce`: for one of our own commands, which does not
   * come a thousand times a second. Never rejects.
   */
  refresh(options?: { atOnce: boolean }): Promise<readonly Service[]>;
  /** Says that the proxy is being used. Costs a store. */
  touch(): void;
  /** Somebody looks on: a scan every second, until it is cancelled. Twice is harmless. */
  watch(): Cancel;
  /** Whether the process that a service was found with still runs. */
  stillThere(service: Service): boolean;
  /** Does the first scan. */
  start(): Promise<void>;
  /** Leaves no timer; whoever waits gets what is known. */
  stop(): void;
}

/** Milliseconds between looks at whether a scan is due. */
const tick = 1000;

/** Ticks: the services are at most this old while the proxy is used, and it counts as used this long. */
const period = 5;

/**
 * A scan that a caller asks for starts this much later than the last one ended: ten times its
 * length, so that names nobody has cannot keep the processor more than a tenth busy, within
 * these bounds in milliseconds.
 */
const spacing = { factor: 10, least: 100, most: 1000 };

type Waiter = (services: readonly Service[]) => void;

/** A routable name is there once; the other rows are told apart by their process. */
function keyOf(service: Service): string {
  return service.routable ? service.name : `${service.name} ${service.process.pid}`;
}

function holdersOf(services: readonly Service[], uid: number): Map<string, number> {
  return new Map(
    services.filter((its) => its.routable).map(({ name, user = uid }) => [name, user]),
  );
}

function isSame(a: Service, b: Service): boolean {
  return (
    a.process.pid === b.process.pid &&
    a.process.startedAt === b.process.startedAt &&
    a.endpoint.address === b.endpoint.address &&
    a.endpoint.port === b.endpoint.port &&
    a.endpoint.dial.join() === b.endpoint.dial.join() &&
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
  };
}

export function scanner(options: ScannerOptions): Scanner {
  const { source, clock, watched = false, onServices, onSkipped, onFailure } = options;
  let services: readonly Service[] = [];
  let seen: Scan = { observations: [], processes: new Map(), skipped: [] };
  let state: "idle" | "scanning" | "stopped" = "idle";
  let waiters: Waiter[] = [];
  /** One of them wants it at once. */
  let hurried = false;
  let scanning: Waiter[] = [];
  let touched = false;
  const watchers = new Set<object>();
  /** Ticks since the last touch, and since the last scan ended. */
  let quiet = period;
  let age = period;
  let last: { ended: number; duration: number } | undefined;
  let cancelTicks: Cancel | undefined;
  let cancelDelay: Cancel | undefined;
  let told = new Set<string>();
  let lastFailure: Error | undefined;

  function tellSkipped(skipped: readonly Skipped[]): void {
    const before = told;
    told = new Set();
    for (const entry of skipped) {
      const key = `${entry.pid} ${entry.why}`;
      if (!before.has(key) && !told.has(key)) onSkipped?.(entry);
      told.add(key);
    }
  }

  async function look(): Promise<void> {
    try {
      const scan = await source.scan();
      if (state === "stopped") return;
      const found = groupServices(scan, { ...options, holders: holdersOf(services, options.uid) });
      const changes = changesBetween(services, found);
      services = found;
      seen = scan;
      lastFailure = undefined;
      tellSkipped(scan.skipped);
      onServices(found, changes);
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
      last = { ended, duration: Math.max(0, ended - started) };
      age = 0;
      state = "idle";
      release(scanning);
      schedule();
    });
  }

  function release(waiting: Waiter[]): void {
    for (const resolve of waiting.splice(0)) resolve(services);
  }

  /** Begins the scan that somebody waits for, as soon as it may begin. */
  function schedule(): void {
    if (state !== "idle" || waiters.length === 0) return;
    if (cancelDelay !== undefined && !hurried) return;
    const wait = last === undefined || hurried ? 0 : delayAfter(last);
    if (wait === 0) begin();
    else cancelDelay = clock.after(wait, begin);
  }

  function delayAfter({ ended, duration }: { ended: number; duration: number }): number {
    const pause = Math.min(Math.max(duration * spacing.factor, spacing.least), spacing.most);
    // A clock that was set back must not make anybody wait for it to catch up.
    const since = Math.max(0, clock.now() - ended);
    return Math.max(0, pause - since);
  }

  /** Counts ticks rather than reading the clock, which may be set. */
  function onTick(): void {
    quiet = touched ? 0 : quiet + 1;
    touched = false;
    age++;
    const due = watchers.size > 0 || (age >= period && (watched || quiet < period));
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
    scan: () => seen,
    failure: () => lastFailure,
    refresh,
    touch() {
      touched = true;
    },
    watch() {
      const watcher = {};
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    stillThere: (service) => source.alive?.(service.process) ?? true,
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
