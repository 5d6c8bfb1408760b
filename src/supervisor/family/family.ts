/** A run of a service -> all processes that belong to it, wherever they went, and the end of all of them. */
import type { Clock } from "../../system/clock.ts";
import { endingIn, type ProcessCalls } from "../../system/process-calls.ts";
import { LeftZombies, leftPatience } from "../../system/left-zombies.ts";
import { slices } from "../../system/slices.ts";
import type { Birth, Census, Seen, Table } from "./census.ts";
import type { Ending } from "./ending.ts";
import { type EndOptions, type Ends, endFamily } from "./end-family.ts";
import { markOf } from "./mark.ts";
import type { Traits } from "./traits.ts";

export type { Ended, EndOptions, Ends } from "./end-family.ts";

/** The identity of a run, also for a daemon that did not start it. */
export type Run = {
  /** The pid of the main process, which leads a group and a session. */
  pid: number;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  /** 128 random bits in hex, in the environment of all its processes. */
  runId: string;
  /** The birth of the main process, from the census: its proof where it has overwritten its environment. */
  birth?: number | undefined;
  /** Members that the previous daemon wrote down. They may have left group, parent and environment. */
  members?: readonly Birth[] | undefined;
};

/** `pids` ascending. */
export type Usage = { pids: readonly number[]; cpu: number; memory: number };

export interface Families {
  /** The members that run; none where it has ended. */
  members(run: Run): Promise<readonly Seen[]>;
  /** Milliseconds of processor time and resident bytes of all of it. */
  usage(run: Run): Promise<Usage>;
  /** The birth of a process that was just started. */
  birthOf(pid: number): number | undefined;
  /** The boot that births count from; births of another boot prove nothing. */
  readonly boot: string | undefined;
  /** The members that the last look found, at most a thousand, for the next daemon. */
  remembered(run: Run): readonly Birth[];
  /**
   * Orphans that came to us, as the last look found them, and that belong to no run that is known: they left their
   * parents and wrote over their environment before anybody looked. Only services have such.
   */
  strays(): readonly Birth[];
  /** Runs with a live process whose id has this prefix: a killed daemon may not have written them down. */
  runsOf(prefix: string): Promise<readonly Run[]>;
  /**
   * Signals, as `ending-plan.ts` has it, wait, SIGKILL, until no process is left; at once for a run that has ended.
   * Never rejects.
   */
  end(run: Run, options: EndOptions): Ends;
  /** How an adopted process ended recently; returned once. */
  endingOf(pid: number): Ending | undefined;
  /** Looks for orphans that have ended, and reaps them. To be called on SIGCHLD, however often. */
  reapSoon(): void;
  stop(): void;
}

export type FamilyEffects = {
  census: Census;
  traits: Traits;
  calls: Pick<ProcessCalls, "reap">;
  clock: Clock;
  /** The pids of services that Bun waits for. */
  own: ReadonlySet<number>;
  /** Pids that Bun waits for, in sessions of their own, which are no service's. */
  besides?: ReadonlySet<number>;
  /** This daemon's pid, and its session, which no service is in. */
  self: { pid: number };
  /** Daemons before us, and what they have become: parents of the services that they have handed to us. */
  keepers?: ReadonlySet<number>;
  /** process.kill, or a test's. */
  signal?: (pid: number, signal: NodeJS.Signals) => void;
  /** Reports a look that failed; that stops nothing. */
  report?(problem: string): void;
};

/** Milliseconds between SIGCHLD and the look at who it was: one look for many. */
const reapDelay = 500;

/** Milliseconds of signals, one after another, after which the event loop gets its turn. */
const slice = 3;

/** The most births that are kept of one run, as each change rewrites state.json. */
const mostRemembered = 1000;

/** How many ends of adopted processes are kept for someone to ask. */
const keptEndings = 1000;

type Index = {
  byRun: ReadonlyMap<string | undefined, readonly Seen[]>;
  byMark: ReadonlyMap<string | undefined, readonly Seen[]>;
  byParent: ReadonlyMap<number, readonly Seen[]>;
  byGroup: ReadonlyMap<number, readonly Seen[]>;
  bySession: ReadonlyMap<number, readonly Seen[]>;
};

/** Made once for each look: hundreds of services may ask about the same one. */
const indexes = new WeakMap<Table, Index>();

