import { describe, expect, test } from "bun:test";
import type { ObservedProcess } from "../../src/discovery/observation.ts";
import type { PortHolder } from "../../src/discovery/port-holder.ts";
import type { HealthCheck, ServiceSpec } from "../../src/manifest/project.ts";
import { FakeLifecycle, request, settled } from "./fake-lifecycle.ts";

const failing = { code: 3, signal: null };
const well = { code: 0, signal: null };

describe("ready", () => {
  test("by its port, once something listens on it", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    await fake.pass(2000);
    expect(fake.state).toBe("running");
    await fake.becomeReady();
    expect(fake.state).toBe("ready");
    expect(fake.states).toEqual(["starting", "running", "ready"]);
    expect(fake.service.snapshot()).toMatchObject({ pid: 1001, port: 21_000, restarts: 0 });
  });

  test("by READY=1, whatever else is declared", async () => {
    for (const changes of [{}, { readyPattern: "never" }, { health: check({}) }]) {
      const fake = new FakeLifecycle(changes);
      fake.health = undefined;
      await fake.start();
      fake.say("STATUS=warming up");
      expect(fake.service.snapshot().status).toBe("warming up");
      expect(fake.state).toBe("running");
      fake.say("READY=1");
      expect(fake.state).toBe("ready");
    }
  });

  test("one that speaks of itself is not ready because its port listens", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.say("STATUS=loading");
    await fake.becomeReady();
    await fake.pass(5000);
    expect(fake.state).toBe("running");
    fake.say("READY=1");
    expect(fake.state).toBe("ready");
  });

  describe("one that is built first", () => {
    const own = { kind: "built", build: { kind: "command", command: "make", inputs: [] } } as const;

    test("is not ready while it builds, whatever listens, however long that takes", async () => {
      const fake = new FakeLifecycle({ own, health: undefined, startTimeout: 30_000 });
      await fake.start();
      fake.say("STATUS=builds: make");
      expect(fake.service.snapshot().status).toBe("builds: make");
      await fake.becomeReady();
      await fake.pass(100_000);
      expect(fake.state).toBe("running");
      fake.say("X_BUILT=1");
      expect(fake.service.snapshot().status).toBeUndefined();
      await fake.pass(1000);
      expect(fake.state).toBe("ready");
    });

    test("has its start_timeout from when the build is done", async () => {
      const fake = new FakeLifecycle({ own, startTimeout: 30_000 });
      await fake.start();
      await fake.pass(100_000);
      fake.say("X_BUILT=1");
      await fake.pass(29_000);
      expect(fake.states).not.toContain("backoff");
      await fake.pass(2000);
      expect(fake.states).toContain("backoff");
    });

    test("as a worker is ready a second after that", async () => {
      const fake = new FakeLifecycle({ own, type: "worker", startTimeout: undefined });
      await fake.start();
      await fake.pass(10_000);
      expect(fake.state).toBe("running");
      fake.say("X_BUILT=1");
      await fake.pass(500);
      expect(fake.state).toBe("running");
      await fake.pass(1000);
      expect(fake.state).toBe("ready");
    });

    test("has failed with its build's reason, and is not tried again", async () => {
      const fake = new FakeLifecycle({ own, restart: "always" });
      await fake.start();
      fake.say("X_CANNOT=its build failed with exit code 2: make");
      await fake.exit({ code: 69, signal: null });
      expect(fake.state).toBe("failed");
      expect(fake.service.snapshot().why).toBe("its build failed with exit code 2: make");
      await fake.pass(100_000);
      expect(fake.spawns).toHaveLength(1);
    });
  });

  test("one that may speak of itself is given ten seconds from when its port listens", async () => {
    const fake = new FakeLifecycle();
    fake.mayNotify = true;
    await fake.start();
    await fake.becomeReady();
    await fake.pass(9000);
    expect(fake.state).toBe("running");
    await fake.pass(2000);
    expect(fake.state).toBe("ready");
  });

  test("by a line of its output, in pieces and colours", async () => {
    const fake = new FakeLifecycle({ readyPattern: "listening on \\d+" });
    await fake.start();
    await fake.becomeReady();
    expect(fake.state).toBe("running");
    fake.print("not listening on port\n\x1b[32mlisten");
    fake.print("ing\x1b[0m on ");
    expect(fake.state).toBe("running");
    fake.print("3000\r\n");
    expect(fake.state).toBe("ready");
  });

  test("by a line that an animation wrote over, and by none of its frames", async () => {
    const fake = new FakeLifecycle({ readyPattern: "^ready on" });
    await fake.start();
    await fake.becomeReady();
    fake.print("\x1b[1G\x1b[0K⠙ not ready on\x1b[1G\x1b[0K");
    fake.print("x ready on 3000\x1b[1G\x1b[0K");
    expect(fake.state).toBe("running");
    fake.print("ready on 3000\r\n");
    expect(fake.state).toBe("ready");
  });

  test("by a line without an end once it stands, such as a prompt", async () => {
    const fake = new FakeLifecycle({ readyPattern: "^ready> $" });
    await fake.start();
    await fake.becomeReady();
    fake.print("ready> ");
    expect(fake.state).toBe("running");
    fake.print("soon\r\nready> ");
    await fake.pass(1000);
    expect(fake.state).toBe("ready");
  });

  test("a worker by having lived for a second", async () => {
    const fake = new FakeLifecycle({ type: "worker", routeName: undefined });
    await fake.start({ port: undefined, url: undefined });
    await fake.pass(950);
    expect(fake.state).toBe("running");
    await fake.pass(50);
    expect(fake.state).toBe("ready");
  });

  test("a process that need not listen by having lived for a second, and its port is looked for", async () => {
    const fake = new FakeLifecycle({ type: "process" });
    await fake.start();
    await fake.pass(950);
    expect(fake.state).toBe("running");
    await fake.pass(50);
    expect(fake.state).toBe("ready");
    expect(fake.service.snapshot()).toMatchObject({ port: 21_000, listens: [], warnings: [] });
    await fake.pass(40_000);
    fake.own = [21_000];
    await fake.pass(1100);
    expect(fake.service.snapshot().listens).toEqual([21_000]);
    await fake.pass(40_000);
    fake.own = [9394];
    await fake.pass(31_000);
    expect(fake.service.snapshot()).toMatchObject({ listens: [9394], warnings: [] });
  });

  test("a process that need not listen as soon as it does", async () => {
    const fake = new FakeLifecycle({ type: "process" });
    await fake.start();
    await fake.pass(300);
    expect(fake.state).toBe("running");
    await fake.becomeReady();
    expect(fake.state).toBe("ready");
    expect(fake.service.snapshot().listens).toEqual([21_000]);
  });

  test("a worker, and it is told when other processes are its", async () => {
    const fake = new FakeLifecycle({ type: "worker", routeName: undefined });
    await fake.start({ port: undefined, url: undefined });
    await fake.pass(1100);
    expect(fake.memberNews).toBe(1);
    fake.members = [4711];
    await fake.pass(31_000);
    expect(fake.memberNews).toBe(2);
    await fake.pass(31_000);
    expect(fake.memberNews).toBe(2);
  });

  test("where its own process listens as another user, which the kernel's table alone would not tell", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    await fake.pass(900);
    fake.own = [fake.service.snapshot().port!];
    fake.uid = 70;
    await fake.pass(90);
    expect(fake.state).toBe("running");
    await fake.pass(600);
    expect(fake.state).toBe("ready");
    expect(fake.service.snapshot().listensAs).toEqual([70]);
  });

  test("where it listens somewhere else, with a warning, and not by a debugger's port", async () => {
    const fake = new FakeLifecycle();
    fake.own = [9229];
    await fake.start();
    await fake.pass(5000);
    expect(fake.state).toBe("running");
    fake.own = [5173, 9229];
    await fake.pass(1000);
    expect(fake.state).toBe("ready");
    expect(fake.service.snapshot()).toMatchObject({
      listens: [5173, 9229],
      warnings: ["listens on port 5173, not on PORT=21000"],
    });
  });

  test("reloading is unready until READY=1 again, and so is stopping", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.say("READY=1");
    fake.say("RELOADING=1");
    expect([fake.state, fake.why]).toEqual(["unready", "it reloads"]);
    fake.say("READY=1");
    expect([fake.state, fake.why]).toEqual(["ready", undefined]);
    fake.say("STOPPING=1");
    expect([fake.state, fake.why]).toEqual(["unready", "it stops"]);
  });
});

