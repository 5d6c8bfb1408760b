/** The output of lsof and ps -> listening sockets and their processes, with two commands per scan. */
import { type CommandResult, runCommand } from "../system/command.ts";
import { bystandersOf } from "./bystanders.ts";
import type { Observation, ObservedProcess, Scan, Skipped, Source } from "./observation.ts";
import { parseLsof } from "./parse-lsof.ts";
import { type PsDialect, type PsProcess, parsePs, psArguments } from "./parse-ps.ts";

type Variables = Pick<ObservedProcess, "name" | "variable" | "wantedPort">;

function readIn({ name, variable, wantedPort }: PsProcess): Variables {
  return { name, ...(variable === undefined ? {} : { variable }), wantedPort };
}

/** Runs a command to its end. */
export type Run = (argv: readonly [string, ...string[]]) => Promise<CommandResult>;

export type LsofOptions = {
  /** The user whose processes are shown. */
  uid: number;
  /** Shows all users' processes, as far as lsof can see them. */
  allUsers?: boolean;
  dialect?: PsDialect;
  /** Where the commands are searched, in the format of `PATH`. */
  path?: string;
  run?: Run;
};

/** Milliseconds. Both commands take well under a second on a busy machine. */
const deadline = 8_000;

/** Bytes: 4,000 processes with 16 KiB of arguments and environment each. */
const limit = 64 * 1024 * 1024;

/**
 * Lists the listening TCP sockets and, because `-d` is combined by or, every process's working directory: one command
 * for both. `-w`: no warnings about unreadable processes. `-S2`: two seconds, the minimum, for a dead network mount.
 */
const lsof = ["lsof", "-nPw", "-S2", "-iTCP", "-sTCP:LISTEN", "-d", "cwd", "-F", "puftn"] as const;

/**
 * Milliseconds. ps computes the start time from the uptime, so it may differ by a second between calls. Within that,
 * the first value is kept, so that a process keeps its identity.
 */
const startJitter = 1000;

/** Where macOS and Linux have both programs, for a PATH without them (launchd, cron). */
const usualPlaces = "/usr/sbin:/usr/bin:/sbin:/bin";

function printed(result: CommandResult, program: "lsof" | "ps", install: string): string {
  switch (result.kind) {
    case "missing":
      throw new Error(
        `${program} is not installed, and without it servers cannot be found: ${install}`,
      );
    case "failed":
      throw new Error(result.why);
    case "done": {
      // lsof exits 1 when some of what was asked for does not exist; that is an answer, not a failure.
      const failed = result.code !== 0 && !(program === "lsof" && result.code === 1);
      const silent = result.stdout === "" && result.stderr.trim() !== "";
      if (failed || silent) {
        const why = result.stderr.trim().split("\n")[0] || `exit code ${result.code}`;
        throw new Error(`${program} does not answer: ${why}; ${install}`);
      }
      return result.stdout;
    }
  }
}

export function lsofSource({
  uid,
  allUsers = false,
  dialect = process.platform === "darwin" ? "macos" : "linux",
  path = process.env.PATH ?? "",
  run,
}: LsofOptions): Source {
  // Locale and time zone are fixed: the date is parsed, and characters beyond ASCII have to stay unchanged.
  const env = {
    PATH: `${path}:${usualPlaces}`,
    LC_TIME: "C",
    LC_CTYPE: dialect === "macos" ? "UTF-8" : "C.UTF-8",
    TZ: "UTC0",
  };
  const command: Run = run ?? ((argv) => runCommand(argv, { env, deadline, limit }));
  let starts = new Map<number, number>();
  /** By pid: the variables that were last read of a process, which may write over them. */
  let kept = new Map<number, { startedAt: number } & Variables>();

  function stableStarts(found: readonly PsProcess[]): Map<number, number> {
    const stable = new Map<number, number>();
    for (const { pid, startedAt } of found) {
      const before = starts.get(pid);
      const same = before !== undefined && Math.abs(before - startedAt) <= startJitter;
      stable.set(pid, same ? before : startedAt);
    }
    return stable;
  }

  /** Remembers the variables of every process for as long as it runs, whether it listens or not. */
  function keep(found: readonly PsProcess[]): void {
    const now: typeof kept = new Map();
    for (const process of found) {
      const startedAt = starts.get(process.pid)!;
      const before = kept.get(process.pid);
      if (process.unreadable !== true) now.set(process.pid, { startedAt, ...readIn(process) });
      else if (before?.startedAt === startedAt) now.set(process.pid, before);
    }
    kept = now;
  }

  function variablesOf(process: PsProcess): Variables & Pick<ObservedProcess, "unreadable"> {
    if (process.unreadable !== true) return readIn(process);
    const { startedAt: _, ...before } = kept.get(process.pid) ?? {
      startedAt: 0,
      ...readIn(process),
    };
    return { ...before, unreadable: true };
  }

  async function scan(): Promise<Scan> {
    // One after the other, so that ps knows every server that lsof saw, unless it has ended.
    const holders = parseLsof(
      printed(await command(lsof), "lsof", "install the package lsof (Debian: apt install lsof)"),
    );
    const found = parsePs(
      printed(
        await command(["ps", ...psArguments[dialect]]),
        "ps",
        "install the package procps (Debian: apt install procps)",
      ),
      dialect,
    );
    starts = stableStarts(found);
    keep(found.filter((process) => allUsers || process.uid === uid));
    const all = new Map(found.map((process) => [process.pid, process]));
    const directories = new Map(holders.map(({ pid, cwd }) => [pid, cwd]));
    const owned = (process: { uid: number }) => allUsers || process.uid === uid;

    const observed = (process: PsProcess): ObservedProcess => ({
      pid: process.pid,
      startedAt: starts.get(process.pid)!,
      parent: process.parent,
      group: process.group,
      uid: process.uid,
      ...(owned(process) ? variablesOf(process) : { name: undefined, wantedPort: undefined }),
      command: process.command,
      cwd: owned(process) ? directories.get(process.pid) : undefined,
    });

    const places = new Map<string, { address: string; port: number; pids: Set<number> }>();
    const processes = new Map<number, ObservedProcess>();
    const skipped: Skipped[] = [];
    for (const holder of holders) {
      if (holder.sockets.length === 0) continue;
      if (!owned(holder)) {
        skipped.push({ pid: holder.pid, why: `it listens, but belongs to user ${holder.uid}` });
        continue;
      }
      if (!all.has(holder.pid)) {
        skipped.push({ pid: holder.pid, why: "it ended while it was read" });
        continue;
      }
      for (const { address, port } of holder.sockets) {
        const key = `${port} ${address}`;
        const place = places.get(key) ?? { address, port, pids: new Set() };
        places.set(key, place);
        place.pids.add(holder.pid);
      }
      let process = all.get(holder.pid);
      while (process !== undefined && !processes.has(process.pid)) {
        processes.set(process.pid, observed(process));
        process = all.get(process.parent);
      }
    }
    const bystanders = bystandersOf(
      processes,
      found
        .filter(owned)
        .map((its) => ({ pid: its.pid, name: its.name, observe: () => observed(its) })),
    );
    const observations: Observation[] = [...places.values()]
      .map(({ address, port, pids }) => ({ address, port, pids: [...pids].sort((a, b) => a - b) }))
      .sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
    return { observations, processes, ...(bystanders.length > 0 && { bystanders }), skipped };
  }

  return {
    kind: "lsof",
    scan,
    alive({ pid }) {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        // EPERM: the process exists, but we may not signal it.
        return (error as NodeJS.ErrnoException).code === "EPERM";
      }
    },
  };
}
