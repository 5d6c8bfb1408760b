/** A service's endpoint into a connection to it: one that stands idle, or a new one. */
import { type CancelDial, dial } from "../link/dial.ts";
import type { Link, LinkHandler } from "../link/link.ts";
import type { Endpoint, Service } from "../routes/service.ts";
import type { Clock } from "../system/clock.ts";

/** Idle connections kept for one endpoint: what 40,000 connections a second with one request each need in the quarantine below. */
const idleLimit = 512;

/** Node's servers close an idle connection after 5 s; we let go of it first. */
const idleMilliseconds = 4_000;

/** A request that must not be sent twice takes no connection idle for longer: gunicorn closes after 2 s. */
const unsafeIdleMilliseconds = 1_000;

/**
 * Another client gets a connection only after it was silent for this long, so that a byte too many,
 * sent behind a complete answer, is seen before it could answer somebody else.
 */
const quarantineMilliseconds = 10;

/** RFC 9110 has no number; nginx waits 60 s, far too long for a server on the same machine. */
export const connectMilliseconds = 5_000;

/** What becomes of an idle connection on which something happens. */
type IdleOwner = { disturbed(upstream: Upstream, spoke: boolean): void };

/** One connection to an endpoint. While idle its pool handles it, else the exchange that uses it. */
export class Upstream implements LinkHandler {
  /** Answers it has given. */
  served = 0;
  /** Milliseconds since the Unix epoch. */
  idleSince = 0;
  idle = false;

  constructor(
    readonly link: Link,
    readonly key: string,
    readonly pool: IdleOwner,
  ) {}

  data(): void {
    this.pool.disturbed(this, true);
    this.link.abort();
  }

  drained(): void {
    // Nothing was refused while idle, so nothing waits to be written.
  }

  ended(): void {
    this.pool.disturbed(this, false);
    this.link.close();
  }

  closed(): void {
    this.pool.disturbed(this, false);
  }

  failed(): void {
    this.pool.disturbed(this, false);
  }
}

/** A failed attempt: which address was dialled last, and the system's code for why not. */
export type DialFailure = { address: string; code: string };

export type DialTurn = {
  connected(upstream: Upstream): void;
  failed(failure: DialFailure): void;
};

export interface UpstreamPool {
  /** An idle connection with this key, or undefined. `own`: the one this client used last, if it still stands. */
  take(key: string, want: { own: Upstream | undefined; safe: boolean }): Upstream | undefined;
  /** Gives a connection back after a complete exchange. */
  release(upstream: Upstream): void;
  /** Connects anew, trying the endpoint's addresses in order. The link's handler must be set in `connected`. */
  dial(endpoint: Endpoint, key: string, turn: DialTurn): CancelDial;
  /** Lets go of what was idle for too long; once a second. */
  tick(): void;
  /** Closes what is idle. */
  stop(): void;
  readonly idleCount: number;
}

/** The process is part of the key: another one on the same port is another server. */
export function upstreamKey(service: Service): string {
  const { endpoint, process } = service;
  return `${endpoint.address}|${endpoint.port}|${process.pid}|${process.startedAt}`;
}

export function upstreamPool(clock: Clock): UpstreamPool {
  /** By endpoint, longest idle first. */
  const idle = new Map<string, Set<Upstream>>();
  /** Endpoints that were caught sending bytes behind a complete answer: their connections serve one client only. */
  const strays = new Set<string>();

  const remove = (upstream: Upstream): void => {
    upstream.idle = false;
    const set = idle.get(upstream.key);
    set?.delete(upstream);
    if (set?.size === 0) idle.delete(upstream.key);
  };

  const owner: IdleOwner = {
    disturbed(upstream, spoke) {
      if (spoke) strays.add(upstream.key);
      remove(upstream);
    },
  };

  return {
    take(key, { own, safe }) {
      const now = clock.now();
      const oldest = now - (safe ? idleMilliseconds : unsafeIdleMilliseconds);
      if (own?.idle && own.key === key && own.idleSince >= oldest) {
        remove(own);
        return own;
      }
      const set = idle.get(key);
      if (set === undefined || strays.has(key)) return undefined;
      for (const upstream of set) {
        // Ascending in time: the first that is too young ends the search.
        if (upstream.idleSince > now - quarantineMilliseconds) return undefined;
        if (upstream.idleSince < oldest) continue;
        remove(upstream);
        return upstream;
      }
      return undefined;
    },

    release(upstream) {
      upstream.served++;
      let set = idle.get(upstream.key);
      if (set === undefined) {
        set = new Set();
        idle.set(upstream.key, set);
      }
      if (set.size >= idleLimit) {
        upstream.link.handler = upstream;
        upstream.link.close();
        return;
      }
      upstream.idle = true;
      upstream.idleSince = clock.now();
      upstream.link.handler = upstream;
      upstream.link.resume();
      set.add(upstream);
    },

    dial(endpoint, key, turn) {
      let cancel: CancelDial = () => {};
      let cancelled = false;
      let cancelTimer: () => void = () => {};
      const attempt = (index: number): void => {
        const address = endpoint.dial[index]!;
        const failed = (code: string): void => {
          cancelTimer();
          if (cancelled) return;
          if (index + 1 < endpoint.dial.length) attempt(index + 1);
          else turn.failed({ address, code });
        };
        cancelTimer = clock.after(connectMilliseconds, () => {
          cancel();
          failed("ETIMEDOUT");
        });
        cancel = dial(
          { address, port: endpoint.port },
          {
            connected(link) {
              cancelTimer();
              const upstream = new Upstream(link, key, owner);
              link.handler = upstream;
              turn.connected(upstream);
            },
            failed,
          },
          orphan,
        );
      };
      attempt(0);
      return () => {
        cancelled = true;
        cancelTimer();
        cancel();
      };
    },

    tick() {
      const oldest = clock.now() - idleMilliseconds;
      for (const set of [...idle.values()]) {
        for (const upstream of set) {
          if (upstream.idleSince > oldest) break;
          remove(upstream);
          upstream.link.close();
        }
      }
    },

    stop() {
      for (const set of [...idle.values()]) {
        for (const upstream of [...set]) {
          remove(upstream);
          upstream.link.close();
        }
      }
    },

    get idleCount() {
      let count = 0;
      for (const set of idle.values()) count += set.size;
      return count;
    },
  };
}

/** Holds a link's events until `connected` has named its owner, in the same turn. */
const orphan: LinkHandler = {
  data() {},
  drained() {},
  ended() {},
  closed() {},
  failed() {},
};
