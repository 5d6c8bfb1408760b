/** `type = "redis"` and its like: their keys, and what is wrong with them. */
import { expect, test } from "bun:test";
import { storeNames } from "../../../src/manifest/types/own.ts";
import { mistakes, project, service } from "../manifest.ts";

const table = (type: string, keys: string): string => `[services.db]\ntype = "${type}"\n${keys}\n`;

test("every store is a type that needs no key", () => {
  for (const type of storeNames) {
    const spec = service(table(type, ""), "db");
    expect(spec).toMatchObject({
      type,
      own: { kind: "store", store: type, version: undefined, from: undefined, buckets: [] },
    });
    // A person opens the pages of these two.
    const hasPage = type === "minio" || type === "mailpit";
    expect(spec.routeName).toBe(hasPage ? "db.shop" : undefined);
  }
});

test("every key is read", () => {
  const text = table("redis", 'version = 7.2\nfrom = "program"\nsettings = { save = "" }');
  expect(service(text, "db").own).toMatchObject({
    version: "7.2",
    from: "program",
    settings: { save: "" },
  });
  expect(service(table("mysql", 'database = "shop"\nimage = "mysql:8"'), "db").own).toMatchObject({
    database: "shop",
    image: "mysql:8",
  });
  expect(service(table("minio", 'buckets = ["uploads", "a.b"]'), "db").own).toMatchObject({
    buckets: ["uploads", "a.b"],
  });
});

const wrong: [type: string, keys: string, told: string][] = [
  ["redis", 'database = "x"', "database: only for a service of type"],
  ["minio", 'database = "x"', "database: only for a service of type"],
  ["redis", 'buckets = ["abc"]', 'buckets: only for a service of type "minio"'],
  ["minio", 'buckets = ["A"]', "buckets[0]: expected a bucket such as"],
  ["minio", 'buckets = "uploads"', 'buckets: expected a list such as ["uploads"]'],
  ["redis", 'from = "image"', 'from: expected "program" or "container", got "image"'],
  ["redis", 'init = ["x.sql"]', 'init: only for a service of type "postgres"'],
  ["redis", 'volumes = ["a:/b"]', 'volumes: only for a service of type "container"'],
  ["redis", "args = []", "args: its program is not declared"],
  ["redis", "lazy = true", "lazy: it has no address"],
  ["mailpit", "instances = 2", "instances: two of it would share their data"],
  ["redis", 'build = "."', 'build: only for a service of type "exec",'],
];

for (const [type, keys, told] of wrong) {
  test(`${keys} of ${type} is an error with its line`, () => {
    expect(mistakes(table(type, keys))).toEqual([
      expect.stringContaining(`locald.toml:3 services.db.${told}`),
    ]);
  });
}

test("a store with a page may be started by its first request, and has the keys of a name", () => {
  expect(project(table("mailpit", 'lazy = true\nguard = "off"')).warnings).toEqual([]);
});
