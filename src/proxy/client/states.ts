/** A client connection's state and an event -> the action, and the next state. Pure: these tables are all that decides. */

/** Where a client's connection stands. */
export const states = [
  /** No byte has come. */
  "sniffing",
  /** Between two requests. */
  "idle",
  /** A part of a request's head has come. */
  "reading",
  /** A request waits; `request/waits.ts` has a table of its own for it. Input is held. */
  "waiting",
  /** A request is being answered by an upstream. */
  "exchanging",
  /** The answer is complete and not yet taken by the client, so the next request waits for that. */
  "flushing",
  /** CONNECT was granted, and the first bytes inside are not understood yet. */
  "tunnelled",
  /** Bytes go both ways unread: `link/join.ts` has both links. */
  "joined",
  /** Our last words are on their way; input is thrown away. RFC 9112 section 9.6. */
  "lingering",
  "closed",
] as const;

export type StateName = (typeof states)[number];

/** A state as the number that a connection keeps: a number is compared and looked up without hashing. */
export type ClientState = number;

export const At = Object.fromEntries(states.map((name, index) => [name, index])) as Readonly<
  Record<StateName, ClientState>
>;

/** What happens to a connection from outside. */
export const events = [
  /** Bytes from the client. */
  "bytes",
  /** FIN: the client sends no more, and may still read. */
  "fin",
  /** The link is gone: closed, or reset by the client. */
  "gone",
  /** The client has taken all that was written to it. */
  "drained",
  /** The state has lasted as long as `secondsIn` allows. */
  "overdue",
  /** Half a second has passed, or the supervisor has news. */
  "news",
  /** The proxy stops: idle connections end now, the others with their answer. */
  "drain",
] as const;

export type EventName = (typeof events)[number];

export const On = Object.fromEntries(events.map((name, index) => [name, index])) as Readonly<
  Record<EventName, number>
>;

export const actions = [
  "ignore",
  /** Tell TLS from HTTP by the first byte. */
  "sniff",
  /** Read requests. */
  "read",
  /** Hold the bytes until the request before them has gone on. */
  "hold",
  /** Pass the request's body on, and hold what follows it. */
  "pass on",
  /** Hold the bytes, and look for an upgrade or TLS in them. */
  "look inside",
  /** Note that the client sends no more. */
  "note",
  /** Note it; break off where the request's body is incomplete. */
  "note or break off",
  /** Join the tunnel now: no more can come that would be understood. */
  "join",
  /** Let the upstream send more. */
  "resume",
  /** Go on with the next request. */
  "next",
  /** Ask again whether the request can go on. */
  "ask again",
  /** Let the time pass that the client has to read our last words. */
  "count down",
  /** Answer 408 and end. */
  "refuse",
  /** Close after what was written. */
  "close",
  /** Let go of everything. */
  "end",
] as const;

export type ActionName = (typeof actions)[number];

export const Do = Object.fromEntries(actions.map((name, index) => [name, index])) as Readonly<
  Record<ActionName, number>
>;

type Row = Readonly<Record<EventName, ActionName>>;

/** Nothing is under way that could be lost. */
const quiet = { drained: "ignore", news: "ignore", gone: "end", fin: "close" } as const;

export const table: Readonly<Record<StateName, Row>> = {
  sniffing: { ...quiet, bytes: "sniff", overdue: "close", drain: "close" },
  idle: { ...quiet, bytes: "read", overdue: "close", drain: "close" },
  // Half a request is none. A client that has begun one may end it while the proxy stops.
  reading: { ...quiet, bytes: "read", overdue: "refuse", drain: "ignore" },
  waiting: {
    bytes: "hold",
    fin: "note",
    gone: "end",
    drained: "ignore",
    overdue: "ignore",
    news: "ask again",
    drain: "ask again",
  },
  exchanging: {
    bytes: "pass on",
    // A whole request is answered although its client sends no more.
    fin: "note or break off",
    gone: "end",
    drained: "resume",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
  },
  flushing: {
    bytes: "hold",
    fin: "note",
    gone: "end",
    drained: "next",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
  },
  tunnelled: {
    bytes: "look inside",
    fin: "join",
    gone: "end",
    drained: "ignore",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
  },
  // `link/join.ts` hears the links; only the end of both is told here.
  joined: {
    bytes: "ignore",
    fin: "ignore",
    gone: "end",
    drained: "ignore",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
  },
  // `link/last-words.ts` hears the link while there are last words; a plain close leaves it to us.
  lingering: {
    ...quiet,
    bytes: "ignore",
    fin: "ignore",
    overdue: "ignore",
    news: "count down",
    drain: "ignore",
  },
  closed: {
    bytes: "ignore",
    fin: "ignore",
    gone: "ignore",
    drained: "ignore",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
  },
};

