/** Plans that are right, the order of their steps, and what they come to. */
import { expect, test } from "bun:test";
import { appliedPlan, portNames } from "../../src/plugins/apply-plan.ts";
import type { Capability } from "../../src/plugins/plan.ts";
import { readApplied, readPlan } from "../../src/plugins/read-plan.ts";
import { settingsOf, settingsTable } from "../../src/plugins/settings-table.ts";
import { validatePlan } from "../../src/plugins/validate-plan.ts";
import {
  file,
  get,
  image,
  literal,
  plan,
  port,
  service,
  template,
  text,
  unsigned,
  web,
} from "./plans.ts";

const all: readonly Capability[] = ["oci-pull", "render-template", "write-file"];

function validated(value: unknown, granted = all) {
  const read = readPlan(value);
  if (read.kind === "mistakes") throw new Error(read.mistakes.join("\n"));
  return validatePlan(read.plan, { granted, service: "cache", taken: ["api"] });
}

function applied(value: unknown, ports: Record<string, number> = {}) {
  const { mistakes, order } = validated(value);
  expect(mistakes).toEqual([]);
  return appliedPlan(order, ports);
}

const redis = plan(
  [
    service("svc", {
      name: "cache",
      runtime: "container",
      needs: ["port", "img", "conf"],
      image: get("img", "image"),
      port: get("port", "port"),
      container_port: unsigned(6379),
      "volumes.0": text("data:/data"),
      "volumes.1": text("./.cache/redis.conf:/redis.conf:ro"),
      command: text("redis-server /redis.conf"),
      "env.CONF": get("conf", "path"),
      "env.PORT": get("port", "port"),
    }),
    file("conf", ".cache/redis.conf", get("text", "rendered"), ["text"]),
    template("text", '# port {{ port }} of {{host}}\nsave {{a}} {{"{{"}}\n', {
      needs: ["port"],
      port: get("port", "port"),
      host: get("port", "host"),
      a: literal("boolean", true),
    }),
    port("port", "redis"),
    image("img", "redis:7.4@sha256:" + "0a".repeat(32)),
  ],
  { requested: ["oci_pull", "render-template", "write-file", "declare-service"] },
);

test("a plan with every operation becomes services with a file's keys, files and images", () => {
  expect(applied(redis, { redis: 21_000 })).toEqual({
    services: {
      cache: {
        type: "container",
        image: `redis:7.4@sha256:${"0a".repeat(32)}`,
        port: 21_000,
        container_port: 6379,
        volumes: ["data:/data", "./.cache/redis.conf:/redis.conf:ro"],
        command: "redis-server /redis.conf",
        env: { CONF: ".cache/redis.conf", PORT: "21000" },
      },
    },
    files: [{ path: ".cache/redis.conf", contents: "# port 21000 of 127.0.0.1\nsave true {{\n" }],
    images: [`redis:7.4@sha256:${"0a".repeat(32)}`],
  });
});

test("a step comes after those that it needs, and of those that can be next the first in the plan", () => {
  const { order } = validated(redis);
  expect(order.map(({ id }) => id)).toEqual(["port", "text", "conf", "img", "svc"]);
  expect(portNames(order)).toEqual(["redis"]);
});

test("the order of independent steps is that of the plan", () => {
  const ids = ["z", "a", "m", "b"];
  const { order } = validated(plan([...ids.map((id) => port(id)), web]));
  expect(order.map(({ id }) => id)).toEqual([...ids, "web"]);
});

test("a plan in which nothing but the usual is asked for needs no grant", () => {
  const its = plan([
    port("http"),
    service("web", { needs: ["http"], command: text("x"), port: get("http", "port") }),
  ]);
  expect(validated(its, [])).toMatchObject({ mistakes: [], missing: [] });
});

test("what a plan needs and has not been granted is no mistake, and is told in the order of capabilities", () => {
  expect(validated(redis, ["render-template"])).toMatchObject({
    mistakes: [],
    missing: ["oci-pull", "write-file"],
  });
});

