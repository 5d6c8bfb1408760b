/** Each kind of store: the words, files and variables that it is started with, from its program and in a container. */
import { describe, expect, test } from "bun:test";
import { type StoreName, storeNames, type StoreSpec } from "../../src/manifest/types/own.ts";
import type { ProgramFacts, StoreFacts } from "../../src/stores/servers/server.ts";
import { storeServers } from "../../src/stores/servers/servers.ts";

const folder = "/state/stores/shop/db/x";
const place = {
  folder,
  data: `${folder}/data`,
  sockets: `${folder}/s`,
  password: `${folder}/password`,
};
const password = "s3cret-of-24_characters.";

function facts(store: StoreName, more: Partial<StoreSpec> = {}): StoreFacts {
  const spec: StoreSpec = {
    ...{ kind: "store", store, version: undefined, from: undefined, image: undefined },
    ...{ database: undefined, buckets: [], settings: {}, ...more },
  };
  return { spec, place, port: 20_001, ports: { console: 20_002, smtp: 20_003 }, password };
}

function started(store: StoreName, more: Partial<StoreSpec> = {}, isRoot = false) {
  const program = { path: `/usr/bin/${store}`, version: "7.0.15" };
  const its: ProgramFacts = { ...facts(store, more), program, env: {}, isRoot };
  return storeServers[store].start(its);
}

function inside(store: StoreName, more: Partial<StoreSpec> = {}) {
  return storeServers[store].inContainer(facts(store, more));
}

describe.each([...storeNames])("%s", (store) => {
  test("has its password in no word of a command line, and listens on 127.0.0.1 alone", () => {
    const { words, files, env } = started(store);
    expect(words.join(" ")).not.toContain(password);
    const all = JSON.stringify([words, files, env]);
    expect(all).toContain("127.0.0.1");
    expect(all).not.toContain("0.0.0.0");
    expect(all).toContain("20001");
    expect(all).toContain(place.data);
    expect(inside(store).words.join(" ")).not.toContain(password);
  });

  test("has an image of its own, and another where the file names one", () => {
    expect(inside(store).spec.image).toMatch(/:[\w.-]+$/);
    expect(inside(store, { image: "mirror/x:1" }).spec.image).toBe("mirror/x:1");
  });

  test("is installed under a version that it says itself", () => {
    const { versionIn } = storeServers[store];
    const [said, version] = versions[store];
    expect(versionIn(said)).toBe(version);
    for (const [other, [theirs]] of Object.entries(versions)) {
      // Some programs have the name of another: mysqld of MariaDB.
      if (other !== store && !["minio", "mailpit"].includes(store)) {
        expect([other, versionIn(theirs)]).toEqual([other, undefined]);
      }
    }
  });
});

/** Recorded: Redis and MariaDB of Debian 12. The others are what their documentation and sources print. */
const versions: Record<StoreName, readonly [said: string, version: string]> = {
  redis: [
    "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0\n",
    "7.0.15",
  ],
  valkey: ["Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0\n", "8.0.1"],
  mysql: [
    "/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)\n",
    "8.0.36",
  ],
  mariadb: [
    "/usr/sbin/mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n",
    "10.11.19",
  ],
  mongodb: ["db version v7.0.5\nBuild Info: {\n", "7.0.5"],
  minio: [
    "minio version RELEASE.2025-09-07T16-13-09Z (commit-id=0)\nRuntime: go1.24\n",
    "2025.09.07",
  ],
  mailpit: ["mailpit v1.27.0 compiled with go1.24.4 on linux/amd64\n", "1.27.0"],
};

test("redis before 6 has no line about a user, at which it would end", () => {
  const { LOCALHOSTESS_CONFIGURATION: old } = inside("redis", { version: "5.0" }).env;
  expect(old).not.toContain("\nuser ");
  expect(inside("redis", { version: "6" }).env.LOCALHOSTESS_CONFIGURATION).toContain("\nuser ");
});

test("redis: settings stand behind what is usual, and before what is ours", () => {
  const { words, files } = started("redis", { settings: { maxmemory: "64mb", save: "" } });
  expect(words).toEqual([`${folder}/redis.conf`]);
  expect(files[`${folder}/redis.conf`]!.split("\n")).toEqual([
    "appendonly yes",
    "maxmemory 64mb",
    'save ""',
    "bind 127.0.0.1",
    "protected-mode yes",
    "port 20001",
    "daemonize no",
    `dir "${place.data}"`,
    "supervised no",
    `unixsocket "${folder}/s/redis.sock"`,
    "unixsocketperm 700",
    `requirepass ${password}`,
    "user localhostess on nopass resetkeys resetchannels -@all +ping",
    "",
  ]);
});

