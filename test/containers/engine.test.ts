import { expect, test } from "bun:test";
import { Engine, type EngineApi } from "../../src/containers/engine.ts";
import type { Answer } from "../../src/containers/engine-api.ts";
import type { EngineSocket } from "../../src/containers/engine-socket.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** An engine that does what the test says, and the one that asks it. */
function scene() {
  const clock = new FakeClock();
  let socket: EngineSocket = { kind: "absent" };
  const lists: ((answer: Answer) => void)[] = [];
  let asked = 0;
  const followers = new Set<Parameters<EngineApi["follow"]>[1]>();
  /** The names at each change. */
  const told: string[][] = [];
  const api: EngineApi = {
    get(_, { signal, deadline }) {
      asked++;
      return new Promise<Answer>((resolve) => {
        const cancel = clock.after(deadline, () => resolve({ kind: "late", why: "late" }));
        lists.push((answer) => {
          cancel();
          resolve(answer);
        });
        signal?.addEventListener("abort", () => {
          cancel();
          resolve({ kind: "failed", why: "aborted", code: undefined });
        });
      });
    },
    follow(_, follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
  const engine: Engine = new Engine({
    ...{ path: "/run/docker.sock", clock, api },
    look: () => socket,
    onChange: () => told.push(engine.report.containers.map(({ name }) => name)),
  });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const answered = async (answer: Answer) => {
    for (const resolve of lists.splice(0)) resolve(answer);
    await turn();
  };
  return {
    ...{ clock, engine, turn, told },
    get asked() {
      return asked;
    },
    get followers() {
      return followers.size;
    },
    names: () => engine.report.containers.map(({ name }) => name),
    state: () => engine.report.state,
    socketIs(now: string | undefined) {
      socket = now === undefined ? { kind: "absent" } : { kind: "socket", identity: now, owner: 0 };
      engine.look();
    },
    listed: (...names: string[]) => {
      const rows = names.map((name) => ({ Id: name, Names: [`/${name}`], State: "running" }));
      return answered({ kind: "answer", text: JSON.stringify(rows), server: "Docker/28" });
    },
    failed: () => answered({ kind: "failed", why: "nothing listens", code: "ECONNREFUSED" }),
    garbage: () => answered({ kind: "answer", text: "[{", server: undefined }),
    event: async (action: string) => {
      const line = Buffer.from(`${JSON.stringify({ Action: action })}\n`);
      for (const follower of [...followers]) follower.onBytes(line);
      await turn();
    },
    open: async () => {
      for (const follower of [...followers]) follower.onOpen();
      await turn();
    },
    eventsEnd: async () => {
      for (const follower of [...followers]) {
        followers.delete(follower);
        follower.onEnd("its events have ended");
      }
      await turn();
    },
    async time(milliseconds: number) {
      // In steps, because an answer that is late is acted on in a turn of its own.
      for (let passed = 0; passed < milliseconds; passed += 50) {
        clock.advance(Math.min(50, milliseconds - passed));
        await turn();
      }
    },
  };
}

async function following(...names: string[]) {
  const its = scene();
  its.socketIs("one");
  await its.listed(...names);
  await its.time(5000);
  return its;
}

test("nothing is asked until a socket is there; then its list and its events", async () => {
  const its = scene();
  await its.time(60_000);
  expect([its.state(), its.asked, its.followers]).toEqual(["away", 0, 0]);
  its.socketIs("one");
  expect([its.state(), its.asked, its.followers]).toEqual(["joining", 1, 1]);
  await its.listed("web");
  expect([its.state(), its.names()]).toEqual(["following", ["web"]]);
});

test("a start is one more list at once, and a hundred at once are two", async () => {
  const its = await following("web");
  const before = its.asked;
  await its.event("start");
  expect(its.asked).toBe(before + 1);
  for (let count = 0; count < 100; count++) await its.event("start");
  await its.listed("web", "db");
  expect(its.names()).toEqual(["web", "db"]);
  expect(its.asked).toBe(before + 1);
  await its.time(100);
  expect(its.asked).toBe(before + 2);
  await its.listed("web");
  expect(its.names()).toEqual(["web"]);
  // A health check runs a command every few seconds, which says nothing of names.
  await its.time(200);
  await its.time(200);
  await its.listed("web");
  const { asked } = its;
  await its.event("exec_start: /bin/true");
  await its.event("health_status: healthy");
  await its.time(1000);
  expect(its.asked).toBe(asked);
});

test("an engine that tells of an end before its list has it is asked once more", async () => {
  const its = await following("web");
  await its.event("die");
  await its.listed("web");
  await its.time(500);
  await its.listed();
  expect(its.names()).toEqual([]);
});

test("a killed engine has no names as soon as its socket refuses us, and has them again when it is back", async () => {
  const its = await following("web");
  await its.eventsEnd();
  expect([its.state(), its.names()]).toEqual(["lost", ["web"]]);
  await its.failed();
  expect([its.state(), its.names()]).toEqual(["resting", []]);
  await its.time(200);
  expect(its.state()).toBe("joining");
  await its.listed("web");
  expect([its.state(), its.names()]).toEqual(["following", ["web"]]);
});

test("a restart that answers at once never loses a name", async () => {
  const its = await following("web");
  const before = its.told.length;
  await its.eventsEnd();
  await its.listed("web");
  expect([its.state(), its.names()]).toEqual(["following", ["web"]]);
  expect(new Set(its.told.slice(before).map(String))).toEqual(new Set(["web"]));
});

test("the names of an engine that hangs stay for a while, and then go; it is asked on, and comes back", async () => {
  const its = await following("web");
  // The next look is 15 seconds after the first, of which five have passed, and waits two for its answer.
  await its.time(12_000);
  expect([its.state(), its.names()]).toEqual(["silent", ["web"]]);
  await its.time(9000);
  expect([its.state(), its.names()]).toEqual(["silent", ["web"]]);
  await its.time(2000);
  expect(its.names()).toEqual([]);
  await its.time(60_000);
  const inOneMinute = its.asked;
  await its.time(60_000);
  // Two seconds for an answer, and ten of a pause.
  expect(its.asked - inOneMinute).toBeLessThanOrEqual(6);
  its.socketIs("two");
  await its.listed("web");
  expect(its.names()).toEqual(["web"]);
});

test("an engine that answers again within that time keeps its names", async () => {
  const its = await following("web");
  await its.time(12_000 + 5000);
  expect(its.state()).toBe("silent");
  await its.listed("web", "db");
  expect([its.state(), its.names()]).toEqual(["following", ["web", "db"]]);
  await its.time(10_000);
  expect(its.names()).toEqual(["web", "db"]);
});

test("an engine that fails again and again is asked ever more seldom, and at once where its socket is a new one", async () => {
  const its = scene();
  its.socketIs("one");
  for (let count = 0; count < 20; count++) {
    await its.garbage();
    await its.time(10_000);
  }
  expect(its.asked).toBeLessThanOrEqual(30);
  expect([its.state(), its.names(), its.followers]).toEqual(["joining", [], 1]);
  await its.failed();
  expect([its.state(), its.followers]).toEqual(["resting", 0]);
  const before = its.asked;
  its.socketIs("two");
  expect([its.state(), its.asked]).toEqual(["joining", before + 1]);
});

test("an engine whose events end as soon as they come is not asked in a circle", async () => {
  const its = scene();
  its.socketIs("one");
  await its.listed("web");
  for (let passed = 0; passed < 20_000; passed += 50) {
    await its.eventsEnd();
    await its.listed("web");
    await its.time(50);
  }
  expect(its.asked).toBeLessThan(20);
});

test("an engine that floods us with events is let go, and asked again later", async () => {
  const its = await following("web");
  for (let count = 0; count < 100 && its.state() === "following"; count++) {
    await its.event(`exec_start: ${"x".repeat(100_000)}`);
  }
  expect([its.state(), its.engine.report.trouble]).toEqual(["lost", "it floods us with events"]);
  // The first attempt is at once: the same follows from a restart.
  expect([its.followers, its.names()]).toEqual([1, ["web"]]);
  await its.listed("web");
  for (let count = 0; count < 20; count++) await its.event(`exec_start: ${"x".repeat(100_000)}`);
  expect(its.state()).toBe("following");
});

test("its names go with its socket, and nothing of it is left when we stop", async () => {
  const gone = await following("web");
  gone.socketIs(undefined);
  expect([gone.state(), gone.names(), gone.followers]).toEqual(["away", [], 0]);
  expect(gone.clock.waiting).toBe(0);

  const stopped = await following("web");
  await stopped.event("start");
  stopped.engine.stop();
  stopped.engine.stop();
  await stopped.turn();
  expect([stopped.state(), stopped.followers, stopped.clock.waiting]).toEqual(["ended", 0, 0]);
  stopped.socketIs("two");
  expect(stopped.state()).toBe("ended");
});

test("an answer to a question that nobody asks any more changes nothing", async () => {
  const its = await following("web");
  await its.event("start");
  its.socketIs(undefined);
  await its.listed("late");
  expect(its.names()).toEqual([]);
});

test("a quiet engine without containers is left alone; one with some is looked at every 15 seconds", async () => {
  const empty = await following();
  await empty.open();
  await empty.listed();
  const before = empty.asked;
  await empty.time(60_000);
  expect([empty.asked, empty.state()]).toEqual([before, "following"]);
  const some = await following("web");
  expect(some.asked).toBe(1);
  await some.time(10_000);
  expect(some.asked).toBe(2);
});
