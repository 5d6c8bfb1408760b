/** Build plans of the buildpacks that have passed -> the first combination that holds, and its entries. Pure. */
import { readToml } from "../../manifest/toml.ts";
import { isTomlTable, TomlValues } from "../../manifest/toml-values.ts";
import type { Path } from "../../manifest/toml.ts";
import { counted } from "../../text/counted.ts";
import type { Alternative, Buildpack, Member, PlanEntry, Requirement } from "./buildpack.ts";
import { nameOf } from "./order.ts";

export type ReadPlan =
  | { kind: "plan"; alternatives: readonly Alternative[] }
  /** `why`: what follows the name of the buildpack. */
  | { kind: "bad"; why: string };

/** A member that has passed, with its plan. */
export type Passed = Member & { alternatives: readonly Alternative[] };

export type Resolved =
  | { kind: "resolved"; group: readonly Buildpack[]; plan: readonly PlanEntry[] }
  /** `why`: a clause on the first combination, which is the one that people mean. */
  | { kind: "unmet"; why: string };

/** Combinations. A dozen buildpacks with two alternatives each have 4096. */
const mostTrials = 20_000;

/** The pair at the top is an alternative too, also where it is empty. Buildpacks spec, "Phase #1: Detection". */
export function readPlan(text: string): ReadPlan {
  const toml = readToml(text);
  if (toml.kind === "bad") {
    const { line, column } = toml.place;
    return { kind: "bad", why: `line ${line}, column ${column} of its build plan: ${toml.why}` };
  }
  const values = new TomlValues(toml.document);
  const alternatives = [[] as Path, ...values.tables(["or"])].map((path) => ({
    provides: values.tables([...path, "provides"]).map((its) => nameAt(values, its)),
    requires: values.tables([...path, "requires"]).map((its): Requirement => {
      const metadata = values.table([...its, "metadata"]) ?? {};
      return { ...nameAt(values, its), metadata: withVersion(metadata, values.at(its)) };
    }),
  }));
  const [first] = values.mistakes;
  if (first === undefined) return { kind: "plan", alternatives };
  return { kind: "bad", why: `line ${first.line} of its build plan: ${first.what}` };
}

function nameAt(values: TomlValues, path: Path): { name: string } {
  return { name: values.needed([...path, "name"]) ?? "" };
}

/** `requires.version` is the older place of `metadata.version`. Buildpacks spec, "Deprecations". */
function withVersion(metadata: Readonly<Record<string, unknown>>, entry: unknown) {
  const version = isTomlTable(entry) ? entry.version : undefined;
  return typeof version === "string" && version !== "" && metadata.version === undefined
    ? { ...metadata, version }
    : metadata;
}

type Chosen = Member & Alternative;

/** Members from left to right, and of each its alternatives in order: depth first. */
export function resolvePlans(members: readonly Passed[]): Resolved {
  let trials = 0;
  let why: string | undefined;
  const tryFrom = (
    chosen: readonly Chosen[],
  ): Extract<Resolved, { kind: "resolved" }> | "over" | undefined => {
    const member = members[chosen.length];
    if (member === undefined) {
      if (++trials > mostTrials) return "over";
      const outcome = trial(chosen);
      if (outcome.kind === "resolved") return outcome;
      why ??= outcome.why;
      return undefined;
    }
    for (const { provides, requires } of member.alternatives) {
      const { buildpack, optional } = member;
      const outcome = tryFrom([...chosen, { buildpack, optional, provides, requires }]);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  };
  const outcome = tryFrom([]);
  if (outcome === "over") {
    const tried = counted(mostTrials, "combination");
    return { kind: "unmet", why: `none of the first ${tried} of build plans holds` };
  }
  return outcome ?? { kind: "unmet", why: why ?? "no buildpack is left" };
}

/** Optional members that are not met are left out, until nothing changes: each may be what another one needs. */
function trial(chosen: readonly Chosen[]): Resolved {
  let left = chosen;
  for (;;) {
    const unmet = firstUnmet(left);
    if (unmet === undefined) break;
    if (!unmet.member.optional) return { kind: "unmet", why: unmet.why };
    left = left.filter((its) => its !== unmet.member);
  }
  if (left.length === 0) return { kind: "unmet", why: "each optional buildpack lacks another one" };
  return { kind: "resolved", group: left.map(({ buildpack }) => buildpack), plan: entriesOf(left) };
}

function firstUnmet(members: readonly Chosen[]): { member: Chosen; why: string } | undefined {
  const all = members.entries();
  for (const [index, member] of all) {
    const before = new Set(namesIn(members.slice(0, index + 1), "provides"));
    const missing = member.requires.find(({ name }) => !before.has(name));
    if (missing !== undefined) {
      const by = "which neither it nor a buildpack in front of it provides";
      return { member, why: `${nameOf(member.buildpack)} requires ${missing.name}, ${by}` };
    }
    const after = new Set(namesIn(members.slice(index), "requires"));
    const idle = member.provides.find(({ name }) => !after.has(name));
    if (idle !== undefined) {
      const by = "which neither it nor a buildpack behind it requires";
      return { member, why: `${nameOf(member.buildpack)} provides ${idle.name}, ${by}` };
    }
  }
  return undefined;
}

function namesIn(members: readonly Alternative[], key: keyof Alternative): string[] {
  return members.flatMap((its) => its[key].map(({ name }) => name));
}

/** In the order in which they are first provided. */
function entriesOf(members: readonly Chosen[]): PlanEntry[] {
  return [...new Set(namesIn(members, "provides"))].map((name) => ({
    name,
    requires: members.flatMap((its) => its.requires.filter((each) => each.name === name)),
    providers: members
      .filter((its) => its.provides.some((each) => each.name === name))
      .map(({ buildpack }) => buildpack.id),
  }));
}
