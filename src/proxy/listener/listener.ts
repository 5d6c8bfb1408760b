/** Ports -> connections, accepted on both loopback addresses, counted, and checked for timeouts twice a second. */
import { randomBytes } from "node:crypto";
import type { Callers } from "../../discovery/callers.ts";
import type { ClientUser } from "../../discovery/client-user.ts";
import type { Link } from "../../link/link.ts";
import type { Ready } from "../../link/listen-on-both.ts";
import type { SocketLink } from "../../link/socket-link.ts";
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import type { Unusable } from "../../routes/unusable.ts";
import type { WaitingName } from "../../routes/waiting-name.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Ends } from "../../system/peer-sockets.ts";
import {
  descriptorLimit,
  type DescriptorRoom,
  descriptorRoom,
} from "../../system/descriptor-room.ts";
import { knocks } from "../../system/knock.ts";
import { listensAtPath } from "../../system/unix-listeners.ts";
import { socketCalls } from "../../system/socket-calls.ts";
import type { TerminateOutcome, Terminator } from "../../tls/terminate.ts";
import { parseClientHello } from "../../wire/client-hello.ts";
import { sniff } from "../../wire/sniff.ts";
import { Connection, type ConnectionShared, type Inside } from "../client/connection.ts";
import { Destinations } from "../request/destination.ts";
import { Dialects } from "../upstream/dialect.ts";
import { errorPage } from "../pages/error-page.ts";
import { AllClients } from "../h2/client-allowances.ts";
import { H2Session } from "../h2/session.ts";
import { HeadWriters } from "../frames/head-writer.ts";
import { ownPages } from "../pages/own-pages.ts";
import { type ExtraPort, listenOnPorts, type OwnSocket, type RefusedPort } from "./own-ports.ts";
import { LongerNames } from "../request/longer-names.ts";
import { marks } from "../request/marks.ts";
import { httpsRedirect } from "../request/redirect.ts";
import { encodeReply } from "../pages/reply.ts";
import type { Supervision } from "../request/supervision.ts";
import type { Recorder } from "../request/recorder.ts";
import { Clients } from "./clients.ts";
import type { Guest } from "./idle-ones.ts";
import { turningAway } from "./turned-away.ts";
import { type UpstreamPoolOptions, upstreamPool } from "../upstream/pool.ts";
import { poolWithSessions } from "../upstream/sessions.ts";

/** Far more than browsers open, and below the usual raised limit on open files. */
const usualConnectionLimit = 10_000;

/** Seconds that a connection may be idle after another proxy has taken our place, before we end it. */
const partingSeconds = 2;

/** The resolution of our timeouts: a connection may be dropped this much too early, and never too late. */
const tickMilliseconds = 500;

