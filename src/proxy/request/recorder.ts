/** Requests as they begin and end -> the last thousand of them, and counts for each service. */
import type { Asked } from "../../discovery/callers.ts";
import { printable } from "../../text/printable.ts";
import type { Denied, DenialReport } from "../../routes/denial.ts";
import type { RecordedRequest, Traffic, TrafficCounts } from "../../routes/traffic.ts";
import type { Clock } from "../../system/clock.ts";
import { latin1 } from "../../wire/bytes.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Denials } from "./denials.ts";

/** Limit on recorded requests. */
export const recordLimit = 1_000;
/** Octets of a target that are recorded. */
export const targetLimit = 2_048;
/** Characters of a method; the longest registered method has 17. */
const methodLimit = 32;
/** The number of requests that the median is taken over. */
const medianOver = 100;
const secondsShown = 60;
/**
 * Limit on counted services. Names come and go while a daemon runs for weeks; the service idle for longest is dropped.
 */
const serviceLimit = 1_000;

const SLASH = 47;
const QUERY = 63;
const ASTERISK = 42;
const AT_SIGN = 64;

/** The counts of one service. */
class Counter {
  requests = 0;
  errors = 0;
  active = 0;
  /** Requests that the guard refused, or let pass with `guard = "log"`. */
  denied = 0;
  /** A ring buffer with one element per second; `second` is the newest. */
  readonly perSecond = new Uint32Array(secondsShown);
  second = 0;
  readonly times = new Float64Array(medianOver);
  timed = 0;

  constructor(readonly service: string) {}

  /** Clears the seconds that passed without a request. */
  forward(second: number): void {
    const passed = second - this.second;
    if (passed <= 0) return;
    if (passed >= secondsShown) this.perSecond.fill(0);
    else for (let at = 1; at <= passed; at++) this.perSecond[(this.second + at) % secondsShown] = 0;
    this.second = second;
  }
}

/**
 * A request under way, and afterwards one of the last thousand. Entries are reused, so that no request allocates one.
 */
export class Entry {
  id = 0;
  time = 0;
  /** By the monotonic clock. `milliseconds` is the duration, set when the request ends. */
  started = 0;
  milliseconds = 0;
  method = "";
  secured = false;
  status = 0;
  received = 0;
  sent = 0;
  /** Its answer has no end, or would have none. */
  stream = false;
  /** The guard refused it, or would have. */
  denied = false;
  refused = false;
  counter: Counter | undefined;
  asked: Asked | undefined;
  target = new Uint8Array(64);
  targetLength = 0;
}

export type RecorderOptions = {
  clock: Clock;
  /** Milliseconds, with fractions, on a monotonic clock. */
  now(): number;
  /** Counts and tells what the guard has something against; undefined: nobody does. */
  denials?: Denials;
};

export class Recorder implements Traffic {
  #ring: Entry[] = [];
  #spare: Entry[] = [];
  #lastId = 0;
  /** The wall clock's time at which the monotonic clock read 0; updated once a second. */
  #epoch = 0;
  #compared = -Infinity;
  #counters = new Map<string, Counter>();
  readonly #denials: Denials | undefined;
  readonly #clock: Clock;
  readonly #now: () => number;

  constructor({ clock, now, denials }: RecorderOptions) {
    this.#denials = denials;
    this.#clock = clock;
    this.#now = now;
  }

  /** A head is complete. Only its method and target are read. */
  begin(head: RequestHead, bytes: Uint8Array, secured: boolean): Entry {
    const entry = this.#spare.pop() ?? new Entry();
    const started = this.#now();
    // Reading both clocks for each request would be a third of the cost of a record. Once a second is enough to notice
    // that the wall clock was set.
    if (started - this.#compared >= 1_000) {
      this.#compared = started;
      this.#epoch = this.#clock.wall() - started;
    }
    entry.time = this.#epoch + started;
    entry.started = started;
    entry.method = methodOf(head, bytes);
    entry.secured = secured;
    entry.status = 0;
    entry.received = 0;
    entry.sent = 0;
    entry.stream = false;
    entry.denied = false;
    entry.refused = false;
    entry.counter = undefined;
    entry.asked = undefined;
    noteTarget(entry, head, bytes);
    return entry;
  }

  /** The request goes to this service. A repeated call, after the request had to wait, changes nothing. */
  routed(entry: Entry, service: string): void {
    if (entry.counter?.service === service) return;
    if (entry.counter !== undefined) entry.counter.active--;
    const counter = this.#counterOf(service);
    entry.counter = counter;
    counter.requests++;
    counter.active++;
    const second = Math.floor(entry.started / 1_000);
    counter.forward(second);
    if (counter.second - second < secondsShown) counter.perSecond[second % secondsShown]!++;
  }

  /**
   * The guard has something against the request. One that it refuses does not count as the service's: its time is
   * ours, and it keeps no service awake. A repeated call, after the request had to wait, changes nothing.
   */
  denied(entry: Entry, denied: Denied): void {
    if (entry.denied && !denied.refused) return;
    const counter = this.#counterOf(denied.name);
    counter.denied++;
    entry.denied = true;
    this.#denials?.add(denied);
    if (!denied.refused || entry.counter !== undefined) return;
    entry.refused = true;
    counter.active++;
    entry.counter = counter;
  }

