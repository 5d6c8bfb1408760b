/** A command line, or a port -> the store that it is, which speaks a protocol of its own, and not HTTP. Pure. */
import { type Store, storePorts } from "../routes/store-ports.ts";
import type { CommandWords } from "./command-words.ts";

/** Stores, by their word and what they speak. */
const stores = new Map<string, readonly [word: string, protocol: string]>(
  Object.entries<readonly [word: string, protocol: string]>({
    postgres: ["postgres", "PostgreSQL"],
    postmaster: ["postgres", "PostgreSQL"],
    pgbouncer: ["pgbouncer", "PostgreSQL"],
    mysqld: ["mysql", "MySQL"],
    mariadbd: ["mariadb", "MySQL"],
    "redis-server": ["redis", "Redis"],
    "redis-sentinel": ["redis", "Redis"],
    "valkey-server": ["valkey", "Redis"],
    "keydb-server": ["keydb", "Redis"],
    dragonfly: ["dragonfly", "Redis"],
    mongod: ["mongo", "MongoDB"],
    mongos: ["mongo", "MongoDB"],
    memcached: ["memcached", "memcached"],
    "nats-server": ["nats", "NATS"],
    mosquitto: ["mqtt", "MQTT"],
    sqlservr: ["mssql", "SQL Server"],
    scylla: ["scylla", "CQL"],
  }),
);

/** The class that a program of Java runs; clients of these have their names in the class path. */
const javaStores = / (?:kafka\.Kafka|org\.apache\.(?:zookeeper|cassandra)\.[\w.]+)(?: |$)/;

/** Undefined: its command line does not say that it is one. */
export function storeOf({ tool, program, own, command }: CommandWords): Store | undefined {
  const [word, protocol] = stores.get(tool ?? "") ?? (own ? undefined : stores.get(program)) ?? [];
  if (word !== undefined && protocol !== undefined) return { word, protocol };
  const [java] = (program === "java" && javaStores.exec(command)) || [];
  const [kind] = (java !== undefined && /kafka|zookeeper|cassandra/.exec(java)) || [];
  return kind === undefined ? undefined : { word: kind, protocol: kind };
}

export function storeAt(port: number): Store | undefined {
  return storePorts.get(port);
}
