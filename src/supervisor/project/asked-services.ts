/** A project's services, and what is asked of it -> those that are brought up, and those that await a request. Pure. */
import { graphOf, withDependencies } from "../../manifest/graph.ts";
import type { ServiceSpec } from "../../manifest/project.ts";

/** The part of a service in an `up` of its whole project. `by-name`: none, unless it is named or needed. */
export type Part = "up" | "dozes" | "by-name";

export function partOf({ disabled, lazy }: Pick<ServiceSpec, "disabled" | "lazy">): Part {
  if (disabled) return "by-name";
  return lazy ? "dozes" : "up";
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
};

export function askedServices(
  services: readonly ServiceSpec[],
  { names }: AskedOptions,
): AskedServices {
  const having = (part: Part): string[] =>
    services.filter((its) => partOf(its) === part).map((its) => its.name);
  const up = withDependencies(graphOf(services), names ?? having("up"));
  if (names !== undefined) return { up, doze: [] };
  return { up, doze: having("dozes").filter((name) => !up.includes(name)) };
}
