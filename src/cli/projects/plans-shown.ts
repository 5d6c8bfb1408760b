/** Rows of services -> the same with the plans of plugins that they come of, as records of their projects have them. */
import { type Flags, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { Row } from "./asking.ts";

/** As `plugin plan` prints it. */
export type PlanShown = {
  service: string;
  plugin: string;
  sha256: string;
  plan: Readonly<Record<string, unknown>>;
};

export type PlannedRow = Row & { plan: PlanShown | null };

/** Nothing is read where no row is a plugin's. A record that cannot be read is a warning of its project already. */
export async function withPlansShown(
  rows: readonly Row[],
  { flags, world }: { flags: Flags; world: World },
): Promise<PlannedRow[]> {
  if (rows.every(({ plugin }) => plugin == null))
    return rows.map((row) => ({ ...row, plan: null }));
  const { stateDirectory } = await settingsOf(flags, world);
  const { readPlanRecord } = await import("../../plugins/plan-records.ts");
  // A project has many services, and one record.
  const known = new Map<string, ReturnType<typeof readPlanRecord>>();
  return rows.map((row) => {
    if (row.plugin == null) return { ...row, plan: null };
    const read = known.get(row.path) ?? readPlanRecord(stateDirectory, row.path);
    known.set(row.path, read);
    const its =
      read.kind === "record"
        ? read.record.plans.find(({ services }) => Object.hasOwn(services, row.service))
        : undefined;
    if (its === undefined) return { ...row, plan: null };
    const { service, plugin, sha256, plan } = its;
    return { ...row, plan: { service, plugin, sha256, plan } };
  });
}
