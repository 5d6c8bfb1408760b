import { describe, expect, test } from "bun:test";
import { type Declared, declared, PlayedProject } from "./fake-project.ts";
import { settled } from "./fake-lifecycle.ts";

const migrate: Declared = { name: "migrate", type: "task", command: "migrate", restart: "no" };
const web: Declared = { name: "web", dependsOn: ["migrate"], conditions: { migrate: "completed" } };
const site: Declared[] = [web, migrate];

const complete = async (played: PlayedProject, name = "migrate"): Promise<void> => {
  await settled();
  played.service(name).die(0, "completed");
  await settled();
};

const fail = async (played: PlayedProject, code = 3): Promise<void> => {
  await settled();
  played.service("migrate").die(code, "failed");
  await settled();
};

/** The task is completed, and the rest is ready. */
async function running(services = site, options: { held?: string[] } = {}): Promise<PlayedProject> {
  const played = new PlayedProject(services, options.held);
  const up = played.up();
  await complete(played);
  await played.allReady();
  expect(await up).toEqual({ kind: "ready" });
  played.takeSaid();
  played.heard.length = 0;
  return played;
}

describe("up", () => {
  test("runs a task, and starts what waits for it when it has ended with exit code 0", async () => {
    using played = new PlayedProject(site);
    const up = played.up();
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
    for (const state of ["running", "ready", "unready"] as const) {
      played.service("migrate").be(state);
      await settled();
      expect(played.snapshot("web")).toMatchObject({ state: "starting", why: "waits for migrate" });
    }
    await complete(played);
    expect(played.takeSaid()).toEqual(["start web"]);
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
    expect(played.states).toEqual({ web: "ready", migrate: "completed" });
  });

  test("names a task that fails, starts nothing that waits for it, and tries it not again", async () => {
    using played = new PlayedProject(site);
    const up = played.up();
    await fail(played);
    expect(await up).toEqual({
      kind: "failed",
      reasons: [
        "shop:migrate ended with exit code 3",
        "shop:web did not start: migrate, which it waits for, ended with exit code 3",
      ],
    });
    played.clock.advance(120_000);
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
    expect(played.states).toEqual({ web: "failed", migrate: "failed" });
  });

  test("waits for a task that takes an hour", async () => {
    using played = new PlayedProject([web, { ...migrate, startTimeout: undefined }]);
    const up = played.up();
    await settled();
    played.service("migrate").be("running", { startedAt: 5 });
    played.clock.advance(3_600_000);
    await complete(played);
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
  });

  test("runs again what failed, and starts what waited once it is completed", async () => {
    using played = new PlayedProject(site);
    void played.up();
    await fail(played);
    const up = played.up();
    await complete(played);
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start migrate", "start migrate", "start web"]);
  });

  test("leaves a task that is completed alone, and says so", async () => {
    using played = await running();
    expect(await played.up()).toEqual({ kind: "ready" });
    await settled();
    expect(played.takeSaid()).toEqual([]);
    expect(played.heard).toContainEqual({
      type: "StepProgress",
      data: { id: "shop:migrate", message: "already completed" },
    });
    expect(played.states.migrate).toBe("completed");
  });

  test("of the task by its name runs it again, while what depends on it goes on", async () => {
    using played = await running();
    const up = played.up("migrate");
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
    expect(played.snapshot("web").state).toBe("ready");
    await complete(played);
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual([]);
    expect(played.logs.of("shop:web").last(1)[0]!.text).toContain(
      "migrate, which it depends on, was run again",
    );
    // Of what depends on it does not.
    expect(await played.up("web")).toEqual({ kind: "ready" });
    await settled();
    expect(played.takeSaid()).toEqual([]);
  });

  test("--tasks runs all tasks again, but for those that only their names run", async () => {
    using played = await running([...site, { ...migrate, name: "release", disabled: true }]);
    const hear = () => {};
    const up = played.project.up({ names: undefined, tasks: true, shell: {}, hear });
    await complete(played);
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start migrate"]);
    void played.up("release");
    await settled();
    expect(played.takeSaid()).toEqual(["start release"]);
  });

  test("of a task that works waits for its end, and begins it not anew", async () => {
    using played = new PlayedProject(site);
    void played.up();
    await settled();
    const up = played.up("migrate");
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
    await complete(played);
    expect(await up).toEqual({ kind: "ready" });
  });

  test("runs a task again whose inputs, or whose declaration, are others", async () => {
    using played = await running();
    played.inputs.set("migrate", "1");
    const up = played.up();
    await complete(played);
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start migrate"]);

    const changes: Partial<Declared>[] = [
      { command: "other" },
      { env: { A: "1" } },
      { workdir: "/b" },
    ];
    for (const change of changes) {
      await played.project.apply(declared([web, { ...migrate, ...change }]), {});
      await settled();
      // Saved, and not yet asked for.
      expect(played.takeSaid()).toEqual([]);
      expect(played.snapshot("migrate")).toMatchObject({
        state: "completed",
        why: "its declaration has changed since, so that up runs it again",
      });
      void played.up();
      await complete(played);
      expect(played.takeSaid()).toContain("start migrate");
      expect(played.snapshot("migrate").why).toBeUndefined();
      played.takeSaid();
    }
  });

  test("compares with the inputs as they were when the task began", async () => {
    using played = new PlayedProject(site);
    void played.up();
    await settled();
    played.inputs.set("migrate", "changed while it ran");
    await complete(played);
    await played.allReady();
    played.takeSaid();
    void played.up();
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
  });

  test("starts what waits for a process alone as soon as there is one", async () => {
    using played = new PlayedProject([
      { name: "web", dependsOn: ["db", "seed"], conditions: { db: "started", seed: "started" } },
      { name: "db" },
      { name: "seed", type: "worker" },
    ]);
    void played.up();
    await settled();
    expect(played.takeSaid()).toEqual(["start db", "start seed"]);
    played.service("db").be("running");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    played.service("seed").be("running");
    await settled();
    expect(played.takeSaid()).toEqual(["start web"]);
  });

  test("waits for the end of a worker where that is what is awaited, not for its being ready", async () => {
    using played = new PlayedProject([
      { ...web, dependsOn: ["seed"], conditions: { seed: "completed" } },
      { name: "seed", type: "worker", restart: "no" },
    ]);
    const up = played.up();
    await settled();
    played.service("seed").be("ready");
    await settled();
    expect(played.takeSaid()).toEqual(["start seed"]);
    played.service("seed").die(0, "exited");
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start web"]);
  });
});

