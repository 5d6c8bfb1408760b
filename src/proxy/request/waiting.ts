/** A request that cannot proceed yet -> the operation that it waits for, what was begun for it, and its next step. */
import type { CancelDial } from "../../link/dial.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Service } from "../../routes/service.ts";
import { headLimit } from "../../wire/head.ts";
import type { Dialect, Dialects } from "../upstream/dialect.ts";
import type { Dialler } from "../upstream/login-connection.ts";
import type { DialFailure, Upstream, UpstreamPool } from "../upstream/pool.ts";
import { noDescriptor, noFrames, noRequests, tooManyWait } from "../pages/refusal.ts";
import type { Destination } from "./destination.ts";
import {
  actionOn,
  afterFailure,
  type Event,
  onAbsence,
  patienceFor,
  startSeconds,
  type WaitsFor,
} from "./waits.ts";

/** How a service is dialled, and its key in the pool. */
export type Way = { service: Service } & Pick<Destination, "key" | "tls" | "h2"> & {
    /** Gives the connection; undefined: the pool does. */
    by?: Dialler | undefined;
    /** For a tunnel: no connection will do that has carried a request before. */
    fresh?: boolean;
  };

/** A failed dial, and the key that was dialled. */
export type Missed = DialFailure & { key: string };

/** Callbacks from a wait to the request's connection. */
export interface WaitingOwner {
  /** The client, as `DialRequest` has it. */
  readonly client: object;
  /** The host that the current request is for; undefined: it is not known. */
  readonly host: string | undefined;
  /** The request's current destination; undefined if nothing has its name. */
  leadsTo(): Destination | undefined;
  /** Decides again where the request goes. */
  decide(): void;
  /** Resends a request that was sent before. */
  send(upstream: Upstream): void;
  /** The service speaks otherwise than we did: the request is sent again. */
  replay(): void;
  /** The service speaks as we did: its answer stands. */
  readOn(): void;
  /** A step threw, which is our own fault: the client's connection ends. */
  failed(fault: unknown): void;
}

/** Shared by all waits of one proxy. */
export type WaitingShared = {
  readonly pool: UpstreamPool;
  readonly dialects: Dialects;
  /** Requests that wait for a service of the supervisor. */
  readonly waiting: Set<Waiting>;
  /** Resolves after a scan of the machine that begins after this call; `host` may be of another machine. */
  refresh(host?: string): Promise<unknown>;
  routes(): RouteTable;
  /** Seconds since the proxy started, in steps of a half: coarse, and free to read. */
  seconds(): number;
  /** The proxy ends, or another daemon has taken over and the proxy answers what it has begun. */
  draining(): boolean;
  /** The proxy ends. */
  stopping(): boolean;
  fault(fault: unknown): void;
};

export type WaitingFacts = {
  /**
   * `held`: the connection holds the request's bytes, and `decide` reads them again. `sent`: the request was sent, and
   * the exchange keeps the part that may be sent again.
   */
  bytes: "held" | "sent";
  /** The machine was already scanned for the request, or does not need to be. */
  looked?: boolean;
  /** If this attempt fails, a request that was sent is not sent again. */
  last?: boolean;
};

/** A wait for a service of the supervisor. Dials of the service may fail meanwhile. */
type ServiceWait = {
  /** When the wait began, by `seconds()`. */
  since: number;
  limit: number;
  woken: boolean;
  /** When the service had last ended, as known when the wait began. Milliseconds since the Unix epoch. */
  endedBefore: number | undefined;
  /** The route table in which the service was absent; undefined: the service was there, but accepted no connection. */
  table: RouteTable | undefined;
};

/** Octets of a request that may be held while the request waits for a service. */
export type Room = {
  octets: number;
  /** The body's length is unknown: a request that fills the room is refused. For any other, the client is paused. */
  endless: boolean;
};

/** Plain text, TLS and HTTP/2 inside of it are two lessons. A service that goes on saying otherwise has no way in. */
const lessonLimit = 4;

/** Waits that the supervisor's news may end. */
const supervisorTells: ReadonlySet<WaitsFor> = new Set(["service", "woken", "change"]);

export class Waiting {
  readonly bytes: "held" | "sent";
  readonly last: boolean;
  looked: boolean;
  /** The client has filled the room for a body of unknown length. */
  overfull = false;
  #for: WaitsFor = "look";
  /** Failed dials that have shown how the service wants to be dialled. */
  #lessons = 0;
  #dialled: Upstream | undefined;
  #failure: Missed | undefined;
  #way: Way | undefined;
  #cancelDial: CancelDial | undefined;
  #service: ServiceWait | undefined;
  #change: { since: number; table: RouteTable } | undefined;
  #room: Room | undefined;
  /** The request has proceeded, or its client is gone: later events are ignored. */
  #over = false;
  readonly #owner: WaitingOwner;
  readonly #shared: WaitingShared;

  constructor(owner: WaitingOwner, shared: WaitingShared, facts: WaitingFacts) {
    this.#owner = owner;
    this.#shared = shared;
    this.bytes = facts.bytes;
    this.looked = facts.looked ?? false;
    this.last = facts.last ?? false;
  }

