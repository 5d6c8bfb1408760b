/** A run, and ways to look at its family and to signal it -> the end of all its members, as `ending-plan.ts` has it. */
import type { StopSignal } from "../../manifest/project.ts";
import type { Clock } from "../../system/clock.ts";
import { endingIn } from "../../system/process-calls.ts";
import type { Seen } from "./census.ts";
import type { Ending } from "./ending.ts";
import { advanced, begun, type Member, type Plan, type Step, watched } from "./ending-plan.ts";
import { programEnding } from "./program-ending.ts";
import { signalFor, type Traits } from "./traits.ts";

export type EndOptions = {
  signal: StopSignal;
  /** Milliseconds from the signal to SIGKILL. */
  timeout: number;
};

/** `left`: pids that no signal ended, or that belong to a user whom we may not signal. */
export type Ended = { kind: "ended" } | { kind: "left"; pids: readonly number[] };

export interface Ends {
  done: Promise<Ended>;
  /** SIGKILL not before so many milliseconds from now. */
  extend(milliseconds: number): void;
  /** How the program ended, where the main process ended so: `own`, unless that was only a shell above it. */
  exitOf(own: Ending): Ending;
}

export type EndEffects = {
  clock: Clock;
  traits: Traits;
  /** All members, also those that have ended and are not reaped. @throws where nobody can be looked at. */
  members(): Promise<readonly Seen[]>;
  /** How it ended, where we have reaped it. */
  reaped(pid: number): Ending | undefined;
  /** False where it may not be signalled. */
  send(seen: Seen, signal: NodeJS.Signals): boolean;
  /** SIGKILL, to all at once as far as that is possible. */
  kill(members: readonly Seen[]): void;
  /** To the group, where nobody can be looked at. */
  sendBlindly(signal: NodeJS.Signals): void;
  /** Awaited between pieces of work. */
  breathe(): Promise<void>;
};

/** Milliseconds between two looks at those who are ending: the first, doubled to the last. */
const firstPause = 10;
const lastPause = 200;

/** Milliseconds of SIGKILL after which processes that are left are reported. */
const patience = 5000;

/**
 * Looks at a family that stands still, until one finds nobody new. The second finds those that were forked while the
 * first were stopped; more are for a machine on which a signal takes effect late.
 */
const stillLooks = 5;

/**
 * Milliseconds until all stand still, at most; within an eighth of all the time. On a busy machine SIGSTOP takes effect
 * late, and a signal with a smaller number, sent after it, first: a shell would die that was to wait. A process that
 * the kernel does not interrupt stands still even later.
 */
const standing = 1000;
const standingPeriod = 5;

/** Begins at once. `main`: the pid of the main process. */
export function endFamily(main: number, options: EndOptions & { effects: EndEffects }): Ends {
  const { effects, timeout, signal } = options;
  const end = new FamilyEnd({ signal, effects, deadline: effects.clock.now() + timeout });
  return {
    done: end.run(),
    extend: (milliseconds) => end.extend(milliseconds),
    exitOf(own) {
      const { plan, endings } = end;
      return plan === undefined ? own : programEnding(own, { main, plan, endings, signal });
    },
  };
}

class FamilyEnd {
  /** Made once all stand still. */
  plan: Plan | undefined;
  readonly endings = new Map<number, Ending>();
  readonly #signal: StopSignal;
  readonly #effects: EndEffects;
  readonly #began: number;
  #deadline: number;
  /** When SIGKILL was sent first. */
  #killing: number | undefined;
  /** Those that were stopped, by pid and birth. */
  readonly #still = new Set<string>();
  readonly #deaf = new Set<number>();
  #looks = 0;
  /** The signal for each that is not asked by `#signal`. */
  readonly #signals = new Map<number, StopSignal>();

  constructor(options: { signal: StopSignal; effects: EndEffects; deadline: number }) {
    this.#signal = options.signal;
    this.#effects = options.effects;
    this.#deadline = options.deadline;
    this.#began = options.effects.clock.now();
  }

  extend(milliseconds: number): void {
    this.#deadline = Math.max(this.#deadline, this.#effects.clock.now() + milliseconds);
  }