test("redis in a container reads its configuration from a variable, and changes to the image's user", () => {
  const { spec, words, env } = inside("redis", { version: "7" });
  expect(spec).toMatchObject({ image: "redis:7", inside: 6379, data: "/data" });
  expect(words.slice(0, 2)).toEqual(["sh", "-c"]);
  expect(words[2]).toContain("docker-entrypoint.sh");
  expect(env.LOCALHOSTESS_CONFIGURATION).toContain(`requirepass ${password}\n`);
});

test("mariadb: what is declared is there before the first connection, and nobody comes in without a password", () => {
  const { words, files } = started("mariadb", { database: "shop", settings: { sql_mode: "ANSI" } });
  expect(words[0]).toBe("--no-defaults");
  expect(words).toContain("--sql_mode=ANSI");
  expect(words.indexOf("--sql_mode=ANSI")).toBeLessThan(words.indexOf("--port=20001"));
  const sql = files[`${folder}/start.sql`]!;
  expect(sql).toStartWith("DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', ");
  expect(sql).toContain("CREATE DATABASE IF NOT EXISTS `shop`;\n");
  expect(words).toContain(`--init-file=${folder}/start.sql`);
  expect(words).not.toContain("--user=root");
  expect(started("mariadb", {}, true).words.at(-1)).toBe("--user=root");
});

test("mysql and mariadb in containers have the variables of their images", () => {
  expect(inside("mysql").env).toEqual({ MYSQL_ROOT_PASSWORD: password, MYSQL_DATABASE: "app" });
  expect(inside("mariadb", { version: "11", database: "shop" })).toMatchObject({
    spec: { image: "mariadb:11", inside: 3306, data: "/var/lib/mysql" },
    env: { MARIADB_ROOT_PASSWORD: password, MARIADB_DATABASE: "shop" },
  });
  // Checks come from one address there, and must not shut it out.
  expect(inside("mysql").words).toContain("--max-connect-errors=4294967295");
});

test("mongodb: settings are mongod's options", () => {
  expect(
    started("mongodb", { settings: { wiredTigerCacheSizeGB: "0.5", notablescan: "" } }),
  ).toEqual({
    words: [
      ...["--wiredTigerCacheSizeGB", "0.5", "--notablescan", "--dbpath", place.data],
      ...["--bind_ip", "127.0.0.1", "--port", "20001", "--auth"],
      ...["--unixSocketPrefix", place.sockets],
    ],
    env: {},
    files: {},
  });
  expect(inside("mongodb").env).toMatchObject({
    MONGO_INITDB_ROOT_USERNAME: "root",
    MONGO_INITDB_ROOT_PASSWORD: password,
  });
});

test("minio: API and console have a port each, settings are variables, and buckets are folders", () => {
  const { words, env } = started("minio", { settings: { MINIO_BROWSER: "off" } });
  expect(words).toEqual([
    ...["server", place.data, "--address", "127.0.0.1:20001"],
    ...["--console-address", "127.0.0.1:20002"],
  ]);
  expect(env).toEqual({
    MINIO_BROWSER: "off",
    MINIO_ROOT_USER: "localhostess",
    MINIO_ROOT_PASSWORD: password,
  });
  const { spec, words: own } = inside("minio", { buckets: ["uploads", "a.b"] });
  expect(spec.ports).toEqual([{ inside: 9001, outside: 20_002, protocol: "tcp" }]);
  expect(spec.entrypoint).toEqual(["/bin/sh"]);
  expect(own).toEqual([
    "-c",
    "mkdir -p /data/uploads /data/a.b && exec minio server /data --address :9000 --console-address :9001",
  ]);
});

test("mailpit: its page and SMTP have a port each, and nobody outside is asked for a newer one", () => {
  expect(started("mailpit", { settings: { max: "50" } }).words).toEqual([
    ...["--disable-version-check", "--max=50", "--listen", "127.0.0.1:20001"],
    ...["--smtp", "127.0.0.1:20003", "--database", `${place.data}/mailpit.db`],
  ]);
  expect(inside("mailpit").spec.ports).toEqual([
    { inside: 1025, outside: 20_003, protocol: "tcp" },
  ]);
});
