/** `postgres`: our program finds the binaries and the data, and is replaced by the server. */
import type { StorePlace } from "../../manifest/order.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import type { PostgresSpec } from "../../manifest/types/own.ts";
import type { Kind, KindFacts } from "./kind.ts";
import { ordered } from "./ordered.ts";

const user = "postgres";

/** Not `localhost`: another program may have the same port on ::1, and would be sent the password. */
const host = "127.0.0.1";

/** Milliseconds: each check is a process of the server's. */
const checkPeriod = 5000;

function placeOf(spec: ServiceSpec, { project, directory, machine }: KindFacts): StorePlace {
  const { major } = spec.own as PostgresSpec;
  return machine.placeOf({
    ...{ project, directory, service: spec.name, type: "postgres" },
    version: String(major),
  });
}

export const postgres: Kind = {
  launched(spec, facts) {
    const place = placeOf(spec, facts);
    // Made where nobody has asked for it yet: the program only reads it.
    facts.machine.passwordOf(place);
    const made = ordered(spec, { facts, place });
    return {
      ...made,
      // SIGTERM waits for every client to leave; postgres(1), "smart shutdown".
      stopSignal: "SIGINT",
      health: spec.health ?? {
        ask: { kind: "store", store: "postgres" },
        ...{ interval: checkPeriod, timeout: 2000, retries: 3, startPeriod: 0 },
      },
    };
  },
  gives(spec, facts) {
    if (facts.port === undefined) return { fields: {}, variables: {} };
    const { database } = spec.own as PostgresSpec;
    const port = String(facts.port);
    const password = facts.machine.passwordOf(placeOf(spec, facts));
    const login = `${user}:${encodeURIComponent(password)}`;
    const url = `postgres://${login}@${host}:${port}/${encodeURIComponent(database)}`;
    return {
      fields: { url, port, host, user, password, database },
      variables: {
        DATABASE_URL: url,
        PGHOST: host,
        PGPORT: port,
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: database,
      },
    };
  },
};
