/** A granted CONNECT and the first bytes inside -> both links joined, TLS with either side, or a request to read. */
import type { CancelDial } from "../../link/dial.ts";
import { Held } from "../../link/held.ts";
import type { Joined } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Service } from "../../routes/service.ts";
import { beginsWithFrame } from "../../wire/h2/begins-with-frame.ts";
import { prefaceIn } from "../../wire/h2/frame.ts";
import { sniff } from "../../wire/sniff.ts";
import type { Dialect } from "../upstream/dialect.ts";
import { securedKey, type Upstream, type UpstreamPool } from "../upstream/pool.ts";
import { DoubtedTunnel } from "./doubted-tunnel.ts";
import { PrefaceTunnel } from "./preface-tunnel.ts";
import { mayBeRequest, mayBeUpgrade } from "./first-bytes.ts";

/** Callbacks from a tunnel to the client's connection. */
export interface TunnelOwner {
  /** Joins the client with the upstream: bytes go both ways unread. */
  join(upstream: Upstream): void;
  /** Gives both links to a `DoubtedTunnel`. @returns the callbacks for the tunnel's end. */
  hand(): Joined;
  /** Returns the client's link from the `DoubtedTunnel`. `ended`: the client sends no more. */
  takeBack(said: { bytes: Uint8Array; ended: boolean }): void;
  /** The held bytes are a request, which is read like any other. */
  upgrade(upstream: Upstream | undefined): void;
  /** The held bytes begin a session of HTTP/2. */
  openSession(): void;
  /** The held bytes are TLS that we terminate. */
  secureInside(): void;
  close(): unknown;
}

export type TunnelFacts = {
  client: Link;
  /** The client's bytes inside the tunnel. */
  held: Held;
  service: Service;
  key: string;
  dialect: Dialect;
  /** The host that CONNECT asked for. */
  host: string;
  tlds: readonly string[];
  /** The client sends no more. */
  ended: boolean;
  /** Whether we terminate TLS from clients. */
  terminates: boolean;
  pool: UpstreamPool;
  fault(fault: unknown): void;
};

/** The next step of the tunnel. In every phase but the first, the client's bytes are only held. */
type Phase =
  /** The client has not sent enough. */
  | "listening"
  /** The service is asked whether it speaks TLS. */
  | "asking"
  /** The service is dialled again. */
  | "dialling"
  /** The links belong to another object, or are gone. */
  | "over";

/** Octets of a service that speaks first, for a client that says nothing: SETTINGS and little more are usual. */
const saidLimit = 16_384;

export class Tunnel {
  #phase: Phase = "listening";
  #upstream: Upstream | undefined;
  #cancelDial: CancelDial | undefined;
  #ended: boolean;
  /** Frames of HTTP/2 that the service has sent before the client has sent enough. */
  readonly #said = new Held();
  readonly #owner: TunnelOwner;
  readonly #facts: TunnelFacts;

  constructor(owner: TunnelOwner, upstream: Upstream, facts: TunnelFacts) {
    this.#owner = owner;
    this.#facts = facts;
    this.#upstream = upstream;
    this.#ended = facts.ended;
    upstream.link.handler = this.#speaksFirst();
  }

