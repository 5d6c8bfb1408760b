/** The record in the state directory -> a call when another daemon owns it, so that of many daemons one is left. */
import type { Cancel, Clock } from "../../system/clock.ts";
import { ownerOfRecord } from "./registration.ts";

export type ConvergeOptions = {
  stateDirectory: string;
  /** The id of this launch. */
  id: string;
  clock: Clock;
  /** Called each time the record is still ours. */
  tick?(): void;
  /** Called once: another daemon has written its record, or somebody removed ours. Either way we stand down. */
  lost(): void;
};

/** Milliseconds: how long a displaced daemon may not know it. */
export const rereadEvery = 1_000;

export function converge({ stateDirectory, id, clock, tick, lost }: ConvergeOptions): Cancel {
  const cancel = clock.every(rereadEvery, () => {
    const owner = ownerOfRecord(stateDirectory, id);
    // A record that cannot be read is no reason to stop.
    if (owner !== "lost") return tick?.();
    cancel();
    lost();
  });
  return cancel;
}
