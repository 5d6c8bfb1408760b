/** Paths that change, one after another -> one report of all of them, when it is quiet for a moment. */
import type { Cancel, Clock } from "../../system/clock.ts";

export type QuietNewsOptions = {
  clock: Clock;
  /** Milliseconds without a further change before the report. */
  quiet?: number | undefined;
  onChange(paths: readonly string[]): void;
};

export interface QuietNews {
  add(path: string): void;
  /** Reports at once, where there is something to report. */
  flush(): void;
  /** Drops paths that were added and not reported. Twice is harmless. */
  cancel: Cancel;
}

/** Milliseconds. Editors write in several steps. */
const usualQuiet = 150;

/** Milliseconds after the first change: a file that is written all the time must not keep others from being told. */
const longestWait = 3000;

export function quietNews({ clock, quiet = usualQuiet, onChange }: QuietNewsOptions): QuietNews {
  const paths = new Set<string>();
  let timer: Cancel | undefined;
  let last: Cancel | undefined;
  const cancel = (): void => {
    timer?.();
    last?.();
    timer = undefined;
    last = undefined;
    paths.clear();
  };
  const tell = (): void => {
    const told = [...paths];
    cancel();
    onChange(told);
  };
  return {
    add(path) {
      paths.add(path);
      timer?.();
      timer = clock.after(quiet, tell);
      last ??= clock.after(longestWait, tell);
    },
    flush() {
      if (paths.size > 0) tell();
    },
    cancel,
  };
}