  /**
   * The request is over; `status`, `received`, `sent` and `stream` are set. `broken`: its answer was incomplete, as a
   * stream's always is.
   */
  end(entry: Entry, broken: boolean): void {
    if (entry.counter === undefined) this.routed(entry, "");
    const counter = entry.counter!;
    entry.milliseconds = this.#now() - entry.started;
    counter.active--;
    if ((broken && !entry.stream) || entry.status >= 500) counter.errors++;
    if (!entry.stream && !entry.refused) {
      counter.times[counter.timed++ % medianOver] = entry.milliseconds;
    }
    const place = this.#lastId % recordLimit;
    entry.id = ++this.#lastId;
    const oldest = this.#ring[place];
    if (oldest !== undefined && this.#spare.length < 64) this.#spare.push(oldest);
    this.#ring[place] = entry;
  }

  /** A request that was routed nowhere is left out of the record. */
  forget(entry: Entry): void {
    if (this.#spare.length < 64) this.#spare.push(entry);
  }

  recent({ service, limit }: { service?: string; limit: number }): readonly RecordedRequest[] {
    const found: RecordedRequest[] = [];
    const count = this.#ring.length;
    for (let back = 1; back <= count && found.length < limit; back++) {
      const entry = this.#ring[(this.#lastId - back) % recordLimit]!;
      if (service === undefined || entry.counter!.service === service) found.push(shown(entry));
    }
    return found;
  }

  counts(service: string): TrafficCounts {
    const counter = this.#counters.get(service);
    const now = Math.floor(this.#now() / 1_000);
    counter?.forward(now);
    const perSecond = Array.from({ length: secondsShown }, (_, at) =>
      counter === undefined ? 0 : counter.perSecond[(now + 1 + at) % secondsShown]!,
    );
    return {
      requests: counter?.requests ?? 0,
      errors: counter?.errors ?? 0,
      active: counter?.active ?? 0,
      denied: counter?.denied ?? 0,
      medianMilliseconds: counter === undefined ? null : medianOf(counter),
      perSecond,
    };
  }

  denials(service: string): readonly DenialReport[] {
    return this.#denials?.of(service) ?? [];
  }

  #counterOf(service: string): Counter {
    let counter = this.#counters.get(service);
    if (counter !== undefined) return counter;
    if (this.#counters.size >= serviceLimit) this.#forgetOne();
    counter = new Counter(service);
    counter.second = Math.floor(this.#now() / 1_000);
    this.#counters.set(service, counter);
    return counter;
  }

  #forgetOne(): void {
    let quietest: Counter | undefined;
    for (const counter of this.#counters.values()) {
      if (counter.active === 0 && counter.second < (quietest?.second ?? Infinity)) {
        quietest = counter;
      }
    }
    if (quietest !== undefined) this.#counters.delete(quietest.service);
  }
}

function medianOf(counter: Counter): number | null {
  const times = counter.times.slice(0, Math.min(counter.timed, medianOver)).sort();
  const middle = times.length >> 1;
  if (times.length === 0) return null;
  return times.length % 2 === 1 ? times[middle]! : (times[middle - 1]! + times[middle]!) / 2;
}

function shown(entry: Entry): RecordedRequest {
  return {
    id: entry.id,
    time: Math.round(entry.time),
    service: entry.counter!.service,
    method: entry.method,
    target: printable(latin1(entry.target, 0, entry.targetLength), targetLimit).slice(
      0,
      targetLimit,
    ),
    scheme: entry.secured ? "https" : "http",
    status: entry.status,
    milliseconds: Math.round(entry.milliseconds * 1_000) / 1_000,
    received: entry.received,
    sent: entry.sent,
    stream: entry.stream,
    denied: entry.refused ? "refused" : entry.denied ? "passed" : null,
    caller: entry.asked?.caller,
  };
}

/**
 * Recognises the usual methods by first letter and length, then confirms each byte, so that no string is made for them.
 */
function methodOf(head: RequestHead, bytes: Uint8Array): string {
  const start = head.start;
  const length = head.methodEnd - start;
  const guess = length === 3 ? (bytes[start] === 71 ? "GET" : "PUT") : length === 4 ? "POST" : "";
  for (let at = 0; ; at++) {
    if (at === length && guess.length === length) return guess;
    if (at >= guess.length || bytes[start + at] !== guess.charCodeAt(at)) break;
  }
  return latin1(bytes, start, Math.min(head.methodEnd, start + methodLimit));
}

/**
 * Records path and query. Scheme and authority of an absolute URL are left out, and so is the userinfo of `name:port`.
 */
function noteTarget(entry: Entry, head: RequestHead, bytes: Uint8Array): void {
  let from = head.targetStart;
  const end = head.targetEnd;
  if (bytes[from] !== SLASH && bytes[from] !== ASTERISK) from = behindAuthority(bytes, from, end);
  const to = Math.min(end, from + targetLimit);
  const length = to - from;
  if (length > entry.target.length) {
    entry.target = new Uint8Array(length <= 256 ? 256 : targetLimit);
  }
  const { target } = entry;
  for (let at = 0; at < length; at++) target[at] = bytes[from + at]!;
  entry.targetLength = length;
}

function behindAuthority(bytes: Uint8Array, from: number, end: number): number {
  let slashes = 0;
  let at = from;
  for (; at < end && slashes < 3 && bytes[at] !== QUERY; at++) if (bytes[at] === SLASH) slashes++;
  if (slashes === 3) return at - 1;
  if (slashes === 2) return at;
  for (at = end; at > from && bytes[at - 1] !== AT_SIGN; at--);
  return at;
}