  /** The client has sent more, or may have. */
  look(): void {
    if (this.#phase !== "listening") return;
    const { held, host, tlds, terminates } = this.#facts;
    const bytes = held.view();
    if (bytes.length > 0 && sniff(bytes[0]!) === "tls" && terminates) {
      this.#ask();
      return;
    }
    const preface = prefaceIn(bytes);
    if (preface === "whole") {
      this.#tryPreface();
      return;
    }
    if (bytes.length > 0 && preface === "more" && !this.#ended) return;
    // A tunnel is opaque, with one exception: a browser sends WebSockets for `http://api/` through CONNECT, with the
    // bare name in Host and Origin, which Vite and Next refuse, and whatever page opens them. Such a handshake is
    // routed like any other request, so that both are rewritten, and other sites' pages are refused.
    const verdict = mayBeUpgrade(bytes, { host, tlds });
    if (verdict === "more" && !this.#ended) return;
    if (verdict === "upgrade") this.#owner.upgrade(this.#take());
    else this.#enter();
  }

  /** The client sends no more. */
  end(): void {
    this.#ended = true;
    if (this.#phase !== "listening") return;
    if (this.#upstream === undefined) this.look();
    else this.#joinNow();
  }

  /** The first bytes have been awaited for long enough. */
  late(): void {
    if (this.#phase === "listening") this.#joinNow();
  }

  /** The connection is gone, by a reset if there is a `cause`. */
  drop(cause: Error | undefined): void {
    this.#cancelDial?.();
    const upstream = this.#take();
    if (upstream === undefined) return;
    if (cause === undefined) upstream.link.close();
    else upstream.link.abort();
  }

  /** Takes the upstream, which belongs to the caller from here on. */
  #take(): Upstream | undefined {
    this.#phase = "over";
    const upstream = this.#upstream;
    this.#upstream = undefined;
    // We no longer need the connection's events.
    if (upstream !== undefined) upstream.link.handler = upstream;
    return upstream;
  }

  #joinNow(): void {
    const upstream = this.#take();
    if (upstream === undefined) return;
    const said = this.#said.take();
    this.#facts.client.write(said, 0, said.length);
    this.#owner.join(upstream);
  }

  /** Handles a service that sends bytes before the client has sent enough. */
  #speaksFirst(): LinkHandler {
    const { client, dialect, fault } = this.#facts;
    return {
      data: (bytes) => {
        if (this.#said.length > 0 || beginsWithFrame(bytes)) {
          // A server of HTTP/2 speaks first. The client's bytes tell whether it speaks that itself, or TLS.
          dialect.learn("frames");
          this.#said.add(bytes);
          if (this.#said.length > saidLimit) this.#joinNow();
          return;
        }
        dialect.learn("plain answer");
        client.write(bytes, 0, bytes.length);
        this.#joinNow();
      },
      drained() {},
      ended: () => {
        this.#joinNow();
        client.halfClose();
      },
      closed: (cause) => {
        this.#upstream = undefined;
        if (cause === undefined) this.#owner.close();
        else client.abort();
      },
      failed: fault,
    };
  }

  /** HTTP/2 inside: passed on if the service speaks it here, and read by us otherwise. */
  #tryPreface(): void {
    const { client, dialect, held } = this.#facts;
    if (this.#said.length > 0) {
      this.#joinNow();
      return;
    }
    if (dialect.tls === true || dialect.known === "plain") {
      this.#hangUp();
      this.#owner.openSession();
      return;
    }
    const tunnel = new PrefaceTunnel(client, this.#take()!.link, {
      clock: dialect.clock,
      ...this.#owner.hand(),
      refused: (said) => {
        this.#owner.takeBack(said);
        this.#owner.openSession();
      },
    });
    tunnel.say(held.take());
    if (this.#ended) tunnel.end();
  }

  /** TLS inside: passed on if the service speaks TLS, terminated by us if the service speaks plain HTTP. */
  #ask(): void {
    const { dialect, fault } = this.#facts;
    if (dialect.tls === true) this.#joinNow();
    else if (dialect.tls === false) this.#terminate();
    else {
      const { address } = this.#upstream!.way;
      // A server that handles one handshake at a time would wait for this connection and not answer the question.
      this.#hangUp();
      this.#phase = "asking";
      dialect.ask(address).then((secure) => {
        if (this.#phase !== "asking") return;
        if (secure) this.#dial(undefined);
        else this.#terminate();
      }, fault);
    }
  }

  /** Terminates the TLS inside the tunnel. */
  #terminate(): void {
    this.#hangUp();
    this.#owner.secureInside();
  }

  /** The client's bytes are not TLS. If the service speaks TLS, we do so on the client's behalf. */
  #enter(): void {
    const { dialect, client, held, host } = this.#facts;
    if (dialect.h2) this.#enterH2();
    else if (dialect.tls === false) this.#joinNow();
    else if (dialect.tls) this.#dialSecured();
    else {
      const upstream = this.#take()!;
      const tunnel = new DoubtedTunnel(client, upstream, {
        dialect,
        ...this.#owner.hand(),
        isRequest: (bytes) => mayBeRequest(bytes, host) !== "other",
        secure: (said) => {
          this.#owner.takeBack(said);
          this.#ended ||= said.ended;
          if (dialect.h2) this.#enterH2();
          else this.#dialSecured();
        },
      });
      tunnel.say(held.take());
      if (this.#ended) tunnel.end();
    }
  }

  /** The service speaks HTTP/2 alone: requests of HTTP/1.1 for it are routed like any other. */
  #enterH2(): void {
    const { held, host, dialect } = this.#facts;
    const verdict = mayBeRequest(held.view(), host);
    if (verdict === "more" && !this.#ended) this.#phase = "listening";
    else if (verdict === "request") {
      this.#hangUp();
      this.#owner.upgrade(undefined);
    } else if (dialect.tls && this.#phase !== "dialling") this.#dialSecured();
    else if (this.#phase === "dialling") this.#facts.client.abort();
    else if (this.#upstream === undefined) this.#dial(undefined);
    else this.#joinNow();
  }

  #dialSecured(): void {
    const { host } = this.#facts;
    // Close before dialling again: a server that handles one handshake at a time would wait for this connection.
    this.#hangUp();
    this.#dial({ serverName: host });
  }

  #dial(tls: { serverName: string } | undefined): void {
    const { service, pool, client, dialect } = this.#facts;
    const key = tls === undefined ? this.#facts.key : securedKey(service, tls.serverName);
    this.#phase = "dialling";
    this.#cancelDial = pool.dial(
      { endpoint: service.endpoint, key, tls, client, fresh: true },
      {
        connected: (upstream) => {
          this.#cancelDial = undefined;
          this.#upstream = upstream;
          this.#joinNow();
        },
        failed: ({ shown }) => {
          this.#cancelDial = undefined;
          if (shown !== undefined) dialect.learn(shown);
          if (dialect.h2 && this.#phase === "dialling") {
            this.#enterH2();
            return;
          }
          client.abort();
        },
      },
    );
  }

  #hangUp(): void {
    this.#said.clear();
    this.#take()?.link.close();
  }
}
