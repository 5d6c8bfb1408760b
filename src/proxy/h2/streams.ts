/** Numbers of streams -> their states, and the links that serve one stream after another. RFC 9113 section 5.1. */
import type { Breach } from "../../wire/h2/frame-rules.ts";
import { LateBodies, type LateBodiesOptions } from "./late-bodies.ts";
import type { H2StreamLink } from "./stream-link.ts";
import { type StreamEvent, type StreamState, step } from "../frames/stream-states.ts";

/** Streams remembered as `closed (reset)`. Older ones count as such, whatever they were. */
const resetLimit = 1_024;

/** Links without a stream that are kept for the next one. More are in use only while a page loads. */
const spareLimit = 64;

export class Streams {
  readonly late: LateBodies;
  /** The number of the last stream that the client opened. */
  last = 0;
  /** No stream is opened any more. Frames of those that the client still opens are ignored: section 6.8. */
  draining = false;

  /** Streams that are open or half-closed. */
  readonly #live = new Map<number, H2StreamLink>();
  /** Streams in the state `closed (reset)`, oldest first. */
  readonly #reset = new Set<number>();
  /** Up to here nothing is remembered any more. */
  #forgotten = 0;
  /** Every link that a connection owns, with a stream or without. */
  readonly #links = new Set<H2StreamLink>();
  /** Those without. */
  readonly #spare: H2StreamLink[] = [];
  /** Links whose connections have left. */
  #leaving: H2StreamLink[] = [];

  constructor(options: LateBodiesOptions) {
    this.late = new LateBodies({
      credit: (window, count) => options.credit(window, count),
      wake: () => options.wake(),
      reset: (id) => {
        this.rememberReset(id);
        options.reset(id);
      },
    });
  }

  /** Streams that are open or half-closed. */
  get size(): number {
    return this.#live.size;
  }

  get live(): Iterable<H2StreamLink> {
    return this.#live.values();
  }

  get links(): Iterable<H2StreamLink> {
    return this.#links;
  }

  /** The stream, if it is open or half-closed. */
  get(id: number): H2StreamLink | undefined {
    return this.#live.get(id);
  }

  /** The client opens it with this frame. */
  isNew(id: number): boolean {
    return id > this.last;
  }

  stateOf(id: number): StreamState {
    const stream = this.#live.get(id);
    if (stream !== undefined) return stream.state;
    if (this.late.has(id)) return "half-closed (local)";
    if (this.draining) return "closed (reset)";
    if (id > this.last) return "idle";
    return this.#reset.has(id) || id <= this.#forgotten ? "closed (reset)" : "closed";
  }

  /** An event of the client's on a stream that is idle or closed. @returns the rule that it breaks. */
  moveOther(id: number, event: StreamEvent): Breach | undefined {
    const next = step(this.stateOf(id), event)!;
    if (typeof next !== "string") return next;
    if (next === "closed") {
      this.#reset.delete(id);
      this.late.end(id);
    }
    return undefined;
  }

  /** A link was made. */
  addLink(stream: H2StreamLink): void {
    this.#links.add(stream);
  }

  /** The stream has begun on the link. */
  open(stream: H2StreamLink): void {
    this.#live.set(stream.id, stream);
  }

  /** The answer is complete before the request, of which no more is needed. The stream's link stays. */
  answeredEarly(stream: H2StreamLink, now: number): void {
    this.#live.delete(stream.id);
    this.late.add(stream.id, stream.release(), now);
  }

  /** The stream is closed; its link stays. */
  close(stream: H2StreamLink): void {
    this.#live.delete(stream.id);
    if (stream.state === "closed (reset)") this.rememberReset(stream.id);
  }

  rememberReset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= resetLimit) return;
    const [oldest] = this.#reset;
    this.#reset.delete(oldest!);
    this.#forgotten = Math.max(this.#forgotten, oldest!);
  }

  /** A link for the next stream, with its connection. */
  takeSpare(): H2StreamLink | undefined {
    return this.#spare.pop();
  }

  /** The link's stream is closed: keeps the link for another one where there may be one. */
  spare(stream: H2StreamLink): void {
    if (stream.reusable && !this.draining && this.#spare.length < spareLimit) {
      this.#spare.push(stream);
    }
  }

  /** The link's stream is closed, and its connection has not heard of the request. */
  keep(stream: H2StreamLink): void {
    if (this.#spare.length < spareLimit && !this.draining) this.#spare.push(stream);
    else this.remove(stream, undefined);
  }

  /** The link's connection has left. The connection hears so from `removeLeaving`, not in the middle of something. */
  leave(stream: H2StreamLink): void {
    const at = this.#spare.indexOf(stream);
    if (at !== -1) this.#spare.splice(at, 1);
    this.#leaving.push(stream);
  }

  removeLeaving(): void {
    while (this.#leaving.length > 0) {
      const leaving = this.#leaving;
      this.#leaving = [];
      for (const stream of leaving) if (this.#links.has(stream)) this.remove(stream, undefined);
    }
  }

  /** Ends a link and tells its connection. */
  remove(stream: H2StreamLink, cause: Error | undefined): void {
    this.#links.delete(stream);
    stream.gone(cause);
  }

  /** The connection of HTTP/2 ends, and every stream and link with it. */
  removeAll(cause: Error | undefined): void {
    this.#live.clear();
    this.#spare.length = 0;
    for (const stream of [...this.#links]) this.remove(stream, cause);
  }
}