describe("a start that does not become ready", () => {
  test("fails after start_timeout, with the reason, and is tried again", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    await fake.pass(29_750);
    expect(fake.state).toBe("running");
    await fake.pass(250);
    expect(fake.states).toEqual(["starting", "running", "stopping", "backoff"]);
    expect(fake.why).toBe("did not become ready within 30 s");
    await fake.pass(500);
    expect(fake.state).toBe("running");
    expect(fake.service.snapshot().restarts).toBe(1);
  });

  test("says after two seconds what it waits for, and when that is something else", async () => {
    const fake = new FakeLifecycle({ startTimeout: undefined });
    fake.mayNotify = true;
    await fake.start({ reason: "src/a.ts changed" });
    await fake.pass(1950);
    expect(fake.why).toBe("src/a.ts changed");
    await fake.pass(50);
    expect(fake.why).toBe("waits for its port 21000");
    const told = fake.seen.length;
    await fake.pass(10_000);
    expect(fake.seen.length).toBe(told);
    fake.listening.add(21_000);
    await fake.pass(2000);
    expect(fake.why).toBe(
      "waits 10 s for READY=1, because its command looks as if it would notify",
    );
    fake.say("STATUS=warming up");
    await fake.pass(1000);
    expect(fake.why).toBe("waits for READY=1, as it notifies by NOTIFY_SOCKET");
    fake.say("READY=1");
    expect([fake.state, fake.why]).toEqual(["ready", undefined]);
    await fake.pass(5000);
    expect(fake.why).toBeUndefined();
  });

  test("says what its check found, and what else it was", async () => {
    const fake = new FakeLifecycle({ startTimeout: 60_000, health: check({}) });
    fake.health = { kind: "ill", why: "nothing listens on port 21000" };
    await fake.start();
    await fake.pass(2000);
    expect(fake.why).toBe("waits for its health check: GET /up: nothing listens on port 21000");
    fake.health = { kind: "ill", why: "it answered with status 503" };
    await fake.pass(2000);
    expect(fake.why).toBe("waits for its health check: GET /up: it answered with status 503");
  });

  test("goes on without a deadline in its file, and is ready whenever it listens", async () => {
    const fake = new FakeLifecycle({ startTimeout: undefined });
    await fake.start();
    await fake.pass(600_000);
    expect([fake.state, fake.why, fake.spawns.length]).toEqual([
      "running",
      "waits for its port 21000",
      1,
    ]);
    await fake.becomeReady();
    expect([fake.state, fake.why]).toEqual(["ready", undefined]);
  });

  test("a word about time moves a deadline that there is, and makes none", async () => {
    const fake = new FakeLifecycle({ startTimeout: undefined });
    await fake.start();
    fake.say("EXTEND_TIMEOUT_USEC=1000");
    await fake.pass(90_000);
    expect(fake.state).toBe("running");
  });

  test("has failed where nobody is to start it again", async () => {
    const fake = new FakeLifecycle({ restart: "no", startTimeout: 1000 });
    await fake.start();
    await fake.pass(1000);
    expect([fake.state, fake.why]).toEqual(["failed", "did not become ready within 1 s"]);
  });

  test("tells what the last check found", async () => {
    const fake = new FakeLifecycle({ startTimeout: 2000, health: check({}) });
    fake.health = { kind: "ill", why: "nothing listens on port 21000" };
    await fake.start();
    expect([fake.state, fake.why]).toEqual(["running", undefined]);
    await fake.pass(2000);
    expect(fake.why).toBe("did not become ready within 2 s: nothing listens on port 21000");
  });

  test("is given the time that it asks for", async () => {
    const fake = new FakeLifecycle({ startTimeout: 2000 });
    await fake.start();
    await fake.pass(1500);
    fake.say("EXTEND_TIMEOUT_USEC=5000000");
    await fake.pass(4900);
    expect(fake.state).toBe("running");
    // Less than it has anyway takes nothing away.
    fake.say("EXTEND_TIMEOUT_USEC=1");
    await fake.pass(50);
    expect(fake.state).toBe("running");
    await fake.pass(50);
    expect(fake.state).toBe("backoff");
  });

  test("has failed at once where it never can start, and is tried again where it may", async () => {
    const never = new FakeLifecycle();
    never.refusal = { kind: "refused", why: "its workdir /x does not exist", passing: false };
    await never.start();
    expect([never.state, never.why]).toEqual(["failed", "its workdir /x does not exist"]);
    const later = new FakeLifecycle();
    later.refusal = { kind: "refused", why: "no process is left", passing: true };
    await later.start();
    expect([later.state, later.why, later.sockets]).toEqual(["backoff", "no process is left", 0]);
    expect([later.service.failures, later.service.isHeld]).toEqual([1, false]);
    later.refusal = undefined;
    await later.pass(500);
    expect(later.state).toBe("running");
  });

  test("waits a while for its port, which a former process may still have", async () => {
    const fake = new FakeLifecycle();
    fake.busy.add(21_000);
    await fake.start();
    await fake.pass(1000);
    expect(fake.state).toBe("starting");
    fake.busy.clear();
    await fake.pass(50);
    expect(fake.state).toBe("running");
  });

  describe("because another program has its port", () => {
    const nginx = holder({ pid: 7, command: "/usr/sbin/nginx -g daemon" });

    async function held(): Promise<FakeLifecycle> {
      const fake = new FakeLifecycle();
      fake.busy.add(21_000);
      fake.holders = [nginx];
      await fake.start();
      await fake.pass(2000);
      return fake;
    }

    test("says who it is, waits for it to end, and starts then without counting that as a crash", async () => {
      const fake = await held();
      expect([fake.state, fake.why, fake.service.isHeld, fake.service.failures]).toEqual([
        "backoff",
        "cannot have its port 21000: nginx (pid 7) listens on it (/usr/sbin/nginx -g daemon); it starts when the port is free",
        true,
        1,
      ]);
      // Far beyond ten waits of thirty seconds, after which a service that crashes is given up.
      await fake.pass(600_000);
      expect([fake.state, fake.spawns.length, fake.sockets]).toEqual(["backoff", 0, 0]);
      fake.busy.clear();
      await fake.pass(500);
      expect([fake.state, fake.service.isHeld]).toEqual(["running", false]);
      expect(fake.service.snapshot()).toMatchObject({ restarts: 0, warnings: [] });
      fake.exit(failing);
      await fake.pass(500);
      expect(fake.state).toBe("running");
    });

    test("tells of another one that has it meanwhile", async () => {
      const fake = await held();
      fake.holders = [holder({ pid: 77, command: "node api.js" })];
      await fake.pass(35_000);
      expect(fake.why).toBe(
        "cannot have its port 21000: other:api (pid 77) listens on it (node api.js); it starts when that has ended: localhostess stop other:api",
      );
    });

    test("does not start once it was stopped, and looks no more", async () => {
      const fake = await held();
      await fake.service.stop();
      fake.busy.clear();
      await fake.pass(5000);
      expect([fake.state, fake.spawns.length, fake.service.isHeld]).toEqual(["stopped", 0, false]);
      expect(fake.clock.waiting).toBe(0);
    });

    test("waits also where it is not to be restarted, as it has not run", async () => {
      const fake = new FakeLifecycle({ restart: "no" });
      fake.busy.add(21_000);
      await fake.start();
      await fake.pass(2000);
      expect(fake.state).toBe("backoff");
      fake.busy.clear();
      await fake.pass(500);
      expect(fake.state).toBe("running");
    });
  });

  test("a port that the system keeps for root is for the command to have, unless somebody listens there", async () => {
    const fake = new FakeLifecycle();
    fake.busy.add(80);
    fake.reserved.add(80);
    await fake.start({ port: 80 });
    expect(fake.state).toBe("running");
    fake.exit(failing);
    await settled();
    expect(fake.why).toBe("ended with exit code 3; its port 80 needs a right: sudo let-me");
    await fake.service.stop();
    expect(fake.service.snapshot().warnings).toEqual([]);
    fake.holders = [holder({ pid: 7, command: "nginx" })];
    await fake.start({ port: 80 });
    expect(fake.state).toBe("backoff");
    expect(fake.why).toStartWith("cannot have its port 80: nginx (pid 7)");
    fake.holders = [];
    await fake.pass(3000);
    expect(fake.state).toBe("running");
  });
});

