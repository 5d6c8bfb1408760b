/** A given name and what runs -> its row: where it leads, or why it leads nowhere now. Pure. */
import { claimOf, type GivenName } from "../../discovery/given-names.ts";
import { naming } from "../../discovery/services.ts";
import { placeArgument, placeWords } from "../../routes/place-words.ts";
import type { Service } from "../../routes/service.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import { routeTable } from "../../routes/table.ts";
import type { Sight } from "../shared/look.ts";

export type GivenRow = {
  name: string;
  /** As `localhostess name` takes it. */
  place: string;
  /** Null while no request for the name goes there. */
  url: string | null;
  /** `shadowed`: the name, or the server, has another meaning that wins. */
  state: "reached" | "waits" | "shadowed";
  /** A clause; null while it is reached. */
  why: string | null;
  /** ISO 8601, UTC. */
  given_at: string;
  /** What is there. */
  server: Service | undefined;
  /** The place in words. */
  words: string;
};

/** Sorted by name. */
export function givenRows(
  names: readonly GivenName[],
  sight: Sight,
  machine: { hostName: string; wsl: boolean; uid: number },
): GivenRow[] {
  const { supervised, tlds, scan, urlPorts, proxy } = sight;
  const { services } = routeTable(sight.services, { supervised, tlds });
  const claims = names.map(claimOf);
  const ownPid = proxy?.pid ?? process.pid;
  const { waiting } = naming(scan, { ...machine, ownPid, claims });
  return names
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, place, givenAt }) => {
      const its = services.find((one) => one.name === name && one.source === "given");
      const left = waiting.find(({ claim }) => claim.name === name);
      const row = {
        name,
        place: placeArgument(place),
        given_at: new Date(givenAt).toISOString(),
        words: placeWords(place),
        server: its,
      };
      if (its?.routable === true) {
        const url = serviceUrl(name, urlPorts.http);
        return { ...row, url, state: "reached" as const, why: null };
      }
      const state = its === undefined ? (left?.kind ?? "waits") : "shadowed";
      // A daemon of an older version gives no names.
      const why = its?.warnings[0] ?? left?.why ?? "the daemon has not looked yet";
      return { ...row, url: null, state, why };
    });
}

/** For programs. */
export function rowJson({ server: _, words: _w, ...row }: GivenRow): object {
  return row;
}
