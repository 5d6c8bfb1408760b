/** The record in the state directory -> a call when another daemon owns it, so that of many daemons one is left. */
import type { Cancel, Clock } from "../../system/clock.ts";
import { ownerOfRecord } from "./registration.ts";

export type ConvergeOptions = {
  stateDirectory: string;
  /** The id of this launch. */
  id: string;
  clock: Clock;
  /** The record as we have written it. */
  text?(): string;
  /** Called each time the record is still ours. */
  tick?(): void;
  /** Called each time the record is ours by its id, and its text or its mode is not as we wrote it. */
  changed?(): void;
  /** Called once: another daemon has written its record, or somebody removed ours. Either way we stand down. */
  lost(): void;
};

/** Milliseconds: how long a displaced daemon may not know it. */
export const rereadEvery = 1_000;

export function converge(options: ConvergeOptions): Cancel {
  const { stateDirectory, id, clock, text, tick, changed, lost } = options;
  const cancel = clock.every(rereadEvery, () => {
    const owner = ownerOfRecord(stateDirectory, { id, text: text?.() });
    if (owner === "changed") changed?.();
    // A record that cannot be read is no reason to stop.
    if (owner !== "lost") return tick?.();
    cancel();
    lost();
  });
  return cancel;
}
