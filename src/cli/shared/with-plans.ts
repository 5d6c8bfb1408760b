/** A project as it was read -> the same, with plans of plugins where its services need them. */
import { existsSync } from "node:fs";
import { planRecordPath } from "../../plugins/plan-place.ts";
import type { ReadProject } from "../../supervisor/project/read-project.ts";
import { daemonPaths } from "../../system/paths.ts";
import { type ProjectFilesOptions, projectIn } from "./project-files.ts";
import type { Flags } from "./settings.ts";
import type { World } from "./world.ts";

export type WithPlansOptions = {
  /** Absolute: the project's folder. */
  directory: string;
  flags: Flags;
  world: World;
  /** Services are named: one without a plan is in nobody's way. */
  some?: boolean;
  /** As the project was read with. */
  files: ProjectFilesOptions;
};

/** @throws a Failure where a plugin needs more than it has been granted. */
export async function withPlans(
  read: ReadProject,
  { directory, flags, world, files, some = false }: WithPlansOptions,
): Promise<ReadProject> {
  const state = daemonPaths(world);
  if (state.kind === "mistake" || read.kind === "none") return read;
  const { stateDirectory } = state;
  const asks = (read.written ?? []).length > 0;
  const isRecorded = existsSync(planRecordPath(stateDirectory, directory));
  // Nobody without plugins waits for the code that is about them.
  if (!asks && !isRecorded && !existsSync(`${stateDirectory}/plugins.json`)) return read;
  const { claimedTypes } = await import("../../plugins/claimed-types.ts");
  const claimed = claimedTypes(stateDirectory);
  const all =
    claimed.length === 0 ? read : await projectIn(directory, world, { ...files, claimed });
  const isAsked = all.kind !== "none" && (all.written ?? []).length > 0;
  if (!isAsked && !isRecorded) return read;
  const [{ plannedProject }, { planEffects }] = await Promise.all([
    import("./plugin-plans.ts"),
    import("./plan-effects.ts"),
  ]);
  return await plannedProject({
    ...{ directory, read: all, world, some },
    again: async (plans) => await projectIn(directory, world, { ...files, claimed, plans }),
    effects: await planEffects(directory, { stateDirectory, flags, world }),
  });
}
