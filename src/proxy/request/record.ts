/** The request under way on a connection -> its entry in the record, from its complete head to its answer's end. */
import type { Asked, Callers } from "../../discovery/callers.ts";
import type { Link } from "../../link/link.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Entry, Recorder } from "./recorder.ts";

/** Kept by the exchange: of the final answer, 0 until it is there; octets of both bodies. */
export type Counts = { answerStatus: number; requestOctets: number; answerOctets: number };

export class RequestRecord {
  #entry: Entry | undefined;
  #asked: Asked | undefined;
  #link!: Link;
  #secured = false;

  constructor(
    readonly recorder: Recorder,
    /** Whose the clients are; undefined: nobody can tell. */
    readonly callers: Callers | undefined,
    readonly counts: Counts,
  ) {}

  /** Records the requests of another client from here on. */
  attach(link: Link, secured: boolean): void {
    this.#link = link;
    this.#secured = secured;
    this.#asked = undefined;
  }

  /** A head is complete: once for each request, however often its head is read. */
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
  }

  /** The request goes to this service. */
  routed(service: string): void {
    if (this.#entry !== undefined) this.recorder.routed(this.#entry, service);
  }

  /** The request is answered by us. `octets`: of the answer's body. */
  answered(status: number, octets: number): void {
    if (this.#entry === undefined) return;
    this.counts.answerStatus = status;
    this.counts.answerOctets = octets;
    this.end(false);
  }

  /** The request's end. `broken`: before its answer was whole. */
  end(broken: boolean): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    this.#entry = undefined;
    const { counts, recorder } = this;
    entry.status = counts.answerStatus;
    entry.received += counts.requestOctets;
    entry.sent += counts.answerOctets;
    recorder.end(entry, broken);
  }

  /** Counts what goes through a tunnel; undefined where no request is under way. */
  tunnel(): { fromFirst(octets: number): void; fromSecond(octets: number): void } | undefined {
    const entry = this.#entry;
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
