import { describe, expect, test } from "bun:test";
import { type Declared, declared, PlayedProject } from "./fake-project.ts";
import { settled } from "./fake-lifecycle.ts";

const site: Declared[] = [
  { name: "web", dependsOn: ["db", "seed"], watch: ["*.ts"] },
  { name: "db" },
  { name: "seed", type: "worker", restart: "no" },
];

/** All ready, and the worker has ended well since. */
async function running(services: Declared[] = site): Promise<PlayedProject> {
  const played = new PlayedProject(services);
  const up = played.up();
  await played.allReady();
  expect(await up).toEqual({ kind: "ready" });
  if (played.made.has("seed")) played.service("seed").die(0, "exited");
  await settled();
  played.takeSaid();
  played.heard.length = 0;
  return played;
}

const edited = (changes: Partial<Declared>, services = site) =>
  declared(services.map((its) => (its.name === "web" ? { ...its, ...changes } : its)));

/** Every way to another process in the place of one that runs. */
const ways: [name: string, ask: (played: PlayedProject) => unknown][] = [
  ["a typed restart", (played) => played.restart("web")],
  ["a watched file", ({ project }) => project.renew("web", "a.ts changed")],
  ["a changed declaration", ({ project }) => project.apply(edited({ command: "other" }), {})],
  ["up from another shell", (played) => played.up("web")],
];

for (const [name, ask] of ways) {
  describe(`${name} of a service`, () => {
    const setUp = async (played: PlayedProject): Promise<void> => {
      // From another shell, `up` restarts what refers to it.
      if (name.startsWith("up")) Object.assign(played.service("web").spec.env, { A: "before" });
    };

    test("restarts it where a worker that it depends on has ended well, and runs that not again", async () => {
      using played = await running();
      await setUp(played);
      void ask(played);
      await played.allReady();
      if (name.startsWith("up")) {
        // A worker is no task: `up` starts what does not run.
        expect(played.takeSaid()).toEqual(["start seed", "stop web", "start web"]);
      } else expect(played.takeSaid()).toEqual(["stop web", "start web"]);
      expect(played.snapshot("web").state).toBe("ready");
    });

    test("begins a dependency that was stopped, and ends the old process when that is ready", async () => {
      using played = await running();
      await setUp(played);
      await played.project.stop(["db"]);
      played.takeSaid();
      void ask(played);
      await settled();
      expect(played.takeSaid()[0]).toBe("start db");
      expect(played.snapshot("web")).toMatchObject({
        state: "ready",
        warnings: [expect.stringContaining("is not restarted yet and goes on: waits for db")],
      });
      await played.allReady();
      expect(played.takeSaid().filter((its) => its.endsWith(" web"))).toEqual([
        "stop web",
        "start web",
      ]);
      expect(played.snapshot("web")).toMatchObject({ state: "ready", warnings: [] });
    });

    test("waits for a dependency whose check fails for a moment, while it serves", async () => {
      using played = await running();
      await setUp(played);
      played.service("db").be("unready", { startedAt: 1 });
      void ask(played);
      await settled();
      expect(played.said).not.toContain("stop web");
      expect(played.snapshot("web").state).toBe("ready");
      played.service("db").be("ready", { startedAt: 1 });
      await played.allReady();
      expect(played.takeSaid().slice(-2)).toEqual(["stop web", "start web"]);
      expect(played.snapshot("web").state).toBe("ready");
    });
  });
}

describe("a service that could not start again goes on", () => {
  const lastLine = (played: PlayedProject) => played.logs.of("shop:web").last(1)[0]?.text;

  test("where a dependency fails, and is restarted once that is ready", async () => {
    using played = await running();
    await played.project.stop(["db"]);
    const restarted = played.restart("web");
    await settled();
    played.service("db").die(1, "failed");
    const why =
      "db, which it waits for, ended with exit code 1; localhostess up /shop db starts it";
    expect(await restarted).toEqual({
      kind: "failed",
      reasons: [`shop:web is not restarted yet and goes on: ${why}`],
    });
    expect(played.snapshot("web").state).toBe("ready");
    expect(played.snapshot("web").warnings).toEqual([`is not restarted yet and goes on: ${why}`]);
    expect(lastLine(played)).toContain(why);
    played.takeSaid();
    void played.up("db");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start db", "stop web", "start web"]);
  });

  const obstacles: [
    what: string,
    why: string,
    set: (played: PlayedProject, on: boolean) => void,
  ][] = [
    [
      "its folder is gone",
      "there is no folder /site",
      ({ missing }, on) => void (on ? missing.add("/site") : missing.delete("/site")),
    ],
    [
      "its new port is taken",
      "another program listens on its port 4000",
      ({ taken }, on) => void (on ? taken.add(4000) : taken.delete(4000)),
    ],
    [
      "no port is left",
      "there is no free port for it",
      (played, on) => {
        played.noPorts = on;
      },
    ],
  ];
  for (const [what, why, set] of obstacles) {
    test(`where ${what}, says so, and is restarted when that has passed`, async () => {
      using played = await running([{ name: "web", workdir: "/site" }]);
      const { startedAt } = played.snapshot("web");
      set(played, true);
      const port = why.includes("4000") ? 4000 : undefined;
      await played.project.apply(
        declared([{ name: "web", workdir: "/site", command: "other", port }]),
        {},
      );
      expect(await played.restart("web")).toEqual({
        kind: "failed",
        reasons: [`shop:web is not restarted yet and goes on: ${why}`],
      });
      expect(played.snapshot("web")).toMatchObject({ state: "ready", startedAt });
      expect(played.takeSaid()).toEqual([]);
      set(played, false);
      played.clock.advance(1000);
      await played.allReady();
      expect(played.takeSaid()).toEqual(["stop web", "start web"]);
    });
  }

  test("where a variable is not set in the shell of the restart", async () => {
    using played = new PlayedProject([{ name: "web", env: { A: "${env.TOKEN}" } }]);
    const hear = () => {};
    void played.project.up({ names: undefined, shell: { TOKEN: "1" }, hear });
    await played.allReady();
    played.takeSaid();
    expect(await played.restart("web")).toMatchObject({ kind: "failed" });
    expect(played.snapshot("web").warnings[0]).toContain("TOKEN is not set");
    expect(played.takeSaid()).toEqual([]);
    void played.project.restart({ names: ["web"], shell: { TOKEN: "2" }, hear });
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop web", "start web"]);
  });

  test("and whoever waits for a restart that waits is not kept for ever", async () => {
    using played = await running();
    played.service("db").be("unready", { startedAt: 1 });
    const restarted = played.restart("web");
    await settled();
    played.clock.advance(30_000);
    expect(await restarted).toEqual({
      kind: "failed",
      reasons: ["shop:web is not restarted yet and goes on: waits for db"],
    });
    expect(played.snapshot("web").state).toBe("ready");
  });
});

