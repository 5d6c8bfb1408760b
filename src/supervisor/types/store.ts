/** `redis` and its like: our program finds an installed program, or runs a container. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { StoreSpec } from "../../manifest/types/own.ts";
import type { Kind, KindFacts } from "./kind.ts";
import { ordered } from "./ordered.ts";

function placeOf(spec: ServiceSpec, { project, directory, machine }: KindFacts) {
  const { store, version } = spec.own as StoreSpec;
  return machine.placeOf({ project, directory, service: spec.name, type: store, version });
}

export const store: Kind = {
  launched(spec, facts) {
    return {
      ...ordered(spec, { facts, place: placeOf(spec, facts) }),
      health: spec.health ?? {
        ask: { kind: "store", store: (spec.own as StoreSpec).store },
        ...{ interval: 1000, timeout: 2000, retries: 3, startPeriod: 0 },
      },
    };
  },
  gives(_spec, { port }) {
    if (port === undefined) return { fields: {}, variables: {} };
    return { fields: { port: String(port), host: "localhost" }, variables: {} };
  },
};