function holder(changes: Partial<ObservedProcess>): PortHolder {
  const process: ObservedProcess = {
    ...{ pid: 1, startedAt: 0, parent: 1, group: 1, uid: 0, command: "" },
    ...{ name: undefined, cwd: undefined },
    ...changes,
  };
  return { address: "127.0.0.1", process, uid: 0 };
}

function check(changes: Partial<HealthCheck>): HealthCheck {
  return {
    ask: { kind: "http", path: "/up" },
    interval: 5000,
    timeout: 1000,
    retries: 3,
    startPeriod: 0,
    ...changes,
  };
}

describe("a health check", () => {
  test("of a store that answers while our program prepares one is answered by another, and counts when it is done", async () => {
    const ask = { kind: "store", store: "postgres" } as const;
    const fake = new FakeLifecycle({ health: { ...check({}), ask } });
    await fake.start();
    await fake.pass(5000);
    expect(fake.state).toBe("running");
    fake.say("STATUS=making its data");
    await fake.pass(5000);
    expect(fake.state).toBe("running");
    fake.say("STATUS=");
    await fake.pass(1000);
    expect(fake.state).toBe("ready");
  });

  const ill = { kind: "ill", why: "it answered with status 500" } as const;

  test("is asked with the service's own port, environment, workdir and timeout", async () => {
    const fake = new FakeLifecycle({ health: check({ timeout: 700 }), workdir: "/tmp" });
    await fake.start();
    expect(fake.asked[0]).toMatchObject({
      ask: { kind: "http", path: "/up" },
      asking: {
        port: 21_000,
        name: "shop.localhost",
        workdir: "/tmp",
        timeout: 700,
        env: { PORT: "21000" },
      },
    });
  });

  test("makes it ready; is asked every half second until then, and every interval after", async () => {
    const fake = new FakeLifecycle({ health: check({}) });
    fake.health = ill;
    await fake.start();
    await fake.pass(2000);
    expect(fake.asked.length).toBe(5);
    fake.health = { kind: "well" };
    await fake.pass(500);
    expect(fake.state).toBe("ready");
    const before = fake.asked.length;
    await fake.pass(4950);
    expect(fake.asked.length).toBe(before);
    await fake.pass(50);
    expect(fake.asked.length).toBe(before + 1);
    await fake.pass(5000);
    expect(fake.asked.length).toBe(before + 2);
  });

  test("a shorter interval than half a second is kept to", async () => {
    const fake = new FakeLifecycle({ health: check({ interval: 100 }) });
    fake.health = ill;
    await fake.start();
    await fake.pass(1000);
    expect(fake.asked.length).toBe(11);
  });

  test("makes it unready after so many failures in a row, and ready again by one success", async () => {
    const fake = new FakeLifecycle({ health: check({ interval: 1000, retries: 3 }) });
    await fake.start();
    expect(fake.state).toBe("ready");
    fake.health = ill;
    await fake.pass(2000);
    fake.health = { kind: "well" };
    await fake.pass(1000);
    fake.health = ill;
    await fake.pass(2000);
    expect(fake.state).toBe("ready");
    await fake.pass(1000);
    expect([fake.state, fake.why]).toEqual(["unready", "it answered with status 500"]);
    fake.health = { kind: "well" };
    await fake.pass(500);
    expect(fake.states).toEqual(["starting", "running", "ready", "unready", "ready"]);
    expect(fake.spawns.length).toBe(1);
  });

  test("failures do not count during start_period", async () => {
    const fake = new FakeLifecycle({
      health: check({ interval: 1000, retries: 1, startPeriod: 5000 }),
    });
    await fake.start();
    fake.health = ill;
    await fake.pass(4950);
    expect(fake.state).toBe("ready");
    await fake.pass(50);
    expect(fake.state).toBe("unready");
  });

  test("one that is under way when the service ends is given up, and its answer means nothing", async () => {
    const fake = new FakeLifecycle({ health: check({}) });
    fake.health = undefined;
    await fake.start();
    void fake.service.stop();
    await settled();
    expect(fake.calls).toContain("cancel");
    expect(fake.state).toBe("stopped");
    expect(fake.clock.waiting).toBeLessThanOrEqual(1);
  });
});