describe("while a restart waits", () => {
  const waiting = async (): Promise<PlayedProject> => {
    const played = await running();
    played.service("db").be("unready", { startedAt: 1 });
    played.project.renew("web", "a.ts changed");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    return played;
  };

  test("a stop wins", async () => {
    using played = await waiting();
    await played.project.stop(["web"]);
    played.service("db").be("ready", { startedAt: 1 });
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop web"]);
    expect(played.snapshot("web")).toMatchObject({ state: "stopped", warnings: [] });
  });

  test("it is done once, whatever else asks for it", async () => {
    using played = await waiting();
    played.project.renew("web", "b.ts changed");
    await played.project.apply(edited({ command: "other" }), {});
    void played.restart("web");
    const up = played.up();
    await settled();
    played.service("db").be("ready", { startedAt: 1 });
    await played.allReady();
    expect(await up).toEqual({ kind: "ready" });
    expect(played.takeSaid().filter((its) => its.endsWith(" web"))).toEqual([
      "stop web",
      "start web",
    ]);
    expect(played.service("web").spec.command).toBe("other");
  });

  test("a crash is its lifecycle's to mend; one that is given up starts when all is there", async () => {
    using played = await waiting();
    played.service("web").die(1);
    played.service("web").be("ready", { startedAt: 50 });
    await settled();
    expect(played.takeSaid()).toEqual([]);
    played.service("web").die(1, "failed");
    await settled();
    expect(played.snapshot("web")).toMatchObject({ state: "starting", why: "waits for db" });
    played.service("db").be("ready", { startedAt: 1 });
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start web"]);
  });

  test("the end of the daemon ends it, and it is wanted by the next", async () => {
    using played = await waiting();
    await played.project.rest();
    expect(played.takeSaid()).toContain("stop web");
    expect(played.project.wishes.wanted).toContain("web");
    played.clock.advance(5000);
    await settled();
    expect(played.takeSaid()).toEqual([]);
  });

  test("it is taken down with the service when the file removes that", async () => {
    using played = await waiting();
    await played.project.apply(declared(site.slice(1)), {});
    await settled();
    expect(played.takeSaid()).toEqual(["stop web"]);
  });
});

describe("services that restart together", () => {
  const pair: Declared[] = [
    { name: "web", dependsOn: ["api", "cache"], restartWith: ["api"] },
    { name: "api", dependsOn: ["db"] },
    { name: "db" },
    { name: "cache" },
  ];

  test("each goes when it can: one that would wait in vain holds no other up", async () => {
    using played = await running(pair);
    await played.project.stop(["cache"]);
    played.takeSaid();
    void played.restart("api");
    await settled();
    expect(played.takeSaid()).toEqual(["start cache", "stop api", "start api"]);
    played.service("cache").die(1, "failed");
    played.service("api").be("ready");
    await settled();
    expect(played.snapshot("web").state).toBe("ready");
    expect(played.takeSaid()).toEqual([]);
    void played.up("cache");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start cache", "stop web", "start web"]);
  });

  test("one that is restarted for another waits for that one", async () => {
    using played = await running(pair);
    played.service("db").be("unready", { startedAt: 1 });
    played.project.renew("api", "a.ts changed");
    await settled();
    expect(played.takeSaid()).toEqual([]);
    played.service("db").be("ready", { startedAt: 1 });
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop web", "stop api", "start api", "start web"]);
  });

  test("a restart of all takes each down once, in order", async () => {
    using played = await running(pair);
    const restarted = played.restart();
    await played.allReady();
    expect(await restarted).toEqual({ kind: "ready" });
    const said = played.takeSaid();
    expect(said.filter((its) => its.startsWith("stop "))).toHaveLength(4);
    expect(said.indexOf("stop web")).toBeLessThan(said.indexOf("stop api"));
    expect(said.indexOf("start db")).toBeLessThan(said.indexOf("start api"));
    expect(said.indexOf("start api")).toBeLessThan(said.indexOf("start web"));
  });
});
