/** A client's link into answered requests, one after another, each routed by itself. */
import type { Asked, Callers } from "../../discovery/callers.ts";
import { type Joined, join } from "../../link/join.ts";
import type { CancelDial } from "../../link/dial.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import { nearest } from "../../text/nearest.ts";
import type { Turn } from "../../routes/decide.ts";
import type { Service } from "../../routes/service.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { RouteTable } from "../../routes/table.ts";
import { encode, latin1 } from "../../wire/bytes.ts";
import { Field } from "../../wire/field.ts";
import { listHolds, type RequestFraming } from "../../wire/framing.ts";
import { headLimit, RequestHead } from "../../wire/head.ts";
import type { Bad } from "../../wire/parsed.ts";
import { sniff } from "../../wire/sniff.ts";
import { readTarget, type Target } from "../../wire/target.ts";
import { covers } from "./covers.ts";
import {
  type Destination,
  type Destinations,
  isSameDestination,
  type Mode,
  securedKey,
} from "../request/destination.ts";
import type { Dialects } from "../upstream/dialect.ts";
import { DoubtedTunnel } from "../tunnel/doubted-tunnel.ts";
import { errorPage, type Problem } from "../pages/error-page.ts";
import {
  Exchange,
  type ExchangeOwner,
  type ExchangeShared,
  lostWhy,
} from "../upstream/exchange.ts";
import { writeRequest } from "../upstream/forward.ts";
import { Held } from "../../link/held.ts";
import { mayBeUpgrade } from "../tunnel/first-bytes.ts";
import { hearsDetails } from "../pages/hears-details.ts";
import { isStrangers } from "../request/is-strangers.ts";
import { lastRecipientReply } from "../request/last-recipient.ts";
import { type Wants, wantsOf } from "../pages/negotiate.ts";
import { frontPath, type OwnPages } from "../pages/own-pages.ts";
import { isPageLoad } from "../request/page-load.ts";
import type { Entry, Recorder } from "../request/recorder.ts";
import type { HttpsRedirect } from "../request/redirect.ts";
import { encodeReply, type Reply } from "../pages/reply.ts";
import { type Absence, absentPage, linesShown } from "../pages/supervised-page.ts";
import {
  heldBodyLimit,
  restartSeconds,
  startSeconds,
  type Supervision,
} from "../request/supervision.ts";
import type { DialFailure, Upstream } from "../upstream/pool.ts";

/** Seconds to send a whole head, from its first byte. nginx's client_header_timeout is 60, HAProxy's guide says 10. */
export const headSeconds = 30;
/** Seconds a connection may stand idle between requests: nginx's keepalive_timeout. */
export const idleSeconds = 75;
/** Seconds in which a client may read our last words while we throw away what it still sends. */
const lingerSeconds = 2;

