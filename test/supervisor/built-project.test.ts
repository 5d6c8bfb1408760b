import { expect, test } from "bun:test";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { settled } from "./fake-lifecycle.ts";
import { PlayedProject } from "./fake-project.ts";

const own = {
  kind: "built",
  build: { kind: "command", command: "make", inputs: [] },
} as const satisfies ServiceSpec["own"];

/** `api` is built, needs `db`, and `web` restarts with it; builds end when a test says so. */
async function up(names: readonly ["db", "api", "web"] = ["db", "api", "web"]) {
  const played = new PlayedProject([
    { name: "db" },
    { name: "api", dependsOn: ["db"], own },
    { name: "web", dependsOn: ["api"], restartWith: ["api"] },
  ]);
  const started = played.up(...names);
  await played.allReady();
  expect(await started).toEqual({ kind: "ready" });
  played.takeSaid();
  played.heard.splice(0);
  const api = played.service("api");
  const changes: string[] = [];
  api.renew = (because) => {
    changes.push(because);
    api.isBuilding = true;
    delete api.unbuilt;
    api.be("ready", { status: "builds again" });
    return true;
  };
  const end = async (unbuilt?: string): Promise<void> => {
    api.isBuilding = false;
    if (unbuilt !== undefined) api.unbuilt = unbuilt;
    api.be("ready", { status: undefined });
    if (unbuilt === undefined) api.built(changes.at(-1)!);
    await settled();
  };
  return { played, api, changes, end };
}

test("what was built replaces the process in order, with those that restart with it", async () => {
  const { played, api, changes, end } = await up();
  using _ = played;
  played.project.renew("api", "a.ts changed");
  await settled();
  expect([changes, played.takeSaid()]).toEqual([["a.ts changed"], []]);
  await end();
  await played.allReady();
  expect(played.takeSaid()).toEqual(["stop web", "stop api", "start api", "start web"]);
  expect(api.ways).toEqual([true]);
  expect(api.requests.at(-1)!.reason).toBe("a.ts changed");
  expect(played.states).toEqual({ db: "ready", api: "ready", web: "ready" });
});

test("a process that waits for a dependency before it makes way is built again for what changes meanwhile", async () => {
  const { played, changes, end } = await up();
  using _ = played;
  await played.project.stop(["db"]);
  played.takeSaid();
  played.project.renew("api", "a.ts changed");
  await end();
  // That it waits for.
  expect(played.takeSaid()).toEqual(["start db"]);
  expect(played.snapshot("api").warnings[0]).toStartWith("is not restarted yet and goes on");
  played.project.renew("api", "b.ts changed");
  expect(changes).toEqual(["a.ts changed", "b.ts changed"]);
  await end();
  await played.allReady();
  expect(played.takeSaid()).toEqual(["stop web", "stop api", "start api", "start web"]);
});

test("what changes before the next process begins is told to the service", async () => {
  using played = new PlayedProject([
    { name: "db" },
    { name: "api", dependsOn: ["db"], restartWith: ["db"], own },
  ]);
  const started = played.up("db", "api");
  await played.allReady();
  await started;
  const changes: string[] = [];
  played.service("api").renew = (because) => changes.push(because) > 0;
  played.project.renew("db", "its settings changed");
  await settled();
  expect(played.states).toEqual({ db: "starting", api: "starting" });
  expect(played.service("api").snapshot().state).toBe("stopped");
  played.project.renew("api", "a.ts changed");
  expect(changes).toEqual(["a.ts changed"]);
  await played.allReady();
  expect(played.states).toEqual({ db: "ready", api: "ready" });
});

test("a stop is no way for another process", async () => {
  const { played, api } = await up();
  using _ = played;
  await played.project.stop(["api"]);
  expect(api.ways).toEqual([false]);
  expect(played.states.api).toBe("stopped");
});

test("`up` after a failed build builds again, and waits for what was built, or says why there is nothing", async () => {
  const { played, api, changes, end } = await up();
  using _ = played;
  played.project.renew("api", "a.ts changed");
  await end("its last build failed");
  const again = played.up();
  await settled();
  expect(changes).toEqual(["a.ts changed", "`up` was said again"]);
  const steps = played.heard.flatMap((its) =>
    its.type === "StepStarted" ? [its.data.description] : [],
  );
  expect(steps).toContain("Building service shop:api");
  expect(played.heard).toContainEqual({
    type: "StepProgress",
    data: { id: "shop:api", message: "builds again" },
  });
  await end("its last build failed: no such module");
  expect(await again).toEqual({
    kind: "failed",
    reasons: ["shop:api: its last build failed: no such module"],
  });
  const third = played.up();
  await end();
  await played.allReady();
  expect(await third).toEqual({ kind: "ready" });
  expect(played.takeSaid()).toContain("start api");
  expect(api.snapshot().state).toBe("ready");
});

test("`up` while a service is built waits until it has made way", async () => {
  const { played, changes, end } = await up();
  using _ = played;
  played.project.renew("api", "a.ts changed");
  let isOver = false;
  const again = played.up().finally(() => {
    isOver = true;
  });
  await settled();
  expect([isOver, changes]).toEqual([false, ["a.ts changed"]]);
  await end();
  await played.allReady();
  expect(await again).toEqual({ kind: "ready" });
  expect(played.takeSaid()).toContain("start api");
});