  get waitsFor(): WaitsFor {
    return this.#for;
  }

  /** Octets that are held before the client is paused. */
  get room(): number {
    return Math.max(headLimit, this.#room?.octets ?? 0);
  }

  // Operations to wait for.

  /** Waits for a scan of the machine. */
  look(): void {
    this.#become("look");
    this.#shared.refresh(this.#owner.host).then(
      () => this.on("came"),
      (fault) => {
        this.#shared.fault(fault);
        this.on("failed");
      },
    );
  }

  /** Waits for a connection. */
  dial(way: Way): void {
    this.#become("dial");
    this.#way = way;
    const { service, key, tls, h2 } = way;
    const { client } = this.#owner;
    // A request that was sent on an idle connection in vain needs one that is new.
    const fresh = way.fresh ?? this.bytes === "sent";
    this.#cancelDial = (way.by ?? this.#shared.pool).dial(
      { endpoint: service.endpoint, key, tls, h2, client, fresh },
      {
        connected: (upstream) => {
          this.#cancelDial = undefined;
          this.#dialled = upstream;
          this.on("came");
        },
        failed: (failure) => {
          this.#cancelDial = undefined;
          this.#failure = { ...failure, key };
          // A request that was refused by frames of HTTP/2 already, and is refused by HTTP/2 now, has no other way.
          const isLast = this.bytes === "sent" && failure.shown === "no frames";
          const shown = isLast ? undefined : failure.shown;
          if (shown !== undefined) this.#shared.dialects.of(service).learn(shown);
          this.on(shown !== undefined && ++this.#lessons <= lessonLimit ? "learned" : "failed");
        },
      },
    );
  }

  /** Waits until we know whether the service speaks otherwise than we did at this address, inside TLS or not. */
  question(dialect: Dialect, way: { address: string; secured: boolean }): void {
    this.#become("question");
    dialect.ask(way.address, way).then(
      (secure) => this.on(dialect.h2 || (secure && !way.secured) ? "came" : "failed"),
      (fault) => {
        this.#shared.fault(fault);
        this.on("failed");
      },
    );
  }

  /**
   * Waits for a service of the supervisor. `table`: the routes by which the service cannot answer; undefined: a dial of
   * the service failed.
   * @returns false if the request has already waited for the maximum time.
   */
  service(
    supervised: Supervised,
    { woken, table, room }: { woken: boolean; table: RouteTable | undefined; room?: Room },
  ): boolean {
    const since = this.#shared.seconds();
    const limit = patienceFor(supervised, { woken });
    const endedBefore = supervised.lastExit?.time;
    this.#service ??= { since, limit, woken, endedBefore, table: undefined };
    const wait = this.#service;
    if (woken && !wait.woken) {
      // The request has waited for another event so far: the end of the service.
      Object.assign(wait, { since, limit, woken, endedBefore });
    }
    wait.table = table;
    this.#room ??= room;
    this.#become(wait.woken ? "woken" : "service");
    this.#shared.waiting.add(this);
    if (this.#isLate()) return false;
    // When something changes, the machine may have changed as well.
    this.looked = false;
    return true;
  }

  /**
   * Waits until the routes are others than `table`.
   * @returns false if the request has already waited for the maximum time.
   */
  change(table: RouteTable): boolean {
    this.#change = { since: this.#change?.since ?? this.#shared.seconds(), table };
    this.#become("change");
    this.#shared.waiting.add(this);
    return !this.#isLate();
  }

  /** Seconds that the wait for a service may last. */
  get limit(): number {
    return this.#service?.limit ?? 0;
  }

  /**
   * The service was started for this request. This happens once, so a service that ends at once is not started over and
   * over.
   */
  get woken(): boolean {
    return this.#service?.woken ?? false;
  }

  /** Whether the service that was started for this request has ended since. */
  hasEnded({ state, lastExit }: Supervised): boolean {
    return this.woken && state === "exited" && lastExit?.time !== this.#service!.endedBefore;
  }

  // Events.

  /** Half a second has passed, the supervisor has news, or the proxy stops. */
  news(): void {
    const waits = this.#service !== undefined || this.#change !== undefined;
    if (waits) this.on(this.#isLate() ? "late" : "news");
  }

  /** The client has sent more; `octets` are held now. */
  holds(octets: number): void {
    if (octets >= this.room) this.on(this.#room?.endless ? "overfull" : "full");
  }

  /** Most events come of timers and promises, so that nobody else would catch what a step throws. */
  on(event: Event): void {
    if (this.#over) return;
    try {
      this.#step(event);
    } catch (fault) {
      this.#owner.failed(fault);
    }
  }

  #step(event: Event): void {
    switch (actionOn(this.#for, event)) {
      case "decide":
        if (this.#for === "look") this.looked = true;
        this.#decide();
        return;
      case "send":
        if (this.bytes === "held") this.#owner.decide();
        else this.#owner.send(this.takeDialled()!);
        return;
      case "judge":
        if (afterFailure({ looked: this.looked, returns: false }) === "look") this.look();
        else this.#decide();
        return;
      case "ask":
        this.#ask();
        return;
      case "replay":
        this.#owner.replay();
        return;
      case "read on":
        this.#owner.readOn();
        return;
      case "give up":
        // By now, `service` reports that the request has waited for the maximum time.
        this.#owner.decide();
        return;
      case "too large":
        this.overfull = true;
        this.#owner.decide();
        return;
      case "drop":
        this.drop();
        return;
      default:
      // The owner pauses the client, or the event is ignored.
    }
  }

  /** Takes the connection that was dialled for the request. */
  takeDialled(): Upstream | undefined {
    const dialled = this.#dialled;
    this.#dialled = undefined;
    return dialled;
  }

  /** Takes the failure of dialling `key`. A failure of another key is discarded: nothing needs it any more. */
  takeFailure(key: string): Missed | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure?.key === key || this.#lessons > lessonLimit ? failure : undefined;
  }

  /** A request that already has a connection, and waits for nothing. */
  static with(upstream: Upstream, owner: WaitingOwner, shared: WaitingShared): Waiting {
    const waiting = new Waiting(owner, shared, { bytes: "held" });
    waiting.#dialled = upstream;
    return waiting;
  }

  /** The request proceeds, or its client is gone. */
  drop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelDial?.();
    this.#shared.waiting.delete(this);
    this.#hangUp();
  }

  #hangUp(): void {
    const dialled = this.takeDialled();
    if (dialled === undefined) return;
    // We no longer need the connection's events.
    dialled.link.handler = dialled;
    dialled.close();
  }

  #become(waitsFor: WaitsFor): void {
    this.#for = waitsFor;
    // The connection could be gone by the time that the request goes on, and a service that stops waits for its end.
    this.#hangUp();
    if (!supervisorTells.has(waitsFor)) this.#shared.waiting.delete(this);
  }

  #isLate(): boolean {
    const { since, limit } = this.#service ?? { ...this.#change!, limit: startSeconds };
    // A service goes on under the daemon that has taken over, which tells us of it.
    const shared = this.#shared;
    const isOver = this.#service === undefined ? shared.draining() : shared.stopping();
    return shared.seconds() - since >= limit || isOver;
  }

