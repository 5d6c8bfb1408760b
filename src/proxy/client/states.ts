/** A client connection's state and an event -> the action and the next state. Pure: these tables decide everything. */

/** The states of a client's connection. */
export const states = [
  /** No byte has arrived. */
  "sniffing",
  /** Between two requests. */
  "idle",
  /** Part of a request's head has arrived. */
  "reading",
  /** A request waits; `request/waits.ts` has its own table for that. Input is held. */
  "waiting",
  /** An upstream is answering a request. */
  "exchanging",
  /** The answer is complete, but the client has not read it all, so the next request waits. */
  "flushing",
  /** CONNECT was granted, and the first bytes inside are not understood yet. */
  "tunnelled",
  /** Bytes go both ways unread: `link/join.ts` owns both links. */
  "joined",
  /** Our last words are being sent; input is discarded. RFC 9112 section 9.6. */
  "lingering",
  "closed",
] as const;

export type StateName = (typeof states)[number];

/** A state as the number that a connection stores: numbers are compared and looked up without hashing. */
export type ClientState = number;

export const At = Object.fromEntries(states.map((name, index) => [name, index])) as Readonly<
  Record<StateName, ClientState>
>;

/** Events from outside the connection. */
export const events = [
  /** Bytes from the client. */
  "bytes",
  /** FIN: the client sends no more, but may still read. */
  "fin",
  /** The link is gone: closed, or reset by the client. */
  "gone",
  /** The client has read everything that was written to it. */
  "drained",
  /** The state has lasted as long as `secondsIn` allows. */
  "overdue",
  /** Half a second has passed, or the supervisor has news. */
  "news",
  /** The proxy stops: idle connections end now, the others after their answer. */
  "drain",
  /** Another proxy accepts in place of this one, and the client has said nothing for a while. */
  "part",
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
  /** Hold the bytes until the request before them has proceeded. */
  "hold",
  /** Pass on the request's body, and hold the bytes that follow it. */
  "pass on",
  /** Hold the bytes, and look for an upgrade or TLS in them. */
  "look inside",
  /** Note that the client sends no more. */
  "note",
  /** Note the same; break off if the request's body is incomplete. */
  "note or break off",
  /** Join the tunnel now: nothing more can arrive that we would understand. */
  "join",
  /** Let the upstream send more. */
  "resume",
  /** Continue with the next request. */
  "next",
  /** Check again whether the request can proceed. */
  "ask again",
  /** End a request whose body has stood still for too long. */
  "watch body",
  /** Join the tunnel if its first bytes are not understood yet: they are passed on as they are. */
  "join late",
  /** Let the client's time to read our last words run down. */
  "count down",
  /** Answer 408 and end. */
  "refuse",
  /** End, and read on for a moment: the client may have sent a request just now. */
  "part",
  /** Close after the bytes that were written. */
  "close",
  /** Release everything. */
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
  sniffing: { ...quiet, bytes: "sniff", overdue: "close", drain: "close", part: "part" },
  idle: { ...quiet, bytes: "read", overdue: "close", drain: "close", part: "part" },
  // Half a request is not a request. A client that has begun one may complete it while the proxy stops.
  reading: { ...quiet, bytes: "read", overdue: "refuse", drain: "ignore", part: "ignore" },
  waiting: {
    bytes: "hold",
    fin: "note",
    gone: "end",
    drained: "ignore",
    overdue: "ignore",
    news: "ask again",
    drain: "ask again",
    part: "ignore",
  },
  exchanging: {
    bytes: "pass on",
    // A complete request is answered although its client sends no more.
    fin: "note or break off",
    gone: "end",
    drained: "resume",
    overdue: "ignore",
    news: "watch body",
    drain: "ignore",
    part: "ignore",
  },
  flushing: {
    bytes: "hold",
    fin: "note",
    gone: "end",
    drained: "next",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
    part: "ignore",
  },
  tunnelled: {
    bytes: "look inside",
    fin: "join",
    gone: "end",
    drained: "ignore",
    overdue: "join late",
    news: "ignore",
    drain: "ignore",
    part: "ignore",
  },
  // `link/join.ts` handles the events of both links and reports only the end of both.
  joined: {
    bytes: "ignore",
    fin: "ignore",
    gone: "end",
    drained: "ignore",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
    part: "ignore",
  },
  // `link/last-words.ts` handles the link while there are last words; after a plain close, we do.
  lingering: {
    ...quiet,
    bytes: "ignore",
    fin: "ignore",
    overdue: "ignore",
    news: "count down",
    drain: "ignore",
    part: "ignore",
  },
  closed: {
    bytes: "ignore",
    fin: "ignore",
    gone: "ignore",
    drained: "ignore",
    overdue: "ignore",
    news: "ignore",
    drain: "ignore",
    part: "ignore",
  },
};

