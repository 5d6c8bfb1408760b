/** The record in the state directory -> a word when it is no longer this daemon's, so that one daemon is left of many. */
import type { Cancel, Clock } from "../../system/clock.ts";
import { ownerOfRecord } from "./registration.ts";

export type ConvergeOptions = {
  stateDirectory: string;
  /** Of this launch. */
  id: string;
  clock: Clock;
  /** While the record is ours: what else is to be looked at as often. */
  tick?(): void;
  /** Once: another daemon has written its own, or somebody removed it. Either means to stand down. */
  lost(): void;
};

/** Milliseconds: how long a daemon that was displaced may not know. */
export const rereadEvery = 1_000;

export function converge({ stateDirectory, id, clock, tick, lost }: ConvergeOptions): Cancel {
  const cancel = clock.every(rereadEvery, () => {
    const owner = ownerOfRecord(stateDirectory, id);
    // Not being able to read it is no order to go.
    if (owner !== "lost") return tick?.();
    cancel();
    lost();
  });
  return cancel;
}
