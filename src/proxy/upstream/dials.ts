/** Requests that need a connection to one endpoint -> connections, no more at once than the server has room for. */
import { type CancelDial, dial } from "../../link/dial.ts";
import type { HandshakeVerdict } from "../../link/handshake-verdict.ts";
import { type Link, nobody } from "../../link/link.ts";
import type { Endpoint } from "../../routes/service.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { DescriptorRoom } from "../../system/descriptor-room.ts";
import type { Knocks } from "../../system/knock.ts";
import { isSocketPath } from "../../text/place.ts";
import { type DialEvent, type DialState, stepOn } from "./dial-states.ts";
import type { Evidence } from "./evidence.ts";
import type { ListenersAt } from "../../system/listener-at.ts";
import { noDescriptor, notOurs, otherServer, tooManyWait } from "../pages/refusal.ts";
import { Turns } from "./turns.ts";

/** Dials under way to start with: as many as a browser opens to one server. Python's servers have room for six. */
const firstWidth = 6;
/** Dials under way while each opens fast: four times what a browser sends to one server at once over HTTP/2. */
const lastWidth = 128;
/** Milliseconds within which a dial opened fast. Over loopback, a tenth of one is usual. */
const fastMilliseconds = 50;

/** RFC 9110 has no number; nginx waits 60 s, which is far too long for a server on the same machine. */
export const connectMilliseconds = 5_000;
/** Milliseconds for which a request waits for its turn while others have theirs: nginx waits as long for an answer. */
const turnMilliseconds = 60_000;
/** Milliseconds between two looks whether a server has room again. The pool lets connections rest as long. */
const lookMilliseconds = 10;

/**
 * A failed attempt: the address that was dialled last, and the reason: the system's error code, one of `refusal.ts`, or
 * the result of the TLS handshake.
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
  /** Those whose connections are dialled take turns: a client's connection, with all streams of HTTP/2 on it. */
  client: object;
  /** No connection will do that has carried a request before. */
  fresh: boolean;
};

export type DialTurn<Made> = {
  connected(upstream: Made): void;
  failed(failure: DialFailure): void;
};

/** `Made`: a connection as the pool keeps it. */
export type DialsShared<Made extends { readonly key: string }> = {
  clock: Clock;
  /** Undefined: this system cannot tell whether a server has room. */
  knocks: Knocks | undefined;
  room: DescriptorRoom;
  /** Whether only these users, our own or root listen there; undefined: this system cannot tell. */
  isOwn?:
    ((place: { address: string; port: number }, owners: readonly number[]) => boolean) | undefined;
  /** The listening sockets that a connection would reach; undefined: this system cannot tell. */
  listenersAt?: ListenersAt | undefined;
  /** Whether somebody listens at the path of a unix socket; undefined: this system cannot tell. */
  listensAt?: ((path: string) => boolean | undefined) | undefined;
  /** An idle connection for a request that waits. */
  take(key: string): Made | undefined;
  /** A connection was opened for a request. */
  made(
    link: Link,
    request: DialRequest,
    way: { address: string; protocol: string | undefined; dials: EndpointDials<Made> },
  ): Made;
  /** Nobody needs this connection, on which nothing was sent. */
  spare(upstream: Made): void;
};

/** One request's wish. */
type Wish<Made> = {
  state: DialState;
  readonly request: DialRequest;
  readonly turn: DialTurn<Made>;
  readonly since: number;
};

/** How the server is reached: an address, and the connection if it is open already. */
type Reached = { address: string; descriptor: number };

/** A connection that is not open yet, and the sockets that it was meant for. */
type Pending = Reached & { sockets: readonly number[] | undefined };

export class EndpointDials<Made extends { readonly key: string }> {
  readonly #shared: DialsShared<Made>;
  readonly #waiting = new Turns<Wish<Made>>();
  #underWay = 0;
  #width = firstWidth;
  /** A connection that the kernel could not make at once. */
  #pending: Pending | undefined;
  /** The server had no room when we looked last; the timer looks again. */
  #full = false;
  /** No descriptor was left for a connection when we looked last. */
  #short = false;
  /** When the last connection was opened, or came back. */
  #progress = 0;
  #cancelLook: Cancel | undefined;
  #scheduled = false;
  #stopped = false;

  constructor(shared: DialsShared<Made>) {
    this.#shared = shared;
  }

