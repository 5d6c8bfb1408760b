/** A project with services that plugins know -> the same with their plans, which are shown, granted and accepted. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Plans } from "../../manifest/planned.ts";
import type { Plugin } from "../../plugins/installed.ts";
import { type FailedPlan, type MadePlans, makePlans, wrongText } from "../../plugins/make-plans.ts";
import { fingerprintOf } from "../../plugins/plan-place.ts";
import {
  movedRecord,
  noRecord,
  type PlanRecord,
  readPlanRecord,
  type RecordedPlan,
} from "../../plugins/plan-records.ts";
import { readPlugins } from "../../plugins/plugins-file.ts";
import { acceptedPlan, outdated } from "../../plugins/recorded-plans.ts";
import type { ReadProject } from "../../supervisor/project/read-project.ts";
import { cut } from "../../text/cut.ts";
import { Failure } from "./failure.ts";
import { type Current, freshPlan } from "./fresh-plan.ts";
import { agreed, withGrants } from "./plan-grants.ts";
import { callsOf, type PlanEffects, type PlannedOptions, tell, writtenIn } from "./plan-options.ts";
import { alone, putPlans, refuseSharedFiles, tellFiles } from "./put-plans.ts";
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
  const { world } = options;
  const fresh = granted.plans.map((its) => freshPlan(its, { ...options, record, strangers }));
  const failed = [...made.failed, ...granted.failed];
  const { all, next } = await usable({ record, made, fresh, failed }, options);
  for (const { service, why } of all.failed) {
    // A warning of the project has the same line.
    if (!isWarned(service, { why, next })) tell(`${service}: ${why}`, world);
  }
  // Nothing is kept of plans with which the project has mistakes.
  if (next.kind === "mistakes") return next;
  const { current, troubles } = together(all, options);
  refuseSharedFiles(current, record);
  for (const its of all.fresh) showPlan(its, { record, world });
  const { asked } = made;
  const news = await putPlans(current, { record, asked, troubles, ...options });
  tellFiles(news, world);
  return next;
}

/** Plans for the services of a project, and why there are none. */
type Gathered = {
  record: PlanRecord;
  made: MadePlans;
  fresh: readonly Current[];
  failed: readonly FailedPlan[];
};

type Together = { current: readonly Current[]; troubles: Record<string, string>; plans: Plans };

function together(
  { record, made: { kept, asked }, fresh, failed }: Gathered,
  { effects }: Pick<PlannedOptions, "effects">,
): Together {
  // A fault that passes must not take away what runs.
  const former = record.plans.filter((its) =>
    failed.some(({ service }) => service === its.service),
  );
  const standing = (plan: RecordedPlan): Current => ({ plan, applied: undefined });
  const stale = former.map(standing);
  const current = [...kept.map(standing), ...fresh, ...stale];
  const troubles = Object.fromEntries(failed.map(({ service, why }) => [service, troubleIn(why)]));
  const installed = readPlugins(effects.stateDirectory);
  const accepted = current.map(({ plan }) =>
    acceptedPlan(plan, former.includes(plan) ? outdated(plan, installed) : undefined),
  );
  return { current, troubles, plans: { accepted, asked, troubles, fingerprint: fingerprintOf } };
}

/** Without the new plans with which the project has mistakes that it has not otherwise. */
async function usable(
  all: Gathered,
  options: PlannedOptions,
): Promise<{ all: Gathered; next: ReadProject }> {
  const readWith = async (its: Gathered) => await options.again(together(its, options).plans);
  const whole = await readWith(all);
  if (whole.kind !== "mistakes" || all.fresh.length === 0) return { all, next: whole };
  const unplanned = ({ plan: { service, plugin } }: Current, mistakes: readonly string[]) => ({
    service,
    why: `the plugin ${plugin} ${wrongText(mistakes)}`,
  });
  const none = all.fresh.map((its) => unplanned(its, whole.mistakes));
  let good: Gathered = { ...all, fresh: [], failed: [...all.failed, ...none] };
  // The mistakes are the person's own.
  if ((await readWith(good)).kind === "mistakes") return { all, next: whole };
  for (const its of all.fresh) {
    const { service } = its.plan;
    const others = good.failed.filter((one) => one.service !== service);
    const more = { ...good, fresh: [...good.fresh, its], failed: others };
    const read = await readWith(more);
    if (read.kind !== "mistakes") good = more;
    else good = { ...good, failed: [...others, unplanned(its, read.mistakes)] };
  }
  return { all: good, next: await readWith(good) };
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
    // A file that is gone is made again, and so is one that was not replaced to the end: it has two hashes.
    const isWhole = files.every(
      ({ path, hashes }) => hashes.length === 1 && existsSync(join(directory, path)),
    );
    return isWhole && !Object.values(ports).some((port) => strangers.has(port));
  });
  const answers = new Map<Plugin, boolean>();
  const made = await makePlans({
    ...callsOf({ directory, read, effects }),
    ...{ written: writtenIn(read), plugins: effects.plugins, before },
    async agree(plugin) {
      // Also for the next service, whatever the answer was.
      const its = answers.get(plugin) ?? (await agreed(plugin, { world, effects }));
      answers.set(plugin, its);
      return its;
    },
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
