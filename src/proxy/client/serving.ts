/** A client's requests, one after another -> for each, an upstream that answers it, a wait, or an answer of our own. */
import type { Decision } from "../../routes/decide.ts";
import type { Origin } from "../../routes/origins.ts";
import type { Service } from "../../routes/service.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { waitingFor, waitingText } from "../../routes/waiting-name.ts";
import { nearestName, type RouteTable } from "../../routes/table.ts";
import { latin1 } from "../../wire/bytes.ts";
import type { RequestFraming } from "../../wire/framing.ts";
import { headLimit, type RequestHead } from "../../wire/head.ts";
import { Login } from "../../wire/login.ts";
import type { Bad } from "../../wire/parsed.ts";
import { readTarget, type Target } from "../../wire/target.ts";
import { choiceReply } from "../pages/choice-page.ts";
import { denialPage } from "../pages/denial-page.ts";
import { namesServices } from "../pages/own-pages.ts";
import type { Problem } from "../pages/problem.ts";
import { badRequest, dialFailed, remoteAway, unshown, upstreamFailed } from "../pages/refusal.ts";
import type { Reply } from "../pages/reply.ts";
import { newsReply, watchedMark } from "../pages/watching.ts";
import { choiceAsked } from "../request/choice.ts";
import { type Destination, wayTo } from "../request/destination.ts";
import { passesUnread } from "../request/guard.ts";
import { deniedIn, isGet } from "../request/guarded.ts";
import { isBrowsers } from "../request/is-browsers.ts";
import { lastRecipientReply } from "../request/last-recipient.ts";
import { isPageLoad } from "../request/page-load.ts";
import { RequestRecord } from "../request/record.ts";
import { bodySeconds, StillBody } from "../request/still-body.ts";
import {
  comesBack,
  supervisedBehind,
  Waiting,
  type WaitingFacts,
  type WaitingOwner,
  type Way,
} from "../request/waiting.ts";
import { afterFailure } from "../request/waits.ts";
import { Exchange, lostWhy } from "../upstream/exchange.ts";
import type { ExchangeOwner } from "../upstream/exchange-owner.ts";
import { hasBeenHere } from "../upstream/own-fields.ts";
import type { DialFailure, Upstream } from "../upstream/pool.ts";
import { Absences, type AbsencesOwner } from "./absences.ts";
import type { Client, Read, ServingShared } from "./client.ts";
import { CurrentDestination } from "./current-destination.ts";
import { OwnAnswers } from "./own-answers.ts";
import { At, Turn } from "./states.ts";

/** Serves one client after another, because building all this anew costs too much for a connection of one request. */
export class Serving implements ExchangeOwner, WaitingOwner, AbsencesOwner {
  #client!: Client;
  readonly #shared: ServingShared;
  /** The request is also read inside the exchange. */
  readonly #exchange: Exchange;
  readonly #head: RequestHead;
  /** Undefined: nothing is recorded. */
  readonly #record: RequestRecord | undefined;
  readonly #answers: OwnAnswers;
  readonly #absences: Absences;
  /** The client asked for no further request, and this one is complete. */
  #lastRequest = false;
  readonly #current: CurrentDestination;
  /** The current request is one of gRPC. */
  #grpc = false;
  /** The upstream that this client used last. */
  #kept: Upstream | undefined;
  readonly #stillBody = new StillBody();
  /** Set while a request cannot proceed. */
  #waiting: Waiting | undefined;

