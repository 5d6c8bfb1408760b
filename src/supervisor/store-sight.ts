/** A service of a project -> the store that it is, with its place and what it gives to others; or why it is none. */
import type { StorePlace } from "../manifest/order.ts";
import type { ServiceSpec } from "../manifest/project.ts";
import { listed } from "../text/list.ts";
import type { Place } from "./project/folders.ts";
import type { Gift, KindMachine } from "./types/kind.ts";

/** Why nothing can be done, for a person. */
export class StoreRefusal extends Error {}

export type Store = {
  /** `shop:db`. */
  id: string;
  at: Place;
  /** `postgres`. */
  type: string;
  /** `17`; undefined: the file says none. */
  version: string | undefined;
  /** `postgres 17`. */
  store: string;
  place: StorePlace;
  gift: Gift;
};

export type FoundStore = { kind: "store"; store: Store } | { kind: "none"; why: string };

type Among = {
  /** As somebody typed it; undefined: none was. */
  name: string | undefined;
  machine: Pick<KindMachine, "placeOf">;
};

/** The one that is meant: without a name, a PostgreSQL goes before other stores. */
export function storeAmong(places: readonly Place[], { name, machine }: Among): FoundStore {
  const [first] = places;
  const stores = places.filter(({ unit }) => kindOfStore(unit.spec) !== undefined);
  const postgres = stores.filter(({ unit }) => unit.spec.own?.kind === "postgres");
  const meant = postgres.length === 1 ? postgres : stores;
  if (meant.length === 1) return seen(meant[0]!, machine);
  if (meant.length > 1) {
    const ids = listed(
      meant.map(({ unit }) => unit.id),
      { conjunction: "or" },
    );
    return { kind: "none", why: `several stores are meant: name one of ${ids}` };
  }
  if (name === undefined || places.length > 1) {
    return { kind: "none", why: 'the project has no managed store, such as type = "postgres"' };
  }
  const type = first?.unit.spec.type ?? "unknown";
  const why = `${first?.unit.id ?? name} is no managed store (its type is ${type})`;
  return { kind: "none", why };
}

function seen(at: Place, machine: Among["machine"]): FoundStore {
  const { project, unit } = at;
  const { type, version } = kindOfStore(unit.spec)!;
  const { name, directory } = project.spec;
  try {
    const place = machine.placeOf({
      ...{ project: name, directory, service: unit.spec.name, type, version },
    });
    const gift = project.giftOf(unit.spec.name) ?? { fields: {}, variables: {} };
    const store = version === undefined ? type : `${type} ${version}`;
    return { kind: "store", store: { id: unit.id, at, type, version, store, place, gift } };
  } catch (error) {
    return { kind: "none", why: (error as Error).message };
  }
}

/** The type and version of a store, as its place has them. Undefined: it is none. */
export function kindOfStore({
  own,
}: Pick<ServiceSpec, "own">): { type: string; version: string | undefined } | undefined {
  if (own?.kind === "postgres") return { type: "postgres", version: String(own.major) };
  return own?.kind === "store" ? { type: own.store, version: own.version } : undefined;
}
