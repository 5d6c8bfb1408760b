/** A project with services that plugins know -> the same with their plans, which are shown, granted and accepted. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Plans, WrittenService } from "../../manifest/planned.ts";
import { appliedPlan, type AppliedPlan, portNames } from "../../plugins/apply-plan.ts";
import type { CallOutcome } from "../../plugins/call.ts";
import { foldedPath } from "../../plugins/file-path.ts";
import { hasNamesake, type Plugin } from "../../plugins/installed.ts";
import {
  type FailedPlan,
  type MadePlans,
  makePlans,
  type NewPlan,
  planBy,
  wrongText,
} from "../../plugins/make-plans.ts";
import { type Capability, type PluginRequest, usualCapabilities } from "../../plugins/plan.ts";
import { planForm } from "../../plugins/plan-form.ts";
import { changedLines, planLines } from "../../plugins/plan-lines.ts";
import { fingerprintOf, plansFolder } from "../../plugins/plan-place.ts";
import {
  allPlanRecords,
  movedRecord,
  noRecord,
  forgetMoved,
  type PlanRecord,
  readPlanRecord,
  type RecordedPlan,
  writePlanRecord,
} from "../../plugins/plan-records.ts";
import {
  type FileNews,
  hashOf,
  putFiles,
  type WantedFile,
  type Written,
} from "../../plugins/planned-files.ts";
import { readPlugins } from "../../plugins/plugins-file.ts";
import { acceptedPlan, outdated } from "../../plugins/recorded-plans.ts";
import { folderIdentity } from "../../system/folder-identity.ts";
import { changeAlone } from "../../system/shared-file.ts";
import { choosePort } from "../../supervisor/project/ports.ts";
import type { ReadProject } from "../../supervisor/project/read-project.ts";
import { cut } from "../../text/cut.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "./failure.ts";
import type { World } from "./world.ts";

/** The world, as far as plans need it. */
export type PlanEffects = {
  stateDirectory: string;
  /** The file in which capabilities are granted. */
  configFile: string;
  /** By name, a project's before a person's. */
  plugins: readonly Plugin[];
  /** Capabilities that config.toml grants: none to a project's plugin with the name of the person's own. */
  grantedInConfig(plugin: Plugin): readonly Capability[];
  call(plugin: Plugin, request: PluginRequest): Promise<CallOutcome>;
  /** Lets a project's plugin run. @returns a clause where it cannot; undefined: it may. */
  agree(plugin: Plugin): Promise<string | undefined>;
  /** Keeps what a person has granted. */
  grant(plugin: Plugin, capabilities: readonly Capability[]): Promise<void>;
  isFree(port: number): boolean;
  /** Whether a service of this project listens there now. */
  isOwn(port: number): Promise<boolean>;
};

export type PlannedOptions = {
  /** Absolute: the project's folder. */
  directory: string;
  /** As it was read without new plans. */
  read: ReadProject;
  /** Reads it with these plans. */
  again(plans: Plans): Promise<ReadProject>;
  world: Pick<World, "err" | "json" | "prompt">;
  effects: PlanEffects;
};

/** Characters of a reason that is kept. */
const longestTrouble = 500;

/** A plan that holds now. */
export type Current = {
  plan: RecordedPlan;
  /** Undefined: the plan was accepted before, and its files are there. */
  applied: AppliedPlan | undefined;
};

/** Two at once would write one file twice, and one of them would take it for a person's. */
const mostTries = 3;

export async function plannedProject(options: PlannedOptions): Promise<ReadProject> {
  for (let tries = 0; tries < mostTries; tries++) {
    const its = await plannedOnce(options);
    if (its !== "overtaken") return its;
  }
  throw new Failure("failed", `other commands are changing the plans of ${options.directory}`);
}

/** `overtaken`: the record has changed since it was read. */
async function plannedOnce(options: PlannedOptions): Promise<ReadProject | "overtaken"> {
  const { directory, read, world, effects } = options;
  const record = recordIn(directory, effects);
  if (writtenIn(read).length === 0 && isEmpty(record)) return read;
  const { made, strangers } = await madePlans(options, record);
  const granted = await withGrants(made.fresh, options);
  const failed = [...made.failed, ...granted.failed];
  const fresh = granted.plans.map((its) => freshPlan(its, { ...options, record, strangers }));
  const all: Gathered = { record, kept: made.kept, asked: made.asked, fresh, failed };
  const its = await usable(all, options);
  for (const { service, why } of its.all.failed) tell(`${service}: ${why}`, world);
  // Nothing is kept of plans with which the project has mistakes.
  if (its.next.kind === "mistakes") return its.next;
  const { current, troubles } = together(its.all, options);
  refuseSharedFiles(current, record);
  for (const plan of its.all.fresh) showPlan(plan, { record, world });
  const { asked } = made;
  const news = await alone(effects, async () => {
    if (!isDeepStrictEqual(recordIn(directory, effects), record)) return "overtaken";
    return await putPlans(current, { record, asked, troubles, ...options });
  });
  if (news === "overtaken") return news;
  tellFiles(news, world);
  return its.next;
}

