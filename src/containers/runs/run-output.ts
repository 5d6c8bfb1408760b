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
  /** The engine has gone: an answer of it that has no end yet will have none. */
  lost(): void;
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
  const opened = Promise.withResolvers<void>();
  let isCancelled = false;
  let last = clock.now();
  let isWriting = false;

  /** One answer of the engine, to its end. */
  function follow(path: string, method: "GET" | "POST"): Following {
    const abort = new AbortController();
    const following: Following = { abort, isOver: false, over: Promise.resolve() };
    const frames = new ContainerFrames();
    const streamed = engineStream(socket, {
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
    following.over = streamed.then(() => {
      following.isOver = true;
      opened.resolve();
    });
    return following;
  }

  const first = follow(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`, "POST");
  let current = first;

  /** By the engine's own log, from the last that was heard. */
  async function again(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !isCancelled) {
      await current.over;
      await new Promise<void>((resume) => void clock.after(againPeriod, resume));
      if (signal.aborted || isCancelled) return;
      const since = (clock.wall() - (clock.now() - last)) / 1000;
      const path = `/containers/${id}/logs?follow=1&stdout=1&stderr=1&since=${since.toFixed(6)}`;
      current = follow(path, "GET");
    }
  }

  return {
    opened: opened.promise,
    ended: first.over,
    followAgain(signal) {
      void again(signal);
    },
    lost: () => current.abort.abort(),
    async drained() {
      last = clock.now();
      while (!current.isOver && (isWriting || clock.now() - last < quiet)) {
        const pause = Promise.withResolvers<void>();
        const cancel = clock.after(50, pause.resolve);
        await Promise.race([current.over, pause.promise]);
        cancel();
      }
    },
    cancel() {
      isCancelled = true;
      current.abort.abort();
    },
  };
}

type Following = { abort: AbortController; isOver: boolean; over: Promise<void> };
