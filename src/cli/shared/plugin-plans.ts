/** A project with services that plugins know -> the same with their plans, which are shown, granted and accepted. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type MadePlans, makePlans } from "../../plugins/make-plans.ts";
import { fingerprintOf, plansFolder } from "../../plugins/plan-place.ts";
import {
  movedRecord,
  noRecord,
  type PlanRecord,
  readPlanRecord,
} from "../../plugins/plan-records.ts";
import { readPlugins } from "../../plugins/plugins-file.ts";
import { acceptedPlan, outdated } from "../../plugins/recorded-plans.ts";
import type { ReadProject } from "../../supervisor/project/read-project.ts";
import { changeAlone } from "../../system/shared-file.ts";
import { cut } from "../../text/cut.ts";
import { Failure } from "./failure.ts";
import { type Current, freshPlan } from "./fresh-plan.ts";
import { agreed, withGrants } from "./plan-grants.ts";
import { callsOf, type PlanEffects, type PlannedOptions, tell, writtenIn } from "./plan-options.ts";
import { putPlans, refuseSharedFiles, tellFiles } from "./put-plans.ts";
import { showPlan } from "./show-plan.ts";

/** Characters of a reason that is kept. */
const longestTrouble = 500;

/** Times that plans are made while others change them. */
const mostTries = 3;

export async function plannedProject(options: PlannedOptions): Promise<ReadProject> {
  const { directory, read, effects } = options;
  for (let tries = 0; tries < mostTries; tries++) {
    const record = recordIn(directory, effects);
    if (writtenIn(read).length === 0 && isEmpty(record)) return read;
    const its = await madePlans(options, record);
    const granted = await withGrants(its.made.fresh, options);
    const done = await alone(effects, async () => {
      // Another one may have come first while plugins and the person were asked.
      if (JSON.stringify(recordIn(directory, effects)) !== JSON.stringify(record)) return undefined;
      return await accepted(options, { ...its, record, granted });
    });
    if (done !== undefined) return done;
  }
  throw new Failure("failed", `another localhostess changes the plans of ${directory}; try again`);
}

type Accepting = MadeNow & {
  record: PlanRecord;
  granted: Awaited<ReturnType<typeof withGrants>>;
};

/** The project with its plans in place, or its mistakes with them. */
async function accepted(
  options: PlannedOptions,
  { made, granted, record, strangers }: Accepting,
): Promise<ReadProject> {
  const { again, world, effects } = options;
  const failed = [...made.failed, ...granted.failed];
  const fresh = granted.plans.map((its) => freshPlan(its, { ...options, record, strangers }));
  const kept = made.kept.map((plan): Current => ({ plan, applied: undefined }));
  // A fault that passes must not take away what runs.
  const former = record.plans.filter((its) =>
    failed.some(({ service }) => service === its.service),
  );
  const stale = former.map((plan): Current => ({ plan, applied: undefined }));
  const current = [...kept, ...fresh, ...stale];
  refuseSharedFiles(current, record);
  const { asked } = made;
  const troubles = Object.fromEntries(failed.map(({ service, why }) => [service, troubleIn(why)]));
  const installed = readPlugins(effects.stateDirectory);
  const plans = current.map(({ plan }) =>
    acceptedPlan(plan, former.includes(plan) ? outdated(plan, installed) : undefined),
  );
  const next = await again({ accepted: plans, asked, troubles, fingerprint: fingerprintOf });
  for (const { service, why } of failed) {
    // A warning of the project has the same line.
    if (!isWarned(service, { why, next })) tell(`${service}: ${why}`, world);
  }
  // Nothing is kept of plans with which the project has mistakes.
  if (next.kind === "mistakes") return next;
  for (const its of fresh) showPlan(its, { record, world });
  const news = await putPlans(current, { record, asked, troubles, ...options });
  tellFiles(news, world);
  return next;
}

function isWarned(service: string, { why, next }: { why: string; next: ReadProject }): boolean {
  if (next.kind !== "project" || why.includes("\n")) return false;
  const its = next.project.services.find(({ name }) => name === service);
  return its?.unusable?.startsWith(troubleIn(why)) ?? false;
}

/** One line, of a reason that may have several errors of a plugin below it. */
function troubleIn(why: string): string {
  const [first, ...errors] = why.split("\n").map((line) => line.trim());
  return cut(
    [first, ...(errors.length === 0 ? [] : [errors.join("; ")])].join(" "),
    longestTrouble,
  );
}

/** One process at a time chooses ports, and writes plans and their files. */
async function alone<Result>(
  { stateDirectory }: PlanEffects,
  change: () => Promise<Result>,
): Promise<Result> {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const done = await changeAlone({ path: plansFolder(stateDirectory) }, change);
  if (done.kind === "changed") return done.result;
  throw new Failure("failed", "another localhostess is changing the plans of plugins; try again");
}

function isEmpty({ plans, files, asked, troubles }: PlanRecord): boolean {
  return [plans, files, asked, Object.keys(troubles)].every((its) => its.length === 0);
}

export type MadeNow = {
  made: MadePlans;
  /** Ports of accepted plans at which somebody else listens now. */
  strangers: ReadonlySet<number>;
};

/** Plans of the project's services as they are now, without a question but for those about its own plugins. */
export async function madePlans(
  { directory, read, world, effects }: Omit<PlannedOptions, "again">,
  record: PlanRecord,
): Promise<MadeNow> {
  const strangers = await strangePorts(record, effects);
  const before = record.plans.filter(({ service, ports }) => {
    const files = record.files.filter((its) => its.service === service);
    // A file that is gone is made again.
    const isWhole = files.every(({ path }) => existsSync(join(directory, path)));
    return isWhole && !Object.values(ports).some((port) => strangers.has(port));
  });
  const made = await makePlans({
    ...callsOf({ directory, read, effects }),
    ...{ written: writtenIn(read), plugins: effects.plugins, before },
    agree: async (plugin) => await agreed(plugin, { world, effects }),
  });
  return { made, strangers };
}

/** @throws a Failure where the record cannot be used. */
export function recordIn(directory: string, { stateDirectory }: PlanEffects): PlanRecord {
  const its = readPlanRecord(stateDirectory, directory);
  if (its.kind === "broken") throw new Failure("state_directory", its.why);
  if (its.kind === "record") return its.record;
  return movedRecord(stateDirectory, directory) ?? noRecord(directory);
}

async function strangePorts(
  { plans }: PlanRecord,
  { isFree, isOwn }: PlanEffects,
): Promise<Set<number>> {
  const found = new Set<number>();
  for (const port of plans.flatMap(({ ports }) => Object.values(ports))) {
    if (!isFree(port) && !(await isOwn(port))) found.add(port);
  }
  return found;
}
