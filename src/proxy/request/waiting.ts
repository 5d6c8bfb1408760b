/** A request that cannot go on yet: what it waits for, what was begun for it, and what it tries next. */
import type { CancelDial } from "../../link/dial.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Service } from "../../routes/service.ts";
import { headLimit } from "../../wire/head.ts";
import type { Dialect, Dialects } from "../upstream/dialect.ts";
import type { DialFailure, Upstream, UpstreamPool } from "../upstream/pool.ts";
import type { Destination } from "./destination.ts";
import {
  actionOn,
  afterFailure,
  type Event,
  onAbsence,
  patienceFor,
  type WaitsFor,
} from "./waits.ts";

/** How a service is dialled, and the pool's key for it. */
export type Way = { service: Service } & Pick<Destination, "key" | "tls">;

/** A failed dial, and the key of what was dialled. */
export type Missed = DialFailure & { key: string };

/** What the request's connection does for it. */
export interface WaitingOwner {
  /** Where the request leads now; undefined where nothing has its name. */
  leadsTo(): Destination | undefined;
  /** Decides again where the request goes. */
  decide(): void;
  /** Sends a request once more that was sent before. */
  send(upstream: Upstream): void;
  /** The service speaks TLS, so the request is sent again inside it. */
  replay(): void;
  /** The service speaks what was sent to it: its answer stands. */
  readOn(): void;
}

/** What the waits of one proxy share. */
export type WaitingShared = {
  readonly pool: UpstreamPool;
  readonly dialects: Dialects;
  /** Requests that wait for a service of the supervisor. */
  readonly waiting: Set<Waiting>;
  /** Waits for one look at the machine that begins after this call. */
  refresh(): Promise<unknown>;
  routes(): RouteTable;
  /** Seconds since the proxy started, in halves: coarse, and free to ask. */
  seconds(): number;
  draining(): boolean;
  fault(fault: unknown): void;
};

export type WaitingFacts = {
  /**
   * Where the request is: its bytes are `held` and read again by `decide`, or it was `sent`, and the exchange has what
   * may be sent again.
   */
  bytes: "held" | "sent";
  /** The request has had its look at the machine, or needs none. */
  looked?: boolean;
  /** A request that was sent is not sent again after this time. */
  last?: boolean;
};

/** A wait for a service of the supervisor; it may be dialled in vain meanwhile. */
type ServiceWait = {
  /** When the wait began, by `seconds()`. */
  since: number;
  limit: number;
  woken: boolean;
  /** When the service had ended last, by then; in milliseconds since the Unix epoch. */
  endedBefore: number | undefined;
  /** The table by which the service was found absent; undefined: it was there, and took no connection. */
  table: RouteTable | undefined;
};

/** Octets of a request that may be held while it waits for a service. */
export type Room = {
  octets: number;
  /** Its end cannot be foreseen: a request that fills the room is refused. Of any other, the client is paused. */
  endless: boolean;
};

export class Waiting {
  readonly bytes: "held" | "sent";
  readonly last: boolean;
  looked: boolean;
  /** The client has filled the room of a body whose end cannot be foreseen. */
  overfull = false;
  #for: WaitsFor = "look";
  #dialled: Upstream | undefined;
  #failure: Missed | undefined;
  #way: Way | undefined;
  #cancelDial: CancelDial | undefined;
  #service: ServiceWait | undefined;
  #room: Room | undefined;
  /** The request has gone on, or its client is gone: what comes now is for nobody. */
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

  // What it waits for.

