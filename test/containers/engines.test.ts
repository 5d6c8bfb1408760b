import { expect, test } from "bun:test";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Engines, engines } from "../../src/containers/engines.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import { answerOf, fakeEngine, type Script, streams } from "./fake-engine.ts";

/** Each container is `name:port`. */
function list(...containers: string[]): Script {
  const rows = containers.map((text) => {
    const [name, port] = text.split(":");
    const Ports = [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: Number(port), Type: "tcp" }];
    return { Id: `id of ${name}`, Names: [`/${name}`], State: "running", Ports };
  });
  return answerOf(JSON.stringify(rows));
}

function scripts(...containers: string[]): Record<string, Script> {
  return { "/containers/json": list(...containers), "/events": streams };
}

/** Asks the sockets at the paths, as those that config.toml names. */
function asking(...wanted: string[]) {
  let changes = 0;
  const its: Engines = engines({
    ...{ clock: systemClock, env: {}, wanted, home: "/nowhere" },
    onChange: () => changes++,
  });
  const names = () => its.claims().map(({ name }) => name);
  its.start();
  return {
    ...{ its, names },
    get changes() {
      return changes;
    },
    isNamed: (...expected: string[]) =>
      eventually(`the names ${expected}`, () => names().join() === expected.join(), 10_000),
    [Symbol.dispose]: () => its.stop(),
  };
}

test("containers of several engines are named together, and those of a dead one go at once", async () => {
  using docker = fakeEngine(scripts("web:8080"));
  using podman = fakeEngine(scripts("db:5432"));
  using asked = asking(docker.path, podman.path);
  await asked.isNamed("db", "web");
  docker.kill();
  await asked.isNamed("db");
});

test("a container that starts is named with its event, and one that is the same is no news", async () => {
  const now = scripts("web:8080");
  using engine = fakeEngine(now);
  using asked = asking(engine.path);
  await asked.isNamed("web");
  now["/containers/json"] = list("web:8080", "api:8081");
  await eventually("the events are followed", () =>
    engine.asked.some((its) => its.includes("/events")),
  );
  engine.tell("start");
  await asked.isNamed("api", "web");
  const before = { changes: asked.changes, asked: engine.asked.length };
  engine.tell("start");
  await eventually("another look", () => engine.asked.length > before.asked);
  expect(asked.changes).toBe(before.changes);
});

test("an engine that starts later is found by its socket's file, and again after a restart", async () => {
  using first = fakeEngine(scripts("web:8080"));
  const path = join(first.path, "../later.sock");
  using asked = asking(path);
  expect(asked.its.reports()).toEqual([]);
  // In one step, so that a socket is there which listens already.
  renameSync(first.path, path);
  await asked.isNamed("web");
  first.kill();
  rmSync(path, { force: true });
  await asked.isNamed();
  using second = fakeEngine(scripts("api:8080"), { path });
  await asked.isNamed("api");
  second.kill();
});

test("one socket by two paths is asked once", async () => {
  using engine = fakeEngine(scripts("web:8080"));
  const link = `${engine.path}.link`;
  symlinkSync(engine.path, link);
  using asked = asking(link, engine.path);
  await asked.isNamed("web");
  expect(engine.asked.filter((its) => its.includes("/events"))).toHaveLength(1);
  expect(asked.its.reports()).toMatchObject([{ path: link, state: "following" }]);
});

test.each<[string, Record<string, Script>]>([
  ["hangs", {}],
  ["answers garbage", { "/containers/json": answerOf("{"), "/events": streams }],
  ["closes at once", { "/containers/json": ({ end }) => end(), "/events": ({ end }) => end() }],
  [
    "floods us with events without an end",
    { "/containers/json": list(), "/events": ({ pour }) => pour(Buffer.alloc(65_536, "{")) },
  ],
])("an engine that %s changes nothing for another", async (_, ill) => {
  using bad = fakeEngine(ill);
  using good = fakeEngine(scripts("web:8080"));
  using asked = asking(bad.path, good.path);
  await asked.isNamed("web");
  await eventually("the ill one is asked", () => bad.asked.length > 0);
  expect(asked.names()).toEqual(["web"]);
});

test("every request only reads", async () => {
  using engine = fakeEngine(scripts("web:8080"));
  using asked = asking(engine.path);
  await asked.isNamed("web");
  await eventually("both are asked", () => engine.asked.length > 1);
  expect(engine.asked.every((its) => its.startsWith("GET "))).toBe(true);
});

test("stopping ends every connection, twice is harmless, and nothing is news after it", async () => {
  using engine = fakeEngine(scripts("web:8080"));
  using asked = asking(engine.path);
  await asked.isNamed("web");
  const before = asked.changes;
  asked.its.stop();
  asked.its.stop();
  await eventually("no connection is left", () => engine.open === 0);
  expect(asked.changes).toBe(before);
});

test("with containers = false, no engine is asked", () => {
  using engine = fakeEngine(scripts("web:8080"));
  const its = engines({
    ...{ clock: systemClock, wanted: false, home: "/nowhere", onChange: () => {} },
    env: { DOCKER_HOST: `unix://${engine.path}` },
  });
  its.start();
  expect([engine.asked, its.reports()]).toEqual([[], []]);
  its.stop();
});
