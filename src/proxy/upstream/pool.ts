/** A service's endpoint -> a connection to it: an idle one, or a new one. */
import type { CancelDial } from "../../link/dial.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Service } from "../../routes/service.ts";
import type { Clock } from "../../system/clock.ts";
import { type DescriptorRoom, unlimited } from "../../system/descriptor-room.ts";
import type { Knocks } from "../../system/knock.ts";
import type { Peeked } from "../../system/socket-calls.ts";
import type { RequestStream } from "../streams/request-stream.ts";
import {
  type DialFailure,
  type DialRequest,
  type DialsShared,
  type DialTurn as DialTurnOf,
  EndpointDials,
} from "./dials.ts";

/**
 * Idle connections kept for one endpoint: the number that 40,000 connections per second, with one request each, need
 * because of the quarantine below.
 */
const idleLimit = 512;

/** Node's servers close an idle connection after 5 s; we close it before that. */
export const idleMilliseconds = 4_000;

/** A request that must not be sent twice uses no connection that was idle for longer: gunicorn closes after 2 s. */
const unsafeIdleMilliseconds = 1_000;

/**
 * Another client gets a connection only after it was silent for this long, so that a surplus byte behind a complete
 * answer is noticed before it could answer another client's request.
 */
const quarantineMilliseconds = 10;

/**
 * Idle connections to one endpoint, the longest idle first. A linked list, because every request removes one and
 * returns it.
 */
export class IdleQueue {
  first: Upstream | undefined;
  last: Upstream | undefined;
  size = 0;
  /** The endpoint has sent bytes behind a complete answer, so each of its connections serves one client only. */
  strays = false;
  /** The endpoint has kept a connection open behind an answer. */
  keeps = false;
  /** The queue is in the pool's map. A queue that stays empty is removed, and added again with the next release. */
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

/** The client to whom a connection belongs alone: `login-connection.ts`. */
export interface UpstreamOwner {
  /** Takes the connection back after a complete exchange. */
  release(upstream: Upstream): void;
  /** The connection is used no more, or for something else. */
  left(upstream: Upstream): void;
}

/**
 * Which of the endpoint's addresses was dialled, whether the connection uses TLS, and the application protocol: the one
 * that was negotiated inside TLS, or `h2` for a stream; undefined: none was negotiated.
 */
export type DialledWay = { address: string; secured: boolean; protocol?: string | undefined };

/**
 * One connection to an endpoint. During an exchange, the exchange handles its link. While idle, this object does, and
 * any event ends the connection.
 */
export class Upstream implements LinkHandler {
  /** The number of answers received on it. */
  served = 0;
  /** Milliseconds since the Unix epoch. */
  idleSince = 0;
  idle = false;
  /**
   * The connection went from one request to the next of its client without the quarantine. A surplus byte in between
   * may have been mistaken for an answer, and then every later answer is off by one: no other client may get this
   * connection.
   */
  exclusive = false;
  /** The connection was idle once, so that its server may have closed it before we hear so. */
  rested = false;
  /** Undefined: any client may use the connection. */
  owner: UpstreamOwner | undefined;
  /** The owner has a login on it, as far as we can tell. */
  hasLogin = false;
  /** The owner has taken it back at least once: a client may count on what it remembers. */
  kept = false;
  previous: Upstream | undefined;
  next: Upstream | undefined;
  /** The link is a stream of HTTP/2, for one request. */
  stream: RequestStream | undefined;

  constructor(
    readonly link: Link,
    public queue: IdleQueue,
    readonly way: DialledWay,
    /** Told when the connection ends, or comes back. */
    readonly dials: Pick<EndpointDials<Upstream>, "freed" | "answered">,
  ) {}

  get key(): string {
    return this.queue.key;
  }

  /** A client counts on a login that ends with this connection. */
  get isCountedOn(): boolean {
    return this.hasLogin && this.kept;
  }

  /** Ends the connection after everything that was written. */
  close(): void {
    this.owner?.left(this);
    this.link.close();
  }

  /** Ends the connection at once. */
  abort(): void {
    this.owner?.left(this);
    this.link.abort();
  }

  data(): void {
    this.queue.strays = true;
    this.queue.remove(this);
    this.link.abort();
  }

  drained(): void {
    // All bytes were written before the connection became idle, so nothing waits.
  }

  ended(): void {
    this.queue.remove(this);
    this.link.close();
  }

  closed(): void {
    this.queue.remove(this);
    this.dials.freed();
  }

