/** A previous daemon's state -> its lock taken, its processes ended, and the projects to bring up again. */
import { unwritableWhy } from "../../text/unwritable.ts";
import { join } from "node:path";
import type { Known } from "./registry.ts";
import type { Clock } from "../../system/clock.ts";
import { type Locked, lockFile } from "../../system/file-lock.ts";
import type { Birth } from "../family/census.ts";
import type { Families } from "../family/family.ts";
import type { KeptProject, KeptRun, KeptState } from "./state-file.ts";

/** Milliseconds between two attempts to have the lock. */
const lockPeriod = 50;
/** Milliseconds after which a wait for the other daemon is reported. */
const lockPatience = 10_000;

type Note = (text: string) => void;

export type Lock = Extract<Locked, { kind: "locked" }>;

export type LockOptions = {
  stateDirectory: string;
  clock: Clock;
  note: Note;
  /** This daemon is about to end, and needs it no more. */
  isOver(): boolean;
};

/**
 * The kernel gives it to us when the daemon before has ended its services, or has itself ended. Undefined: we go on
 * without it, as there can be none, or we are to end.
 */
export async function takeLock({
  stateDirectory,
  clock,
  note,
  isOver,
}: LockOptions): Promise<Lock | undefined> {
  const began = clock.now();
  let told = false;
  while (!isOver()) {
    try {
      const got = lockFile(join(stateDirectory, "supervisor.lock"));
      if (got.kind === "locked") return got;
    } catch (error) {
      note(`services are started without a lock: ${unwritableWhy(error as Error)}`);
      return undefined;
    }
    if (!told && clock.now() - began > lockPatience) {
      told = true;
      note("another daemon of this state directory still ends its services; ours wait for it");
    }
    await new Promise<void>((resolve) => void clock.after(lockPeriod, resolve));
  }
  return undefined;
}

type EndOptions = { families: Families; note: Note };

type RunsOptions = EndOptions & {
  /** The ids of runs that go on. */
  except?: ReadonlySet<string>;
  /** The ids of runs that this daemon has begun: they have the same key. */
  own?: () => ReadonlySet<string>;
};

const none: ReadonlySet<string> = new Set();

/** Ends all that the daemon before has started, also what it was killed before it could write down. */
export async function endRuns(
  before: KeptState,
  { families, note, except = none, own = () => none }: RunsOptions,
): Promise<void> {
  // Pids and ticks begin anew with each boot.
  const sameBoot = families.boot !== undefined && before.boot === families.boot;
  const runs = before.projects.flatMap((its) =>
    Object.entries(its.runs)
      .filter(([, { runId }]) => !except.has(runId))
      .map(([name, run]) => ({
        id: `${its.name}:${name}`,
        run: sameBoot ? run : { ...run, birth: undefined, members: undefined },
      })),
  );
  const known = new Set([...except, ...runs.map(({ run }) => run.runId)]);
  const unwritten = await families.runsOf(before.key).catch((error: Error) => {
    note(error.message);
    return [];
  });
  // Asked for now: whatever was begun during that look may be among what it found.
  const ours = own();
  for (const run of unwritten) {
    if (known.has(run.runId) || ours.has(run.runId)) continue;
    const members = { birth: undefined, members: undefined };
    const how = { signal: "SIGTERM", timeout: 5000 } as const;
    runs.push({ id: `pid ${run.pid}`, run: { ...run, ...members, ...how } });
  }
  // They may be of services that go on.
  const strays = sameBoot && except.size === 0 ? (before.strays ?? []) : [];
  if (strays.length > 0) runs.push({ id: "a service", run: strayRun(strays) });
  await Promise.all(
    runs.map(async ({ id, run }) => {
      const { signal, timeout } = run;
      const ended = await families.end(run, { signal, timeout }).done;
      if (ended.kind === "ended") return;
      note(`${id} of the daemon before cannot be ended: ${ended.pids.join(", ")}`);
    }),
  );
}

/** Ends what services have left. Where none runs, nobody has a use for it, and no later stop would find it. */
export async function endStrays({ families, note }: EndOptions): Promise<void> {
  const strays = families.strays();
  if (strays.length === 0) return;
  const run = strayRun(strays);
  const ended = await families.end(run, run).done;
  if (ended.kind === "left") note(`what services left cannot be ended: ${ended.pids.join(", ")}`);
}

/** A run for processes of unknown origin: all are in `members`. */
function strayRun(members: readonly Birth[]): KeptRun {
  const identity = { pid: 0, startedAt: 0, runId: "0".repeat(32), birth: undefined };
  return { ...identity, members: [...members], signal: "SIGTERM", timeout: 5000 };
}

export type Resumed = {
  kept: KeptProject;
  /** True where the project was up when the previous daemon ended; else it is pinned. */
  wasUp: boolean;
};

/** The projects to bring up: those that were up, and pinned ones. */
export function toResume(
  before: KeptState | undefined,
  registered: readonly Pick<Known, "path" | "name" | "pinned">[],
): Resumed[] {
  const pinned = registered.filter((its) => its.pinned);
  const should = before?.projects.filter((its) => its.whole || its.wanted.length > 0) ?? [];
  const others = pinned
    .filter(({ path }) => !should.some((its) => its.directory === path))
    .map(({ path, name }) => ({ kept: blankProject(name, path), wasUp: false }));
  return [...should.map((kept) => ({ kept, wasUp: true })), ...others].map(({ kept, wasUp }) => {
    const isPinned = pinned.some(({ path }) => path === kept.directory);
    return { kept: isPinned ? { ...kept, whole: true, unwanted: [] } : kept, wasUp };
  });
}

function blankProject(name: string, directory: string): KeptProject {
  const none = { wanted: [], unwanted: [], dozing: [], profiles: [], runs: {} };
  return { name, directory, whole: true, ...none };
}
