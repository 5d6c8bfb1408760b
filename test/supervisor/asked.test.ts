/** Projects to which anything happens, in any order: what was asked last counts, and nothing is left half done. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Declared, declared, PlayedProject } from "./fake-project.ts";
import { settled } from "./fake-lifecycle.ts";

const services: Declared[] = [
  { name: "web", dependsOn: ["api"], restartWith: ["api"] },
  { name: "api", dependsOn: ["db"] },
  { name: "db" },
  { name: "docs", lazy: true, dependsOn: ["index"] },
  { name: "index", lazy: true },
  { name: "mail", type: "worker", routeName: undefined },
];

const needs: Record<string, string[]> = {
  web: ["web", "api", "db"],
  api: ["api", "db"],
  docs: ["docs", "index"],
};
const names = services.map(({ name }) => name);
const name = fc.constantFrom(...names);

type Act =
  | { kind: "up" | "stop" | "restart" | "wake" | "doze" | "renew" | "tarry"; name: string }
  | { kind: "fails" | "rests"; name: string }
  | { kind: "up-all" | "stop-all" | "ready" | "settle" }
  | { kind: "change"; name: string };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("up", "stop", "restart", "wake", "doze", "renew", "tarry", "change"),
    name,
  }),
  fc.record({ kind: fc.constantFrom("fails", "rests"), name }),
  fc.record({ kind: fc.constantFrom("up-all", "stop-all", "ready", "settle") }),
) as fc.Arbitrary<Act>;

/** Applies one, and notes what was asked of whom. */
async function apply(played: PlayedProject, acts: readonly Act[]): Promise<Map<string, string>> {
  const asked = new Map<string, string>();
  const hear = () => {};
  let changes = 0;
  for (const its of acts) {
    switch (its.kind) {
      case "up":
        for (const each of needs[its.name] ?? [its.name]) asked.set(each, "up");
        void played.up(its.name);
        break;
      case "up-all":
        for (const each of names) {
          // One that is lazy and was brought up goes on, and one that was not waits for its request.
          if (services.find((one) => one.name === each)?.lazy !== true) asked.set(each, "up");
          else if (asked.get(each) !== "up") asked.set(each, "up-lazy");
        }
        void played.up();
        break;
      case "stop":
        asked.set(its.name, "stop");
        void played.project.stop([its.name]);
        break;
      case "stop-all":
        for (const each of names) asked.set(each, "stop");
        void played.project.stop(undefined);
        break;
      case "restart":
        // With what it depends on where it does not run.
        void played.project.restart({ names: [its.name], shell: {}, hear });
        asked.set(its.name, "up");
        for (const each of needs[its.name] ?? []) {
          if (played.project.wishes.wanted.includes(each)) asked.set(each, "up");
        }
        break;
      case "wake":
        played.project.wake(its.name);
        break;
      case "doze":
        void played.project.doze(its.name);
        break;
      case "renew":
        played.project.renew(its.name, "its file a.ts changed");
        break;
      case "tarry":
        if (played.made.has(its.name)) played.service(its.name).obedient = false;
        break;
      case "fails":
      case "rests": {
        const service = played.made.get(its.name);
        const runs = ["starting", "ready"].includes(service?.snapshot().state ?? "");
        if (runs && service!.snapshot().startedAt !== undefined) {
          if (its.kind === "fails") service!.die(1, "failed");
          else service!.die(0, "exited");
        }
        break;
      }
      case "ready":
        for (const service of played.made.values()) {
          const { state, startedAt } = service.snapshot();
          if (state === "starting" && startedAt !== undefined) service.be("ready");
        }
        break;
      case "settle":
        await settled();
        break;
      case "change": {
        const command = `other ${changes++}`;
        const changed = services.map((one) => (one.name === its.name ? { ...one, command } : one));
        void played.project.apply(declared(changed), {});
      }
    }
  }
  return asked;
}

/** Everything ends that is asked to, and becomes ready that starts. */
async function comeToRest(played: PlayedProject): Promise<void> {
  for (let round = 0; round < names.length * 3; round++) {
    for (const service of played.made.values()) {
      service.obedient = true;
      service.end();
    }
    await played.allReady();
  }
}