export type ProxyOptions = {
  clock: Clock;
  /** 0 picks a free port. */
  port: number;
  /** Further ports, used where they are available. */
  extraPorts?: readonly ExtraPort[];
  /** For a port that can only be bound on the wildcard address. */
  wildcard?(port: number): boolean;
  /** Sockets that listen already, of the daemon before. */
  ready?: Ready | undefined;
  /** Page loads without TLS are redirected to https. */
  httpsRedirect?: boolean;
  version: string;
  /** 8 hexadecimal digits that no other proxy has. */
  instance: string;
  routes(): RouteTable;
  /** Whether the settings of names have been edited; `routes` gives another table then. */
  reread?: (() => boolean) | undefined;
  /** `host`: the one that the request is for, which may be of another machine. */
  refresh(host?: string): Promise<unknown>;
  /** The machine that a name is of, if that is not this one. */
  remote?: ((name: string) => RemoteReport | undefined) | undefined;
  stillThere(service: Service): boolean;
  /** Servers that run and that no name leads to; undefined: nobody has looked for them. */
  unusable?: (() => readonly Unusable[]) | undefined;
  /** Names that are kept for places at which nobody is. */
  keptNames?: (() => readonly WaitingName[]) | undefined;
  touch(): void;
  /** Whether only these users, we or root listen there; undefined if this system cannot tell. */
  isOwn?: UpstreamPoolOptions["isOwn"];
  /** The listening sockets that a connection would reach; undefined if this system cannot tell. */
  listenersAt?: UpstreamPoolOptions["listenersAt"];
  /**
   * Whether a client that sent FIN while waiting for an answer no longer exists. Undefined if this system cannot tell.
   */
  departed: ((client: Ends) => boolean) | undefined;
  /** The user of a client; undefined: all clients are served as if they belonged to one person. */
  clientUser?: ((client: Ends) => ClientUser) | undefined;
  /** Also serves users other than those for whom `clientUser` returns `own`. */
  otherUsers?: boolean;
  /** Limit on simultaneous connections; for tests. */
  connectionLimit?: number;
  /** Room for descriptors; for tests. */
  room?: DescriptorRoom;
  /** Terminates TLS; undefined: clients that speak TLS are turned away. */
  terminator?: Terminator | undefined;
  /** Records every request; undefined: nothing is recorded. */
  recorder?: Recorder | undefined;
  /** Finds the clients' processes for the record. */
  callers?: Callers | undefined;
  /** Whether there are certificates for bare names. Defaults to true. */
  bareNames?(): boolean;
  /** Undefined if nothing is supervised. */
  supervision?: Supervision | undefined;
  fault(fault: unknown): void;
  /** Receives a sentence for a person. */
  note(text: string): void;
};

export interface Proxy {
  readonly port: number;
  /** The main port, and the further ones that were available. */
  readonly ports: readonly number[];
  readonly urlPorts: UrlPorts;
  readonly refusedPorts: readonly RefusedPort[];
  /** The addresses that the main port accepts on. */
  readonly addresses: readonly string[];
  readonly connections: number;
  /** Requests that wait for a supervised service. */
  readonly waiting: number;
  /** The state of supervised services in `routes` has changed: requests that wait for one are checked again. */
  supervisedChanged(): void;
  /** The sockets that we listen on. */
  readonly sockets: readonly OwnSocket[];
  /**
   * Another process listens on our sockets: accepts no more connections. Every connection ends with its next answer, or
   * when it is idle for a moment; answers and tunnels that take longer than `milliseconds` are broken off. Resolves
   * when all have ended.
   */
  leave(milliseconds: number): Promise<void>;
  /** Accepts no more connections, gives running requests `milliseconds` to finish, then breaks them off. */
  stop(milliseconds: number): Promise<void>;
}

