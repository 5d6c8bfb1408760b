/** A client's link -> answered requests, one after another, each routed separately. */
import { Held } from "../../link/held.ts";
import { lastWords } from "../../link/last-words.ts";
import { type Joined, join } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import { Deadline } from "../../system/deadline.ts";
import { encode } from "../../wire/bytes.ts";
import { preface, prefaceIn } from "../../wire/h2/frame.ts";
import { sniff } from "../../wire/sniff.ts";
import { ReadTunnel } from "../tunnel/read-tunnel.ts";
import { Tunnel, type TunnelOwner } from "../tunnel/tunnel.ts";
import type { LoginFacts } from "../upstream/login-connection.ts";
import { Logins } from "../upstream/logins.ts";
import type { Upstream } from "../upstream/pool.ts";
import type { Client, Grant, ServingShared } from "./client.ts";
import { Serving } from "./serving.ts";
import {
  actionOn,
  At,
  type ClientState,
  Do,
  lingerSeconds,
  moved,
  On,
  secondsIn,
  Turn,
} from "./states.ts";

/** The layers that the requests of a link are inside of. */
export type Inside = {
  /** The link is the inside of a TLS connection. */
  secured: boolean;
  /** The name in the client's ClientHello; undefined if there was none, or if it no longer matters. */
  serverName: string | undefined;
  /** All of it runs inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
  /** The logins of the session that this connection is a stream of. */
  logins?: Logins;
};

/** Shared by all client connections of one proxy. */
export interface ConnectionShared extends ServingShared {
  /** `Serving` objects whose clients are gone, for reuse. */
  readonly spare: Serving[];
  /**
   * Continues the connection's link inside TLS; `first` are the bytes read so far. @returns false if we do not speak
   * TLS.
   */
  secure(connection: Connection, first: Uint8Array, where: Pick<Inside, "tunnelled">): boolean;
  /** Opens a session of HTTP/2 on the connection's link. */
  openSession(connection: Connection): LinkHandler;
  /** For logins that are bound to connections. */
  readonly loginFacts: Pick<LoginFacts, "clock" | "peek" | "pool">;
  /** Idle connections end: the proxy stops, and none takes its place. */
  stopping(): boolean;
  /** The connection is gone, or it became a tunnel that is gone. */
  gone(connection: Connection): void;
}

/** Our last words have already been written; `lastWords` does the rest. */
const nothing = new Uint8Array(0);

/** Limit on spare `Serving` objects: as many as a page load opens connections. */
const spareLimit = 64;

/** The answer to CONNECT. RFC 9110 section 9.3.6. */
const established = encode("HTTP/1.1 200 Connection Established\r\n\r\n");

export class Connection implements LinkHandler, Client, TunnelOwner {
  /** The link is the inside of a TLS connection; false again in a tunnel, whose inside is whatever the client sends. */
  secured: boolean;
  /** The name of the TLS connection; undefined in a tunnel, which leads to another host. */
  serverName: string | undefined;
  /** Requests arrive inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
  /** The client sends no more. */
  inputEnded = false;
  served = 0;
  readonly held = new Held();
  logins: Logins | undefined;
  /** The logins are those of a session, which ends them. */
  readonly #inSession: boolean;
  /** The server has ended a connection that a login was bound to, so this connection ends when it is idle. */
  #loginLost = false;
  #state: ClientState = At.sniffing;
  /** When the state began, by `seconds()`. */
  #since: number;
  #serving: Serving;
  /** Set while we do not know yet what a granted tunnel carries. */
  #tunnel: Tunnel | ReadTunnel | undefined;
  /** Set while our last words are being sent: when the client's time to read them ends. */
  #farewell: Deadline | undefined;
  /** Seconds for which we could not tell whether the client still exists. */
  #doubted = 0;

  constructor(
    readonly link: Link,
    readonly shared: ConnectionShared,
    /** Undefined: the link is the connection that the client dialled. */
    inside?: Inside,
  ) {
    this.secured = inside?.secured ?? false;
    this.serverName = inside?.serverName;
    this.tunnelled = inside?.tunnelled ?? false;
    this.logins = inside?.logins;
    this.#inSession = this.logins !== undefined;
    this.#since = shared.seconds();
    this.#serving = shared.spare.pop() ?? new Serving(shared);
    this.#serving.attach(this);
    link.handler = this;
  }

