/** A pool of connections -> one whose connections to servers of HTTP/2 are shared, each request on its own stream. */
import type { CancelDial } from "../../link/dial.ts";
import type { Clock } from "../../system/clock.ts";
import { noFrames, noRequests, tooManyWait } from "../pages/refusal.ts";
import { ServerSession } from "../streams/server-session.ts";
import {
  type DialFailure,
  type DialRequest,
  type DialTurn,
  IdleQueue,
  idleMilliseconds,
  Upstream,
  type UpstreamPool,
} from "./pool.ts";

/**
 * Sessions with one server at once. Another one is opened when the server takes no more streams on the others; beyond
 * this number, requests wait.
 */
const sessionLimit = 16;

/** Milliseconds that a server may take to say that it speaks HTTP/2. On the same machine, two are usual. */
const prefaceMilliseconds = 2_000;

/** Milliseconds that a request waits for a place: as long as for a connection to any other server. */
const placeMilliseconds = 60_000;

/** The application protocols that a server of TLS is offered, in our order of preference. */
const offered = ["h2", "http/1.1"];

type Waiting = { request: DialRequest; turn: DialTurn; since: number };

/** One server's sessions, and the requests that wait for a place on one. */
class Server {
  readonly open = new Map<ServerSession, Upstream>();
  readonly waiting: Waiting[] = [];
  /** A connection is being dialled, or has not shown yet that it is one of HTTP/2. */
  starting = false;
  /** Sessions in a row that took no request, and then ended. */
  barren = 0;

  constructor(readonly queue: IdleQueue) {}
}

export type SessionsOptions = { clock: Clock; fault(fault: unknown): void };

