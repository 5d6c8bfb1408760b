/** A given name and what runs -> its row: where it leads, or why it leads nowhere now. Pure. */
import type { GivenName } from "../../discovery/given-names.ts";
import { placeArgument, placeWords } from "../../routes/place-words.ts";
import type { Service } from "../../routes/service.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import { routeTable } from "../../routes/table.ts";
import type { Sight } from "../shared/look.ts";

export const givenStates = ["reached", "waits", "shadowed", "removed"] as const;

export type GivenRow = {
  name: string;
  /** As `localhostess name` takes it. */
  place: string;
  /** Null while no request for the name goes there. */
  url: string | null;
  /** `shadowed`: another server has the name, or the server there has another name. */
  state: (typeof givenStates)[number];
  /** A clause; null while it is reached. */
  why: string | null;
  /** ISO 8601, UTC. */
  given_at: string;
  /** The service that has the name, or has lost it. */
  server: Service | undefined;
  /** The place in words. */
  words: string;
};

export type GivenRowsOptions = {
  sight: Pick<Sight, "services" | "supervised" | "waiting" | "tlds" | "urlPorts">;
  /** Whether a socket is at a path; undefined: nothing is. */
  isSocket(path: string): boolean | undefined;
};

/** Sorted by name. */
export function givenRows(
  names: readonly GivenName[],
  { sight, isSocket }: GivenRowsOptions,
): GivenRow[] {
  const { supervised, tlds, waiting = [], urlPorts } = sight;
  const { services } = routeTable(sight.services, { supervised, tlds });
  return names
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((given): GivenRow => {
      const { name } = given;
      const its = services.find((one) => one.name === name && one.source === "given");
      const left = waiting.find((one) => one.name === name && one.source === "given");
      const row = { ...rowOf(given), server: its };
      // No scan looks for unix sockets.
      if (given.place.kind === "socket" && its?.routable === true) {
        const is = isSocket(given.place.path);
        const why = is === undefined ? "there is no such socket" : "no socket is there now";
        if (is !== true) return { ...row, state: "waits", why };
      }
      if (its?.routable === true) {
        return { ...row, url: serviceUrl(name, urlPorts.http), state: "reached" };
      }
      const state = its === undefined ? (left?.kind ?? "waits") : "shadowed";
      // A daemon of an older version gives no names.
      const why = its?.warnings[0] ?? left?.why ?? "the daemon does not know it yet";
      return { ...row, state, why };
    });
}

/** A name that leads nowhere any more. */
export function rowOf({ name, place, givenAt }: GivenName): GivenRow {
  return {
    name,
    place: placeArgument(place),
    url: null,
    state: "removed",
    why: null,
    given_at: new Date(givenAt).toISOString(),
    server: undefined,
    words: placeWords(place),
  };
}

/** For programs. */
export function rowJson({ server: _, words: _w, ...row }: GivenRow): object {
  return row;
}