/** Plans for the services of a project, and why there are none. */
type Gathered = {
  record: PlanRecord;
  kept: readonly RecordedPlan[];
  asked: readonly string[];
  fresh: readonly Current[];
  failed: readonly FailedPlan[];
};

type Together = { current: readonly Current[]; troubles: Record<string, string>; plans: Plans };

function together(
  { record, kept, asked, fresh, failed }: Gathered,
  { effects }: Pick<PlannedOptions, "effects">,
): Together {
  // A fault that passes must not take away what runs.
  const former = record.plans.filter((its) =>
    failed.some(({ service }) => service === its.service),
  );
  const standing = (plan: RecordedPlan): Current => ({ plan, applied: undefined });
  const stale = former.map(standing);
  const current = [...kept.map(standing), ...fresh, ...stale];
  // One without a plan from before.
  const lasting = failed.filter(({ service }) => !former.some((its) => its.service === service));
  const troubles = Object.fromEntries(
    lasting.map(({ service, why }) => [
      service,
      cut(why.split("\n", 1)[0]!.replace(/:$/, ""), longestTrouble),
    ]),
  );
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

/** One process at a time changes records of plans, and the files that they are about. @throws a Failure */
async function alone<Result>(
  { stateDirectory }: Pick<PlanEffects, "stateDirectory">,
  change: () => Promise<Result>,
): Promise<Result> {
  const done = await changeAlone({ path: plansFolder(stateDirectory) }, change);
  if (done.kind === "changed") return done.result;
  throw new Failure("failed", "another localhostess is changing the plans of plugins; try again");
}

function isEmpty({ plans, files, asked, troubles }: PlanRecord): boolean {
  return [plans, files, asked, Object.keys(troubles)].every((its) => its.length === 0);
}

export function writtenIn(read: ReadProject): readonly WrittenService[] {
  return read.kind === "none" ? [] : (read.written ?? []);
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

type Calling = Pick<PlannedOptions, "directory" | "read" | "effects">;

function callsOf({ directory, read, effects }: Calling) {
  const name = read.kind === "project" ? read.project.name : read.kind === "none" ? "" : read.name;
  const root = directory;
  const workspaceId = name ?? directory.slice(directory.lastIndexOf("/") + 1);
  const standing = read.kind === "project" ? read.project.services : [];
  // Services of plans are not declared: they may be those that are made again.
  const own = standing.filter(({ plugin }) => plugin === undefined);
  const declared = own.map(({ name: its, instance }) => instance?.of ?? its);
  return {
    context: { workspaceId, root },
    declared: [...new Set([...declared, ...writtenIn(read).map((its) => its.name)])],
    call: effects.call,
    grantedTo: (plugin: Plugin): Capability[] => [
      ...new Set([...usualCapabilities, ...plugin.granted, ...effects.grantedInConfig(plugin)]),
    ],
  };
}

async function agreed(
  plugin: Plugin,
  { world, effects }: Pick<PlannedOptions, "world" | "effects">,
): Promise<boolean> {
  const granted = effects.grantedInConfig(plugin);
  const has =
    granted.length === 0 ? "" : ` ${effects.configFile} grants ${listed(granted)} to that name.`;
  const what = `This project has a plugin, ${plugin.name} (sha256 ${plugin.sha256.slice(0, 12)}).${has}`;
  if (!(await isYes(`${what}\nRun it, now and as long as it does not change? [y/N] `, world))) {
    return false;
  }
  const why = await effects.agree(plugin);
  if (why !== undefined) tell(`the plugin ${plugin.name} ${why}`, world);
  return why === undefined;
}

async function isYes(question: string, world: PlannedOptions["world"]): Promise<boolean> {
  const answer = world.json === undefined ? await world.prompt(question) : undefined;
  return /^y(?:es)?$/i.test(answer?.trim() ?? "");
}

const meanings: Readonly<Record<Capability, string>> = {
  "declare-service": "declare services",
  "allocate-port": "choose ports",
  "oci-pull": "have images pulled",
  "render-template": "fill in templates",
  "write-file": "write files in the project",
};

/** Plans for which their plugins have what they need. @throws a Failure where nobody can be asked, or says no. */
async function withGrants(
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
      if (!(await isYes(question, world))) throw new Failure("declined", ungranted(plan, options));
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

function ungranted({ service, plugin, missing }: NewPlan, { effects }: PlannedOptions): string {
  const all = [...new Set([...effects.grantedInConfig(plugin), ...missing])];
  const lines = [
    `[plugins.${plugin.name}]`,
    `grant = [${all.map((its) => `"${its}"`).join(", ")}]`,
  ];
  const what = `${service.name}: the plugin ${plugin.name} has not been granted ${listed(missing)}`;
  if (hasNamesake(plugin, effects.plugins)) {
    const whose = `it is this project's, and what is granted to your own of that name is not for it`;
    return `${what}; ${whose}. localhostess up asks at a terminal; nothing was started`;
  }
  return `${what}; nothing was started. To grant it, add to ${effects.configFile}:\n\n  ${lines.join("\n  ")}\n`;
}

export type FreshOptions = Omit<PlannedOptions, "again"> & {
  record: PlanRecord;
  strangers: ReadonlySet<number>;
};

/** A plan with ports, the same as before where they are free. @throws a Failure where none is. */
export function freshPlan(its: NewPlan, options: FreshOptions): Current {
  const { service, plugin, plan, order } = its;
  const { context, grantedTo } = callsOf(options);
  const ports = portsFor(its, options);
  const applied = appliedPlan(order, ports);
  return {
    applied,
    plan: {
      ...{ service: service.name, plugin: plugin.name, sha256: plugin.sha256, from: plugin.from },
      ...{ written: service.fingerprint, workspace: context.workspaceId },
      granted: grantedTo(plugin),
      capabilities: [...new Set(order.map(({ operation }) => operation.kind))],
      plan: planForm(plan) as Record<string, unknown>,
      ...{ services: { ...applied.services }, ports, images: [...applied.images] },
    },
  };
}

function portsFor(
  { service, order }: NewPlan,
  { directory, read, effects, record, strangers }: FreshOptions,
): Record<string, number> {
  const others = allPlanRecords(effects.stateDirectory).filter(
    // This folder's own, also where it was before it was moved.
    (its) => its.directory !== directory && its.identity !== record.identity,
  );
  const plans = [...record.plans, ...others.flatMap((its) => its.plans)];
  const rest = plans.filter((its) => its.service !== service.name || !record.plans.includes(its));
  const declared = read.kind === "project" ? read.project.services : [];
  const taken = new Set(rest.flatMap((its) => Object.values(its.ports)));
  for (const { port, plugin } of declared) {
    if (port !== undefined && plugin === undefined) taken.add(port);
  }
  const before = record.plans.find((its) => its.service === service.name)?.ports ?? {};
  const ports: Record<string, number> = {};
  for (const name of portNames(order)) {
    const sticky = Object.hasOwn(before, name) ? before[name] : undefined;
    // Its own service, which goes on or is replaced, may still listen there.
    const isFree = (port: number): boolean =>
      port === sticky ? !strangers.has(port) : effects.isFree(port);
    const id = `${directory}:${service.name}/${name}`;
    const kept = new Set(Object.values(before));
    const port = choosePort(id, { sticky, taken, kept, loopback: { isFree } });
    if (port === undefined) throw new Failure("failed", `${service.name}: no port is free`);
    taken.add(port);
    ports[name] = port;
  }
  return ports;
}

/** Two plans cannot have one file. @throws a Failure */
function refuseSharedFiles(current: readonly Current[], { files }: PlanRecord): void {
  const owners = new Map<string, string>();
  const pathsOf = ({ plan, applied }: Current): readonly string[] =>
    applied?.files.map(({ path }) => path) ??
    files.filter((its) => its.service === plan.service).map(({ path }) => path);
  for (const its of current) {
    for (const path of pathsOf(its)) {
      const other = owners.get(foldedPath(path));
      if (other !== undefined) {
        const what = `the plans for ${other} and ${its.plan.service} both write ${path}`;
        throw new Failure("invalid_project", `${what}; nothing was started`);
      }
      owners.set(foldedPath(path), its.plan.service);
    }
  }
}

/** A plan that is new, or the difference to the one before. */
function showPlan(
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

function filesOf(applied: AppliedPlan | undefined): Record<string, string> {
  const files = applied?.files ?? [];
  return Object.fromEntries(files.map(({ path, contents }) => [path, hashText(hashOf(contents))]));
}

export function shownPlan({ plan, applied }: Current, { files }: PlanRecord): string[] {
  const known = files.filter((its) => its.service === plan.service);
  const written = Object.fromEntries(known.map(({ path, hashes }) => [path, hashText(hashes[0]!)]));
  return planLines({
    services: plan.services,
    files: applied === undefined ? written : filesOf(applied),
  });
}

function hashText(hash: string): string {
  return `sha256 ${hash.slice(0, 12)}`;
}

/** Writes the files, and the record around that: a kill in the midst loses track of nothing. */
async function putPlans(
  current: readonly Current[],
  {
    record,
    asked,
    troubles,
    directory,
    effects,
  }: Pick<PlannedOptions, "directory" | "effects"> & {
    record: PlanRecord;
    asked: readonly string[];
    troubles: Record<string, string>;
  },
): Promise<FileNews> {
  const plans = current.map(({ plan }) => plan);
  const standing = new Set(
    current.flatMap(({ plan, applied }) => (applied === undefined ? [plan.service] : [])),
  );
  const isKept = ({ service }: { service: string }): boolean => standing.has(service);
  const keptFiles = record.files.filter(isKept);
  const wanted = current.flatMap(({ plan, applied }): WantedFile[] =>
    (applied?.files ?? []).map((its) => ({ ...its, service: plan.service })),
  );
  const write = async ({ files, folders }: Written) => {
    const next = {
      ...{ directory, identity: folderIdentity(directory), plans },
      ...{ asked: [...asked], troubles },
      ...{ files: [...keptFiles, ...files], folders: [...folders] },
    };
    await writePlanRecord(effects.stateDirectory, next);
  };
  const files = record.files.filter((its) => !isKept(its));
  const { folders } = record;
  const others = (its: Pick<PlanRecord, "asked" | "troubles">): string =>
    JSON.stringify([its.asked, its.troubles]);
  const isAlike = others({ asked: [...asked], troubles }) === others(record);
  const isSame = wanted.length + files.length === 0 && isAlike;
  if (
    isSame &&
    plans.length === record.plans.length &&
    plans.every((its) => record.plans.includes(its))
  ) {
    return { written: [], removed: [], left: [] };
  }
  await write({ files, folders });
  forgetMoved(effects.stateDirectory, directory);
  return await putFiles(wanted, {
    directory,
    standing: keptFiles.map(({ path }) => path),
    before: { files, folders },
    record: write,
  });
}

/** A project's plugin is not the person's own of that name. */
type PlanMaker = Pick<Plugin, "name" | "from">;

/** Services that plugins have made are not made any more: for `plugin remove`, and for a project that is forgotten. */
export async function removePlans(
  stateDirectory: string,
  which: { directory?: string | undefined; plugin?: PlanMaker | undefined },
): Promise<FileNews> {
  if (!existsSync(plansFolder(stateDirectory))) return { written: [], removed: [], left: [] };
  return await alone({ stateDirectory }, async () => await withoutPlans(stateDirectory, which));
}

async function withoutPlans(
  stateDirectory: string,
  { directory, plugin }: Parameters<typeof removePlans>[1],
): Promise<FileNews> {
  let news: FileNews = { written: [], removed: [], left: [] };
  for (const record of allPlanRecords(stateDirectory)) {
    if (directory !== undefined && record.directory !== directory) continue;
    const goes = (its: RecordedPlan): boolean =>
      plugin === undefined || (its.plugin === plugin.name && its.from === plugin.from);
    const plans = record.plans.filter((its) => !goes(its));
    if (plans.length === record.plans.length && plugin !== undefined) continue;
    const stays = ({ service }: { service: string }): boolean =>
      plans.some((its) => its.service === service);
    const kept = record.files.filter(stays);
    const asked = plugin === undefined ? [] : record.asked.filter((its) => its !== plugin.name);
    const write = async ({ files, folders }: Written) => {
      const written = { files: [...kept, ...files], folders: [...folders] };
      const troubles = plugin === undefined ? {} : record.troubles;
      await writePlanRecord(stateDirectory, { ...record, plans, asked, troubles, ...written });
    };
    const { folders } = record;
    const before = { files: record.files.filter((its) => !stays(its)), folders };
    await write(before);
    const standing = kept.map(({ path }) => path);
    const next = await putFiles([], {
      ...{ directory: record.directory, standing, before },
      record: write,
    });
    const at = (path: string): string => join(record.directory, path);
    news = {
      written: [],
      removed: [...news.removed, ...next.removed.map(at)],
      left: [...news.left, ...next.left.map((text) => `${record.directory}: ${text}`)],
    };
  }
  return news;
}

export function tellFiles(
  { written, removed, left }: FileNews,
  world: PlannedOptions["world"],
): void {
  if (written.length > 0) tell(`wrote ${listed(written, { most: 10 })}`, world);
  if (removed.length > 0) tell(`removed ${listed(removed, { most: 10 })}`, world);
  for (const text of left) tell(text, world);
}

function tell(text: string, { err }: Pick<World, "err">): void {
  for (const line of text.split("\n")) err.write(`${printable(line, 2_000)}\n`);
}
