/** The members of a family that is to end, and what is seen of them -> who is asked now, and who goes on. Pure. */
import type { Answer } from "./traits.ts";

/** A member as it was when all of them stood still. */
export type Member = {
  pid: number;
  parent: number;
  answer: Answer;
  shell: boolean;
  /** Leads the session of the terminal: its end sends SIGHUP to the others. */
  leads: boolean;
  /** Runs the program of its parent, and was only forked: a worker of a server, or a subshell. */
  forked: boolean;
  /** May not be signalled by us. */
  deaf: boolean;
  /** The members that write into its standard input. */
  writers: readonly number[];
};

/** A member as the last look has it. Whoever has ended is not in it, or is a zombie. */
export type Sight = {
  pid: number;
  parent: number;
  ended: boolean;
  stopped: boolean;
  /** Has taken the signal, and waits for something since; true or false only of those in `watched`. */
  settled: boolean;
};

/** When a member is asked, and when it goes on. docs/supervisor.md has the table. */
export type Role =
  /** Asked at once. */
  | "now"
  /** A worker of a server that may pass the signal on: goes on after that one has had its chance. */
  | "below"
  /** A shell, or a program that has started others: goes on when those that want time have ended. */
  | "above"
  /** The leader of the terminal's session: goes on when nobody else is left. */
  | "last"
  /** The reader of a pipeline: not asked while there is something to read. */
  | "reader"
  /** No handler, and children that want time: not asked until those have ended. */
  | "parent"
  /** Started since: not asked, unless the one that started it was not asked either. */
  | "late";

/**
 * `held`: asked, and stopped by us, so that the signal waits. `asked`: it runs, and has been asked. `spared`: it runs,
 * and has not been asked.
 */
export type State = "held" | "asked" | "spared";

export type Entry = {
  member: Member;
  role: Role;
  state: State;
  /** When it went into its state, or when a reader's last writer was seen. */
  since: number;
  /** How often in a row it was settled. */
  settled: number;
  /** The member that started a newcomer, where that was not asked. */
  origin: number | undefined;
};

export type Plan = ReadonlyMap<number, Entry>;

/** `ask` sends the signal; `go-on` is SIGCONT. */
export type Order = { pid: number; do: "ask" | "go-on" };

export type Step = {
  plan: Plan;
  orders: readonly Order[];
  /** At most so many milliseconds until the next step; undefined where only an end changes anything. */
  within: number | undefined;
};

export type Times = {
  /** Milliseconds on the caller's clock. */
  now: number;
  /** When the end began, and when all that is left is killed. */
  began: number;
  deadline: number;
};

/** Milliseconds in which a program that was asked passes the signal on, at most; within a quarter of all the time. */
const passingOn = 2000;
/** Milliseconds between two looks at whether it has. */
const passingPeriod = 20;
/** Looks in a row at which it sleeps, and has started nothing. */
const looksAsleep = 2;
/** Milliseconds in which a reader ends by itself, once nobody writes to it. */
const reading = 1000;
/** Milliseconds that whoever may have a handler is held, where the system does not tell. */
const guessing = 1000;

type Family = {
  members: ReadonlyMap<number, Member>;
  children: ReadonlyMap<number, readonly Member[]>;
};

function familyOf(all: readonly Member[]): Family {
  return {
    members: new Map(all.map((its) => [its.pid, its])),
    children: Map.groupBy(all, ({ parent }) => parent),
  };
}

/** Whether it, or one below it, does not end at the moment at which it is asked. */
function wantsTime(member: Member, { children }: Family): boolean {
  const seen = new Set<number>();
  const walk = (its: Member): boolean => {
    if (seen.has(its.pid)) return false;
    seen.add(its.pid);
    if (!its.deaf && its.answer !== "dies") return true;
    return (children.get(its.pid) ?? []).some(walk);
  };
  return walk(member);
}

/**
 * Whether one waits for another that is below it. A shell is of no use to those that it has started, and waits for
 * all. A program with a handler waits for the programs that it has started, as a runner (npm, tsx, nodemon) or a
 * launcher does; not for its own workers, which go by its word. Only a shell that can do nothing but die waits for one
 * that ignores the signal.
 */
