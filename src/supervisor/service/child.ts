/** A command and its shell, a folder, an environment -> a process with its output and its end, or why there is none. */
import { accessSync, closeSync, constants, statSync } from "node:fs";
import { byteExact } from "../../system/byte-text.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { duplicate, type OwnDescriptors } from "../../system/own-descriptors.ts";
import type { OutputReader, Pipes } from "../../system/pipes.ts";
import type { ProcessCalls } from "../../system/process-calls.ts";
import type { TerminalFlow } from "../../system/terminal-flow.ts";
import { refusedDescriptor } from "../../system/refused-descriptor.ts";
import { shellProgram } from "../../system/shell-program.ts";
import type { Ending } from "../family/ending.ts";
import {
  type Descriptors,
  type HeldStreams,
  heldStreams,
  type Input,
  type Stream,
} from "./held-streams.ts";
import { entryOf } from "./entry.ts";
import { type Reading, reading } from "./reading.ts";
import { type Refusal, refusalOf, terminalRefusal } from "./refusal.ts";

export type { Input, Stream } from "./held-streams.ts";

export type ChildOptions = {
  command: string;
  /** The program and its arguments, which the command follows. */
  shell: readonly string[];
  /** Absolute. */
  workdir: string;
  /** All of it. */
  env: Readonly<Record<string, string>>;
  /** For `ProcessCalls.marked`: all that comes of it has the mark. */
  mark?: string | undefined;
  /** A terminal of its own, where both streams are `stdout`; else two pipes. */
  pty: boolean;
  /** Without a terminal, standard input is an open pipe; `none`: at its end, for commands that nobody talks to. */
  input?: "none";
  /** `bytes` are the callee's only until it returns. */
  onOutput(stream: Stream, bytes: Uint8Array): void;
  /**
   * Called once, when the process has ended and its output is read, or soon after where another process holds the
   * output.
   */
  onExit(ending: Ending): void;
};

export type ChildEffects = {
  clock: Clock;
  flow: TerminalFlow;
  /** Undefined where Bun's own will do, which are sockets. */
  pipes: Pipes | undefined;
  calls: Pick<ProcessCalls, "marked">;
  /** The pids that Bun waits for; no other code may wait for them. */
  own: Set<number>;
  /** Bun's, or one that fails as a test wishes. */
  spawn?: typeof Bun.spawn;
};

export interface Child {
  readonly input: Input;
  /** Also the id of its group and session. */
  readonly pid: number;
  /** Reads no more; the processes wait in write(2). Twice is harmless. */
  pause(): void;
  resume(): void;
  /** SIGKILL to its group, while its pid is its own. Twice is harmless. */
  kill(): void;
  /** Releases terminal and pipes; processes that still write get SIGHUP, EIO or EPIPE. Twice is harmless. */
  release(): void;
  /**
   * Hears nothing more, its end included, until `goOn` or `leave`. Resolves with copies of its descriptors, for another
   * daemon; what it prints meanwhile waits in the kernel. Undefined where they cannot be had: then it goes on at once.
   */
  halt(own: OwnDescriptors): Promise<Halted | undefined>;
  /** As if it had not been halted. */
  goOn(): void;
  /**
   * Leaves it to another daemon: the descriptors are closed here, and `onExit` is never called. `ended` is, where it
   * has ended, or as soon as it does and we are the ones who see it.
   */
  leave(ended: (ending: Ending) => void): void;
}

export type Halted = {
  descriptors: Descriptors;
  /** Its output is at its end: nobody can print any more. */
  isOver: boolean;
};

export type Spawned = { kind: "spawned"; child: Child } | ({ kind: "refused" } & Refusal);

/** Descriptors that Bun opens for a process with a terminal (measured with 1.4.5). */
const terminalDescriptors = 5;

/** Wide enough for tables, and not so wide that lines of it cannot be read in a page. */
export const terminalSize = { cols: 120, rows: 40 } as const;

/** Milliseconds after its end in which a process's output is read to its own end, if something else holds it open. */
export const afterwards = 250;

