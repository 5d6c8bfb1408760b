/** A command and its shell, a folder, an environment -> a process with its output and its end, or why there is none. */
import { accessSync, closeSync, constants, statSync } from "node:fs";
import { byteExact } from "../../system/byte-text.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { OutputReader, Pipes } from "../../system/pipes.ts";
import type { ProcessCalls } from "../../system/process-calls.ts";
import type { TerminalFlow } from "../../system/terminal-flow.ts";
import { refusedDescriptor } from "../../system/refused-descriptor.ts";
import { shown } from "../../text/shown.ts";
import type { Ending } from "../family/ending.ts";
import { type Refusal, refusalOf, terminalRefusal } from "./refusal.ts";

export type Stream = "stdout" | "stderr";

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

/** The way into a service: its terminal, or the pipe that is its standard input. */
export interface Input {
  /** `bytes` are the caller's again when it returns. Nothing is written once the child is released. */
  write(bytes: Uint8Array): void;
  /** Bytes that were written, and that the service has not read yet. */
  readonly untaken: number;
  /** Does nothing where there is no terminal. */
  resize(size: { cols: number; rows: number }): void;
}

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
}

export type Spawned = { kind: "spawned"; child: Child } | ({ kind: "refused" } & Refusal);

/** Descriptors that Bun opens for a process with a terminal (measured with 1.4.5). */
const terminalDescriptors = 5;

/** Wide enough for tables, and not so wide that lines of it cannot be read in a page. */
export const terminalSize = { cols: 120, rows: 40 } as const;

/** Milliseconds after its end in which a process's output is read to its own end, if something else holds it open. */
const afterwards = 250;

/** Starts it in a session and group of its own. */
export function spawnChild(options: ChildOptions, effects: ChildEffects): Spawned {
  const wrong = mistakeIn(options.workdir) ?? mistakeInShell(options);
  if (wrong !== undefined) return { kind: "refused", why: wrong, passing: false };
  try {
    const child = effects.calls.marked(options.mark, () => start(options, effects));
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

/** A name is looked up where the service would look it up. */
function programOf({ shell: [program], env, workdir }: Shelled): string | undefined {
  if (program!.startsWith("/")) return program;
  return Bun.which(program!, { PATH: env.PATH ?? "", cwd: workdir }) ?? undefined;
}

/** Asked before: execve(2) has one word for a missing program, a missing interpreter of it, and a missing folder. */
function mistakeInShell(options: Shelled): string | undefined {
  const program = programOf(options);
  if (program === undefined) return `its shell ${shown(options.shell[0])} is not in its PATH`;
  try {
    if (!statSync(program).isFile()) return `its shell ${program} is not a program`;
    accessSync(program, constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return `there is no shell at ${program}`;
    return `its shell ${program} may not be run (${code})`;
  }
  return undefined;
}

type Shelled = Pick<ChildOptions, "shell" | "env" | "workdir">;

/** Bun 1.4.5 says of a terminal that it could not open one, and not why. */
function refused(error: NodeJS.ErrnoException, pty: boolean): Refusal {
  if (!pty || error.code !== undefined || !error.message.includes("PTY")) return refusalOf(error);
  return terminalRefusal(refusedDescriptor("/dev/ptmx", terminalDescriptors)) ?? refusalOf(error);
}

function start(options: ChildOptions, effects: ChildEffects): Child {
  const { command, shell, workdir, env, pty, onOutput, onExit } = options;
  const { clock, flow, own, pipes, spawn = Bun.spawn } = effects;
  let released = false;
  let ending: Ending | undefined;
  let told = false;
  let waiting: Cancel | undefined;
  /** Streams that are not read to their end yet. */
  let open = pty ? 1 : 2;

  const tell = (): void => {
    waiting?.();
    if (told || ending === undefined) return;
    told = true;
    onExit(ending);
  };
  const closed = (): void => {
    open--;
    if (open === 0) tell();
  };
  const words = [programOf(options)!, ...shell.slice(1), command];
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
      if (open === 0) tell();
      else waiting = clock.after(afterwards, tell);
    },
  };

  let untaken = 0;
  if (pty) {
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
        exit: closed,
      },
    });
    own.add(process.pid);
    const terminal = process.terminal!;
    let path: string | undefined;
    let stalled = false;
    return {
      pid: process.pid,
      input: {
        write(bytes) {
          if (released || terminal.closed) return;
          untaken += bytes.length;
          terminal.write(bytes.slice());
        },
        get untaken() {
          return untaken;
        },
        resize({ cols, rows }) {
          if (!released && !terminal.closed) terminal.resize(cols, rows);
        },
      },
      pause() {
        path ??= flow.terminalOf(process.pid);
        if (stalled || released || path === undefined) return;
        stalled = flow.hold(path);
      },
      resume() {
        if (!stalled || path === undefined) return;
        stalled = false;
        flow.release(path);
      },
      kill: () => killGroup(process.pid, own),
      release() {
        if (released) return;
        released = true;
        terminal.close();
        tell();
      },
    };
  }

  const { process, readers, stdin } = piped(argv, {
    ...shared,
    input: options.input,
    spawn,
    pipes,
  });
  own.add(process.pid);
  let resumed: PromiseWithResolvers<void> | undefined;
  const read = async (stream: Stream, reader: OutputReader): Promise<void> => {
    try {
      while (!released) {
        if (resumed !== undefined) await resumed.promise;
        const { done, value } = await reader.read();
        if (done || value === undefined || released) return;
        onOutput(stream, value);
      }
    } finally {
      closed();
    }
  };
  void read("stdout", readers.stdout);
  void read("stderr", readers.stderr);
  const failed = (): void => {
    // The process has closed its end, or is gone, and reads nothing any more.
    untaken = 0;
  };
  return {
    pid: process.pid,
    input: {
      write(bytes) {
        if (released || ending !== undefined || stdin === undefined) return;
        untaken += bytes.length;
        try {
          Promise.resolve(stdin.write(bytes.slice())).catch(failed);
          Promise.resolve(stdin.flush()).then(() => {
            untaken = 0;
          }, failed);
        } catch {
          failed();
        }
      },
      get untaken() {
        return untaken;
      },
      resize() {},
    },
    pause() {
      if (!released) resumed ??= Promise.withResolvers();
    },
    resume() {
      resumed?.resolve();
      resumed = undefined;
    },
    kill: () => killGroup(process.pid, own),
    release() {
      if (released) return;
      released = true;
      resumed?.resolve();
      for (const reader of Object.values(readers)) void reader.cancel();
      try {
        Promise.resolve(stdin?.end()).catch(failed);
      } catch {
        failed();
      }
      tell();
    },
  };
}

type Piped = {
  process: { pid: number };
  readers: Readonly<Record<Stream, OutputReader>>;
  /** Undefined where standard input is at its end from the start. */
  stdin: Bun.FileSink | undefined;
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
