/** Every key that only some types have -> its schema, and the types that have it. Pure. */
import { buildKeys } from "./built.ts";
import { containerKeys } from "./container.ts";
import { commandTypes, type ServiceType, storeNames } from "./own.ts";
import { postgresKeys } from "./postgres.ts";
import { siteKeys } from "./site.ts";
import { storeKeys } from "./store.ts";

export const ownKeys = {
  ...postgresKeys,
  ...storeKeys,
  ...containerKeys,
  ...siteKeys,
  ...buildKeys,
};

export type OwnKey = keyof typeof ownKeys;

/** The types that have a key. */
export const typesWith: Readonly<Record<OwnKey, readonly ServiceType[]>> = {
  version: ["postgres", ...storeNames],
  database: ["postgres", "mysql", "mariadb", "mongodb"],
  init: ["postgres"],
  settings: ["postgres", ...storeNames],
  extensions: ["postgres"],
  from: storeNames,
  buckets: ["minio"],
  image: ["container", ...storeNames],
  container_port: ["container"],
  ports: ["container"],
  volumes: ["container"],
  entrypoint: ["container"],
  user: ["container"],
  pull: ["container"],
  build: [...commandTypes, "container", "site"],
  path: ["site"],
  spa: ["site"],
  listing: ["site"],
  reload: ["site"],
};
