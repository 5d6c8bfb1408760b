/** A service in each of its phases, and another daemon that takes over: the fate of each stands in a table. */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { handedLifecycle } from "../../src/supervisor/service/handed-life.ts";
import type { Handed } from "../../src/supervisor/service/lifecycle.ts";
import { type Phase, phases, shownAs, whenReplaced } from "../../src/supervisor/service/states.ts";
import { ownDescriptors } from "../../src/system/own-descriptors.ts";
import { FakeLifecycle, request } from "./fake-lifecycle.ts";

const own = ownDescriptors();

/** A service that is led into that phase. */
const into: Readonly<Record<Phase, () => Promise<FakeLifecycle>>> = {
  stopped: async () => new FakeLifecycle(),
  async starting() {
    const fake = new FakeLifecycle({ hooks: { before_start: "prepare" } });
    fake.hooksEnd = false;
    await fake.start();
    return fake;
  },
  async running() {
    const fake = new FakeLifecycle();
    await fake.start();
    return fake;
  },
  async ready() {
    const fake = new FakeLifecycle();
    await fake.start();
    await fake.becomeReady();
    return fake;
  },
  async unready() {
    const fake = new FakeLifecycle();
    await fake.start();
    fake.say("READY=1");
    fake.say("RELOADING=1");
    return fake;
  },
  async stopping() {
    const fake = await into.ready();
    fake.obedient = false;
    void fake.service.stop();
    return fake;
  },
  async restarting() {
    const fake = await into.ready();
    fake.obedient = false;
    fake.service.restart(request);
    return fake;
  },
  async aborting() {
    const fake = new FakeLifecycle({ startTimeout: 500 });
    fake.obedient = false;
    await fake.start();
    await fake.pass(600);
    return fake;
  },
  exited: () => ended({ restart: "no" }, 0),
  completed: () => ended({ type: "task" }, 0),
  backoff: () => ended({}, 3),
  failed: () => ended({ type: "task" }, 3),
};

async function ended(changes: Partial<ServiceSpec>, code: number): Promise<FakeLifecycle> {
  const fake = new FakeLifecycle(changes);
  await fake.start();
  fake.exit({ code, signal: null });
  await fake.pass(50);
  return fake;
}

async function handedFrom(fake: FakeLifecycle): Promise<Handed> {
  const handed = await fake.service.halt(own);
  if (handed === undefined) throw new Error("it was not handed over");
  return handed;
}

for (const phase of phases) {
  const fate = whenReplaced[phase];
  test(`${phase}: ${fate}, under the other daemon or after its end here`, async () => {
    const fake = await into[phase]();
    expect(fake.state).toBe(shownAs(phase));
    const before = fake.service.snapshot();
    expect(fake.service.isSettled).toBe(fate !== "settles");
    const handed = await fake.service.halt(own);
    if (fate === "settles") {
      expect(handed).toBeUndefined();
      return;
    }
    const read = v.safeParse(handedLifecycle, JSON.parse(JSON.stringify(handed!.lifecycle)));
    expect(read.success).toBe(true);
    const other = new FakeLifecycle(fake.service.spec);
    await other.takeOver(handed!);
    expect(other.service.snapshot()).toEqual(before);
    expect(other.adopted.length).toBe(fate === "goes-on" ? 1 : 0);
    expect(other.spawns).toEqual([]);
  });
}

describe("while it is halted", () => {
  test("nothing happens to it, and what would have happens when it goes on", async () => {
    const fake = await into.running();
    await handedFrom(fake);
    expect(await fake.service.halt(own)).toBeUndefined();
    fake.listening.add(21_000);
    await fake.pass(1000);
    fake.say("STATUS=busy");
    expect([fake.state, fake.service.snapshot().status]).toEqual(["running", undefined]);
    fake.service.goOn();
    expect([fake.state, fake.service.snapshot().status]).toEqual(["ready", "busy"]);
  });

  test("its end counts once it goes on", async () => {
    const fake = await into.ready();
    await handedFrom(fake);
    fake.exit({ code: 3, signal: null });
    await fake.pass(100);
    expect(fake.state).toBe("ready");
    fake.service.goOn();
    expect(fake.state).toBe("backoff");
  });

  test("a stop waits until it is known whose it is", async () => {
    const fake = await into.ready();
    await handedFrom(fake);
    const stopped = fake.service.stop();
    await fake.pass(1000);
    expect([fake.state, fake.endings.length]).toEqual(["ready", 0]);
    fake.service.goOn();
    await stopped;
    expect(fake.state).toBe("stopped");
  });

  test("once another daemon has it, nothing is done to it here, whatever was to happen", async () => {
    const fake = await into.running();
    await handedFrom(fake);
    const stopped = fake.service.stop();
    fake.service.leave(() => {});
    await stopped;
    void fake.service.stop();
    await fake.pass(60_000);
    expect([fake.endings, fake.spawns.length]).toEqual([[], 1]);
    expect(fake.calls).toContain("leave");
    expect(fake.calls).not.toContain("release");
  });

  test("one whose descriptors cannot be had goes on at once", async () => {
    const fake = await into.running();
    fake.handable = false;
    expect(await fake.service.halt(own)).toBeUndefined();
    await fake.becomeReady();
    expect(fake.state).toBe("ready");
  });
});