  /** Waits for a look at the machine. */
  look(): void {
    this.#become("look");
    this.#shared.refresh().then(
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
    const { service, key, tls } = way;
    this.#cancelDial = this.#shared.pool.dial(
      { endpoint: service.endpoint, key, tls },
      {
        connected: (upstream) => {
          this.#cancelDial = undefined;
          this.#dialled = upstream;
          this.on("came");
        },
        failed: (failure) => {
          this.#cancelDial = undefined;
          this.#failure = { ...failure, key };
          if (failure.handshake?.kind === "plain") {
            this.#shared.dialects.of(service).learn("plain handshake");
          }
          this.on("failed");
        },
      },
    );
  }

  /** Waits for the answer whether the service speaks TLS. */
  question(dialect: Dialect, address: string): void {
    this.#become("question");
    dialect.ask(address, { doubted: true }).then(
      (secure) => this.on(secure ? "came" : "failed"),
      (fault) => {
        this.#shared.fault(fault);
        this.on("failed");
      },
    );
  }

  /**
   * Waits for a service of the supervisor. `table`: the routes by which it cannot answer; undefined: it was dialled in vain.
   * @returns false where the request has waited for as long as it may.
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
      // The request waited for another thing so far: that the service ends.
      Object.assign(wait, { since, limit, woken, endedBefore });
    }
    wait.table = table;
    this.#room ??= room;
    this.#become(wait.woken ? "woken" : "service");
    this.#shared.waiting.add(this);
    if (this.#isLate()) return false;
    // By the time that something changes, the machine may have changed as well.
    this.looked = false;
    return true;
  }

  /** Seconds that the wait for a service may last. */
  get limit(): number {
    return this.#service?.limit ?? 0;
  }

  /** The service was started for this request: once, so one that ends at once is not started over and over. */
  get woken(): boolean {
    return this.#service?.woken ?? false;
  }

  /** Whether the service that was started for this request has ended since. */
  hasEnded({ state, lastExit }: Supervised): boolean {
    return this.woken && state === "exited" && lastExit?.time !== this.#service!.endedBefore;
  }

  // What happens.

  /** Half a second has passed, the supervisor has news, or the proxy stops. */
  news(): void {
    if (this.#service !== undefined) this.on(this.#isLate() ? "late" : "news");
  }

  /** The client has sent more, and so much is held now. */
  holds(octets: number): void {
    if (octets >= this.room) this.on(this.#room?.endless ? "overfull" : "full");
  }

  on(event: Event): void {
    if (this.#over) return;
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
        // By now, `service` says that the request has waited for as long as it may.
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
      // Paused by the owner, or nothing.
    }
  }

  /** Takes the connection that was dialled for the request. */
  takeDialled(): Upstream | undefined {
    const dialled = this.#dialled;
    this.#dialled = undefined;
    return dialled;
  }

  /** Takes what came of dialling `key`; what was dialled for another key is of no use any more. */
  takeFailure(key: string): Missed | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure?.key === key ? failure : undefined;
  }

  /** A request that had a connection already, and waits for nothing. */
  static with(upstream: Upstream, owner: WaitingOwner, shared: WaitingShared): Waiting {
    const waiting = new Waiting(owner, shared, { bytes: "held" });
    waiting.#dialled = upstream;
    return waiting;
  }

  /** The request goes on, or its client is gone. */
  drop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelDial?.();
    this.#shared.waiting.delete(this);
    const dialled = this.takeDialled();
    if (dialled === undefined) return;
    // What becomes of it is no longer our news.
    dialled.link.handler = dialled;
    dialled.link.close();
  }

  #become(waitsFor: WaitsFor): void {
    this.#for = waitsFor;
    if (waitsFor !== "service" && waitsFor !== "woken") this.#shared.waiting.delete(this);
  }

  #isLate(): boolean {
    const wait = this.#service!;
    return this.#shared.seconds() - wait.since >= wait.limit || this.#shared.draining();
  }

  /** Decides again, without reading the request again where it would come to wait for the same service. */
  #decide(): void {
    const failure = this.#failure;
    const found =
      this.#service === undefined || failure === undefined ? undefined : this.#leadsTo();
    const supervised = found?.key === failure?.key ? comesBack(found, failure) : undefined;
    if (supervised === undefined) {
      this.#owner.decide();
      return;
    }
    // A wait that has lasted too long is decided with this failure.
    if (this.service(supervised, { woken: false, table: undefined })) this.#failure = undefined;
    else this.on("late");
  }

  #leadsTo(): Destination | undefined {
    return this.#owner.leadsTo();
  }

  /** The supervisor has news, or half a second has passed: can the service answer now? */
  #ask(): void {
    const table = this.#shared.routes();
    const wait = this.#service!;
    // The table says all that a decision depends on, so nothing has changed.
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
      // It was well, and took no connection: it is dialled again.
      this.dial(this.#way);
      return;
    }
    this.on("came");
  }
}

/** The service of the supervisor that a request went to, where it was well and is expected back. */
export function supervisedBehind(destination: Destination | undefined): Supervised | undefined {
  const decision = destination?.decision;
  const known = decision?.kind === "proxy" || decision?.kind === "tunnel";
  const supervised = known ? decision.supervised : undefined;
  return supervised?.state === "ready" || supervised?.state === "unready" ? supervised : undefined;
}

/** The same, of a service that was dialled in vain. One that is there and does not answer, or fails in TLS, will not mend itself. */
export function comesBack(
  destination: Destination | undefined,
  failure: DialFailure | undefined,
): Supervised | undefined {
  if (failure === undefined || failure.code === "ETIMEDOUT") return undefined;
  return failure.handshake === undefined ? supervisedBehind(destination) : undefined;
}
