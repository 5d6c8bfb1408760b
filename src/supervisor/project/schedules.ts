/** Services with a schedule, while they are wanted -> started when their times come. */
import { nextTime } from "../../manifest/schedule.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { shownMinute } from "../../text/local-time.ts";
import { isWanted, type Unit } from "./unit.ts";

export type SchedulesOptions = {
  clock: Pick<Clock, "after" | "wall">;
  /** Its time has come. False: a run is under way, or waits for what it depends on. */
  run(unit: Unit, because: string): boolean;
  /** A line of our own in the service's log. */
  say(unit: Unit, text: string): void;
  /** Its next time is another one. */
  changed(unit: Unit): void;
};

/** Milliseconds between two looks at the clock: timers stand still while the machine sleeps, and clocks are set. */
const longestWait = 30_000;

/** Milliseconds between two looks while a daemon that is to take over may not have done so. */
const haltedPeriod = 100;

/** Milliseconds by which a run may be late; later, the machine slept, or its clock was set, and the run is left out. */
const grace = 60_000;

type Entry = { schedule: string; next: number; seen: number; cancel: Cancel };

export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #entries = new Map<Unit, Entry>();
  /** True: a time that comes waits. */
  isHalted = false;

  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  /** To be called when the wish for a service or its declaration may have changed. */
  consider(unit: Unit): void {
    const { schedule } = unit.spec;
    const entry = this.#entries.get(unit);
    const wanted = isWanted(unit) ? schedule : undefined;
    if (entry?.schedule === wanted) return;
    if (entry !== undefined) this.forget(unit);
    if (wanted !== undefined) this.#plan(unit, wanted);
  }

  /** Twice is harmless. */
  forget(unit: Unit): void {
    this.#entries.get(unit)?.cancel();
    this.#entries.delete(unit);
    unit.nextRun = undefined;
  }

  /** No service is started any more. */
  close(): void {
    for (const unit of [...this.#entries.keys()]) this.forget(unit);
  }

  #plan(unit: Unit, schedule: string): void {
    const now = this.#options.clock.wall();
    // The daemon before may have handed over when it was about to come.
    const next = unit.nextRun ?? nextTime(schedule, now);
    if (next === undefined) {
      this.forget(unit);
      return;
    }
    this.#entries.set(unit, { schedule, next, seen: now, cancel: this.#arm(unit, next - now) });
    unit.nextRun = next;
  }

  #arm(unit: Unit, wait: number): Cancel {
    const delay = Math.max(1, Math.min(wait, longestWait));
    return this.#options.clock.after(delay, () => this.#look(unit));
  }

  #look(unit: Unit): void {
    const entry = this.#entries.get(unit)!;
    const { clock, run, say, changed } = this.#options;
    const { schedule, next, seen } = entry;
    const now = clock.wall();
    if (this.isHalted) {
      entry.cancel = this.#arm(unit, haltedPeriod);
      return;
    }
    if (now < next && now >= seen) {
      entry.seen = now;
      entry.cancel = this.#arm(unit, next - now);
      return;
    }
    // Also where the clock was set back: an hour of runs would be left out.
    unit.nextRun = undefined;
    this.#plan(unit, schedule);
    if (now >= next) {
      const its = `the run of ${shownMinute(next)}`;
      if (now - next > grace) {
        say(unit, `${its} is left out: the machine slept then, or its clock was set`);
      } else if (!run(unit, its)) say(unit, `${its} is left out: the one before is not over`);
    }
    changed(unit);
  }
}
