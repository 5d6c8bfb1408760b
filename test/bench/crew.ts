/** Commands into running programs, each on its CPU, every one of them ended by its pid. */
import { openSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** Which of two CPUs: proxies have one to themselves; load and backend share the other. */
export type Side = "proxy" | "load" | "any";

export type Program = {
  readonly name: string;
  readonly pid: number;
  /** What it has printed so far: its last words when it fails. */
  printed(): string;
  running(): boolean;
  /** Twice is harmless. */
  stop(): Promise<void>;
};

export type StartOptions = { name: string; side: Side; env?: Record<string, string> };

export interface Crew {
  /** A directory that goes when the crew ends. */
  readonly dir: string;
  /** Whether programs have CPUs of their own. */
  readonly pinned: boolean;
  start(argv: readonly string[], options: StartOptions): Program;
  /** The command that runs `argv` on a side's CPU. */
  on(side: Side, argv: readonly string[]): string[];
  end(): Promise<void>;
}

/** Milliseconds that a program has to end by itself. */
const patience = 5_000;

export function crew(dir: string, { pin }: { pin: boolean }): Crew {
  const programs: Program[] = [];
  const pinned = pin && availableParallelism() > 1 && Bun.which("taskset") !== null;
  const on = (side: Side, argv: readonly string[]): string[] =>
    pinned && side !== "any"
      ? // taskset becomes the command: the pid stays.
        ["taskset", "-c", side === "proxy" ? "0" : "1", ...argv]
      : [...argv];
  return {
    dir,
    pinned,
    on,
    start(argv, { name, side, env = {} }) {
      const log = join(dir, `${name}.log`);
      const output = openSync(log, "w");
      const child = Bun.spawn(on(side, argv), {
        cwd: dir,
        stdin: "ignore",
        stdout: output,
        stderr: output,
        // A new session: an interrupt at the keyboard reaches the bench alone, which ends them all.
        detached: true,
        env: { PATH: searchPath(), HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir, ...env },
      });
      const program: Program = {
        name,
        pid: child.pid,
        printed: () => readFileSync(log, "utf8").trim(),
        running: () => child.exitCode === null && child.signalCode === null,
        async stop() {
          if (!program.running()) return;
          child.kill("SIGTERM");
          const timer = setTimeout(() => child.kill("SIGKILL"), patience);
          await child.exited;
          clearTimeout(timer);
        },
      };
      programs.push(program);
      return program;
    },
    async end() {
      await Promise.all(programs.map((program) => program.stop()));
    },
  };
}

/** Debian keeps servers where an ordinary PATH does not look. */
export function searchPath(): string {
  return `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/local/sbin:/usr/sbin:/sbin`;
}

export function installed(program: string): string | undefined {
  return Bun.which(program, { PATH: searchPath() }) ?? undefined;
}
