/** A tunnel to a service that has not shown whether it speaks TLS into a plain one, or into bytes to be sent again inside TLS. */
import { type Joined, join } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel } from "../../system/clock.ts";
import type { Dialect } from "../upstream/dialect.ts";
import { Held } from "../../link/held.ts";
import type { Upstream } from "../upstream/pool.ts";

/** Bytes that are kept to be sent again: as much as a browser's request has, cookies and all. */
const keptLimit = 16_384;

/**
 * Milliseconds for which a connection that the service has ended is left open while it is asked. A server that takes one
 * connection at a time says nothing before it is gone; to any other our end may still matter.
 */
const leave = 50;

export type DoubtedTurn = Joined & {
  dialect: Dialect;
  /** It speaks TLS, and took none of the bytes for anything. The client's link is the caller's again; the service's is gone. */
  secure(said: { bytes: Uint8Array; ended: boolean }): void;
};

/** Takes over both links' events. What the client says from here on goes to the service. */
export class DoubtedTunnel {
  readonly #client: Link;
  readonly #service: Link;
  readonly #address: string;
  readonly #turn: DoubtedTurn;
  /** What went to the service; undefined where that was too much. */
  #kept: Held | undefined = new Held();
  /** In doubt: what the client says meanwhile. */
  #late = new Held();
  /** In doubt: what the service said. */
  #said = new Held();
  /** Octets from the client; counted once it is known that they went as they are. */
  #came = 0;
  #asking = false;
  #clientEnded = false;
  #serviceEnded = false;
  #cancelLeave: Cancel = () => {};
  /** The service's link is gone. */
  #gone: { cause: Error | undefined } | undefined;

  constructor(client: Link, { link, way }: Upstream, turn: DoubtedTurn) {
    this.#client = client;
    this.#service = link;
    this.#address = way.address;
    this.#turn = turn;
    client.handler = this.#ofClient();
    link.handler = this.#ofService();
    client.resume();
    link.resume();
  }

  #ofClient(): LinkHandler {
    return {
      data: (bytes) => this.say(bytes),
      drained: () => this.#service.resume(),
      ended: () => this.end(),
      closed: (cause) => {
        this.#asking = false;
        this.#cancelLeave();
        this.#turn.came?.fromFirst(this.#came);
        if (this.#gone !== undefined) {
          this.#turn.closed();
          return;
        }
        this.#service.handler = this.#last();
        if (cause === undefined) this.#service.close();
        else this.#service.abort();
      },
      failed: (fault) => {
        this.#turn.failed(fault);
        this.#service.abort();
      },
    };
  }

  /** From the client, to the service. */
  say(bytes: Uint8Array): void {
    this.#came += bytes.length;
    if (this.#asking) {
      this.#late.add(bytes);
      this.#client.pause();
      return;
    }
    if (this.#kept !== undefined) {
      if (this.#kept.length + bytes.length > keptLimit) this.#kept = undefined;
      else this.#kept.add(bytes);
    }
    if (!this.#service.write(bytes, 0, bytes.length)) this.#client.pause();
  }

  /** The client says no more. */
  end(): void {
    this.#clientEnded = true;
    if (!this.#asking) this.#service.halfClose();
  }

  #ofService(): LinkHandler {
    return {
      data: (bytes) => this.#hear(bytes),
      drained: () => this.#client.resume(),
      ended: () => {
        this.#serviceEnded = true;
        this.#cancelLeave = this.#turn.dialect.clock.after(leave, () => this.#service.abort());
        this.#doubt();
      },
      closed: (cause) => {
        this.#gone = { cause };
        this.#doubt();
      },
      failed: (fault) => {
        this.#turn.failed(fault);
        this.#client.abort();
      },
    };
  }

  /** The service's first bytes. */
  #hear(bytes: Uint8Array): void {
    if (this.#asking) {
      this.#said.add(bytes);
      return;
    }
    const heard = this.#turn.dialect.hear(bytes);
    if (heard === "tls") {
      this.#settle(true);
      return;
    }
    this.#said.add(bytes);
    if (heard === "plain") {
      this.#settle(false);
      return;
    }
    this.#service.pause();
    this.#doubt();
  }

  /** A service of TLS would have done the same: it is asked. */
  #doubt(): void {
    if (this.#asking) return;
    this.#asking = true;
    const settle = (secure: boolean): void => {
      if (this.#asking) this.#settle(secure);
    };
    this.#turn.dialect.ask(this.#address, { doubted: true }).then(
      (secure) => settle(secure === true),
      (fault) => {
        this.#turn.failed(fault);
        settle(false);
      },
    );
  }

  #settle(secure: boolean): void {
    this.#asking = false;
    this.#cancelLeave();
    const client = this.#client;
    const service = this.#service;
    if (secure && this.#kept !== undefined) {
      // Nothing that happens to it is news any more.
      service.handler = { ...this.#last(), closed() {} };
      service.abort();
      this.#kept.add(this.#late.take());
      this.#turn.secure({ bytes: this.#kept.take(), ended: this.#clientEnded });
      return;
    }
    const said = this.#said.take();
    this.#turn.came?.fromFirst(this.#came);
    this.#turn.came?.fromSecond(said.length);
    client.write(said, 0, said.length);
    if (this.#gone !== undefined) {
      client.handler = this.#last();
      if (this.#gone.cause === undefined) client.close();
      else client.abort();
      return;
    }
    const late = this.#late.take();
    service.write(late, 0, late.length);
    if (this.#clientEnded) service.halfClose();
    join(client, service, this.#turn);
    if (this.#serviceEnded) client.halfClose();
  }

  /** For the link that is left. */
  #last(): LinkHandler {
    return {
      data() {},
      drained() {},
      ended() {},
      closed: () => this.#turn.closed(),
      failed: (fault) => this.#turn.failed(fault),
    };
  }
}
