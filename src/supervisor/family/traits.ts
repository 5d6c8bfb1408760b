/** A process -> what it does with a signal, whether it is a shell, and whose output it reads. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import type { StopSignal } from "../../manifest/project.ts";
import { isIn, parseProcStatus } from "../../system/proc-status.ts";
import type { Seen } from "./census.ts";

/** `dies`: it has no handler, and the signal ends it. `unknown`: the system does not tell. */
export type Answer = "catches" | "ignores" | "dies" | "unknown";

export type Trait = { answer: Answer; shell: boolean };

export interface Traits {
  of(seen: Pick<Seen, "pid" | "program">, signal: NodeJS.Signals): Trait;
  /** Whether it has taken the signal, and waits for something since. True where the system does not tell. */
  isSettled(pid: number, signal: NodeJS.Signals): boolean;
  /** For each of these pids whose standard input is a pipe: the others that have its writing end. */
  writers(pids: readonly number[]): ReadonlyMap<number, readonly number[]>;
}

const shells: ReadonlySet<string> = new Set([
  ...["sh", "dash", "bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "lksh", "oksh", "yash"],
  ...["ash", "hush", "posh", "fish", "nu", "osh", "csh", "tcsh", "elvish", "xonsh"],
]);

/** Programs that are a shell under some of their names. */
const boxes: ReadonlySet<string> = new Set(["busybox", "toybox"]);

/**
 * The signal for a shell. One whose default is to be ignored would not end it, and it would go on to its next command.
 */
export function signalFor(signal: StopSignal, { shell, answer }: Trait): StopSignal {
  return signal === "SIGWINCH" && shell && answer !== "catches" ? "SIGTERM" : signal;
}

/** Linux. */
export function procfsTraits({ root = "/proc" }: { root?: string } = {}): Traits {
  function statusOf(pid: number) {
    try {
      return parseProcStatus(readFileSync(`${root}/${pid}/status`, "latin1"));
    } catch {
      // Gone, or hidden from us (the mount option hidepid), which is the same to us.
      return undefined;
    }
  }

  function target(path: string): string | undefined {
    try {
      return readlinkSync(path);
    } catch {
      // Gone, closed, or another user's.
      return undefined;
    }
  }

  /** A script's short name is the script's, so the program is looked at. */
  function isShell({ pid, program }: Pick<Seen, "pid" | "program">): boolean {
    const path = target(`${root}/${pid}/exe`);
    if (path === undefined) return shells.has(program);
    // The kernel says so of a program that was replaced on the disk.
    const name = basename(path.replace(/ \(deleted\)$/, ""));
    return shells.has(name) || (boxes.has(name) && shells.has(firstWord(pid) ?? program));
  }

  function firstWord(pid: number): string | undefined {
    try {
      const [first] = readFileSync(`${root}/${pid}/cmdline`, "latin1").split("\0", 1);
      return first === undefined ? undefined : basename(first).replace(/^-/, "");
    } catch {
      // Gone.
      return undefined;
    }
  }

  function descriptorsOf(pid: number): string[] {
    try {
      return readdirSync(`${root}/${pid}/fd`);
    } catch {
      // Gone, or another user's.
      return [];
    }
  }

  function canWrite(path: string): boolean {
    try {
      // The owner's bits of these links are the ways in which the file is open; proc_pid_fd(5).
      return (lstatSync(path).mode & 0o200) !== 0;
    } catch {
      // Closed in between.
      return false;
    }
  }

  return {
    of(seen, signal) {
      const status = statusOf(seen.pid);
      const number = constants.signals[signal];
      const shell = isShell(seen);
      if (status === undefined) return { answer: "unknown", shell };
      if (isIn(status.caught, number)) return { answer: "catches", shell };
      // The default of SIGWINCH is to be ignored.
      if (isIn(status.ignored, number) || signal === "SIGWINCH")
        return { answer: "ignores", shell };
      return { answer: "dies", shell };
    },
    isSettled(pid, signal) {
      const status = statusOf(pid);
      return (
        status === undefined || (status.asleep && !isIn(status.pending, constants.signals[signal]))
      );
    },
    writers(pids) {
      const pipes = new Map<string, number[]>();
      for (const pid of pids) {
        const path = target(`${root}/${pid}/fd/0`);
        if (path?.startsWith("pipe:")) pipes.set(path, [...(pipes.get(path) ?? []), pid]);
      }
      const found = new Map<number, number[]>();
      if (pipes.size === 0) return found;
      for (const pid of pids) {
        const writes = new Set<string>();
        for (const descriptor of descriptorsOf(pid)) {
          const path = `${root}/${pid}/fd/${descriptor}`;
          const file = target(path);
          if (file !== undefined && pipes.has(file) && canWrite(path)) writes.add(file);
        }
        for (const pipe of writes) {
          for (const reader of pipes.get(pipe)!) {
            if (reader !== pid) found.set(reader, [...(found.get(reader) ?? []), pid]);
          }
        }
      }
      return found;
    },
  };
}

/** macOS, which shows no handlers, no pending signals, and no ends of pipes. */
export function namedTraits(): Traits {
  return {
    of: ({ program }) => ({ answer: "unknown", shell: shells.has(program) }),
    isSettled: () => true,
    writers: () => new Map(),
  };
}
