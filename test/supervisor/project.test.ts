import { describe, expect, test } from "bun:test";
import { type Declared, PlayedProject, declared } from "./fake-project.ts";
import type { Pending } from "../../src/routes/pending.ts";
import type { BootEvent } from "../../src/routes/project-report.ts";
import { settled } from "./fake-lifecycle.ts";

const chain: Declared[] = [
  { name: "web", dependsOn: ["api"] },
  { name: "api", dependsOn: ["db"] },
  { name: "db" },
  { name: "mail", type: "worker" },
];

async function running(services: Declared[]): Promise<PlayedProject> {
  const played = new PlayedProject(services);
  const up = played.up();
  await played.allReady();
  expect(await up).toEqual({ kind: "ready" });
  played.takeSaid();
  played.heard.length = 0;
  return played;
}

describe("up", () => {
  test("starts what depends on nothing side by side, and the rest when it is ready", async () => {
    using played = new PlayedProject(chain);
    const up = played.up();
    await settled();
    expect(played.takeSaid()).toEqual(["start db", "start mail"]);
    expect(played.snapshot("api")).toMatchObject({ state: "starting", why: "waits for db" });
    played.service("db").be("running");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    played.service("db").be("ready");
    await settled();
    expect(played.takeSaid()).toEqual(["start api"]);
    played.service("mail").be("ready");
    played.service("api").be("ready");
    await settled();
    expect(played.takeSaid()).toEqual(["start web"]);
    played.service("web").be("ready");
    expect(await up).toEqual({ kind: "ready" });
    expect(played.finished).toEqual([
      "shop:db ready",
      "shop:mail ready",
      "shop:api ready",
      "shop:web ready",
    ]);
  });

  test("one service brings what it depends on, and nothing else", async () => {
    using played = new PlayedProject(chain);
    const up = played.up("api");
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start db", "start api"]);
    expect(played.states).toMatchObject({ web: "stopped", mail: "stopped" });
  });

  test("said again, it starts nothing twice and says that all is up to date", async () => {
    using played = await running(chain);
    expect(await played.up()).toEqual({ kind: "ready" });
    expect(played.said).toEqual([]);
    expect(played.heard).toContainEqual({
      type: "StepStarted",
      data: { id: "shop:db", description: "Service shop:db up to date" },
    });
  });

  test("said again, it tries a service anew that is between two tries, in the shell that says it", async () => {
    using played = new PlayedProject([{ name: "api" }, { name: "mail", type: "worker" }]);
    const first = played.up();
    await settled();
    played.service("mail").be("ready");
    played.service("api").be("ready");
    expect(await first).toEqual({ kind: "ready" });
    played.service("api").die(127);
    played.takeSaid();
    const up = played.up();
    await settled();
    expect(played.takeSaid()).toEqual(["stop api", "start api"]);
    played.service("api").be("ready");
    expect(await up).toEqual({ kind: "ready" });
    expect(played.finished.slice(-2)).toEqual(["shop:mail ready", "shop:api ready"]);
  });

  test("a dependency that fails is told by name to all who waited", async () => {
    using played = new PlayedProject(chain);
    const up = played.up();
    await settled();
    played.service("mail").be("ready");
    played.service("db").die(1, "failed");
    expect(await up).toEqual({
      kind: "failed",
      reasons: [
        "shop:db ended with exit code 1",
        "shop:api did not start: db, which it waits for, ended with exit code 1",
        "shop:web did not start: db, which it waits for, ended with exit code 1",
      ],
    });
    expect(played.states).toMatchObject({ db: "failed", api: "failed", web: "failed" });
  });

  test("those who waited in vain start when what failed is mended", async () => {
    using played = new PlayedProject(chain);
    const up = played.up();
    await settled();
    played.service("mail").be("ready");
    played.service("db").die(1, "failed");
    await up;
    played.takeSaid();
    void played.restart("db");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db", "start api", "start web"]);
  });

  test("nobody waits for a service that dies again and again, but it is tried again", async () => {
    using played = new PlayedProject([{ name: "api" }]);
    const up = played.up();
    await settled();
    for (let death = 0; death < 3; death++) {
      played.service("api").die(2);
      played.service("api").be("starting", { startedAt: death + 10 });
    }
    expect(await up).toEqual({ kind: "failed", reasons: ["shop:api ended with exit code 2"] });
    expect(played.project.wishes.wanted).toEqual(["api"]);
  });

  test("nobody waits for a service that cannot even be started, three times over", async () => {
    using played = new PlayedProject([{ name: "api" }]);
    const up = played.up();
    await settled();
    for (let refusal = 0; refusal < 3; refusal++) {
      played.service("api").refuse("the system lets nobody start anything");
      if (refusal < 2) played.service("api").be("starting");
    }
    const reasons = ["shop:api could not be started: the system lets nobody start anything"];
    expect(await up).toEqual({ kind: "failed", reasons });
    expect(played.project.wishes.wanted).toEqual(["api"]);
  });

  test("a port that another program has is told at once, also to those who wait for the service; all start later", async () => {
    using played = new PlayedProject(chain);
    const up = played.up();
    await settled();
    played.service("mail").be("ready");
    const why = "cannot have its port 21000: nginx (pid 7) listens on it";
    played.service("db").refuse(why, { isHeld: true });
    expect(await up).toEqual({
      kind: "failed",
      reasons: [
        `shop:db ${why}`,
        `shop:api did not start: db, which it waits for, ${why}`,
        `shop:web did not start: db, which it waits for, ${why}`,
      ],
    });
    // Asked again while nothing has changed, the answer is as quick.
    expect(await played.up("db")).toEqual({ kind: "failed", reasons: [`shop:db ${why}`] });
    played.takeSaid();
    played.service("db").isHeld = false;
    played.service("db").be("ready");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start api", "start web"]);
  });

  test("a build is waited for as long as it takes, and the service's own minute begins with its end", async () => {
    using played = new PlayedProject([{ name: "web", startTimeout: undefined }]);
    const up = played.up();
    await settled();
    const web = played.service("web");
    web.isPreparing = true;
    web.be("running", { startedAt: 5, status: "builds: make" });
    played.clock.advance(10 * 60_000 + 30_000);
    await settled();
    web.isPreparing = false;
    web.be("running", { startedAt: 5, status: undefined, why: "waits for its port 21000" });
    played.clock.advance(59_999);
    await settled();
    expect(played.heard.filter(({ type }) => type === "StepFinished")).toEqual([]);
    played.clock.advance(1);
    expect(await up).toMatchObject({ kind: "failed" });
  });

  test("a service that runs without a deadline is waited for a minute, with the keys that help; all start later", async () => {
    using played = new PlayedProject([
      { name: "web", startTimeout: undefined },
      { name: "docs", dependsOn: ["web"] },
    ]);
    const up = played.up();
    await settled();
    played.service("web").be("running", { startedAt: 5 });
    played.service("web").be("running", { startedAt: 5, why: "waits for its port 21000" });
    played.clock.advance(59_999);
    await settled();
    expect(played.heard.filter(({ type }) => type === "StepFinished")).toEqual([]);
    played.clock.advance(1);
    expect(await up).toEqual({
      kind: "failed",
      reasons: [
        'shop:web runs and is not ready after 60 s: it waits for its port 21000. It goes on, and what waits for it starts later. Keys that help: start_timeout = "5m" (up waits longer), health_check or ready_pattern (another sign), type = "worker" (it has no port)',
        "shop:docs did not start: web, which it waits for, waits for its port 21000",
      ],
    });
    expect(played.said).toEqual(["start web"]);
    // Asked again, it waits another minute.
    const again = played.up("web");
    played.clock.advance(59_999);
    await settled();
    played.service("web").be("ready");
    expect(await again).toEqual({ kind: "ready" });
    expect(played.said).toEqual(["start web", "start docs"]);
  });

  test("who says how long to wait is told of the keys after a minute, and waited with for so long", async () => {
    using played = new PlayedProject([{ name: "web", startTimeout: undefined }]);
    const hear = (event: BootEvent) => void played.heard.push(event);
    const asked = { names: undefined, shell: {}, hear, patience: 300_000 };
    const up = played.project.up(asked);
    await settled();
    played.service("web").be("running", { startedAt: 5, why: "waits for its port 21000" });
    played.clock.advance(60_000);
    await settled();
    expect(played.heard.at(-1)).toMatchObject({
      type: "StepProgress",
      data: { message: expect.stringContaining("Keys that help: start_timeout") },
    });
    // One that dies and runs again is timed again.
    played.service("web").die(1);
    played.service("web").be("running", { startedAt: 6 });
    played.clock.advance(240_000);
    expect((await up).kind).toBe("failed");
  });

  test("one that says what it does is waited for while it does something else every minute, and each is told", async () => {
    using played = new PlayedProject([{ name: "db", startTimeout: undefined }]);
    const up = played.up();
    await settled();
    const statuses = ["downloading: 1 %", "downloading: 60 %", "making its data"];
    for (const status of statuses) {
      played.service("db").be("running", { startedAt: 5, status, why: "waits for its port" });
      played.clock.advance(59_000);
      await settled();
    }
    const told = played.heard.flatMap((its) =>
      its.type === "StepProgress" ? its.data.message : [],
    );
    expect(told).toEqual(statuses);
    played.clock.advance(999);
    await settled();
    expect(played.heard.filter(({ type }) => type === "StepFinished")).toEqual([]);
    played.clock.advance(1);
    expect((await up).kind).toBe("failed");
  });

  test("a service with a deadline is waited for until that has passed", async () => {
    using played = new PlayedProject([{ name: "web", startTimeout: 600_000 }]);
    const up = played.up();
    await settled();
    played.service("web").be("running", { startedAt: 5 });
    played.clock.advance(599_000);
    await settled();
    expect(played.heard.filter(({ type }) => type === "StepFinished")).toEqual([]);
    played.service("web").be("ready");
    expect(await up).toEqual({ kind: "ready" });
  });

  test("a command that is not found is told at once", async () => {
    using played = new PlayedProject([{ name: "api" }]);
    const up = played.up();
    await settled();
    played.service("api").die(127);
    expect(await up).toMatchObject({ kind: "failed" });
  });

  test("one that ends well before it is ready is not ready", async () => {
    using played = new PlayedProject([{ name: "api", dependsOn: ["task"] }, { name: "task" }]);
    const up = played.up();
    await settled();
    played.service("task").die(0, "exited");
    expect(await up).toMatchObject({ kind: "failed" });
    expect(played.said).toEqual(["start task"]);
  });

  test("a stop meanwhile ends the wait", async () => {
    using played = new PlayedProject(chain);
    const up = played.up();
    await settled();
    await played.project.stop(undefined);
    const started = await up;
    expect(started.kind).toBe("failed");
    expect(played.finished).toContain("shop:web: shop:web was stopped before it was ready");
    expect(played.states).toEqual({
      web: "stopped",
      api: "stopped",
      db: "stopped",
      mail: "stopped",
    });
  });

  test("how requests to its name are treated changes without a restart", async () => {
    using played = await running([{ name: "api" }]);
    const before = played.made.get("api")!.requests.length;
    const settings = { guard: "off" } as const;
    await played.project.apply(declared([{ name: "api", settings }]), {});
    expect(played.snapshot("api")).toMatchObject({ settings });
    expect(played.made.get("api")!.requests.length).toBe(before);
  });

  test("a lazy service waits for its first request, and brings what it depends on", async () => {
    using played = new PlayedProject([
      { name: "docs", lazy: true, dependsOn: ["db"] },
      { name: "db", lazy: true },
      { name: "web" },
    ]);
    const up = played.up();
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start web"]);
    expect(played.snapshot("docs")).toMatchObject({ state: "stopped", lazy: true });
    played.project.wake("docs");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db", "start docs"]);
    await played.project.stop(["docs"]);
    played.takeSaid();
    played.project.wake("docs");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    expect(played.snapshot("docs").lazy).toBe(false);
  });

  test("a lazy service that ended by itself starts with the next request, and one that failed does not", async () => {
    using played = await running([{ name: "docs", lazy: true }, { name: "web" }]);
    played.project.wake("docs");
    await played.allReady();
    played.takeSaid();
    played.service("docs").die(0, "exited");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    played.project.wake("docs");
    expect(played.snapshot("docs")).toMatchObject({ state: "starting", lazy: true });
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start docs"]);
    played.service("docs").die(1, "failed");
    played.project.wake("docs");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    // A service that no request starts stays as it ended.
    played.service("web").die(0, "exited");
    played.project.wake("web");
    await settled();
    expect(played.takeSaid()).toEqual([]);
  });

  test("up mends a lazy service that failed, or could not be started: it waits for a request again", async () => {
    using played = await running([{ name: "docs", lazy: true }, { name: "web" }]);
    played.project.wake("docs");
    await settled();
    played.service("docs").die(1, "failed");
    played.takeSaid();
    expect(await played.up()).toEqual({ kind: "ready" });
    await settled();
    expect(played.snapshot("docs")).toMatchObject({ state: "stopped", lazy: true });
    played.project.wake("docs");
    await played.allReady();
    expect(played.takeSaid()).toContain("start docs");
    await played.project.doze("docs");
    played.noPorts = true;
    played.project.wake("docs");
    await settled();
    expect(played.snapshot("docs")).toMatchObject({ state: "failed" });
    played.noPorts = false;
    expect(await played.up()).toEqual({ kind: "ready" });
    await settled();
    expect(played.snapshot("docs")).toMatchObject({ state: "stopped", lazy: true });
    played.project.wake("docs");
    await played.allReady();
    expect(played.snapshot("docs").state).toBe("ready");
  });

  test("a lazy service that runs, or is being started, is left alone by up", async () => {
    using played = await running([{ name: "docs", lazy: true }, { name: "web" }]);
    played.project.wake("docs");
    await settled();
    played.takeSaid();
    expect(await played.up()).toEqual({ kind: "ready" });
    await played.allReady();
    expect(await played.up()).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual([]);
    expect(played.snapshot("docs").state).toBe("ready");
  });

  test("a stopped worker that the file makes a lazy server has its name and its address, whatever it was before", async () => {
    using played = await running([{ name: "docs", type: "worker", routeName: undefined }]);
    await played.project.stop(["docs"]);
    await played.project.apply(declared([{ name: "docs", lazy: true }]), {});
    void played.up();
    await settled();
    expect(played.snapshot("docs")).toMatchObject({
      state: "stopped",
      type: "exec",
      routeName: "docs.shop",
      lazy: true,
      port: expect.any(Number),
    });
    played.project.wake("docs");
    await played.allReady();
    expect(played.snapshot("docs").state).toBe("ready");
  });

  test("without a free port, the service says so", async () => {
    using played = new PlayedProject([{ name: "api" }]);
    played.noPorts = true;
    expect(await played.up()).toEqual({
      kind: "failed",
      reasons: ["shop:api did not start: there is no free port for it"],
    });
  });

  test("references are filled with the ports of others", async () => {
    using played = await running([
      { name: "web", env: { API: "${services.api.url}" }, dependsOn: ["api"] },
      { name: "api" },
    ]);
    const port = played.snapshot("api").port;
    expect(played.service("web").spec.env).toEqual({ API: `http://localhost:${port}` });
    expect(played.service("web").requests[0]).toMatchObject({
      port: played.snapshot("web").port,
      url: "http://web.shop.localhost",
    });
  });
});

