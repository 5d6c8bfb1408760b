/** A reader of output -> its bytes, one piece after another, paused and ended without losing one. */
import type { OutputReader } from "../../system/pipes.ts";

export type ReadingOptions = {
  /** `bytes` are the callee's only until it returns. */
  hear(bytes: Uint8Array): void;
  /** Called once: the output is at its end. Not called after `halt` or `stop`. */
  ended(): void;
};

export interface Reading {
  pause(): void;
  resume(): void;
  /**
   * Resolves when nothing is read any more, and all that was read has been heard. The rest waits in the kernel, for
   * another reader.
   */
  halt(): Promise<void>;
  /** Twice is harmless. */
  stop(): void;
}

/** Turns of the event loop until a reader that prints without an end waits for more: one or two were measured. */
const mostTurns = 1000;

export function reading(reader: OutputReader, { hear, ended }: ReadingOptions): Reading {
  let resumed: PromiseWithResolvers<void> | undefined;
  let stopped = false;
  /** Set while it waits for output, and has none that it has not given out. */
  let waits = false;
  let over = false;

  async function run(): Promise<void> {
    try {
      while (!stopped) {
        if (resumed !== undefined) await resumed.promise;
        waits = true;
        const { done, value } = await reader.read();
        waits = false;
        if (stopped || done || value === undefined) return;
        hear(value);
      }
    } catch {
      // EIO: no process has the terminal open any more, which is the end of its output.
    } finally {
      over = true;
      if (!stopped) ended();
    }
  }
  void run();

  const resume = (): void => {
    resumed?.resolve();
    resumed = undefined;
  };
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    resume();
    Promise.resolve(reader.cancel()).catch(() => {
      // The output has ended with an error, which leaves nothing to cancel.
    });
  };
  return {
    pause() {
      if (!stopped) resumed ??= Promise.withResolvers();
    },
    resume,
    async halt() {
      // Bun reads ahead of one who has stopped to ask (measured with 1.4.5), so it is asked until it has to wait.
      resume();
      for (let turn = 0; turn < mostTurns && !over && !stopped; turn++) {
        await new Promise((next) => setImmediate(next));
        if (waits) break;
      }
      stop();
    },
    stop,
  };
}
