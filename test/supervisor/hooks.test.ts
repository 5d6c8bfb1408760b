/** Commands beside a service's own: when they run, how long, and what comes of it where they fail. */
import { describe, expect, test } from "bun:test";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { FakeLifecycle, settled } from "./fake-lifecycle.ts";

const all = {
  before_start: "prepare",
  after_ready: "warm",
  before_stop: "drain",
  stop_command: "end it",
  after_stop: "tidy",
};

const ran = (fake: FakeLifecycle) => fake.hooks.map(({ command }) => command);
const last = (fake: FakeLifecycle) => fake.hooks.at(-1)!;

/** One whose hooks a test ends. */
function held(hooks: ServiceSpec["hooks"], changes: Partial<ServiceSpec> = {}): FakeLifecycle {
  const fake = new FakeLifecycle({ hooks, ...changes });
  fake.hooksEnd = false;
  return fake;
}

async function ready(fake: FakeLifecycle): Promise<FakeLifecycle> {
  await fake.start();
  await fake.becomeReady();
  expect(fake.state).toBe("ready");
  return fake;
}

test("a life has them in order, each with the service's environment, and its family's id", async () => {
  const fake = await ready(new FakeLifecycle({ hooks: { ...all, stop_command: undefined! } }));
  const stopped = fake.service.stop();
  await settled();
  await stopped;
  expect(ran(fake)).toEqual(["prepare", "warm", "drain", "tidy"]);
  const ids = new Set(fake.hooks.map(({ env }) => env.LOCALHOSTESS_RUN_ID));
  expect([...ids]).toEqual([fake.spawns[0]!.env.LOCALHOSTESS_RUN_ID!]);
  for (const { env } of fake.hooks) {
    expect(env).toMatchObject({ PORT: "21000", HOME: "/home/me" });
    expect(env).not.toHaveProperty("NOTIFY_SOCKET");
  }
  expect(fake.hooks.map(({ env }) => env.MAINPID)).toEqual([undefined, "1001", "1001", undefined]);
});

test("a restart has all of them again, and a crash those that need no process", async () => {
  const fake = await ready(new FakeLifecycle({ hooks: { ...all, stop_command: undefined! } }));
  fake.service.restart({ shell: {}, port: 21_000, url: undefined, trust: {} });
  await settled();
  await fake.becomeReady();
  expect(ran(fake)).toEqual(["prepare", "warm", "drain", "tidy", "prepare", "warm"]);
  fake.exit({ code: 3, signal: null });
  await settled();
  expect(ran(fake).slice(6)).toEqual(["tidy"]);
  expect(last(fake).env).toMatchObject({ EXIT_CODE: "exited", EXIT_STATUS: "3" });
  expect(fake.state).toBe("backoff");
  await fake.pass(500);
  expect(ran(fake).slice(7)).toEqual(["prepare"]);
});

