/** A snapshot of services into the service that a name means. */
import type { Service } from "./service.ts";

export interface RouteTable {
  /** Everything that was seen, unroutable ones too. */
  readonly services: readonly Service[];
  /** The names that lead somewhere, ascending. */
  readonly names: readonly string[];
  /** Domains besides `localhost` that a name may be written with. */
  readonly tlds: readonly string[];
  /** The service with this name, or with the longest ending of it: `x.api` reaches `api`. */
  find(name: string): Service | undefined;
}

export function routeTable(
  services: readonly Service[],
  { tlds = [] }: { tlds?: readonly string[] } = {},
): RouteTable {
  const byName = new Map<string, Service>();
  for (const service of services) {
    if (service.routable) byName.set(service.name, service);
  }
  return {
    services,
    names: [...byName.keys()].sort(),
    tlds,
    find(name) {
      for (let rest = name; ;) {
        const service = byName.get(rest);
        if (service !== undefined) return service;
        const dot = rest.indexOf(".");
        if (dot === -1) return undefined;
        rest = rest.slice(dot + 1);
      }
    },
  };
}