describe("under the other daemon", () => {
  async function over(fake: FakeLifecycle, changes: Partial<ServiceSpec> = {}) {
    const other = new FakeLifecycle({ ...fake.service.spec, ...changes });
    other.clock.advance(5_000_000);
    await other.takeOver(await handedFrom(fake));
    return other;
  }

  test("one that was not ready becomes ready, or has only the rest of its time", async () => {
    const ready = await over(await into.running());
    await ready.becomeReady();
    expect(ready.state).toBe("ready");
    const slow = await into.running();
    await slow.pass(29_000);
    const late = await over(slow);
    await late.pass(900);
    expect(late.state).toBe("running");
    await late.pass(200);
    expect(late.state).not.toBe("running");
    expect(late.why).toContain("did not become ready within 30 s");
  });

  test("one that is built goes on building, and is not ready before that is done", async () => {
    const own = { kind: "built", build: { kind: "command", command: "make", inputs: [] } } as const;
    const fake = new FakeLifecycle({ own });
    await fake.start();
    fake.say("STATUS=builds: make");
    const other = await over(fake);
    await other.becomeReady();
    await other.pass(100_000);
    expect([other.state, other.service.snapshot().status]).toEqual(["running", "builds: make"]);
    other.say("X_BUILT=1");
    await other.becomeReady();
    expect(other.state).toBe("ready");
  });

  test("its end is an end like any other: counted, told with its code, and started again", async () => {
    const fake = await ended({}, 3);
    await fake.pass(1000);
    await fake.becomeReady();
    expect(fake.service.snapshot()).toMatchObject({ state: "ready", restarts: 1 });
    const other = await over(fake);
    other.exit({ code: 4, signal: null });
    expect(other.service.snapshot()).toMatchObject({
      state: "backoff",
      restarts: 1,
      lastExit: { code: 4, signal: null, lastLines: ["last words"] },
    });
    await other.pass(2000);
    expect(other.service.snapshot().restarts).toBe(2);
    expect(other.spawns.length).toBe(1);
    expect(other.spawns[0]!.env.PATH).toBe("/bin");
  });

  test("one that waits for its next start waits anew, and is started", async () => {
    const other = await over(await into.backoff());
    expect(other.state).toBe("backoff");
    await other.pass(1000);
    expect(other.spawns.length).toBe(1);
  });

  test("a stop ends it by its signal", async () => {
    const other = await over(await into.ready());
    await other.service.stop();
    expect(other.state).toBe("stopped");
    expect(other.endings).toMatchObject([{ pid: 1001, birth: 10_010, signal: "SIGTERM" }]);
    expect(other.sockets).toBe(0);
  });

  test("after_ready is not run again, and is where it was not", async () => {
    const hooks = { after_ready: "greet" };
    const fake = new FakeLifecycle({ hooks });
    await fake.start();
    const running = new FakeLifecycle({ hooks });
    await running.takeOver(await handedFrom(fake));
    await running.becomeReady();
    expect(running.hooks.map(({ command }) => command)).toEqual(["greet"]);
    fake.service.goOn();
    await fake.becomeReady();
    const other = await over(fake);
    other.say("RELOADING=1");
    other.say("READY=1");
    expect([other.state, other.hooks]).toEqual(["ready", []]);
  });

  test("while a hook runs it is not settled: nobody could tell the next daemon how it ends", async () => {
    const fake = new FakeLifecycle({ hooks: { after_ready: "greet" } });
    fake.hooksEnd = false;
    await fake.start();
    await fake.becomeReady();
    expect([fake.state, fake.service.isSettled]).toEqual(["ready", false]);
    fake.hooks[0]!.end(0);
    expect(fake.service.isSettled).toBe(true);
  });

  test("a watchdog that was promised is waited for", async () => {
    const fake = await into.ready();
    fake.say("WATCHDOG_USEC=2000000");
    const other = await over(fake);
    await other.pass(1500);
    other.say("WATCHDOG=1");
    await other.pass(1500);
    expect(other.state).toBe("ready");
    await other.pass(1000);
    expect(other.state).not.toBe("ready");
  });

  test("a line that was half printed comes first, for its log and for its pattern", async () => {
    const fake = new FakeLifecycle({ readyPattern: "listening on 3000" });
    await fake.start();
    fake.print("listening ");
    const other = new FakeLifecycle(fake.service.spec);
    await other.takeOver(await handedFrom(fake), { stdout: "listening " });
    other.adopted[0]!.onOutput("stdout", Buffer.from("on 3000\n"));
    expect([other.state, other.printed]).toEqual(["ready", "listening on 3000\n"]);
  });

  test("a main process that it named stays the main one when the first has ended", async () => {
    const fake = await into.running();
    fake.members = [1234];
    fake.say("MAINPID=1234\nREADY=1");
    await fake.pass(50);
    fake.exit({ code: 0, signal: null });
    await fake.pass(50);
    expect(fake.service.snapshot()).toMatchObject({ state: "ready", pid: 1234 });
    const other = new FakeLifecycle(fake.service.spec);
    other.members = [1234];
    await other.takeOver(await handedFrom(fake));
    await other.pass(3000);
    expect(other.service.snapshot()).toMatchObject({ state: "ready", pid: 1234 });
    other.members = [];
    await other.pass(2000);
    expect(other.service.snapshot().lastExit).toMatchObject({ code: 9 });
  });
});
