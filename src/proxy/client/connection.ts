/** A client's link -> answered requests, one after another, each routed by itself. */
import { Held } from "../../link/held.ts";
import { type Joined, join } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Decision } from "../../routes/decide.ts";
import type { Service } from "../../routes/service.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { RouteTable } from "../../routes/table.ts";
import { nearest } from "../../text/nearest.ts";
import { latin1 } from "../../wire/bytes.ts";
import { headLimit, RequestHead } from "../../wire/head.ts";
import { sniff } from "../../wire/sniff.ts";
import { readTarget, type Target } from "../../wire/target.ts";
import { errorPage } from "../pages/error-page.ts";
import { hearsDetails } from "../pages/hears-details.ts";
import { type Wants, wantsOf } from "../pages/negotiate.ts";
import { frontPath } from "../pages/own-pages.ts";
import type { Problem } from "../pages/problem.ts";
import { badRequest, dialFailed, upstreamFailed } from "../pages/refusal.ts";
import { encodeReply, type Reply } from "../pages/reply.ts";
import { type Absence, absentPage, linesShown } from "../pages/supervised-page.ts";
import { type Destination, isSameDestination, type Mode } from "../request/destination.ts";
import { isStrangers } from "../request/is-strangers.ts";
import { lastRecipientReply } from "../request/last-recipient.ts";
import { isPageLoad } from "../request/page-load.ts";
import { RequestRecord } from "../request/record.ts";
import { askedFor, hasBeenHere } from "../request/routing.ts";
import {
  comesBack,
  supervisedBehind,
  Waiting,
  type WaitingFacts,
  type WaitingOwner,
  type Way,
} from "../request/waiting.ts";
import { afterFailure, heldBodyLimit, onAbsence } from "../request/waits.ts";
import { established, Tunnel, type TunnelOwner } from "../tunnel/tunnel.ts";
import { Exchange, type ExchangeOwner, lostWhy } from "../upstream/exchange.ts";
import type { DialFailure, Upstream } from "../upstream/pool.ts";
import { covers } from "./covers.ts";
import type { Inside, Serving, SharedBy } from "./shared.ts";
import { actionOn, At, type ClientState, Do, moved, On, secondsIn, Turn } from "./states.ts";

/**
 * What becomes of the bytes behind a head that was handled: the offset where the next request begins; `waits`: this
 * request will be read again; `taken`: the connection does not go on to another request from here.
 */
type Read = number | "waits" | "taken";

export type ConnectionShared = SharedBy<Connection>;

type Absent = Extract<Decision, { kind: "absent" }>;