describe("an hour that the clock is set by, either way,", () => {
  const hours = [3_600_000, -3_600_000];

  test("moves no deadline", async () => {
    for (const hour of hours) {
      const fake = new FakeLifecycle();
      await fake.start();
      await fake.pass(20_000);
      fake.clock.set(hour);
      // A service that asks for time has the deadline set anew.
      fake.say("EXTEND_TIMEOUT_USEC=1000");
      await fake.pass(9_750);
      expect(fake.state).toBe("running");
      await fake.pass(250);
      expect([fake.state, fake.why]).toEqual(["backoff", "did not become ready within 30 s"]);
    }
  });

  test("makes no wait for the next start longer or shorter, and nobody healthy earlier", async () => {
    for (const hour of hours) {
      const fake = new FakeLifecycle();
      await fake.start();
      fake.exit(failing);
      await settled();
      fake.clock.set(hour);
      await fake.pass(450);
      expect(fake.state).toBe("backoff");
      await fake.pass(50);
      await fake.becomeReady();
      expect(fake.state).toBe("ready");
      fake.clock.set(hour);
      await fake.pass(29_000);
      fake.exit(failing);
      await fake.pass(950);
      expect(fake.state).toBe("backoff");
      await fake.pass(50);
      expect(fake.state).toBe("running");
    }
  });

  test("changes no age, and what people see is the time of day", async () => {
    for (const hour of hours) {
      const fake = new FakeLifecycle();
      await fake.start();
      const began = fake.clock.wall();
      fake.clock.set(hour);
      await fake.becomeReady();
      await fake.pass(750);
      expect(fake.service.age()).toBe(1000);
      expect(fake.service.snapshot()).toMatchObject({
        startedAt: began,
        readyAt: began + hour + 50,
      });
      fake.exit(failing);
      await settled();
      expect(fake.service.snapshot().lastExit?.time).toBe(began + hour + 1000);
    }
  });
});