describe("before_start", () => {
  test("comes before the process, which waits for it, and says so", async () => {
    const fake = held({ before_start: "prepare" });
    await fake.start();
    expect([fake.state, fake.why, fake.spawns.length]).toEqual([
      "starting",
      "runs its before_start",
      0,
    ]);
    last(fake).print("one\ntwo");
    await fake.pass(20_000);
    expect(fake.spawns).toEqual([]);
    last(fake).end(0);
    await settled();
    expect([fake.state, fake.spawns.length]).toEqual(["running", 1]);
    expect(fake.said).toEqual(["before_start: one", "before_start: two"]);
  });

  test("that fails is a death of the service, with its last line; nothing of it is left", async () => {
    const fake = held({ before_start: "prepare", after_stop: "tidy" });
    await fake.start();
    last(fake).print("no database\n");
    last(fake).end(2);
    await settled();
    expect(fake.endings.length).toBe(1);
    expect(ran(fake)).toEqual(["prepare", "tidy"]);
    expect(fake.state).toBe("starting");
    last(fake).end(0);
    await settled();
    const why = "before_start ended with exit code 2: no database";
    expect([fake.state, fake.why]).toEqual(["backoff", why]);
    expect(fake.said).toContain(why);
    expect(fake.spawns).toEqual([]);
    await fake.pass(500);
    expect(ran(fake).at(-1)).toBe("prepare");
  });

  test("that fails ten times, or where nobody is to try again, is given up", async () => {
    const never = held({ before_start: "prepare" }, { restart: "no" });
    await never.start();
    last(never).end(1);
    await settled();
    expect([never.state, never.why]).toEqual(["failed", "before_start ended with exit code 1"]);
  });

  test("that takes longer than start_timeout is ended", async () => {
    const fake = held({ before_start: "prepare" }, { startTimeout: 2000 });
    await fake.start();
    last(fake).print("compiling\n");
    await fake.pass(1950);
    expect(fake.state).toBe("starting");
    await fake.pass(50);
    const why = "before_start did not end within 2 s; it said: compiling";
    expect([fake.state, fake.why]).toEqual(["backoff", why]);
    expect(fake.lingering.size).toBe(0);
  });

  test("is ended by a stop, with its family, and nothing is started", async () => {
    const fake = held({ before_start: "prepare", after_stop: "tidy" }, { stopTimeout: 700 });
    await fake.start();
    const stopped = fake.service.stop();
    await settled();
    expect(fake.endings[0]).toMatchObject({ pid: 5001, signal: "SIGTERM", timeout: 700 });
    expect(fake.state).toBe("stopping");
    last(fake).end(0);
    await stopped;
    expect([fake.state, ran(fake), fake.spawns.length]).toEqual([
      "stopped",
      ["prepare", "tidy"],
      0,
    ]);
    expect(fake.said).toEqual([]);
  });

  test("is ended by a restart, and begins anew", async () => {
    const fake = held({ before_start: "prepare" });
    await fake.start();
    fake.service.restart({ shell: {}, port: 21_000, url: undefined, trust: {} });
    await settled();
    expect([ran(fake), fake.lingering.size]).toEqual([["prepare", "prepare"], 1]);
    last(fake).end(0);
    await settled();
    expect([fake.state, fake.spawns.length]).toEqual(["running", 1]);
  });

  test("is what a next daemon would have to end while it runs", async () => {
    const fake = held({ before_start: "prepare" });
    await fake.start();
    expect(fake.service.run()).toMatchObject({ pid: 5001 });
    last(fake).end(0);
    await settled();
    expect(fake.service.run()).toMatchObject({ pid: 1001 });
  });
});

describe("after_ready", () => {
  test("is not waited for, and runs once for each process", async () => {
    const fake = await ready(held({ after_ready: "warm" }));
    fake.say("RELOADING=1");
    fake.say("READY=1");
    expect([fake.state, ran(fake)]).toEqual(["ready", ["warm"]]);
  });

  test("that fails is a warning", async () => {
    const fake = await ready(held({ after_ready: "warm" }));
    last(fake).print("cold\n");
    last(fake).end(1);
    await settled();
    const why = "after_ready ended with exit code 1: cold";
    expect(fake.service.snapshot()).toMatchObject({ state: "ready", warnings: [why] });
    expect(fake.said).toEqual(["after_ready: cold", why]);
  });

  test("is ended by a stop, which is no failure", async () => {
    const fake = await ready(held({ after_ready: "warm" }));
    await fake.service.stop();
    expect([fake.lingering.size, fake.said, fake.service.snapshot().warnings]).toEqual([0, [], []]);
  });
});

describe("before_stop", () => {
  test("comes before the signal, for as long as stop_timeout", async () => {
    const fake = await ready(held({ before_stop: "drain" }, { stopTimeout: 3000 }));
    const stopped = fake.service.stop();
    await fake.pass(2950);
    expect([fake.state, fake.endings.length]).toEqual(["stopping", 0]);
    await fake.pass(50);
    await stopped;
    expect(fake.endings).toMatchObject([{ signal: "SIGTERM", timeout: 3000 }]);
    expect(fake.service.snapshot().warnings).toEqual(["before_stop did not end within 3 s"]);
  });

  test("is not for a service that is ended because it failed", async () => {
    const fake = held({ before_stop: "drain", stop_command: "end it" }, { startTimeout: 1000 });
    await fake.start();
    await fake.pass(1000);
    expect([fake.state, ran(fake)]).toEqual(["backoff", []]);
  });
});