  /** Decides again. The request is not read again if it would only wait for the same service. */
  #decide(): void {
    const failure = this.#failure;
    const found =
      this.#service === undefined || failure === undefined ? undefined : this.#leadsTo();
    const supervised = found?.key === failure?.key ? comesBack(found, failure) : undefined;
    if (supervised === undefined || this.overfull) {
      this.#owner.decide();
      return;
    }
    // After too long a wait, this failure decides.
    if (this.service(supervised, { woken: false, table: undefined })) this.#failure = undefined;
    else this.on("late");
  }

  #leadsTo(): Destination | undefined {
    return this.#owner.leadsTo();
  }

  /** The supervisor has news, or half a second has passed: checks whether the service can answer now. */
  #ask(): void {
    const table = this.#shared.routes();
    if (this.#change !== undefined) {
      if (this.#change.table !== table) this.on("came");
      return;
    }
    const wait = this.#service!;
    // The table contains everything that a decision depends on, so nothing has changed.
    if (wait.table === table) return;
    const found = this.#leadsTo();
    const decision = found?.decision;
    if (decision?.kind === "absent") {
      const { kind, wakes } = onAbsence({
        turn: decision.turn,
        looked: this.looked,
        ended: this.hasEnded(decision.supervised),
        stranger: false,
        pageLoad: false,
        large: false,
      });
      if (kind === "wait" && !wakes) {
        wait.table = table;
        return;
      }
    } else if (
      wait.table === undefined &&
      this.#way !== undefined &&
      found?.key === this.#way.key
    ) {
      // The service had become ready but accepted no connection: dial again.
      this.dial(this.#way);
      return;
    }
    this.on("came");
  }
}

/** The supervisor's service that a request went to, if the service had become ready and is expected back. */
export function supervisedBehind(destination: Destination | undefined): Supervised | undefined {
  const decision = destination?.decision;
  const known = decision?.kind === "proxy" || decision?.kind === "tunnel";
  const supervised = known ? decision.supervised : undefined;
  return supervised?.state === "ready" || supervised?.state === "unready" ? supervised : undefined;
}

/** Failures of a dial that say nothing of the service's end. */
const stays: ReadonlySet<string> = new Set([
  "ETIMEDOUT",
  tooManyWait,
  noDescriptor,
  noFrames,
  noRequests,
]);

/**
 * Like `supervisedBehind`, for a failed dial. A service that does not answer its dial, or fails in TLS, does not
 * recover by itself.
 */
export function comesBack(
  destination: Destination | undefined,
  failure: DialFailure | undefined,
): Supervised | undefined {
  if (failure === undefined || stays.has(failure.code)) return undefined;
  return failure.handshake === undefined ? supervisedBehind(destination) : undefined;
}