test("an image in the settings needs the same capability as a step that pulls", () => {
  const its = plan([service("cache", { runtime: "container", image: text("redis:7") })], {
    requested: ["oci-pull"],
  });
  expect(validated(its, []).missing).toEqual(["oci-pull"]);
});

test("a plan as locald's plugins give it is understood", () => {
  const its = plan(
    [
      port("port", "redis"),
      service("svc", {
        name: "redis",
        runtime: "container",
        needs: ["port"],
        image: text("redis:7"),
        port: get("port", "port"),
      }),
      file("note", { value: "redis.txt" } as never, "started by a plugin"),
    ],
    { requested: ["oci_pull", "write_file"] },
  );
  expect(applied(its, { redis: 20_001 })).toEqual({
    services: { redis: { type: "container", image: "redis:7", port: 20_001 } },
    files: [{ path: "redis.txt", contents: "started by a plugin" }],
    images: ["redis:7"],
  });
});

test("one plan may declare several services, refer from one to the other, and take the name that it stands for", () => {
  const its = plan([
    service("one", { name: "cache", command: text("a"), port: unsigned(4000) }),
    service("two", {
      name: "cache-admin",
      needs: ["one"],
      command: text("b"),
      "depends_on.0": get("one", "name"),
      "env.PORT_OF_CACHE": get("one", "port"),
    }),
  ]);
  expect(applied(its).services["cache-admin"]).toEqual({
    type: "exec",
    command: "b",
    depends_on: ["cache"],
    env: { PORT_OF_CACHE: "4000" },
  });
});

test("needs that stand twice, and a need of a need, are fine", () => {
  const its = plan([
    port("a"),
    port("b", "b", ["a", "a"]),
    service("web", { needs: ["b"], command: text("x"), port: get("a", "port") }),
  ]);
  expect(applied(its, { a: 1, b: 2 }).services.web).toMatchObject({ port: 1 });
});

for (const its of [
  "redis",
  "redis:7",
  "library/redis",
  "ghcr.io/a/b_c:v1.0",
  "localhost:5000/x/y",
  "a.b/c@sha256:" + "f".repeat(64),
]) {
  test(`the image ${its} is well-formed`, () => {
    const { mistakes } = validated(
      plan([service("x", { runtime: "container", image: text(its) })], { requested: ["oci-pull"] }),
    );
    expect(mistakes).toEqual([]);
  });
}

for (const path of [
  "a",
  ".env",
  "config/redis.conf",
  ".github-like/x",
  "gitignore",
  "a/locald.toml.example",
]) {
  test(`a plan may write ${path}`, () => {
    expect(
      validated(plan([web, file("f", path, text(""))], { requested: ["write-file"] })).mistakes,
    ).toEqual([]);
  });
}

test("bytes are written as they are", () => {
  const its = plan([web, file("f", "a.bin", literal("bytes", [0, 255]))], {
    requested: ["write-file"],
  });
  expect(applied(its).files).toEqual([{ path: "a.bin", contents: new Uint8Array([0, 255]) }]);
});

test("diagnostics in the place of a plan are told as they are", () => {
  const value = { tag: "err", val: { warnings: ["old"], errors: ["no version 3"] } };
  expect(readApplied(value)).toEqual({
    kind: "diagnostics",
    diagnostics: { warnings: ["old"], errors: ["no version 3"] },
  });
  expect(readApplied({ tag: "ok", val: plan([web]) }).kind).toBe("plan");
  expect(readApplied(undefined).kind).toBe("mistakes");
});

test("settings with dots are a service's tables and lists, and the other way round", () => {
  const table = {
    command: "x",
    env: { A: "1", B: "2" },
    args: ["a", "b"],
    health_check: { path: "/" },
  };
  const settings = settingsOf(table);
  expect(settings).toContainEqual(["args.1", "b"]);
  expect(settingsTable(settings)).toEqual({ table, mistakes: [] });
});

test("a key of an object's prototype is a key like others", () => {
  const { table } = settingsTable([["__proto__.polluted", "yes"]]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.keys(table)).toEqual(["__proto__"]);
});
