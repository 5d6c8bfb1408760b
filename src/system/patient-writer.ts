/** Bytes -> a descriptor, in order and without blocking; whoever has too many is told to wait. */
import { write } from "node:fs";
import type { Clock } from "./clock.ts";

/** Bytes that wait for a reader, above which there are too many. */
const enough = 256 * 1024;
/** Milliseconds until a full pipe is tried again. */
const fullPause = 5;

export class PatientWriter {
  readonly #descriptor: number;
  readonly #clock: Clock;
  readonly #onRoom: () => void;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #isDeaf = false;

  /** `onRoom`: after a `false`, there is room again. */
  constructor(descriptor: number, { clock, onRoom }: { clock: Clock; onRoom(): void }) {
    this.#descriptor = descriptor;
    this.#clock = clock;
    this.#onRoom = onRoom;
  }

  /** The reader has gone: nothing more is written. */
  get isDeaf(): boolean {
    return this.#isDeaf;
  }

  /** False: whoever has more waits for `onRoom`. */
  write(bytes: Uint8Array): boolean {
    const its = bytes.slice();
    this.#waiting += its.length;
    this.#last = this.#last.then(async () => {
      await this.#written(its);
      const wasFull = this.#waiting > enough;
      this.#waiting -= its.length;
      if (wasFull && this.#waiting <= enough) this.#onRoom();
    });
    return this.#waiting <= enough;
  }

  /** Resolves when all of it has been taken, or the reader has gone. */
  flushed(): Promise<void> {
    return this.#last;
  }

  async #written(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isDeaf;) {
      const { promise, resolve } = Promise.withResolvers<number | NodeJS.ErrnoException>();
      const length = bytes.length - at;
      write(this.#descriptor, bytes, at, length, null, (error, count) => resolve(error ?? count));
      const written = await promise;
      if (typeof written === "number") at += written;
      else if (written.code === "EAGAIN") {
        await new Promise<void>((resume) => void this.#clock.after(fullPause, resume));
      } else this.#isDeaf = true;
    }
  }
}
