/** Services that plugins stand for, and accepted plans -> the services that are declared in their place. Pure. */
import { serviceTypes } from "./types/own.ts";
import { listed } from "../text/list.ts";
import { shown } from "../text/shown.ts";
import {
  layerOf,
  type Leaf,
  type Mistake,
  type Node,
  noLine,
  type Table,
  tableIn,
} from "./layer.ts";

/** A plan that a person has accepted. */
export type AcceptedPlan = {
  /** The service that it stands for. */
  service: string;
  plugin: string;
  /** The fingerprint of the service as it was written. */
  written: string;
  /** A clause: why the plan does not count any more, whatever the service; undefined: it does. */
  outdated?: string | undefined;
  /** By name, in the keys of locald.toml. */
  services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export type Plans = {
  accepted: readonly AcceptedPlan[];
  /** The names of the plugins that were asked for services that have no plan. */
  asked: readonly string[];
  /** By service: why it has no plan, or no new one in the place of an old one, a clause. */
  troubles?: Readonly<Record<string, string>> | undefined;
  /** Types of ours that are left to the plugins that know them too, where there is no plan. */
  left?: readonly string[] | undefined;
  /** A clause: why the record of plans cannot be read; undefined: it could, or there is none. */
  unreadable?: string | undefined;
  fingerprint(text: string): string;
};

export const noPlans: Plans = { accepted: [], asked: [], fingerprint: (text) => text };

/** A service as it is written, which a plugin may know. */
export type WrittenService = {
  name: string;
  /** Undefined: it has no type. */
  type: string | undefined;
  /** The plugin that it asks for. */
  plugin: string | undefined;
  /** Its keys, but for `type`, `plugin` and `depends_on`, as they stand in the files. */
  config: Readonly<Record<string, unknown>>;
  dependsOn: readonly string[];
  fingerprint: string;
};

/** A service of a plan that is in use. */
export type Planned = { of: string; plugin: string };

export type WithPlans = {
  services: Table;
  /** In the services of plans. */
  mistakes: readonly Mistake[];
  /** By the names of services of plans. */
  planned: ReadonlyMap<string, Planned>;
  /** The names that plans stand for, and that no service of them has -> those of their services. */
  standIns: ReadonlyMap<string, readonly string[]>;
  /** By name: why a service that a plugin stands for cannot be started, a clause. */
  refused: ReadonlyMap<string, string>;
};

/** Keys of a person's that hold for each service of a plan that does not set them itself. */
const keptKeys = ["depends_on", "disabled", "profiles"];

/** `services`: as they are written. */
export function withPlans(services: Table, plans: Plans = noPlans): WithPlans {
  const entries = new Map<string, Node>();
  const mistakes: Mistake[] = [];
  const planned = new Map<string, Planned>();
  const standIns = new Map<string, readonly string[]>();
  const refused = new Map<string, string>();
  for (const [name, node] of services.entries) {
    if (node.kind !== "table") {
      entries.set(name, node);
      continue;
    }
    const plan = plans.accepted.find((its) => its.service === name);
    const why =
      plan === undefined
        ? planless(node, { name, plans })
        : unusable(plan, { node, services, plans, planned });
    if (plan === undefined || why !== undefined) {
      entries.set(name, node);
      if (why !== undefined) refused.set(name, why);
      continue;
    }
    const layer = layerOf(
      { value: { services: plan.services }, placeOf: () => ({ line: noLine, column: 1 }) },
      `plugin ${plan.plugin}`,
    );
    layer.tree.source.isPlanned = true;
    mistakes.push(...layer.mistakes);
    const own = tableIn(layer.tree, "services").entries;
    for (const [its, table] of own) {
      entries.set(its, table.kind === "table" ? withKept(table, node) : table);
      planned.set(its, { of: name, plugin: plan.plugin });
    }
    if (!own.has(name)) standIns.set(name, [...own.keys()]);
  }
  return { services: { ...services, entries }, mistakes, planned, standIns, refused };
}

/** Why the service has no plan, where only a plugin knows it; undefined where it needs none. */
function planless(
  node: Table,
  { name, plans }: { name: string; plans: Plans },
): string | undefined {
  const { unreadable, asked, left = [] } = plans;
  const plugin = textIn(node, "plugin");
  const type = textIn(node, "type") ?? "exec";
  const isLeft = left.includes(type);
  const isOurs = (serviceTypes as readonly string[]).includes(type) && !isLeft;
  if (unreadable !== undefined && (plugin !== undefined || !isOurs)) return unreadable;
  const trouble = troubleOf(name, plans);
  if (trouble !== undefined && (plugin !== undefined || !isOurs)) return trouble;
  if (isLeft && plugin === undefined) {
    return `a plugin knows its type ${shown(type)} too; localhostess up asks it for a plan`;
  }
  if (plugin === undefined) return undefined;
  const all = asked.includes(plugin) ? `, which has given no plan for it` : "";
  return `it is for the plugin ${shown(plugin)}${all}; localhostess up asks it for a plan`;
}

function troubleOf(name: string, { troubles = {} }: Plans): string | undefined {
  return Object.hasOwn(troubles, name)
    ? `${troubles[name]}; localhostess up asks again`
    : undefined;
}

type UnusableOptions = {
  node: Table;
  services: Table;
  plans: Plans;
  /** Services of plans that stand before this one. */
  planned: WithPlans["planned"];
};

function unusable(
  { service, plugin, written, outdated, services: own }: AcceptedPlan,
  { node, services, plans, planned }: UnusableOptions,
): string | undefined {
  const its = `its plan of the plugin ${shown(plugin)}`;
  const old = whyOld();
  // `up` has asked already, and was told this.
  const trouble = old === undefined ? undefined : troubleOf(service, plans);
  if (trouble !== undefined) return trouble;
  if (old !== undefined) {
    return `${its} is out of date: ${old}; localhostess up asks for another one`;
  }
  const isTaken = (name: string): boolean =>
    planned.has(name) || (name !== service && services.entries.has(name));
  const taken = Object.keys(own).filter(isTaken);
  if (taken.length === 0) return undefined;
  return `${its} declares ${listed(taken)}, which ${taken.length === 1 ? "is" : "are"} declared here too; rename one of both`;

  function whyOld(): string | undefined {
    if (outdated !== undefined) return outdated;
    const asks = textIn(node, "plugin");
    if (asks !== undefined && asks !== plugin) return `it is for the plugin ${shown(asks)} now`;
    if (plans.fingerprint(writtenText(node)) !== written) {
      return "the service has changed since";
    }
    return undefined;
  }
}

function withKept(table: Table, written: Table): Table {
  const entries = new Map(table.entries);
  for (const key of keptKeys) {
    const its = written.entries.get(key);
    const own = entries.get(key);
    if (its === undefined || its.kind === "bad") continue;
    if (own === undefined) entries.set(key, its);
    else if (key === "depends_on" && own.kind !== "bad") entries.set(key, bothOf(own, its));
  }
  return { ...table, entries };
}

type Needs = Leaf | Table;

/** A list, or a table with what is awaited of each; the plan's own word counts where both have one. */
function bothOf(own: Needs, other: Needs): Needs {
  if (own.kind === "leaf" && other.kind === "leaf") {
    const both = [...new Set([...(own.value as string[]), ...(other.value as string[])])];
    return { ...own, raw: both, value: both };
  }
  const entries = new Map([...entriesOf(other), ...entriesOf(own)]);
  return { kind: "table", source: own.source, path: own.path, entries };
}

/** A list does not say what is awaited. */
function entriesOf(its: Needs): [string, Node][] {
  if (its.kind === "table") return [...its.entries];
  const names = its.value as string[];
  return names.map((name) => [name, { ...its, raw: undefined, value: undefined }]);
}

export function writtenService(name: string, its: Table, { fingerprint }: Plans): WrittenService {
  const { type: _, plugin: __, depends_on: needs, ...config } = rawOf(its);
  const isTable = typeof needs === "object" && needs !== null && !Array.isArray(needs);
  const names: readonly unknown[] = isTable ? Object.keys(needs) : [needs ?? []].flat();
  return {
    name,
    type: textIn(its, "type"),
    plugin: textIn(its, "plugin"),
    config,
    dependsOn: names.filter((text) => typeof text === "string"),
    fingerprint: fingerprint(writtenText(its)),
  };
}

function textIn({ entries }: Table, key: string): string | undefined {
  const node = entries.get(key);
  const raw = node === undefined || node.kind === "table" ? undefined : node.raw;
  return typeof raw === "string" ? raw : undefined;
}

/** Equal for equal services, whatever the order of their keys. */
function writtenText(its: Table): string {
  return JSON.stringify(rawOf(its), (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    if (value instanceof Date) return value;
    return Object.fromEntries(
      Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)),
    );
  });
}

function rawOf({ entries }: Table): Record<string, unknown> {
  return Object.fromEntries(
    [...entries].map(([key, node]) => [key, node.kind === "table" ? rawOf(node) : node.raw]),
  );
}
