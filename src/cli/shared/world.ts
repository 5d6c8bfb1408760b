/** The process's streams, environment and signals -> the effects that verbs are given. */
import { fstatSync, statSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import type { Cancel } from "../../system/clock.ts";

/** The colours in use; each leaves its text as it is where there are none. */
export type Colors = Record<
  "bold" | "dim" | "red" | "green" | "yellow" | "cyan",
  (text: string) => string
>;

/** Where text goes that a person or another program reads. */
export interface Screen {
  /** False once nobody reads any more. */
  write(text: string): boolean;
  /** Undefined where it is not a terminal, and lines may be of any length. */
  columns(): number | undefined;
  readonly colors: Colors;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

export type World = {
  /** Data. */
  out: Screen;
  /** Talk. */
  err: Screen;
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  home: string;
  /** The folder that the command was given in, absolute. */
  cwd: string;
  /** Asks the person at the terminal for a line; undefined where there is none to ask, or no answer. */
  prompt(question: string): Promise<string | undefined>;
  /** Instead of being ended by them, the process calls `action`. */
  onSignal(action: (signal: StopSignal) => void): Cancel;
  /** The terminal has another size. */
  onResize(action: () => void): Cancel;
  /** Ends the process at once. */
  exit(code: number): void;
};

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Of a terminal that does not say; the size that every program was once written for. */
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

/** Without the stream's own object, which takes a sixth of what `ls` may take, unless it may be a terminal. */
function terminalOf(name: StreamName): NodeJS.WriteStream | undefined {
  try {
    const its = fstatSync(descriptors[name]);
    if (!its.isCharacterDevice() || its.rdev === statSync("/dev/null").rdev) return undefined;
  } catch {
    // It is closed, so it is no terminal.
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
  // It makes the stream's object too.
  return (await import("picocolors")).default.createColors(true);
}

/** Writes before it returns: what a short command has printed is out when it ends. */
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
      // Somebody who shares the stream wants it never to wait; we do.
      if (code === "EAGAIN") Bun.sleepSync(1);
      // `localhostess ls | head -1`: the reader has what it wants, and there is nobody to tell.
      else if (code === "EPIPE" || code === "EIO" || code === "EBADF") return false;
      else throw error;
    }
  }
  return true;
}

/** Writes when the reader is ready. */
function patientScreen(screen: Screen, stream: NodeJS.WriteStream): Screen {
  let open = true;
  stream.on("error", () => {
    // Its reader is gone, as above.
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

/** The same world for a proxy, which has to serve while nobody reads what it prints: Ctrl-S, a full pipe. */
export function patient(world: World): World {
  return {
    ...world,
    out: patientScreen(world.out, process.stdout),
    err: patientScreen(world.err, process.stderr),
  };
}

/**
 * bin/localhostess has Bun begin in `/`, and tells where the person is.
 * @returns `/` for a folder that is gone: it has no path any more, and nothing is found in it either.
 */
function enterFolder(): string {
  const { LOCALHOSTESS_CWD: folder } = process.env;
  // No child of ours is told: it would go there too.
  delete process.env.LOCALHOSTESS_CWD;
  try {
    if (folder) process.chdir(folder);
    return process.cwd();
  } catch (error) {
    // A folder may be one's working directory and yet be closed to oneself, as it is after `sudo -u`.
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
    env: process.env,
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