describe("a service that ends", () => {
  test("is started again after half a second, then one, and so on to thirty; ten times, and no more", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    const waits: number[] = [];
    for (let death = 1; death < 10; death++) {
      fake.exit(failing);
      await settled();
      expect([fake.state, fake.why]).toEqual(["backoff", "ended with exit code 3"]);
      const before = fake.clock.now();
      while (fake.state === "backoff") await fake.pass(50);
      waits.push(fake.clock.now() - before);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(fake.service.snapshot().restarts).toBe(9);
    fake.exit(failing);
    await settled();
    expect([fake.state, fake.why]).toEqual(["failed", "ended with exit code 3"]);
    await fake.pass(60_000);
    expect(fake.spawns.length).toBe(10);
    // Somebody has mended it.
    await fake.start();
    expect(fake.state).toBe("running");
    fake.exit(failing);
    await settled();
    expect(fake.state).toBe("backoff");
  });

  test("begins anew with half a second after thirty seconds of good health, not before", async () => {
    for (const [health, wait] of [
      [29_000, 1000],
      [30_000, 500],
    ] as const) {
      const fake = new FakeLifecycle();
      await fake.start();
      fake.exit(failing);
      await fake.pass(550);
      await fake.becomeReady();
      await fake.pass(health);
      fake.exit(failing);
      await settled();
      const before = fake.clock.now();
      while (fake.state === "backoff") await fake.pass(50);
      expect(fake.clock.now() - before).toBe(wait);
    }
  });

  test("good health is without a break", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.exit(failing);
    await fake.pass(550);
    fake.say("READY=1");
    for (let at = 0; at < 3; at++) {
      await fake.pass(20_000);
      fake.say("RELOADING=1\nREADY=1");
    }
    fake.exit(failing);
    await fake.pass(500);
    expect(fake.state).toBe("backoff");
    await fake.pass(500);
    expect(fake.state).toBe("running");
  });

  test("shows how its program ended where it was ended, and its own crash where that came first", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.programExit = { code: 3, signal: null };
    await fake.service.stop();
    const { lastExit } = fake.service.snapshot();
    expect(lastExit).toMatchObject({ code: 3, signal: null, lastLines: ["last words"] });
    const crashed = new FakeLifecycle();
    await crashed.start();
    crashed.programExit = { code: 3, signal: null };
    crashed.exit({ code: 4, signal: null });
    await settled();
    await crashed.service.stop();
    expect(crashed.service.snapshot().lastExit).toMatchObject({ code: 4, signal: null });
  });

  test("keeps its exit with the time and the last lines", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    const time = fake.clock.now();
    fake.exit({ code: null, signal: "SIGSEGV" });
    await settled();
    expect(fake.service.snapshot()).toMatchObject({
      pid: undefined,
      startedAt: undefined,
      why: "was ended by SIGSEGV",
      lastExit: { code: null, signal: "SIGSEGV", time, lastLines: ["last words"] },
    });
  });

  test("with 0 has exited, and with anything where the policy is no", async () => {
    for (const [changes, ending] of [
      [{}, well],
      [{ restart: "no" }, failing],
    ] as const) {
      const fake = new FakeLifecycle(changes);
      await fake.start();
      fake.exit(ending);
      await settled();
      expect([fake.state, fake.sockets]).toEqual(["exited", 0]);
      await fake.pass(60_000);
      expect(fake.spawns.length).toBe(1);
    }
  });

  test("leaves nobody behind before it is started again", async () => {
    const fake = new FakeLifecycle();
    fake.obedient = false;
    await fake.start();
    fake.exit(failing);
    await fake.pass(3000);
    expect(fake.endings).toMatchObject([{ pid: 1001, signal: "SIGTERM", timeout: 5000 }]);
    expect(fake.state).toBe("starting");
    expect(fake.spawns.length).toBe(1);
    fake.finish();
    await settled();
    expect(fake.spawns.length).toBe(2);
  });

  test("and named a main process lives on in it", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.members = [77];
    fake.say("MAINPID=78");
    fake.say("MAINPID=77\nREADY=1");
    await settled();
    expect(fake.service.snapshot().pid).toBe(77);
    fake.exit(well);
    await fake.pass(5000);
    expect(fake.state).toBe("ready");
    fake.members = [];
    await fake.pass(1000);
    expect(fake.states).toContain("backoff");
    expect(fake.service.snapshot().lastExit).toMatchObject({ code: 9 });
  });

  test("a main process that is not of its family is not believed", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.say("MAINPID=1234");
    await settled();
    expect(fake.service.snapshot().pid).toBe(1001);
    fake.exit(failing);
    await settled();
    expect(fake.state).toBe("backoff");
  });
});

