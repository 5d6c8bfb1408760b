import { expect, test } from "bun:test";
import { readLayer } from "../../src/manifest/layer.ts";
import { type Order, orderVariable } from "../../src/manifest/order.ts";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { readManifest } from "../../src/manifest/read/read-manifest.ts";
import type { KindFacts } from "../../src/supervisor/types/kind.ts";
import { postgres } from "../../src/supervisor/types/postgres.ts";
import { noKinds } from "./no-kinds.ts";

const place = { folder: "/p", data: "/p/data", sockets: "/p/s", password: "/p/password" };
const facts: KindFacts = {
  ...{ id: "shop:db", project: "shop", directory: "/srv/shop", port: 21_000, url: undefined },
  portOf: () => undefined,
  machine: { ...noKinds, placeOf: () => place, passwordOf: () => "a/b@c:d" },
} as KindFacts;

function db(more = ""): ServiceSpec {
  const text = `[project]\nname = "shop"\n[services.db]\ntype = "postgres"\n${more}`;
  const layers = [readLayer(text, { name: "locald.toml" })];
  const read = readManifest({ directory: "/srv/shop", layers, envFiles: new Map() });
  if (read.kind === "mistakes") throw new Error(read.mistakes.join("\n"));
  return read.project.services[0]!;
}

test("dependents get an address of 127.0.0.1, in which no letter of a password is taken for another part", () => {
  const { fields, variables } = postgres.gives(db('database = "shop-1"'), facts);
  expect(variables).toEqual({
    DATABASE_URL: "postgres://postgres:a%2Fb%40c%3Ad@127.0.0.1:21000/shop-1",
    PGHOST: "127.0.0.1",
    PGPORT: "21000",
    PGUSER: "postgres",
    PGPASSWORD: "a/b@c:d",
    PGDATABASE: "shop-1",
  });
  expect(fields).toEqual({
    url: variables.DATABASE_URL!,
    host: "127.0.0.1",
    port: "21000",
    user: "postgres",
    password: "a/b@c:d",
    database: "shop-1",
  });
  expect(postgres.gives(db(), { ...facts, port: undefined }).variables).toEqual({});
});

test("it is stopped by SIGINT, is ready by an answer, and has a password that is not in its order", () => {
  const made = postgres.launched(db("version = 16"), facts);
  const asked: string[] = [];
  const machine = {
    ...facts.machine,
    passwordOf: ({ folder }: { folder: string }) => String(asked.push(folder)),
  };
  postgres.launched(db(), { ...facts, machine });
  expect(asked).toEqual(["/p"]);
  expect(made.stopSignal).toBe("SIGINT");
  expect(made.health?.ask).toEqual({ kind: "store", store: "postgres" });
  const order = JSON.parse(made.env[orderVariable]!) as Order;
  expect(order).toMatchObject({ port: 21_000, place, own: { kind: "postgres", major: 16 } });
  expect(JSON.stringify(made)).not.toContain("a/b@c:d");
});
