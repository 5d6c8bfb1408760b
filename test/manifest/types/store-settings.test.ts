/** Settings of stores that are ours to make are refused where they are written. */
import { expect, test } from "bun:test";
import { storeNames } from "../../../src/manifest/types/own.ts";
import { mistakes } from "../manifest.ts";

const ours: Record<(typeof storeNames)[number], readonly string[]> = {
  redis: ["requirepass", "bind", "PORT", "dir", "unixsocketperm"],
  valkey: ["user", "daemonize"],
  mysql: ["datadir", "bind-address", "bind_address", "init_file", "skip-grant-tables"],
  mariadb: ["socket", "port"],
  mongodb: ["dbpath", "auth", "bind_ip_all"],
  minio: ["MINIO_ROOT_PASSWORD", "MINIO_ROOT_USER_FILE"],
  mailpit: ["smtp", "database"],
};

for (const store of storeNames) {
  test(`${store}: where it listens, where its data is and who may log in cannot be set`, () => {
    for (const name of ours[store]) {
      const toml = `[services]\nit = { type = "${store}", settings = { ${name} = "x" } }\n`;
      expect(mistakes(toml)).toEqual([
        expect.stringContaining(`${name} cannot be set: localhostess sets it`),
      ]);
    }
  });
}

test("what is like them can be set", () => {
  const toml = `[services]
redis = { type = "redis", settings = { maxmemory = "64mb", port-x = "1" } }
mysql = { type = "mysql", settings = { bind-address-x = "1", max_connections = 5 } }
`;
  expect(mistakes(toml)).toEqual([]);
});

test("minio has no versions but those of images, and an installed program no image", () => {
  const made = (more: string) => mistakes(`[services]\nit = { type = "minio", ${more} }\n`);
  expect(made("version = 2025")).toEqual([expect.stringContaining("write an image, such as")]);
  expect(made('from = "program", image = "x"')).toEqual([
    expect.stringContaining("an installed program needs no image"),
  ]);
});
