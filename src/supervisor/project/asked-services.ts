/** A project's services, and what is asked of it -> those that are brought up, and those that start later. Pure. */
import { graphOf, withDependencies } from "../../manifest/graph.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import { listed } from "../../text/list.ts";
import { didYouMean } from "../../text/nearest.ts";

/** The part of a service in an `up` of its whole project. `by-name`: none, unless it is named or needed. */
export type Part = "up" | "dozes" | "by-name";

type Optional = Pick<ServiceSpec, "disabled" | "profiles">;

/** Profiles that were asked for, by the `up` of a whole project that was the last one. */
export type Profiles = ReadonlySet<string>;

export const noProfiles: Profiles = new Set();

type Later = Pick<ServiceSpec, "lazy" | "schedule">;

export function partOf(spec: Optional & Later, profiles: Profiles): Part {
  if (leftOutWhy(spec, profiles) !== undefined) return "by-name";
  return startsLater(spec) ? "dozes" : "up";
}

/** Its project comes up without it: a request or its schedule starts it. */
export function startsLater({ lazy, schedule }: Later): boolean {
  return lazy || schedule !== undefined;
}

/** Why an `up` of the whole project leaves a service out: `disabled`, `profile tools`. Undefined where it does not. */
export function leftOutWhy(
  { disabled, profiles: its }: Optional,
  profiles: Profiles,
): string | undefined {
  if (disabled) return "disabled";
  if (its.length === 0 || its.some((profile) => profiles.has(profile))) return undefined;
  return `profile ${listed(its, { conjunction: "or" })}`;
}

/** A sentence for each profile that no service has. */
export function profileMistakes(
  { name, services }: { name: string; services: readonly Optional[] },
  profiles: Iterable<string>,
): string[] {
  const known = [...new Set(services.flatMap((its) => its.profiles))];
  const otherwise = known.length === 0 ? "; no service has one" : `; there are ${listed(known)}`;
  return [...profiles]
    .filter((profile) => !known.includes(profile))
    .map((profile) => {
      const hint = didYouMean(profile, known, { otherwise });
      return `${name} has no profile ${JSON.stringify(profile)}${hint}`;
    });
}

export type AskedServices = {
  /** With all that they depend on, in start order. */
  up: readonly string[];
  /** None where services were named. */
  doze: readonly string[];
};

export type AskedOptions = {
  /** Undefined: the whole project. */
  names: readonly string[] | undefined;
  profiles: Profiles;
};

export function askedServices(
  services: readonly ServiceSpec[],
  { names, profiles }: AskedOptions,
): AskedServices {
  const having = (part: Part): string[] =>
    services.filter((its) => partOf(its, profiles) === part).map((its) => its.name);
  const up = withDependencies(graphOf(services), names ?? having("up"));
  if (names !== undefined) return { up, doze: [] };
  return { up, doze: having("dozes").filter((name) => !up.includes(name)) };
}
