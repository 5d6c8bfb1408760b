/** Processes that a daemon before us has started -> how each of them ends, though we are not their parent. */
import type { Cancel, Clock } from "../../system/clock.ts";
import { endingIn } from "../../system/process-calls.ts";
import type { Birth, Glimpse } from "./census.ts";
import type { Ending } from "./ending.ts";

/**
 * Their parent is that daemon for as long as it serves its last clients, and tells of each end. Then it has become a
 * program that only keeps them (`system/keeper.ts`): whoever ends stays a zombie, whose exit code everybody can read.
 */
export interface Adopted {
  /** `ended` is called once, soon after its end. */
  watch(process: Birth, ended: (ending: Ending) => void): Cancel;
  /** Its output is at its end, so that it has ended or is about to. */
  look(pid: number): void;
  /** Its parent has seen its end, and reaped it. */
  told(pid: number, ending: Ending): void;
}

export type AdoptedOptions = {
  clock: Clock;
  /** Cheap and synchronous; undefined: there is no such process. */
  glimpse(pid: number): Glimpse | undefined;
};

/** Milliseconds between two looks at processes that still have their output open. */
const period = 1000;
/** Milliseconds until the first look at one whose output is at its end, doubled until it has ended. */
const soon = 4;
/** Milliseconds in which the parent of one that is gone may tell how it ended. */
const patience = 1000;

type Watched = {
  birth: number;
  ended(ending: Ending): void;
  /** When it was seen to be gone. */
  gone: number | undefined;
  cancel: Cancel | undefined;
};

export function adopted({ clock, glimpse }: AdoptedOptions): Adopted {
  const all = new Map<number, Watched>();
  let cancel: Cancel | undefined;

  function end(pid: number, ending: Ending): void {
    const its = all.get(pid);
    if (its === undefined) return;
    forget(pid, its);
    its.ended(ending);
  }

  function forget(pid: number, its: Watched): void {
    if (all.get(pid) !== its) return;
    all.delete(pid);
    its.cancel?.();
    if (all.size > 0) return;
    cancel?.();
    cancel = undefined;
  }

  /** False while it lives, or its parent may still tell how it ended. */
  function check(pid: number, its: Watched): boolean {
    const seen = glimpse(pid);
    if (seen?.birth === its.birth) {
      if (!seen.zombie) return false;
      end(pid, endingIn(seen.exitStatus));
      return true;
    }
    its.gone ??= clock.now();
    if (clock.now() - its.gone < patience) {
      later(pid, { its, delay: patience });
      return false;
    }
    end(pid, { code: null, signal: null });
    return true;
  }

  function later(pid: number, { its, delay }: { its: Watched; delay: number }): void {
    its.cancel?.();
    its.cancel = clock.after(delay, () => {
      its.cancel = undefined;
      if (check(pid, its) || its.cancel !== undefined) return;
      if (delay < period) later(pid, { its, delay: delay * 2 });
    });
  }

  return {
    watch({ pid, birth }, ended) {
      const its: Watched = { birth, ended, gone: undefined, cancel: undefined };
      all.set(pid, its);
      cancel ??= clock.every(period, () => {
        for (const [one, watched] of [...all]) if (watched.gone === undefined) check(one, watched);
      });
      return () => forget(pid, its);
    },
    look(pid) {
      const its = all.get(pid);
      if (its !== undefined && !check(pid, its) && its.cancel === undefined) {
        later(pid, { its, delay: soon });
      }
    },
    told: end,
  };
}