  failed(): void {
    this.queue.remove(this);
  }
}

export type { DialFailure, DialRequest };
export type DialTurn = DialTurnOf<Upstream>;

export interface UpstreamPool {
  /**
   * Takes an idle connection with this key, if there is one. `own`: the connection that this client used last, if it is
   * still open.
   */
  take(key: string, want: { own: Upstream | undefined; safe: boolean }): Upstream | undefined;
  /** Returns a connection after a complete exchange. */
  release(upstream: Upstream): void;
  /**
   * Opens a new connection, trying the endpoint's addresses in order, or finds one that has become idle meanwhile. The
   * link's handler must be set in `connected`.
   */
  dial(request: DialRequest, turn: DialTurn): CancelDial;
  /** Closes connections that were idle for too long. Called twice a second. */
  tick(): void;
  /** Closes all idle connections. */
  stop(): void;
  readonly idleCount: number;
}

export type UpstreamPoolOptions = Pick<DialsShared<Upstream>, "listenersAt"> & {
  clock: Clock;
  /** Whether bytes have arrived that no event has reported yet. */
  peek: (descriptor: number) => Peeked;
  /** Undefined: this system cannot tell whether a server has room for a connection. */
  knocks?: Knocks | undefined;
  /** Whether somebody listens at the path of a unix socket; undefined: this system cannot tell. */
  listensAt?: ((path: string) => boolean | undefined) | undefined;
  /** Room for our descriptors; unlimited unless said otherwise. */
  room?: DescriptorRoom;
  /** Whether only these users, our own or root listen there; undefined: this system cannot tell. */
  isOwn?:
    ((place: { address: string; port: number }, owners: readonly number[]) => boolean) | undefined;
};

/** Process and sockets are part of the key: others on the same port are another server, or the same one anew. */
export function upstreamKey(service: Service): string {
  const { endpoint, process, startedAt } = service;
  const began = process?.startedAt ?? startedAt;
  const place = `${endpoint.address}|${endpoint.port}|${endpoint.dial}|${endpoint.sockets}`;
  return `${place}|${process?.pid}|${began}`;
}

/** The pool's key for streams of HTTP/2, on connections that would have the given key. */
export function h2Key(key: string): string {
  return `${key}|h2`;
}

/** The pool's key for connections inside TLS. */
export function securedKey(service: Service, serverName: string): string {
  return `${upstreamKey(service)}|${serverName}`;
}

export function upstreamPool(options: UpstreamPoolOptions): UpstreamPool {
  const { clock, peek, knocks, room = unlimited, isOwn, listenersAt, listensAt } = options;
  const queues = new Map<string, IdleQueue>();
  const endpoints = new Map<string, EndpointDials<Upstream>>();
  /** Nobody would end a connection that rests. */
  let stopped = false;

  const queueOf = (key: string): IdleQueue => {
    let queue = queues.get(key);
    if (queue === undefined) {
      queue = new IdleQueue(key);
      queue.listed = true;
      queues.set(key, queue);
    }
    return queue;
  };

  const take: UpstreamPool["take"] = (key, { own, safe }) => {
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
      // The list is in ascending order of time, so the first connection that is too young ends the search.
      if (upstream.idleSince > now - quarantineMilliseconds) return undefined;
      if (upstream.idleSince < oldest || upstream.exclusive) continue;
      // Bytes that have arrived by now would be reported only later, and would answer the wrong client.
      if (peek(upstream.link.descriptor) === "spoke") {
        // Inside TLS, these may be a session ticket, which is not an answer. Once the ticket is read, the connection
        // can be used.
        if (upstream.way.secured) continue;
        queue.remove(upstream);
        upstream.link.abort();
        return undefined;
      }
      queue.remove(upstream);
      return upstream;
    }
    return undefined;
  };

  /** Keeps a connection on which nothing is under way. */
  const rest = (upstream: Upstream, now: number): void => {
    if (!upstream.queue.listed) {
      const { strays } = upstream.queue;
      upstream.queue = queueOf(upstream.key);
      upstream.queue.strays ||= strays;
    }
    upstream.link.handler = upstream;
    if (stopped || upstream.queue.size >= idleLimit) {
      upstream.link.close();
      return;
    }
    upstream.rested = true;
    upstream.idleSince = now;
    upstream.link.resume();
    upstream.queue.add(upstream);
  };

  const shared: DialsShared<Upstream> = {
    clock,
    knocks,
    room,
    isOwn,
    listenersAt,
    listensAt,
    take: (key) => take(key, { own: undefined, safe: false }),
    made(link, { key, tls }, { address, protocol, dials }) {
      const way = { address, secured: tls !== undefined, protocol };
      const upstream = new Upstream(link, queueOf(key), way, dials);
      link.handler = upstream;
      return upstream;
    },
    spare(upstream) {
      // A server that answers one connection at a time would wait for this one. It closes others behind its answer.
      if (upstream.queue.keeps) rest(upstream, clock.now());
      else upstream.link.close();
    },
  };

  return {
    take,

    release(upstream) {
      if (upstream.owner !== undefined) {
        upstream.owner.release(upstream);
        return;
      }
      const now = clock.now();
      upstream.served++;
      rest(upstream, now);
      upstream.queue.keeps = true;
      upstream.dials.answered(now);
    },

    dial(request, turn) {
      const { address, port } = request.endpoint;
      const place = `${address}|${port}`;
      let dials = endpoints.get(place);
      if (dials === undefined) {
        dials = new EndpointDials<Upstream>(shared);
        endpoints.set(place, dials);
      }
      return dials.dial(request, turn);
    },

    tick() {
      const oldest = clock.now() - idleMilliseconds;
      for (const queue of queues.values()) {
        // A server that once sent a surplus byte is remembered for it.
        if (queue.size === 0 && !queue.strays) {
          queue.listed = false;
          queues.delete(queue.key);
        }
        closeIdle(queue, oldest);
      }
      for (const [place, dials] of endpoints) {
        dials.tick();
        if (dials.isIdle) endpoints.delete(place);
      }
    },

    stop() {
      stopped = true;
      for (const dials of endpoints.values()) dials.stop();
      for (const queue of queues.values()) closeIdle(queue, Number.POSITIVE_INFINITY);
    },

    get idleCount() {
      let count = 0;
      for (const queue of queues.values()) count += queue.size;
      return count;
    },
  };
}

/** Closes the connections that have been idle since `until` or longer. */
function closeIdle(queue: IdleQueue, until: number): void {
  while (queue.first !== undefined && queue.first.idleSince <= until) {
    const upstream = queue.first;
    queue.remove(upstream);
    upstream.link.close();
  }
}
