/** A project, and those that are up -> why it cannot be up beside them. Pure. */
import { baseOf } from "../../manifest/project-name.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import { isInside, isUnder } from "../../routes/name-rights.ts";

/** A sentence with both paths, where another project has the name, the domain or an address. */
export function conflictOf(
  spec: ProjectSpec,
  { others, tlds }: { others: Iterable<ProjectSpec>; tlds: readonly string[] },
): string | undefined {
  for (const other of others) {
    if (other.directory === spec.directory) continue;
    const found = conflictBetween(spec, { other, tlds });
    if (found !== undefined) return found;
  }
  return undefined;
}

function conflictBetween(
  spec: ProjectSpec,
  { other, tlds }: { other: ProjectSpec; tlds: readonly string[] },
): string | undefined {
  const both = `${other.directory} and ${spec.directory}`;
  if (other.name === spec.name) {
    return `two projects are named ${spec.name}: ${both}; give one another name with localhostess up --name <name>, or stop the other`;
  }
  const [inner, outer] = nestedOf([spec, other], tlds);
  if (inner !== undefined && !isWithin(inner, outer)) {
    return `${inner.domain} of ${inner.directory} lies under ${outer.domain}, which is the domain of ${outer.directory}; give one another domain in its locald.toml, or stop ${other.name}`;
  }
  if (other.domain === spec.domain) {
    return `two projects have the domain ${spec.domain}: ${both}; give one another domain in its locald.toml, or stop the other`;
  }
  const theirs = addressesOf(other);
  for (const [one, { spec: its, of }] of [
    [spec, { spec: other, of: theirs }],
    [other, { spec, of: addressesOf(spec) }],
  ] as const) {
    // Names under a project's domain are its own, so that the service would have none.
    const base = baseOf(one.domain, tlds);
    if (base === baseOf(its.domain, tlds) || !of.has(base)) continue;
    return `${one.domain} is the domain of ${one.directory} and the address of a service in ${its.directory}; rename the service, or give one project another name with localhostess up --name <name>`;
  }
  const twice = [...addressesOf(spec)].find((its) => theirs.has(its));
  if (twice === undefined) return undefined;
  return `two services have the address ${twice}.localhost: in ${both}; rename one of them, or give one project another name with localhostess up --name <name>`;
}

/** In the other's folder, or in a worktree of its repository, which has its label in front of the other's names. */
function isWithin(inner: ProjectSpec, outer: ProjectSpec): boolean {
  if (isInside(inner.directory, outer.directory)) return true;
  const { label, repository } = inner.checkout ?? {};
  return label !== undefined && repository === outer.checkout?.repository;
}

/** Without their ending; those that instances share as well. */
function addressesOf({ services }: ProjectSpec): Set<string> {
  const all = services.flatMap(({ routeName, instance }) => [routeName, instance?.routeName]);
  return new Set(all.filter((its) => its !== undefined));
}

/** The two projects, inner domain first, where one domain lies under the other. */
function nestedOf(
  [one, other]: [ProjectSpec, ProjectSpec],
  tlds: readonly string[],
): [ProjectSpec, ProjectSpec] | [undefined] {
  const [its, others] = [one, other].map(({ domain }) => baseOf(domain, tlds));
  if (its === others) return [undefined];
  if (isUnder(its!, others!)) return [one, other];
  return isUnder(others!, its!) ? [other, one] : [undefined];
}
