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
  redis: [...server, "user", "password"],
  valkey: [...server, "user", "password"],
  mysql: [...server, "user", "password", "database"],
  mariadb: [...server, "user", "password", "database"],
  mongodb: [...server, "user", "password", "database"],
  minio: [...server, "user", "password", "region", "bucket", "console_url", "console_port"],
  mailpit: [...server, "smtp_url", "smtp_port"],
  container: server,
  site: server,
  unknown: [],
};

const redis = ["REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"];
const mysql = [
  ...["DATABASE_URL", "MYSQL_URL", "MYSQL_HOST", "MYSQL_PORT", "MYSQL_TCP_PORT"],
  ...["MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE"],
];

/** Type -> variables of the services that depend on it. */
export const giftVariables: Readonly<Record<ServiceType, readonly string[]>> = {
  exec: [],
  process: [],
  worker: [],
  task: [],
  postgres: ["DATABASE_URL", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"],
  redis,
  valkey: [...redis, "VALKEY_URL"],
  mysql,
  mariadb: [
    ...mysql,
    ...["MARIADB_URL", "MARIADB_HOST", "MARIADB_PORT", "MARIADB_USER"],
    ...["MARIADB_PASSWORD", "MARIADB_DATABASE"],
  ],
  mongodb: ["MONGODB_URL", "MONGODB_URI", "MONGO_URL"],
  minio: [
    ...["S3_ENDPOINT", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_BUCKET"],
    ...["AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
  ],
  mailpit: ["MAILPIT_URL", "SMTP_HOST", "SMTP_PORT", "SMTP_URL"],
  container: [],
  site: [],
  unknown: [],
};

/** Every field that any type gives. */
export const allFields: readonly string[] = [...new Set(Object.values(giftFields).flat())];
