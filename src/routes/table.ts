/** A snapshot of services into the service that a name means, and into what the supervisor says of that name. */
import { withRights } from "./rights.ts";
import type { Service } from "./service.ts";
import type { Supervised } from "./supervised.ts";

export interface RouteTable {
  /** Everything that was seen, unroutable ones too: also those whose names are a project's. */
  readonly services: readonly Service[];
  /** The names that lead somewhere, ascending. */
  readonly names: readonly string[];
  /** Domains besides `localhost` that a name may be written with. */
  readonly tlds: readonly string[];
  /** Whether a name without a dot is answered to clients that no proxy setting sends here. */
  answersBare(name: string): boolean;
  /** The service with this name, or with the longest ending of it: `x.api` reaches `api`. */
  find(name: string): Service | undefined;
  /** What the supervisor says of this name, or of the longest ending of it that a project has given to a service. */
  supervised(name: string): Supervised | undefined;
}

export type TableOptions = {
  tlds?: readonly string[];
  supervised?: readonly Supervised[];
  /** Names without a dot that lead here by more than a resolver's word. */
  answersBare?: BareNames | undefined;
};

export type BareNames = "all" | ReadonlySet<string>;

const noNames: BareNames = new Set();

export function routeTable(
  seen: readonly Service[],
  { tlds = [], supervised = [], answersBare = noNames }: TableOptions = {},
): RouteTable {
  const services = withRights(seen, { tlds, supervised });
  const byName = new Map<string, Service>();
  for (const service of services) {
    if (service.routable) byName.set(service.name, service);
  }
  const supervisedByName = new Map<string, Supervised>();
  for (const one of supervised) {
    if (one.routeName !== undefined) supervisedByName.set(one.routeName, one);
  }
  return {
    services,
    names: [...byName.keys()].sort(),
    tlds,
    answersBare: (name) => answersBare === "all" || answersBare.has(name),
    find: (name) => longestEnding(byName, name),
    supervised: (name) => longestEnding(supervisedByName, name),
  };
}

function longestEnding<T>(byName: ReadonlyMap<string, T>, name: string): T | undefined {
  if (byName.size === 0) return undefined;
  for (let rest = name; ;) {
    const found = byName.get(rest);
    if (found !== undefined) return found;
    const dot = rest.indexOf(".");
    if (dot === -1) return undefined;
    rest = rest.slice(dot + 1);
  }
}