/** Transitions that the connection itself makes. */
export const turns = [
  /** The first byte is not TLS. */
  "plain",
  /** A head has begun and is incomplete. */
  "begin",
  /** A request cannot proceed yet. */
  "wait",
  /** A request has an upstream. */
  "exchange",
  /** An answer is complete, but the client has not read it all. */
  "flush",
  /** The next request is read: the held bytes first, then new ones. */
  "next",
  /** CONNECT is granted. */
  "grant",
  /** Bytes go both ways unread from here on. */
  "join",
  /** Our last words have been written, or there are none. */
  "linger",
  /** The link is gone, or has another owner now. */
  "end",
] as const;

export type TurnName = (typeof turns)[number];

export const Turn = Object.fromEntries(turns.map((name, index) => [name, index])) as Readonly<
  Record<TurnName, number>
>;

/** Every open connection can be ended, with or without last words. */
const open = { linger: "lingering", end: "closed" } as const;

/** A connection whose client may send a request, or the rest of one. */
const reads = {
  ...open,
  begin: "reading",
  wait: "waiting",
  exchange: "exchanging",
  flush: "flushing",
  next: "idle",
  grant: "tunnelled",
} as const;

/** A turn that is missing from a row is a bug of ours. */
export const moves: Readonly<Record<StateName, Partial<Record<TurnName, StateName>>>> = {
  sniffing: { ...open, plain: "idle" },
  idle: reads,
  reading: reads,
  // A request that was already sent goes straight to its upstream; a held one is read again.
  waiting: { ...open, wait: "waiting", exchange: "exchanging", next: "idle" },
  exchanging: { ...open, wait: "waiting", flush: "flushing", next: "idle", join: "joined" },
  flushing: { ...open, next: "idle" },
  // An upgrade inside a tunnel is read like any other request.
  tunnelled: { ...open, next: "idle", join: "joined" },
  // A service that turned out to speak TLS has processed none of the bytes, so its tunnel begins again.
  joined: { ...open, grant: "tunnelled" },
  lingering: { ...open },
  closed: Object.fromEntries(turns.map((turn) => [turn, "closed"])),
};

/**
 * Seconds to send a whole head, from its first byte. nginx's client_header_timeout is 60; HAProxy's guide recommends
 * 10. Also for the first bytes inside a tunnel.
 */
export const headSeconds = 15;
/** Seconds in which a client may say nothing at all: a browser dials before it knows what to ask. */
export const silentSeconds = 30;
/** Seconds that a connection may be idle between requests: nginx's keepalive_timeout. */
export const idleSeconds = 75;
/** Seconds in which a client may read our last words while we discard its input. */
export const lingerSeconds = 2;

/** States that end after a time, with their limits in seconds. Waiting and last words have limits of their own. */
export const limits: Readonly<Partial<Record<StateName, number>>> = {
  sniffing: silentSeconds,
  idle: idleSeconds,
  reading: headSeconds,
  tunnelled: headSeconds,
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

/** The action, one of `Do`, for `event`, one of `On`, in a state. */
export function actionOn(state: ClientState, event: number): number {
  return actionTable[state * events.length + event]!;
}

/** The state that `turn`, one of `Turn`, leads to. @throws if it leads nowhere, which is a bug of ours. */
export function moved(state: ClientState, turn: number): ClientState {
  const next = moveTable[state * turns.length + turn]!;
  if (next === impossible) throw new Error(`a connection that is ${states[state]}: ${turns[turn]}`);
  return next;
}

/**
 * Seconds that a state may last. A client that has not sent a request yet has as long as for a head, and a tunnel
 * without a byte, which `held` counts, as long as it likes.
 */
export function secondsIn(
  state: ClientState,
  { served, held }: { served: number; held: number },
): number {
  if (state === At.tunnelled && held === 0) return Infinity;
  return state === At.idle && served === 0 ? headSeconds : limitTable[state]!;
}