export function poolWithSessions(pool: UpstreamPool, options: SessionsOptions): UpstreamPool {
  const { clock, fault } = options;
  const servers = new Map<string, Server>();
  /** Every session whose link is not gone, also those that take no more requests. */
  const sessions = new Set<ServerSession>();
  let stopped = false;

  const serverOf = (key: string): Server => {
    let server = servers.get(key);
    if (server === undefined) {
      server = new Server(new IdleQueue(key));
      servers.set(key, server);
    }
    return server;
  };

  /** A place on one of the server's sessions. `worn`: on one that another connection would be better than. */
  const placeOn = (server: Server, { worn }: { worn: boolean }): Upstream | undefined => {
    for (const [session, { way }] of server.open) {
      if (session.room === 0 || session.isWorn !== worn) continue;
      server.barren = 0;
      const stream = session.open();
      const upstream = new Upstream(stream, server.queue, { ...way, protocol: "h2" }, noDials);
      upstream.stream = stream;
      upstream.served = session.served;
      stream.handler = upstream;
      return upstream;
    }
    return undefined;
  };

  /** Gives places to requests that wait. `worn`: also on sessions that another connection would be better than. */
  const place = (server: Server, { worn }: { worn: boolean }): void => {
    while (server.waiting.length > 0) {
      const upstream =
        placeOn(server, { worn: false }) ?? (worn ? placeOn(server, { worn: true }) : undefined);
      if (upstream === undefined) break;
      server.waiting.shift()!.turn.connected(upstream);
    }
  };

  const fail = (server: Server, failure: DialFailure): void => {
    place(server, { worn: true });
    for (const { turn } of server.waiting.splice(0)) turn.failed(failure);
  };

  /** A session takes no more. Where that is all that a server's sessions ever do, no further one helps. */
  const leave = (server: Server, session: ServerSession): void => {
    const upstream = server.open.get(session);
    if (upstream === undefined) return;
    server.open.delete(session);
    if (server.waiting.length === 0 || ++server.barren <= sessionLimit) return;
    server.barren = 0;
    const { address } = upstream.way;
    fail(server, { address, code: noRequests, handshake: undefined });
  };

  const begin = (server: Server, upstream: Upstream): void => {
    const { link, way } = upstream;
    const { address } = way;
    let cancel = (): void => {};
    let settled = false;
    /** @returns false: the session has shown already whether it is one. */
    const settle = (): boolean => {
      cancel();
      if (settled) return false;
      settled = true;
      server.starting = false;
      return true;
    };
    const decline = (first: Uint8Array | undefined): void => {
      if (!settle()) return;
      const shown = first?.[0] === alert ? "alert" : "no frames";
      fail(server, {
        address,
        code: noFrames,
        handshake: undefined,
        shown: way.secured ? undefined : shown,
      });
    };
    const session = new ServerSession(link, {
      scheme: way.secured ? "https" : "http",
      now: () => clock.now(),
      ready(its) {
        if (!settle()) return;
        server.open.set(its, upstream);
        pump(server);
      },
      declined(its, first) {
        decline(first);
        its.abort();
      },
      changed(its) {
        if (!its.isOpen) leave(server, its);
        if ((stopped && its.isIdle) || its.isSpent) its.close();
        pump(server);
      },
      gone(its) {
        decline(undefined);
        sessions.delete(its);
        leave(server, its);
        upstream.closed();
        pump(server);
      },
      fault,
    });
    sessions.add(session);
    cancel = clock.after(prefaceMilliseconds, () => {
      decline(undefined);
      session.abort();
    });
  };

  const dialFor = (server: Server, { request }: Waiting): void => {
    const failed = (failure: DialFailure): void => {
      server.starting = false;
      fail(server, failure);
    };
    server.starting = true;
    const { tls } = request;
    pool.dial(
      { ...request, h2: false, fresh: true, tls: tls && { ...tls, protocols: offered } },
      {
        connected(upstream) {
          const { secured, protocol, address } = upstream.way;
          if (!secured || protocol === "h2") {
            begin(server, upstream);
            return;
          }
          upstream.link.close();
          failed({ address, code: noFrames, handshake: undefined, shown: "no h2" });
        },
        failed,
      },
    );
  };

  /** Requests that have waited too long for a place on sessions that are full. */
  const giveUp = ({ waiting, starting }: Server): void => {
    const oldest = clock.now() - placeMilliseconds;
    while (!starting && waiting.length > 0 && waiting[0]!.since <= oldest) {
      const { request, turn } = waiting.shift()!;
      const [address] = request.endpoint.dial;
      turn.failed({ address: address!, code: tooManyWait, handshake: undefined });
    }
  };

  const pump = (server: Server): void => {
    const isFull = server.open.size >= sessionLimit;
    place(server, { worn: isFull });
    const [next] = server.waiting;
    if (next === undefined || server.starting || isFull) return;
    dialFor(server, next);
  };

  return {
    take(key, want) {
      const server = servers.get(key);
      return server === undefined ? pool.take(key, want) : placeOn(server, { worn: false });
    },

    release(upstream) {
      if (upstream.stream === undefined) pool.release(upstream);
      else upstream.link.close();
    },

    dial(request, turn): CancelDial {
      if (!request.h2) return pool.dial(request, turn);
      const server = serverOf(request.key);
      const waiting = { request, turn, since: clock.now() };
      server.waiting.push(waiting);
      // Asynchronous, like every other outcome of a dial.
      queueMicrotask(() => pump(server));
      return () => {
        const at = server.waiting.indexOf(waiting);
        if (at !== -1) server.waiting.splice(at, 1);
      };
    },

    tick() {
      pool.tick();
      const oldest = clock.now() - idleMilliseconds;
      for (const session of sessions) {
        session.tick();
        if (session.isIdle && session.idleSince <= oldest) session.close();
      }
      for (const [key, server] of servers) {
        giveUp(server);
        // A client that reads again gives room back, which nobody tells.
        pump(server);
        const isUsed = server.open.size > 0 || server.waiting.length > 0 || server.starting;
        if (!isUsed) servers.delete(key);
      }
    },

    stop() {
      stopped = true;
      for (const session of sessions) {
        if (session.isIdle) session.close();
      }
      pool.stop();
    },

    get idleCount() {
      let count = pool.idleCount;
      for (const session of sessions) if (session.isIdle) count++;
      return count;
    },
  };
}

/** A stream takes no room of the server's: its connection does. */
const noDials = { freed() {}, answered() {} };

/** The first octet of a record of TLS that refuses: RFC 8446 section 5.1. */
const alert = 0x15;
