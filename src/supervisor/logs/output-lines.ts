/** Both streams of a service in pieces -> their lines, and those without an end that stand since a moment. */
import type { Cancel } from "../../system/clock.ts";
import { LogLines, type Size, type TakeLine } from "./log-lines.ts";

export type OutputStream = "stdout" | "stderr";

const outputStreams: readonly OutputStream[] = ["stdout", "stderr"];

export type OutputLinesOptions = {
  /** Milliseconds. */
  now(): number;
  after(delay: number, action: () => void): Cancel;
  /** A line that was taken, counted from the newest of its stream, 0, backwards. */
  recall(stream: OutputStream, back: number): string | undefined;
  /** `bytes` are the callee's only until it returns; `dropped` of them are missing at the end. */
  onLine(stream: OutputStream, bytes: Uint8Array, dropped: number): void;
  /** A line without an end stands, or another one, or none (undefined). A line that ends takes its place unsaid. */
  onOpen(stream: OutputStream, text: string | undefined): void;
};

/** Milliseconds after which a line that has not ended, and has not changed, counts as shown. */
const moment = 300;

/** Characters of a line without an end that are shown. */
const longestOpen = 64 * 1024;

type Stream = {
  lines: LogLines;
  take: TakeLine;
  /** As it was looked at last, and as it was told. */
  seen: string | undefined;
  shown: string | undefined;
};

export class OutputLines {
  readonly #options: OutputLinesOptions;
  readonly #streams: Record<OutputStream, Stream>;
  #glancing: Cancel | undefined;

  constructor(options: OutputLinesOptions) {
    this.#options = options;
    this.#streams = { stdout: this.#stream("stdout"), stderr: this.#stream("stderr") };
  }

  /** The terminal's; undefined: pipes. */
  set size(size: Size | undefined) {
    for (const name of outputStreams) this.#streams[name].lines.size = size;
  }

  /** A full-screen program is shown, whose output is no lines. */
  get isFull(): boolean {
    return this.#streams.stdout.lines.isFull;
  }

  /** The line of standard output that has not ended, as it is now. */
  get prompt(): string {
    return this.#streams.stdout.lines.open ?? "";
  }

  /** @returns whether a line has ended. */
  push(name: OutputStream, bytes: Uint8Array): boolean {
    const its = this.#streams[name];
    const ended = its.lines.push(bytes, its.take);
    if (ended) its.seen = its.shown = undefined;
    if (this.#glancing === undefined && !its.lines.isIdle) this.#glanceAfter(moment);
    return ended;
  }

  /** The output has ended: what stands is a line. */
  flush(): void {
    this.stop();
    for (const name of outputStreams) {
      const its = this.#streams[name];
      its.seen = its.shown = undefined;
      its.lines.flush(its.take);
    }
  }

  /** Ends it here: what stands is no line, but bytes for another to begin with. */
  leave(): Record<OutputStream, Uint8Array> {
    this.stop();
    const leave = (name: OutputStream): Uint8Array => {
      const its = this.#streams[name];
      its.seen = its.shown = undefined;
      return its.lines.leave(its.take);
    };
    return { stdout: leave("stdout"), stderr: leave("stderr") };
  }

  /** No more is told until there is output again. Twice is harmless. */
  stop(): void {
    this.#glancing?.();
    this.#glancing = undefined;
  }

  #stream(name: OutputStream): Stream {
    const { now, recall, onLine } = this.#options;
    const lines = new LogLines({ now, recall: (back) => recall(name, back) });
    const take: TakeLine = (line, dropped) => onLine(name, line, dropped);
    return { lines, take, seen: undefined, shown: undefined };
  }

  #glanceAfter(delay: number): void {
    this.#glancing = this.#options.after(delay, () => {
      this.#glancing = undefined;
      const next = Math.min(...outputStreams.map((name) => this.#glance(name)));
      if (next < Number.POSITIVE_INFINITY && this.#glancing === undefined) this.#glanceAfter(next);
    });
  }

  /** @returns milliseconds until the next look is due. */
  #glance(name: OutputStream): number {
    const its = this.#streams[name];
    let ended = false;
    const rest = its.lines.settle((line, dropped) => {
      ended = true;
      its.take(line, dropped);
    });
    // A follower may have forgotten it with the line before.
    if (ended) its.shown = undefined;
    const text = its.lines.open?.slice(0, longestOpen);
    const stands = text === its.seen;
    its.seen = text;
    const next = rest ?? Number.POSITIVE_INFINITY;
    if (text !== undefined && !stands) return Math.min(next, moment);
    if (text !== its.shown) {
      its.shown = text;
      this.#options.onOpen(name, text);
    }
    return next;
  }
}
