/** Plans and what their plugins have been granted -> plans that may be used, after the person was asked. */
import { hasNamesake, type Plugin } from "../../plugins/installed.ts";
import { type FailedPlan, type NewPlan, planBy } from "../../plugins/make-plans.ts";
import type { Capability } from "../../plugins/plan.ts";
import { listed } from "../../text/list.ts";
import { Failure } from "./failure.ts";
import { answerTo, callsOf, type PlannedOptions, tell } from "./plan-options.ts";

export async function agreed(
  plugin: Plugin,
  { world, effects }: Pick<PlannedOptions, "world" | "effects">,
): Promise<boolean> {
  const granted = effects.grantedInConfig(plugin);
  const has =
    granted.length === 0 ? "" : ` ${effects.configFile} grants ${listed(granted)} to that name.`;
  const what = `This project has a plugin, ${plugin.name} (sha256 ${plugin.sha256.slice(0, 12)}).${has}`;
  const question = `${what}\nRun it, now and as long as it does not change? [y/N] `;
  if ((await answerTo(question, world)) !== "yes") return false;
  const why = await effects.agree(plugin);
  if (why !== undefined) tell(`the plugin ${plugin.name} ${why}`, world);
  return why === undefined;
}

const meanings: Readonly<Record<Capability, string>> = {
  "declare-service": "declare services",
  "allocate-port": "choose ports",
  "oci-pull": "have images pulled",
  "render-template": "fill in templates",
  "write-file": "write files in the project",
};

/**
 * Plans for which their plugins have what they need. @throws a Failure where nobody can be asked, or says no, and all
 * services are to start.
 */
export async function withGrants(
  fresh: readonly NewPlan[],
  options: PlannedOptions,
): Promise<{ plans: NewPlan[]; failed: FailedPlan[] }> {
  const { world, effects } = options;
  const plans: NewPlan[] = [];
  const failed: FailedPlan[] = [];
  const given = new Map<string, readonly Capability[]>();
  const calls = callsOf(options);
  for (const plan of fresh) {
    const { plugin, service } = plan;
    const has = given.get(plugin.sha256) ?? [];
    const missing = plan.missing.filter((its) => !has.includes(its));
    if (plan.missing.length === 0) {
      plans.push(plan);
      continue;
    }
    if (missing.length > 0) {
      const asks = listed(missing.map((its) => `${meanings[its]} (${its})`));
      const question = `${service.name}: the plugin ${plugin.name} asks to ${asks}.\nAllow it, for all projects? [y/N] `;
      const answer = await answerTo(question, world);
      if (answer !== "yes") {
        const { what, how } = ungranted(plan, options);
        if (options.some) {
          failed.push({ service: service.name, why: `${what}; to grant it, ${how}` });
          continue;
        }
        const why = `${service.name}: ${what}; nothing was started. To grant it, ${how}`;
        throw new Failure(answer === "no" ? "declined" : "failed", why);
      }
      await effects.grant(plugin, missing);
      given.set(plugin.sha256, [...has, ...missing]);
    }
    const more = given.get(plugin.sha256) ?? [];
    // The plugin is told what it may do by now, and may make another plan of that.
    const richer = { ...plugin, granted: [...new Set([...plugin.granted, ...more])] };
    const again = await planBy(richer, { ...calls, service, taken: plan.taken });
    if (again.kind === "failed") failed.push({ service: service.name, why: again.why });
    else if (again.plan.missing.length === 0) plans.push(again.plan);
    else
      failed.push({
        service: service.name,
        why: `the plugin ${plugin.name} asks for more each time`,
      });
  }
  return { plans, failed };
}

/** `how`: to grant it, after the words. */
function ungranted({ plugin, missing }: NewPlan, { effects }: PlannedOptions) {
  const all = [...new Set([...effects.grantedInConfig(plugin), ...missing])];
  const table = `[plugins.${plugin.name}] grant = [${all.map((its) => `"${its}"`).join(", ")}]`;
  const what = `the plugin ${plugin.name} has not been granted ${listed(missing)}`;
  if (hasNamesake(plugin, effects.plugins)) {
    const whose = `it is this project's, and what is granted to your own of that name is not for it`;
    return { what: `${what}; ${whose}`, how: "run localhostess up at a terminal, which asks" };
  }
  return { what, how: `add ${table} to ${effects.configFile}` };
}
