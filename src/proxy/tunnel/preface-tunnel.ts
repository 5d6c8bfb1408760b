/**
 * A tunnel that begins with the preface of HTTP/2 -> both links joined if the service takes it, or else the same bytes,
 * for a session of our own.
 */
import { Held } from "../../link/held.ts";
import { type Joined, join } from "../../link/join.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";

/**
 * Octets that are kept to be read again. A client that has heard nothing yet may send 64 KiB of bodies, RFC 9113
 * section 6.9.2, and its requests with them; above the limit it waits.
 */
const keptLimit = 131_072;
/** Milliseconds in which a server of HTTP/2 sends its SETTINGS, and any other server says that it is none. */
const patience = 2_000;

/** The first octet of an answer of HTTP/1.1, and of an alert of TLS: RFC 8446 section 5.1. */
const refusals = [0x48, 0x15];

export type PrefaceTurn = Joined & {
  clock: Clock;
  /** The service does not speak HTTP/2 here. The client's link belongs to the caller again; the service's is gone. */
  refused(said: { bytes: Uint8Array; ended: boolean }): void;
};

/** Handles the events of both links until the service has shown what it speaks. */
export class PrefaceTunnel {
  readonly #client: Link;
  readonly #service: Link;
  readonly #turn: PrefaceTurn;
  readonly #kept = new Held();
  #ended = false;
  /** The links belong to somebody else, or are gone. */
  #over = false;
  readonly #cancelLimit: Cancel;

  constructor(client: Link, service: Link, turn: PrefaceTurn) {
    this.#client = client;
    this.#service = service;
    this.#turn = turn;
    this.#cancelLimit = turn.clock.after(patience, () => this.#refused());
    client.handler = this.#ofClient();
    service.handler = this.#ofService();
    service.resume();
  }

  /** Sends the client's bytes to the service, and keeps them. */
  say(bytes: Uint8Array): void {
    this.#kept.add(bytes);
    this.#service.write(bytes, 0, bytes.length);
    if (this.#kept.length >= keptLimit) this.#client.pause();
    else this.#client.resume();
  }

  /** The client sends no more. */
  end(): void {
    this.#ended = true;
    this.#service.halfClose();
  }

  #ofClient(): LinkHandler {
    return {
      data: (bytes) => this.say(bytes),
      drained() {},
      ended: () => this.end(),
      closed: (cause) => {
        if (!this.#isFirst()) return;
        this.#turn.came?.fromFirst(this.#kept.length);
        this.#service.handler = { ...ignored, closed: () => this.#turn.closed() };
        if (cause === undefined) this.#service.close();
        else this.#service.abort();
      },
      failed: (fault) => this.#turn.failed(fault),
    };
  }

  #ofService(): LinkHandler {
    return {
      data: (bytes) => {
        if (refusals.includes(bytes[0]!)) this.#refused();
        else this.#taken(bytes);
      },
      drained() {},
      ended: () => this.#refused(),
      closed: () => this.#refused(),
      failed: (fault) => this.#turn.failed(fault),
    };
  }

  #taken(said: Uint8Array): void {
    if (!this.#isFirst()) return;
    this.#turn.came?.fromFirst(this.#kept.length);
    this.#turn.came?.fromSecond(said.length);
    this.#client.write(said, 0, said.length);
    join(this.#client, this.#service, this.#turn);
  }

  #refused(): void {
    if (!this.#isFirst()) return;
    this.#service.handler = ignored;
    this.#service.abort();
    this.#turn.refused({ bytes: this.#kept.take(), ended: this.#ended });
  }

  /** The first of several outcomes counts. */
  #isFirst(): boolean {
    const isFirst = !this.#over;
    this.#over = true;
    this.#cancelLimit();
    return isFirst;
  }
}

const ignored: LinkHandler = { data() {}, drained() {}, ended() {}, closed() {}, failed() {} };
