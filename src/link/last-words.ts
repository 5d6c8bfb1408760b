/** The last words on a link -> the link's end, once the peer has had time to read them. RFC 9112 section 9.6. */
import type { Cancel } from "../system/clock.ts";
import type { Timer } from "../system/deadline.ts";
import type { Link, LinkHandler } from "./link.ts";

export type LastWordsOptions = {
  /** Ends the waiting: a clock, or a `Deadline` if the caller walks its links anyway. */
  timer: Timer;
  /** Milliseconds for the peer to take all that was written, before the link is broken off. Default: no limit. */
  flush?: number;
  /** Milliseconds in which the peer may still send after it has taken all, before the link is closed. */
  linger: number;
  /** Octets of the peer's that are still read; more than that waits unread until the link is closed. Default: all. */
  most?: number;
  /** The peer sent its end before. */
  ended?: boolean;
  /** The link is gone. Called once. */
  gone(cause: Error | undefined): void;
  /** A fault of ours, for the log. */
  failed(fault: unknown): void;
};

/**
 * Writes `words`, which may be empty, behind everything that is pending, and takes the link over until it is gone.
 * Closing at once could destroy them on their way: the kernel answers unread bytes with RST, and RST discards whatever
 * the peer has not read. So we half-close, throw away what still comes, and close when the peer does or when its time
 * is up. On a link that has had its last words, further words are dropped.
 */
export function lastWords(link: Link, words: Uint8Array, options: LastWordsOptions): void {
  if (link.handler instanceof Farewell) return;
  link.write(words, 0, words.length);
  const farewell = new Farewell(link, options);
  link.handler = farewell;
  farewell.begin();
}

/**
 * | phase     | all taken             | the peer's end     | time is up | gone |
 * | --------- | --------------------- | ------------------ | ---------- | ---- |
 * | flushing  | half-close, lingering | noted; then close  | break off  | over |
 * | lingering |                       | close              | close      | over |
 * | closing   |                       |                    |            | over |
 */
class Farewell implements LinkHandler {
  readonly #link: Link;
  readonly #options: LastWordsOptions;
  #phase: "flushing" | "lingering" | "closing" = "flushing";
  #ended: boolean;
  #read = 0;
  #cancel: Cancel = () => {};

  constructor(link: Link, options: LastWordsOptions) {
    this.#link = link;
    this.#options = options;
    this.#ended = options.ended ?? false;
  }

  begin(): void {
    // The peer's end is not told while the link is paused.
    this.#link.resume();
    const { flush } = this.#options;
    if (this.#link.pending === 0) this.#linger();
    else if (flush !== undefined) this.#wait(flush, () => this.#link.abort());
  }

  data(bytes: Uint8Array): void {
    this.#read += bytes.length;
    const { most } = this.#options;
    if (most !== undefined && this.#read > most) this.#link.pause();
  }

  drained(): void {
    if (this.#phase === "flushing") this.#linger();
  }

  ended(): void {
    this.#ended = true;
    // In `flushing` the peer has only half-closed, and reads on.
    if (this.#phase === "lingering") this.#close();
  }

  closed(cause: Error | undefined): void {
    this.#phase = "closing";
    this.#cancel();
    this.#options.gone(cause);
  }

  failed(fault: unknown): void {
    this.#options.failed(fault);
  }

  #linger(): void {
    if (this.#ended) {
      this.#close();
      return;
    }
    this.#phase = "lingering";
    this.#link.halfClose();
    // A plain close: what the kernel still holds for a slow reader goes on its way.
    this.#wait(this.#options.linger, () => this.#close());
  }

  #close(): void {
    this.#phase = "closing";
    this.#cancel();
    this.#link.close();
  }

  #wait(patience: number, late: () => void): void {
    this.#cancel();
    this.#cancel = this.#options.timer.after(patience, late);
  }
}
