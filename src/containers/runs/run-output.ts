/** A container -> its output, in order, from its first byte to its last, as fast as it is taken. */
import type { Clock } from "../../system/clock.ts";
import { ContainerFrames, type OutputStream } from "../../wire/container-frames.ts";
import { engineStream } from "./engine-calls.ts";

export type OutputOptions = {
  socket: string;
  id: string;
  clock: Clock;
  /** Its output is a terminal, and has no frames. */
  tty: boolean;
  /** Resolves when the bytes have gone. */
  write(stream: OutputStream, bytes: Uint8Array): Promise<void>;
};

export interface Output {
  /** Resolves when the engine sends what comes from now on, or cannot. */
  readonly opened: Promise<void>;
  /** Resolves when the engine has sent the last of it, or will not send any more. */
  readonly ended: Promise<void>;
  /** Where the engine's answer has ended while the container runs: goes on by the engine's own log. */
  followAgain(signal: AbortSignal): void;
  /** Resolves when all has been written that the container has said, or when nothing more comes. */
  drained(): Promise<void>;
  cancel(): void;
}

/** Milliseconds until an engine has to begin its answer. */
const openDeadline = 30_000;

/** Milliseconds without a byte after which no last words are awaited any more. */
const quiet = 5000;

/** Milliseconds between two attempts to follow it again. */
const againPeriod = 1000;

export function followOutput({ socket, id, clock, tty, write }: OutputOptions): Output {
  const abort = new AbortController();
  const opened = Promise.withResolvers<void>();
  let last = clock.now();
  let isWriting = false;

  async function follow(path: string, method: "GET" | "POST"): Promise<void> {
    const frames = new ContainerFrames();
    await engineStream(socket, {
      ...{ method, path, clock, deadline: openDeadline, signal: abort.signal },
      onOpen: opened.resolve,
      async onBytes(bytes) {
        isWriting = true;
        const pieces: [OutputStream, Uint8Array][] = [];
        if (tty) pieces.push(["stdout", bytes]);
        else frames.take(bytes, (...piece) => void pieces.push(piece));
        for (const [stream, piece] of pieces) await write(stream, piece);
        last = clock.now();
        isWriting = false;
        if (frames.bad !== undefined) abort.abort();
      },
    });
    opened.resolve();
  }

  const first = follow(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`, "POST");
  let current = first;
  let isEnded = false;
  void first.then(() => {
    isEnded = true;
  });

  return {
    opened: opened.promise,
    ended: first,
    followAgain(signal) {
      const again = async (): Promise<void> => {
        while (!signal.aborted && !abort.signal.aborted) {
          await current;
          await new Promise<void>((resume) => void clock.after(againPeriod, resume));
          if (signal.aborted || abort.signal.aborted) return;
          const since = (clock.wall() - (clock.now() - last)) / 1000;
          isEnded = false;
          current = follow(
            `/containers/${id}/logs?follow=1&stdout=1&stderr=1&since=${since.toFixed(6)}`,
            "GET",
          );
          void current.then(() => {
            isEnded = true;
          });
        }
      };
      void again();
    },
    async drained() {
      last = clock.now();
      while (!isEnded && (isWriting || clock.now() - last < quiet)) {
        const pause = Promise.withResolvers<void>();
        const cancel = clock.after(50, pause.resolve);
        await Promise.race([current, pause.promise]);
        cancel();
      }
    },
    cancel: () => abort.abort(),
  };
}
