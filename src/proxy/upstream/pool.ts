/** A service's endpoint -> a connection to it: an idle one, or a new one. */
import { type CancelDial, dial } from "../../link/dial.ts";
import type { HandshakeVerdict } from "../../link/handshake-verdict.ts";
import { type Link, type LinkHandler, nobody } from "../../link/link.ts";
import type { Endpoint, Service } from "../../routes/service.ts";
import type { Clock } from "../../system/clock.ts";
import type { Peeked } from "../../system/socket-calls.ts";
import type { RequestStream } from "../streams/request-stream.ts";
import type { Evidence } from "./evidence.ts";

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

/** RFC 9110 has no number; nginx waits 60 s, which is far too long for a server on the same machine. */
export const connectMilliseconds = 5_000;

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
  }

  failed(): void {
    this.queue.remove(this);
  }
}

/**
 * A failed attempt: the address that was dialled last, and the reason: the system's error code, or the result of the
 * TLS handshake.
 */
export type DialFailure = {
  address: string;
  code: string;
  handshake: Exclude<HandshakeVerdict, { kind: "secured" }> | undefined;
  /** The attempt has shown this about the process, so that another way may still lead to an answer. */
  shown?: Evidence | undefined;
};

export type DialRequest = {
  endpoint: Endpoint;
  /** The pool's key for the new connection. */
  key: string;
  /** Undefined: without TLS. */
  tls: { serverName: string; protocols?: readonly string[] } | undefined;
  /** A stream of HTTP/2, on a connection that many share. */
  h2?: boolean;
};

export type DialTurn = {
  connected(upstream: Upstream): void;
  failed(failure: DialFailure): void;
};

export interface UpstreamPool {
  /**
   * Takes an idle connection with this key, if there is one. `own`: the connection that this client used last, if it is
   * still open.
   */
  take(key: string, want: { own: Upstream | undefined; safe: boolean }): Upstream | undefined;
  /** Returns a connection after a complete exchange. */
  release(upstream: Upstream): void;
  /**
   * Opens a new connection, trying the endpoint's addresses in order. The link's handler must be set in `connected`.
   */
  dial(request: DialRequest, turn: DialTurn): CancelDial;
  /** Closes connections that were idle for too long. Called twice a second. */
  tick(): void;
  /** Closes all idle connections. */
  stop(): void;
  readonly idleCount: number;
}

export type UpstreamPoolOptions = {
  clock: Clock;
  /** Whether bytes have arrived that no event has reported yet. */
  peek: (descriptor: number) => Peeked;
  /** Whether only these users, our own or root listen there; undefined: this system cannot tell. */
  isOwn?:
    ((place: { address: string; port: number }, owners: readonly number[]) => boolean) | undefined;
};

/** The process is part of the key: another process on the same port is another server. */
export function upstreamKey(service: Service): string {
  const { endpoint, process } = service;
  return `${endpoint.address}|${endpoint.port}|${process.pid}|${process.startedAt}`;
}

/** The pool's key for streams of HTTP/2, on connections that would have the given key. */
export function h2Key(key: string): string {
  return `${key}|h2`;
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
    },

    release(upstream) {
      if (upstream.owner !== undefined) {
        upstream.owner.release(upstream);
        return;
      }
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
          // Asynchronous, like every other failure.
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
            connected(link, protocol) {
              cancelTimer();
              const upstream = new Upstream(link, queueOf(key), {
                address,
                secured: tls !== undefined,
                protocol,
              });
              link.handler = upstream;
              turn.connected(upstream);
            },
            failed,
            // The server was reached; another address may lead to another server.
            unsecured(handshake) {
              cancelTimer();
              if (!cancelled) {
                turn.failed({ address, code: "EPROTO", handshake, shown: shownBy(handshake) });
              }
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
        // A server that once sent a surplus byte is remembered for it.
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

/** The evidence of a handshake that failed. */
function shownBy(handshake: NonNullable<DialFailure["handshake"]>): Evidence | undefined {
  if (handshake.kind === "plain") return "plain handshake";
  const isAboutProtocol = handshake.kind === "refused" && handshake.why.includes(refusedProtocol);
  return isAboutProtocol ? "no http/1.1" : undefined;
}

/** OpenSSL's name for the alert that RFC 7301 section 3.2 has. */
const refusedProtocol = "no application protocol";

/** Closes the connections that have been idle since `until` or longer. */
function closeIdle(queue: IdleQueue, until: number): void {
  while (queue.first !== undefined && queue.first.idleSince <= until) {
    const upstream = queue.first;
    queue.remove(upstream);
    upstream.link.close();
  }
}