function indexOf(table: Table): Index {
  const made = indexes.get(table);
  if (made !== undefined) return made;
  const all = [...table.values()];
  const index = {
    byRun: Map.groupBy(all, ({ runId }) => runId),
    byMark: Map.groupBy(all, ({ mark }) => mark),
    byParent: Map.groupBy(all, ({ parent }) => parent),
    byGroup: Map.groupBy(all, ({ group }) => group),
    bySession: Map.groupBy(all, ({ session }) => session),
  };
  indexes.set(table, index);
  return index;
}

export function families(effects: FamilyEffects): Families {
  const { census, traits, calls, clock, own, self, report = () => {} } = effects;
  const { keepers = new Set<number>(), besides = new Set<number>() } = effects;
  const isBuns = (pid: number): boolean => own.has(pid) || besides.has(pid);
  const signal = effects.signal ?? ((pid, name) => void process.kill(pid, name));
  /** Run id -> pid -> its last sight. Membership stays: a child may change its environment and lose its parent. */
  const known = new Map<string, ReadonlyMap<number, Seen>>();
  const endings = new Map<number, Ending>();
  let last: Table = new Map();
  let found: { table: Table; births: readonly Birth[] } | undefined;
  const breathe = slices(slice);
  const left = new LeftZombies();
  let stopReaping: (() => void) | undefined;
  let stopped = false;

  async function look(): Promise<Table> {
    const table = await census.look();
    reap(table);
    last = table;
    return table;
  }

  /** Once for each look: hundreds of services may ask about the same one. */
  function strays(): readonly Birth[] {
    if (found?.table !== last) found = { table: last, births: straysIn(last) };
    return found.births;
  }

  function straysIn(table: Table): Birth[] {
    const { byParent } = indexOf(table);
    // To the first process of a container come the orphans of everybody.
    const parents = [self.pid, ...keepers].filter((pid) => pid !== 1);
    const orphans = parents.flatMap((parent) => {
      const session = table.get(parent)?.session;
      return (byParent.get(parent) ?? []).filter(
        ({ pid, zombie, runId, session: its }) =>
          !zombie && runId === undefined && its !== session && !isBuns(pid) && !keepers.has(pid),
      );
    });
    if (orphans.length === 0) return [];
    const members = new Set([...known.values()].flatMap((its) => [...its.keys()]));
    return orphans.filter(({ pid }) => !members.has(pid)).map(({ pid, birth }) => ({ pid, birth }));
  }

  /**
   * Members, also those that have ended and are not reaped: by the run id, or its mark where they have thrown their
   * environment away; by having been one before, also of another daemon; by their session or group, where a member
   * proves that it is still the run's; and all descendants of those.
   */
  function membersIn(table: Table, run: Run): Map<number, Seen> {
    const before = known.get(run.runId);
    const { byRun, byMark, byGroup, bySession, byParent } = indexOf(table);
    const members = new Map<number, Seen>();
    const add = (seen: Seen): void => {
      // A daemon may itself have been started inside a service.
      if (seen.pid !== self.pid && !keepers.has(seen.pid)) members.set(seen.pid, seen);
    };
    for (const seen of byRun.get(run.runId) ?? []) add(seen);
    const mark = markOf(run.runId);
    if (mark !== undefined) for (const seen of byMark.get(mark) ?? []) add(seen);
    for (const [pid, { birth }] of before ?? []) {
      const seen = table.get(pid);
      if (seen?.birth === birth) add(seen);
    }
    // A program may write over its environment (nginx, perl's and Ruby's $0, setproctitle), and not over its birth.
    for (const { pid, birth } of [{ pid: run.pid, birth: run.birth }, ...(run.members ?? [])]) {
      const seen = table.get(pid);
      if (birth !== undefined && seen?.birth === birth) add(seen);
    }
    const leader = table.get(run.pid);
    // The id of another run in its environment means that the pid has been reused.
    if (leader !== undefined && leader.runId === undefined && own.has(run.pid)) add(leader);
    // The kernel gives no pid away that is the id of a group or session with somebody in it.
    const ours = [...members.values()].some(
      ({ group, session }) => group === run.pid || session === run.pid,
    );
    if (ours) {
      for (const seen of [...(byGroup.get(run.pid) ?? []), ...(bySession.get(run.pid) ?? [])]) {
        if (seen.runId === undefined || seen.runId === run.runId) add(seen);
      }
    }
    // The loop also comes to those that it adds.
    for (const parent of members.values()) {
      for (const seen of byParent.get(parent.pid) ?? []) {
        if (parent.birth <= seen.birth) add(seen);
      }
    }
    if (members.size > 0) {
      known.set(run.runId, members);
    } else known.delete(run.runId);
    return members;
  }

  /**
   * Those that came to us and have ended. What Bun has started is in our session, in `own` or in `besides`; the
   * orphans of services are in none. Orphans of others may be in our session, where we are the first process of a
   * container.
   */
  function reap(table: Table): void {
    const session = table.get(self.pid)?.session;
    const maybeBuns: number[] = [];
    for (const { pid, parent, zombie, session: its, exitStatus } of table.values()) {
      if (zombie && keepers.has(parent) && exitStatus !== undefined) {
        note(pid, endingIn(exitStatus));
      }
      if (!zombie || parent !== self.pid || isBuns(pid)) continue;
      if (its === session) {
        maybeBuns.push(pid);
        continue;
      }
      const ending = calls.reap(pid);
      if (ending === undefined || ending === "stranger") continue;
      note(pid, ending);
    }
    for (const pid of left.seen(maybeBuns, clock.now())) calls.reap(pid);
    if (left.waits) lookSoon(leftPatience);
  }

  function lookSoon(delay: number): void {
    if (stopped) return;
    stopReaping ??= clock.after(delay, () => {
      stopReaping = undefined;
      look().catch((error: Error) => report(error.message));
    });
  }

  function note(pid: number, ending: Ending): void {
    endings.set(pid, ending);
    if (endings.size > keptEndings) endings.delete(endings.keys().next().value!);
  }

  /** False where it may not be signalled. */
  function send(seen: Seen, name: NodeJS.Signals): boolean {
    if (seen.zombie || !census.same(seen)) return true;
    return deliver(seen.pid, name);
  }

  function deliver(target: number, name: NodeJS.Signals): boolean {
    try {
      signal(target, name);
      return true;
    } catch (error) {
      // Gone in between.
      return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
  }

  /** To the whole group in one call, where it is proven to be the run's; then to those outside it. */
  function kill(run: Run, members: readonly Seen[]): void {
    const inGroup = members.find((seen) => seen.group === run.pid && census.same(seen));
    if (inGroup !== undefined) deliver(-run.pid, "SIGKILL");
    for (const seen of members) {
      if (inGroup === undefined || seen.group !== run.pid) send(seen, "SIGKILL");
    }
  }

  return {
    async members(run) {
      const members = membersIn(await look(), run);
      return [...members.values()].filter(({ zombie }) => !zombie);
    },
    async usage(run) {
      const members = [...membersIn(await look(), run).values()];
      return {
        pids: members
          .filter(({ zombie }) => !zombie)
          .map(({ pid }) => pid)
          .sort((a, b) => a - b),
        cpu: members.reduce((sum, { cpu }) => sum + cpu, 0),
        memory: members.reduce((sum, { memory }) => sum + memory, 0),
      };
    },
    birthOf: (pid) => census.birthOf(pid),
    boot: census.boot,
    remembered({ runId }) {
      const births: Birth[] = [];
      for (const { pid, birth, zombie } of known.get(runId)?.values() ?? []) {
        if (!zombie && births.length < mostRemembered) births.push({ pid, birth });
      }
      return births;
    },
    strays,
    async runsOf(prefix) {
      const runs = new Map<string, Seen>();
      for (const seen of (await look()).values()) {
        const { pid, runId, zombie } = seen;
        if (zombie || pid === self.pid || !runId?.startsWith(prefix)) continue;
        const before = runs.get(runId);
        if (before === undefined || seen.birth < before.birth) runs.set(runId, seen);
      }
      return [...runs].map(([runId, { pid, startedAt }]) => ({ pid, startedAt, runId }));
    },
    end(run, how) {
      const effects = {
        clock,
        traits,
        async members() {
          try {
            const members = membersIn(await look(), run);
            return [...members.values()];
          } catch (error) {
            report((error as Error).message);
            throw error;
          }
        },
        reaped: (pid: number) => endings.get(pid),
        send,
        kill: (members: readonly Seen[]) => kill(run, members),
        sendBlindly(name: NodeJS.Signals) {
          if (own.has(run.pid)) deliver(-run.pid, name);
        },
        breathe,
      };
      const ends = endFamily(run.pid, { ...how, effects });
      void ends.done.then(({ kind }) => {
        if (kind === "ended") known.delete(run.runId);
      });
      return ends;
    },
    endingOf(pid) {
      const ending = endings.get(pid);
      endings.delete(pid);
      return ending;
    },
    reapSoon: () => lookSoon(reapDelay),
    stop() {
      stopped = true;
      stopReaping?.();
      stopReaping = undefined;
    },
  };
}