describe("the watchdog", () => {
  test("watches from when a period is set, and is fed", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.say("READY=1\nWATCHDOG=1");
    await fake.pass(10_000);
    expect(fake.state).toBe("ready");
    fake.say("WATCHDOG_USEC=2000000");
    for (let at = 0; at < 5; at++) {
      await fake.pass(1900);
      fake.say("WATCHDOG=1");
    }
    expect(fake.state).toBe("ready");
    await fake.pass(1950);
    expect(fake.state).toBe("ready");
    await fake.pass(50);
    expect([fake.state, fake.why]).toEqual(["backoff", "its watchdog was silent for 2000 ms"]);
  });

  test("can be called off, and can ask for a restart", async () => {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.say("READY=1\nWATCHDOG_USEC=1000000");
    fake.say("WATCHDOG_USEC=0");
    await fake.pass(3000);
    expect(fake.state).toBe("ready");
    fake.say("WATCHDOG=trigger");
    await settled();
    expect([fake.state, fake.why]).toEqual(["backoff", "its watchdog asked for a restart"]);
  });
});

describe("a limit of memory", () => {
  const gibibyte = 1024 ** 3;
  const limited = () => new FakeLifecycle({ limits: { memory: gibibyte } });

  test("ends a service that takes more, says so, and starts it again", async () => {
    const fake = limited();
    await fake.start();
    await fake.becomeReady();
    fake.memory = gibibyte;
    await fake.pass(2000);
    expect(fake.state).toBe("ready");
    fake.memory = 1.2 * gibibyte;
    await fake.pass(250);
    const why = "used 1.2 GiB, more than its limits.memory of 1.0 GiB";
    expect([fake.state, fake.why]).toEqual(["backoff", why]);
    expect(fake.said).toEqual([`${why}; it is ended`]);
    fake.memory = 0;
    await fake.pass(500);
    expect(fake.state).toBe("running");
  });

  test("is for good where nobody is to start it again", async () => {
    const fake = new FakeLifecycle({ limits: { memory: gibibyte }, restart: "no" });
    fake.memory = 2 * gibibyte;
    await fake.start();
    await fake.pass(250);
    expect([fake.state, fake.endings.length]).toEqual(["failed", 1]);
  });

  test("counts what processes share once, where the system tells", async () => {
    const fake = limited();
    await fake.start();
    await fake.becomeReady();
    fake.memory = 4 * gibibyte;
    fake.proportional = 0.9 * gibibyte;
    await fake.pass(5000);
    expect(fake.state).toBe("ready");
    fake.proportional = 1.1 * gibibyte;
    await fake.pass(250);
    expect(fake.why).toBe("used 1.1 GiB, more than its limits.memory of 1.0 GiB");
  });

  test("is not looked at without one, nor once the service ends", async () => {
    const free = new FakeLifecycle();
    free.memory = Number.MAX_SAFE_INTEGER;
    await free.start();
    await free.becomeReady();
    await free.pass(5000);
    expect(free.state).toBe("ready");
    const fake = limited();
    await fake.start();
    await fake.service.stop();
    fake.memory = 2 * gibibyte;
    await fake.pass(5000);
    expect([fake.state, fake.clock.waiting]).toEqual(["stopped", 0]);
  });
});

