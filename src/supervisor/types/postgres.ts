/** `postgres`: our program finds the binaries and the data, and is replaced by the server. */
import type { StorePlace } from "../../manifest/order.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import type { PostgresSpec } from "../../manifest/types/own.ts";
import type { Kind, KindFacts } from "./kind.ts";
import { ordered } from "./ordered.ts";

const user = "postgres";

function placeOf(spec: ServiceSpec, { project, directory, machine }: KindFacts): StorePlace {
  const { major } = spec.own as PostgresSpec;
  return machine.placeOf({
    ...{ project, directory, service: spec.name, type: "postgres" },
    version: String(major),
  });
}

export const postgres: Kind = {
  launched(spec, facts) {
    const made = ordered(spec, { facts, place: placeOf(spec, facts) });
    return {
      ...made,
      // SIGTERM waits for every client to leave; postgres(1), "smart shutdown".
      stopSignal: "SIGINT",
      health: spec.health ?? {
        ask: { kind: "store", store: "postgres" },
        ...{ interval: 1000, timeout: 2000, retries: 3, startPeriod: 0 },
      },
    };
  },
  gives(spec, facts) {
    if (facts.port === undefined) return { fields: {}, variables: {} };
    const { database } = spec.own as PostgresSpec;
    const port = String(facts.port);
    const password = facts.machine.passwordOf(placeOf(spec, facts));
    const url = `postgres://${user}:${password}@localhost:${port}/${database}`;
    return {
      fields: { url, port, host: "localhost", user, password, database },
      variables: {
        DATABASE_URL: url,
        PGHOST: "localhost",
        PGPORT: port,
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: database,
      },
    };
  },
};
