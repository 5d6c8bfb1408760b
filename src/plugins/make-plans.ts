/** Services that no type of ours knows, and plugins -> a plan for each that one of them knows, or why there is none. */
import type { WrittenService } from "../manifest/planned.ts";
import { newTypes } from "../manifest/types/own.ts";
import { listed } from "../text/list.ts";
import { didYouMean } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";
import { pastedWord } from "../text/shell-words.ts";
import { shown } from "../text/shown.ts";
import type { CallOutcome } from "./call.ts";
import type { Plugin } from "./installed.ts";
import type {
  Capability,
  Plan,
  PluginContext,
  PluginRequest,
  PluginSpec,
  Step,
  Value,
} from "./plan.ts";
import { irVersions } from "./plan.ts";
import type { RecordedPlan } from "./plan-records.ts";
import { readApplied } from "./read-plan.ts";
import { settingsOf } from "./settings-table.ts";
import { validatePlan } from "./validate-plan.ts";

export type MakePlansOptions = {
  context: PluginContext;
  written: readonly WrittenService[];
  /** The names of all services in the files. */
  declared: readonly string[];
  plugins: readonly Plugin[];
  /** Plans that were accepted before. */
  before: readonly RecordedPlan[];
  grantedTo(plugin: Plugin): readonly Capability[];
  call(plugin: Plugin, request: PluginRequest): Promise<CallOutcome>;
  /** Asks the person whether a project's plugin may run. False: it may not, or nobody can be asked. */
  agree(plugin: Plugin): Promise<boolean>;
};

export type NewPlan = {
  service: WrittenService;
  plugin: Plugin;
  plan: Plan;
  order: readonly Step[];
  /** Names that services of the plan may not have. */
  taken: readonly string[];
  /** Capabilities that the plugin has not been granted. */
  missing: readonly Capability[];
};

/** A clause: why a service has no plan that is made now. One from before, and its files, are kept. */
export type FailedPlan = { service: string; why: string };

export type MadePlans = {
  /** Plans that hold as they were accepted. */
  kept: readonly RecordedPlan[];
  fresh: readonly NewPlan[];
  failed: readonly FailedPlan[];
  /** The names of the plugins that did not know a service. */
  asked: readonly string[];
};

type Unplanned = { kind: "failed"; why: string } | { kind: "unknown"; asked: readonly string[] };

export async function makePlans(options: MakePlansOptions): Promise<MadePlans> {
  const kept: RecordedPlan[] = [];
  const fresh: NewPlan[] = [];
  const failed: FailedPlan[] = [];
  const asked = new Set<string>();
  const due: WrittenService[] = [];
  for (const service of options.written) {
    const before = formerOf(service, options);
    if (before !== undefined && holds(before, { ...options, service })) kept.push(before);
    else due.push(service);
  }
  for (const service of due) {
    const standing = [
      ...kept.flatMap(({ services }) => Object.keys(services)),
      ...fresh.flatMap(({ order }) => order.flatMap(namesIn)),
    ];
    const declared = options.declared.filter((name) => name !== service.name);
    const taken = [...new Set([...declared, ...standing])];
    const former = formerOf(service, options)?.plugin;
    const its = await planFor(service, { ...options, former, taken });
    if (its.kind === "plan") fresh.push(its.plan);
    else if (its.kind === "failed") failed.push({ service: service.name, why: its.why });
    else for (const name of its.asked) asked.add(name);
  }
  return { kept, fresh, failed, asked: [...asked].sort() };
}

function formerOf(
  { name }: WrittenService,
  { before }: MakePlansOptions,
): RecordedPlan | undefined {
  return before.find((its) => its.service === name);
}

function namesIn({ operation }: Step): string[] {
  return operation.kind === "declare-service" ? [operation.name] : [];
}