  constructor(shared: ServingShared) {
    this.#shared = shared;
    this.#exchange = new Exchange(shared);
    this.#head = this.#exchange.requestHead;
    this.#current = new CurrentDestination(shared, this.#exchange);
    const { recorder, callers } = shared;
    this.#record = recorder && new RequestRecord(recorder, callers, this.#exchange);
    this.#answers = new OwnAnswers({
      exchange: this.#exchange,
      record: this.#record,
      draining: shared.draining,
    });
    this.#absences = new Absences(this, {
      shared,
      exchange: this.#exchange,
      current: this.#current,
      record: this.#record,
      answers: this.#answers,
    });
  }

  /** Serves another client from here on. Nothing is left of the one before. */
  attach(client: Client): void {
    this.#client = client;
    this.#exchange.attach(client.link, this);
    this.#record?.attach(client.link, client.secured);
    this.#answers.attach(client);
    this.#absences.attach(client);
    this.#lastRequest = false;
    this.#current.attach(client);
    this.#kept = undefined;
  }

  get head(): RequestHead {
    return this.#head;
  }

  /** Clients take turns where connections are dialled. What lasts has turns of its own. */
  get client(): object {
    const { link } = this.#client;
    const { connect, upgrade } = this.#exchange.framing;
    return connect || upgrade ? link : (link.party ?? link);
  }

  get host(): string | undefined {
    return this.#destination?.authority.host;
  }

  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  /** The current request is complete. */
  get requestDone(): boolean {
    return this.#exchange.request.done;
  }

  /** Octets that may be held before the client is paused; 0: no more is accepted now. */
  get room(): number {
    if (this.#client.state === At.exchanging && this.#exchange.requestBlocked) return 0;
    return this.#waiting?.room ?? headLimit;
  }

  /** Reports how many octets of a waiting request are held now. */
  holds(octets: number): void {
    this.#waiting?.holds(octets);
  }

  /** Half a second has passed, the supervisor has news, or the proxy stops. */
  news(): void {
    // A person looks at a page of ours: a server that starts now is found as soon as while the proxy is in use.
    if (this.#waiting!.waitsFor === "change") this.#shared.touch();
    this.#waiting!.news();
  }

  clientDrained(): void {
    this.#exchange.clientDrained();
  }

  /** Half a second has passed. `began`: when the current request was sent to its service. */
  watchBody(began: number): void {
    const exchange = this.#exchange;
    if (exchange.request.done) return;
    const now = this.#shared.seconds();
    const octets = exchange.requestOctets + exchange.answerOctets;
    const { bodyAwaited: awaited } = exchange;
    if (!this.#stillBody.isStill({ octets, awaited, began, now })) return;
    // Streams of gRPC are silent for as long as they like: it has deadlines and pings of its own.
    if (this.#grpc) this.#stillBody.spare(now);
    else this.#shedBody();
  }

  #shedBody(): void {
    const { answering } = this.#exchange;
    this.#exchange.cancel();
    if (answering) this.broken(true);
    else this.refuse({ status: 408, still: bodySeconds });
  }

  /** The tunnel turned out to carry a request. `upstream` was dialled for the tunnel. */
  readTunnelled(upstream: Upstream | undefined): void {
    this.#waiting = upstream && Waiting.with(upstream, this, this.#shared);
    this.#record?.end(false);
    this.#client.again();
  }

  /** Counts the bytes of a tunnel; undefined if nothing is recorded. */
  counts(): ReturnType<RequestRecord["tunnel"]> {
    return this.#record?.tunnel();
  }

  /** The current request is over. `broken`: its answer was incomplete. */
  end({ broken }: { broken: boolean }): void {
    this.#record?.end(broken);
  }

  /** Cancels the upstream's work, which no client waits for any more. */
  cancel(): void {
    this.#exchange.cancel();
  }

  /** The client is gone, or its link has another owner now. */
  close(): void {
    this.drop();
    this.#record?.close();
  }

  /** Refuses a head that cannot be read. */
  refuseHead(bytes: Uint8Array, outcome: Bad): void {
    // The part that was read may tell which form of error page the client wants.
    this.#answers.isHead(false);
    this.#answers.at(bytes);
    this.refuse(badRequest(outcome));
    this.#answers.at(undefined);
  }

  /** Refuses a head that is not complete in time. */
  refuseSlowHead(): void {
    // The request before may have been HEAD.
    this.#answers.isHead(false);
    this.refuse({ status: 408 });
  }

  /** Handles a complete head and the bytes behind it, up to `bytes.length`. */
  handle(bytes: Uint8Array, end: number): Read {
    const read = this.#handle(bytes, end);
    this.#answers.at(undefined);
    return read;
  }

  #handle(bytes: Uint8Array, end: number): Read {
    const head = this.#head;
    const { framing } = this.#exchange;
    this.#answers.isHead(false);
    this.#answers.at(bytes);
    this.#record?.begin(head, bytes);
    const wrong = framing.read(head, bytes);
    if (wrong !== undefined) return this.refuse(badRequest(wrong));
    this.#answers.isHead(framing.head);
    this.#answers.isGrpc(framing);
    const { secured } = this.#client;
    const target = readTarget(head, bytes, { connect: framing.connect, secured });
    if ("kind" in target) return this.refuse(badRequest(target));
    const destination = this.#current.route(bytes, target, { again: this.#waiting !== undefined });
    if (destination === undefined) {
      return this.refuse({ status: 400, why: "Host is missing or is not a host name" });
    }
    this.#shared.touch();
    this.#record?.secured(destination.secure);
    const redirected = destination.secure
      ? undefined
      : this.#shared.redirect?.(head, bytes, { framing, target, destination });
    if (redirected !== undefined) return this.reply(redirected, end);
    if (this.#current.isMisdirected(destination)) {
      const { host } = destination.authority;
      return this.refuse({ status: 421, host, certificate: this.#client.serverName! });
    }
    const { decision } = destination;
    if (destination.origin !== undefined) {
      const read = this.#ofOrigin(bytes, end, { target, destination, origin: destination.origin });
      if (read !== undefined) return read;
    }
    const asked = watchedMark(head, bytes);
    if (asked !== undefined && isQuestion(framing)) {
      const mark = this.#shared.marks.of(decision, destination.table);
      if (mark !== undefined) return this.#tellNews(asked === mark, destination.table, end);
    }
    const { longer } = destination;
    if (longer !== undefined && !this.#hasLooked && this.#awaitsLook(longer)) {
      return this.waitForLook();
    }
    switch (decision.kind) {
      case "proxy":
        if (this.#current.isUncertified(destination)) {
          return this.#refuseUncertified(decision.service.name);
        }
        return (
          (this.#passesUnread(bytes)
            ? undefined
            : this.#guard(bytes, end, { target, name: decision.service.name })) ??
          this.#forward(bytes, end, { destination, target, service: decision.service })
        );
      case "tunnel":
        if (this.#readsTunnel(bytes)) {
          this.#record?.routed(decision.service.name);
          return this.#grantRead(bytes, end);
        }
        return this.#grant(bytes, end, { destination, service: decision.service });
      case "absent":
        if (framing.connect && this.#readsTunnel(bytes)) return this.#grantRead(bytes, end);
        if (this.#current.isUncertified(destination)) {
          return this.#refuseUncertified(decision.supervised.routeName!);
        }
        return (
          (this.#passesUnread(bytes)
            ? undefined
            : this.#guard(bytes, end, { target, name: decision.supervised.routeName! })) ??
          this.#absences.attend(bytes, end, decision)
        );
      case "unchosen":
        if (!this.#hasLooked) return this.waitForLook();
        return this.#explain(unshown(decision, this.#shared.urlPorts));
      case "own":
        return this.#own(bytes, end, target);
      case "misdirected":
        return this.refuse({ status: 421, host: destination.authority.host });
      case "unproxied":
        // The person may have just added the name to the hosts file.
        if (!this.#hasLooked) return this.waitForLook();
        return this.refuse({
          status: 421,
          unproxied: decision.name,
          scheme: destination.secure ? "https" : "http",
          ports: this.#shared.urlPorts,
        });
      case "close":
        return this.#client.close();
      case "unknown":
        if (!this.#hasLooked) return this.waitForLook();
        if (decision.quiet) return this.#client.close();
        return this.#explainUnknown(decision, destination.table);
    }
  }

  #explainUnknown(
    { name, unanswered }: Extract<Decision, { kind: "unknown" }>,
    table: RouteTable,
  ): Read {
    const remote = this.#shared.remote?.(name);
    if (remote !== undefined && remote.state !== "up") {
      return this.#explain(remoteAway(name, remote));
    }
    const kept = this.#keptFor(name);
    return this.#explain({
      status: 404,
      name,
      remote,
      names: table.names,
      nearest: kept === undefined ? nearestName(name, table) : undefined,
      unusable: this.#shared.unusable?.() ?? [],
      unanswered,
      kept,
      port: this.#shared.urlPorts.http,
      securePort: this.#shared.urlPorts.https,
    });
  }

  /** Handles what is special about a name that can show several checkouts; undefined: nothing is, this time. */
  #ofOrigin(
    bytes: Uint8Array,
    end: number,
    { target, destination, origin }: { target: Target; destination: Destination; origin: Origin },
  ): Read | undefined {
    const { framing } = this.#exchange;
    if (framing.connect) {
      // The cookie is inside the tunnel.
      return this.#readsTunnel(bytes) ? this.#grantRead(bytes, end) : undefined;
    }
    const asked = choiceAsked(this.#head, bytes, { target, destination, origin });
    if (asked === undefined) return undefined;
    // A worktree may have been made just now.
    if (!this.#hasLooked) return this.waitForLook();
    return this.reply(choiceReply(asked, this.#answers.reader()), end);
  }

  /** Where a name that leads nowhere would lead. */
  #keptFor(name: string): string | undefined {
    const kept = waitingFor(name, this.#shared.keptNames?.() ?? []);
    return kept && waitingText(kept);
  }

  /** Whether a request for a name that only a shorter one answers waits for a look at the machine. */
  #awaitsLook(longer: string): boolean {
    const shared = this.#shared;
    const next = shared.longerNames.next(longer, shared.seconds());
    if (next === "look") shared.refresh().catch((fault: unknown) => shared.fault(fault));
    return next === "wait";
  }

  // Where a request goes.

  /** The destination of the current request, once that is routed. */
  get #destination(): Destination | undefined {
    return this.#current.destination;
  }

  leadsTo(): Destination | undefined {
    return this.#current.leadsTo();
  }

  #refuseUncertified(bareName: string): Read {
    return this.refuse({ status: 421, bareName, port: this.#shared.urlPorts.https });
  }

  // How a request is answered.

  /** Whether the guard has nothing to say of the request, whatever its fields say. */
  #passesUnread(bytes: Uint8Array): boolean {
    const { settings } = this.#destination!;
    return passesUnread(this.#exchange.framing, settings, isGet(this.#head, bytes));
  }

  /** Refuses what a page of another site asks for, before anything is woken or dialled; undefined: it passes. */
  #guard(
    bytes: Uint8Array,
    end: number,
    { target, name }: { target: Target; name: string },
  ): Read | undefined {
    const { framing } = this.#exchange;
    const destination = this.#destination!;
    const supervised = supervisedIn(destination.decision);
    const { destinations } = this.#shared;
    const facts = { framing, target, destination, name, supervised, destinations };
    const denied = deniedIn(this.#head, bytes, facts);
    if (denied === undefined) return undefined;
    // The person may have just written the line that allows it.
    if (denied.refused && this.#shared.reread?.() === true) return this.#handle(bytes, end);
    this.#record?.denied(denied);
    if (!denied.refused) return undefined;
    const reply = denialPage(denied);
    // A client whose handshake is refused has no other use for its connection.
    return framing.upgrade ? this.#answers.lastWords(reply) : this.reply(reply, end);
  }

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
    if (framing.proxied && hasBeenHere(head, bytes, destination.hop!.mark)) {
      return this.refuse({ status: 508, name: service.name });
    }
    if (framing.maxForwards === 0) return this.reply(lastRecipientReply(head, bytes), end);
    // A body that begins malformed is refused before any byte of it is sent on.
    const next = exchange.readBody(bytes, end);
    const { bad, done } = exchange.request;
    if (bad !== undefined) return this.refuse(badRequest(bad));
    // The client stopped in the middle while the request waited. Half a request is not a request.
    if (this.#client.inputEnded && !done) return this.#client.close();
    this.#grpc = framing.grpc;
    const { key } = this.#wayTo(destination);
    const upstream =
      (this.#waiting === undefined ? this.#unseen(service) : this.#waitedFor(key, end)) ??
      this.#take(key) ??
      this.#dialAndWait(this.#way(destination));
    if (typeof upstream === "string" || typeof upstream === "number") return upstream;
    this.drop();
    if (framing.login !== Login.none && upstream.stream === undefined) {
      this.#client.ownLogins().bind(upstream, { why: "login" });
    }
    this.#lastRequest = !framing.keepAlive && done;
    this.#kept = upstream;
    this.#client.move(Turn.exchange);
    const pathStart = target.form === "absolute" ? target.pathStart : head.targetStart;
    exchange.start(upstream, { bytes, bodyStart: end, pathStart }, destination);
    return next;
  }

  /** A connection that is open and free. */
  #take(key: string): Upstream | Read | undefined {
    const { framing } = this.#exchange;
    const { logins } = this.#client;
    if (logins?.has(key)) {
      const upstream = logins.take(key, framing.login);
      // The server has ended the connection just now, and with it the client's.
      if (upstream === undefined && !this.#client.isReading) return "taken";
      if (upstream !== undefined || logins.has(key)) return upstream;
    }
    return this.#shared.pool.take(key, { own: this.#kept, safe: framing.idempotent });
  }

  /** How to dial; with a login that is bound to its connection, the request waits for its turn on that. */
  #way(destination: Destination): Way {
    const { login, connect } = this.#exchange.framing;
    const { logins } = this.#client;
    const { key, tls, h2 } = this.#wayTo(destination);
    // A session of the client's own serves all its requests side by side.
    const isBound = !h2 && (login !== Login.none || logins?.has(key) === true);
    const by = isBound ? (logins ?? this.#client.ownLogins()).line(login) : undefined;
    return {
      service: this.#current.service,
      key,
      tls,
      h2,
      by,
      ...(connect ? { fresh: true } : {}),
    };
  }

  /** Whether the CONNECT is one whose inside has to be read: only there is it told which page asks. */
  #readsTunnel(bytes: Uint8Array): boolean {
    const { settings, decision, authority, origin } = this.#destination!;
    const isOpen = settings.guard === "off" && origin === undefined;
    if (isOpen || !this.#shared.terminates()) return false;
    // Without a certificate of ours, the server may have one that the person trusts; and a service is not woken to ask.
    const wakes = decision.kind === "absent" && decision.turn === "wake";
    const certified = authority.host.includes(".") || this.#shared.bareNames();
    return (wakes || certified) && isBrowsers(this.#head, bytes);
  }

  #grantRead(bytes: Uint8Array, end: number): Read {
    this.drop();
    this.#exchange.answerStatus = 200;
    this.#client.grantRead({ bytes, from: end });
    return "taken";
  }

  /** Grants a CONNECT. */
  #grant(
    bytes: Uint8Array,
    end: number,
    { destination, service }: { destination: Destination; service: Service },
  ): Read {
    const { key } = destination;
    this.#record?.routed(service.name);
    // A tunnel ends with its connection, so it takes none from the pool.
    const upstream =
      (this.#waiting === undefined ? this.#unseen(service) : this.#waitedFor(key, end)) ??
      this.#dialAndWait({ service, key, tls: undefined, h2: false, fresh: true });
    if (typeof upstream === "string" || typeof upstream === "number") return upstream;
    this.drop();
    this.#exchange.answerStatus = 200;
    this.#client.grant(upstream, { bytes, from: end, service, destination });
    return "taken";
  }

  /** If the service may have gone since it was seen, looks at the machine before dialling. */
  #unseen(service: Service): Read | undefined {
    return this.#shared.stillThere(service) ? undefined : this.waitForLook();
  }

  /** The connection dialled for the waiting request, or the result of a failed dial; undefined: nothing was dialled. */
  #waitedFor(key: string, end: number): Upstream | Read | undefined {
    const waiting = this.#waiting!;
    const dialled = waiting.takeDialled();
    const failure = waiting.takeFailure(key);
    if (dialled?.key === key) return dialled;
    // The name has moved to another server meanwhile.
    dialled?.close();
    if (failure === undefined) {
      return waiting.looked ? undefined : this.#unseen(this.#current.service);
    }
    const next = this.#current.nextInstance();
    if (next !== undefined) return this.#dialAndWait(this.#way(next));
    const supervised = comesBack(this.#destination, failure);
    switch (afterFailure({ looked: waiting.looked, returns: supervised !== undefined })) {
      case "look":
        return this.waitForLook();
      case "service":
        if (this.#absences.isLarge) return this.#absences.tellTooLarge(supervised!, end);
        return this.#absences.waitForService(supervised!, { end, table: undefined, woken: false });
      case "error":
        return this.#refuseDial(failure);
    }
  }

  #own(bytes: Uint8Array, end: number, target: Target): Read {
    const head = this.#head;
    const from = target.form === "absolute" ? target.pathStart : head.targetStart;
    const path = latin1(bytes, from, head.targetEnd).replace(/\?.*/s, "") || "/";
    if (namesServices.has(path) && !this.#hasLooked) return this.waitForLook();
    const reply = this.#shared.pages({
      method: head.method(bytes),
      path,
      mark: this.markShown(),
      ...this.#answers.reader(),
    });
    return this.reply(reply, end);
  }

  // Requests that wait. `waits.ts` lists what they wait for and what each event does.

  get #hasLooked(): boolean {
    return this.#waiting?.looked ?? false;
  }

  /** The wait of the current request. A request that was read again already has one. */
  wait(facts: WaitingFacts): Waiting {
    if (this.#waiting?.bytes !== facts.bytes) {
      this.drop();
      this.#waiting = new Waiting(this, this.#shared, facts);
    }
    this.#client.move(Turn.wait);
    return this.#waiting!;
  }

  waitForLook(): Read {
    this.wait({ bytes: "held" }).look();
    return "waits";
  }

  #dialAndWait(way: Way): Read {
    this.wait({ bytes: "held" }).dial(way);
    return "waits";
  }

  /** The request proceeds, or is over. */
  drop(): void {
    this.#waiting?.drop();
    this.#waiting = undefined;
  }

  decide(): void {
    if (this.#waiting!.bytes === "held") this.#client.again();
    else this.#decideSent();
  }

  /** Decides where to send a request that was sent already and is not read again. */
  #decideSent(): void {
    const waiting = this.#waiting!;
    const found = this.leadsTo();
    if (found?.decision.kind === "absent") {
      this.#absences.attendSent(found.decision, found.table);
      return;
    }
    if (found?.decision.kind !== "proxy") {
      const failure = waiting.takeFailure(this.#wayTo(this.#destination!).key);
      if (failure === undefined) this.#lost();
      else this.#refuseDial(failure);
      return;
    }
    const { key } = this.#wayTo(found);
    const failure = waiting.takeFailure(key);
    this.#current.destination = found;
    if (failure === undefined) {
      waiting.dial(this.#way(found));
      return;
    }
    const next = this.#current.nextInstance();
    if (next !== undefined) {
      waiting.dial(this.#way(next));
      return;
    }
    const supervised = comesBack(found, failure);
    if (supervised === undefined) this.#refuseDial(failure);
    else this.#absences.awaitReturn(supervised, { table: undefined, woken: false });
  }

  /** Resends a request that was sent before. */
  send(upstream: Upstream): void {
    const { last } = this.#waiting!;
    this.drop();
    const exchange = this.#exchange;
    if (this.#client.inputEnded && !exchange.request.done) {
      // The client stopped in the middle meanwhile. Half a request is not a request.
      upstream.close();
      this.#client.close();
      return;
    }
    this.#kept = upstream;
    this.#client.move(Turn.exchange);
    exchange.resend(upstream, this.#destination!, { last });
    this.#resumeBody();
  }

  replay(): void {
    this.#exchange.speaksOtherwise();
  }

  readOn(): void {
    this.drop();
    this.#client.move(Turn.exchange);
    this.#exchange.readOn();
    if (this.#client.state === At.exchanging) this.#resumeBody();
  }

  failed(fault: unknown): void {
    const { link } = this.#client;
    link.handler.failed(fault);
    link.abort();
  }

  /** Passes on the part of the body that was held while the request waited. */
  #resumeBody(): void {
    if (!this.#exchange.request.done) {
      if (this.#client.held.length > 0) this.passOn(this.#client.held.take());
      if (
        this.#client.inputEnded &&
        this.#client.state === At.exchanging &&
        !this.#exchange.request.done
      ) {
        this.#client.abandon();
        return;
      }
    }
    this.#client.regulate();
  }

  // Our own answers.

  #refuseDial(failure: DialFailure): Read {
    const secured = this.#destination!.tls !== undefined;
    return this.#explain(dialFailed(this.#current.service, failure, { secured }));
  }

  refuse(problem: Problem): Read {
    return this.#answers.refuse(problem, { mark: undefined });
  }

  /** Refuses a request that a change of the routes could let pass. */
  #explain(problem: Problem): Read {
    return this.#answers.refuse(problem, { mark: this.markShown() });
  }

  /**
   * The mark of what we say about the current request; undefined if nobody looks at it, or if it was a form: a page
   * that loads itself again must not send it again. `said`: the decision as the page tells it.
   */
  markShown(said?: Decision): string | undefined {
    const asked = this.#answers.current();
    if (asked === undefined || !isPageLoad(asked.head, asked.bytes, this.#exchange.framing))
      return undefined;
    const { decision, table } = this.#destination!;
    return this.#shared.marks.of(said ?? decision, table);
  }

  /**
   * Answers a page of ours as soon as what it says no longer `holds`. The question may be anybody's, so it starts
   * nothing, and it is not recorded. Without news, the connection ends after a while, and the page asks again.
   */
  #tellNews(holds: boolean, table: RouteTable, end: number): Read {
    this.#record?.forget();
    if (!holds) return this.reply(newsReply, end);
    return this.wait({ bytes: "held" }).change(table) ? "waits" : this.#client.close();
  }

  /** Answers with one of our own pages. The connection continues only after a request without a body. */
  reply(reply: Reply, end: number): Read {
    this.drop();
    return this.#answers.reply(reply, end);
  }

  // Events of the exchange.

  /** Handles more bytes from the client while its request is being answered. */
  passOn(bytes: Uint8Array): void {
    const from = this.#exchange.request.done ? 0 : this.#exchange.requestBytes(bytes, 0);
    if (this.#client.state !== At.exchanging && !this.#client.isReading) return;
    this.#client.held.add(bytes, from);
    this.#client.regulate();
  }

  finished(keepAlive: boolean): void {
    if (this.#client.state !== At.exchanging) return;
    this.#record?.end(false);
    this.#client.served++;
    if (!keepAlive) {
      // A client that announced `close`, and whose request was read to its end, has sent nothing that a plain close
      // could hurt.
      if (this.#lastRequest && this.#client.held.length === 0) this.#client.close();
      else this.#client.linger();
      return;
    }
    if (this.#client.link.pending > 0) this.#client.move(Turn.flush);
    else this.#client.next();
  }

  retry(): void {
    this.wait({ bytes: "sent" }).dial(this.#way(this.#destination!));
  }

  doubted(way: { address: string; secured: boolean }): void {
    const { dialect } = this.#destination!;
    this.wait({ bytes: "sent", looked: true }).question(dialect!, way);
    this.#client.regulate();
  }

  sendOtherwise(): void {
    const found = this.leadsTo();
    if (found?.decision.kind !== "proxy") {
      // No service has the name any more.
      this.#lost();
      return;
    }
    this.#current.destination = found;
    this.wait({ bytes: "sent", looked: true }).dial(this.#way(found));
  }

  broken(silent: boolean): void {
    this.#record?.end(true);
    if (silent) this.#client.link.abort();
    else this.#client.linger();
  }

  bound(upstream: Upstream, status: number): void {
    if (upstream.stream !== undefined) {
      const { key } = wayTo(this.#destination!, { grpc: this.#grpc });
      this.#client.ownLogins().ownKey(key);
      return;
    }
    const why = status === 401 ? "offer" : "login";
    const midway = status === 401 && this.#exchange.framing.login !== Login.none;
    this.#client.ownLogins().bind(upstream, { why, midway });
  }

  switched(upstream: Upstream, rest: Uint8Array): void {
    // The client's own wish: its other requests get another connection.
    upstream.hasLogin = false;
    upstream.owner?.left(upstream);
    this.#client.link.write(rest, 0, rest.length);
    this.#record?.tunnel()?.fromSecond(rest.length);
    this.#client.join(upstream);
  }

  requestDrained(): void {
    this.#client.regulate();
  }

  unanswered(problem: Parameters<ExchangeOwner["unanswered"]>[0]): void {
    const { status, why, again = false, code } = problem;
    this.#answers.resetCode = code;
    if (status === 400) {
      this.refuse({ status, why });
      return;
    }
    const supervised = again ? supervisedBehind(this.#destination) : undefined;
    if (supervised === undefined) {
      const service = this.#current.service;
      const address = service.endpoint.dial[0]!;
      this.#explain(upstreamFailed(service, { status, address, why }));
      return;
    }
    // The request waits until its service is back, and is sent again, once: to another instance at once.
    const waiting = this.wait({ bytes: "sent", looked: true, last: true });
    const next = this.#current.nextInstance();
    if (next !== undefined) {
      this.#client.regulate();
      waiting.dial(this.#way(next));
      return;
    }
    this.#absences.awaitReturn(supervised, { table: undefined, woken: false });
  }

  /** How the current request gets to its destination. */
  #wayTo(destination: Destination): Pick<Destination, "key" | "tls" | "h2"> {
    if (!this.#grpc && !destination.h2) return destination;
    const way = wayTo(destination, { grpc: this.#grpc });
    if (!way.h2) return way;
    // Sessions with a server are shared, so a login on one would be everybody's.
    const { login } = this.#exchange.framing;
    const isApart = login !== Login.none || this.#client.logins?.isApart(way.key) === true;
    return isApart ? { ...way, key: this.#client.ownLogins().ownKey(way.key) } : way;
  }

  #lost(): void {
    this.unanswered({ status: 502, why: lostWhy });
  }
}

function supervisedIn(decision: Decision): Supervised | undefined {
  return "supervised" in decision ? decision.supervised : undefined;
}

/** Whether a request may wait for news: it has no body, and nothing of it is anybody's but ours. */
function isQuestion({ bodyLength, upgrade, connect, head }: RequestFraming): boolean {
  return bodyLength === 0 && !upgrade && !connect && !head;
}
