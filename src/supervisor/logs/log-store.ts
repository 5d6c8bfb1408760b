/** Output of services -> lines with their time, in memory and in files, to be read and followed. */
import { unwritableWhy } from "../../text/unwritable.ts";
import { isUtf8 } from "node:buffer";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Cancel, Clock } from "../../system/clock.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { type RotatedFile, rotatedFile } from "./log-file.ts";
import type { Size } from "./log-lines.ts";
import { OutputLines } from "./output-lines.ts";
import { type OutputShare, outputShare } from "./output-share.ts";
import { type LogLine, LogRing, type OutputStream } from "./log-ring.ts";

export type { LogLine, OutputStream } from "./log-ring.ts";

/** A service's reader of output; both twice are harmless. */
export type Source = { pause(): void; resume(): void };

export interface ServiceLog {
  /** `bytes` are the caller's again when it returns. */
  push(stream: OutputStream, bytes: Uint8Array): void;
  /** A line of our own among the service's. */
  say(text: string): void;
  /** Its process has ended: a last line without end is one. */
  flush(): void;
  /**
   * Another daemon is to go on with it, or this one after all: lines are all in the file, and the file is closed.
   * Resolves with what is no line yet, for either to begin with.
   */
  leave(): Promise<Record<OutputStream, Uint8Array>>;
  /** The source to pause where the disk is slower than the output; undefined: none. */
  source: Source | undefined;
  /** The newest, at most so many, the oldest first. */
  last(most: number): readonly LogLine[];
  /** From that number on. */
  read(number: number, most: number): readonly LogLine[];
  /** The number that the next line will have. */
  readonly next: number;
  /** The number of the oldest line that can be read. */
  readonly first: number;
  /**
   * Lines without an end that stand since a moment, such as a prompt: at most one of each stream, with the number that
   * it would have. Once it has ended, it is one of the lines.
   */
  readonly open: readonly LogLine[];
  /** The line of standard output that has not ended, as it is now. */
  readonly prompt: string;
  /** A full-screen program is shown, whose output is not kept. */
  readonly isFull: boolean;
  /** `size`: the terminal has it; undefined: the service prints into pipes. */
  resize(size: Size | undefined): void;
  /** Hears the bytes themselves, which are the callee's only until it returns. */
  tap(hear: (bytes: Uint8Array) => void): Cancel;
  /** Resolves once output from before this daemon can be read, as far as the file goes. */
  readonly ready: Promise<void>;
}

export interface LogStore {
  /** The log of a service, made where there is none. */
  of(id: string): ServiceLog;
  /** The logs that exist. */
  ids(): readonly string[];
  /** Calls back soon after output, once for many lines. */
  follow(listener: () => void): Cancel;
  /** Another daemon has written the files meanwhile: they are read again. */
  reread(): Promise<void>;
  /** The project is not known any more: memory is given back, files stay. */
  forget(id: string): Promise<void>;
  /** Removes the files of a project of which no service runs. Never rejects: what stays is reported. */
  erase(project: string): Promise<void>;
  /** All is written that can be, and every file closed. Twice is harmless. */
  close(): Promise<void>;
}

export type LogStoreOptions = {
  /** `<state>/logs`. */
  directory: string;
  clock: Clock;
  /** A sentence for a person. */
  note(text: string): void;
  /** A test's slow or failing disk. */
  fileAt?: (path: string) => RotatedFile;
};

/** Bytes that wait for the disk: above, the service is stalled; below, it goes on. */
const full = 1024 * 1024;
const empty = 256 * 1024;

/** Bytes of one write. */
const batchSize = 256 * 1024;

/** Milliseconds in which lines come together to one write, and to one word to followers. */
const gathering = 20;

/** Lines among which one is found to which the cursor goes back: a terminal's height, twice for the other stream. */
const recalled = 80;

/** Milliseconds without a line after which the file is closed. */
const idle = 10_000;

/** Bytes of the file that are looked at for lines of before. */
const pastBytes = 1024 * 1024;

/** Milliseconds between two notes about one file that cannot be written. */
const noteAgain = 60_000;