describe("a restart of what depends on a task", () => {
  const ways: [name: string, ask: (played: PlayedProject) => unknown][] = [
    ["typed", (played) => played.restart("web")],
    ["of everything", (played) => played.restart()],
    ["by a watched file", ({ project }) => project.renew("web", "a.ts changed")],
    [
      "by a changed declaration",
      ({ project }) => project.apply(declared([{ ...web, command: "other" }, migrate]), {}),
    ],
  ];
  for (const [name, ask] of ways) {
    test(`${name}, runs a completed task not again, whatever its inputs are now`, async () => {
      using played = await running();
      played.inputs.set("migrate", "1");
      void ask(played);
      await played.allReady();
      expect(played.takeSaid()).toEqual(["stop web", "start web"]);
    });

    test(`${name}, leaves it running while the task fails, and runs that again only where a person asks`, async () => {
      using played = await running();
      void played.up("migrate");
      await fail(played);
      played.takeSaid();
      void ask(played);
      await settled();
      expect(played.snapshot("web").state).toBe("ready");
      const isAsked = name === "typed" || name === "of everything";
      expect(played.takeSaid()).toEqual(isAsked ? ["start migrate"] : []);
      if (isAsked) await fail(played);
      expect(played.snapshot("web").warnings[0]).toContain(
        "migrate, which it waits for, ended with exit code 3; localhostess up /shop migrate starts it",
      );
      played.takeSaid();
      void played.up("migrate");
      await complete(played);
      await played.allReady();
      expect(played.takeSaid()).toEqual(["start migrate", "stop web", "start web"]);
    });
  }

  test("waits for a task that works, and the old process serves", async () => {
    using played = await running();
    void played.up("migrate");
    await settled();
    played.takeSaid();
    played.project.renew("web", "a.ts changed");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    expect(played.snapshot("web").state).toBe("ready");
    await complete(played);
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop web", "start web"]);
  });

  test("restarts what says that it restarts with the task, once that was run again", async () => {
    using played = await running([{ ...web, restartWith: ["migrate"] }, migrate]);
    void played.up("migrate");
    await complete(played);
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start migrate", "stop web", "start web"]);
  });
});

