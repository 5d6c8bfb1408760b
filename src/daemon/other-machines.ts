/** Configured and kept machines -> their servers among those of this one. */
import type { NamesFile } from "./configured-names.ts";
import { keptRemotes } from "../remote/kept.ts";
import { type Remotes, remotes } from "../remote/remotes.ts";
import type { Clock } from "../system/clock.ts";
import type { DaemonOptions } from "./options.ts";

export type OtherMachinesOptions = Pick<DaemonOptions, "stateDirectory" | "env"> & {
  clock: Clock;
  names: NamesFile;
  /** Has the pids of ssh for as long as they are awaited. */
  pids: Set<number>;
  /** Their services, or the machines themselves, have changed. */
  onChange(): void;
  note(text: string): void;
};

/** Nothing is connected before `start`. */
export function otherMachines(options: OtherMachinesOptions): Remotes {
  const { stateDirectory, env, clock, names, pids, onChange, note } = options;
  return remotes({
    ...{ stateDirectory, env, clock, pids, onChange, note },
    random: Math.random,
    configured: () => names.remotes(),
    kept: keptRemotes({ stateDirectory, clock, note }),
  });
}