export function logStore(options: LogStoreOptions): LogStore {
  const { clock, directory } = options;
  const fileAt = options.fileAt ?? ((path) => rotatedFile(path));
  const logs = new Map<string, Log>();
  const share = outputShare(clock);
  const listeners = new Set<() => void>();
  let telling: Cancel | undefined;

  const printed = (): void => {
    if (listeners.size === 0) return;
    telling ??= clock.after(gathering, () => {
      telling = undefined;
      for (const listener of [...listeners]) listener();
    });
  };

  return {
    of(id) {
      let log = logs.get(id);
      if (log === undefined) {
        const path = join(directory, ...id.split(":").map(fileName));
        log = new Log({ ...options, id, file: fileAt(`${path}.log`), printed, share });
        logs.set(id, log);
      }
      return log;
    },
    ids: () => [...logs.keys()],
    follow(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async reread() {
      const before = [...logs.values()];
      logs.clear();
      await Promise.all(before.map((log) => log.close()));
    },
    async forget(id) {
      const log = logs.get(id);
      logs.delete(id);
      await log?.close();
    },
    async erase(project) {
      for (const id of [...logs.keys()]) if (id.startsWith(`${project}:`)) await this.forget(id);
      const path = join(directory, fileName(project));
      await rm(path, { recursive: true, force: true }).catch((error: Error) =>
        options.note(`the logs of ${project} cannot be removed: ${error.message}`),
      );
    },
    async close() {
      telling?.();
      telling = undefined;
      share.stop();
      await Promise.all([...logs.values()].map((log) => log.close()));
    },
  };
}

/** Names are checked where they are declared; a file's name is not the place to rely on it. */
function fileName(name: string): string {
  const safe = name.replace(
    /[^A-Za-z0-9_.-]/g,
    (letter) => `%${letter.codePointAt(0)!.toString(16)}`,
  );
  return /^\.*$/.test(safe) ? `%${safe}` : safe;
}

type LogOptions = LogStoreOptions & {
  id: string;
  file: RotatedFile;
  printed(): void;
  share: OutputShare;
};

class Log implements ServiceLog {
  readonly ready: Promise<void>;
  readonly #options: LogOptions;
  readonly #ring = new LogRing();
  readonly #lines: OutputLines;
  readonly #open = new Map<OutputStream, { text: string; time: number }>();
  readonly #taps = new Set<(bytes: Uint8Array) => void>();
  /** The time of what is being taken in. */
  #time: number | undefined;
  /** A full-screen program is shown, and a line says so. */
  #saidFull = false;
  /** The line that has not ended may not be UTF-8: pieces of it were not. */
  readonly #suspect = { stdout: false, stderr: false };
  #source: Source | undefined;
  /** Lines that are not in the file yet. */
  #queue: Uint8Array[] = [];
  #queued = 0;
  /** The disk is slower than it; it has printed more than its share. */
  #stalled = false;
  #shared = false;
  #lost = 0;
  #noted = Number.NEGATIVE_INFINITY;
  /** The next write, the one under way, or the close after a while. */
  #timer: Cancel | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: LogOptions) {
    this.#options = options;
    const { clock } = options;
    this.#lines = new OutputLines({
      now: () => clock.now(),
      after: (delay, action) => clock.after(delay, action),
      recall: (stream, back) => this.#recall(stream, back),
      onLine: (stream, line, dropped) => this.#take(line, { dropped, stream }),
      onOpen: (stream, text) => this.#opened(stream, text),
    });
    this.ready = options.file.tail(pastBytes).then(
      (bytes) => this.#ring.prepend(bytes),
      (error: Error) => this.#note(error),
    );
    this.#writing = this.ready.finally(() => this.#written());
  }

  get source(): Source | undefined {
    return this.#source;
  }

  set source(source: Source | undefined) {
    this.#source = source;
    if (this.#stalled || this.#shared) source?.pause();
  }

  get next(): number {
    return this.#ring.next;
  }

  get first(): number {
    return this.#ring.first;
  }

  get open(): readonly LogLine[] {
    const number = this.next;
    return [...this.#open].map(([stream, its]) => ({ number, stream, ...its }));
  }

  get prompt(): string {
    return this.#lines.prompt;
  }

  get isFull(): boolean {
    return this.#lines.isFull;
  }

  resize(size: Size | undefined): void {
    this.#lines.size = size;
  }

  tap(hear: (bytes: Uint8Array) => void): Cancel {
    this.#taps.add(hear);
    return () => void this.#taps.delete(hear);
  }

  push(stream: OutputStream, bytes: Uint8Array): void {
    for (const tap of this.#taps) tap(bytes);
    const isGood = isUtf8(bytes);
    this.#suspect[stream] ||= !isGood;
    this.#time = this.#options.clock.wall();
    const ended = this.#lines.push(stream, bytes);
    this.#time = undefined;
    if (ended && isGood) this.#suspect[stream] = false;
    if (ended) this.#later();
    if (this.isFull && !this.#saidFull) this.#sayFull();
    this.#options.share.printed(this, bytes.length);
  }

  #sayFull(): void {
    this.#saidFull = true;
    const command = shellCommand(["localhostess", "attach", this.#options.id]);
    this.say(`a full-screen program is not logged; to see it: ${command}`);
  }

  #recall(stream: OutputStream, back: number): string | undefined {
    const lines = this.last(recalled).filter(
      (line) => line.stream === stream && !line.text.startsWith(ownMark),
    );
    return lines.at(-1 - back)?.text;
  }

  #opened(stream: OutputStream, text: string | undefined): void {
    if (text === undefined) this.#open.delete(stream);
    else this.#open.set(stream, { text, time: this.#options.clock.wall() });
    this.#options.printed();
  }

  setShare(paused: boolean): void {
    if (paused === this.#shared) return;
    this.#shared = paused;
    if (!this.#stalled) this.#flow(paused);
  }

  #flow(paused: boolean): void {
    if (paused) this.#source?.pause();
    else this.#source?.resume();
  }

  say(text: string): void {
    const time = this.#options.clock.wall();
    for (const line of text.split("\n")) {
      this.#enqueue(Buffer.from(`${ownMark}${line}`), { time, stream: "stderr" });
    }
    this.#later();
  }

  flush(): void {
    this.#saidFull = false;
    this.#lines.flush();
    this.#open.clear();
    this.#suspect.stdout = this.#suspect.stderr = false;
    this.#later();
  }

  async leave(): Promise<Record<OutputStream, Uint8Array>> {
    const rest = this.#lines.leave();
    this.#open.clear();
    this.#suspect.stdout = this.#suspect.stderr = false;
    await this.#closeFile();
    return rest;
  }

  last(most: number): readonly LogLine[] {
    return this.#ring.read(this.#ring.next - most, most);
  }

  read(number: number, most: number): readonly LogLine[] {
    return this.#ring.read(number, most);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#lines.stop();
    await this.#closeFile();
    this.#release();
  }

  #unarm(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  /** Writes all that waits. The next line opens the file again. */
  async #closeFile(): Promise<void> {
    this.#unarm();
    while (this.#writing !== undefined) await this.#writing;
    await this.#write();
    this.#unarm();
    await this.#options.file.close().catch((error: Error) => this.#note(error));
  }

  #take(line: Uint8Array, { dropped, stream }: { dropped: number; stream: OutputStream }): void {
    let text = line;
    if (this.#suspect[stream] && !isUtf8(line)) text = Buffer.from(new TextDecoder().decode(line));
    if (dropped > 0) text = Buffer.concat([text, Buffer.from(` [cut: ${dropped} bytes more]`)]);
    if (this.#open.size > 0) this.#open.delete(stream);
    const gathered = this.#time !== undefined;
    this.#enqueue(text, { time: this.#time ?? this.#options.clock.wall(), stream });
    if (!gathered) this.#later();
  }

  #enqueue(text: Uint8Array, options: { time: number; stream: OutputStream }): void {
    const written = this.#ring.append(text, options);
    const last = this.#queue.at(-1);
    // Lines that stand behind one another in a page are one part.
    const joined = last !== undefined && behind(last, written) ? union(last, written) : undefined;
    if (joined === undefined) this.#queue.push(written);
    else this.#queue[this.#queue.length - 1] = joined;
    this.#queued += written.length;
    if (this.#queued > full && !this.#stalled) {
      this.#stalled = true;
      if (!this.#shared) this.#flow(true);
    }
  }

  #later(): void {
    this.#options.printed();
    if (this.#writing !== undefined || this.#closed || this.#queued === 0) return;
    this.#timer?.();
    this.#timer = this.#options.clock.after(this.#queued > empty ? 0 : gathering, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => this.#written());
    });
  }

  #written(): void {
    this.#writing = undefined;
    if (this.#closed) return;
    if (this.#queued > 0) this.#later();
    else {
      this.#timer?.();
      this.#timer = this.#options.clock.after(idle, () => {
        this.#timer = undefined;
        this.#writing = this.#options.file
          .close()
          .catch((error: Error) => this.#note(error))
          .finally(() => {
            this.#writing = undefined;
            if (this.#queued > 0) this.#later();
          });
      });
    }
  }

  /** Until nothing waits. Never rejects. */
  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch: Uint8Array[] = [];
      let length = 0;
      while (this.#queue.length > 0 && length < batchSize) {
        const part = this.#queue.shift()!;
        batch.push(part);
        length += part.length;
      }
      try {
        if (this.#lost > 0) batch.unshift(this.#gap());
        await this.#options.file.write(batch);
        this.#lost = 0;
      } catch (error) {
        this.#lost += batch.reduce((sum, part) => sum + linesIn(part), 0);
        this.#note(error as Error);
        await this.#options.file.close().catch(() => {
          // The first failure has reported it.
        });
      }
      this.#queued -= length;
      if (this.#queued < empty) this.#release();
    }
  }

  #release(): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    if (!this.#shared) this.#flow(false);
  }

  #gap(): Uint8Array {
    const time = new Date(this.#options.clock.wall()).toISOString();
    return Buffer.from(
      `${time} stderr ${ownMark}${this.#lost} lines are missing here: the file could not be written\n`,
    );
  }

  #note(error: Error): void {
    const now = this.#options.clock.now();
    if (now - this.#noted < noteAgain) return;
    this.#noted = now;
    const why = unwritableWhy(error);
    this.#options.note(`what ${this.#options.id} prints is not kept in its file: ${why}`);
  }
}

/** Begins a line of our own. */
const ownMark = "[localhostess] ";

function behind(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset + a.length === b.byteOffset;
}

function union(a: Uint8Array, b: Uint8Array): Uint8Array {
  return new Uint8Array(a.buffer, a.byteOffset, a.length + b.length);
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}
