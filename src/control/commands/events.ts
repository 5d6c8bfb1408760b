/** News of the daemon -> numbered events for any number of followers; one that was away gets what it missed. */
import type { RecordedRequest, TrafficCounts } from "../../routes/traffic.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { DaemonEvent, Happenings, LogEntry } from "./daemon-report.ts";

export type FeedOptions = {
  clock: Clock;
  /** The launch's id. */
  launch: string;
  counts(service: string): TrafficCounts;
};

export interface Feed {
  publish<Type extends keyof Happenings>(event: Type, data: Happenings[Type]): void;
  /** A request that was served: an event of its own, or only counted if there are too many. */
  request(served: RecordedRequest): void;
  /** These services had more requests than there are events for. */
  busy(services: readonly string[]): void;
  /** A line of the daemon's own log. */
  log(message: string, stream?: LogEntry["stream"]): void;
  /** The newest lines, the oldest first. */
  lines(): readonly LogEntry[];
  /** The id that the next follower has seen everything up to. */
  readonly position: string;
  /** The events after `id`; undefined where that id is forgotten or unknown. */
  since(id: string): readonly DaemonEvent[] | undefined;
  /** Calls `listener` with every event from now on. */
  follow(listener: (event: DaemonEvent) => void): Cancel;
  /** Leaves no timer. */
  stop(): void;
}

/** Events that are kept for followers that come back. */
const remembered = 1000;
/** Lines of log that are kept. */
const rememberedLines = 1000;
/** Requests per second that get an event each: a page draws no more, and the proxy serves thousands. */
const mostRequests = 50;

const second = 1000;

export function feed({ clock, launch, counts }: FeedOptions): Feed {
  const suffix = launch.replace(/[^A-Za-z0-9]/g, "").slice(0, 8);
  const listeners = new Set<(event: DaemonEvent) => void>();
  const past: DaemonEvent[] = [];
  const lines: LogEntry[] = [];
  let count = 0;
  let told = 0;
  const untold = new Set<string>();
  let cancelSecond: Cancel | undefined;

  const idOf = (number: number): string => `${number}-${suffix}`;

  function publish(event: DaemonEvent["event"], data: unknown): void {
    count += 1;
    const happened: DaemonEvent = { id: idOf(count), event, data };
    past.push(happened);
    if (past.length > remembered) past.shift();
    for (const listener of [...listeners]) listener(happened);
  }

  /** Runs once a second from the first request until a second passes without any. */
  function endSecond(): void {
    cancelSecond = undefined;
    const wasBusy = told > 0;
    told = 0;
    for (const service of untold) publish("requests", { service, counts: counts(service) });
    untold.clear();
    if (wasBusy) cancelSecond = clock.after(second, endSecond);
  }

  return {
    publish,
    request(served) {
      cancelSecond ??= clock.after(second, endSecond);
      told += 1;
      if (told <= mostRequests) publish("request", served);
      else if (served.service !== "") untold.add(served.service);
    },
    busy(services) {
      cancelSecond ??= clock.after(second, endSecond);
      for (const service of services) untold.add(service);
    },
    log(message, stream = "stdout") {
      const entry: LogEntry = { time: clock.wall(), service: "localhostess", stream, message };
      lines.push(entry);
      if (lines.length > rememberedLines) lines.shift();
      publish("log", entry);
    },
    lines: () => lines,
    get position() {
      return idOf(count);
    },
    since(id) {
      const [, digits, launched] = id.match(/^(\d{1,15})-([A-Za-z0-9]+)$/) ?? [];
      if (digits === undefined || launched !== suffix) return undefined;
      const seen = Number(digits);
      const oldest = count - past.length;
      if (seen > count || seen < oldest) return undefined;
      return past.slice(seen - oldest);
    },
    follow(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop() {
      cancelSecond?.();
      cancelSecond = undefined;
      untold.clear();
    },
  };
}

/** The first events for a follower: the ones it missed, or else a snapshot of everything. */
export function beginning(
  { since, position }: Pick<Feed, "since" | "position">,
  { lastId, snapshot }: { lastId: string | undefined; snapshot: () => unknown },
): readonly DaemonEvent[] {
  const missed = lastId === undefined ? undefined : since(lastId);
  if (missed !== undefined) return missed;
  return [{ id: position, event: lastId === undefined ? "hello" : "reset", data: snapshot() }];
}
