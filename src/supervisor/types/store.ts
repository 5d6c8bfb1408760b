/** `redis` and its like: our program finds an installed program, or runs a container. */
import type { HealthCheck, ServiceSpec } from "../../manifest/project.ts";
import type { StoreName, StoreSpec } from "../../manifest/types/own.ts";
import { storeGifts } from "./store-gifts.ts";
import type { Kind, KindFacts } from "./kind.ts";
import { ordered } from "./ordered.ts";

/** The uses of ports besides the store's own. */
const further: Partial<Record<StoreName, readonly string[]>> = {
  minio: ["console"],
  mailpit: ["smtp"],
};

/** Stores that speak HTTP say so there. */
const readyPath: Partial<Record<StoreName, string>> = {
  minio: "/minio/health/ready",
  mailpit: "/readyz",
};

/** Milliseconds between two checks: a second would be a line a second in the log of some. */
const interval = 5000;

function placeOf(spec: ServiceSpec, { project, directory, machine }: KindFacts) {
  const { store, version } = spec.own as StoreSpec;
  return machine.placeOf({ project, directory, service: spec.name, type: store, version });
}

function furtherPorts({ own }: ServiceSpec): readonly string[] {
  return further[(own as StoreSpec).store] ?? [];
}

function askOf(store: StoreName): HealthCheck["ask"] {
  const path = readyPath[store];
  return path === undefined ? { kind: "store", store } : { kind: "http", path };
}

export const store: Kind = {
  furtherPorts,
  launched(spec, facts) {
    const place = placeOf(spec, facts);
    // Made before our program reads it, whether anybody depends on the store or not.
    facts.machine.passwordOf(place);
    return {
      // Redis draws a picture on a terminal.
      ...ordered({ ...spec, pty: false }, { facts, place, further: furtherPorts(spec) }),
      health: spec.health ?? {
        ask: askOf((spec.own as StoreSpec).store),
        ...{ interval, timeout: 2000, retries: 3, startPeriod: 0 },
      },
    };
  },
  tidy: (spec, { directory, machine }) =>
    machine.removeContainers({ directory, service: spec.name }),
  gives(spec, facts) {
    const { port, portOf, machine } = facts;
    if (port === undefined) return { fields: {}, variables: {} };
    const own = spec.own as StoreSpec;
    const ports = Object.fromEntries(furtherPorts(spec).map((its) => [its, portOf(its)]));
    return storeGifts[own.store]({
      ...{ own, port, ports },
      password: () => machine.passwordOf(placeOf(spec, facts)),
    });
  },
};
