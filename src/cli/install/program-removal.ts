/** This program -> the commands that take it away, shown and run as those of `upgrade` are. */
import { definedOf } from "../shared/defined.ts";
import type { World } from "../shared/world.ts";
import { installation, mayWrite } from "./installation.ts";
import { commandsOf, runSteps } from "./manager-steps.ts";
import { removalPlan } from "./removal-plan.ts";

export type ProgramRemoval = {
  /** Empty: a person has to do it. */
  lines: readonly string[];
  /** Tells that the program stays, and how to remove it. */
  note: string | undefined;
  /** The machine's own, and not this person's. */
  isShared: boolean;
  /** @throws Failure */
  carryOut(): Promise<void>;
};

export async function programRemoval(world: World): Promise<ProgramRemoval> {
  const plan = removalPlan(await installation(world), { mayWrite });
  if (plan.kind === "by hand") {
    return { lines: [], note: plan.how, isShared: false, carryOut: async () => {} };
  }
  return {
    lines: commandsOf(plan),
    note: undefined,
    isShared: plan.rootsOwn !== undefined,
    carryOut: () => runSteps(plan, definedOf(world.env)),
  };
}
