/** A plan that is new, or that has changed -> lines for the person. */
import type { AppliedPlan } from "../../plugins/apply-plan.ts";
import { changedLines, planLines } from "../../plugins/plan-lines.ts";
import type { PlanRecord } from "../../plugins/plan-records.ts";
import { hashOf } from "../../plugins/planned-files.ts";
import type { Current } from "./fresh-plan.ts";
import { type PlannedOptions, tell } from "./plan-options.ts";

/** A plan that is new, or the difference to the one before. */
export function showPlan(
  { plan, applied }: Current,
  { record, world }: { record: PlanRecord; world: PlannedOptions["world"] },
): void {
  const { service, plugin } = plan;
  const before = record.plans.find((its) => its.service === service);
  const now = { services: plan.services, files: filesOf(applied) };
  if (before === undefined) {
    tell(`${service} is made by the plugin ${plugin}:`, world);
    for (const line of planLines(now)) tell(line, world);
    return;
  }
  const known = record.files.filter((its) => its.service === service);
  const files = Object.fromEntries(known.map(({ path, hashes }) => [path, hashText(hashes[0]!)]));
  const lines = changedLines({ services: before.services, files }, now);
  if (lines.length === 0) return;
  tell(`the plan of the plugin ${plugin} for ${service} has changed:`, world);
  for (const line of lines) tell(line, world);
}

export function shownPlan({ plan, applied }: Current, { files }: PlanRecord): string[] {
  const known = files.filter((its) => its.service === plan.service);
  const written = Object.fromEntries(known.map(({ path, hashes }) => [path, hashText(hashes[0]!)]));
  return planLines({
    services: plan.services,
    files: applied === undefined ? written : filesOf(applied),
  });
}

function filesOf(applied: AppliedPlan | undefined): Record<string, string> {
  const files = applied?.files ?? [];
  return Object.fromEntries(files.map(({ path, contents }) => [path, hashText(hashOf(contents))]));
}

function hashText(hash: string): string {
  return `sha256 ${hash.slice(0, 12)}`;
}