  get state(): ClientState {
    return this.#state;
  }

  /**
   * Whether to check now that the client still exists. The client may be gone if it has sent its last byte and waits,
   * or if its link is paused, which hides a close. Checked after 1, 2, 4, 8 and more seconds, because most such clients
   * are still there.
   */
  get mayBeGone(): boolean {
    if (this.#state !== At.exchanging && this.#state !== At.waiting) return false;
    if (!this.inputEnded && !this.link.paused) {
      this.#doubted = 0;
      return false;
    }
    this.#doubted++;
    return (this.#doubted & (this.#doubted - 1)) === 0;
  }

  // Events. `states.ts` lists the action for each event in each state.

  data(bytes: Uint8Array): void {
    switch (actionOn(this.#state, On.bytes)) {
      case Do.read:
        this.#read(bytes);
        return;
      case Do["pass on"]:
        this.#serving.passOn(bytes);
        return;
      case Do.sniff:
        if (sniff(bytes[0]!) === "tls") {
          this.#secure(bytes);
          return;
        }
        this.move(Turn.plain);
        this.#process(bytes, { held: false });
        return;
      case Do.hold:
        this.held.add(bytes);
        this.#serving.holds(this.held.length);
        this.regulate();
        return;
      case Do["look inside"]:
        if (this.held.length === 0) this.#since = this.shared.seconds();
        this.held.add(bytes);
        this.#tunnel!.look();
        this.regulate();
        return;
      default:
      // Lingering: the client was told that we read nothing more.
    }
  }

  drained(): void {
    this.#on(On.drained);
  }

  ended(): void {
    this.inputEnded = true;
    this.#on(On.fin);
  }

  closed(cause: Error | undefined): void {
    if (actionOn(this.#state, On.gone) !== Do.end) return;
    this.#tunnel?.drop(cause);
    this.#serving.drop();
    this.#serving.cancel();
    this.#end();
    if (this.shared.spare.length < spareLimit) this.shared.spare.push(this.#serving);
  }

  failed(fault: unknown): void {
    this.shared.fault(fault);
  }

  /** Called twice a second. */
  tick(): void {
    // The state may have begun right before the last tick.
    const age = this.shared.seconds() - this.#since + 0.5;
    const { served, held } = this;
    const overdue = age >= secondsIn(this.#state, { served, held: held.length });
    this.#on(overdue ? On.overdue : On.news);
  }

  /** The proxy stops. */
  drain(): void {
    this.#on(On.drain);
  }

  /** Since when the client has had nothing to say, and nothing has been owed to it; undefined: it is not so. */
  get idleSince(): number | undefined {
    return this.#state === At.idle || this.#state === At.sniffing ? this.#since : undefined;
  }

  /** Whether that has been so for this many seconds. */
  isQuietFor(seconds: number): boolean {
    const since = this.idleSince;
    return since !== undefined && this.shared.seconds() - since >= seconds;
  }

  /** Another connection takes the place of this one, which is idle. */
  makeRoom(): void {
    this.close();
  }

  /** Another proxy accepts in place of this one. */
  part(): void {
    this.#on(On.part);
  }

  #on(event: number): void {
    switch (actionOn(this.#state, event)) {
      case Do.resume:
        this.#serving.clientDrained();
        return;
      case Do.next:
        this.next();
        return;
      case Do["note or break off"]:
        if (!this.#serving.requestDone) this.abandon();
        return;
      case Do.join:
        this.#tunnel!.end();
        return;
      case Do["ask again"]:
        this.#serving.news();
        return;
      case Do["watch body"]:
        this.#serving.watchBody(this.#since);
        return;
      case Do["join late"]:
        this.#tunnel!.late();
        return;
      case Do["count down"]:
        this.#farewell?.tick();
        return;
      case Do.refuse:
        this.#serving.refuseSlowHead();
        return;
      case Do.part:
        this.linger();
        return;
      case Do.close:
        this.close();
        return;
      default:
      // Ignored, or noted by the caller.
    }
  }

  ownLogins(): Logins {
    this.logins ??= new Logins({
      ...this.shared.loginFacts,
      parallel: false,
      lost: () => {
        this.#loginLost = true;
        this.#on(On.part);
      },
    });
    return this.logins;
  }

  #endLogins(): void {
    if (!this.#inSession) this.logins?.close();
  }

  move(turn: number): void {
    this.#state = moved(this.#state, turn);
    this.#since = this.shared.seconds();
  }

  /** The connection is between two requests or within a head. */
  get isReading(): boolean {
    return this.#state === At.idle || this.#state === At.reading;
  }

  // Reading requests.

  #read(bytes: Uint8Array): void {
    if (this.held.length === 0) {
      this.#process(bytes, { held: false });
      return;
    }
    this.held.add(bytes);
    this.#process(this.held.view(), { held: true });
  }

  /** Reads the requests in `bytes`. `held`: `bytes` are the held bytes. */
  #process(bytes: Uint8Array, { held }: { held: boolean }): void {
    let at = 0;
    if (this.served === 0 && bytes[0] === preface[0] && this.#isPreface(bytes, { held })) return;
    for (;;) {
      const outcome = this.#serving.head.read(bytes);
      if (outcome.kind === "more") {
        if (this.#state === At.idle && this.#serving.head.begun) this.move(Turn.begin);
        if (at > 0 || !held) this.#keepFrom(bytes, at);
        if (at > 0) this.#serving.head.begin(0);
        return;
      }
      if (outcome.kind === "bad") {
        this.#serving.refuseHead(bytes, outcome);
        return;
      }
      const next = this.#serving.handle(bytes, outcome.end);
      if (next === "taken") return;
      if (next === "waits") {
        if (at > 0 || !held) this.#keepFrom(bytes, at);
        this.regulate();
        return;
      }
      if (this.#state !== At.idle || this.link.pending > 0 || next === bytes.length) {
        this.#keepFrom(bytes, next);
        this.#serving.head.begin(0);
        if (this.#state === At.idle && this.link.pending > 0) this.move(Turn.flush);
        this.regulate();
        return;
      }
      at = next;
      this.#serving.head.begin(at);
    }
  }

  /** A client that knows that we speak HTTP/2 says nothing else before it: RFC 9113 section 3.3. */
  #isPreface(bytes: Uint8Array, { held }: { held: boolean }): boolean {
    const found = prefaceIn(bytes);
    if (found === "none") return false;
    if (found === "more") {
      if (this.#state === At.idle) this.move(Turn.begin);
      if (!held) this.#keepFrom(bytes, 0);
    } else this.#openSession(held ? this.held.take() : bytes);
    return true;
  }

  #keepFrom(bytes: Uint8Array, from: number): void {
    this.held.clear();
    this.held.add(bytes, from);
  }

  /** Reads the held bytes: a request that waited, or the next one. */
  again(): void {
    this.move(Turn.next);
    this.#serving.head.begin(0);
    if (this.held.length > 0) this.#process(this.held.view(), { held: true });
    // The rest is not a whole request, and nothing will be added to it.
    if (this.isReading && this.inputEnded) this.close();
  }

  /** Continues with the next request. */
  next(): void {
    this.again();
    const ends = this.shared.stopping() || this.#loginLost;
    if (this.#state === At.idle && ends) this.linger();
    else this.regulate();
  }

  // Tunnels.

  /** Grants a CONNECT: everything from here on is inside the tunnel. */
  grant(upstream: Upstream, { bytes, from, service, destination }: Grant): void {
    const { key, table, authority, dialect } = destination;
    const { shared } = this;
    this.#openTunnel(bytes, from);
    this.#tunnel = new Tunnel(this, upstream, {
      client: this.link,
      held: this.held,
      service,
      key,
      dialect: dialect!,
      host: authority.host,
      tlds: table.tlds,
      ended: this.inputEnded,
      terminates: shared.terminates(),
      pool: shared.pool,
      fault: shared.fault,
    });
    this.#tunnel.look();
    this.regulate();
  }

  grantRead({ bytes, from }: Pick<Grant, "bytes" | "from">): void {
    this.#openTunnel(bytes, from);
    this.#tunnel = new ReadTunnel(this, this.held);
    this.#tunnel.look();
    this.regulate();
  }

  #openTunnel(bytes: Uint8Array, from: number): void {
    this.link.write(established, 0, established.length);
    this.tunnelled = true;
    this.secured = false;
    this.serverName = undefined;
    this.move(Turn.grant);
    this.#keepFrom(bytes, from);
  }

  join(upstream: Upstream): void {
    const first = this.held.take();
    this.move(Turn.join);
    this.#tunnel = undefined;
    upstream.link.write(first, 0, first.length);
    if (this.inputEnded) upstream.link.halfClose();
    this.#serving.counts()?.fromFirst(first.length);
    join(this.link, upstream.link, this.#joined());
  }

  hand(): Joined {
    this.move(Turn.join);
    return this.#joined();
  }

  takeBack({ bytes, ended }: { bytes: Uint8Array; ended: boolean }): void {
    this.link.handler = this;
    this.inputEnded ||= ended;
    this.held.add(bytes);
    this.move(Turn.grant);
    this.regulate();
  }

  upgrade(upstream: Upstream | undefined): void {
    this.#tunnel = undefined;
    this.#serving.readTunnelled(upstream);
  }

  #joined(): Joined {
    return {
      came: this.#serving.counts(),
      closed: () => {
        this.#serving.end({ broken: false });
        this.#end();
      },
      failed: (fault) => this.shared.fault(fault),
    };
  }

  /** Hands the link to a session of HTTP/2, with the bytes held from inside of a tunnel. */
  openSession(): void {
    this.#openSession(this.held.take());
  }

  #openSession(first: Uint8Array): void {
    const session = this.shared.openSession(this);
    this.#serving.end({ broken: false });
    this.#end();
    this.link.resume();
    session.data(first);
    if (this.inputEnded) session.ended();
  }

  /** Hands the link and its held bytes to TLS; the inside becomes another connection. */
  secureInside(): void {
    this.#secure(this.held.take());
  }

  #secure(first: Uint8Array): void {
    if (this.secured || !this.shared.secure(this, first, { tunnelled: this.tunnelled })) {
      this.close();
      return;
    }
    this.#serving.end({ broken: false });
    this.#end();
  }

  // The end.

  /** Reads from the link only while there is a use for the input. */
  regulate(): void {
    // Another owner has the link, and may have paused it.
    if (this.#state === At.joined || this.#state === At.closed) return;
    // Pauses only when much is held, because a paused link does not report that its peer is gone.
    const full = this.held.length >= this.#serving.room;
    if (full) this.link.pause();
    else this.link.resume();
  }

  /** Ends after our last words, which have already been written. */
  linger(): void {
    if (this.#state === At.closed) return;
    this.#letGo();
    this.#farewell ??= new Deadline(() => this.shared.seconds() * 1_000);
    lastWords(this.link, nothing, {
      timer: this.#farewell,
      linger: lingerSeconds * 1_000,
      ended: this.inputEnded,
      gone: (cause) => this.closed(cause),
      failed: (fault) => this.failed(fault),
    });
  }

  close(): "taken" {
    if (this.#state === At.closed) return "taken";
    this.#serving.end({ broken: true });
    this.#letGo();
    this.link.close();
    return "taken";
  }

  #letGo(): void {
    this.#serving.drop();
    this.#tunnel?.drop(undefined);
    this.#tunnel = undefined;
    this.#endLogins();
    this.held.clear();
    this.move(Turn.linger);
  }

  /** The client broke off its request: no answer is owed, and the upstream's work is cancelled. */
  abandon(): void {
    this.#serving.cancel();
    this.close();
  }

  /** The link is gone, or has another owner now. */
  #end(): void {
    this.held.clear();
    this.move(Turn.end);
    this.#serving.close();
    this.#endLogins();
    this.shared.gone(this);
  }
}
