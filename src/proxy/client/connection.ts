/** A client's link -> answered requests, one after another, each routed by itself. */
import { Held } from "../../link/held.ts";
import { lastWords } from "../../link/last-words.ts";
import { type Joined, join } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import { Deadline } from "../../system/deadline.ts";
import { encode } from "../../wire/bytes.ts";
import { sniff } from "../../wire/sniff.ts";
import { Tunnel, type TunnelOwner } from "../tunnel/tunnel.ts";
import type { Upstream } from "../upstream/pool.ts";
import { type Client, type Grant, Serving, type ServingShared } from "./serving.ts";
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

/** How the inside of a TLS connection came to be. */
export type Inside = {
  /** The name in the client's ClientHello; undefined where there was none, or where it no longer matters. */
  serverName: string | undefined;
  /** The TLS is inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
};

/** What all client connections of one proxy share. */
export interface ConnectionShared extends ServingShared {
  /** What served clients that are gone. */
  readonly spare: Serving[];
  /** Whether clients that speak TLS are heard. */
  terminates(): boolean;
  /** The connection's link goes on inside of TLS, of which `first` has been read. @returns false where we speak no TLS. */
  secure(connection: Connection, first: Uint8Array, where: Pick<Inside, "tunnelled">): boolean;
  /** The connection is gone, or has become a tunnel that is gone. */
  gone(connection: Connection): void;
}

/** Our last words are written before: `lastWords` sees to the rest. */
const nothing = new Uint8Array(0);

/** Spare ones that are kept: as many as a page load opens connections. */
const spareLimit = 64;

/** The answer to CONNECT. RFC 9110 section 9.3.6. */
const established = encode("HTTP/1.1 200 Connection Established\r\n\r\n");

export class Connection implements LinkHandler, Client, TunnelOwner {
  /** The link is the inside of a TLS connection. */
  readonly secured: boolean;
  /** The name of the TLS connection; undefined in a tunnel, which leads to another place. */
  serverName: string | undefined;
  /** What is asked for here is asked for inside a tunnel that CONNECT was granted. */
  tunnelled: boolean;
  /** The client sends no more. */
  inputEnded = false;
  served = 0;
  readonly held = new Held();
  #state: ClientState = At.sniffing;
  /** When the state began, by `seconds()`. */
  #since: number;
  #serving: Serving;
  /** Set while a granted tunnel is not understood yet. */
  #tunnel: Tunnel | undefined;
  /** Set while our last words are on their way: the end of the client's time to read them. */
  #farewell: Deadline | undefined;
  /** Seconds for which it could not be told whether the client still exists. */
  #doubted = 0;

  constructor(
    readonly link: Link,
    readonly shared: ConnectionShared,
    /** Undefined: the link is what a client dialled. */
    inside?: Inside,
  ) {
    this.secured = inside !== undefined;
    this.serverName = inside?.serverName;
    this.tunnelled = inside?.tunnelled ?? false;
    this.#since = shared.seconds();
    this.#serving = shared.spare.pop() ?? new Serving(shared);
    this.#serving.attach(this);
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
    if (!this.inputEnded && !this.link.paused) {
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
        this.held.add(bytes);
        this.#tunnel!.look();
        this.regulate();
        return;
      default:
      // Lingering: the client was told that nothing more is read.
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

  /** Twice a second. */
  tick(): void {
    // The state may have begun right before the last tick.
    const age = this.shared.seconds() - this.#since + 0.5;
    const overdue = age >= secondsIn(this.#state, { served: this.served });
    this.#on(overdue ? On.overdue : On.news);
  }

  /** The proxy stops. */
  drain(): void {
    this.#on(On.drain);
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
      case Do["count down"]:
        this.#farewell?.tick();
        return;
      case Do.refuse:
        this.#serving.refuse({ status: 408 });
        return;
      case Do.close:
        this.close();
        return;
      default:
      // Ignored, or noted by the caller.
    }
  }

  move(turn: number): void {
    this.#state = moved(this.#state, turn);
    this.#since = this.shared.seconds();
  }

  /** Between two requests, or within a head. */
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

  /** Reads what requests there are in `bytes`; `held`: they are what is held. */
  #process(bytes: Uint8Array, { held }: { held: boolean }): void {
    let at = 0;
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

  #keepFrom(bytes: Uint8Array, from: number): void {
    this.held.clear();
    this.held.add(bytes, from);
  }

  /** Reads what is held: a request that waited, or the next. */
  again(): void {
    this.move(Turn.next);
    this.#serving.head.begin(0);
    if (this.held.length > 0) this.#process(this.held.view(), { held: true });
    // What is left is no whole request, and nothing is added to it any more.
    if (this.isReading && this.inputEnded) this.close();
  }

  /** Goes on with the next request. */
  next(): void {
    this.again();
    if (this.#state === At.idle && this.shared.draining()) this.linger();
    else this.regulate();
  }

  // Tunnels.

  /** Grants a CONNECT: what comes from here on is inside the tunnel. */
  grant(upstream: Upstream, { bytes, from, service, destination }: Grant): void {
    const { key, table, authority, dialect } = destination;
    const { shared } = this;
    this.link.write(established, 0, established.length);
    this.tunnelled = true;
    this.serverName = undefined;
    this.move(Turn.grant);
    this.#keepFrom(bytes, from);
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

  /** Hands the link to TLS, with what is held of it; what is inside becomes another connection. */
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

  /** Input is taken while somebody can use it. */
  regulate(): void {
    // Not before there is much of it: a paused link does not tell that its peer has gone.
    const full = this.held.length >= this.#serving.room;
    if (full) this.link.pause();
    else this.link.resume();
  }

  /** Ends after our last words, which are written already. */
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
    this.held.clear();
    this.move(Turn.linger);
  }

  /** The client broke its request off: nothing is owed to anybody. */
  abandon(): void {
    this.#serving.cancel();
    this.close();
  }

  /** The link is gone, or another's. */
  #end(): void {
    this.held.clear();
    this.move(Turn.end);
    this.#serving.close();
    this.shared.gone(this);
  }
}