describe("stop", () => {
  test("ends dependents before what they depend on, and waits for each", async () => {
    using played = await running(chain);
    played.service("web").obedient = false;
    const stopped = played.project.stop(undefined);
    await settled();
    expect(played.takeSaid().sort()).toEqual(["stop mail", "stop web"]);
    played.service("web").end();
    await stopped;
    expect(played.takeSaid()).toEqual(["stop api", "stop db"]);
    expect(played.project.wishes).toMatchObject({ whole: false, wanted: [], dozing: [] });
  });

  test("of one service leaves those that depend on it", async () => {
    using played = await running(chain);
    await played.project.stop(["db"]);
    expect(played.takeSaid()).toEqual(["stop db"]);
    expect(played.states).toMatchObject({ db: "stopped", api: "ready" });
  });

  test("a start during a stop wins", async () => {
    using played = await running([{ name: "api" }]);
    played.service("api").obedient = false;
    const stopped = played.project.stop(["api"]);
    await settled();
    const up = played.up("api");
    played.service("api").end();
    await stopped;
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
  });

  test("when the daemon ends, all ends and what should run is remembered", async () => {
    using played = await running(chain);
    await played.project.rest();
    expect(played.takeSaid().sort()).toEqual(["stop api", "stop db", "stop mail", "stop web"]);
    expect(played.project.wishes).toMatchObject({
      whole: true,
      wanted: ["web", "api", "db", "mail"],
    });
  });
});