/** Whether a plugin would give the same again: it has the same component, and is told the same. */
function holds(
  before: RecordedPlan,
  { service, plugins, context, grantedTo }: MakePlansOptions & { service: WrittenService },
): boolean {
  const plugin = plugins.find(({ name, sha256, state }) => {
    return state === "ready" && name === before.plugin && sha256 === before.sha256;
  });
  if (plugin === undefined || before.written !== service.fingerprint) return false;
  if (service.plugin !== undefined && service.plugin !== before.plugin) return false;
  const isSame = String([...grantedTo(plugin)].sort()) === String([...before.granted].sort());
  return before.workspace === context.workspaceId && isSame;
}

type PlanForOptions = MakePlansOptions & { former: string | undefined; taken: readonly string[] };

/** The plan of one service. */
async function planFor(
  service: WrittenService,
  options: PlanForOptions,
): Promise<{ kind: "plan"; plan: NewPlan } | Unplanned> {
  const found = await pluginFor(service, options);
  if (found.kind !== "plugin") return found;
  return await planBy(found.plugin, { ...options, service });
}

/** The plan of one plugin for a service: also once more, after the plugin was granted something. */
export async function planBy(
  plugin: Plugin,
  {
    service,
    taken,
    context,
    grantedTo,
    call,
  }: Pick<MakePlansOptions, "context" | "grantedTo" | "call"> & Pick<NewPlan, "service" | "taken">,
): Promise<{ kind: "plan"; plan: NewPlan } | { kind: "failed"; why: string }> {
  const failed = (why: string) => ({
    kind: "failed" as const,
    why: `the plugin ${plugin.name} ${why}`,
  });
  const spec = specOf(service);
  const granted = grantedTo(plugin);
  const answer = await call(plugin, {
    ...{ kind: "apply", context, spec },
    ...{ irVersions: [...irVersions], granted },
  });
  if (answer.kind === "ended") return failed(answer.why);
  const applied = readApplied(answer.value);
  if (applied.kind === "diagnostics") {
    const { errors, warnings } = applied.diagnostics;
    const all = errors.length > 0 ? errors : warnings;
    return failed(
      all.length === 0 ? "has no plan for it, and no reason" : `has no plan for it:${listing(all)}`,
    );
  }
  if (applied.kind === "mistakes") return failed(wrongText(applied.mistakes));
  const { plan } = applied;
  const { mistakes, missing, order } = validatePlan(plan, {
    granted,
    service: service.name,
    taken,
  });
  if (mistakes.length > 0) return failed(wrongText(mistakes));
  return { kind: "plan", plan: { service, plugin, plan, order, taken, missing } };
}

/** Far more than one reads. */
const mostMistakes = 20;

export function wrongText(mistakes: readonly string[]): string {
  return `has given a plan with mistakes:${listing(mistakes)}`;
}

/** One a line. */
function listing(texts: readonly string[]): string {
  const some = texts.slice(0, mostMistakes).map((its) => `\n  ${printable(its, 500)}`);
  const more = texts.length - mostMistakes;
  return `${some.join("")}${more > 0 ? `\n  and ${more} more` : ""}`;
}

