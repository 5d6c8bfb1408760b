/** An order, and the buildpacks that are known -> the groups of components to try, as the spec expands it. Pure. */
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import { nearest } from "../../text/nearest.ts";
import type { Buildpack, Group, GroupEntry, Member, Order } from "./buildpack.ts";

export type Expanded =
  | { kind: "groups"; groups: readonly (readonly Member[])[] }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

export type OrderOptions = {
  known: readonly Buildpack[];
  /** Buildpacks that are not for it are left out. */
  execEnv: string;
};

/** Groups. Composites in composites multiply; those of the well-known builders have less than a hundred. */
const mostGroups = 1000;

/** Composites in composites. */
const deepest = 20;

/** A thing that makes an order unusable, in a sentence. */
class Unresolvable extends Error {}

/** Depth-first, from left to right. Buildpacks spec, "Order Resolution". */
export function expandOrder(order: Order, { known, execEnv }: OrderOptions): Expanded {
  const expand = (its: Order, within: readonly Buildpack[]): Member[][] => {
    if (within.length > deepest) throw new Unresolvable(`${nameOf(within[0]!)} nests too deep`);
    const groups = its.flatMap((group) => expandGroup(group, within));
    if (groups.length > mostGroups) {
      throw new Unresolvable(
        `the order has more than ${counted(mostGroups, "group")}; name the buildpacks that are needed`,
      );
    }
    return groups;
  };

  const expandGroup = (group: Group, within: readonly Buildpack[]): Member[][] => {
    let groups: Member[][] = [[]];
    for (const entry of group) {
      if (!isForEnv(entry.execEnvs, execEnv)) continue;
      const buildpack = findIn(known, entry, within);
      if (!isForEnv(buildpack.execEnvs, execEnv)) continue;
      const choices = choicesOf(buildpack, { entry, within });
      if (groups.length * choices.length > mostGroups) {
        throw new Unresolvable(
          `the order has more than ${counted(mostGroups, "group")}; name the buildpacks that are needed`,
        );
      }
      groups = groups.flatMap((before) => choices.map((choice) => [...before, ...choice]));
    }
    return groups;
  };

  const choicesOf = (
    buildpack: Buildpack,
    { entry, within }: { entry: GroupEntry; within: readonly Buildpack[] },
  ): Member[][] => {
    if (buildpack.order === undefined) return [[{ buildpack, optional: entry.optional }]];
    if (within.includes(buildpack)) {
      const names = [...within.slice(within.indexOf(buildpack)), buildpack].map(nameOf);
      throw new Unresolvable(`buildpacks are in a cycle: ${names.join(" -> ")}`);
    }
    const choices = expand(buildpack.order, [...within, buildpack]);
    // A component that is optional is left out where it fails; a whole composite needs a group without it.
    return entry.optional ? [...choices, []] : choices;
  };

  try {
    const groups = expand(order, []).filter((group) => group.length > 0);
    return { kind: "groups", groups: groups.map(withoutTwice) };
  } catch (error) {
    if (error instanceof Unresolvable) return { kind: "failed", why: error.message };
    throw error;
  }
}

/** A composite may bring what another one in the group has brought: it runs where it comes first, for both. */
function withoutTwice(group: readonly Member[]): Member[] {
  const byId = new Map<string, Member>();
  for (const { buildpack, optional } of group) {
    const first = byId.get(buildpack.id);
    const isOptional = optional && (first?.optional ?? true);
    byId.set(buildpack.id, { buildpack: first?.buildpack ?? buildpack, optional: isOptional });
  }
  return [...byId.values()];
}

/** Also of layers and of processes. Platform spec, "exec-env". */
export function isForEnv(execEnvs: readonly string[], execEnv: string): boolean {
  return execEnvs.length === 0 || execEnvs.includes(execEnv) || execEnvs.includes("*");
}

function findIn(
  known: readonly Buildpack[],
  { id, version }: GroupEntry,
  within: readonly Buildpack[],
): Buildpack {
  const named = known.filter((its) => its.id === id);
  const by = within.length === 0 ? "" : `, which ${nameOf(within.at(-1)!)} needs`;
  if (named.length === 0) {
    const close = nearest(
      id,
      known.map((its) => its.id),
    );
    const meant = close === undefined ? "" : `; did you mean ${close}?`;
    throw new Unresolvable(
      `there is no buildpack ${id}${by}; add its folder or its address to buildpacks${meant}`,
    );
  }
  const found =
    version === undefined || version === ""
      ? named.reduce((one, other) => (isHigher(other.version, one.version) ? other : one))
      : named.find((its) => its.version === version);
  if (found !== undefined) return found;
  const versions = listed(
    named.map((its) => its.version),
    { most: 5 },
  );
  throw new Unresolvable(
    `there is no version ${version} of buildpack ${id}${by}; there is ${versions}`,
  );
}

function isHigher(one: string, other: string): boolean {
  const [these, those] = [one, other].map((its) => its.split(".").map(Number));
  for (const [index, number] of these!.entries()) {
    if (number !== those![index]) return number > those![index]!;
  }
  return false;
}

export function nameOf({ id, version }: Pick<Buildpack, "id" | "version">): string {
  return `${id}@${version}`;
}
