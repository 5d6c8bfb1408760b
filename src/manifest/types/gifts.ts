/** A type of services -> the names of all that it gives to others: fields of references, and variables. Pure. */
import type { ServiceType } from "./own.ts";

/** Fields of a service with a port; one without has its host alone. */
const server = ["port", "host", "url"];

/** Type -> what may stand in `${services.db.<field>}`. Held equal to what `supervisor/types/` gives by a test. */
export const giftFields: Readonly<Record<ServiceType, readonly string[]>> = {
  exec: server,
  process: server,
  worker: [],
  task: [],
  postgres: [...server, "user", "password", "database"],
  redis: ["port", "host"],
  valkey: ["port", "host"],
  mysql: ["port", "host"],
  mariadb: ["port", "host"],
  mongodb: ["port", "host"],
  minio: ["port", "host"],
  mailpit: ["port", "host"],
  container: server,
  site: server,
  unknown: [],
};

/** Type -> variables of the services that depend on it. */
export const giftVariables: Readonly<Record<ServiceType, readonly string[]>> = {
  exec: [],
  process: [],
  worker: [],
  task: [],
  postgres: ["DATABASE_URL", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"],
  redis: [],
  valkey: [],
  mysql: [],
  mariadb: [],
  mongodb: [],
  minio: [],
  mailpit: [],
  container: [],
  site: [],
  unknown: [],
};

/** Every field that any type gives. */
export const allFields: readonly string[] = [...new Set(Object.values(giftFields).flat())];
