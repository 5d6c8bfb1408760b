/** The daemon's options -> the containers that run once for its clients. */
import { homedir } from "node:os";
import { type OneOffs, oneOffs } from "../containers/runs/one-offs.ts";
import { ownerOf } from "../containers/runs/owner.ts";
import type { Clock } from "../system/clock.ts";
import type { DaemonOptions } from "./options.ts";
import type { Stopping } from "./stops.ts";

export type OneOffOptions = Pick<DaemonOptions, "stateDirectory" | "env" | "containers"> & {
  clock: Clock;
};

export function oneOffContainers({ stateDirectory, env = {}, containers, clock }: OneOffOptions) {
  return oneOffs({
    ...{ stateDirectory, env, clock, home: env.HOME ?? homedir() },
    owner: ownerOf(stateDirectory),
    only: Array.isArray(containers) ? (containers as readonly string[]) : undefined,
  });
}

/** Removes what dead clients have left; those of living ones end with the daemon. */
export function beginOneOffs(its: OneOffs, resting: Stopping): void {
  its.start();
  resting.push("containers that run once", () => its.stop());
}