  /** Nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#underWay === 0;
  }

  /** Reports exactly one outcome, later, unless cancelled. */
  dial(request: DialRequest, turn: DialTurn<Made>): CancelDial {
    const wish: Wish<Made> = { state: "queued", request, turn, since: this.#shared.clock.now() };
    this.#waiting.add(wish, request.client);
    this.#schedule();
    return () => this.#on(wish, "left");
  }

  /** A connection has been answered on, and came back `now`. */
  answered(now: number): void {
    this.#progress = now;
    this.freed();
  }

  /** A connection came back, or has ended: the server may have room. */
  freed(): void {
    if (this.#waiting.size === 0) return;
    this.#full = false;
    this.#schedule();
  }

  /** Twice a second: requests that have waited too long. */
  tick(): void {
    if (this.#waiting.size === 0) return;
    const now = this.#shared.clock.now();
    for (const wish of this.#waiting.all) {
      const code = this.#tooLate(wish, now);
      if (code !== undefined) this.#on(wish, "late", { failure: failureOf(wish.request, code) });
    }
  }

  #tooLate({ since }: Wish<Made>, now: number): string | undefined {
    if (now - since >= turnMilliseconds) return this.#short ? noDescriptor : tooManyWait;
    if (now - Math.max(since, this.#progress) < connectMilliseconds) return undefined;
    return this.#short ? noDescriptor : "ETIMEDOUT";
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelLook?.();
    this.#giveUpPending();
  }

  /** The only place where a wish's state changes. */
  #on(
    wish: Wish<Made>,
    event: DialEvent,
    told: { upstream?: Made; failure?: DialFailure; reached?: Reached | undefined } = {},
  ): void {
    const step = stepOn(wish.state, event);
    if (step === undefined) return;
    const wasQueued = wish.state === "queued";
    wish.state = step.next;
    if (wasQueued && event === "left") this.#waiting.remove(wish, wish.request.client);
    else if (wasQueued) this.#waiting.take(wish, wish.request.client);
    switch (step.action) {
      case "connect":
        this.#connect(wish, told.reached);
        return;
      case "hand over":
        wish.turn.connected(told.upstream!);
        return;
      case "report":
        wish.turn.failed(told.failure!);
        return;
      case "queue again":
        this.#waiting.putBack(wish, wish.request.client);
        return;
      case "spare":
        this.#give(told.upstream!);
        return;
      default:
      // Nothing is left to do.
    }
  }

  /** Once for all that is asked for in one turn of the event loop: what is taken back within it costs nothing. */
  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#serve();
    });
  }

