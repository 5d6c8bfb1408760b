/** The process's streams, environment and signals -> the effects that verbs are given. */
import { fstatSync, statSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { withBytes } from "../../system/byte-text.ts";
import type { Cancel } from "../../system/clock.ts";
import { isCompiled } from "../../system/own-bun.ts";
import type { FailureCode } from "./failure.ts";

/** The colors in use; without colors, each returns its text unchanged. */
export type Colors = Record<
  "bold" | "dim" | "red" | "green" | "yellow" | "cyan",
  (text: string) => string
>;

/** An output that a person or another program reads. */
export interface Screen {
  /** False once the reader is gone. */
  write(text: string): boolean;
  /** Undefined where it is not a terminal, and lines may be of any length. */
  columns(): number | undefined;
  readonly colors: Colors;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT";

export type World = {
  /** Standard output, for data. */
  out: Screen;
  /** Standard error, for everything else. */
  err: Screen;
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  home: string;
  /** The current folder, absolute. */
  cwd: string;
  /** Asks the person at the terminal for a line; undefined without a terminal, and without an answer. */
  prompt(question: string): Promise<string | undefined>;
  /** Calls `action` on a signal, instead of ending the process. */
  onSignal(action: (signal: StopSignal) => void): Cancel;
  /** Calls `action` when the size of the terminal changes. */
  onResize(action: () => void): Cancel;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Set in a run with `--json`. */
  json?: {
    /** The answer is a stream, one value a line, and an error is a line of it. */
    lines: boolean;
    /** The code of an error that has been reported on stderr. */
    code: FailureCode | undefined;
    /** Lines that belong to its message, such as the errors in a file. */
    more: string[];
    /** The text of `--help` and `--version`, which is printed as JSON in the end. */
    help: string;
  };
  /** Words about the daemon that this command has said; undefined where each may be said again. */
  daemonTalk?: DaemonTalk;
};

export type DaemonTalk = {
  /** Sentences about the daemon, each of which is said once. */
  said: Set<string>;
  /** A daemon runs that could not be used, so that the command cannot end with 0. */
  trouble: boolean;
  /** The daemon was given its time to mend what is the matter. */
  waited: boolean;
};

/** The first process of a container is ended by none that it does not handle; elsewhere, SIGQUIT ends what hangs. */
const stopSignals: readonly StopSignal[] =
  process.pid === 1 ? ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] : ["SIGINT", "SIGTERM", "SIGHUP"];

/** The width of a terminal that does not report one: the size that programs were once written for. */
const usualColumns = 80;

export const noColors: Colors = {
  bold: String,
  dim: String,
  red: String,
  green: String,
  yellow: String,
  cyan: String,
};

type StreamName = "stdout" | "stderr";

const descriptors = { stdout: 1, stderr: 2 } as const;

/** Creates the stream's object, which takes a sixth of the time that `ls` has, only for what may be a terminal. */
function terminalOf(name: StreamName): NodeJS.WriteStream | undefined {
  try {
    const its = fstatSync(descriptors[name]);
    if (!its.isCharacterDevice() || its.rdev === statSync("/dev/null").rdev) return undefined;
  } catch {
    // A closed descriptor is not a terminal.
    return undefined;
  }
  const stream = process[name];
  return stream.isTTY ? stream : undefined;
}

async function colorsOf(terminal: NodeJS.WriteStream | undefined): Promise<Colors> {
  // https://no-color.org: any value but the empty one.
  if (terminal === undefined || process.env.NO_COLOR || process.env.TERM === "dumb") {
    return noColors;
  }
  // Loaded on demand, because it creates the stream's object too.
  return (await import("picocolors")).default.createColors(true);
}

/** Writes before it returns, so that a short command has printed everything when it ends. */
async function promptScreen(name: StreamName): Promise<Screen> {
  const terminal = terminalOf(name);
  let open = true;
  return {
    write(text) {
      if (open) open = writeAll(descriptors[name], text);
      return open;
    },
    columns: () => (terminal === undefined ? undefined : terminal.columns || usualColumns),
    colors: await colorsOf(terminal),
  };
}

function writeAll(descriptor: number, text: string): boolean {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process that shares the stream has made it non-blocking; we wait.
      if (code === "EAGAIN") Bun.sleepSync(1);
      // `localhostess ls | head -1`: the reader is gone, which is not an error.
      else if (code === "EPIPE" || code === "EIO" || code === "EBADF") return false;
      else throw error;
    }
  }
  return true;
}

/** Writes when the reader is ready, without blocking. */
function patientScreen(screen: Screen, stream: NodeJS.WriteStream): Screen {
  let open = true;
  stream.on("error", () => {
    // The reader is gone, as above.
    open = false;
  });
  return {
    ...screen,
    write(text) {
      if (open) stream.write(text);
      return open;
    },
  };
}

/** The same world for a proxy, which has to serve while its output is not read: Ctrl-S, a full pipe. */
export function patient(world: World): World {
  return {
    ...world,
    out: patientScreen(world.out, process.stdout),
    err: patientScreen(world.err, process.stderr),
  };
}

/**
 * bin/localhostess starts Bun in `/`, and passes the person's folder in a variable.
 * @returns `/` for a folder that is gone: it has no path any more, and no files.
 */
function enterFolder(): string {
  const { LOCALHOSTESS_CWD } = process.env;
  // The compiled program begins where the person is, and that variable is none of its own.
  const folder = isCompiled() ? undefined : LOCALHOSTESS_CWD;
  // No child process inherits the variable: it would change to that folder too.
  delete process.env.LOCALHOSTESS_CWD;
  try {
    if (folder) process.chdir(folder);
    return process.cwd();
  } catch (error) {
    // After `sudo -u`, the working directory may be a folder that the user cannot enter.
    return folder && (error as NodeJS.ErrnoException).code !== "ENOENT" ? folder : "/";
  }
}

async function prompted(question: string, err: Screen): Promise<string | undefined> {
  if (err.columns() === undefined || !process.stdin.isTTY) return undefined;
  err.write(question);
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input: process.stdin });
  const answer = await new Promise<string | undefined>((resolve) => {
    lines.once("line", resolve);
    // Ctrl-D.
    lines.once("close", () => resolve(undefined));
  });
  lines.close();
  return answer;
}

export async function systemWorld(): Promise<World> {
  const [out, err] = await Promise.all([promptScreen("stdout"), promptScreen("stderr")]);
  return {
    out,
    err,
    env: withBytes(process.env),
    platform: process.platform,
    home: homedir(),
    cwd: enterFolder(),
    prompt: (question) => prompted(question, err),
    onSignal(action) {
      for (const signal of stopSignals) process.on(signal, action);
      return () => {
        for (const signal of stopSignals) process.off(signal, action);
      };
    },
    onResize(action) {
      process.on("SIGWINCH", action);
      return () => process.off("SIGWINCH", action);
    },
    exit: (code) => process.exit(code),
  };
}