describe("a task", () => {
  test("that works is left alone by a saved file, and ended by a stop", async () => {
    using played = new PlayedProject(site);
    void played.up();
    await settled();
    played.takeSaid();
    await played.project.apply(declared([web, { ...migrate, command: "other" }]), {});
    played.project.renew("migrate", "a.sql changed");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    await played.project.stop(["migrate"]);
    expect(played.takeSaid()).toEqual(["stop migrate"]);
    expect(played.states).toEqual({ web: "failed", migrate: "stopped" });
    // It was not completed.
    void played.up("web");
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
  });

  test("that has failed is tried again where its declaration is mended", async () => {
    using played = new PlayedProject(site);
    void played.up();
    await fail(played);
    played.takeSaid();
    await played.project.apply(declared([web, { ...migrate, command: "better" }]), {});
    await complete(played);
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop migrate", "start migrate", "start web"]);
    expect(played.states).toEqual({ web: "ready", migrate: "completed" });
  });

  test("named in a restart is run again, also while it works", async () => {
    using played = await running();
    void played.restart("migrate");
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
    void played.restart("migrate");
    await settled();
    expect(played.takeSaid()).toEqual(["stop migrate", "start migrate"]);
    await complete(played);
    expect(played.states).toEqual({ web: "ready", migrate: "completed" });
  });

  test("stays completed over a stop of all, and over the end of the daemon", async () => {
    using played = await running();
    await played.project.stop(undefined);
    expect(played.states).toEqual({ web: "stopped", migrate: "stopped" });
    void played.up();
    await played.allReady();
    expect(played.takeSaid().filter((its) => its.startsWith("start "))).toEqual(["start web"]);

    using next = new PlayedProject(site, [], played.completed);
    next.project.resume(played.project.wishes, { shell: {}, services: new Map() });
    await next.allReady();
    expect(next.takeSaid()).toEqual(["start web"]);
    expect(next.states).toEqual({ web: "ready", migrate: "completed" });
    next.project.renew("web", "a.ts changed");
    await next.allReady();
    expect(next.takeSaid()).toEqual(["stop web", "start web"]);
  });

  test("that was cut off by the end of the daemon is run again by the next", async () => {
    using played = await running();
    void played.up("migrate");
    await settled();
    await played.project.rest();
    using next = new PlayedProject(site, [], played.completed);
    next.project.resume(played.project.wishes, { shell: {}, services: new Map() });
    await settled();
    expect(next.takeSaid()).toEqual(["start migrate"]);
  });

  test("that only its name runs is not run by the next daemon, nor with its project", async () => {
    const release: Declared = { ...migrate, name: "release", disabled: true };
    using played = new PlayedProject([{ name: "web" }, release]);
    void played.up();
    void played.up("release");
    await settled();
    expect(played.takeSaid()).toEqual(["start web", "start release"]);
    played.service("release").die(1, "failed");
    expect(played.project.wishes).toMatchObject({ wanted: ["web"], unwanted: ["release"] });
    void played.up();
    void played.restart();
    await played.allReady();
    expect(played.takeSaid()).not.toContain("start release");
  });

  test("is asked for while it is found out whether it has to run: the last word counts", async () => {
    using played = await running();
    void played.up();
    void played.up("migrate");
    await settled();
    expect(played.takeSaid()).toEqual(["start migrate"]);
    await complete(played);
    void played.up();
    await played.project.stop(["migrate"]);
    await settled();
    expect(played.takeSaid()).not.toContain("start migrate");
    expect(played.states.migrate).toBe("stopped");
  });

  test("that becomes a worker runs as one, and is as completed as before when it is a task again", async () => {
    using played = await running();
    const worker: Declared = { ...migrate, type: "worker", restart: "on-failure" };
    await played.project.apply(declared([web, worker]), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop migrate", "start migrate"]);
    expect(played.states.migrate).toBe("ready");
    await played.project.apply(declared(site), {});
    await settled();
    expect(played.takeSaid()).toEqual(["stop migrate"]);
    expect(played.states.migrate).toBe("completed");
  });

  test("of which nobody has seen what it runs is not run", async () => {
    using played = new PlayedProject(site, ["migrate"]);
    expect(await played.up()).toMatchObject({ kind: "failed" });
    expect(played.takeSaid()).toEqual([]);
  });
});

test("a task that is run again while a dependent is being ended for its restart does not leave that down", async () => {
  using played = await running();
  played.service("web").obedient = false;
  const restarted = played.restart("web");
  await settled();
  void played.up("migrate");
  await settled();
  played.service("web").end();
  await fail(played);
  await played.allReady();
  expect(await restarted).toEqual({ kind: "ready" });
  expect(played.takeSaid()).toEqual(["stop web", "start migrate", "start web"]);
  // A stop ends what was granted.
  played.service("web").obedient = true;
  await played.project.stop(["web"]);
  void played.up("web");
  await fail(played);
  expect(played.snapshot("web")).toMatchObject({ state: "failed" });
});

test("a run that was cut off makes the task one that was never completed, also where its inputs are as before", async () => {
  using played = await running();
  played.inputs.set("migrate", "1");
  void played.up();
  await settled();
  await played.project.stop(["migrate"]);
  played.inputs.set("migrate", "0");
  played.takeSaid();
  void played.up();
  await settled();
  expect(played.takeSaid()).toEqual(["start migrate"]);
});

test("what was found out for an up that was overtaken does not count for the next", async () => {
  using played = await running();
  void played.up();
  void played.project.stop(["migrate"]);
  played.inputs.set("migrate", "1");
  void played.up();
  await settled();
  expect(played.takeSaid()).toContain("start migrate");
});

test("a restart of all services by their names, as a project's name stands for them, runs no task", async () => {
  using played = await running();
  void played.restart("web", "migrate");
  await played.allReady();
  expect(played.takeSaid()).toEqual(["stop web", "start web"]);
});
