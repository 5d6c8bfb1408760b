/** A store with its ports and its password -> the fields and variables that it gives to others. Pure. */
import type { StoreName, StoreSpec } from "../../manifest/types/own.ts";
import { storeUser, usualDatabase } from "../../manifest/types/usual.ts";
import type { Gift } from "./kind.ts";

export type StoreGiving = {
  own: StoreSpec;
  port: number;
  /** By use; undefined: there was none left. */
  ports: Readonly<Record<string, number | undefined>>;
  /** Made where there is none yet. @throws with a sentence. */
  password(): string;
};

type Gives = (giving: StoreGiving) => Gift;

/**
 * Stores listen there alone. With `localhost`, clients of MySQL take the system's own unix socket, whatever the port;
 * and others would send their passwords to whoever listens on ::1.
 */
const address = "127.0.0.1";

const redis: Gives = ({ port: number, password: read }) => {
  const [port, password] = [String(number), read()];
  const url = `redis://:${password}@${address}:${port}/0`;
  return {
    fields: { url, port, host: address, user: storeUser.redis, password },
    variables: {
      ...{ REDIS_URL: url, REDIS_HOST: address, REDIS_PORT: port, REDIS_PASSWORD: password },
    },
  };
};

const valkey: Gives = (giving) => {
  const { fields, variables } = redis(giving);
  return { fields, variables: { ...variables, VALKEY_URL: fields.url! } };
};

const mysql: Gives = ({ own, port: number, password: read }) => {
  const [port, password, user] = [String(number), read(), storeUser.mysql];
  const database = own.database ?? usualDatabase;
  const url = `mysql://${user}:${password}@${address}:${port}/${database}`;
  return {
    fields: { url, port, host: address, user, password, database },
    variables: {
      ...{ DATABASE_URL: url, MYSQL_URL: url, MYSQL_HOST: address, MYSQL_TCP_PORT: port },
      ...{ MYSQL_PORT: port, MYSQL_USER: user, MYSQL_PASSWORD: password },
      MYSQL_DATABASE: database,
    },
  };
};

/** Clients of MariaDB read the variables of MySQL, too. */
const mariadb: Gives = (giving) => {
  const { fields, variables } = mysql(giving);
  const { url, host, port, user, password, database } = fields;
  return {
    fields,
    variables: {
      ...variables,
      ...{ MARIADB_URL: url!, MARIADB_HOST: host!, MARIADB_PORT: port!, MARIADB_USER: user! },
      ...{ MARIADB_PASSWORD: password!, MARIADB_DATABASE: database! },
    },
  };
};

const mongodb: Gives = ({ own, port: number, password: read }) => {
  const [port, password, user] = [String(number), read(), storeUser.mongodb];
  const database = own.database ?? usualDatabase;
  const url = `mongodb://${user}:${password}@${address}:${port}/${database}?authSource=admin`;
  return {
    fields: { url, port, host: address, user, password, database },
    variables: { MONGODB_URL: url, MONGODB_URI: url, MONGO_URL: url },
  };
};

/** Every client of S3 wants a region, and MinIO takes this one if it is told of no other. */
const region = "us-east-1";

const minio: Gives = ({ own, port: number, ports, password: read }) => {
  const [port, secret, user] = [String(number), read(), storeUser.minio];
  const url = `http://${address}:${port}`;
  const [bucket] = own.buckets;
  const { console } = ports;
  return {
    fields: {
      ...{ url, port, host: address, user, password: secret, region },
      ...(console === undefined
        ? {}
        : { console_port: String(console), console_url: `http://${address}:${console}` }),
      ...(bucket === undefined ? {} : { bucket }),
    },
    variables: {
      ...{ S3_ENDPOINT: url, AWS_ENDPOINT_URL_S3: url, AWS_REGION: region, S3_REGION: region },
      ...{ AWS_ACCESS_KEY_ID: user, AWS_SECRET_ACCESS_KEY: secret },
      ...{ S3_ACCESS_KEY_ID: user, S3_SECRET_ACCESS_KEY: secret },
      ...(bucket === undefined ? {} : { S3_BUCKET: bucket }),
    },
  };
};

/** Whoever sends mail needs no password. */
const mailpit: Gives = ({ port, ports: { smtp } }) => {
  const url = `http://${address}:${port}`;
  const mail = `smtp://${address}:${smtp}`;
  return {
    fields: {
      ...{ url, port: String(port), host: address },
      ...(smtp === undefined ? {} : { smtp_port: String(smtp), smtp_url: mail }),
    },
    variables: {
      MAILPIT_URL: url,
      ...(smtp === undefined
        ? {}
        : { SMTP_HOST: address, SMTP_PORT: String(smtp), SMTP_URL: mail }),
    },
  };
};

export const storeGifts: Readonly<Record<StoreName, Gives>> = {
  ...{ redis, valkey, mysql, mariadb, mongodb, minio, mailpit },
};
