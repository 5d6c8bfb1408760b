/** Requests that came in one read -> their connections, once it is clear that none of them is taken back at once. */
import { HeadWriter } from "../frames/head-writer.ts";
import type { H2StreamLink } from "./stream-link.ts";

/** Octets of heads that are kept, after which they go on. HPACK makes a large head of a few octets. */
const most = 262_144;

export class Opened {
  #streams: H2StreamLink[] = [];
  readonly #heads = new HeadWriter(0);

  /** A stream has begun, with this head. */
  add(stream: H2StreamLink, head: Uint8Array): void {
    if (this.#heads.length > most) this.startAll();
    stream.headStart = this.#heads.length;
    this.#heads.copy(head, 0, head.length);
    stream.headEnd = this.#heads.length;
    this.#streams.push(stream);
  }

  /** More of the request has come. */
  start(stream: H2StreamLink): void {
    const { headStart, headEnd } = stream;
    if (headStart < 0) return;
    stream.headStart = -1;
    stream.deliver(this.#heads.bytes.subarray(headStart, headEnd));
  }

  startAll(): void {
    if (this.#streams.length === 0) return;
    for (const stream of this.#streams) this.start(stream);
    this.#streams.length = 0;
    this.#heads.clear();
  }

  /** The stream is reset. @returns whether nobody has heard of its request. */
  takeBack(stream: H2StreamLink): boolean {
    const { headStart, headEnd } = stream;
    if (headStart < 0) return false;
    if (headEnd === this.#heads.length) this.#heads.length = headStart;
    stream.headStart = -1;
    return true;
  }

  /** Gives room back while there is no stream. */
  shrink(): void {
    if (this.#streams.length === 0) this.#heads.bytes = nothing;
  }
}

const nothing = new Uint8Array(0);
