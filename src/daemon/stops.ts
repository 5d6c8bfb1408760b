/** Parts that have started -> all of them stopped, the last one first. */

/** Stops one part, which has stopped on return, or when the promise resolves. */
export type Stop = () => void | Promise<void>;

/** The place where a part that starts leaves the way to stop it. */
export interface Stopping {
  /** `part` is its name in messages. A part that is pushed after everything has stopped is stopped at once. */
  push(part: string, stop: Stop): void;
}

export class Stops implements Stopping {
  readonly #failed: (part: string, error: unknown) => void;
  #stack: { part: string; stop: Stop }[] = [];
  #stopping: Promise<void> | undefined;
  #over = false;

  /** `failed`: a part could not be stopped; the others are stopped all the same. */
  constructor(failed: (part: string, error: unknown) => void) {
    this.#failed = failed;
  }

  push(part: string, stop: Stop): void {
    if (this.#over) void this.#stop({ part, stop });
    else this.#stack.push({ part, stop });
  }

  /** A place in the stack for parts that are stopped at the same time, whenever each of them starts. */
  together(part: string): Stopping {
    const members = new Stops(this.#failed);
    this.push(part, () => members.#stopAtOnce());
    return members;
  }

  /**
   * Stops each part when the parts above it have stopped. Parts that stop without waiting have stopped before this
   * returns, up to the first part that has to wait. Twice is harmless.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#unwind();
    return this.#stopping;
  }

  async #unwind(): Promise<void> {
    for (let top = this.#stack.pop(); top !== undefined; top = this.#stack.pop()) {
      const stopped = this.#stop(top);
      if (stopped !== undefined) await stopped;
    }
    this.#over = true;
  }

  /** Begins to stop all of them before it waits for any. */
  async #stopAtOnce(): Promise<void> {
    this.#over = true;
    const members = this.#stack.toReversed();
    this.#stack = [];
    await Promise.all(members.map((its) => this.#stop(its)));
  }

  /** Undefined: the part has stopped, or cannot be. */
  #stop({ part, stop }: { part: string; stop: Stop }): Promise<void> | undefined {
    try {
      return stop()?.catch((error: unknown) => this.#failed(part, error));
    } catch (error) {
      this.#failed(part, error);
      return undefined;
    }
  }
}