describe("restart", () => {
  test("takes those with it that say so, in reverse and in order", async () => {
    using played = await running([
      { name: "web", dependsOn: ["api"], restartWith: ["api"] },
      { name: "api", dependsOn: ["db"], restartWith: ["db"] },
      { name: "db" },
      { name: "mail" },
    ]);
    const restarted = played.restart("db");
    await played.allReady();
    expect(await restarted).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual([
      ...["stop web", "stop api", "stop db"],
      ...["start db", "start api", "start web"],
    ]);
  });

  test("is announced to dependents that go on", async () => {
    using played = await running(chain);
    const restarted = played.restart("db");
    await played.allReady();
    await restarted;
    expect(played.takeSaid()).toEqual(["stop db", "start db"]);
    expect(played.logs.of("shop:api").last(1)[0]!.text).toBe(
      "[localhostess] db, which it depends on, is restarted",
    );
  });

  test("a crash of a dependency restarts those that say so, once it is ready again", async () => {
    using played = await running([
      { name: "api", dependsOn: ["db"], restartWith: ["db"] },
      { name: "cron", dependsOn: ["db"] },
      { name: "db" },
    ]);
    played.service("db").die(1);
    played.service("db").be("starting", { startedAt: 77 });
    await settled();
    expect(played.takeSaid()).toEqual([]);
    played.service("db").be("ready");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop api", "start api"]);
    expect(played.logs.of("shop:cron").last(1)[0]!.text).toContain("db, which it depends on, was");
  });

  test("is held: what is being restarted is starting, not stopped", async () => {
    using played = await running(chain);
    played.service("db").obedient = false;
    const restarted = played.restart("db");
    await settled();
    expect(played.states.db).toBe("starting");
    played.service("db").end();
    await played.allReady();
    expect(await restarted).toEqual({ kind: "ready" });
    expect(played.changes.map(([, its]) => its.state)).not.toContain("stopping");
  });

  test("a stop meanwhile wins, and whoever waits is told", async () => {
    using played = await running(chain);
    played.service("db").obedient = false;
    const restarted = played.restart("db");
    await settled();
    const stopped = played.project.stop(["db"]);
    played.service("db").end();
    await stopped;
    expect(await restarted).toMatchObject({ kind: "failed" });
    await settled();
    expect(played.states.db).toBe("stopped");
    expect(played.takeSaid().filter((what) => what === "start db")).toEqual([]);
  });

  test("starts one that is stopped, and leaves others stopped", async () => {
    using played = await running(chain);
    await played.project.stop(["api", "mail"]);
    played.takeSaid();
    const restarted = played.restart("mail");
    await played.allReady();
    expect(await restarted).toEqual({ kind: "ready" });
    expect(played.takeSaid()).toEqual(["start mail"]);
  });
});

