/**
 * A tunnel to a service that has not shown whether it speaks TLS -> a plain tunnel, or the bytes to send again inside
 * TLS.
 */
import { type Joined, join } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel } from "../../system/clock.ts";
import type { Dialect } from "../upstream/dialect.ts";
import { Held } from "../../link/held.ts";
import type { Upstream } from "../upstream/pool.ts";

/** Bytes that are kept to be sent again: enough for a browser's request with all its cookies. */
const keptLimit = 16_384;

/**
 * Milliseconds for which a connection stays open after the service has ended it, while the service is asked about TLS.
 * A server that takes one connection at a time does not answer until this one is gone; to any other server, a reset may
 * still matter.
 */
const leave = 50;

export type DoubtedTurn = Joined & {
  dialect: Dialect;
  /** Whether the client's bytes are a request of HTTP/1.1, or the beginning of one, and not HTTP/2. */
  isRequest(bytes: Uint8Array): boolean;
  /**
   * The service speaks TLS, or HTTP/2 where the client speaks HTTP/1.1, and processed none of the bytes. The client's
   * link belongs to the caller again; the service's is gone.
   */
  secure(said: { bytes: Uint8Array; ended: boolean }): void;
};

/** Handles the events of both links. The client's bytes go to the service from here on. */
export class DoubtedTunnel {
  readonly #client: Link;
  readonly #service: Link;
  readonly #address: string;
  readonly #turn: DoubtedTurn;
  /** The bytes sent to the service; undefined once there were too many to keep. */
  #kept: Held | undefined = new Held();
  /** While the service is asked: the client's bytes. */
  #late = new Held();
  /** While the service is asked: the service's bytes. */
  #said = new Held();
  /** Octets from the client; counted once it is known that they were sent unchanged. */
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

  /** Sends the client's bytes to the service. */
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

  /** The client sends no more. */
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
    const { dialect } = this.#turn;
    const heard = dialect.hear(bytes);
    if (heard === "other" && this.#speaksOtherwise) {
      this.#settle(true);
      return;
    }
    this.#said.add(bytes);
    if (heard !== "doubtful") {
      this.#settle(false);
      return;
    }
    this.#service.pause();
    this.#doubt();
  }

  /** Whether the service wants something else than what the client has sent. */
  get #speaksOtherwise(): boolean {
    const { dialect, isRequest } = this.#turn;
    if (dialect.tls) return true;
    return dialect.h2 && this.#kept !== undefined && isRequest(this.#kept.view());
  }

  /** A service that speaks TLS, or HTTP/2, might have done the same, so the service is asked. */
  #doubt(): void {
    if (this.#asking) return;
    this.#asking = true;
    const settle = (secure: boolean): void => {
      if (this.#asking) this.#settle(secure);
    };
    this.#turn.dialect.ask(this.#address, { secured: false }).then(
      () => settle(this.#speaksOtherwise),
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
      // Later events of this link no longer matter.
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

  /** Handles the remaining link after the other one has closed. */
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
