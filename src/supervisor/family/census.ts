/** The machine into the processes that run on it, each with the run of a service that it belongs to. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { runCommand } from "../../system/command.ts";
import { sought, valueIn } from "../../system/environment-value.ts";
import { parseProcStat } from "../../system/proc-stat.ts";
import { markIn } from "./mark.ts";

/** The variable by which every process of a run is known, wherever it went. */
export const runVariable = "LOCALHOSTESS_RUN_ID";

export type Seen = {
  pid: number;
  parent: number;
  group: number;
  /** 0 where it is not known. */
  session: number;
  /** Milliseconds since the Unix epoch, to be shown: on Linux it moves when the clock is set. */
  startedAt: number;
  /**
   * The start in ticks since the boot, which no clock change moves. With the pid, it identifies a process. Equal to
   * `startedAt` where the system has no ticks: macOS keeps the time as it was.
   */
  birth: number;
  /** Leads a session that may have a terminal, so that its end sends SIGHUP to the others. */
  leads: boolean;
  /** Ended, and not reaped. */
  zombie: boolean;
  /** Stopped by a signal; it hears of another one only when it goes on. */
  stopped: boolean;
  /** How a zombie ended, as waitpid(2) reports it, where that is known. */
  exitStatus: number | undefined;
  /** The name of its program. */
  program: string;
  /** Equal to its parent's where it was forked from it and has not become another program. */
  exec: string | undefined;
  /** The run id in its environment, now or when it was first seen. */
  runId: string | undefined;
  /** Its mark of a run (`mark.ts`), looked for only where there is no run id. */
  mark: string | undefined;
  /** Milliseconds of processor time until now. */
  cpu: number;
  /** Resident bytes. */
  memory: number;
};

/** A process that another daemon may know again, within one boot. */
export type Birth = Pick<Seen, "pid" | "birth">;

/** `exitStatus`: of a zombie, as waitpid(2) reports it. */
export type Glimpse = Pick<Seen, "birth" | "zombie"> & { exitStatus: number };

/** Processes by pid. */
export type Table = ReadonlyMap<number, Seen>;

export interface Census {
  /** A look that begins now or later; those who ask at the same time share one. */
  look(): Promise<Table>;
  /** Whether this very process still runs: synchronous and cheap, to be asked right before a signal. */
  same(process: Birth): boolean;
  /** Synchronous and cheap; undefined where it is gone, or has not been seen where looking is not cheap. */
  birthOf(pid: number): number | undefined;
  /** Synchronous and cheap; undefined where it is gone, and where looking is not cheap. */
  glimpse(pid: number): Glimpse | undefined;
  /** The boot that births count from; undefined where the system does not tell, and births prove nothing. */
  readonly boot: string | undefined;
}

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 3;

/** A way of looking that need not care who else looks: those who ask while one look is under way share the next. */
export function shared<T>(take: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | undefined;
  let current: Promise<unknown> = Promise.resolve();
  return () => {
    if (next !== undefined) return next;
    const mine = current.then(() => {
      next = undefined;
      return take();
    });
    next = mine;
    // Callers get the failure; the next look begins after it all the same.
    current = mine.catch(() => undefined);
    return mine;
  };
}

/** USER_HZ, what the kernel shows to programs, is 100 on every machine that Bun runs on. */
const tick = 10;
/** The page that rss is counted in. */
const page = 4096;

const runId = sought(runVariable);

/** Searches NUL-ended strings. */
export function runIdIn(environment: Buffer): string | undefined {
  return valueIn(environment, runId, { as: "latin1" });
}

type Remembered = {
  startTicks: number;
  image: string;
  runId: string | undefined;
  mark: string | undefined;
};

