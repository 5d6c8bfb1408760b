/** `localhostess wait <service...>` -> services that are ready, stopped or completed, and their exit code. */
import { constants } from "node:os";
import type { EventData, Snapshot } from "../../control/commands/daemon-report.ts";
import { follow } from "../../control/found/client.ts";
import type { ApiError, ErrorCode, Registration } from "../../control/found/protocol.ts";
import { ofJsonForm } from "../../routes/json-form.ts";
import type { SupervisedChange } from "../../routes/project-report.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { systemClock } from "../../system/clock.ts";
import { shownDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { knownOf, type Row, tellNotRunning } from "./asking.ts";
import { type Goal, type Seen, seenNext, unseen, type Verdict, verdictOn } from "./awaited.ts";
import { type Lookup, NotUp, rowsNamed } from "./named.ts";
import { patienceOf } from "./patience.ts";
import { tellPending } from "./pending-note.ts";
import { tellReasons } from "./reasons.ts";

export type WaitFlags = Flags & { for?: Goal; timeout?: string };

/** One service that is waited for. */
type Awaited = {
  /** `shop:api`. */
  id: string;
  /** The last state that was reported; undefined: the daemon does not know it yet. */
  state: Supervised["state"] | undefined;
  why: string | undefined;
  seen: Seen;
  verdict: Verdict;
  /** Its line of `--json` is out. */
  isPrinted?: true;
};

/** A line of `--json`. */
type WaitedRow = {
  name: string;
  state: string;
  reached: boolean;
  /** The exit code that is passed on; null where it has not come that far. */
  exit: number | null;
  why: string | null;
};

type Ended = "settled" | "late" | { signal: keyof typeof constants.signals } | { gone: string };

export async function wait(
  words: readonly string[],
  flags: WaitFlags,
  world: World,
): Promise<number> {
  const goal = flags.for ?? "ready";
  const patience = patienceOf(flags.timeout);
  const settings = await settingsOf(flags, world);
  const daemon = await runningDaemon(settings, world);
  const known = { rows: [], servers: [] };
  const { rows, servers } = daemon === undefined ? known : await knownOf(daemon.socket);
  tellPending(rows, world);
  // Without a daemon there is nothing that a name could be one of.
  if (daemon === undefined && goal !== "stopped") {
    tellNotRunning(world);
    return 1;
  }
  const all = await awaitedFor(words, { goal, rows, servers, world });
  if (daemon === undefined) {
    for (const its of all) its.verdict = { kind: "reached", exit: 0 };
    return report(all, { goal, json: flags.json, world });
  }
  const over = Promise.withResolvers<Ended>();
  const cancelSignal = world.onSignal((signal) => over.resolve({ signal }));
  const cancelLate =
    patience === undefined ? () => {} : systemClock.after(patience, () => over.resolve("late"));
  try {
    const watched = watch(all, { goal, daemon, settings, world });
    const ended = await Promise.race([watched, over.promise]);
    if (typeof ended === "object" && "signal" in ended) {
      if (world.json !== undefined) world.json.code = "interrupted";
      return 128 + constants.signals[ended.signal];
    }
    if (typeof ended === "object") tellReasons([ended.gone], world.err);
    const late = ended === "late" ? patience : undefined;
    return report(all, { goal, late, json: flags.json, world });
  } finally {
    cancelSignal();
    cancelLate();
  }
}

/** @throws an Error for a word that names nothing. */
async function awaitedFor(
  words: readonly string[],
  { goal, ...lookup }: Lookup & { goal: Goal },
): Promise<Awaited[]> {
  const ids = new Set<string>();
  for (const word of words) {
    try {
      const found = await rowsNamed([word], lookup);
      // A project stands for those of its services that somebody has started.
      const whole = found.length > 1 && isProject(found, lookup.rows);
      const started = found.filter((row) => row.state !== "stopped");
      const these = whole && goal !== "stopped" && started.length > 0 ? started : found;
      for (const row of these) ids.add(row.name);
    } catch (mistake) {
      // Somebody may start it while it is waited for.
      if (!(mistake instanceof NotUp)) throw mistake;
      for (const id of mistake.ids) ids.add(id);
    }
  }
  return [...ids].map((id) => ({
    id,
    state: undefined,
    why: undefined,
    seen: unseen,
    verdict: { kind: "waiting" },
  }));
}

/** Whether they are all of one project, and not only all instances of one service. */
function isProject(these: readonly Row[], rows: readonly Row[]): boolean {
  const [{ path, instance } = { path: "", instance: null }] = these;
  const all = rows.filter((row) => row.path === path);
  const isOne = instance !== null && all.every((row) => row.instance?.of === instance.of);
  return !isOne && all.length === these.length && all.every((row) => these.includes(row));
}

type WatchOptions = {
  goal: Goal;
  daemon: Registration;
  settings: Settings;
  world: World;
};

/** Follows the events of the daemon, and of the one that replaces it. */
async function watch(
  all: readonly Awaited[],
  { goal, daemon, settings, world }: WatchOptions,
): Promise<Ended> {
  const known = new Map(all.map((its) => [its.id, its]));
  let hinted = false;
  for (let from: Registration | undefined = daemon; from !== undefined;) {
    let heard = false;
    for await (const event of eventsOf(from.socket)) {
      heard = true;
      if ("supervised" in event) {
        for (const its of event.supervised) take(its, { known, goal, world });
        if (!hinted) tellUnstarted(all, { goal, of: event.supervised, world });
        hinted = true;
      } else if (event.change === "gone") lose(event.service.id, { known, goal, world });
      else take(event.service, { known, goal, world });
      const verdicts = all.map((its) => its.verdict.kind);
      if (verdicts.includes("lost") || !verdicts.includes("waiting")) return "settled";
    }
    const next = await runningDaemon(settings, world);
    // A daemon that closes the connection at once would be asked for ever.
    from = heard || next?.id !== from.id ? next : undefined;
  }
  return { gone: "the daemon exited, and its services with it" };
}

type Event = { supervised: readonly Supervised[] } | SupervisedChange;

/** @throws an Error for a person, where the daemon refuses. */
async function* eventsOf(socket: string): AsyncGenerator<Event, void, undefined> {
  for await (const line of follow(socket, "Events")) {
    const { event, data, error } = JSON.parse(line) as {
      event?: keyof EventData;
      data: never;
      error?: ApiError<ErrorCode>;
    };
    if (error !== undefined) throw new Failure(error.code, error.message);
    if (event === "hello" || event === "reset") yield ofJsonForm<Snapshot>(data);
    else if (event === "supervised") yield ofJsonForm<SupervisedChange>(data);
  }
}

type TakeOptions = { known: ReadonlyMap<string, Awaited>; goal: Goal; world: World };

function take(its: Supervised, { known, goal, world }: TakeOptions): void {
  const awaited = known.get(its.id);
  if (awaited === undefined || awaited.verdict.kind !== "waiting") return;
  awaited.state = its.state;
  awaited.why = its.why;
  awaited.seen = seenNext(awaited.seen, its);
  awaited.verdict = verdictOn(goal, { its, seen: awaited.seen });
  if (awaited.verdict.kind !== "waiting" && world.json !== undefined) printRow(awaited, world);
  if (awaited.verdict.kind !== "reached") return;
  const end = its.state === "exited" || its.state === "failed" ? (its.why ?? "ended") : its.state;
  world.err.write(`${world.err.colors.dim(`${its.id}: ${printable(end, 300)}`)}\n`);
}

/** A service that is declared no more does not run. */
function lose(id: string, { known, goal, world }: TakeOptions): void {
  const awaited = known.get(id);
  if (awaited === undefined || awaited.verdict.kind !== "waiting") return;
  awaited.state = "stopped";
  awaited.verdict =
    goal === "stopped"
      ? { kind: "reached", exit: 0 }
      : { kind: "lost", why: "is not declared any more" };
  if (world.json !== undefined) printRow(awaited, world);
}

/** Says so where a wait may be in vain: nobody has started the service. */
function tellUnstarted(
  all: readonly Awaited[],
  { goal, of, world }: { goal: Goal; of: readonly Supervised[]; world: World },
): void {
  if (goal === "stopped") return;
  for (const { id, state } of all) {
    if (state !== undefined && state !== "stopped") continue;
    const lazy = of.some((its) => its.id === id && its.lazy);
    const how = lazy ? "it starts with its first request" : `start it with: localhostess up ${id}`;
    world.err.write(`${world.err.colors.dim(`${id} is not started; ${how}`)}\n`);
  }
}

/** Once for each service: when it has become what is waited for or cannot any more, or in the end. */
function printRow(its: Awaited, world: World): void {
  if (its.isPrinted) return;
  its.isPrinted = true;
  const { id, state, why, verdict } = its;
  printJsonLine(world, {
    name: id,
    state: state ?? "stopped",
    reached: verdict.kind === "reached",
    exit: verdict.kind === "reached" ? verdict.exit : null,
    why: verdict.kind === "lost" ? verdict.why : (why ?? null),
  } satisfies WaitedRow);
}

type ReportOptions = {
  goal: Goal;
  /** Milliseconds after which it was given up. */
  late?: number | undefined;
  json: boolean | undefined;
  world: World;
};

/** Prints what has come of each, and returns the exit code. */
function report(
  all: readonly Awaited[],
  { goal, late, json = false, world }: ReportOptions,
): number {
  const reasons = all.flatMap(({ id, state, why, verdict }) => {
    if (verdict.kind === "lost") return [`${id}: ${verdict.why}; see: localhostess logs ${id}`];
    if (verdict.kind === "reached" || late === undefined) return [];
    const so = [state ?? "not started", ...(why === undefined ? [] : [why])].join(": ");
    return [`${id} is not ${goal} after ${shownDuration(late)} (${so})`];
  });
  tellReasons(reasons, world.err);
  if (json) {
    for (const its of all) printRow(its, world);
    // A row says what has become of its service; an error would say no more.
    if (world.json !== undefined) world.json.lines = false;
  }
  if (all.some(({ verdict }) => verdict.kind !== "reached")) return 1;
  const codes = all.map(({ verdict }) => (verdict.kind === "reached" ? verdict.exit : 1));
  return codes.find((code) => code !== 0) ?? 0;
}