/** What the connection itself does, and by which it comes to another state. */
export const turns = [
  /** The first byte is not TLS. */
  "plain",
  /** A head has begun and is not complete. */
  "begin",
  /** A request cannot go on yet. */
  "wait",
  /** A request has an upstream. */
  "exchange",
  /** An answer is complete, and the client has not taken it yet. */
  "flush",
  /** The next request is read: what is held, then what comes. */
  "next",
  /** CONNECT is granted. */
  "grant",
  /** Bytes go both ways unread from here on. */
  "join",
  /** Our last words were said, or there are none. */
  "linger",
  /** The link is gone, or another's. */
  "end",
] as const;

export type TurnName = (typeof turns)[number];

export const Turn = Object.fromEntries(turns.map((name, index) => [name, index])) as Readonly<
  Record<TurnName, number>
>;

/** Each open connection can be ended, with last words or without. */
const open = { linger: "lingering", end: "closed" } as const;

/** A turn that a row does not have is a fault of ours. */
export const moves: Readonly<Record<StateName, Partial<Record<TurnName, StateName>>>> = {
  sniffing: { ...open, plain: "idle" },
  idle: {
    ...open,
    begin: "reading",
    wait: "waiting",
    exchange: "exchanging",
    flush: "flushing",
    next: "idle",
    grant: "tunnelled",
  },
  reading: {
    ...open,
    begin: "reading",
    wait: "waiting",
    exchange: "exchanging",
    flush: "flushing",
    next: "idle",
    grant: "tunnelled",
  },
  // A request that was sent already goes straight on to its upstream; one that is held is read again.
  waiting: { ...open, wait: "waiting", exchange: "exchanging", next: "idle" },
  exchanging: { ...open, wait: "waiting", flush: "flushing", next: "idle", join: "joined" },
  flushing: { ...open, next: "idle" },
  // An upgrade inside a tunnel is read as every other request.
  tunnelled: { ...open, next: "idle", join: "joined" },
  // A service that turned out to speak TLS took nothing for anything: its tunnel begins again.
  joined: { ...open, grant: "tunnelled" },
  lingering: { ...open },
  closed: Object.fromEntries(turns.map((turn) => [turn, "closed"])),
};

/** Seconds to send a whole head, from its first byte. nginx's client_header_timeout is 60, HAProxy's guide says 10. */
export const headSeconds = 30;
/** Seconds a connection may stand idle between requests: nginx's keepalive_timeout. */
export const idleSeconds = 75;
/** Seconds in which a client may read our last words while we throw away what it still sends. */
export const lingerSeconds = 2;

/** States that time alone ends, each with the seconds it may last. Waiting and last words have limits of their own. */
export const limits: Readonly<Partial<Record<StateName, number>>> = {
  sniffing: headSeconds,
  idle: idleSeconds,
  reading: headSeconds,
};

const actionTable = Uint8Array.from(
  states.flatMap((state) => events.map((event) => Do[table[state][event]])),
);

const impossible = 255;

const moveTable = Uint8Array.from(
  states.flatMap((state) =>
    turns.map((turn) => {
      const next = moves[state][turn];
      return next === undefined ? impossible : At[next];
    }),
  ),
);

const limitTable = Float64Array.from(states.map((state) => limits[state] ?? Infinity));

/** What `event`, one of `On`, does in a state: one of `Do`. */
export function actionOn(state: ClientState, event: number): number {
  return actionTable[state * events.length + event]!;
}

/** Where `turn`, one of `Turn`, leads from a state. @throws where it leads nowhere, which is a fault of ours. */
export function moved(state: ClientState, turn: number): ClientState {
  const next = moveTable[state * turns.length + turn]!;
  if (next === impossible) throw new Error(`a connection that is ${states[state]}: ${turns[turn]}`);
  return next;
}

/** Seconds that a state may last. A client that has not sent a request yet has as long as for a head. */
export function secondsIn(state: ClientState, { served }: { served: number }): number {
  return state === At.idle && served === 0 ? headSeconds : limitTable[state]!;
}