describe("stop_command", () => {
  test("takes the place of the signal, which only the rest of the family gets", async () => {
    const fake = await ready(held({ stop_command: "end it" }));
    const stopped = fake.service.stop();
    await fake.pass(1000);
    expect([ran(fake), last(fake).env.MAINPID, fake.endings.length]).toEqual([
      ["end it"],
      "1001",
      0,
    ]);
    last(fake).end(0);
    await settled();
    expect(fake.endings).toEqual([]);
    fake.exit({ code: 0, signal: null });
    await fake.pass(1000);
    await stopped;
    expect(fake.endings).toMatchObject([{ signal: "SIGTERM", timeout: 4000 }]);
    expect(fake.service.snapshot().lastExit).toMatchObject({ code: 0, signal: null });
  });

  test("may itself still run when the service has ended, until its time is over", async () => {
    const fake = await ready(held({ stop_command: "end it" }));
    void fake.service.stop();
    await settled();
    fake.exit({ code: 0, signal: null });
    await fake.pass(4950);
    expect([fake.state, fake.endings.length]).toEqual(["stopping", 0]);
    await fake.pass(50);
    expect([fake.state, fake.lingering.size]).toEqual(["stopped", 0]);
  });

  test("that fails gives way to the signal, with all of stop_timeout", async () => {
    const fake = await ready(held({ stop_command: "end it" }));
    const stopped = fake.service.stop();
    await fake.pass(2000);
    last(fake).print("no such program\n");
    last(fake).end(127);
    await stopped;
    expect(fake.endings).toMatchObject([{ signal: "SIGTERM", timeout: 5000 }]);
    const why = "stop_command ended with exit code 127: no such program";
    expect(fake.service.snapshot().warnings).toEqual([why]);
  });

  test("that does not end the service in time leads to SIGKILL", async () => {
    const fake = await ready(held({ stop_command: "end it" }, { stopTimeout: 2000 }));
    const stopped = fake.service.stop();
    await settled();
    last(fake).end(0);
    await fake.pass(2000);
    await stopped;
    expect(fake.endings).toMatchObject([{ timeout: 0 }]);
    expect(fake.said).toEqual(["stop_command: the service did not end within 2 s; it is killed"]);
  });

  test("is given the time that the service asks for", async () => {
    const fake = await ready(held({ stop_command: "end it" }, { stopTimeout: 2000 }));
    void fake.service.stop();
    await settled();
    last(fake).end(0);
    fake.say("EXTEND_TIMEOUT_USEC=9000000");
    await fake.pass(8000);
    expect(fake.endings).toEqual([]);
    await fake.pass(1250);
    expect(fake.endings).toMatchObject([{ timeout: 0 }]);
  });

  test("is not run where the process ended during before_stop", async () => {
    const fake = await ready(held({ before_stop: "drain", stop_command: "end it" }));
    const stopped = fake.service.stop();
    await settled();
    fake.exit({ code: 0, signal: null });
    last(fake).end(0);
    await stopped;
    expect(ran(fake)).toEqual(["drain"]);
  });
});

describe("after_stop", () => {
  test("comes when all have ended, before the stop is over, and is swept up after", async () => {
    const fake = await ready(held({ after_stop: "tidy" }));
    let over = false;
    void fake.service.stop().then(() => {
      over = true;
    });
    await settled();
    expect([ran(fake), over, fake.endings.length]).toEqual([["tidy"], false, 1]);
    expect(last(fake).env).toMatchObject({ EXIT_CODE: "killed", EXIT_STATUS: "TERM" });
    last(fake).end(1);
    await settled();
    expect([over, fake.endings.length]).toEqual([true, 2]);
    expect(fake.service.snapshot().warnings).toEqual(["after_stop ended with exit code 1"]);
  });

  test("that hangs is ended after stop_timeout", async () => {
    const fake = await ready(held({ after_stop: "tidy" }));
    const stopped = fake.service.stop();
    await settled();
    await fake.pass(4950);
    expect(fake.state).toBe("stopping");
    await fake.pass(50);
    await stopped;
    expect([fake.state, fake.lingering.size]).toEqual(["stopped", 0]);
  });
});

test("output of hooks is held back with the service's", async () => {
  const fake = held({ before_start: "prepare" });
  const paused: string[] = [];
  fake.onHookFlow = (what) => void paused.push(what);
  await fake.start();
  fake.service.pauseOutput();
  fake.service.resumeOutput();
  expect(paused).toEqual(["pause", "resume"]);
  await fake.service.stop();
});
