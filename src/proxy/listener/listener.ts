/** Ports into connections: accepted on both loopback addresses, counted, watched twice a second. */
import type { Callers } from "../../discovery/callers.ts";
import type { ClientUser } from "../../discovery/client-user.ts";
import type { Link } from "../../link/link.ts";
import type { SocketLink } from "../../link/socket-link.ts";
import type { Service } from "../../routes/service.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Ends } from "../../system/peer-sockets.ts";
import { socketCalls } from "../../system/socket-calls.ts";
import type { TerminateOutcome, Terminator } from "../../tls/terminate.ts";
import { parseClientHello } from "../../wire/client-hello.ts";
import { sniff } from "../../wire/sniff.ts";
import { Connection } from "../client/connection.ts";
import type { ConnectionShared, Inside } from "../client/shared.ts";
import { Destinations } from "../request/destination.ts";
import { Dialects } from "../upstream/dialect.ts";
import { errorPage } from "../pages/error-page.ts";
import { H2Session } from "../h2/session.ts";
import { HeadWriters } from "../upstream/head-writer.ts";
import { ownPages } from "../pages/own-pages.ts";
import { type ExtraPort, listenOnPorts, type RefusedPort } from "./own-ports.ts";
import { httpsRedirect } from "../request/redirect.ts";
import { encodeReply } from "../pages/reply.ts";
import type { Supervision } from "../request/supervision.ts";
import type { Recorder } from "../request/recorder.ts";
import { shares } from "./shares.ts";
import { turningAway } from "./turned-away.ts";
import { type UpstreamPoolOptions, upstreamPool } from "../upstream/pool.ts";

/** Far above what browsers open, below what a process may hold open where limits are raised as usual. */
const usualConnectionLimit = 10_000;

/** Of these, what one other person may have where others are served. */
const otherShare = 1 / 4;

/** How coarse our time is: a connection may be let go this much too early, and never too late. */
const tickMilliseconds = 500;

export type ProxyOptions = {
  clock: Clock;
  /** 0 picks one. */
  port: number;
  /** More of them, where they can be had. */
  extraPorts?: readonly ExtraPort[];
  /** Where a port can only be had on the wildcard address. */
  wildcard?(port: number): boolean;
  /** Page loads that came without TLS are sent to https. */
  httpsRedirect?: boolean;
  version: string;
  /** 8 hexadecimal digits that no other proxy has. */
  instance: string;
  routes(): RouteTable;
  refresh(): Promise<unknown>;
  stillThere(service: Service): boolean;
  touch(): void;
  /** Whether one of these users, we or root alone listen there; undefined: this system does not tell. */
  isOwn?: UpstreamPoolOptions["isOwn"];
  /** Whether a client that sent FIN, and waits for an answer, no longer exists. Undefined: this system cannot tell. */
  departed: ((client: Ends) => boolean) | undefined;
  /** Whose process a client is; undefined: everybody is served as if they were the same person. */
  clientUser?: ((client: Ends) => ClientUser) | undefined;
  /** People besides those whom `clientUser` calls own are served. */
  otherUsers?: boolean;
  /** Connections at once; for tests. */
  connectionLimit?: number;
  /** Ends TLS for us; undefined: clients that speak it are turned away. */
  terminator?: Terminator | undefined;
  /** Notes every request; undefined: nobody wants to know. */
  recorder?: Recorder | undefined;
  /** Whose the clients are, for the record. */
  callers?: Callers | undefined;
  /** Whether there are certificates for bare names; always, where it is not said. */
  bareNames?(): boolean;
  /** Undefined: nothing is supervised. */
  supervision?: Supervision | undefined;
  fault(fault: unknown): void;
  /** A sentence for a person. */
  note(text: string): void;
};

/** The user whose share a connection is of; undefined: it is the person's own, and of none. */
type Guest = number | undefined;