/** Starts to accept connections. @throws the system's error if the main port is taken or not allowed. */
export function startProxy(options: ProxyOptions): Proxy {
  const { clock } = options;
  const calls = socketCalls(process.platform);
  const { connectionLimit = usualConnectionLimit } = options;
  const clients = new Clients({ limit: connectionLimit, seconds: () => seconds });
  const { connections, handshakes, sessions } = clients;
  const allowances = new AllClients();
  const strangers = turningAway(clock, options.fault);
  const peeked = new Uint8Array(4_096);
  const room = options.room ?? descriptorRoom({ limit: descriptorLimit() });
  const single = upstreamPool({
    clock,
    peek: calls.peek,
    knocks: knocks(process.platform),
    listensAt: listensAtPath,
    room,
    isOwn: options.isOwn,
    listenersAt: options.listenersAt,
  });
  const pool = poolWithSessions(single, { clock, fault: options.fault });
  let seconds = 0;
  /** `leaving`: another process accepts in our place, so nothing needs to end before its time. */
  let phase: "serving" | "leaving" | "stopping" = "serving";
  /** When we began to leave, on the half-second clock. */
  let leftAt = 0;
  /** Connections are about to be told that the supervisor has news. */
  let changed = false;

  const { wildcard = () => false, extraPorts: extra = [], ready, note } = options;
  const own = listenOnPorts({ port: options.port, extra, wildcard, ready, note }, accept);
  // The first bytes have then arrived when a connection is reported, and can be examined.
  if (options.terminator !== undefined) {
    for (const { descriptor } of own.listening) calls.deferAccept(descriptor);
  }

  const shared: ConnectionShared = {
    pool,
    loginFacts: { clock, peek: calls.peek, pool },
    writers: new HeadWriters(),
    draining: () => phase !== "serving",
    stopping: () => phase === "stopping",
    fault: options.fault,
    routes: options.routes,
    reread: options.reread,
    refresh: options.refresh,
    remote: options.remote,
    stillThere: options.stillThere,
    unusable: options.unusable,
    keptNames: options.keptNames,
    touch: options.touch,
    pages: ownPages({
      routes: options.routes,
      version: options.version,
      port: own.port,
      urlPorts: own.urls,
    }),
    instance: options.instance,
    seconds: () => seconds,
    ownPorts: own.all,
    urlPorts: own.urls,
    redirect: options.httpsRedirect ? httpsRedirect(own.urls.https) : undefined,
    destinations: new Destinations(),
    longerNames: new LongerNames(),
    marks: marks(randomBytes(32)),
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
      if (terminator === undefined || phase === "stopping") return false;
      begin((outcome) => terminator.read(connection.link, first, outcome), {
        guest: connections.get(connection),
        tunnelled,
      });
      // The handshake has taken over the share.
      if (connections.has(connection)) connections.set(connection, undefined);
      return true;
    },
    openSession(connection) {
      const { link, secured, serverName, tunnelled } = connection;
      const guest = connections.get(connection);
      // The session takes over the share.
      if (connections.has(connection)) connections.set(connection, undefined);
      return openSession(link, { secured, serverName, tunnelled }, guest);
    },
    gone(connection) {
      clients.forget(connections, connection);
    },
  };

  /** The user whose share a client counts towards, or "stranger" if the client is not served. */
  function guestOf(link: Link): Guest | "stranger" {
    const user = options.clientUser?.(link) ?? "unknown";
    if (user === "own" || user === "unknown") return undefined;
    if (!options.otherUsers || user === "gone") return "stranger";
    return clients.take(user.uid) ? user.uid : "stranger";
  }

  /** A handshake, until it turns into a connection or fails. */
  function begin(
    start: (outcome: TerminateOutcome) => Cancel,
    { guest, tunnelled = false }: { guest: Guest; tunnelled?: boolean },
  ): Cancel {
    let cancel: Cancel = () => {};
    const over = (): void => clients.forget(handshakes, handshake);
    const handshake: Cancel = () => {
      cancel();
      over();
    };
    handshakes.set(handshake, guest);
    cancel = start({
      terminated({ link, serverName, protocol }) {
        // TLS 1.3 leaves us nothing to send here, and a client with Nagle's algorithm waits with its request until we
        // send.
        calls.acknowledge(link.descriptor);
        // The resulting connection or session takes over the share.
        handshakes.set(handshake, undefined);
        const inside = { secured: true, serverName, tunnelled };
        if (protocol === "h2") openSession(link, inside, guest);
        else connections.set(new Connection(link, shared, inside), guest);
        over();
      },
      failed: over,
    });
    return handshake;
  }

  function openSession(link: Link, inside: Inside, guest: Guest): H2Session {
    const session = new H2Session(link, {
      shared,
      ...inside,
      allowances: (pid) => allowances.of({ pid, uid: guest }, seconds),
      gone: (ended) => clients.forget(sessions, ended),
    });
    sessions.set(session, guest);
    if (phase === "stopping") session.drain();
    return session;
  }

  /** Ends connections that are idle. What a client has sent until now is still answered. */
  function part(): void {
    for (const session of sessions.keys()) session.part(partingSeconds);
    if (seconds - leftAt < partingSeconds) return;
    for (const connection of connections.keys()) {
      if (!connection.isQuietFor(partingSeconds)) continue;
      if (calls.peek(connection.link.descriptor) !== "spoke") connection.part();
    }
  }

  /** Why no further client is taken. */
  function refusalOf(guest: Guest): string | undefined {
    if (!clients.makeRoomFor(guest)) {
      return `the limit of ${connectionLimit} connections is reached, and none of them is idle`;
    }
    return room.forClients() ? undefined : "the process has no file descriptors left";
  }

  function accept(link: SocketLink): void {
    const guest = guestOf(link);
    if (guest === "stranger") {
      strangers.turnAway(link);
      return;
    }
    room.note(link.descriptor);
    const refusal = refusalOf(guest);
    if (refusal !== undefined) {
      clients.release(guest);
      const bytes = encodeReply(errorPage({ status: 503, why: refusal }, "text"), {
        head: false,
        close: true,
      });
      link.write(bytes, 0, bytes.length);
      link.close();
      return;
    }
    if (!acceptTls(link, guest)) connections.set(new Connection(link, shared), guest);
  }

  /**
   * If a whole ClientHello waits unread, Bun's own TLS is used, which is faster than any way over bytes already read.
   */
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

  /** A fault of ours ends the client that it is about, and nobody else. */
  function tickOf(client: Connection | H2Session): void {
    try {
      client.tick();
    } catch (fault) {
      options.fault(fault);
      client.link.abort();
    }
  }

  const cancelTicks = clock.every(tickMilliseconds, () => {
    seconds += tickMilliseconds / 1_000;
    pool.tick();
    const silent: (Connection | H2Session)[] = [];
    for (const session of sessions.keys()) {
      tickOf(session);
      if (Number.isInteger(seconds) && session.mayBeGone) silent.push(session);
    }
    for (const connection of connections.keys()) {
      tickOf(connection);
      if (Number.isInteger(seconds) && connection.mayBeGone) silent.push(connection);
    }
    // A client that closed looks like one that only stopped sending; on the same machine, the kernel can tell them
    // apart.
    for (const { link } of silent) if (options.departed?.(link)) link.abort();
    if (phase === "leaving") part();
  });

  function acceptNoMore(): void {
    for (const listener of own.listening) listener.stop();
  }

  /** Breaks off whatever is left. */
  function end(): void {
    cancelTicks();
    strangers.stop();
    for (const cancel of [...handshakes.keys()]) cancel();
    for (const connection of connections.keys()) connection.link.abort();
    for (const session of sessions.keys()) session.link.abort();
    pool.stop();
  }

  let leaving: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;
  return {
    port: own.port,
    ports: own.all,
    urlPorts: own.urls,
    refusedPorts: own.refused,
    addresses: own.addresses,
    sockets: own.listening,
    get connections() {
      return clients.count;
    },
    get waiting() {
      return shared.waiting.size;
    },
    supervisedChanged() {
      if (changed) return;
      changed = true;
      // Many services may change at once: waiting requests are checked once for all of them.
      queueMicrotask(() => {
        changed = false;
        // Requests that have to keep waiting are added again.
        for (const waiting of [...shared.waiting]) waiting.news();
      });
    },
    leave(milliseconds) {
      leaving ??= (async () => {
        if (phase !== "serving") return;
        phase = "leaving";
        leftAt = seconds;
        acceptNoMore();
        part();
        await clients.empty(milliseconds, clock);
        // `stop` ends them in its own time.
        if ((phase as string) === "leaving") end();
      })();
      return leaving;
    },
    stop(milliseconds) {
      stopping ??= (async () => {
        phase = "stopping";
        acceptNoMore();
        strangers.stop();
        for (const connection of connections.keys()) connection.drain();
        for (const session of sessions.keys()) session.drain();
        await clients.empty(milliseconds, clock);
        end();
      })();
      return stopping;
    },
  };
}