/** The plugin that a service is for: the one that it names, or the only one that knows it. */
async function pluginFor(
  service: WrittenService,
  { plugins, former, ...options }: PlanForOptions,
): Promise<{ kind: "plugin"; plugin: Plugin } | Unplanned> {
  if (service.plugin !== undefined) return await named(service.plugin, { plugins, ...options });
  const isOwn = (newTypes as readonly string[]).includes(service.type ?? "exec");
  const usable = plugins.filter((its) => {
    if (its.state !== "ready" || isHidden(its, plugins)) return false;
    return !isOwn || its.claims.includes(service.type ?? "exec");
  });
  const knowing: Plugin[] = [];
  const troubles: string[] = [];
  const detect = async (plugin: Plugin): Promise<void> => {
    const { context, call } = options;
    const answer = await call(plugin, { kind: "detect", context, spec: specOf(service) });
    if (answer.kind === "ended") troubles.push(`the plugin ${plugin.name} ${answer.why}`);
    else if (typeof answer.value === "string") knowing.push(plugin);
  };
  for (const plugin of usable) await detect(plugin);
  // Nobody is asked about a plugin that is not needed.
  const others =
    isOwn || knowing.length > 0 ? [] : plugins.filter(({ state }) => state === "not agreed");
  const refused: Plugin[] = [];
  for (const plugin of others) {
    if (knowing.length > 0) break;
    if (await options.agree(plugin)) await detect({ ...plugin, state: "ready" });
    else refused.push(plugin);
  }
  const [plugin, ...more] = knowing;
  const again = knowing.find(({ name }) => name === former);
  if (plugin !== undefined && (more.length === 0 || again !== undefined)) {
    return { kind: "plugin", plugin: again ?? plugin };
  }
  if (plugin !== undefined) {
    const names = listed(knowing.map(({ name }) => name));
    const why = `the plugins ${names} all know it; say which with plugin = ${shown(plugin.name)}`;
    return { kind: "failed", why };
  }
  if (troubles.length > 0) return { kind: "failed", why: listed(troubles) };
  const [first] = refused;
  if (first !== undefined) return { kind: "failed", why: notAgreedText(first) };
  // One of these may know the service: above all the one that has made the plan that was there.
  const broken = plugins.filter(({ state }) => state === "changed" || state === "absent");
  const last = broken.find(({ name }) => name === former) ?? (isOwn ? undefined : broken[0]);
  if (last !== undefined) return { kind: "failed", why: brokenText(last) };
  return { kind: "unknown", asked: usable.map(({ name }) => name) };
}

/** A project's plugin that may run comes before the person's own of that name. */
function isHidden({ from, name }: Plugin, plugins: readonly Plugin[]): boolean {
  return (
    from === "user" &&
    plugins.some((its) => its.from === "project" && its.name === name && its.state === "ready")
  );
}

async function named(
  name: string,
  { plugins, agree }: Pick<MakePlansOptions, "plugins" | "agree">,
): Promise<{ kind: "plugin"; plugin: Plugin } | Unplanned> {
  const those = plugins.filter((its) => its.name === name);
  const ready = those.find(({ state }) => state === "ready");
  if (ready !== undefined) return { kind: "plugin", plugin: ready };
  const [plugin] = those;
  if (plugin === undefined) {
    const otherwise = "; install it with: localhostess plugin install <file or URL>";
    const near = didYouMean(name, new Set(plugins.map((its) => its.name)), {
      quoted: true,
      otherwise,
    });
    return { kind: "failed", why: `no plugin ${shown(name)} is installed${near}` };
  }
  if (plugin.state === "not agreed") {
    if (await agree(plugin)) return { kind: "plugin", plugin: { ...plugin, state: "ready" } };
    return { kind: "failed", why: notAgreedText(plugin) };
  }
  return { kind: "failed", why: brokenText(plugin) };
}

function brokenText({ name, state }: Plugin): string {
  return state === "absent"
    ? `the file of the plugin ${name} is gone; install it again`
    : `the plugin ${name} has changed since it was installed, and is not run; install it again`;
}

function notAgreedText({ name, sha256 }: Plugin): string {
  const what = `the plugin ${name} of this project (sha256 ${sha256.slice(0, 12)}) runs only once you agree`;
  return `${what}: localhostess plugin agree ${pastedWord(name)}`;
}

/** A service as its plugin is told it. */
function specOf({ name, type, plugin, dependsOn, config }: WrittenService): PluginSpec {
  const values = settingsOf(config).flatMap(([key, value]): [string, Value][] => {
    const its = literalOf(value);
    return its === undefined ? [] : [[key, its]];
  });
  return { name, type: type ?? plugin ?? "", dependsOn, config: values };
}

function literalOf(value: unknown): Value | undefined {
  if (typeof value === "string") return { kind: "text", value };
  if (typeof value === "boolean") return { kind: "boolean", value };
  if (typeof value === "bigint") return { kind: "signed", value };
  if (value instanceof Date) return { kind: "text", value: value.toISOString() };
  if (typeof value !== "number") return undefined;
  return Number.isSafeInteger(value)
    ? { kind: "signed", value: BigInt(value) }
    : { kind: "float", value };
}