function waitsFor(member: Member, its: Member): boolean {
  const { shell, answer } = member;
  if (its.answer === "ignores") return shell && answer === "dies";
  return shell || answer === "dies" || !its.forked;
}

/**
 * The reader of a pipeline has a pipe from a sibling; from a parent only where that is a shell (`exec > >(tee log)`):
 * any other parent has a child that works for it. A program that has a handler is no reader of a writer that has none:
 * `sleep infinity | server`.
 */
function isReader(member: Member, family: Family): boolean {
  const writers = writersOf(member, family);
  if (writers.length === 0) return false;
  return member.answer === "dies" || writers.some((its) => wantsTime(its, family));
}

function writersOf(member: Member, { members }: Pick<Family, "members">): Member[] {
  return member.writers.flatMap((pid) => {
    const writer = members.get(pid);
    if (writer === undefined || (pid === member.parent && !writer.shell)) return [];
    return [writer];
  });
}

function roleOf(member: Member, family: Family): Role {
  const { pid, answer, shell, leads, deaf } = member;
  if (deaf || answer === "ignores") return "now";
  if (isReader(member, family)) return "reader";
  const wanting = (all: readonly Member[] | undefined): boolean =>
    (all ?? []).some((its) => its.pid !== pid && waitsFor(member, its) && wantsTime(its, family));
  const below = wanting(family.children.get(pid));
  if (answer === "dies" && !shell) return below ? "parent" : "now";
  if (leads && wanting([...family.members.values()])) return "last";
  return below ? "above" : "now";
}

/** The server above a worker that is asked first, and may pass the signal on to it. */
function passerAbove(
  { parent, forked }: Member,
  roles: ReadonlyMap<number, { member: Member; role: Role }>,
): number | undefined {
  const above = forked ? roles.get(parent) : undefined;
  if (above?.member.answer !== "catches" || above.member.shell) return undefined;
  return above.role === "now" || above.role === "below" ? parent : undefined;
}

/**
 * All stand still: each is asked, or spared, and those that have nothing to wait for go on. An empty plan has no
 * orders.
 */
export function begun(all: readonly Member[], { now }: Pick<Times, "now">): Step {
  const family = familyOf(all);
  const roles = new Map<number, { member: Member; role: Role }>(
    all.map((member) => [member.pid, { member, role: roleOf(member, family) }]),
  );
  for (const entry of roles.values()) {
    const { member, role } = entry;
    if (role !== "now" || member.answer !== "catches") continue;
    if (passerAbove(member, roles) !== undefined) entry.role = "below";
  }
  const plan = new Map<number, Entry>();
  // Nobody goes on before all have the signal: what one passes on then is the same signal once more, and is one.
  const asks: Order[] = [];
  const goings: Order[] = [];
  for (const [pid, { member, role }] of roles) {
    const spared = role === "reader" || role === "parent";
    const goesOn = spared || role === "now";
    const state: State = spared ? "spared" : goesOn ? "asked" : "held";
    plan.set(pid, { member, role, state, since: now, settled: 0, origin: undefined });
    if (member.deaf) continue;
    if (!spared) asks.push({ pid, do: "ask" });
    if (goesOn) goings.push({ pid, do: "go-on" });
  }
  return { plan, orders: [...asks, ...goings], within: passingPeriod };
}

/** Those of whom the next step asks whether they have settled. */
export function watched(plan: Plan): Set<number> {
  const pids = new Set<number>();
  for (const { member, role, state } of plan.values()) {
    if (role !== "below" || state !== "held") continue;
    const above = passerAbove(member, plan);
    if (above !== undefined) pids.add(above);
  }
  return pids;
}

