/** Descriptors of a process's terminal or pipes -> its output heard and its input written, until they are given on. */
import { closeSync } from "node:fs";
import { readerOf, sinkOf } from "../../system/pipes.ts";
import { neverBlock, setTerminalSize } from "../../system/own-descriptors.ts";
import type { TerminalFlow } from "../../system/terminal-flow.ts";
import { type Entry, entryOf } from "./entry.ts";
import { type Reading, reading } from "./reading.ts";

export type Stream = "stdout" | "stderr";

/** The way into a service: its terminal, or the pipe that is its standard input. */
export interface Input {
  /** `bytes` are the caller's again when it returns. Nothing is written once the child is released. */
  write(bytes: Uint8Array): void;
  /** Bytes that were written, and that the service has not read yet. */
  readonly untaken: number;
  /** Does nothing where there is no terminal. */
  resize(size: { cols: number; rows: number }): void;
}

export const streamNames = ["terminal", "stdin", "stdout", "stderr"] as const;

export type StreamName = (typeof streamNames)[number];

/** Our ends. `terminal` is all of it; without a terminal there are two outputs, and a standard input or none. */
export type Descriptors = Readonly<Partial<Record<StreamName, number>>>;

export type HeldOptions = {
  /** Undefined where there is no terminal. */
  flow: TerminalFlow | undefined;
  /** The terminal as its processes know it, where there is one: `/dev/pts/3`. */
  path: string | undefined;
  /** `bytes` are the callee's only until it returns. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  /** All of its output is at its end. */
  onEnd(): void;
};

export interface HeldStreams {
  readonly input: Input;
  pause(): void;
  resume(): void;
  /** Resolves when nothing is read any more; what is not read yet waits in the kernel. The descriptors stay open. */
  halt(): Promise<void>;
  /** Closes the descriptors. Twice is harmless. */
  release(): void;
}

const outputs: readonly [StreamName, Stream][] = [
  ["terminal", "stdout"],
  ["stdout", "stdout"],
  ["stderr", "stderr"],
];

/** Reads from now on. */
export function heldStreams(descriptors: Descriptors, options: HeldOptions): HeldStreams {
  const { flow, path, onOutput, onEnd } = options;
  let open = 0;
  let released = false;
  let stalled = false;
  const readings: Reading[] = [];
  // Bun 1.4.5 lets a terminal block when it closes its copy of one that it has read.
  for (const descriptor of Object.values(descriptors)) neverBlock(descriptor);
  for (const [name, stream] of outputs) {
    const descriptor = descriptors[name];
    if (descriptor === undefined) continue;
    open += 1;
    readings.push(
      reading(readerOf(descriptor), {
        hear: (bytes) => onOutput(stream, bytes),
        ended() {
          open -= 1;
          if (open === 0) onEnd();
        },
      }),
    );
  }
  const wayIn = descriptors.terminal ?? descriptors.stdin;
  let entry: Entry | undefined;
  const endInput = (): void => {
    entry?.end();
    entry = undefined;
  };
  return {
    input: {
      write(bytes) {
        if (released || wayIn === undefined) return;
        entry ??= entryOf(sinkOf(wayIn));
        entry.write(bytes);
      },
      get untaken() {
        return entry?.untaken ?? 0;
      },
      resize(size) {
        if (!released && descriptors.terminal !== undefined) {
          setTerminalSize(descriptors.terminal, size);
        }
      },
    },
    pause() {
      if (path === undefined) for (const its of readings) its.pause();
      else if (!stalled && !released) stalled = flow?.hold(path) ?? false;
    },
    resume() {
      for (const its of readings) its.resume();
      if (stalled && path !== undefined) flow?.release(path);
      stalled = false;
    },
    async halt() {
      this.resume();
      await Promise.all(readings.map((its) => its.halt()));
      endInput();
    },
    release() {
      if (released) return;
      released = true;
      for (const its of readings) its.stop();
      endInput();
      for (const descriptor of Object.values(descriptors)) closeSync(descriptor);
    },
  };
}
