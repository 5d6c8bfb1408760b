/** A granted CONNECT and the first bytes inside -> both links joined, TLS with either side, or a request that is read. */
import type { CancelDial } from "../../link/dial.ts";
import type { Held } from "../../link/held.ts";
import type { Joined } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Service } from "../../routes/service.ts";
import { sniff } from "../../wire/sniff.ts";
import type { Dialect } from "../upstream/dialect.ts";
import { securedKey, type Upstream, type UpstreamPool } from "../upstream/pool.ts";
import { DoubtedTunnel } from "./doubted-tunnel.ts";
import { mayBeUpgrade } from "./first-bytes.ts";

/** What the client's connection does for its tunnel. */
export interface TunnelOwner {
  /** Joins the client with the upstream: bytes go both ways unread. */
  join(upstream: Upstream): void;
  /** A `DoubtedTunnel` takes both links. @returns what that tells of its end. */
  hand(): Joined;
  /** The client's link comes back from there. `ended`: the client sends no more. */
  takeBack(said: { bytes: Uint8Array; ended: boolean }): void;
  /** What is held is a request that is read as every other. */
  upgrade(upstream: Upstream | undefined): void;
  /** What is held is TLS that is meant for us. */
  secureInside(): void;
  close(): unknown;
}

export type TunnelFacts = {
  client: Link;
  /** What the client has said inside. */
  held: Held;
  service: Service;
  key: string;
  dialect: Dialect;
  /** The host that CONNECT asked for. */
  host: string;
  tlds: readonly string[];
  /** The client sends no more. */
  ended: boolean;
  /** Clients that speak TLS are heard. */
  terminates: boolean;
  pool: UpstreamPool;
  fault(fault: unknown): void;
};

/** What happens next; in all phases but the first, the client's bytes are only held. */
type Phase =
  /** The client has not said enough. */
  | "listening"
  /** The service is asked whether it speaks TLS. */
  | "asking"
  /** It is dialled anew. */
  | "dialling"
  /** The links are another's, or gone. */
  | "over";

export class Tunnel {
  #phase: Phase = "listening";
  #upstream: Upstream | undefined;
  #cancelDial: CancelDial | undefined;
  #ended: boolean;
  readonly #owner: TunnelOwner;
  readonly #facts: TunnelFacts;

  constructor(owner: TunnelOwner, upstream: Upstream, facts: TunnelFacts) {
    this.#owner = owner;
    this.#facts = facts;
    this.#upstream = upstream;
    this.#ended = facts.ended;
    upstream.link.handler = this.#speaksFirst();
  }

  /** The client has said more, or may have. */
  look(): void {
    if (this.#phase !== "listening") return;
    const { held, host, tlds, terminates } = this.#facts;
    const bytes = held.view();
    if (bytes.length > 0 && sniff(bytes[0]!) === "tls" && terminates) {
      this.#ask();
      return;
    }
    // A tunnel is opaque, but for one thing: a browser sends WebSockets for `http://api/` through CONNECT, with the bare
    // name as Host and Origin, which Vite and Next refuse. Such a handshake takes the way of every other request, where
    // both are rewritten.
    const verdict = mayBeUpgrade(bytes, { host, tlds });
    if (verdict === "more" && !this.#ended) return;
    if (verdict === "upgrade") this.#owner.upgrade(this.#take());
    else this.#enter();
  }

  /** The client sends no more. */
  end(): void {
    this.#ended = true;
    if (this.#phase === "listening") this.#joinNow();
  }

  /** The connection is gone, by a reset where there is a `cause`. */
  drop(cause: Error | undefined): void {
    this.#cancelDial?.();
    const upstream = this.#take();
    if (upstream === undefined) return;
    if (cause === undefined) upstream.link.close();
    else upstream.link.abort();
  }

  /** The upstream, which is the caller's from here on. */
  #take(): Upstream | undefined {
    this.#phase = "over";
    const upstream = this.#upstream;
    this.#upstream = undefined;
    // What becomes of it is no longer our news.
    if (upstream !== undefined) upstream.link.handler = upstream;
    return upstream;
  }

  #joinNow(): void {
    const upstream = this.#take();
    if (upstream !== undefined) this.#owner.join(upstream);
  }

  /** The service speaks before the client has said enough. */
  #speaksFirst(): LinkHandler {
    const { client, dialect, fault } = this.#facts;
    return {
      data: (bytes) => {
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

  /** TLS inside: the service's own, or meant for us where the service speaks plain HTTP. */
  #ask(): void {
    const { dialect, fault } = this.#facts;
    if (dialect.tls === true) this.#joinNow();
    else if (dialect.tls === false) this.#end();
    else {
      const { address } = this.#upstream!.way;
      // A server that takes one handshake after another would wait for this connection, and say nothing to the question.
      this.#hangUp();
      this.#phase = "asking";
      dialect.ask(address, { doubted: false }).then((secure) => {
        if (this.#phase !== "asking") return;
        if (secure) this.#dial(undefined);
        else this.#end();
      }, fault);
    }
  }

  /** The TLS inside is ours to end. */
  #end(): void {
    this.#hangUp();
    this.#owner.secureInside();
  }

  /** What the client says inside is not TLS; where the service speaks that, we do it for the client. */
  #enter(): void {
    const { dialect, client, held } = this.#facts;
    if (dialect.tls === false) this.#joinNow();
    else if (dialect.tls) this.#dialSecured();
    else {
      const upstream = this.#take()!;
      const tunnel = new DoubtedTunnel(client, upstream, {
        dialect,
        ...this.#owner.hand(),
        secure: (said) => {
          this.#owner.takeBack(said);
          this.#ended ||= said.ended;
          this.#dialSecured();
        },
      });
      tunnel.say(held.take());
      if (this.#ended) tunnel.end();
    }
  }

  #dialSecured(): void {
    const { host } = this.#facts;
    // Before the other is dialled: a server that takes one handshake after another would wait for this connection.
    this.#hangUp();
    this.#dial({ serverName: host });
  }

  #dial(tls: { serverName: string } | undefined): void {
    const { service, pool, client } = this.#facts;
    const key = tls === undefined ? this.#facts.key : securedKey(service, tls.serverName);
    this.#phase = "dialling";
    this.#cancelDial = pool.dial(
      { endpoint: service.endpoint, key, tls },
      {
        connected: (upstream) => {
          this.#cancelDial = undefined;
          this.#upstream = upstream;
          this.#joinNow();
        },
        failed: ({ handshake }) => {
          this.#cancelDial = undefined;
          if (handshake?.kind === "plain") this.#facts.dialect.learn("plain handshake");
          client.abort();
        },
      },
    );
  }

  #hangUp(): void {
    this.#take()?.link.close();
  }
}