export interface Proxy {
  readonly port: number;
  /** The main port, and the others that were had. */
  readonly ports: readonly number[];
  readonly urlPorts: UrlPorts;
  readonly refusedPorts: readonly RefusedPort[];
  /** The addresses it accepts on. */
  readonly addresses: readonly string[];
  readonly connections: number;
  /** Requests that wait for a service of the supervisor. */
  readonly waiting: number;
  /** What `routes` says of supervised services has changed: requests that wait for one are looked at again. */
  supervisedChanged(): void;
  /** Takes no new connection, lets answers under way end for at most `milliseconds`, then breaks off. */
  stop(milliseconds: number): Promise<void>;
}

/** Starts to accept. @throws the system's error where the main port is taken or not allowed. */
export function startProxy(options: ProxyOptions): Proxy {
  const { clock } = options;
  const calls = socketCalls(process.platform);
  /** Each with the user whose share it is of, where it is of one. */
  const connections = new Map<Connection, Guest>();
  const handshakes = new Map<Cancel, Guest>();
  const sessions = new Map<H2Session, Guest>();
  const { connectionLimit = usualConnectionLimit } = options;
  const held = shares(connectionLimit * otherShare);
  const strangers = turningAway(clock, options.fault);
  const count = (): number => connections.size + handshakes.size + sessions.size;
  const peeked = new Uint8Array(4_096);
  const pool = upstreamPool({ clock, peek: calls.peek, isOwn: options.isOwn });
  let seconds = 0;
  let draining = false;
  /** Connections are to be told that the supervisor has news. */
  let changed = false;
  let emptied: (() => void) | undefined;

  const { wildcard = () => false, extraPorts: extra = [], note } = options;
  const own = listenOnPorts({ port: options.port, extra, wildcard, note }, accept);
  // So that the first bytes are there to be looked at when a connection is told of.
  if (options.terminator !== undefined) {
    for (const { descriptor } of own.listening) calls.deferAccept(descriptor);
  }

  const shared: ConnectionShared = {
    pool,
    writers: new HeadWriters(),
    draining: () => draining,
    fault: options.fault,
    routes: options.routes,
    refresh: options.refresh,
    stillThere: options.stillThere,
    touch: options.touch,
    pages: ownPages({
      routes: options.routes,
      version: options.version,
      port: own.port,
      urlPort: own.urls.http,
    }),
    instance: options.instance,
    seconds: () => seconds,
    ownPorts: own.all,
    urlPorts: own.urls,
    redirect: options.httpsRedirect ? httpsRedirect(own.urls.https) : undefined,
    destinations: new Destinations(),
    spare: [],
    recorder: options.recorder,
    callers: options.callers,
    terminates: () => options.terminator !== undefined,
    bareNames: options.bareNames ?? (() => true),
    dialects: new Dialects(clock, options.routes),
    supervision: options.supervision,
    waiting: new Set(),
    secure(connection, first, { tunnelled }) {
      const { terminator } = options;
      if (terminator === undefined || draining) return false;
      begin((outcome) => terminator.read(connection.link, first, outcome), {
        guest: connections.get(connection),
        tunnelled,
      });
      // Its share has gone on to the handshake.
      if (connections.has(connection)) connections.set(connection, undefined);
      return true;
    },
    gone(connection) {
      forget(connections, connection);
    },
  };

  /** Whether a client is served, and where it is of a share, whose. */
  function guestOf(link: Link): Guest | "stranger" {
    const user = options.clientUser?.(link) ?? "unknown";
    if (user === "own" || user === "unknown") return undefined;
    if (!options.otherUsers || user === "gone" || !held.take(user.uid)) return "stranger";
    return user.uid;
  }

  function forget<Key>(of: Map<Key, Guest>, key: Key): void {
    const guest = of.get(key);
    if (!of.delete(key)) return;
    if (guest !== undefined) held.release(guest);
    settle();
  }

  /** A handshake, until it has become a connection or nothing. */
  function begin(
    start: (outcome: TerminateOutcome) => Cancel,
    { guest, tunnelled = false }: { guest: Guest; tunnelled?: boolean },
  ): Cancel {
    let cancel: Cancel = () => {};
    const over = (): void => forget(handshakes, handshake);
    const handshake: Cancel = () => {
      cancel();
      over();
    };
    handshakes.set(handshake, guest);
    cancel = start({
      terminated({ link, serverName, protocol }) {
        // TLS 1.3 leaves us nothing to say here, and a client that has Nagle's algorithm on holds its request until we do.
        calls.acknowledge(link.descriptor);
        // Its share goes on with what comes of it.
        handshakes.set(handshake, undefined);
        const inside = { serverName, tunnelled };
        if (protocol === "h2") openSession(link, inside, guest);
        else connections.set(new Connection(link, shared, inside), guest);
        over();
      },
      failed: over,
    });
    return handshake;
  }

  function openSession(link: Link, inside: Inside, guest: Guest): void {
    const session = new H2Session(link, {
      shared,
      ...inside,
      gone: (ended) => forget(sessions, ended),
    });
    sessions.set(session, guest);
    if (draining) session.drain();
  }

  function settle(): void {
    if (count() === 0) emptied?.();
  }

  function accept(link: SocketLink): void {
    const guest = guestOf(link);
    if (guest === "stranger") {
      strangers.turnAway(link);
      return;
    }
    if (count() >= connectionLimit) {
      if (guest !== undefined) held.release(guest);
      const why = `there are ${connectionLimit} connections already`;
      const bytes = encodeReply(errorPage({ status: 503, why }, "text"), {
        head: false,
        close: true,
      });
      link.write(bytes, 0, bytes.length);
      link.close();
      return;
    }
    if (!acceptTls(link, guest)) connections.set(new Connection(link, shared), guest);
  }

  /** Where a whole ClientHello waits unread, TLS goes by Bun's own, which is faster than any way over bytes once read. */
  function acceptTls(link: SocketLink, guest: Guest): boolean {
    const { terminator } = options;
    if (terminator === undefined) return false;
    const count = calls.look(link.descriptor, peeked);
    if (count === 0 || sniff(peeked[0]!) !== "tls") return false;
    const hello = parseClientHello(peeked.subarray(0, count));
    if (hello.kind !== "done") return false;
    begin((outcome) => terminator.unread(link, hello.value, outcome), { guest });
    return true;
  }

  const cancelTicks = clock.every(tickMilliseconds, () => {
    seconds += tickMilliseconds / 1_000;
    pool.tick();
    const silent: (Connection | H2Session)[] = [];
    for (const session of sessions.keys()) {
      session.tick();
      if (Number.isInteger(seconds) && session.mayBeGone) silent.push(session);
    }
    for (const connection of connections.keys()) {
      connection.tick();
      if (Number.isInteger(seconds) && connection.mayBeGone) silent.push(connection);
    }
    // A client that closed looks like one that only stopped sending; on the same machine the kernel can tell them apart.
    for (const { link } of silent) if (options.departed?.(link)) link.abort();
  });

  let stopping: Promise<void> | undefined;
  return {
    port: own.port,
    ports: own.all,
    urlPorts: own.urls,
    refusedPorts: own.refused,
    addresses: own.addresses,
    get connections() {
      return count();
    },
    get waiting() {
      return shared.waiting.size;
    },
    supervisedChanged() {
      if (changed) return;
      changed = true;
      // Many services may change at once: requests are looked at once for all of them.
      queueMicrotask(() => {
        changed = false;
        // Those that have to wait on are added again.
        for (const waiting of [...shared.waiting]) waiting.news();
      });
    },
    stop(milliseconds) {
      stopping ??= (async () => {
        draining = true;
        for (const listener of own.listening) listener.stop();
        strangers.stop();
        for (const connection of connections.keys()) connection.drain();
        for (const session of sessions.keys()) session.drain();
        let cancelDeadline: Cancel = () => {};
        await new Promise<void>((resolve) => {
          emptied = resolve;
          settle();
          cancelDeadline = clock.after(milliseconds, resolve);
        });
        cancelDeadline();
        cancelTicks();
        for (const cancel of [...handshakes.keys()]) cancel();
        for (const connection of connections.keys()) connection.link.abort();
        for (const session of sessions.keys()) session.link.abort();
        pool.stop();
      })();
      return stopping;
    },
  };
}