/** How the inside of a TLS connection came to be. */
export type Inside = {
  /** What the client called us in its ClientHello; undefined where it did not, or where that is no matter any more. */
  serverName: string | undefined;
  /** The TLS is inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
};

/** What all connections of one proxy share. */
export interface ConnectionShared extends ExchangeShared {
  /** The services as they are known now. */
  routes(): RouteTable;
  /** Waits for one look at the machine that begins after this call. */
  refresh(): Promise<unknown>;
  /** Whether the process that was found with the service still runs; cheap. */
  stillThere(service: Service): boolean;
  /** Somebody uses the proxy. Costs next to nothing. */
  touch(): void;
  readonly pages: OwnPages;
  /** Our part of every Via: tells this proxy from every other. */
  readonly instance: string;
  /** Seconds since the proxy started, in halves: coarse, and free to ask. */
  seconds(): number;
  /** All that we accept on. */
  readonly ownPorts: readonly number[];
  readonly urlPorts: UrlPorts;
  /** The answer to page loads that should have come by TLS; undefined: they are as welcome. */
  readonly redirect: HttpsRedirect | undefined;
  readonly destinations: Destinations;
  /** Exchanges whose clients are gone: connections of one request each are too short to build them anew. */
  readonly spare: Exchange[];
  /** What the head at hand says: read and used within one call. */
  readonly framing: RequestFraming;
  /** Whether clients that speak TLS are heard. */
  terminates(): boolean;
  /** Whether there are certificates for bare names. */
  bareNames(): boolean;
  /** What the services speak. */
  readonly dialects: Dialects;
  /** Undefined: nothing is supervised. */
  readonly supervision: Supervision | undefined;
  /** Connections whose request waits for a service of the supervisor. */
  readonly holding: Set<Connection>;
  /** The connection's link goes on inside of TLS, of which `first` has been read. @returns false where we speak no TLS. */
  secure(connection: Connection, first: Uint8Array, where: Pick<Inside, "tunnelled">): boolean;
  /** Notes every request; undefined: nobody wants to know. */
  readonly recorder: Recorder | undefined;
  /** Whose the clients are; undefined: nobody can tell. */
  readonly callers: Callers | undefined;
  /** The connection is gone, or has become a tunnel that is gone. */
  gone(connection: Connection): void;
}

/** Where a connection stands. What each event does in each state is in the methods of the event. */
export const At = {
  /** No byte has come. */
  sniffing: 0,
  /** Between requests, or within a head. */
  reading: 1,
  /** A request waits for a look at the machine or for a connection; input is held. */
  waiting: 2,
  /** A request is being answered. */
  exchanging: 3,
  /** Answered; what was written is not yet taken, so the next request waits. */
  flushing: 4,
  /** CONNECT was granted and it is not yet clear whether the client speaks HTTP within. */
  tunnelled: 5,
  /** Bytes go both ways unread. */
  joined: 6,
  /** Our last words are on their way; input is thrown away. */
  lingering: 7,
  closed: 8,
} as const;

export type State = (typeof At)[keyof typeof At];

/** A request that waits for a service of the supervisor. */
type Hold = {
  /** As `seconds()` has it. */
  since: number;
  /** Seconds. */
  limit: number;
  /** Octets that may be held meanwhile. */
  room: number;
  /** Its end cannot be foreseen: where `room` is full, it is refused. Else its client is paused. */
  endless: boolean;
  /** It was. */
  full: boolean;
  /** Nothing is tried for it at the moment. */
  parked: boolean;
  /** The service was started for it. */
  woken: boolean;
  /** When the service had ended last, by then; in milliseconds since the Unix epoch. */
  endedBefore: number | undefined;
  /** Tries again. */
  resume: () => void;
};

/** How a service is dialled, and the pool's key for it. */
type Way = { service: Service } & Pick<Destination, "key" | "tls">;

/** What `#handle` says of a request that waits and will be read again. */
const WAITS = -1;
/** What it says when the connection does not go on to another request from here. */
const TAKEN = -2;

const established = encode("HTTP/1.1 200 Connection Established\r\n\r\n");

export class Connection implements LinkHandler, ExchangeOwner {
  /** The link is the inside of a TLS connection. */
  readonly secured: boolean;
  /** As `Inside` has it; undefined in a tunnel, which is another place than the one that was called so. */
  #serverName: string | undefined;
  /** What is asked for here is asked for inside a tunnel that CONNECT was granted. */
  #tunnelled: boolean;
  /** The destination that was found to be what the server name stands for. */
  #covered: Destination | undefined;
  #state: State = At.sniffing;
  #since: number;
  #head: RequestHead;
  #held = new Held();
  #exchange: Exchange;
  #destination: Destination | undefined;
  #service: Service | undefined;
  /** The upstream this client used last. */
  #kept: Upstream | undefined;
  /** Dialled for the request that waits. */
  #dialled: Upstream | undefined;
  #dialFailure: (DialFailure & { key: string }) | undefined;
  #cancelDial: CancelDial | undefined;
  /** The request that waits has had its look at the machine. */
  #refreshed = false;
  #hold: Hold | undefined;
  /** The request was sent to a service that ended, and has waited for it to come back. */
  #sentAgain = false;
  #served = 0;
  /** The client sends no more. */
  #inputEnded = false;
  /** The client asked for no further request, and this one is all here. */
  #lastRequest = false;
  /** The service is being asked whether it speaks TLS. */
  #asking = false;
  /** Seconds for which it could not be told whether the client still exists. */
  #doubted = 0;
  /** The last request was HEAD. */
  #headRequest = false;
  /** The bytes that `#head` was read from, while it is being handled. */
  #headBytes: Uint8Array | undefined;
  /** The request under way, from its complete head to its answer's end, for the record. */
  #entry: Entry | undefined;
  #asked: Asked | undefined;

  constructor(
    readonly link: Link,
    readonly shared: ConnectionShared,
    /** Undefined: the link is what a client dialled. */
    inside?: Inside,
  ) {
    this.secured = inside !== undefined;
    this.#serverName = inside?.serverName;
    this.#tunnelled = inside?.tunnelled ?? false;
    this.#since = shared.seconds();
    this.#exchange = shared.spare.pop() ?? new Exchange(shared);
    this.#exchange.attach(link, this);
    this.#head = this.#exchange.requestHead;
    link.handler = this;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Whether it is time to ask if the client still exists. It may not where it has sent its last byte and waits, or where
   * its link is paused, which hides that it has. Asked after 1, 2, 4, 8 and more seconds: most such clients are there.
   */
  get mayBeGone(): boolean {
    if (this.#state !== At.exchanging && this.#state !== At.waiting) return false;
    if (!this.#inputEnded && !this.link.paused) {
      this.#doubted = 0;
      return false;
    }
    this.#doubted++;
    return (this.#doubted & (this.#doubted - 1)) === 0;
  }

  // Events of the client's link.

  data(bytes: Uint8Array): void {
    switch (this.#state) {
      case At.sniffing:
        if (sniff(bytes[0]!) === "tls") {
          this.#secure(bytes);
          return;
        }
        this.#become(At.reading);
        this.#process(bytes, false);
        return;
      case At.reading:
        if (this.#held.length === 0) {
          if (!this.#head.begun) this.#since = this.shared.seconds();
          this.#process(bytes, false);
          return;
        }
        this.#held.add(bytes);
        this.#process(this.#held.view(), true);
        return;
      case At.exchanging: {
        const from = this.#exchange.request.done ? 0 : this.#exchange.requestBytes(bytes, 0);
        if (this.#state === At.exchanging || this.#state === At.reading) {
          this.#held.add(bytes, from);
          this.#regulate();
        }
        return;
      }
      case At.tunnelled:
        this.#held.add(bytes);
        this.#lookInside();
        return;
      case At.waiting:
        this.#held.add(bytes);
        if (this.#hold?.endless && this.#held.length > this.#hold.room) this.#hold.full = true;
        if (this.#hold?.full) this.#resume();
        this.#regulate();
        return;
      case At.flushing:
        this.#held.add(bytes);
        this.#regulate();
        return;
      default:
        // Lingering: the client was told that nothing more is read.
        return;
    }
  }

  drained(): void {
    if (this.#state === At.flushing) this.#next();
    else this.#exchange.clientDrained();
  }

  ended(): void {
    this.#inputEnded = true;
    switch (this.#state) {
      case At.exchanging:
        // Half a request is none; a whole one is answered although its client sends no more.
        if (!this.#exchange.request.done) this.#abandon();
        return;
      case At.waiting:
      case At.flushing:
        return;
      case At.tunnelled:
        this.#joinDialled();
        return;
      default:
        this.#close();
    }
  }

  closed(cause: Error | undefined): void {
    if (this.#state === At.closed) return;
    this.#cancelDial?.();
    this.#exchange.cancel();
    if (cause !== undefined && this.#state === At.tunnelled) this.#dialled?.link.abort();
    this.#dropDialled();
    this.#held.clear();
    this.#letGo();
    this.#state = At.closed;
    this.#gone();
    if (this.shared.spare.length < 64) this.shared.spare.push(this.#exchange);
  }

  failed(fault: unknown): void {
    this.shared.fault(fault);
  }

  /** Twice a second: what has stood for too long. */
  tick(): void {
    // It may have begun right before the last tick.
    const age = this.shared.seconds() - this.#since + 0.5;
    if (this.#state === At.sniffing) {
      if (age >= headSeconds) this.#close();
    } else if (this.#state === At.reading) {
      const begun = this.#head.begun;
      if (begun && age >= headSeconds) this.#refuse({ status: 408 });
      else if (!begun && age >= (this.#served === 0 ? headSeconds : idleSeconds)) this.#close();
    } else if (this.#state === At.waiting && this.#hold !== undefined) {
      this.#resume();
    } else if (this.#state === At.lingering && age >= lingerSeconds) {
      // What the kernel still holds for a slow reader goes on its way all the same.
      this.link.close();
    }
  }

  /** The proxy stops: idle connections end now, others with their answer. */
  drain(): void {
    if (this.#state === At.sniffing || (this.#state === At.reading && !this.#head.begun)) {
      this.#close();
    } else if (this.#hold !== undefined) {
      this.#resume();
    }
  }

  /** The supervisor has news. */
  supervisedChanged(): void {
    if (this.#hold !== undefined) this.#resume();
  }

  // Reading requests.

  /** Reads what requests there are in `bytes`; `held`: they are what is held. */
  #process(bytes: Uint8Array, held: boolean): void {
    let at = 0;
    for (;;) {
      const outcome = this.#head.read(bytes);
      if (outcome.kind === "more") {
        if (at > 0 || !held) this.#keepFrom(bytes, at);
        if (at > 0) this.#head.begin(0);
        return;
      }
      if (outcome.kind === "bad") {
        // What was read of it may say in which form it wants to hear that.
        this.#headRequest = false;
        this.#headBytes = bytes;
        this.#refuseBad(outcome);
        this.#headBytes = undefined;
        return;
      }
      const next = this.#handle(bytes, outcome.end);
      this.#headBytes = undefined;
      if (next === TAKEN) return;
      if (next === WAITS) {
        if (at > 0 || !held) this.#keepFrom(bytes, at);
        this.#regulate();
        return;
      }
      if (this.#state !== At.reading || this.link.pending > 0 || next === bytes.length) {
        this.#keepFrom(bytes, next);
        this.#head.begin(0);
        if (this.#state === At.reading && this.link.pending > 0) this.#become(At.flushing);
        this.#regulate();
        return;
      }
      at = next;
      this.#head.begin(at);
    }
  }

  #keepFrom(bytes: Uint8Array, from: number): void {
    this.#held.clear();
    this.#held.add(bytes, from);
  }

  /**
   * A complete head, and what has come behind it up to `bytes.length`.
   * @returns the offset behind the request's own bytes, `WAITS` or `TAKEN`.
   */
  #handle(bytes: Uint8Array, end: number): number {
    const head = this.#head;
    const framing = this.shared.framing;
    this.#headRequest = false;
    this.#headBytes = bytes;
    if (this.#entry === undefined && this.shared.recorder !== undefined) this.#record(bytes);
    const wrong = framing.read(head, bytes);
    if (wrong !== undefined) return this.#refuseBad(wrong);
    this.#headRequest = framing.head;
    const target = readTarget(head, bytes, framing.connect);
    if ("kind" in target) return this.#refuseBad(target);
    const destination = this.#route(bytes, target);
    if (destination === undefined) {
      return this.#refuse({ status: 400, why: "there is no Host that is a host name" });
    }
    this.shared.touch();
    const moved = this.secured
      ? undefined
      : this.shared.redirect?.(head, bytes, { framing, target, destination });
    if (moved !== undefined) return this.#reply(moved, end);
    const decision = destination.decision;
    if (this.#isMisdirected(destination)) {
      return this.#refuse({
        status: 421,
        host: destination.authority.host,
        certificate: this.#serverName!,
      });
    }
    switch (decision.kind) {
      case "proxy":
        if (this.#isUncertified(destination)) {
          return this.#refuseUncertified(decision.service.name);
        }
        return this.#forward(bytes, end, { destination, target, service: decision.service });
      case "tunnel":
        return this.#tunnel(bytes, end, { destination, service: decision.service });
      case "absent":
        if (this.#isUncertified(destination)) {
          return this.#refuseUncertified(decision.supervised.routeName!);
        }
        return this.#attend(bytes, end, decision);
      case "own":
        return this.#own(bytes, end, target);
      case "misdirected":
        return this.#refuse({ status: 421, host: destination.authority.host });
      case "unproxied":
        // The person may have just written it into the hosts file.
        if (!this.#refreshed) return this.#waitForRefresh();
        return this.#refuse({
          status: 421,
          unproxied: decision.name,
          scheme: this.secured ? "https" : "http",
          ports: this.shared.urlPorts,
        });
      case "close":
        return this.#close();
      case "unknown":
        if (!this.#refreshed) return this.#waitForRefresh();
        this.#refreshed = false;
        if (decision.quiet) return this.#close();
        return this.#refuse({
          status: 404,
          name: decision.name,
          names: destination.table.names,
          nearest: nearest(decision.name, destination.table.names),
          port: this.shared.urlPorts.http,
        });
    }
  }

  /** A request begins, as far as the record is concerned: once, however often it is read. */
  #record(bytes: Uint8Array): void {
    const entry = this.shared.recorder!.begin(this.#head, bytes, this.secured);
    this.#asked ??= this.shared.callers?.ask(this.link);
    entry.asked = this.#asked;
    this.#entry = entry;
    this.#exchange.answerStatus = 0;
    this.#exchange.requestOctets = 0;
    this.#exchange.answerOctets = 0;
  }

  /** The request's end, for the record. `broken`: before its answer was whole. */
  #recorded(broken: boolean): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    entry.status = this.#exchange.answerStatus;
    entry.received += this.#exchange.requestOctets;
    entry.sent += this.#exchange.answerOctets;
    this.shared.recorder!.end(entry, broken);
  }

  /** With an answer of our own. */
  #answered({ status, body }: Reply): void {
    if (this.#entry === undefined) return;
    this.#exchange.answerStatus = status;
    this.#exchange.answerOctets = this.#headRequest ? 0 : Buffer.byteLength(body);
    this.#recorded(false);
  }

  #gone(): void {
    this.#recorded(true);
    if (this.#asked !== undefined) this.shared.callers!.forget(this.#asked);
    this.shared.gone(this);
  }

  /** Asked inside TLS for a name that its certificate is not for, as by no client that checks it: RFC 9110 section 7.4. */
  #isMisdirected(destination: Destination): boolean {
    if (this.#serverName === undefined || destination === this.#covered) return false;
    const { mode, decision, authority } = destination;
    // Who asks us as its proxy made the handshake with the proxy.
    const isProxied = mode === "forward" || mode === "connect";
    const covered = isProxied || covers(this.#serverName, authority.host);
    // Any other name is refused for what it is.
    if (!covered) return decision.kind !== "misdirected";
    this.#covered = destination;
    return false;
  }

  /** Asked by https under a bare name that has no certificate: who goes on in spite of the wrong one is told what helps. */
  #isUncertified({ authority }: Destination): boolean {
    return this.secured && !authority.host.includes(".") && !this.shared.bareNames();
  }

  #refuseUncertified(bareName: string): number {
    return this.#refuse({ status: 421, bareName, port: this.shared.urlPorts.https });
  }

  /** Who reads an answer of ours, and in which form. Looked up only when there is one: on the road of every request it would cost. */
  #reader(): { wants: Wants; details: boolean } {
    const asked = this.#requestAtHand();
    if (asked === undefined) return { wants: "text", details: false };
    const { head, bytes } = asked;
    return { wants: wantsOf(head, bytes), details: hearsDetails(head, bytes) };
  }

  /** The request at hand; undefined where there is none. */
  #requestAtHand(): { head: RequestHead; bytes: Uint8Array } | undefined {
    if (this.#headBytes !== undefined) return { head: this.#head, bytes: this.#headBytes };
    if (this.#state !== At.exchanging && this.#state !== At.waiting) return undefined;
    // The client's bytes are gone; the request as it was sent on has the same fields, as far as they matter here.
    const bytes = this.#exchange.sent.bytes.subarray(0, this.#exchange.sent.length);
    const head = new RequestHead();
    // What we added may have made it too long to be read; of half a head nobody knows what it lacks.
    return head.read(bytes).kind === "done" ? { head, bytes } : undefined;
  }

  /** The destination of a request; undefined where its Host is malformed. */
  #route(bytes: Uint8Array, target: Target): Destination | undefined {
    const framing = this.shared.framing;
    const head = this.#head;
    let mode: Mode = this.#tunnelled ? "tunnelled" : "direct";
    let start = framing.hostStart;
    let end = framing.hostEnd;
    if (target.form === "absolute") {
      mode = "forward";
      start = head.targetStart + 7;
      end = target.pathStart;
    } else if (target.form === "authority") {
      mode = "connect";
      start = head.targetStart;
      end = head.targetEnd;
    }
    if (start === -1) return undefined;
    const table = this.shared.routes();
    const known = this.#destination;
    if (known !== undefined && isSameDestination(known, bytes, { mode, table, start, end })) {
      return known;
    }
    this.#destination = this.#find(bytes, { start, end }, mode);
    return this.#destination;
  }

  /** Where bytes[start, end) leads now. */
  #find(
    bytes: Uint8Array,
    place: { start: number; end: number },
    mode: Mode,
  ): Destination | undefined {
    const { shared } = this;
    return shared.destinations.find(bytes, place, {
      mode,
      client: this.link.remoteAddress,
      secure: this.secured,
      table: shared.routes(),
      ownPorts: shared.ownPorts,
      instance: shared.instance,
      dialects: shared.dialects,
    });
  }

  // What becomes of a request.

  #forward(
    bytes: Uint8Array,
    end: number,
    turn: { destination: Destination; target: Target; service: Service },
  ): number {
    const { destination, target, service } = turn;
    const framing = this.shared.framing;
    const exchange = this.#exchange;
    if (this.#entry !== undefined) this.shared.recorder!.routed(this.#entry, service.name);
    if (framing.via && this.#hasBeenHere(bytes, destination.via)) {
      return this.#refuse({ status: 508, name: service.name });
    }
    if (framing.maxForwards === 0) {
      return this.#reply(lastRecipientReply(this.#head, bytes), end);
    }
    // A body that begins malformed is refused before a byte of it goes anywhere.
    exchange.request.begin(framing.bodyLength);
    const next = exchange.request.read(bytes, end);
    if (exchange.request.bad !== undefined) return this.#refuseBad(exchange.request.bad);
    // The client stopped in the middle while the request waited: half a request is none.
    if (this.#inputEnded && !exchange.request.done) return this.#close();
    const { key, tls } = destination;
    const upstream =
      this.#takeDialled(service, { key, end }) ??
      this.shared.pool.take(key, { own: this.#kept, safe: framing.idempotent }) ??
      this.#dialAndWait({ service, key, tls });
    if (typeof upstream === "number") return upstream;
    this.#refreshed = false;
    this.#letGo();
    this.#sentAgain = false;
    this.#service = service;
    exchange.begin({
      framing,
      minor: this.#head.minor,
      location: destination.location,
      dialect: destination.dialect!,
    });
    exchange.sent.clear();
    writeRequest(this.#head, bytes, {
      framing,
      hop: destination.hop!,
      pathStart: target.form === "absolute" ? target.pathStart : this.#head.targetStart,
      out: exchange.sent,
    });
    exchange.requestOctets = next - end;
    this.#lastRequest = !framing.keepAlive && exchange.request.done;
    this.#become(At.exchanging);
    this.#kept = upstream;
    exchange.send(upstream, bytes, end);
    return next;
  }

  /** What was dialled for the request that waits, or what came of it; undefined: nothing was. */
  #takeDialled(
    service: Service,
    { key, end }: { key: string; end: number },
  ): Upstream | number | undefined {
    const dialled = this.#dialled;
    const failure = this.#dialFailure;
    this.#dialled = undefined;
    this.#dialFailure = undefined;
    if (dialled?.key === key) return dialled;
    // The name has moved to another server meanwhile.
    dialled?.link.close();
    if (failure?.key === key) return this.#undialled(service, { failure, end });
    if (!this.#refreshed && !this.shared.stillThere(service)) return this.#waitForRefresh();
    return undefined;
  }

  #dialAndWait(way: Way): number {
    this.#dial(way, {
      connected: () => this.#again(),
      // The server may have moved to another port since we last looked.
      failed: () => (this.#refreshed ? this.#again() : this.#waitForRefresh()),
    });
    return WAITS;
  }

  /** Where a request whose bytes are still held is refused a connection. */
  #undialled(service: Service, { failure, end }: { failure: DialFailure; end: number }): number {
    const supervised = this.#comesBack(failure);
    if (supervised === undefined) return this.#refuseDial(service, failure);
    this.#refreshed = false;
    return this.#holdFor(supervised, { end, woken: false });
  }

  #hasBeenHere(bytes: Uint8Array, via: string): boolean {
    const head = this.#head;
    for (let index = 0; index < head.fieldCount; index++) {
      if (head.idOf(index) !== Field.via) continue;
      if (listHolds(head.valueOf(bytes, index), via)) return true;
    }
    return false;
  }

  #tunnel(
    bytes: Uint8Array,
    end: number,
    { destination: { key }, service }: { destination: Destination; service: Service },
  ): number {
    if (this.#entry !== undefined) this.shared.recorder!.routed(this.#entry, service.name);
    // A tunnel ends with its connection, so it takes none from the pool.
    const upstream =
      this.#takeDialled(service, { key, end }) ??
      this.#dialAndWait({ service, key, tls: undefined });
    if (typeof upstream === "number") return upstream;
    this.#refreshed = false;
    this.#letGo();
    this.#service = service;
    this.#dialled = upstream;
    this.link.write(established, 0, established.length);
    this.#exchange.answerStatus = 200;
    this.#tunnelled = true;
    this.#serverName = undefined;
    this.#become(At.tunnelled);
    this.#keepFrom(bytes, end);
    upstream.link.handler = this.#speaksFirst();
    this.#lookInside();
    return TAKEN;
  }

  // Services of the supervisor that cannot answer now.

  #attend(
    bytes: Uint8Array,
    end: number,
    { supervised, turn }: { supervised: Supervised; turn: Turn },
  ): number {
    if (this.#entry !== undefined) {
      this.shared.recorder!.routed(this.#entry, supervised.routeName!);
    }
    if (turn === "down") {
      // Somebody may have started another server under its name.
      if (!this.#refreshed) return this.#waitForRefresh();
      return this.#tell(supervised, { kind: "down" }, { end });
    }
    const woken = turn === "wake";
    if (woken && this.#isStrangers()) return this.#tell(supervised, { kind: "strangers" }, { end });
    // It was started for this request, and has ended without a word to it.
    if (this.#hasEndedSince(supervised)) return this.#tell(supervised, { kind: "down" }, { end });
    if (woken) this.#wake(supervised);
    const { framing } = this.shared;
    if (!framing.head && isPageLoad(this.#head, bytes, framing)) {
      // It is being woken, whatever it was when this was decided.
      const now: Supervised = woken ? { ...supervised, state: "starting" } : supervised;
      return this.#tell(now, { kind: "soon" }, { end });
    }
    return this.#holdFor(supervised, { end, woken });
  }

  /** Lets a request wait whose bytes are kept and read again. */
  #holdFor(supervised: Supervised, { end, woken }: { end: number; woken: boolean }): number {
    const { bodyLength } = this.shared.framing;
    if (bodyLength > heldBodyLimit || this.#hold?.full) {
      return this.#tell(supervised, { kind: "too-large", limit: heldBodyLimit }, { end });
    }
    const endless = bodyLength < 0;
    const parked = this.#park(supervised, {
      room: end - this.#head.start + (endless ? heldBodyLimit : bodyLength) + headLimit,
      endless,
      woken,
      resume: () => this.#again(),
    });
    if (!parked) {
      return this.#tell(supervised, { kind: "waited", seconds: this.#hold!.limit }, { end });
    }
    this.#refreshed = false;
    this.#become(At.waiting);
    return WAITS;
  }

  /** @returns false where the request has waited for long enough. */
  #park(
    supervised: Supervised,
    { woken, ...how }: Pick<Hold, "room" | "endless" | "resume"> & { woken: boolean },
  ): boolean {
    const now = this.shared.seconds();
    const limit = !woken && isRestart(supervised) ? restartSeconds : startSeconds;
    const endedBefore = supervised.lastExit?.time;
    this.#hold ??= { since: now, limit, parked: true, full: false, woken, endedBefore, ...how };
    const hold = this.#hold;
    if (woken && !hold.woken) {
      // It waited for another thing so far: that the service ends.
      hold.woken = true;
      hold.endedBefore = endedBefore;
      hold.since = now;
      hold.limit = limit;
    }
    if (now - hold.since >= hold.limit || this.shared.draining()) return false;
    hold.parked = true;
    hold.resume = how.resume;
    this.shared.holding.add(this);
    return true;
  }

  #isStrangers(): boolean {
    const asked = this.#requestAtHand();
    return asked === undefined || isStrangers(asked.head, asked.bytes, this.shared.routes());
  }

  /** Once for a request: a service that ends at once is not started by it over and over. */
  #wake({ id }: Supervised): void {
    if (!this.#hold?.woken) this.shared.supervision?.wake(id);
  }

  #hasEndedSince({ state, lastExit }: Supervised): boolean {
    return (
      this.#hold?.woken === true && state === "exited" && lastExit?.time !== this.#hold.endedBefore
    );
  }

  /** The supervisor has news, or half a second has gone by. */
  #resume(): void {
    const hold = this.#hold;
    if (hold === undefined || !hold.parked) return;
    hold.parked = false;
    hold.resume();
  }

  #letGo(): void {
    if (this.#hold === undefined) return;
    this.#hold = undefined;
    this.shared.holding.delete(this);
  }

  /** What is told in place of an answer. `end`: of the head, where its bytes are at hand; else the connection ends with it. */
  #tell(supervised: Supervised, absence: Absence, { end }: { end: number | undefined }): number {
    const lines = this.shared.supervision?.latest(supervised.id, linesShown) ?? [];
    const reply = absentPage({ supervised, absence, lines, ...this.#reader() });
    this.#letGo();
    return end === undefined ? this.#lastWords(reply) : this.#reply(reply, end);
  }

  /** The service of the supervisor that did not take a connection, where it is expected to again. */
  #comesBack({ code, handshake }: DialFailure): Supervised | undefined {
    return code === "ETIMEDOUT" || handshake !== undefined ? undefined : this.#supervised();
  }

  /** What the supervisor knew of the service that the request went to. */
  #supervised(): Supervised | undefined {
    const decision = this.#destination?.decision;
    const known = decision?.kind === "proxy" || decision?.kind === "tunnel";
    const supervised = known ? decision.supervised : undefined;
    return supervised?.state === "ready" || supervised?.state === "unready"
      ? supervised
      : undefined;
  }

  /** The service ended before it said a word: the request waits until it is back, and is sent again, once. */
  #awaitReturn(supervised: Supervised, { woken = false } = {}): void {
    const resume = (): void => this.#sendAgain();
    this.#become(At.waiting);
    if (this.#park(supervised, { room: headLimit, endless: false, woken, resume })) {
      this.#regulate();
      return;
    }
    const absence: Absence = { kind: "waited", seconds: this.#hold!.limit };
    this.#tell(supervised, absence, { end: undefined });
  }

  #sendAgain(): void {
    const { asked, mode } = this.#destination!;
    const found = this.#find(asked, { start: 0, end: asked.length }, mode);
    if (found?.decision.kind === "absent") {
      const { supervised, turn } = found.decision;
      if (turn === "down" || this.#hasEndedSince(supervised)) {
        this.#tell(supervised, { kind: "down" }, { end: undefined });
        return;
      }
      if (turn === "wake" && this.#isStrangers()) {
        this.#tell(supervised, { kind: "strangers" }, { end: undefined });
        return;
      }
      if (turn === "wake") this.#wake(supervised);
      this.#awaitReturn(supervised, { woken: turn === "wake" });
      return;
    }
    if (found?.decision.kind !== "proxy") {
      this.#lost();
      return;
    }
    this.#destination = found;
    this.#service = found.decision.service;
    const moved = (): void => {
      const failure = this.#dialFailure!;
      this.#dialFailure = undefined;
      const supervised = this.#comesBack(failure);
      if (supervised === undefined) this.#refuseDial(this.#service!, failure);
      else this.#awaitReturn(supervised);
    };
    this.#resend(
      (upstream) => {
        this.#letGo();
        this.#exchange.resend(upstream);
      },
      { failed: () => this.#afterRefresh(moved) },
    );
  }

  /** Inside a tunnel: bytes from the service before the client has said enough. */
  #speaksFirst(): LinkHandler {
    return {
      data: (bytes) => {
        this.#destination!.dialect!.tls ??= false;
        this.link.write(bytes, 0, bytes.length);
        this.#joinDialled();
      },
      drained: () => {},
      ended: () => {
        this.#joinDialled();
        this.link.halfClose();
      },
      closed: (cause) => {
        this.#dialled = undefined;
        if (cause === undefined) this.#close();
        else this.link.abort();
      },
      failed: (fault) => this.shared.fault(fault),
    };
  }

  /**
   * A tunnel is opaque, but for one thing: a browser sends WebSockets for `http://api/` through CONNECT,
   * with the bare name as Host and Origin, which Vite and Next refuse. Such a handshake takes the road
   * of every other request, where both are rewritten.
   */
  #lookInside(): void {
    const held = this.#held.view();
    if (held.length > 0 && sniff(held[0]!) === "tls" && this.shared.terminates()) {
      this.#askForTls();
      return;
    }
    const { authority, table } = this.#destination!;
    const verdict = mayBeUpgrade(this.#held.view(), { host: authority.host, tlds: table.tlds });
    if (verdict === "more" && !this.#inputEnded) return;
    if (verdict !== "upgrade") {
      this.#enter();
      return;
    }
    const upstream = this.#dialled;
    if (upstream !== undefined) upstream.link.handler = upstream;
    this.#recorded(false);
    this.#become(At.reading);
    this.#head.begin(0);
    this.#process(this.#held.view(), true);
  }

  /** TLS in a tunnel: the service's own, or meant for us where the service speaks plain HTTP. */
  #askForTls(): void {
    if (this.#asking) return;
    const { dialect, key } = this.#destination!;
    if (dialect!.tls !== undefined) {
      this.#endTls(dialect!.tls);
      return;
    }
    this.#asking = true;
    const { address } = this.#dialled!.way;
    // A server that takes one handshake after another would wait for this one, and say nothing to the question.
    this.#dropDialled();
    dialect!.ask(address, { doubted: false }).then((itself) => {
      this.#asking = false;
      if (this.#state !== At.tunnelled) return;
      if (!itself) this.#endTls(false);
      else {
        this.#dial(
          { service: this.#service!, key, tls: undefined },
          { connected: () => this.#joinDialled(), failed: () => this.link.abort() },
        );
      }
    }, this.shared.fault);
  }

  #endTls(itself: boolean): void {
    if (itself) this.#joinDialled();
    else this.#secure(this.#held.take());
  }

  /** What the client says inside its tunnel is not TLS; where the service speaks that, we do it for the client. */
  #enter(): void {
    const dialect = this.#destination!.dialect!;
    if (dialect.tls === false) this.#joinDialled();
    else if (dialect.tls) this.#enterTls();
    else {
      const upstream = this.#dialled!;
      this.#dialled = undefined;
      this.#become(At.joined);
      const tunnel = new DoubtedTunnel(this.link, upstream, {
        dialect,
        ...this.#joined(),
        secure: ({ bytes, ended }) => {
          this.link.handler = this;
          this.#inputEnded ||= ended;
          this.#held.add(bytes);
          this.#enterTls();
        },
      });
      tunnel.say(this.#held.take());
      if (this.#inputEnded) tunnel.end();
    }
  }

  #enterTls(): void {
    const service = this.#service!;
    const serverName = this.#destination!.authority.host;
    // Before the other is dialled: a server that takes one handshake after another would wait for this one.
    this.#dropDialled();
    const connected = (): void => this.#joinDialled();
    const failed = (): void => this.link.abort();
    this.#dial(
      { service, key: securedKey(service, serverName), tls: { serverName } },
      { connected, failed },
    );
  }

  #joinDialled(): void {
    const upstream = this.#dialled;
    if (upstream === undefined) return;
    this.#dialled = undefined;
    this.#join(upstream, this.#held.take());
  }

  #join(upstream: Upstream, first: Uint8Array): void {
    this.#become(At.joined);
    upstream.link.write(first, 0, first.length);
    if (this.#inputEnded) upstream.link.halfClose();
    if (this.#entry !== undefined) this.#entry.received += first.length;
    join(this.link, upstream.link, this.#joined());
  }

  #joined(): Joined {
    const entry = this.#entry;
    return {
      came: entry && {
        fromFirst: (octets) => {
          entry.received += octets;
        },
        fromSecond: (octets) => {
          entry.sent += octets;
        },
      },
      closed: () => {
        this.#state = At.closed;
        this.#recorded(false);
        this.#gone();
      },
      failed: (fault) => this.shared.fault(fault),
    };
  }

  #own(bytes: Uint8Array, end: number, target: Target): number {
    const head = this.#head;
    const from = target.form === "absolute" ? target.pathStart : head.targetStart;
    const path = latin1(bytes, from, head.targetEnd).replace(/\?.*/s, "") || "/";
    // A person who has just started a server looks for it here.
    if (path === frontPath && !this.#refreshed) return this.#waitForRefresh();
    const reply = this.shared.pages({ method: head.method(bytes), path, ...this.#reader() });
    return this.#reply(reply, end);
  }

  // Our own answers.

  #refuseBad(outcome: Bad): number {
    if (outcome.status === 431) return this.#refuse({ status: 431, limit: headLimit });
    if (outcome.status === 505) return this.#refuse({ status: 505, version: "that version" });
    return this.#refuse({ status: 400, why: outcome.why });
  }

  #refuseDial(service: Service, { address, code, handshake }: DialFailure): number {
    const secured = this.#destination!.tls !== undefined;
    const timedOut = code === "ETIMEDOUT";
    const why =
      handshake !== undefined
        ? unsecured(handshake)
        : timedOut
          ? secured
            ? "it speaks TLS, and did not end the handshake within 5 s"
            : "it did not accept the connection within 5 s"
          : code === "ECONNREFUSED"
            ? "nothing accepts connections there any more"
            : `the connection failed (${code})`;
    return this.#refuseUpstream(service, { status: timedOut ? 504 : 502, address, why });
  }

  #refuseUpstream(
    service: Service,
    failure: { status: 502 | 504; address: string; why: string },
  ): number {
    return this.#refuse({
      ...failure,
      name: service.name,
      port: service.endpoint.port,
      pid: service.process.pid,
      command: service.command,
    });
  }

  /** Answers and ends the connection: what follows a refused request cannot be trusted to begin where we think. */
  #refuse(problem: Problem): number {
    const { wants, details } = this.#reader();
    return this.#lastWords(errorPage(problem, wants, { details }));
  }

  #lastWords(reply: Reply): number {
    const bytes = encodeReply(reply, { head: this.#headRequest, close: true });
    this.link.write(bytes, 0, bytes.length);
    this.#answered(reply);
    this.#linger();
    return TAKEN;
  }

  /** Answers from our own pages. Only a request without a body lets the connection go on. */
  #reply(reply: Reply, end: number): number {
    this.#refreshed = false;
    const keepAlive =
      this.shared.framing.keepAlive &&
      this.shared.framing.bodyLength === 0 &&
      !this.shared.draining();
    // HTTP/1.0 clients that want more have to be told so; we have nothing that they need twice.
    const close = !keepAlive || this.#head.minor === 0;
    const bytes = encodeReply(reply, { head: this.#headRequest, close });
    this.link.write(bytes, 0, bytes.length);
    this.#answered(reply);
    this.#served++;
    this.#since = this.shared.seconds();
    if (!close) return end;
    this.#linger();
    return TAKEN;
  }

  // What the exchange reports.

  finished(keepAlive: boolean): void {
    if (this.#state !== At.exchanging) return;
    this.#recorded(false);
    this.#served++;
    if (!keepAlive) {
      // A client that said `close` and was heard out has nothing on its way that a plain close could hurt.
      if (this.#lastRequest && this.#held.length === 0) this.#close();
      else this.#linger();
      return;
    }
    if (this.link.pending > 0) this.#become(At.flushing);
    else this.#next();
  }

  #next(): void {
    this.#refreshed = false;
    this.#again();
    const idle = this.#state === At.reading && !this.#head.begun;
    if (idle && this.shared.draining()) this.#linger();
    else this.#regulate();
  }

  retry(): void {
    const { key } = this.#destination!;
    this.#resend((upstream) => this.#exchange.resend(upstream), {
      // The server may have moved to another port, as in `#dialAndWait`; but the request has been read already.
      failed: () =>
        this.#afterRefresh(() => {
          const failure = this.#dialFailure!;
          const supervised = this.#comesBack(failure);
          if (supervised !== undefined) {
            this.#dialFailure = undefined;
            this.#awaitReturn(supervised);
            return;
          }
          const moved = this.#rerouted();
          if (moved === undefined || moved.key === key) this.#refuseDial(this.#service!, failure);
          else this.#resend((upstream) => this.#exchange.resend(upstream));
        }),
    });
  }

  secure(): void {
    const plain = this.#destination!.hop?.origin;
    const secured = this.#rerouted();
    if (secured === undefined) {
      // Its name has gone to nobody meanwhile.
      this.#lost();
      return;
    }
    const origin = secured.hop?.origin;
    this.#resend((upstream) =>
      this.#exchange.replay(upstream, {
        location: secured.location,
        origin:
          plain === undefined || origin === undefined
            ? undefined
            : { from: latin1(plain.to, 0, plain.to.length), to: origin.to },
      }),
    );
  }

  /** Where the request that is being answered leads now; undefined where no server has its name any more. */
  #rerouted(): Destination | undefined {
    const { asked, mode } = this.#destination!;
    const found = this.#find(asked, { start: 0, end: asked.length }, mode);
    if (found?.decision.kind !== "proxy") return undefined;
    this.#destination = found;
    this.#service = found.decision.service;
    return found;
  }

  /** Connects to the destination once more, and sends the request that was read before. */
  #resend(
    send: (upstream: Upstream) => void,
    { failed }: { failed: () => void } = {
      failed: () => this.#refuseDial(this.#service!, this.#dialFailure!),
    },
  ): void {
    const { key, tls } = this.#destination!;
    this.#dial(
      { service: this.#service!, key, tls },
      {
        connected: () => {
          const upstream = this.#dialled!;
          const { request } = this.#exchange;
          this.#dialled = undefined;
          if (this.#inputEnded && !request.done) {
            // The client stopped in the middle meanwhile: half a request is none.
            upstream.link.close();
            this.#close();
            return;
          }
          this.#become(At.exchanging);
          this.#kept = upstream;
          send(upstream);
          if (!request.done && this.#held.length > 0) this.data(this.#held.take());
          this.#regulate();
        },
        failed,
      },
    );
  }

  broken(silent: boolean): void {
    this.#recorded(true);
    if (silent) this.link.abort();
    else this.#linger();
  }

  switched(upstream: Upstream, rest: Uint8Array): void {
    this.link.write(rest, 0, rest.length);
    if (this.#entry !== undefined) this.#entry.sent = rest.length;
    this.#join(upstream, this.#held.take());
  }

  requestDrained(): void {
    this.#regulate();
  }

  unanswered({
    status,
    why,
    again = false,
  }: {
    status: 400 | 502;
    why: string;
    again?: boolean;
  }): void {
    if (status === 400) {
      this.#refuse({ status, why });
      return;
    }
    const supervised = again && !this.#sentAgain ? this.#supervised() : undefined;
    if (supervised !== undefined) {
      this.#sentAgain = true;
      this.#awaitReturn(supervised);
      return;
    }
    const service = this.#service!;
    this.#refuseUpstream(service, { status, address: service.endpoint.dial[0]!, why });
  }

  #lost(): void {
    this.unanswered({ status: 502, why: lostWhy });
  }

  // Waiting.

  /** Reads what is held: a request that waited, or the next. */
  #again(): void {
    this.#become(At.reading);
    this.#head.begin(0);
    if (this.#held.length > 0) this.#process(this.#held.view(), true);
    // What is left is no whole request, and nothing is added to it any more.
    if (this.#state === At.reading && this.#inputEnded) this.#close();
  }

  #waitForRefresh(): number {
    this.#afterRefresh(() => {
      this.#refreshed = true;
      this.#again();
    });
    return WAITS;
  }

  /** Has the machine looked at; then `act`, if the client is still there to wait for it. */
  #afterRefresh(act: () => void): void {
    this.#become(At.waiting);
    const done = (): void => {
      if (this.#state === At.waiting) act();
    };
    this.shared.refresh().then(done, (fault) => {
      this.shared.fault(fault);
      done();
    });
  }

  /** Connects. `#dialled` or `#dialFailure` is set when one of the two is called. */
  #dial({ service, key, tls }: Way, turn: { connected: () => void; failed: () => void }): void {
    this.#become(At.waiting);
    this.#cancelDial = this.shared.pool.dial(
      { endpoint: service.endpoint, key, tls },
      {
        connected: (upstream) => {
          this.#cancelDial = undefined;
          this.#dialled = upstream;
          turn.connected();
        },
        failed: (failure) => {
          this.#cancelDial = undefined;
          this.#dialFailure = { ...failure, key };
          // A process may go over from TLS to plain HTTP, as Vite does when its settings change.
          if (failure.handshake?.kind === "plain") this.shared.dialects.of(service).tls = false;
          turn.failed();
        },
      },
    );
  }

  #dropDialled(): void {
    const upstream = this.#dialled;
    this.#dialled = undefined;
    if (upstream === undefined) return;
    // What becomes of it is no longer our news.
    upstream.link.handler = upstream;
    upstream.link.close();
  }

  /** Hands the link to TLS; what is inside becomes another connection. */
  #secure(first: Uint8Array): void {
    if (this.secured || !this.shared.secure(this, first, { tunnelled: this.#tunnelled })) {
      this.#close();
      return;
    }
    this.#dropDialled();
    this.#held.clear();
    this.#state = At.closed;
    this.#recorded(false);
    this.#gone();
  }

  // States.

  #become(state: State): void {
    if (this.#state === At.closed) return;
    this.#state = state;
    this.#since = this.shared.seconds();
  }

  /** Input is taken while somebody can use it. */
  #regulate(): void {
    // Not before there is much of it: a paused link does not tell that its peer has gone.
    const full =
      this.#held.length >= Math.max(headLimit, this.#hold?.room ?? 0) ||
      (this.#state === At.exchanging && this.#exchange.requestBlocked);
    if (full) this.link.pause();
    else this.link.resume();
  }

  /** Ends after our last words: closing at once could destroy them on the way (RFC 9112 section 9.6). */
  #linger(): void {
    if (this.#state === At.closed) return;
    this.#letGo();
    this.#dropDialled();
    this.#held.clear();
    this.#become(At.lingering);
    if (this.#inputEnded) {
      this.link.close();
      return;
    }
    this.link.halfClose();
    this.link.resume();
  }

  #close(): number {
    if (this.#state === At.closed) return TAKEN;
    this.#letGo();
    this.#recorded(true);
    this.#dropDialled();
    this.#held.clear();
    this.#become(At.lingering);
    this.link.close();
    return TAKEN;
  }

  /** The client broke its request off: nothing is owed to anybody. */
  #abandon(): void {
    this.#exchange.cancel();
    this.#close();
  }
}

/** Whether it has answered before, and is expected back, rather than started. */
function isRestart({ state, restarts, port, listens }: Supervised): boolean {
  // Ready by its own word, and nobody has seen it listen yet: that is still its start.
  if (state === "ready" && restarts === 0 && port !== undefined && listens.length === 0)
    return false;
  return restarts > 0 || !["stopped", "starting", "running", "exited"].includes(state);
}

/** Why TLS with a service did not come about, and what to do. */
function unsecured(handshake: NonNullable<DialFailure["handshake"]>): string {
  if (handshake.kind === "refused") {
    return `it speaks TLS, and the handshake failed: ${handshake.why}. It has to take TLS 1.2 or 1.3 with HTTP/1.1, without a client's certificate`;
  }
  return handshake.kind === "lost"
    ? "it spoke TLS before, and now closed the connection within the handshake; its own output may say why, else start it again"
    : "it spoke TLS before, and now something else; start it again";
}
