/** The record of a project's plans, and the plugins that are installed -> the plans that count now. */
import type { AcceptedPlan, Plans } from "../manifest/planned.ts";
import { fingerprintOf, planRecordPath } from "./plan-place.ts";
import { type RecordedPlan, readPlanRecord } from "./plan-records.ts";
import { pluginsPath, readPlugins, type ReadPlugins } from "./plugins-file.ts";

export type Recorded = {
  plans: Plans;
  /** Absolute: whose change may change them. */
  files: readonly string[];
};

export function recordedPlans(stateDirectory: string, directory: string): Recorded {
  const read = readPlanRecord(stateDirectory, directory);
  const files = [planRecordPath(stateDirectory, directory), pluginsPath(stateDirectory)];
  const none = { accepted: [], asked: [], fingerprint: fingerprintOf };
  if (read.kind === "absent") return { plans: none, files };
  if (read.kind === "broken") return { plans: { ...none, unreadable: read.why }, files };
  const { plans, asked, troubles } = read.record;
  const installed = readPlugins(stateDirectory);
  const accepted = plans.map((its) => acceptedPlan(its, outdated(its, installed)));
  return { plans: { ...none, accepted, asked, troubles }, files };
}

export function acceptedPlan(
  { service, plugin, written, services }: RecordedPlan,
  why?: string,
): AcceptedPlan {
  return { service, plugin, written, services, ...(why === undefined ? {} : { outdated: why }) };
}

/** A clause; undefined where the component is the one that has made the plan: another might make another one today. */
export function outdated(
  { plugin, sha256, from }: RecordedPlan,
  installed: ReadPlugins,
): string | undefined {
  if (installed.kind === "broken") return installed.why;
  const { plugins, agreed } = installed.kept;
  if (from === "project") {
    const its = Object.hasOwn(agreed, sha256) ? agreed[sha256] : undefined;
    return its?.name === plugin ? undefined : "nobody has agreed to the plugin any more";
  }
  if (!Object.hasOwn(plugins, plugin)) return "the plugin is not installed any more";
  return plugins[plugin]!.sha256 === sha256
    ? undefined
    : "another version of the plugin is installed";
}