  /** Serves those that wait, as far as that is possible now. */
  #serve(): void {
    this.#serveIdle();
    while (!this.#full && this.#underWay < this.#width) {
      const wish = this.#waiting.first;
      if (wish === undefined) break;
      this.#short = !this.#shared.room.forServers();
      if (this.#short) break;
      const reached = this.#knock(wish.request.endpoint);
      if (reached === "full") {
        this.#full = true;
        this.#width = firstWidth;
        break;
      }
      this.#on(wish, "turn", { reached });
    }
    if (this.#waiting.size === 0) this.#giveUpPending();
    else this.#lookLater();
  }

  /** Idle connections to those that may have one. */
  #serveIdle(): void {
    let none: Set<string> | undefined;
    const mayHave = ({ request }: Wish<Made>): boolean =>
      !request.fresh && none?.has(request.key) !== true;
    for (let wish = this.#waiting.find(mayHave); wish; wish = this.#waiting.find(mayHave)) {
      const upstream = this.#shared.take(wish.request.key);
      if (upstream === undefined) none = (none ?? new Set()).add(wish.request.key);
      else this.#on(wish, "served", { upstream });
    }
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#shared.clock.after(lookMilliseconds, () => {
      this.#cancelLook = undefined;
      this.#full = false;
      if (!this.#stopped) this.#serve();
    });
  }

  /** @returns undefined if only an ordinary dial can tell. */
  #knock(endpoint: Endpoint): Reached | "full" | undefined {
    const { knocks, room } = this.#shared;
    // On the way to another machine, a connection that is not open yet says nothing about the server's room.
    if (knocks === undefined || endpoint.isElsewhere) return undefined;
    const pending = this.#pending;
    const isWanted =
      pending !== undefined &&
      endpoint.dial.includes(pending.address) &&
      String(endpoint.sockets) === String(pending.sockets);
    if (isWanted && knocks.look(pending.descriptor) === "open") {
      this.#pending = undefined;
      return pending;
    }
    this.#giveUpPending();
    const { port, sockets } = endpoint;
    for (const address of endpoint.dial) {
      if (this.#wrongAt(address, endpoint) !== undefined) continue;
      const descriptor = knocks.begin(address, port);
      if (descriptor < 0) return undefined;
      room.note(descriptor);
      const state = knocks.look(descriptor);
      if (state === "open") return { address, descriptor };
      if (state === "pending") {
        this.#pending = { address, descriptor, sockets };
        return "full";
      }
      knocks.close(descriptor);
    }
    return undefined;
  }

  /** Why a connection to this address would not reach the service, as a code; undefined: nothing speaks against it. */
  #wrongAt(address: string, { port, owners, sockets }: Endpoint): string | undefined {
    const { isOwn, listenersAt } = this.#shared;
    const isPath = isSocketPath(address);
    // Another user may have the address by now.
    const isAsked = owners !== undefined || isPath;
    if (isAsked && isOwn?.({ address, port }, owners ?? []) === false) {
      return isPath ? notOurs : "ECONNREFUSED";
    }
    if (sockets === undefined || isPath) return undefined;
    // Where nobody listens, the dial says so.
    const strange = listenersAt?.({ address, port })?.some((inode) => !sockets.includes(inode));
    return strange ? otherServer : undefined;
  }

  #giveUpPending(): void {
    if (this.#pending !== undefined) this.#shared.knocks?.close(this.#pending.descriptor);
    this.#pending = undefined;
  }

  /** Makes a connection: over one that is open, or to each address in turn. */
  #connect(wish: Wish<Made>, reached: Reached | undefined): void {
    const { clock, listensAt } = this.#shared;
    const { request } = wish;
    const { endpoint, tls } = request;
    const { port } = endpoint;
    const begun = clock.now();
    this.#underWay++;
    const over = (
      event: "opened" | "failed" | "full",
      told: { upstream?: Made; failure?: DialFailure } = {},
    ) => {
      this.#underWay--;
      this.#schedule();
      this.#on(wish, event, told);
    };
    const attempt = (index: number, descriptor?: number): void => {
      const address = endpoint.dial[index]!;
      let cancel: CancelDial = () => {};
      let cancelTimer: Cancel = () => {};
      const failed = (code: string): void => {
        cancelTimer();
        // A unix socket whose queue is full refuses, where a port lets the kernel wait.
        if (code === "ECONNREFUSED" && isSocketPath(address) && listensAt?.(address) === true) {
          this.#full = true;
          this.#width = firstWidth;
          over("full");
        } else if (index + 1 < endpoint.dial.length) attempt(index + 1);
        else over("failed", { failure: { address, code, handshake: undefined } });
      };
      const wrong = descriptor === undefined ? this.#wrongAt(address, endpoint) : undefined;
      if (wrong !== undefined) {
        // Asynchronous, like every other failure.
        clock.after(0, () => failed(wrong));
        return;
      }
      if (descriptor === undefined || tls !== undefined) {
        cancelTimer = clock.after(connectMilliseconds, () => {
          cancel();
          failed("ETIMEDOUT");
        });
      }
      cancel = dial(
        { address, port, tls, descriptor },
        {
          connected: (link, protocol) => {
            cancelTimer();
            const now = clock.now();
            this.#progress = now;
            // One that was open already has told nothing but how busy we are.
            const isFast = reached !== undefined || now - begun < fastMilliseconds;
            this.#width = isFast ? Math.min(lastWidth, this.#width + 1) : firstWidth;
            over("opened", {
              upstream: this.#shared.made(link, request, { address, protocol, dials: this }),
            });
          },
          failed,
          // The server was reached; another address may lead to another server.
          unsecured: (handshake) => {
            cancelTimer();
            over("failed", {
              failure: { address, code: "EPROTO", handshake, shown: shownBy(handshake) },
            });
          },
        },
        nobody,
      );
    };
    if (reached === undefined) attempt(0);
    else attempt(endpoint.dial.indexOf(reached.address), reached.descriptor);
  }

  /** A connection whose client has left. */
  #give(upstream: Made): void {
    const wish = this.#waiting.find(({ request }) => request.key === upstream.key);
    if (wish === undefined) this.#shared.spare(upstream);
    else this.#on(wish, "served", { upstream });
  }
}

/** The evidence of a handshake that failed. */
function shownBy(handshake: NonNullable<DialFailure["handshake"]>): Evidence | undefined {
  if (handshake.kind === "plain") return "plain handshake";
  const isAboutProtocol = handshake.kind === "refused" && handshake.why.includes(refusedProtocol);
  return isAboutProtocol ? "no http/1.1" : undefined;
}

/** OpenSSL's name for the alert that RFC 7301 section 3.2 has. */
const refusedProtocol = "no application protocol";

function failureOf({ endpoint }: DialRequest, code: string): DialFailure {
  return { address: endpoint.dial[0]!, code, handshake: undefined };
}