/** Starts it in a session and group of its own. */
export function spawnChild(options: ChildOptions, effects: ChildEffects): Spawned {
  const wrong = mistakeIn(options.workdir);
  if (wrong !== undefined) return { kind: "refused", why: wrong, passing: false };
  const program = shellProgram(options);
  if (program.kind === "none") return { kind: "refused", why: program.why, passing: false };
  try {
    const child = effects.calls.marked(options.mark, () => start(options, { ...effects, program }));
    return { kind: "spawned", child };
  } catch (error) {
    return { kind: "refused", ...refused(error as NodeJS.ErrnoException, options.pty) };
  }
}

/** posix_spawn reports a missing folder with the same code as a missing shell. */
function mistakeIn(workdir: string): string | undefined {
  try {
    if (!statSync(workdir).isDirectory()) return `its workdir ${workdir} is not a folder`;
    accessSync(workdir, constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return `its workdir ${workdir} does not exist`;
    return `its workdir ${workdir} cannot be entered (${code})`;
  }
  return undefined;
}

/** Bun 1.4.5 says of a terminal that it could not open one, and not why. */
function refused(error: NodeJS.ErrnoException, pty: boolean): Refusal {
  if (!pty || error.code !== undefined || !error.message.includes("PTY")) return refusalOf(error);
  return terminalRefusal(refusedDescriptor("/dev/ptmx", terminalDescriptors)) ?? refusalOf(error);
}

type StartEffects = ChildEffects & { program: { path: string } };

function start(options: ChildOptions, effects: StartEffects): Child {
  const { command, shell, workdir, env, pty, onOutput, onExit } = options;
  const { clock, flow, own, pipes, spawn = Bun.spawn } = effects;
  let released = false;
  let ending: Ending | undefined;
  let told = false;
  let waiting: Cancel | undefined;
  /** Streams that are not read to their end yet. */
  let open = pty ? 1 : 2;
  /** Set from `halt` on: what it has become. */
  let halted: "halted" | "left" | undefined;
  let held: HeldStreams | undefined;
  let copies: Descriptors | undefined;
  let leftTo: ((ending: Ending) => void) | undefined;

  const tell = (): void => {
    waiting?.();
    if (told || ending === undefined || halted !== undefined) return;
    told = true;
    onExit(ending);
  };
  /** The process has ended. */
  const tellSoon = (): void => {
    if (open === 0) tell();
    else waiting = clock.after(afterwards, tell);
  };
  const closed = (): void => {
    open--;
    if (open === 0) tell();
  };
  const words = [effects.program.path, ...shell.slice(1), command];
  const exact = byteExact({ argv: words, env: { ...env } });
  const { argv } = exact;
  const shared = {
    cwd: workdir,
    env: exact.env,
    detached: true,
    onExit(process: { pid: number }, code: number | null, signal: string | number | null) {
      own.delete(process.pid);
      // A real-time signal has a number and no name.
      ending = signal === null ? { code, signal } : { code: null, signal: String(signal) };
      if (halted === "left") leftTo?.(ending);
      else if (halted === undefined) tellSoon();
    },
  };

  /** The part that is the same for a terminal and for pipes: what becomes of one that was halted. */
  const handing = (its: Streams) => ({
    async halt(all: OwnDescriptors): Promise<Halted | undefined> {
      if (released || halted !== undefined) return undefined;
      if (held !== undefined) {
        halted = "halted";
        await held.halt();
        return { descriptors: copies!, isOver: open === 0 };
      }
      copies = copied(its.descriptors(all));
      if (copies === undefined) return undefined;
      halted = "halted";
      waiting?.();
      await its.halt();
      return { descriptors: copies, isOver: open === 0 };
    },
    goOn(): void {
      if (halted !== "halted" || copies === undefined) return;
      halted = undefined;
      held = heldStreams(copies, {
        flow,
        path: its.path,
        onOutput,
        onEnd() {
          open = 0;
          tell();
        },
      });
      if (ending !== undefined) tellSoon();
    },
    leave(ended: (ending: Ending) => void): void {
      if (halted !== "halted") return;
      halted = "left";
      leftTo = ended;
      released = true;
      if (held === undefined) closeAll(copies ?? {});
      else held.release();
      if (ending !== undefined && !told) ended(ending);
    },
  });

  if (pty) {
    let untaken = 0;
    const process = spawn(argv, {
      ...shared,
      terminal: {
        ...terminalSize,
        data(_terminal, bytes) {
          if (!released) onOutput("stdout", bytes);
        },
        drain() {
          untaken = 0;
        },
        exit() {
          if (halted === undefined) closed();
        },
      },
    });
    own.add(process.pid);
    const terminal = process.terminal!;
    // Asked at once where that is cheap, as its first process may end before somebody wants to know.
    let path = pipes === undefined ? undefined : flow.terminalOf(process.pid);
    let stalled = false;
    const flowOn = (): void => {
      if (!stalled || path === undefined) return;
      stalled = false;
      flow.release(path);
    };
    const streams: Streams = {
      get path() {
        return path;
      },
      descriptors(all) {
        const descriptor = path === undefined ? undefined : all.terminal(path);
        return descriptor === undefined ? undefined : { terminal: descriptor };
      },
      async halt() {
        flowOn();
        terminal.close();
      },
    };
    return {
      pid: process.pid,
      input: {
        write(bytes) {
          if (held !== undefined) held.input.write(bytes);
          if (released || terminal.closed) return;
          untaken += bytes.length;
          terminal.write(bytes.slice());
        },
        get untaken() {
          return held?.input.untaken ?? untaken;
        },
        resize({ cols, rows }) {
          held?.input.resize({ cols, rows });
          if (!released && !terminal.closed) terminal.resize(cols, rows);
        },
      },
      pause() {
        held?.pause();
        path ??= flow.terminalOf(process.pid);
        if (stalled || released || held !== undefined || path === undefined) return;
        stalled = flow.hold(path);
      },
      resume() {
        held?.resume();
        flowOn();
      },
      kill: () => killGroup(process.pid, own),
      release() {
        if (released) return;
        released = true;
        held?.release();
        if (!terminal.closed) terminal.close();
        tell();
      },
      ...handing(streams),
    };
  }

  const { process, readers, stdin, inodes } = piped(argv, {
    ...shared,
    input: options.input,
    spawn,
    pipes,
  });
  own.add(process.pid);
  const readings: readonly Reading[] = (["stdout", "stderr"] as const).map((stream) =>
    reading(readers[stream], { hear: (bytes) => onOutput(stream, bytes), ended: closed }),
  );
  const entry = stdin === undefined ? undefined : entryOf(stdin);
  const streams: Streams = {
    path: undefined,
    descriptors(all) {
      if (inodes === undefined) return undefined;
      const entry = inodes.stdin === undefined ? undefined : all.pipe(inodes.stdin, "write");
      const outputs = (["stdout", "stderr"] as const).flatMap((name) => {
        const descriptor = all.pipe(inodes[name], "read");
        return descriptor === undefined ? [] : [[name, descriptor] as const];
      });
      // One that is at its end is closed already.
      return { ...Object.fromEntries(outputs), ...(entry === undefined ? {} : { stdin: entry }) };
    },
    async halt() {
      await Promise.all(readings.map((its) => its.halt()));
      entry?.end();
    },
  };
  return {
    pid: process.pid,
    input: {
      write(bytes) {
        if (held !== undefined) held.input.write(bytes);
        if (held !== undefined || halted !== undefined) return;
        if (!released && ending === undefined) entry?.write(bytes);
      },
      get untaken() {
        return held?.input.untaken ?? entry?.untaken ?? 0;
      },
      resize() {},
    },
    pause() {
      if (released) return;
      held?.pause();
      for (const its of readings) its.pause();
    },
    resume() {
      held?.resume();
      for (const its of readings) its.resume();
    },
    kill: () => killGroup(process.pid, own),
    release() {
      if (released) return;
      released = true;
      held?.release();
      for (const its of readings) its.stop();
      if (held === undefined) entry?.end();
      tell();
    },
    ...handing(streams),
  };
}

/** The ends of a process that we have, as long as Bun has them. */
type Streams = {
  /** The terminal as the process knows it. */
  readonly path: string | undefined;
  /** Undefined where another process could not use them. */
  descriptors(all: OwnDescriptors): Descriptors | undefined;
  /** Bun reads and writes them no more. */
  halt(): Promise<void>;
};

/** Undefined where there is nothing to copy, or no room. */
function copied(descriptors: Descriptors | undefined): Descriptors | undefined {
  if (descriptors === undefined) return undefined;
  const copies: Record<string, number> = {};
  try {
    for (const [name, descriptor] of Object.entries(descriptors)) {
      copies[name] = duplicate(descriptor);
    }
    return copies;
  } catch {
    // Out of descriptors: it is not handed over, and whoever asked says so.
    closeAll(copies);
    return undefined;
  }
}

function closeAll(descriptors: Descriptors): void {
  for (const descriptor of Object.values(descriptors)) closeSync(descriptor);
}

type Piped = {
  process: { pid: number };
  readers: Readonly<Record<Stream, OutputReader>>;
  /** Undefined where standard input is at its end from the start. */
  stdin: Bun.FileSink | undefined;
  /** The pipes' inodes; undefined where they are sockets. */
  inodes: { stdin: number | undefined; stdout: number; stderr: number } | undefined;
};

type PipedOptions = {
  cwd: string;
  env: Record<string, string>;
  detached: boolean;
  onExit(process: { pid: number }, code: number | null, signal: string | number | null): void;
  input: ChildOptions["input"];
  spawn: typeof Bun.spawn;
  pipes: Pipes | undefined;
};

/**
 * Standard input is open for as long as the process runs: watchers such as esbuild's and Tailwind's end with theirs.
 */
function piped(argv: string[], { input, spawn, pipes, ...shared }: PipedOptions): Piped {
  if (pipes === undefined) return socketed(argv, { input, spawn, ...shared });
  const theirs: number[] = [];
  const opened: { cancel(): unknown }[] = [];
  /** Every end is closed here, or has an owner: the process, or whoever reads and writes. */
  const kept = <T extends { theirs: number }>(pipe: T, cancel: () => unknown): T => {
    theirs.push(pipe.theirs);
    opened.push({ cancel });
    return pipe;
  };
  const output = () => {
    const pipe = pipes.fromProcess();
    return kept(pipe, () => pipe.reader.cancel());
  };
  try {
    const stdout = output();
    const stderr = output();
    const entry = input === "none" ? undefined : pipes.toProcess();
    if (entry !== undefined) kept(entry, () => entry.sink.end());
    const process = spawn(argv, {
      ...shared,
      stdin: entry?.theirs ?? "ignore",
      stdout: stdout.theirs,
      stderr: stderr.theirs,
    });
    return {
      process,
      readers: { stdout: stdout.reader, stderr: stderr.reader },
      stdin: entry?.sink,
      inodes: { stdin: entry?.inode, stdout: stdout.inode, stderr: stderr.inode },
    };
  } catch (error) {
    for (const { cancel } of opened) void cancel();
    throw error;
  } finally {
    for (const descriptor of theirs) closeSync(descriptor);
  }
}

/** The same with the sockets that Bun.spawn makes. */
function socketed(argv: string[], { input, spawn, ...shared }: Omit<PipedOptions, "pipes">): Piped {
  const options = { ...shared, stdout: "pipe", stderr: "pipe" } as const;
  // bash -c reads ~/.bashrc where its standard input is a socket and no shell is above it.
  const env = { SHLVL: "1", ...shared.env };
  const process =
    input === "none"
      ? spawn(argv, { ...options, stdin: "ignore" })
      : spawn(argv, { ...options, env, stdin: "pipe" });
  return {
    process,
    readers: { stdout: process.stdout.getReader(), stderr: process.stderr.getReader() },
    stdin: process.stdin,
    inodes: undefined,
  };
}

/** Its group is its own while Bun has not reaped it. */
function killGroup(pid: number, own: ReadonlySet<number>): void {
  if (!own.has(pid)) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