/** After a look: newcomers are noted, and whoever has waited long enough is asked or goes on. */
export function advanced(before: Plan, sights: readonly Sight[], times: Times): Step {
  const { now, began, deadline } = times;
  const plan = new Map<number, Entry>();
  const orders: Order[] = [];
  const live = new Map(sights.filter(({ ended }) => !ended).map((its) => [its.pid, its]));
  const whole = deadline - began;
  /** Whoever has a handler is asked, and goes on, with a quarter of the time left for it. */
  const latest = began + whole * 0.75;
  let within: number | undefined;
  const soon = (milliseconds: number): void => {
    within = Math.max(1, Math.min(within ?? milliseconds, milliseconds));
  };
  const byParent = Map.groupBy(live.values(), ({ parent }) => parent);

  for (const entry of before.values()) {
    const { pid } = entry.member;
    const sight = live.get(pid);
    // A newcomer may be how it finds whom to pass the signal on to (`ps`, `pgrep`).
    const busy = (byParent.get(pid) ?? []).some((its) => isLate(before.get(its.pid)));
    const settled = sight?.settled && !busy ? entry.settled + 1 : 0;
    plan.set(pid, { ...entry, settled });
  }
  for (const { pid, parent } of live.values()) {
    if (!plan.has(pid)) plan.set(pid, newcomer({ pid, parent }, { plan, now }));
  }

  const isLeft = (entry: Entry): boolean => live.has(entry.member.pid) && !entry.member.deaf;
  const left = [...plan.values()].filter(isLeft);
  const members = new Map(left.map(({ member }) => [member.pid, member]));
  const hasLate = left.some(({ role }) => role === "late");

  /** The time at which it is due; undefined while it waits for an end. */
  function dueAt(entry: Entry): number | undefined {
    const { member, role, since } = entry;
    const byHandler = member.answer === "unknown" ? Math.min(latest, since + guessing) : latest;
    if (role === "below") {
      const above = passerAbove(member, before);
      const passer = above === undefined ? undefined : plan.get(above);
      if (passer === undefined || !live.has(passer.member.pid)) return now;
      if (passer.state === "held") return Math.min(latest, since + whole / 2);
      if (passer.settled >= looksAsleep) return now;
      soon(passingPeriod);
      return Math.max(passer.since, since) + Math.min(passingOn, whole / 4);
    }
    if (role === "reader") return Math.min(latest, since + reading);
    const waits = left.some((its) => its !== entry && isAwaited(its, entry));
    if (!waits) return now;
    return member.answer === "dies" && role !== "parent" ? undefined : byHandler;
  }

  for (const entry of left) {
    const { member, role, state } = entry;
    const { pid } = member;
    // A reader's moment begins when the last that may write to it has ended.
    if (
      role === "reader" &&
      state === "spared" &&
      (hasLate || writersOf(member, { members }).length > 0)
    ) {
      entry.since = now;
    }
    if (state === "asked" || role === "late") {
      // One that was stopped since, by itself or by a parent that saw it stopped.
      if (live.get(pid)!.stopped) orders.push({ pid, do: "go-on" });
      continue;
    }
    const due = dueAt(entry);
    if (due === undefined) continue;
    if (now < due) {
      soon(due - now);
      continue;
    }
    if (state === "spared") orders.push({ pid, do: "ask" });
    orders.push({ pid, do: "go-on" });
    entry.state = "asked";
    entry.since = now;
    entry.settled = 0;
    within = passingPeriod;
    for (const its of left) {
      if (its.role !== "late" || its.state !== "spared" || its.origin !== pid) continue;
      orders.push({ pid: its.member.pid, do: "ask" }, { pid: its.member.pid, do: "go-on" });
      its.state = "asked";
    }
  }
  return { plan, orders, within };
}

function isLate(entry: Entry | undefined): boolean {
  return entry === undefined || entry.role === "late";
}

/** Whether one that is held, or spared, waits for that one to end; never for a reader of its own output. */
function isAwaited(its: Entry, { member, role }: Entry): boolean {
  if (its.member.writers.includes(member.pid) || !waitsFor(member, its.member)) return false;
  // Else one that starts its children anew would never be asked.
  if (role === "parent" && its.role === "late") return false;
  return role === "last" || member.leads || its.member.parent === member.pid;
}

function newcomer(
  { pid, parent }: Pick<Sight, "pid" | "parent">,
  { plan, now }: { plan: ReadonlyMap<number, Entry>; now: number },
): Entry {
  const above = plan.get(parent);
  const spared = above !== undefined && above.state === "spared";
  const origin = spared ? (above.role === "late" ? above.origin : parent) : undefined;
  const member: Member = {
    ...{ pid, parent, answer: "unknown", shell: false, leads: false, forked: false },
    ...{ deaf: false, writers: [] },
  };
  return { member, role: "late", state: "spared", since: now, settled: 0, origin };
}
