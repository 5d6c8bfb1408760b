/** A folder -> the files in it that plans of plugins have written, and that nobody has changed since. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isInside } from "../../routes/name-rights.ts";
import { daemonPaths } from "../../system/paths.ts";
import { plansFolder } from "../../plugins/plan-place.ts";
import type { Here } from "./project-files.ts";

/** Absolute; none where no plugin has ever made a plan. */
export async function ownFiles(root: string, world: Here): Promise<ReadonlySet<string>> {
  const stateDirectory = stateWithPlans(world);
  if (stateDirectory === undefined) return new Set();
  const { allPlanRecords } = await import("../../plugins/plan-records.ts");
  const { isUnchanged } = await import("../../plugins/planned-files.ts");
  const found = new Set<string>();
  for (const { directory, files } of allPlanRecords(stateDirectory)) {
    if (!isInside(directory, root)) continue;
    for (const file of files) {
      if (await isUnchanged(file, directory)) found.add(join(directory, file.path));
    }
  }
  return found;
}

/** Forgets plans of projects in that folder, and removes their files. @returns sentences about those that stay. */
export async function removePlansIn(root: string, world: Here): Promise<readonly string[]> {
  const stateDirectory = stateWithPlans(world);
  if (stateDirectory === undefined) return [];
  const { allPlanRecords } = await import("../../plugins/plan-records.ts");
  const { removePlans } = await import("./put-plans.ts");
  const left: string[] = [];
  for (const { directory } of allPlanRecords(stateDirectory)) {
    if (!isInside(directory, root)) continue;
    left.push(...(await removePlans(stateDirectory, { directory })).left);
  }
  return left;
}

function stateWithPlans(world: Here): string | undefined {
  const state = daemonPaths(world);
  if (state.kind === "mistake" || !existsSync(plansFolder(state.stateDirectory))) return undefined;
  return state.stateDirectory;
}