describe("a changed file", () => {
  test("touches only what it changes", async () => {
    using played = await running(chain);
    const changed = chain.map((its) => (its.name === "mail" ? { ...its, command: "other" } : its));
    await played.project.apply(declared(changed), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop mail", "start mail"]);
    expect(played.service("mail").spec.command).toBe("other");
  });

  test("that says the same in other words touches nothing", async () => {
    using played = await running(chain);
    await played.project.apply(declared([...chain].reverse()), {});
    await played.allReady();
    expect(played.said).toEqual([]);
    expect(Object.keys(played.states)).toEqual(["mail", "db", "api", "web"]);
  });

  test("starts what is added to a project that is up, and stops what is removed", async () => {
    using played = await running(chain);
    const services = [...chain.filter(({ name }) => name !== "mail"), { name: "cron" }];
    await played.project.apply(declared(services), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop mail", "start cron"]);
    expect(played.states).toEqual({ web: "ready", api: "ready", db: "ready", cron: "ready" });
    expect(played.changes.find(([change]) => change === "gone")![1].id).toBe("shop:mail");
  });

  test("starts nothing in a project that is stopped", async () => {
    using played = new PlayedProject(chain);
    await played.project.apply(declared([...chain, { name: "cron" }]), {});
    await settled();
    expect(played.said).toEqual([]);
    expect(played.states).toMatchObject({ cron: "stopped" });
  });

  test("that mends what could not start lets it start", async () => {
    using played = new PlayedProject([{ name: "api", env: { A: "${env.NOT_SET}" } }]);
    const started = await played.up();
    expect(started).toMatchObject({ kind: "failed" });
    expect(JSON.stringify(started)).toContain("NOT_SET");
    await played.project.apply(declared([{ name: "api", env: { A: "1" } }]), {});
    await played.allReady();
    expect(played.states).toEqual({ api: "ready" });
  });

  test("another port of one restarts those that are told it", async () => {
    const services = (port: number): Declared[] => [
      { name: "web", env: { API: "${services.api.port}" }, dependsOn: ["api"] },
      { name: "api", port },
    ];
    using played = await running(services(3000));
    await played.project.apply(declared(services(3001)), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop web", "stop api", "start api", "start web"]);
    expect(played.service("web").spec.env).toEqual({ API: "3001" });
  });
});

const nothingKnown = { shell: {}, services: new Map() };

describe("after another daemon", () => {
  test("what should run is started, with what was added meanwhile", async () => {
    using played = new PlayedProject([...chain, { name: "cron" }, { name: "docs", lazy: true }]);
    const state = {
      whole: true,
      wanted: ["db", "api", "web"],
      unwanted: ["mail"],
      dozing: [],
      profiles: [],
    };
    played.project.resume(state, { shell: { PATH: "/bin" }, services: new Map() });
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db", "start cron", "start api", "start web"]);
    expect(played.states).toMatchObject({ cron: "ready", docs: "stopped" });
    expect(played.project.wishes.dozing).toEqual(["docs"]);
  });

  test("a dependency that somebody had stopped starts with what ran without it", async () => {
    using played = new PlayedProject(chain);
    played.project.resume(
      { whole: true, wanted: ["api", "web"], unwanted: ["db", "mail"], dozing: [], profiles: [] },
      nothingKnown,
    );
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db", "start api", "start web"]);
    expect(played.states.web).toBe("ready");
  });

  test("nothing is started that was not asked for", async () => {
    using played = new PlayedProject(chain);
    played.project.resume(
      { whole: false, wanted: ["db"], unwanted: [], dozing: [], profiles: [] },
      nothingKnown,
    );
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db"]);
  });
});

describe("services of a profile", () => {
  const services = [
    { name: "web" },
    { name: "adminer", profiles: ["tools"] },
    { name: "seed", disabled: true },
  ];

  test("start with its up, and say why they do not; a later up leaves those that run", async () => {
    using played = new PlayedProject(services);
    const up = async (...profiles: string[]) => {
      void played.project.up({ names: undefined, profiles, shell: {}, hear() {} });
      await played.allReady();
      return played.takeSaid();
    };
    const whys = () => played.project.snapshots().map(({ why }) => why);
    expect(await up()).toEqual(["start web"]);
    expect(whys()).toEqual([undefined, "profile tools", "disabled"]);
    expect(await up("tools")).toEqual(["start adminer"]);
    expect(played.project.wishes).toMatchObject({ whole: true, profiles: ["tools"] });
    expect(await up()).toEqual([]);
    expect(played.states).toEqual({ web: "ready", adminer: "ready", seed: "stopped" });
    expect(played.project.wishes).toMatchObject({
      wanted: ["web", "adminer"],
      unwanted: ["seed"],
      profiles: [],
    });
  });

  test("that are named start, and change nothing of the profiles that were asked for", async () => {
    using played = new PlayedProject(services);
    void played.project.up({ names: undefined, profiles: ["tools"], shell: {}, hear() {} });
    await played.allReady();
    await played.project.stop(["adminer"]);
    // Somebody stopped it, and no profile is missing.
    expect(played.project.snapshots()[1]!.why).toBeUndefined();
    void played.project.up({ names: ["seed"], shell: {}, hear() {} });
    await played.allReady();
    expect(played.states).toEqual({ web: "ready", adminer: "stopped", seed: "ready" });
    expect(played.project.wishes.profiles).toEqual(["tools"]);
  });

  test("that are added to the file start if theirs was asked for, now and with the next daemon", async () => {
    const later = [
      ...services,
      { name: "mailer", profiles: ["mail"] },
      { name: "psql", profiles: ["tools"] },
    ];
    using played = new PlayedProject(services);
    void played.project.up({ names: undefined, profiles: ["tools"], shell: {}, hear() {} });
    await played.allReady();
    played.takeSaid();
    await played.project.apply(declared(later), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start psql"]);
    using next = new PlayedProject(later);
    next.project.resume(
      { whole: true, wanted: ["web"], unwanted: ["seed"], dozing: [], profiles: ["mail"] },
      nothingKnown,
    );
    await next.allReady();
    expect(next.takeSaid()).toEqual(["start web", "start mailer"]);
    expect(next.project.wishes.profiles).toEqual(["mail"]);
  });
});

describe("instances of a service", () => {
  const web = (count: number, more: object = {}) =>
    Array.from({ length: count }, (_, at) => ({
      name: `web-${at + 1}`,
      instance: { of: "web", number: at + 1, routeName: "shop" },
      ...more,
    }));

  test("that are added or removed start and end, and the others go on", async () => {
    using played = await running(web(2));
    await played.project.apply(declared(web(4)), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start web-3", "start web-4"]);
    await played.project.apply(declared(web(1)), {});
    expect(played.takeSaid().toSorted()).toEqual(["stop web-2", "stop web-3", "stop web-4"]);
    expect(played.states).toEqual({ "web-1": "ready" });
  });

  test("that sleep are woken together, by a request for any of them", async () => {
    using played = await running([...web(3, { lazy: true }), { name: "db", lazy: true }]);
    played.project.wake("web-2");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start web-1", "start web-2", "start web-3"]);
    await played.project.stop(["web-3"]);
    await played.project.doze("web-1");
    played.takeSaid();
    played.project.wake("web-1");
    await played.allReady();
    // Somebody has stopped the third.
    expect(played.takeSaid()).toEqual(["start web-1"]);
  });

  test("know their number, and the port of a name that they share is the first's", async () => {
    const env = { ME: "${env.LOCALHOSTESS_INSTANCE} of ${services.web.port}" };
    using played = await running([
      ...web(2, { env }),
      { name: "other", env: { W: "${services.web.port}" } },
    ]);
    const first = played.service("web-1").requests[0]!.port;
    expect(played.service("web-2").spec.env).toEqual({ ME: `2 of ${first}` });
    expect(played.service("other").spec.env).toEqual({ W: String(first) });
  });
});

describe("a service of which nobody has seen what it runs", () => {
  const pending: Pending = {
    change: "added",
    keys: [],
    before: null,
    after: "serve",
    why: "git's HEAD is another than at the last up",
    held: true,
  };
  const holding = (names: readonly string[], services = chain) => ({
    ...declared(services),
    pending: new Map(names.map((name) => [name, pending])),
  });
  const why =
    "it is new, and git's HEAD is another than at the last up; localhostess up /shop takes it";

  test("is not started where it is added, nor by a restart, a request or who depends on it", async () => {
    using played = await running([{ name: "api" }]);
    const services = [
      { name: "api" },
      { name: "spy" },
      { name: "door", lazy: true },
      { name: "web", dependsOn: ["spy"] },
    ];
    await played.project.apply(holding(["spy", "door"], services), {});
    await settled();
    expect(played.takeSaid()).toEqual([]);
    expect(played.snapshot("spy")).toMatchObject({ state: "failed", why, pending });
    expect(played.snapshot("door")).toMatchObject({ state: "stopped", pending });
    expect(played.snapshot("api").pending).toBeUndefined();
    // Whoever follows events hears of it, also of one that goes on.
    const told = (name: string) => played.changes.findLast(([, its]) => its.service === name)![1];
    expect(told("spy").pending).toEqual(pending);
    const goesOn: Pending = { ...pending, change: "changed", keys: ["command"], held: false };
    const both = holding(["spy", "door"], services);
    await played.project.apply({ ...both, pending: both.pending.set("api", goesOn) }, {});
    expect(told("api")).toMatchObject({ pending: goesOn, state: "ready" });
    await played.project.apply(holding(["spy", "door"], services), {});
    expect(told("api").pending).toBeUndefined();
    played.project.wake("door");
    await settled();
    expect(played.snapshot("door")).toMatchObject({ state: "failed", why });
    expect(await played.restart("spy")).toEqual({
      kind: "failed",
      reasons: [`shop:spy did not start: ${why}`],
    });
    expect(played.snapshot("web").why).toContain(why);
    expect(played.takeSaid()).toEqual([]);

    // Said once: nothing begins again with each look at the files.
    played.changes.length = 0;
    await played.project.apply(holding(["spy", "door"], services), {});
    await settled();
    expect(played.changes).toEqual([]);

    await played.project.apply(declared(services), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start spy", "start web"]);
    // A lazy one waits for its next request.
    expect(played.snapshot("door").state).toBe("stopped");
    played.project.wake("door");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start door"]);
  });

  test("is not started by the next daemon, and is once its files are as they were", async () => {
    using played = new PlayedProject([{ name: "db" }, { name: "api" }], ["api"]);
    played.project.resume(
      { whole: true, wanted: ["db", "api"], unwanted: [], dozing: [], profiles: [] },
      nothingKnown,
    );
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db"]);
    expect(played.states).toEqual({ db: "ready", api: "failed" });
    await played.project.apply(declared([{ name: "db" }, { name: "api" }]), {});
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start api"]);
  });
});

test("two hundred services in a chain start and stop in order, each told a few times", async () => {
  const services = Array.from({ length: 200 }, (_, at) => ({
    name: `s${at}`,
    dependsOn: at === 0 ? [] : [`s${at - 1}`],
  }));
  using played = new PlayedProject(services);
  const up = played.up();
  await played.allReady();
  expect(await up).toEqual({ kind: "ready" });
  expect(played.takeSaid()).toEqual(services.map(({ name }) => `start ${name}`));
  expect(played.changes.length).toBeLessThan(200 * 6);
  await played.project.stop(undefined);
  expect(played.takeSaid()).toEqual(services.map(({ name }) => `stop ${name}`).reverse());
});