/** Linux. No process is started, and an environment is read once for each program that a process becomes. */
export function procfsCensus({ root = "/proc" }: { root?: string } = {}): Census {
  let known = new Map<number, Remembered>();
  let bootTime: number | undefined;
  const chunk = Buffer.allocUnsafe(4096);

  const startOf = (ticks: number): number => {
    bootTime ??= Number(/^btime (\d+)$/m.exec(readFileSync(`${root}/stat`, "latin1"))?.[1] ?? 0);
    return bootTime * 1000 + ticks * tick;
  };

  /** A file that fits into a page. Undefined where the process is gone, or hidden. */
  function short(path: string): string | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(path, "r");
    } catch {
      // Gone, or hidden from us (the mount option hidepid), which is the same to us.
      return undefined;
    }
    try {
      return chunk.toString("latin1", 0, readSync(descriptor, chunk, 0, chunk.length, null));
    } catch {
      // Gone while it was read (ESRCH).
      return undefined;
    } finally {
      closeSync(descriptor);
    }
  }

  function runIdOf(pid: number): string | undefined {
    try {
      const environment = readFileSync(`${root}/${pid}/environ`);
      const found = runIdIn(environment);
      // The rest is none of our business, also not in a heap dump.
      environment.fill(0);
      return found;
    } catch {
      // Another user's, or gone.
      return undefined;
    }
  }

  function markOf(pid: number): string | undefined {
    const text = short(`${root}/${pid}/limits`);
    return text === undefined ? undefined : markIn(text);
  }

  function see(pid: number, kept: Map<number, Remembered>): Seen | undefined {
    const text = short(`${root}/${pid}/stat`);
    const stat = text === undefined ? undefined : parseProcStat(text);
    if (stat === undefined) return undefined;
    let memory = known.get(pid);
    if (memory?.startTicks !== stat.startTicks) memory = undefined;
    if (memory?.image !== stat.image) {
      const { startTicks, image } = stat;
      // A program that was started without environment is still the process that had one.
      const runId = (stat.zombie ? undefined : runIdOf(pid)) ?? memory?.runId;
      const mark = memory?.mark ?? (runId === undefined ? markOf(pid) : undefined);
      memory = { startTicks, image, runId, mark };
    }
    kept.set(pid, memory);
    return {
      pid,
      parent: stat.parent,
      group: stat.group,
      session: stat.session,
      startedAt: startOf(stat.startTicks),
      birth: stat.startTicks,
      leads: stat.terminal && stat.session === pid,
      zombie: stat.zombie,
      stopped: stat.stopped,
      exitStatus: stat.zombie ? stat.exitStatus : undefined,
      program: stat.comm,
      exec: stat.exec,
      runId: memory.runId,
      mark: memory.mark,
      cpu: stat.cpuTicks * tick,
      memory: stat.pages * page,
    };
  }

  function birthOf(pid: number): number | undefined {
    const text = short(`${root}/${pid}/stat`);
    return text === undefined ? undefined : parseProcStat(text)?.startTicks;
  }

  return {
    look: shared(async () => {
      const table = new Map<number, Seen>();
      const kept = new Map<number, Remembered>();
      const entries = await readdir(root);
      let begun = performance.now();
      for (const entry of entries) {
        const pid = Number(entry);
        if (!Number.isInteger(pid)) continue;
        const seen = see(pid, kept);
        if (seen !== undefined) table.set(pid, seen);
        if (performance.now() - begun > slice) {
          await new Promise((resume) => setImmediate(resume));
          begun = performance.now();
        }
      }
      known = kept;
      return table;
    }),
    same: ({ pid, birth }) => birthOf(pid) === birth,
    birthOf,
    glimpse(pid) {
      const text = short(`${root}/${pid}/stat`);
      const stat = text === undefined ? undefined : parseProcStat(text);
      if (stat === undefined) return undefined;
      return { birth: stat.startTicks, zombie: stat.zombie, exitStatus: stat.exitStatus };
    },
    boot: short(`${root}/sys/kernel/random/boot_id`)?.trim(),
  };
}

export const psArguments = [
  "-axEww",
  ...["pid", "ppid", "pgid", "stat", "rss", "time", "lstart", "command"].flatMap((column) => [
    "-o",
    `${column}=`,
  ]),
] as const;

const psLine =
  /^ *(\d+) +(\d+) +(\d+) +(\S+) +(\d+) +(?:(\d+):)?(\d+):(\d+)\.(\d\d) +(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}) (.*)$/;

/** Parses what macOS's `ps` prints with `psArguments` under TZ=UTC0: no sessions, start times in whole seconds. */
export function parsePsCensus(text: string): Map<number, Seen> {
  const table = new Map<number, Seen>();
  for (const line of text.split("\n")) {
    const found = psLine.exec(line);
    if (found === null) continue;
    const [, pid, parent, group, state, rss, hours, minutes, seconds, hundredths, start, rest] =
      found;
    const runId = rest!.match(new RegExp(`${runVariable}=[0-9a-f]+`, "g"))?.at(-1);
    table.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: 0,
      startedAt: Date.parse(`${start} UTC`),
      birth: Date.parse(`${start} UTC`),
      leads: state!.includes("s"),
      zombie: state!.startsWith("Z"),
      stopped: state!.startsWith("T"),
      exitStatus: undefined,
      // A login shell has a hyphen before its name.
      program: basename(rest!.split(" ", 1)[0]!).replace(/^-/, ""),
      exec: undefined,
      runId: runId?.slice(runVariable.length + 1),
      mark: undefined,
      cpu:
        ((Number(hours ?? 0) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 +
        Number(hundredths) * 10,
      memory: Number(rss) * 1024,
    });
  }
  return table;
}

/**
 * macOS. `ps` shows nobody the environment of the system's own programs, so a shell is known by its group and its
 * parent; and what has left both, with a program of the system, is not found.
 */
export function psCensus(run: typeof runCommand = runCommand): Census {
  let last: Table = new Map();
  return {
    look: shared(async () => {
      const result = await run(["ps", ...psArguments], {
        env: { PATH: "/usr/bin:/bin", TZ: "UTC0", LC_ALL: "C" },
        deadline: 5000,
        limit: 32 * 1024 * 1024,
      });
      if (result.kind !== "done") {
        const why = result.kind === "failed" ? result.why : "there is no ps";
        throw new Error(`The processes of this machine cannot be seen: ${why}`);
      }
      const table = parsePsCensus(result.stdout);
      for (const [pid, seen] of table) {
        const before = last.get(pid);
        if (before?.birth === seen.birth) seen.runId ??= before.runId;
      }
      last = table;
      return table;
    }),
    same({ pid, birth }) {
      // The last look is as good as ps can tell without waiting for another.
      return last.get(pid)?.birth === birth;
    },
    birthOf: (pid) => last.get(pid)?.birth,
    glimpse: () => undefined,
    // macOS keeps the start time with the process, so no boot resets it.
    boot: "any",
  };
}
