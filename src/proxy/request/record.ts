/** The current request of a connection -> its entry in the record, from its complete head to the end of its answer. */
import type { Asked, Callers } from "../../discovery/callers.ts";
import type { Link } from "../../link/link.ts";
import type { Denied } from "../../routes/denial.ts";
import { Field } from "../../wire/field.ts";
import type { RequestHead } from "../../wire/head.ts";
import { isLasting } from "../../wire/lasting.ts";
import type { Entry, Recorder } from "./recorder.ts";

/**
 * Updated by the exchange: the final answer's status, 0 until there is one, the octets of both bodies, and whether the
 * answer's body has no end.
 */
export type Counts = {
  answerStatus: number;
  requestOctets: number;
  answerOctets: number;
  answerLasts: boolean;
};

export class RequestRecord {
  #entry: Entry | undefined;
  #asked: Asked | undefined;
  #link!: Link;
  #secured = false;
  #wantsStream = false;
  #tunnels = false;

  constructor(
    readonly recorder: Recorder,
    /** Finds the clients' processes; undefined: this system cannot. */
    readonly callers: Callers | undefined,
    readonly counts: Counts,
  ) {}

  /** Records the requests of another client from here on. */
  attach(link: Link, secured: boolean): void {
    this.#link = link;
    this.#secured = secured;
    this.#asked = undefined;
  }

  /** A head is complete. Called again when the same request is read again, which changes nothing. */
  begin(head: RequestHead, bytes: Uint8Array): void {
    if (this.#entry !== undefined) return;
    const { counts } = this;
    const entry = this.recorder.begin(head, bytes, this.#secured);
    this.#asked ??= this.callers?.ask(this.#link);
    entry.asked = this.#asked;
    this.#entry = entry;
    counts.answerStatus = 0;
    counts.requestOctets = 0;
    counts.answerOctets = 0;
    counts.answerLasts = false;
    // An EventSource may be closed before its answer has begun.
    this.#wantsStream = isLasting(head, bytes, Field.accept);
    this.#tunnels = false;
  }

  /** Whether the request is for an https URL, whatever the client came by. */
  secured(is: boolean): void {
    if (this.#entry !== undefined) this.#entry.secured = is;
  }

  /** The request goes to this service. */
  routed(service: string): void {
    if (this.#entry !== undefined) this.recorder.routed(this.#entry, service);
  }

  /** The guard has something against the request. */
  denied(denied: Denied): void {
    if (this.#entry !== undefined) this.recorder.denied(this.#entry, denied);
  }

  /** We answer the request ourselves. `octets`: the length of the answer's body. */
  answered(status: number, octets: number): void {
    if (this.#entry === undefined) return;
    this.counts.answerStatus = status;
    this.counts.answerOctets = octets;
    this.counts.answerLasts = false;
    this.end(false);
  }

  /** The request is no part of the record: one of our own pages asks. */
  forget(): void {
    if (this.#entry !== undefined) this.recorder.forget(this.#entry);
    this.#entry = undefined;
  }

  /** The request is over. `broken`: its answer was incomplete. */
  end(broken: boolean): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    const { counts, recorder } = this;
    entry.status = counts.answerStatus;
    entry.received += counts.requestOctets;
    entry.sent += counts.answerOctets;
    entry.stream =
      this.#tunnels || (counts.answerStatus === 0 ? this.#wantsStream : counts.answerLasts);
    recorder.end(entry, broken);
  }

  /** Counts the bytes of a tunnel; undefined if no request is under way. */
  tunnel(): { fromFirst(octets: number): void; fromSecond(octets: number): void } | undefined {
    const entry = this.#entry;
    this.#tunnels = true;
    return (
      entry && {
        fromFirst(octets) {
          entry.received += octets;
        },
        fromSecond(octets) {
          entry.sent += octets;
        },
      }
    );
  }

  /** The connection is gone. */
  close(): void {
    this.end(true);
    if (this.#asked !== undefined) this.callers!.forget(this.#asked);
  }
}
