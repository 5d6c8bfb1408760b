/** The keys of `type = "redis"` and its like -> a managed store. Pure. */
import { array, description, optional, picklist, pipe, regex } from "valibot";
import { expected, text } from "./forms.ts";
import type { StoreName, StoreSpec } from "./own.ts";
import { settingsIn } from "./postgres.ts";
import type { OwnReader } from "./reader.ts";

export const storeKeys = {
  from: optional(
    pipe(
      picklist(["program", "container"], expected('"program" or "container"')),
      description(
        "Of a store: only from an installed program, or only in a container; by default the first of them that there is.",
      ),
    ),
  ),
  buckets: optional(
    pipe(
      array(
        pipe(
          text("a bucket's name"),
          regex(
            /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
            'expected a bucket such as "uploads": 3 to 63 lower-case letters, digits, "." and "-"',
          ),
        ),
        expected('a list such as ["uploads"]'),
      ),
      description("Of minio: buckets that are made."),
    ),
  ),
};

/** Settings that are ours to make: where it listens, where its data is, who may log in. */
const ownRedis =
  /^(?:bind|port|unixsocket\w*|dir|requirepass|user|aclfile|daemonize|supervised|protected-mode|tls-port)$/i;
const ownMysql =
  /^(?:(?:no-)?defaults|datadir|bind[-_]address|port|socket|pid[-_]file|init[-_]file|user|skip[-_]networking|skip[-_]grant[-_]tables|initialize\w*)$/i;
const ownSettings: Readonly<Record<StoreName, RegExp>> = {
  redis: ownRedis,
  valkey: ownRedis,
  mysql: ownMysql,
  mariadb: ownMysql,
  mongodb: /^(?:dbpath|bind_ip(?:_all)?|port|auth|noauth|unixSocketPrefix|config|fork)$/i,
  minio: /^MINIO_(?:ROOT_USER|ROOT_PASSWORD|ADDRESS|CONSOLE_ADDRESS|VOLUMES)(?:_FILE)?$/,
  mailpit: /^(?:listen|smtp|database|config|version|help)$/,
};

export function readStore(store: StoreName, reader: OwnReader): StoreSpec {
  const { value, wrong } = reader;
  const settings = settingsIn(reader);
  const ours = Object.keys(settings).find((name) => ownSettings[store].test(name));
  if (ours !== undefined) wrong("settings", `${ours} cannot be set: localhostess sets it`);
  if (store === "minio" && value<string>("version") !== undefined) {
    const image = 'image = "minio/minio:RELEASE.2025-09-07T16-13-09Z"';
    wrong("version", `versions of minio are dates; write an image, such as ${image}`);
  }
  if (value<string>("from") === "program" && value<string>("image") !== undefined) {
    wrong("image", 'an installed program needs no image; leave out from = "program", or the image');
  }
  return {
    kind: "store",
    store,
    version: value<string>("version"),
    from: value<"program" | "container">("from"),
    image: value<string>("image"),
    database: value<string>("database"),
    buckets: value<string[]>("buckets") ?? [],
    settings,
  };
}