describe("a stop", () => {
  test("signals as declared, waits, and is over when all have ended", async () => {
    const fake = new FakeLifecycle({ stopSignal: "SIGINT", stopTimeout: 700 });
    fake.obedient = false;
    await fake.start();
    await fake.becomeReady();
    let over = false;
    void fake.service.stop().then(() => {
      over = true;
    });
    void fake.service.stop();
    await fake.pass(1000);
    expect([fake.state, over]).toEqual(["stopping", false]);
    expect(fake.endings).toMatchObject([{ pid: 1001, signal: "SIGINT", timeout: 700 }]);
    fake.say("EXTEND_TIMEOUT_USEC=3000000");
    expect(fake.extended).toEqual([3000]);
    fake.finish();
    await settled();
    expect([fake.state, over]).toEqual(["stopped", true]);
    expect(fake.service.snapshot()).toMatchObject({ pid: undefined, why: undefined });
    expect(fake.service.run()).toBeUndefined();
    expect([fake.sockets, fake.calls.includes("release")]).toEqual([0, true]);
  });

  test("that takes its time says so, also to who waits for the next start", async () => {
    const fake = new FakeLifecycle();
    fake.obedient = false;
    await fake.start();
    fake.service.restart(request);
    await fake.pass(1950);
    expect([fake.state, fake.why]).toEqual(["starting", undefined]);
    await fake.pass(50);
    const why = "waits for its processes to end, at most 5 s before SIGKILL";
    expect([fake.state, fake.why]).toEqual(["starting", why]);
    fake.finish();
    await settled();
    expect([fake.state, fake.why]).toEqual(["running", undefined]);
  });

  test("tells who is left, and that its port is held", async () => {
    const fake = new FakeLifecycle();
    fake.result = { kind: "left", pids: [7, 8] };
    fake.holders = [holder({ pid: 8, command: "sleep 9" })];
    await fake.start();
    fake.busy.add(21_000);
    void fake.service.stop();
    await fake.pass(3000);
    expect(fake.service.snapshot()).toMatchObject({
      state: "stopped",
      warnings: [
        "could not be ended altogether: 7, 8 still run",
        "its port 21000 is not free: sleep (pid 8) listens on it (sleep 9)",
      ],
    });
  });

  test("ends every state, also a wait and a start that is not under way yet", async () => {
    const waiting = new FakeLifecycle();
    await waiting.start();
    waiting.exit(failing);
    await waiting.service.stop();
    await waiting.pass(60_000);
    expect([waiting.state, waiting.spawns.length]).toEqual(["stopped", 1]);
    const early = new FakeLifecycle();
    early.service.start(request);
    await early.service.stop();
    await settled();
    expect([early.state, early.spawns.length, early.sockets]).toEqual(["stopped", 0, 0]);
    const never = new FakeLifecycle();
    await never.service.stop();
    await never.service.dispose();
    expect([never.state, never.seen]).toEqual(["stopped", []]);
  });
});

describe("a restart", () => {
  test("is a start to those who wait: the old one ends altogether, then the new one begins", async () => {
    const fake = new FakeLifecycle();
    fake.obedient = false;
    await fake.start();
    await fake.becomeReady();
    fake.service.restart({ ...request, reason: "db was restarted" });
    expect([fake.state, fake.why]).toEqual(["starting", "db was restarted"]);
    await fake.pass(500);
    expect(fake.spawns.length).toBe(1);
    fake.finish();
    await settled();
    await fake.pass(100);
    expect(fake.spawns.length).toBe(2);
    expect(fake.states).toEqual(["starting", "running", "ready", "starting", "running", "ready"]);
    expect(fake.service.snapshot().restarts).toBe(0);
  });

  test("a stop during it stops, a start during a stop starts, and both are heard of", async () => {
    const fake = new FakeLifecycle();
    fake.obedient = false;
    await fake.start();
    fake.service.restart(request);
    const stopped = fake.service.stop();
    fake.finish();
    await stopped;
    expect([fake.state, fake.spawns.length]).toEqual(["stopped", 1]);
    await fake.start();
    const again = fake.service.stop();
    fake.service.start(request);
    expect(fake.state).toBe("starting");
    fake.finish();
    await again;
    await settled();
    expect([fake.state, fake.spawns.length]).toEqual(["running", 3]);
  });
});

test("a start of what runs changes nothing", async () => {
  const fake = new FakeLifecycle();
  await fake.start();
  const told = fake.seen.length;
  await fake.start({ port: 5 });
  expect([fake.seen.length, fake.service.snapshot().port]).toEqual([told, 21_000]);
});

test("output that is held back stays so over a restart of its own", async () => {
  const fake = new FakeLifecycle();
  await fake.start();
  fake.service.pauseOutput();
  fake.exit(failing);
  await fake.pass(600);
  fake.service.resumeOutput();
  expect(fake.calls.filter((call) => call !== "release")).toEqual(["pause", "pause", "resume"]);
});