  async run(): Promise<Ended> {
    const { clock, breathe } = this.#effects;
    let wait = firstPause;
    for (;;) {
      const members = await this.#look();
      if (members?.length === 0) return { kind: "ended" };
      await breathe();
      const now = clock.now();
      if (this.#killing === undefined && (now >= this.#deadline || this.#signal === "SIGKILL")) {
        this.#killing = now;
        wait = firstPause;
      }
      if (this.#killing !== undefined) {
        if (now - this.#killing >= patience) {
          return { kind: "left", pids: (members ?? []).map(({ pid }) => pid) };
        }
        if (members === undefined) this.#effects.sendBlindly("SIGKILL");
        else this.#effects.kill(members);
        await this.#pause(wait);
      } else if (members === undefined) {
        // Whoever is held by the plan has been asked.
        if (this.plan === undefined) this.#effects.sendBlindly(this.#signal);
        this.#effects.sendBlindly("SIGCONT");
        await this.#pause(Math.min(wait, this.#deadline - now));
      } else {
        if (this.plan === undefined) {
          if (this.#stop(members)) continue;
          if (this.#isMoving(members)) {
            await this.#pause(standingPeriod);
            continue;
          }
        }
        const { orders, within = wait } = await this.#step(members);
        if (orders.length > 0) wait = firstPause;
        await this.#pause(Math.min(wait, within, this.#deadline - clock.now()));
      }
      wait = Math.min(wait * 2, lastPause);
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resume) => {
      this.#effects.clock.after(Math.max(1, milliseconds), resume);
    });
  }

  /** Undefined where nobody can be looked at. */
  async #look(): Promise<Seen[] | undefined> {
    let all: readonly Seen[];
    try {
      all = await this.#effects.members();
    } catch {
      // The one who looks reports it.
      return undefined;
    }
    for (const { pid, exitStatus } of all) {
      if (exitStatus !== undefined) this.endings.set(pid, endingIn(exitStatus));
    }
    for (const pid of this.plan?.keys() ?? []) {
      const ending = this.endings.has(pid) ? undefined : this.#effects.reaped(pid);
      if (ending !== undefined) this.endings.set(pid, ending);
    }
    const byPid = new Map(all.map((seen) => [seen.pid, seen]));
    // Whoever has ended is ours to reap, or its parent's, which is about to end.
    return all.filter((seen) => !seen.zombie || byPid.get(seen.parent)?.zombie === false);
  }

  /** Has all stand still, so that none starts another unseen. False once nobody new is there. */
  #stop(members: readonly Seen[]): boolean {
    const fresh = members.filter((seen) => !seen.zombie && !this.#still.has(keyOf(seen)));
    if (fresh.length === 0 || this.#looks++ >= stillLooks) return false;
    for (const seen of fresh) {
      this.#still.add(keyOf(seen));
      if (!this.#effects.send(seen, "SIGSTOP")) this.#deaf.add(seen.pid);
    }
    return true;
  }

  /** Whether one that was stopped does not stand still yet, and may be waited for. */
  #isMoving(members: readonly Seen[]): boolean {
    const whole = this.#deadline - this.#began;
    if (this.#effects.clock.now() - this.#began >= Math.min(standing, whole / 8)) return false;
    return members.some(
      (seen) =>
        !seen.zombie && !seen.stopped && this.#still.has(keyOf(seen)) && !this.#deaf.has(seen.pid),
    );
  }

  async #step(members: readonly Seen[]): Promise<Step> {
    const { clock, traits } = this.#effects;
    const { plan } = this;
    let step: Step;
    if (plan === undefined) {
      step = begun(await this.#membersOf(members), { now: clock.now() });
    } else {
      const asked = watched(plan);
      const sights = members.map(({ pid, parent, zombie, stopped }) => {
        const settled = asked.has(pid) && traits.isSettled(pid, this.#signal);
        return { pid, parent, ended: zombie, stopped, settled };
      });
      const times = { now: clock.now(), began: this.#began, deadline: this.#deadline };
      step = advanced(plan, sights, times);
    }
    this.plan = step.plan;
    const byPid = new Map(members.map((seen) => [seen.pid, seen]));
    for (const order of step.orders) {
      const seen = byPid.get(order.pid);
      if (seen === undefined) continue;
      const signal = this.#signals.get(order.pid) ?? this.#signal;
      this.#effects.send(seen, order.do === "ask" ? signal : "SIGCONT");
    }
    return step;
  }

  async #membersOf(all: readonly Seen[]): Promise<Member[]> {
    const { traits, breathe } = this.#effects;
    const live = all.filter(({ zombie }) => !zombie).sort((a, b) => a.birth - b.birth);
    const writers = live.length > 1 ? traits.writers(live.map(({ pid }) => pid)) : undefined;
    const execs = new Map(live.map((seen) => [seen.pid, seen.exec]));
    const members: Member[] = [];
    for (const seen of live) {
      const { pid, parent, leads } = seen;
      let trait = traits.of(seen, this.#signal);
      const signal = signalFor(this.#signal, trait);
      if (signal !== this.#signal) {
        this.#signals.set(pid, signal);
        trait = traits.of(seen, signal);
      }
      const deaf = this.#deaf.has(pid);
      const forked = seen.exec !== undefined && seen.exec === execs.get(parent);
      const writes = writers?.get(pid) ?? [];
      members.push({ pid, parent, leads, ...trait, deaf, forked, writers: writes });
      await breathe();
    }
    return members;
  }
}

/** A pid is given to another process in time; with its birth, it is that process. */
function keyOf({ pid, birth }: Seen): string {
  return `${pid} ${birth}`;
}
