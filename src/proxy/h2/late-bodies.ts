/**
 * Streams whose answers are complete before their requests -> streams that are read on for a moment, and then reset.
 * RFC 9113 section 8.1.
 */
import type { ReceiveWindow } from "../frames/windows.ts";

/**
 * Seconds for which the rest of a request is taken and thrown away. A reset that comes with the answer destroys it:
 * curl 7.88 drops an answer if RST_STREAM is in the same TLS record. HTTP/1.1 clients have as long: `lingerSeconds`.
 */
const seconds = 2;
/** Octets of one request that are thrown away: clients that read nothing before they have sent all get their answer. */
const most = 16 * 1_048_576;
/** Streams at once; with one more, the oldest is reset. As many as a page would upload files. */
const limit = 64;

type Late = { since: number; left: number; window: ReceiveWindow };

export type LateBodiesOptions = {
  /** The client may send as many octets again in this window. */
  credit(window: ReceiveWindow, count: number): void;
  /** Sends PING. */
  wake(): void;
  /** Sends RST_STREAM with NO_ERROR. */
  reset(id: number): void;
};

export class LateBodies {
  readonly #options: LateBodiesOptions;
  /** By the numbers of their streams, oldest first. */
  readonly #late = new Map<number, Late>();

  constructor(options: LateBodiesOptions) {
    this.#options = options;
  }

  has(id: number): boolean {
    return this.#late.has(id);
  }

  add(id: number, window: ReceiveWindow, since: number): void {
    this.#late.set(id, { since, left: most, window });
    if (this.#late.size <= limit) return;
    const [oldest] = this.#late.keys();
    this.#reset(oldest!);
  }

  /** DATA has come. @returns false: more than the stream's window. */
  take(id: number, count: number): boolean {
    const late = this.#late.get(id);
    if (late === undefined) return true;
    if (!late.window.take(count)) return false;
    late.left -= count;
    if (late.left < 0) this.#reset(id);
    else this.#options.credit(late.window, count);
    return true;
  }

  /** Octets are used up that came before the end of the answer. */
  credit(id: number, count: number): void {
    const late = this.#late.get(id);
    if (late !== undefined) this.#options.credit(late.window, count);
  }

  /**
   * The request has ended, or the client has reset it. curl 7.88 does not notice that a stream is closed where its own
   * END_STREAM closes it, and waits for whatever comes next.
   */
  end(id: number): void {
    if (this.#late.delete(id)) this.#options.wake();
  }

  /** The client has broken a rule of the stream. */
  delete(id: number): void {
    this.#late.delete(id);
  }

  /** Resets those whose time is up. */
  tick(now: number): void {
    for (const [id, { since }] of this.#late) {
      if (now - since < seconds) return;
      this.#reset(id);
    }
  }

  #reset(id: number): void {
    this.#late.delete(id);
    this.#options.reset(id);
  }
}