describe("one life's facts", () => {
  test("say nothing of the next life, nor of none", async () => {
    const fake = new FakeLifecycle();
    fake.own = [5173];
    await fake.start();
    fake.say("STATUS=warming up");
    await fake.pass(5000);
    fake.say("READY=1");
    const { listens, warnings, status, readyAt } = fake.service.snapshot();
    expect({ listens, status }).toEqual({ listens: [5173], status: "warming up" });
    expect(warnings).toHaveLength(1);
    expect(readyAt).toBeNumber();
    fake.own = [];
    fake.exit(failing);
    const blank = {
      listens: [],
      listensAs: [],
      warnings: [],
      status: undefined,
      pid: undefined,
      startedAt: undefined,
      readyAt: undefined,
    };
    expect(fake.service.snapshot()).toMatchObject({ ...blank, state: "backoff" });
    await fake.pass(600);
    const { pid, startedAt, ...others } = blank;
    expect(fake.service.snapshot()).toMatchObject({ ...others, state: "running", pid: 1002 });
    // The next one has not said that it speaks of itself, so its port counts.
    await fake.becomeReady();
    expect(fake.state).toBe("ready");
  });

  test("a check's answer that comes in the next life counts for nothing", async () => {
    const fake = new FakeLifecycle({ health: check({}) });
    fake.health = undefined;
    await fake.start();
    fake.exit(failing);
    await fake.pass(600);
    expect([fake.state, fake.answers.length]).toEqual(["running", 2]);
    fake.answers[0]!({ kind: "well" });
    await settled();
    expect(fake.state).toBe("running");
    fake.answers[1]!({ kind: "well" });
    await settled();
    expect(fake.state).toBe("ready");
  });

  test("one that is stopped by who is told of its start is ended, not watched", async () => {
    const fake = new FakeLifecycle();
    fake.obedient = false;
    fake.onTold = ({ state }) => {
      if (state === "running") void fake.service.stop();
    };
    await fake.start();
    fake.say("EXTEND_TIMEOUT_USEC=2000000");
    expect(fake.extended).toEqual([2000]);
    fake.finish();
    await fake.pass(100);
    expect([fake.state, fake.clock.waiting]).toEqual(["stopped", 0]);
  });

  test("all who wait for an end are told what could not be ended", async () => {
    const fake = new FakeLifecycle();
    fake.result = { kind: "left", pids: [4711] };
    fake.obedient = false;
    await fake.start();
    fake.exit(failing);
    const stopped = fake.service.stop();
    fake.finish();
    await stopped;
    expect(fake.service.snapshot().warnings[0]).toContain("4711 still run");
  });
});

describe("a task", () => {
  const task = {
    type: "task",
    restart: "no",
    startTimeout: undefined,
    routeName: undefined,
  } as const;
  const begun = async (changes: Partial<ServiceSpec> = {}): Promise<FakeLifecycle> => {
    const fake = new FakeLifecycle({ ...task, ...changes });
    await fake.start({ port: undefined });
    return fake;
  };

  test("runs for as long as it takes, and is completed when it ends with exit code 0", async () => {
    const fake = await begun();
    await fake.pass(600_000);
    expect(fake.state).toBe("running");
    fake.exit({ code: 0, signal: null });
    await settled();
    expect(fake.service.snapshot()).toMatchObject({
      state: "completed",
      why: undefined,
      pid: undefined,
      lastExit: { code: 0 },
    });
    expect(fake.states).toEqual(["starting", "running", "completed"]);
  });

  test("ends all that it has left running", async () => {
    const fake = await begun();
    fake.exit({ code: 0, signal: null });
    await settled();
    expect(fake.endings).toHaveLength(1);
  });

  test("is never ready, whatever it says, prints or listens on", async () => {
    const fake = await begun();
    fake.say("READY=1");
    fake.own = [21_000];
    fake.listening.add(21_000);
    await fake.pass(30_000);
    expect(fake.state).toBe("running");
  });

  test.each([
    [{ code: 3, signal: null }, "ended with exit code 3"],
    [{ code: null, signal: "SIGKILL" }, "was ended by SIGKILL"],
  ] as const)("that ends with %p has failed, and is not started again", async (how, why) => {
    const fake = await begun();
    fake.exit(how);
    await fake.pass(60_000);
    expect(fake.service.snapshot()).toMatchObject({ state: "failed", why });
    expect(fake.spawns).toHaveLength(1);
  });

  test("fails at its start_timeout, where it has one, even if it ends with exit code 0 then", async () => {
    const fake = await begun({ startTimeout: 5000 });
    await fake.pass(6000);
    expect(fake.service.snapshot()).toMatchObject({
      state: "failed",
      why: "did not end within 5 s",
    });
    expect(fake.spawns).toHaveLength(1);
  });

  test("that is stopped was not completed", async () => {
    const fake = await begun();
    await fake.service.stop();
    expect(fake.state).toBe("stopped");
    expect(fake.states).not.toContain("completed");
  });
});