export class Connection implements LinkHandler, ExchangeOwner, WaitingOwner, TunnelOwner {
  /** The link is the inside of a TLS connection. */
  readonly secured: boolean;
  /** The name of the TLS connection, as in `Inside`; undefined in a tunnel, which leads to another place. */
  #serverName: string | undefined;
  /** What is asked for here is asked for inside a tunnel that CONNECT was granted. */
  #tunnelled: boolean;
  /** The destination that was found to be what the server name stands for. */
  #covered: Destination | undefined;
  #state: ClientState = At.sniffing;
  /** When the state began, by `seconds()`. */
  #since: number;
  #held = new Held();
  /** What serves one request after another; the request that is read is in it as well. */
  #exchange: Exchange;
  #head: RequestHead;
  /** The bytes that the head was read from, while it is being handled. */
  #headBytes: Uint8Array | undefined;
  /** The last request was HEAD. */
  #headRequest = false;
  #destination: Destination | undefined;
  /** The upstream this client used last. */
  #kept: Upstream | undefined;
  /** Set while a request cannot go on. */
  #waiting: Waiting | undefined;
  /** Set while a granted tunnel is not understood yet. */
  #tunnel: Tunnel | undefined;
  #served = 0;
  /** The client sends no more. */
  #inputEnded = false;
  /** The client asked for no further request, and this one is all here. */
  #lastRequest = false;
  /** Seconds for which it could not be told whether the client still exists. */
  #doubted = 0;
  /** Undefined: nothing is recorded. */
  #record: RequestRecord | undefined;

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
    const { exchange, record } = shared.spare.pop() ?? serving(shared);
    exchange.attach(link, this);
    record?.attach(link, this.secured);
    this.#exchange = exchange;
    this.#head = exchange.requestHead;
    this.#record = record;
    link.handler = this;
  }

  get state(): ClientState {
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

  // Events. `states.ts` says what each does in each state.

  data(bytes: Uint8Array): void {
    switch (actionOn(this.#state, On.bytes)) {
      case Do.read:
        this.#read(bytes);
        return;
      case Do["pass on"]:
        this.#passOn(bytes);
        return;
      case Do.sniff:
        if (sniff(bytes[0]!) === "tls") {
          this.#secure(bytes);
          return;
        }
        this.#move(Turn.plain);
        this.#process(bytes, { held: false });
        return;
      case Do.hold:
        this.#held.add(bytes);
        this.#waiting?.holds(this.#held.length);
        this.#regulate();
        return;
      case Do["look inside"]:
        this.#held.add(bytes);
        this.#tunnel!.look();
        this.#regulate();
        return;
      default:
      // Lingering: the client was told that nothing more is read.
    }
  }

  drained(): void {
    this.#on(On.drained);
  }

  ended(): void {
    this.#inputEnded = true;
    this.#on(On.fin);
  }

  closed(cause: Error | undefined): void {
    if (actionOn(this.#state, On.gone) !== Do.end) return;
    this.#tunnel?.drop(cause);
    this.#drop();
    this.#exchange.cancel();
    this.#end();
    if (this.shared.spare.length < 64) {
      this.shared.spare.push({ exchange: this.#exchange, record: this.#record });
    }
  }

  failed(fault: unknown): void {
    this.shared.fault(fault);
  }

  /** Twice a second. */
  tick(): void {
    // The state may have begun right before the last tick.
    const age = this.shared.seconds() - this.#since + 0.5;
    const overdue = age >= secondsIn(this.#state, { served: this.#served });
    this.#on(overdue ? On.overdue : On.news);
  }

  /** The proxy stops. */
  drain(): void {
    this.#on(On.drain);
  }

  #on(event: number): void {
    switch (actionOn(this.#state, event)) {
      case Do.resume:
        this.#exchange.clientDrained();
        return;
      case Do.next:
        this.#next();
        return;
      case Do["note or break off"]:
        if (!this.#exchange.request.done) this.#abandon();
        return;
      case Do.join:
        this.#tunnel!.end();
        return;
      case Do["ask again"]:
        this.#waiting!.news();
        return;
      case Do.refuse:
        this.#refuse({ status: 408 });
        return;
      case Do.close:
        this.#close();
        return;
      default:
      // Ignored, or noted by the caller.
    }
  }

  #move(turn: number): void {
    this.#state = moved(this.#state, turn);
    this.#since = this.shared.seconds();
  }

  /** Between two requests, or within a head. */
  get #isReading(): boolean {
    return this.#state === At.idle || this.#state === At.reading;
  }

  // Reading requests.

  #read(bytes: Uint8Array): void {
    if (this.#held.length === 0) {
      this.#process(bytes, { held: false });
      return;
    }
    this.#held.add(bytes);
    this.#process(this.#held.view(), { held: true });
  }

  /** Reads what requests there are in `bytes`; `held`: they are what is held. */
  #process(bytes: Uint8Array, { held }: { held: boolean }): void {
    let at = 0;
    for (;;) {
      const outcome = this.#head.read(bytes);
      if (outcome.kind === "more") {
        if (this.#state === At.idle && this.#head.begun) this.#move(Turn.begin);
        if (at > 0 || !held) this.#keepFrom(bytes, at);
        if (at > 0) this.#head.begin(0);
        return;
      }
      if (outcome.kind === "bad") {
        // What was read of it may say in which form it wants to hear that.
        this.#headRequest = false;
        this.#headBytes = bytes;
        this.#refuse(badRequest(outcome));
        this.#headBytes = undefined;
        return;
      }
      const next = this.#handle(bytes, outcome.end);
      this.#headBytes = undefined;
      if (next === "taken") return;
      if (next === "waits") {
        if (at > 0 || !held) this.#keepFrom(bytes, at);
        this.#regulate();
        return;
      }
      if (this.#state !== At.idle || this.link.pending > 0 || next === bytes.length) {
        this.#keepFrom(bytes, next);
        this.#head.begin(0);
        if (this.#state === At.idle && this.link.pending > 0) this.#move(Turn.flush);
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

  /** Reads what is held: a request that waited, or the next. */
  #again(): void {
    this.#move(Turn.next);
    this.#head.begin(0);
    if (this.#held.length > 0) this.#process(this.#held.view(), { held: true });
    // What is left is no whole request, and nothing is added to it any more.
    if (this.#isReading && this.#inputEnded) this.#close();
  }

  /** Goes on with the next request. */
  #next(): void {
    this.#again();
    if (this.#state === At.idle && this.shared.draining()) this.#linger();
    else this.#regulate();
  }

  /** Handles a complete head, and what has come behind it up to `bytes.length`. */
  #handle(bytes: Uint8Array, end: number): Read {
    const head = this.#head;
    const { framing } = this.#exchange;
    this.#headRequest = false;
    this.#headBytes = bytes;
    this.#record?.begin(head, bytes);
    const wrong = framing.read(head, bytes);
    if (wrong !== undefined) return this.#refuse(badRequest(wrong));
    this.#headRequest = framing.head;
    const target = readTarget(head, bytes, framing.connect);
    if ("kind" in target) return this.#refuse(badRequest(target));
    const destination = this.#route(bytes, target);
    if (destination === undefined) {
      return this.#refuse({ status: 400, why: "there is no Host that is a host name" });
    }
    this.shared.touch();
    const redirected = this.secured
      ? undefined
      : this.shared.redirect?.(head, bytes, { framing, target, destination });
    if (redirected !== undefined) return this.#reply(redirected, end);
    if (this.#isMisdirected(destination)) {
      const { host } = destination.authority;
      return this.#refuse({ status: 421, host, certificate: this.#serverName! });
    }
    const { decision } = destination;
    switch (decision.kind) {
      case "proxy":
        if (this.#isUncertified(destination)) {
          return this.#refuseUncertified(decision.service.name);
        }
        return this.#forward(bytes, end, { destination, target, service: decision.service });
      case "tunnel":
        return this.#grant(bytes, end, { destination, service: decision.service });
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
        if (!this.#hasLooked) return this.#waitForLook();
        return this.#refuse({
          status: 421,
          unproxied: decision.name,
          scheme: this.secured ? "https" : "http",
          ports: this.shared.urlPorts,
        });
      case "close":
        return this.#close();
      case "unknown":
        if (!this.#hasLooked) return this.#waitForLook();
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

  // Where a request goes.

  /** The destination of the request at hand; undefined where its Host is malformed. */
  #route(bytes: Uint8Array, target: Target): Destination | undefined {
    const { framing } = this.#exchange;
    const mode: Mode = this.#tunnelled ? "tunnelled" : "direct";
    const asked = askedFor(this.#head, target, { mode, framing, table: this.shared.routes() });
    if (asked === undefined) return undefined;
    const known = this.#destination;
    if (known !== undefined && isSameDestination(known, bytes, asked)) return known;
    this.#destination = this.#find(bytes, asked);
    return this.#destination;
  }

  /** Where bytes[start, end), an authority, leads now. */
  #find(
    bytes: Uint8Array,
    asked: { mode: Mode; start: number; end: number },
  ): Destination | undefined {
    const { shared } = this;
    return shared.destinations.find(bytes, asked, {
      mode: asked.mode,
      client: this.link.remoteAddress,
      secure: this.secured,
      table: shared.routes(),
      ownPorts: shared.ownPorts,
      instance: shared.instance,
      dialects: shared.dialects,
    });
  }

  /** Where the request that waits, or is being answered, leads now. */
  leadsTo(): Destination | undefined {
    const { asked, mode } = this.#destination!;
    return this.#find(asked, { mode, start: 0, end: asked.length });
  }

  /** The service that the request at hand goes to. */
  get #service(): Service {
    const decision = this.#destination?.decision;
    if (decision?.kind === "proxy" || decision?.kind === "tunnel") return decision.service;
    throw new Error("there is no service behind this request");
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

  #refuseUncertified(bareName: string): Read {
    return this.#refuse({ status: 421, bareName, port: this.shared.urlPorts.https });
  }

  // What becomes of a request.

  #forward(
    bytes: Uint8Array,
    end: number,
    turn: { destination: Destination; target: Target; service: Service },
  ): Read {
    const { destination, target, service } = turn;
    const exchange = this.#exchange;
    const { framing } = exchange;
    const head = this.#head;
    this.#record?.routed(service.name);
    if (framing.via && hasBeenHere(head, bytes, destination.via)) {
      return this.#refuse({ status: 508, name: service.name });
    }
    if (framing.maxForwards === 0) return this.#reply(lastRecipientReply(head, bytes), end);
    // A body that begins malformed is refused before a byte of it goes anywhere.
    const next = exchange.readBody(bytes, end);
    const { bad, done } = exchange.request;
    if (bad !== undefined) return this.#refuse(badRequest(bad));
    // The client stopped in the middle while the request waited: half a request is none.
    if (this.#inputEnded && !done) return this.#close();
    const { key, tls } = destination;
    const upstream =
      (this.#waiting === undefined ? this.#unseen(service) : this.#waitedFor(key, end)) ??
      this.shared.pool.take(key, { own: this.#kept, safe: framing.idempotent }) ??
      this.#dialAndWait({ service, key, tls });
    if (typeof upstream === "string" || typeof upstream === "number") return upstream;
    this.#drop();
    this.#lastRequest = !framing.keepAlive && done;
    this.#kept = upstream;
    this.#move(Turn.exchange);
    const pathStart = target.form === "absolute" ? target.pathStart : head.targetStart;
    exchange.start(upstream, { bytes, bodyStart: end, pathStart }, destination);
    return next;
  }

  /** Grants a CONNECT. */
  #grant(
    bytes: Uint8Array,
    end: number,
    { destination, service }: { destination: Destination; service: Service },
  ): Read {
    const { key, table, authority } = destination;
    this.#record?.routed(service.name);
    // A tunnel ends with its connection, so it takes none from the pool.
    const upstream =
      (this.#waiting === undefined ? this.#unseen(service) : this.#waitedFor(key, end)) ??
      this.#dialAndWait({ service, key, tls: undefined });
    if (typeof upstream === "string" || typeof upstream === "number") return upstream;
    this.#drop();
    this.link.write(established, 0, established.length);
    this.#exchange.answerStatus = 200;
    this.#tunnelled = true;
    this.#serverName = undefined;
    this.#move(Turn.grant);
    this.#keepFrom(bytes, end);
    this.#tunnel = new Tunnel(this, upstream, {
      client: this.link,
      held: this.#held,
      service,
      key,
      dialect: destination.dialect!,
      host: authority.host,
      tlds: table.tlds,
      ended: this.#inputEnded,
      terminates: this.shared.terminates(),
      pool: this.shared.pool,
      fault: this.shared.fault,
    });
    this.#tunnel.look();
    this.#regulate();
    return "taken";
  }

  /** A service that may have gone since it was seen: worth a look before it is dialled. */
  #unseen(service: Service): Read | undefined {
    return this.shared.stillThere(service) ? undefined : this.#waitForLook();
  }

  /** What was dialled for the request that waits, or what came of it; undefined: nothing was. */
  #waitedFor(key: string, end: number): Upstream | Read | undefined {
    const waiting = this.#waiting!;
    const dialled = waiting.takeDialled();
    const failure = waiting.takeFailure(key);
    if (dialled?.key === key) return dialled;
    // The name has moved to another server meanwhile.
    dialled?.link.close();
    if (failure === undefined) {
      return waiting.looked ? undefined : this.#unseen(this.#service);
    }
    const supervised = comesBack(this.#destination, failure);
    switch (afterFailure({ looked: waiting.looked, returns: supervised !== undefined })) {
      case "look":
        return this.#waitForLook();
      case "service":
        return this.#waitForService(supervised!, { end, table: undefined, woken: false });
      case "error":
        return this.#refuseDial(failure);
    }
  }

  #own(bytes: Uint8Array, end: number, target: Target): Read {
    const head = this.#head;
    const from = target.form === "absolute" ? target.pathStart : head.targetStart;
    const path = latin1(bytes, from, head.targetEnd).replace(/\?.*/s, "") || "/";
    // A person who has just started a server looks for it here.
    if (path === frontPath && !this.#hasLooked) return this.#waitForLook();
    const reply = this.shared.pages({ method: head.method(bytes), path, ...this.#reader() });
    return this.#reply(reply, end);
  }

  // Requests that wait. `waits.ts` says for what, and what each event does.

  get #hasLooked(): boolean {
    return this.#waiting?.looked ?? false;
  }

  /** The wait of the request at hand, which has one already where it was read again. */
  #wait(facts: WaitingFacts): Waiting {
    if (this.#waiting?.bytes !== facts.bytes) {
      this.#drop();
      this.#waiting = new Waiting(this, this.shared, facts);
    }
    this.#move(Turn.wait);
    return this.#waiting!;
  }

  #waitForLook(): Read {
    this.#wait({ bytes: "held" }).look();
    return "waits";
  }

  #dialAndWait(way: Way): Read {
    this.#wait({ bytes: "held" }).dial(way);
    return "waits";
  }

  /** The request goes on, or is over. */
  #drop(): void {
    this.#waiting?.drop();
    this.#waiting = undefined;
  }

  decide(): void {
    if (this.#waiting!.bytes === "held") this.#again();
    else this.#decideSent();
  }

  /** Where a request goes that was sent, and is not to be read again. */
  #decideSent(): void {
    const waiting = this.#waiting!;
    const found = this.leadsTo();
    if (found?.decision.kind === "absent") {
      this.#attendSent(found.decision, found.table);
      return;
    }
    if (found?.decision.kind !== "proxy") {
      const failure = waiting.takeFailure(this.#destination!.key);
      if (failure === undefined) this.#lost();
      else this.#refuseDial(failure);
      return;
    }
    const failure = waiting.takeFailure(found.key);
    this.#destination = found;
    const { key, tls } = found;
    if (failure === undefined) {
      waiting.dial({ service: this.#service, key, tls });
      return;
    }
    const supervised = comesBack(found, failure);
    if (supervised === undefined) this.#refuseDial(failure);
    else this.#awaitReturn(supervised, { table: undefined, woken: false });
  }

  /** Sends once more a request that was sent before. */
  send(upstream: Upstream): void {
    const { last } = this.#waiting!;
    this.#drop();
    const exchange = this.#exchange;
    if (this.#inputEnded && !exchange.request.done) {
      // The client stopped in the middle meanwhile: half a request is none.
      upstream.link.close();
      this.#close();
      return;
    }
    this.#kept = upstream;
    this.#move(Turn.exchange);
    exchange.resend(upstream, this.#destination!, { last });
    this.#resumeBody();
  }

  replay(): void {
    this.#exchange.secured();
  }

  readOn(): void {
    this.#drop();
    this.#move(Turn.exchange);
    this.#exchange.readOn();
    if (this.#state === At.exchanging) this.#resumeBody();
  }

  /** Passes on what was held of the request's body while the request waited. */
  #resumeBody(): void {
    if (!this.#exchange.request.done) {
      if (this.#held.length > 0) this.#passOn(this.#held.take());
      if (this.#inputEnded && this.#state === At.exchanging && !this.#exchange.request.done) {
        this.#abandon();
        return;
      }
    }
    this.#regulate();
  }

  // Services of the supervisor that cannot answer now.

  #attend(bytes: Uint8Array, end: number, { supervised, turn }: Absent): Read {
    this.#record?.routed(supervised.routeName!);
    const { framing } = this.#exchange;
    const { kind, wakes } = onAbsence({
      turn,
      looked: this.#hasLooked,
      ended: this.#waiting?.hasEnded(supervised) ?? false,
      stranger: turn === "wake" && this.#isStrangers(),
      pageLoad: !framing.head && isPageLoad(this.#head, bytes, framing),
      large: framing.bodyLength > heldBodyLimit || (this.#waiting?.overfull ?? false),
    });
    if (wakes) this.#wake(supervised);
    switch (kind) {
      case "look":
        return this.#waitForLook();
      case "wait":
        return this.#waitForService(supervised, {
          end,
          table: this.#destination!.table,
          woken: wakes,
        });
      case "soon":
        // It is being woken, whatever it was when this was decided.
        return this.#tell(
          wakes ? { ...supervised, state: "starting" } : supervised,
          { kind },
          { end },
        );
      case "too large":
        return this.#tell(supervised, { kind: "too-large", limit: heldBodyLimit }, { end });
      default:
        return this.#tell(supervised, { kind }, { end });
    }
  }

  /** Of a request that was sent, and may be sent again. */
  #attendSent({ supervised, turn }: Absent, table: RouteTable): void {
    const { kind, wakes } = onAbsence({
      turn,
      looked: true,
      ended: this.#waiting!.hasEnded(supervised),
      stranger: turn === "wake" && this.#isStrangers(),
      pageLoad: false,
      large: false,
    });
    if (wakes) this.#wake(supervised);
    if (kind === "wait") this.#awaitReturn(supervised, { table, woken: wakes });
    else if (kind === "strangers") this.#tell(supervised, { kind }, { end: undefined });
    else this.#tell(supervised, { kind: "down" }, { end: undefined });
  }

  /** Lets a request wait whose bytes are kept and read again. */
  #waitForService(
    supervised: Supervised,
    { end, table, woken }: { end: number; table: RouteTable | undefined; woken: boolean },
  ): Read {
    const { bodyLength } = this.#exchange.framing;
    const endless = bodyLength < 0;
    const octets = end - this.#head.start + (endless ? heldBodyLimit : bodyLength) + headLimit;
    const waiting = this.#wait({ bytes: "held" });
    if (waiting.service(supervised, { woken, table, room: { octets, endless } })) return "waits";
    return this.#tell(supervised, { kind: "waited", seconds: waiting.limit }, { end });
  }

  /** Lets a request wait that was sent to a service which ended before it said a word. */
  #awaitReturn(
    supervised: Supervised,
    { table, woken }: { table: RouteTable | undefined; woken: boolean },
  ): void {
    const waiting = this.#waiting!;
    this.#move(Turn.wait);
    if (waiting.service(supervised, { woken, table })) {
      this.#regulate();
      return;
    }
    this.#tell(supervised, { kind: "waited", seconds: waiting.limit }, { end: undefined });
  }

  #isStrangers(): boolean {
    const asked = this.#requestAtHand();
    return asked === undefined || isStrangers(asked.head, asked.bytes, this.shared.routes());
  }

  /** Once for a request: a service that ends at once is not started by it over and over. */
  #wake({ id }: Supervised): void {
    if (!this.#waiting?.woken) this.shared.supervision?.wake(id);
  }

  /** Says in place of an answer why there is none. `end`: of the head, where its bytes are at hand; otherwise the connection ends. */
  #tell(supervised: Supervised, absence: Absence, { end }: { end: number | undefined }): Read {
    const lines = this.shared.supervision?.latest(supervised.id, linesShown) ?? [];
    const reply = absentPage({ supervised, absence, lines, ...this.#reader() });
    return end === undefined ? this.#lastWords(reply) : this.#reply(reply, end);
  }

  // Our own answers.

  /** Who reads an answer of ours, and in which form. Looked up only where there is one: most requests need neither. */
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

  #refuseDial(failure: DialFailure): Read {
    const secured = this.#destination!.tls !== undefined;
    return this.#refuse(dialFailed(this.#service, failure, { secured }));
  }

  /** Answers and ends the connection: what follows a refused request cannot be trusted to begin where we think. */
  #refuse(problem: Problem): Read {
    const { wants, details } = this.#reader();
    return this.#lastWords(errorPage(problem, wants, { details }));
  }

  #lastWords(reply: Reply): Read {
    const bytes = encodeReply(reply, { head: this.#headRequest, close: true });
    this.link.write(bytes, 0, bytes.length);
    this.#answered(reply);
    this.#linger();
    return "taken";
  }

  /** Answers from our own pages. Only a request without a body lets the connection go on. */
  #reply(reply: Reply, end: number): Read {
    const { framing } = this.#exchange;
    const keepAlive = framing.keepAlive && framing.bodyLength === 0 && !this.shared.draining();
    // HTTP/1.0 clients that want more have to be told so; we have nothing that they need twice.
    const close = !keepAlive || this.#head.minor === 0;
    const bytes = encodeReply(reply, { head: this.#headRequest, close });
    this.link.write(bytes, 0, bytes.length);
    this.#answered(reply);
    this.#drop();
    this.#served++;
    this.#move(Turn.next);
    if (!close) return end;
    this.#linger();
    return "taken";
  }

  #answered({ status, body }: Reply): void {
    this.#record?.answered(status, this.#headRequest ? 0 : Buffer.byteLength(body));
  }

  // What the exchange reports.

  /** More of what the client sends while its request is being answered. */
  #passOn(bytes: Uint8Array): void {
    const from = this.#exchange.request.done ? 0 : this.#exchange.requestBytes(bytes, 0);
    if (this.#state !== At.exchanging && !this.#isReading) return;
    this.#held.add(bytes, from);
    this.#regulate();
  }

  finished(keepAlive: boolean): void {
    if (this.#state !== At.exchanging) return;
    this.#record?.end(false);
    this.#served++;
    if (!keepAlive) {
      // A client that said `close` and was heard out has nothing on its way that a plain close could hurt.
      if (this.#lastRequest && this.#held.length === 0) this.#close();
      else this.#linger();
      return;
    }
    if (this.link.pending > 0) this.#move(Turn.flush);
    else this.#next();
  }

  retry(): void {
    const { key, tls } = this.#destination!;
    this.#wait({ bytes: "sent" }).dial({ service: this.#service, key, tls });
  }

  doubted(address: string): void {
    const { dialect } = this.#destination!;
    this.#wait({ bytes: "sent", looked: true }).question(dialect!, address);
    this.#regulate();
  }

  secure(): void {
    const found = this.leadsTo();
    if (found?.decision.kind !== "proxy") {
      // Its name has gone to nobody meanwhile.
      this.#lost();
      return;
    }
    this.#destination = found;
    const { key, tls } = found;
    this.#wait({ bytes: "sent", looked: true }).dial({ service: this.#service, key, tls });
  }

  broken(silent: boolean): void {
    this.#record?.end(true);
    if (silent) this.link.abort();
    else this.#linger();
  }

  switched(upstream: Upstream, rest: Uint8Array): void {
    this.link.write(rest, 0, rest.length);
    this.#record?.tunnel()?.fromSecond(rest.length);
    this.join(upstream);
  }

  requestDrained(): void {
    this.#regulate();
  }

  unanswered(problem: { status: 400 | 502; why: string; again?: boolean }): void {
    const { status, why, again = false } = problem;
    if (status === 400) {
      this.#refuse({ status, why });
      return;
    }
    const supervised = again ? supervisedBehind(this.#destination) : undefined;
    if (supervised === undefined) {
      const service = this.#service;
      const address = service.endpoint.dial[0]!;
      this.#refuse(upstreamFailed(service, { status, address, why }));
      return;
    }
    // The request waits until its service is back, and is sent again, once.
    this.#wait({ bytes: "sent", looked: true, last: true });
    this.#awaitReturn(supervised, { table: undefined, woken: false });
  }

  #lost(): void {
    this.unanswered({ status: 502, why: lostWhy });
  }

  // What the tunnel does.

  join(upstream: Upstream): void {
    const first = this.#held.take();
    this.#move(Turn.join);
    this.#tunnel = undefined;
    upstream.link.write(first, 0, first.length);
    if (this.#inputEnded) upstream.link.halfClose();
    this.#record?.tunnel()?.fromFirst(first.length);
    join(this.link, upstream.link, this.#joined());
  }

  hand(): Joined {
    this.#move(Turn.join);
    return this.#joined();
  }

  takeBack({ bytes, ended }: { bytes: Uint8Array; ended: boolean }): void {
    this.link.handler = this;
    this.#inputEnded ||= ended;
    this.#held.add(bytes);
    this.#move(Turn.grant);
    this.#regulate();
  }

  upgrade(upstream: Upstream | undefined): void {
    this.#tunnel = undefined;
    // The request inside begins with the connection that was dialled for its tunnel.
    this.#waiting = upstream && Waiting.with(upstream, this, this.shared);
    this.#record?.end(false);
    this.#again();
  }

  #joined(): Joined {
    return {
      came: this.#record?.tunnel(),
      closed: () => {
        this.#record?.end(false);
        this.#end();
      },
      failed: (fault) => this.shared.fault(fault),
    };
  }

  close(): void {
    this.#close();
  }

  /** Hands the link to TLS, with what is held of it; what is inside becomes another connection. */
  secureInside(): void {
    this.#secure(this.#held.take());
  }

  #secure(first: Uint8Array): void {
    if (this.secured || !this.shared.secure(this, first, { tunnelled: this.#tunnelled })) {
      this.#close();
      return;
    }
    this.#record?.end(false);
    this.#end();
  }

  // The end.

  /** Input is taken while somebody can use it. */
  #regulate(): void {
    // Not before there is much of it: a paused link does not tell that its peer has gone.
    const full =
      this.#held.length >= (this.#waiting?.room ?? headLimit) ||
      (this.#state === At.exchanging && this.#exchange.requestBlocked);
    if (full) this.link.pause();
    else this.link.resume();
  }

  /** Ends after our last words: closing at once could destroy them on the way (RFC 9112 section 9.6). */
  #linger(): void {
    if (this.#state === At.closed) return;
    this.#letGo();
    if (this.#inputEnded) {
      this.link.close();
      return;
    }
    this.link.halfClose();
    this.link.resume();
  }

  #close(): Read {
    if (this.#state === At.closed) return "taken";
    this.#record?.end(true);
    this.#letGo();
    this.link.close();
    return "taken";
  }

  #letGo(): void {
    this.#drop();
    this.#tunnel?.drop(undefined);
    this.#tunnel = undefined;
    this.#held.clear();
    this.#move(Turn.linger);
  }

  /** The client broke its request off: nothing is owed to anybody. */
  #abandon(): void {
    this.#exchange.cancel();
    this.#close();
  }

  /** The link is gone, or another's. */
  #end(): void {
    this.#drop();
    this.#held.clear();
    this.#move(Turn.end);
    this.#record?.close();
    this.shared.gone(this);
  }
}

/** What serves one client after another. */
function serving(shared: ConnectionShared): Serving {
  const { recorder, callers } = shared;
  const exchange = new Exchange(shared);
  return { exchange, record: recorder && new RequestRecord(recorder, callers, exchange) };
}
