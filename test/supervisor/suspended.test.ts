import { expect, test } from "bun:test";
import { type Declared, PlayedProject } from "./fake-project.ts";
import { settled } from "./fake-lifecycle.ts";

const shop: Declared[] = [
  { name: "db" },
  { name: "migrate", type: "task", dependsOn: ["db"] },
  { name: "api", dependsOn: ["db", "migrate"] },
];

const why = "its data is being copied";

async function running(): Promise<PlayedProject> {
  const played = new PlayedProject(shop);
  const up = played.up();
  await settled();
  played.service("db").be("ready");
  await settled();
  played.service("migrate").be("completed", {
    lastExit: { code: 0, signal: null, time: 1, lastLines: [] },
  });
  await settled();
  played.service("api").be("ready");
  expect(await up).toEqual({ kind: "ready" });
  played.takeSaid();
  return played;
}

test("a service whose data is in other hands says so, and starts again when it is its own; its dependents go on", async () => {
  using played = await running();
  await played.project.suspend("db", why);
  expect(played.takeSaid()).toEqual(["stop db"]);
  expect(played.snapshot("db")).toMatchObject({ state: "starting", why });
  expect(played.states.api).toBe("ready");
  played.project.release("db");
  await settled();
  expect(played.takeSaid()).toEqual(["start db"]);
  played.service("db").be("ready");
  expect(played.states).toEqual({ db: "ready", migrate: "completed", api: "ready" });
  expect(played.takeSaid()).toEqual([]);
});

test("it resolves only when nothing of the service runs", async () => {
  using played = await running();
  played.service("db").obedient = false;
  let isThere = false;
  const suspended = played.project.suspend("db", why).then(() => {
    isThere = true;
  });
  await settled();
  expect(isThere).toBe(false);
  // Somebody stops it, which takes over its end.
  void played.project.stop(["db"]);
  await settled();
  expect(isThere).toBe(false);
  played.service("db").end();
  await suspended;
  expect(played.states.db).toBe("stopped");
});

test("a stop meanwhile counts afterwards, and an up of what was stopped too", async () => {
  using played = await running();
  await played.project.suspend("db", why);
  await played.project.stop(["db"]);
  expect(played.snapshot("db")).toMatchObject({ state: "stopped", why });
  played.project.release("db");
  await settled();
  expect(played.states.db).toBe("stopped");
  await played.project.suspend("db", why);
  const up = played.up("db");
  await settled();
  expect(played.takeSaid()).toEqual(["stop db"]);
  expect(played.snapshot("db")).toMatchObject({ state: "starting", why });
  played.project.release("db");
  await settled();
  played.service("db").be("ready");
  expect(await up).toEqual({ kind: "ready" });
});

test("a restart or a watched file starts nothing meanwhile", async () => {
  using played = await running();
  await played.project.suspend("db", why);
  played.takeSaid();
  void played.restart("db");
  played.project.renew("db", "a.ts changed");
  await settled();
  expect(played.takeSaid()).toEqual([]);
  played.project.release("db");
  await settled();
  expect(played.takeSaid()).toEqual(["start db"]);
});

test("what starts meanwhile waits for it", async () => {
  using played = await running();
  await played.project.stop(["api"]);
  await played.project.suspend("db", why);
  played.takeSaid();
  void played.up("api");
  await settled();
  expect(played.takeSaid()).toEqual([]);
  expect(played.snapshot("api")).toMatchObject({ state: "starting", why: "waits for db, migrate" });
  played.project.release("db");
  await settled();
  played.service("db").be("ready");
  await settled();
  expect(played.takeSaid()).toEqual(["start db", "start api"]);
});

test("tasks that have completed on other data are run again by the next up", async () => {
  using played = await running();
  expect(played.project.forgetRuns("db")).toEqual(["migrate"]);
  expect(played.project.forgetRuns("db")).toEqual([]);
  void played.up();
  await settled();
  expect(played.takeSaid()).toEqual(["start migrate"]);
});

test("a service that is declared no more is given back without a word", async () => {
  using played = await running();
  await played.project.suspend("db", why);
  const { spec } = played.project;
  const rest = { ...spec, services: spec.services.filter(({ name }) => name === "api") };
  await played.project.apply({ spec: { ...rest, services: [] }, pending: new Map() }, {});
  played.project.release("db");
  expect(played.project.snapshots()).toEqual([]);
});

test("a project with a service in other hands is not handed over to another daemon", async () => {
  using played = await running();
  expect(played.project.isSettled).toBe(true);
  await played.project.suspend("db", why);
  expect(played.project.isSettled).toBe(false);
  played.project.release("db");
  expect(played.project.isSettled).toBe(true);
});
