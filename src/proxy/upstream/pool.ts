/** A service's endpoint into a connection to it: one that stands idle, or a new one. */
import { type CancelDial, dial } from "../../link/dial.ts";
import type { HandshakeVerdict } from "../../link/handshake-verdict.ts";
import { type Link, type LinkHandler, nobody } from "../../link/link.ts";
import type { Endpoint, Service } from "../../routes/service.ts";
import type { Clock } from "../../system/clock.ts";
import type { Peeked } from "../../system/socket-calls.ts";

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

/** Idle connections to one endpoint, longest idle first. Linked, because one leaves and comes back with every request. */
class IdleQueue {
  first: Upstream | undefined;
  last: Upstream | undefined;
  size = 0;
  /** The endpoint was caught sending bytes behind a complete answer: its connections serve one client only. */
  strays = false;
  /** The pool knows it. Where nothing is idle for a while it is forgotten, and known again with the next release. */
  listed = false;

  constructor(readonly key: string) {}

  add(upstream: Upstream): void {
    upstream.idle = true;
    upstream.previous = this.last;
    upstream.next = undefined;
    if (this.last === undefined) this.first = upstream;
    else this.last.next = upstream;
    this.last = upstream;
    this.size++;
  }

  remove(upstream: Upstream): void {
    if (!upstream.idle) return;
    upstream.idle = false;
    const { previous, next } = upstream;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    upstream.previous = undefined;
    upstream.next = undefined;
    this.size--;
  }
}

/** One connection to an endpoint. In an exchange it is the exchange's; while idle it handles its link itself: whatever happens ends it. */
export class Upstream implements LinkHandler {
  /** Answers it has given. */
  served = 0;
  /** Milliseconds since the Unix epoch. */
  idleSince = 0;
  idle = false;
  /**
   * It went from one request to the next of its client without the quarantine. A byte too many in between may have been
   * taken for an answer, and then every later answer is off by one: no other client may get such a one.
   */
  exclusive = false;
  previous: Upstream | undefined;
  next: Upstream | undefined;

  constructor(
    readonly link: Link,
    public queue: IdleQueue,
    /** Where it leads, of the endpoint's addresses, and whether inside TLS. */
    readonly way: { address: string; secured: boolean },
  ) {}

  get key(): string {
    return this.queue.key;
  }

  data(): void {
    this.queue.strays = true;
    this.queue.remove(this);
    this.link.abort();
  }

  drained(): void {
    // Nothing was refused while idle, so nothing waits to be written.
  }

  ended(): void {
    this.queue.remove(this);
    this.link.close();
  }

  closed(): void {
    this.queue.remove(this);
  }

  failed(): void {
    this.queue.remove(this);
  }
}

/** A failed attempt: which address was dialled last, and why not: the system's code, or what came of TLS. */
export type DialFailure = {
  address: string;
  code: string;
  handshake: Exclude<HandshakeVerdict, { kind: "secured" }> | undefined;
};

export type DialRequest = {
  endpoint: Endpoint;
  /** The pool's key for what comes of it. */
  key: string;
  /** Undefined: without TLS. */
  tls: { serverName: string } | undefined;
};

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
  dial(request: DialRequest, turn: DialTurn): CancelDial;
  /** Lets go of what was idle for too long; twice a second. */
  tick(): void;
  /** Closes what is idle. */
  stop(): void;
  readonly idleCount: number;
}

export type UpstreamPoolOptions = {
  clock: Clock;
  /** Whether something has come that no event has told of. */
  peek: (descriptor: number) => Peeked;
  /** Whether one of these users, we or root alone listen there; undefined: this system does not tell. */
  isOwn?:
    ((place: { address: string; port: number }, owners: readonly number[]) => boolean) | undefined;
};

/** The process is part of the key: another one on the same port is another server. */
export function upstreamKey(service: Service): string {
  const { endpoint, process } = service;
  return `${endpoint.address}|${endpoint.port}|${process.pid}|${process.startedAt}`;
}

/** The pool's key for connections inside TLS. */
export function securedKey(service: Service, serverName: string): string {
  return `${upstreamKey(service)}|${serverName}`;
}