test("what was asked last of a service counts, and none is left between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
      using played = new PlayedProject(services);
      const asked = await apply(played, acts);
      await comeToRest(played);
      const { wanted, dozing } = played.project.wishes;
      for (const each of names) {
        const { state } = played.snapshot(each);
        const last = asked.get(each) ?? "stop";
        expect([each, wanted.includes(each)]).toEqual([each, last !== "stop"]);
        if (last === "stop") expect([each, state]).toEqual([each, "stopped"]);
        else if (dozing.includes(each)) expect([each, state]).toEqual([each, "stopped"]);
        // Ready, ended by itself, or it waits for one that is not there.
        else expect(["ready", "failed", "exited"]).toContain(state);
        // A service that nobody asked for by its name has no process, unless a request came or one depends on it.
        if (last === "up-lazy" && !acts.some(({ kind }) => kind === "wake" || kind === "up")) {
          expect([each, state]).toEqual([each, "stopped"]);
        }
      }
    }),
    { numRuns: 150, interruptAfterTimeLimit: 20_000 },
  );
});

describe("what happens between", () => {
  test("a file that changes does not start again what is being stopped", async () => {
    using played = new PlayedProject(services);
    void played.up();
    await played.allReady();
    played.service("web").obedient = false;
    const stopped = played.project.stop(undefined);
    await settled();
    played.takeSaid();
    // They wait for web to end, and run until then.
    expect(played.states).toMatchObject({ api: "ready", db: "ready" });
    played.project.renew("db", "schema.sql changed");
    const changed = services.map((its) => (its.name === "db" ? { ...its, command: "x" } : its));
    await played.project.apply(declared(changed), {});
    played.service("web").end();
    await stopped;
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop api", "stop db"]);
    expect(played.project.wishes.wanted).toEqual([]);
  });

  test("a service that ended well by itself is started by a request to one that depends on it", async () => {
    using played = new PlayedProject(services);
    void played.up();
    played.project.wake("docs");
    await played.allReady();
    for (const each of ["docs", "index"]) played.service(each).die(0, "exited");
    played.takeSaid();
    played.project.wake("docs");
    await played.allReady();
    expect(played.takeSaid()).toEqual(["start index", "start docs"]);
    expect(played.states).toMatchObject({ docs: "ready", index: "ready" });
  });

  test("a dependency that ends well before it is ready is not started again and again", async () => {
    using played = new PlayedProject(services);
    void played.up();
    await played.allReady();
    played.takeSaid();
    played.project.wake("docs");
    await settled();
    played.service("index").die(0, "exited");
    await settled();
    expect(played.takeSaid()).toEqual(["start index"]);
    expect(played.snapshot("docs")).toMatchObject({
      state: "failed",
      why: "index, which it waits for, ended with exit code 0",
    });
  });

  test("a request that comes while the daemon ends keeps nothing alive", async () => {
    using played = new PlayedProject([
      { name: "web", dependsOn: ["docs"] },
      { name: "docs", lazy: true },
    ]);
    void played.up();
    await played.allReady();
    played.service("web").obedient = false;
    const rested = played.project.rest();
    await settled();
    played.service("docs").die(0, "exited");
    played.project.wake("docs");
    played.service("web").end();
    await rested;
    await settled();
    expect(played.takeSaid()).toContain("stop docs");
    expect(played.service("docs").snapshot().state).toBe("stopped");
  });

  test("a restart that is overtaken by another leaves the service to that one", async () => {
    using played = new PlayedProject(services);
    void played.up();
    await played.allReady();
    for (const each of ["mail", "api"]) played.service(each).obedient = false;
    played.takeSaid();
    void played.restart("mail", "db");
    void played.restart("api", "db");
    await settled();
    played.service("mail").end();
    await settled();
    // It runs until the one that depends on it has ended.
    expect(played.takeSaid()).toEqual(["stop mail", "stop web", "stop api", "start mail"]);
    played.service("api").end();
    await played.allReady();
    expect(played.takeSaid()).toEqual(["stop db", "start db", "start api", "start web"]);
  });

  test("a stop while its former process is ended for another command leaves it stopped", async () => {
    using played = new PlayedProject([{ name: "api" }]);
    void played.up();
    await played.allReady();
    played.service("api").die(1, "failed");
    played.service("api").obedient = false;
    await played.project.apply(declared([{ name: "api", command: "other" }]), {});
    await settled();
    expect(played.states).toEqual({ api: "starting" });
    const stopped = played.project.stop(["api"]);
    played.service("api").end();
    await stopped;
    await settled();
    expect(played.takeSaid()).toEqual(["start api", "stop api"]);
    expect(played.states).toEqual({ api: "stopped" });
    void played.up();
    await played.allReady();
    expect(played.service("api").spec.command).toBe("other");
  });
});
