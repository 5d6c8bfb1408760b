/** `localhostess plugin plan <service>` -> the plan that a plugin has made of it, or would make now. */
import { realpath } from "node:fs/promises";
import type { RecordedPlan } from "../../plugins/plan-records.ts";
import { didYouMean } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { planEffects } from "../shared/plan-effects.ts";
import { pluginPlace, needProject } from "../shared/plugin-place.ts";
import { type Current, freshPlan } from "../shared/fresh-plan.ts";
import { type PlannedOptions, writtenIn } from "../shared/plan-options.ts";
import { madePlans, recordIn } from "../shared/plugin-plans.ts";
import { shownPlan } from "../shared/show-plan.ts";
import { projectIn } from "../shared/project-files.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { claimedTypes } from "../../plugins/claimed-types.ts";

export async function pluginPlan(service: string, flags: Flags, world: World): Promise<number> {
  const place = await pluginPlace(flags, world);
  const { stateDirectory } = place;
  const directory = await realpath(needProject(place));
  const read = await projectIn(directory, world, { claimed: claimedTypes(stateDirectory) });
  const written = writtenIn(read);
  if (!written.some(({ name }) => name === service)) {
    const names = written.map(({ name }) => name);
    const otherwise =
      names.length === 0 ? "; no service here is for a plugin" : `; there are ${names.join(", ")}`;
    const near = didYouMean(service, names, { otherwise });
    throw new UsageError([`no service for a plugin is named ${printable(service, 100)}${near}`]);
  }
  const effects = await planEffects(directory, { stateDirectory, flags, world });
  const record = recordIn(directory, effects);
  const only = written.filter(({ name }) => name === service);
  const options: Omit<PlannedOptions, "again"> = {
    ...{ directory, effects, read: { ...read, written: only } as typeof read },
    // Nobody is asked: `up` and `plugin agree` do.
    world: { ...world, prompt: async () => undefined },
  };
  const { made, strangers } = await madePlans(options, record);
  const [failed] = made.failed;
  if (failed !== undefined) throw new Failure("failed", `${service}: ${failed.why}`);
  const [kept] = made.kept;
  const [fresh] = made.fresh;
  const current: Current | undefined =
    kept !== undefined
      ? { plan: kept, applied: undefined }
      : fresh && freshPlan(fresh, { ...options, record, strangers });
  if (current === undefined) {
    throw new Failure("not_found", `${service}: no plugin that is installed knows it`);
  }
  const missing = fresh?.missing ?? [];
  if (flags.json) {
    printJson(world, { ...planReport(current.plan), accepted: kept !== undefined, missing });
    return 0;
  }
  const state = kept === undefined ? "not accepted: localhostess up asks for it" : "accepted";
  world.out.write(`${service} is made by the plugin ${current.plan.plugin} (${state})\n`);
  for (const line of shownPlan(current, record)) world.out.write(`${line}\n`);
  if (missing.length > 0) {
    world.err.write(`it needs ${missing.join(", ")}, which the plugin has not been granted\n`);
  }
  return 0;
}

function planReport({ service, plugin, sha256, plan, services, ports, images }: RecordedPlan) {
  return { service, plugin, sha256, plan, services, ports, images };
}
