/** The routes of now -> the host names that have to resolve for clients which do not know them. Pure. */
import { storeName } from "../routes/declared-store.ts";
import type { RouteTable } from "../routes/table.ts";
import { isAddressed, type Supervised } from "../routes/supervised.ts";

export type HostNames = {
  /** For the hosts file: ascending, each once, `api.localhost` and `api.test`. */
  names: readonly string[];
  /** Names of services that cannot stand there, in the same form. */
  leftOut: readonly string[];
};

/** Names; more than that are of no project that a person could oversee, and each is two lines. */
export const mostNames = 1_000;

/** RFC 1035 section 2.3.4. */
const longestName = 253;

/** RFC 952, RFC 1123 section 2.1. An underscore is in names of servers, and not in host names. */
const hostLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export type Routed = Pick<RouteTable, "services" | "origins" | "tlds"> & {
  supervised: readonly Supervised[];
};

/**
 * Every name that a person would type: of servers that are listed with an address, of services of a project, stores
 * among them, that are up or that the next request starts, and plain names that show a worktree.
 */
export function hostNames({ services, supervised, origins, tlds }: Routed): HostNames {
  const routed = new Set<string>();
  for (const { name, routable } of services) {
    if (routable) routed.add(name);
  }
  for (const its of supervised) {
    for (const name of namesOf(its)) routed.add(name);
  }
  for (const { name, versions } of origins?.all ?? []) {
    if ([...versions.values()].some((version) => routed.has(version))) routed.add(name);
  }
  const all = [...routed].flatMap((name) => ["localhost", ...tlds].map((its) => `${name}.${its}`));
  const sound = all.filter(isHostName).sort();
  const names = sound.slice(0, mostNames);
  const leftOut = all.filter((name) => !isHostName(name)).sort();
  return { names, leftOut: [...leftOut, ...sound.slice(mostNames)] };
}

/** A service that is down, and that no request starts, has no name, as in the list. */
function namesOf(its: Supervised): string[] {
  if (its.state === "stopped" && !its.lazy) return [];
  const names = isAddressed(its) ? [its.routeName, its.instance?.routeName] : [];
  return [...names, storeName(its)].filter((name) => name !== undefined);
}

/** Whether the hosts file may have it, as `localhostess-hosts` decides: lower case, and under a domain. */
export function isHostName(name: string): boolean {
  const labels = name.split(".");
  return (
    name.length <= longestName && labels.length > 1 && labels.every((its) => hostLabel.test(its))
  );
}

/** Whether a name is one under one of these domains. */
export function isUnder(domains: readonly string[]): (name: string) => boolean {
  return (name) => domains.some((domain) => name.endsWith(`.${domain}`));
}
