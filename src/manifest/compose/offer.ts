/** An image that many projects have -> a comment with the managed type in its place. Pure. */
import type { ServiceType } from "../types/own.ts";

const types: Readonly<Record<string, ServiceType>> = {
  ...{ postgres: "postgres", redis: "redis", mysql: "mysql", mariadb: "mariadb", mongo: "mongodb" },
  ...{ "valkey/valkey": "valkey", "minio/minio": "minio", "axllent/mailpit": "mailpit" },
};

/** Undefined: no type of ours is the same. */
export function offerOf(image: string): string | undefined {
  const [, name = "", tag = ""] =
    /^(?:docker\.io\/)?(?:library\/)?([a-z0-9_./-]+?)(?::([\w.-]+))?(?:@.*)?$/.exec(image) ?? [];
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (type === undefined) return undefined;
  const version = /^[0-9]+(?:\.[0-9]+)*/.exec(tag)?.[0];
  const major = version?.split(".")[0];
  const written =
    version === undefined
      ? ""
      : `, version = ${type === "postgres" ? major : JSON.stringify(version)}`;
  return `Without a container it is: type = "${type}"${written}`;
}