export function upstreamPool({ clock, peek, isOwn }: UpstreamPoolOptions): UpstreamPool {
  const queues = new Map<string, IdleQueue>();

  const queueOf = (key: string): IdleQueue => {
    let queue = queues.get(key);
    if (queue === undefined) {
      queue = new IdleQueue(key);
      queue.listed = true;
      queues.set(key, queue);
    }
    return queue;
  };

  return {
    take(key, { own, safe }) {
      const now = clock.now();
      const oldest = now - (safe ? idleMilliseconds : unsafeIdleMilliseconds);
      if (own?.idle && own.key === key && own.idleSince >= oldest) {
        own.queue.remove(own);
        own.exclusive ||= own.idleSince > now - quarantineMilliseconds;
        return own;
      }
      const queue = queues.get(key);
      if (queue === undefined || queue.strays) return undefined;
      for (let upstream = queue.first; upstream !== undefined; upstream = upstream.next) {
        // Ascending in time: the first that is too young ends the search.
        if (upstream.idleSince > now - quarantineMilliseconds) return undefined;
        if (upstream.idleSince < oldest || upstream.exclusive) continue;
        // What has come since we last looked is told after this: it would answer the wrong client.
        if (peek(upstream.link.descriptor) === "spoke") {
          // Inside TLS that may be a session ticket, which is no answer: once it is read, the connection is as good as before.
          if (upstream.way.secured) continue;
          queue.remove(upstream);
          upstream.link.abort();
          return undefined;
        }
        queue.remove(upstream);
        return upstream;
      }
      return undefined;
    },

    release(upstream) {
      upstream.served++;
      if (!upstream.queue.listed) {
        const { strays } = upstream.queue;
        upstream.queue = queueOf(upstream.key);
        upstream.queue.strays ||= strays;
      }
      upstream.link.handler = upstream;
      if (upstream.queue.size >= idleLimit) {
        upstream.link.close();
        return;
      }
      upstream.idleSince = clock.now();
      upstream.link.resume();
      upstream.queue.add(upstream);
    },

    dial({ endpoint, key, tls }, turn) {
      let cancel: CancelDial = () => {};
      let cancelled = false;
      let cancelTimer: () => void = () => {};
      const attempt = (index: number): void => {
        const address = endpoint.dial[index]!;
        const failed = (code: string): void => {
          cancelTimer();
          if (cancelled) return;
          if (index + 1 < endpoint.dial.length) attempt(index + 1);
          else turn.failed({ address, code, handshake: undefined });
        };
        const { port, owners } = endpoint;
        if (owners !== undefined && isOwn?.({ address, port }, owners) === false) {
          // In a turn of its own, as every failure.
          cancelTimer = clock.after(0, () => failed("ECONNREFUSED"));
          return;
        }
        cancelTimer = clock.after(connectMilliseconds, () => {
          cancel();
          failed("ETIMEDOUT");
        });
        cancel = dial(
          { address, port: endpoint.port, tls },
          {
            connected(link) {
              cancelTimer();
              const upstream = new Upstream(link, queueOf(key), {
                address,
                secured: tls !== undefined,
              });
              link.handler = upstream;
              turn.connected(upstream);
            },
            failed,
            // The server was reached: at another address there may be another.
            unsecured(handshake) {
              cancelTimer();
              if (!cancelled) turn.failed({ address, code: "EPROTO", handshake });
            },
          },
          nobody,
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
      for (const queue of queues.values()) {
        // A server that once sent a byte too many stays known for it.
        if (queue.size === 0 && !queue.strays) {
          queue.listed = false;
          queues.delete(queue.key);
        }
        closeIdle(queue, oldest);
      }
    },

    stop() {
      for (const queue of queues.values()) closeIdle(queue, Number.POSITIVE_INFINITY);
    },

    get idleCount() {
      let count = 0;
      for (const queue of queues.values()) count += queue.size;
      return count;
    },
  };
}

/** Closes what has been idle since `until` or longer. */
function closeIdle(queue: IdleQueue, until: number): void {
  while (queue.first !== undefined && queue.first.idleSince <= until) {
    const upstream = queue.first;
    queue.remove(upstream);
    upstream.link.close();
  }
}
