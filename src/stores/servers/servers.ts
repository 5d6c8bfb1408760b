/** The name of a store -> how its server is started. */
import type { StoreName } from "../../manifest/types/own.ts";
import { mailpit } from "./mailpit.ts";
import { minio } from "./minio.ts";
import { mongodb } from "./mongodb.ts";
import { mariadb, mysql } from "./mysql.ts";
import { redis, valkey } from "./redis.ts";
import type { StoreServer } from "./server.ts";

export const storeServers: Readonly<Record<StoreName, StoreServer>> = {
  redis,
  valkey,
  mysql,
  mariadb,
  mongodb,
  minio,
  mailpit,
};
