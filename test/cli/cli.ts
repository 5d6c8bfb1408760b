/** Arguments -> what the real command line prints and how it ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Ended, ended } from "../support/ended.ts";

export const root = resolve(import.meta.dir, "../..");
export const main = join(root, "src/main.ts");

export type { Ended };

export type Env = Record<string, string | undefined>;

export type CliOptions = { env?: Env; cwd?: string };

export interface State extends AsyncDisposable {
  directory: string;
  /** Variables for commands that share it. */
  env: Env;
}

/** A state directory of its own, so that no proxy of this machine is known. */
export async function freshState(): Promise<State> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-cli-"));
  return {
    directory,
    env: { LOCALHOSTESS_STATE_DIR: directory },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** This process's environment without what would change an answer. */
export function environment(extra: Env = {}): Record<string, string> {
  const { NAME: _, NO_COLOR: _n, LOCALHOSTESS_PORT: _p, NODE_ENV: _e, ...inherited } = process.env;
  const all = { ...inherited, TERM: "xterm-256color", ...extra };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

export function command(...args: string[]): string[] {
  return [process.execPath, main, ...args];
}

/** Verbs that only ask, tell and print: a process of their own, a third of a second each, would show no more. */
const quick = new Set(
  (
    "add api config env forget init logs ls name pac port registry remote restart server status stop up url use wait " +
    "why worktree"
  ).split(" "),
);
/** In these words, a verb stays, or has its parent, streams and signals as others have. */
const staying = new Set(["--foreground", "-f", "--follow", "--watch", "--background"]);

/** Runs to its end: within this process where that shows as much. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const [verb = ""] = args;
  const isQuick = quick.has(verb) && !args.some((word) => staying.has(word));
  const isDaemon = verb === "server" && args[1] === "start" && !args.includes("--detach");
  if (!isQuick || isDaemon) return await spawned(args, options);
  return await (await import("./in-process.ts")).inProcess(args, options);
}

/** Runs to its end, in a process of its own. */
export async function spawned(
  args: readonly string[],
  { env = {}, cwd }: CliOptions = {},
): Promise<Ended> {
  return await ended(command(...args), { env: environment(env), cwd: cwd ?? tmpdir() });
}

export interface Session extends AsyncDisposable {
  pid: number;
  /** All that it has printed so far. */
  output(): string;
  /** @throws where the output does not get to hold it in time. */
  until(wanted: (output: string) => boolean): Promise<string>;
  /** To its keyboard. */
  type(text: string): void;
  /** Makes its terminal another width. */
  resize(columns: number): void;
  signal(signal: "SIGINT" | "SIGTERM"): void;
  /** Its exit code. */
  ended(): Promise<number>;
}

export type SessionOptions = CliOptions & { columns?: number; terminal?: boolean };

/** Of the terminal. */
const rows = 24;

/** Milliseconds; far more than anything here takes on a busy machine. */
const patience = 60_000;

/** Runs until it is ended; in a terminal, or with both streams in one pipe. */
export function session(args: readonly string[], options: SessionOptions = {}): Session {
  const { env = {}, cwd = tmpdir(), columns = 80, terminal = true } = options;
  let output = "";
  let waiting: (() => void)[] = [];
  const decoder = new TextDecoder();
  const take = (bytes: Uint8Array): void => {
    output += decoder.decode(bytes, { stream: true });
    for (const wake of waiting.splice(0)) wake();
  };
  const common = { env: environment(env), cwd, detached: true } as const;
  let screen: Bun.Terminal | undefined;
  let child: Bun.Subprocess;
  if (terminal) {
    const spawned = Bun.spawn(command(...args), {
      ...common,
      terminal: { cols: columns, rows, data: (_, bytes) => take(bytes) },
    });
    screen = spawned.terminal;
    child = spawned;
  } else {
    const spawned = Bun.spawn(command(...args), {
      ...common,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    child = spawned;
    for (const stream of [spawned.stdout, spawned.stderr]) {
      void (async () => {
        for await (const bytes of stream) take(bytes);
      })();
    }
  }
  let over = false;
  void child.exited.then(() => {
    over = true;
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    pid: child.pid,
    output: () => output,
    async until(wanted) {
      const deadline = Date.now() + patience;
      while (!wanted(output)) {
        const left = deadline - Date.now();
        if (over || left <= 0) {
          throw new Error(
            `${args.join(" ")} ${over ? "ended" : "went on"}; it printed:\n${output}`,
          );
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, left);
        waiting = [...waiting, resolve];
        await promise;
        clearTimeout(timer);
      }
      return output;
    },
    type: (text) => void screen!.write(text),
    resize: (columns) => screen!.resize(columns, rows),
    signal: (signal) => child.kill(signal),
    ended: () => child.exited,
    async [Symbol.asyncDispose]() {
      if (!over) child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** A daemon in the foreground, on a port that the system chooses, once it has printed `ready`: its address, or more. */
export async function daemonInFront(env: Env, ready = "/proxy.pac"): Promise<Session> {
  const daemon = session(["server", "start", "--port", "0"], { env, terminal: false });
  try {
    await daemon.until((text) => text.includes("/proxy.pac") && text.includes(ready));
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}
