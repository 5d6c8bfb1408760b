/** Connect-or-spawn: what becomes of a client whose daemon does not come. Those that come are in test/conformance. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, findDaemon, type Spawned } from "../../src/control/found/connect.ts";
import { systemClock as clock } from "../../src/system/clock.ts";

let stateDirectory: string;

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "localhostess-connect-"));
});

afterEach(() => rm(stateDirectory, { recursive: true, force: true }));

test("where none runs and none may be started, that is the answer", async () => {
  expect(await connect({ stateDirectory, clock })).toEqual({
    kind: "none",
    found: { kind: "absent", why: "there is no record of one", alive: false },
  });
});

test("a state directory whose path no socket could have is as good as one without a daemon", async () => {
  const long = join(stateDirectory, "d".repeat(120));
  expect(await findDaemon(long, { clock })).toMatchObject({ kind: "absent", alive: false });
});

test("a socket that somebody listens on, beside no record, is a daemon's", async () => {
  const its = Bun.listen({ unix: join(stateDirectory, "daemon.sock"), socket: { data() {} } });
  expect(await findDaemon(stateDirectory, { clock })).toMatchObject({
    kind: "absent",
    alive: true,
  });
  its.stop(true);
  expect(await findDaemon(stateDirectory, { clock })).toMatchObject({
    kind: "absent",
    alive: false,
  });
});

/** A daemon that the test moves. */
function spawned(its: Partial<Spawned> = {}) {
  const ended = Promise.withResolvers<number | string>();
  const ends: string[] = [];
  const daemon: Spawned = {
    pid: 4242,
    ended: ended.promise,
    sign: () => 0,
    lastWords: async () => "",
    logTail: () => "",
    async end() {
      ends.push("ended");
      ended.resolve("SIGTERM");
    },
    ...its,
  };
  return { daemon, ends, over: ended.resolve };
}

test("one that ends at once fails with what it said, long before the time is over", async () => {
  let starts = 0;
  const spawn = (): Spawned => {
    starts++;
    return spawned({
      ended: Promise.resolve(1),
      lastWords: async () => "port 9090 is in use\nchoose another",
      logTail: () => "the log",
    }).daemon;
  };
  expect(await connect({ stateDirectory, clock, spawn })).toEqual({
    kind: "failed",
    why: "port 9090 is in use\nchoose another",
    logTail: "the log",
  });
  expect(starts).toBe(1);
});

test("one that ends without a word fails with its exit code", async () => {
  const spawn = () => spawned({ ended: Promise.resolve("SIGSEGV") }).daemon;
  const failed = await connect({ stateDirectory, clock, spawn });
  expect(failed).toMatchObject({ kind: "failed", why: "it ended at once, with SIGSEGV" });
});

test("one that does nothing is ended, and that is the answer", async () => {
  const { daemon, ends } = spawned();
  expect(await connect({ stateDirectory, clock, spawn: () => daemon, silence: 150 })).toMatchObject(
    {
      kind: "failed",
      why: "pid 4242 did nothing for 0 s, and was ended: there is no record of one",
    },
  );
  expect(ends).toEqual(["ended"]);
});

test("one that is at work is waited for until the time is over, and then ended", async () => {
  const { daemon, ends } = spawned({ sign: () => performance.now() });
  const began = performance.now();
  const failed = await connect({
    ...{ stateDirectory, clock, spawn: () => daemon },
    ...{ silence: 100, deadline: 700 },
  });
  expect(failed).toMatchObject({ kind: "failed", why: expect.stringContaining("was not ready") });
  expect(performance.now() - began).toBeGreaterThan(600);
  expect(ends).toEqual(["ended"]);
});

test("where the system tells no signs, one that has not ended may be at work", async () => {
  const { daemon, ends } = spawned({ sign: () => undefined });
  const began = performance.now();
  await connect({ stateDirectory, clock, spawn: () => daemon, silence: 50, deadline: 400 });
  expect(performance.now() - began).toBeGreaterThan(300);
  expect(ends).toEqual(["ended"]);
});

test("one that made way for another, which is gone, is started again, and not for ever", async () => {
  let starts = 0;
  const spawn = (): Spawned => {
    starts++;
    const { daemon, over } = spawned();
    over(0);
    return daemon;
  };
  const failed = await connect({ stateDirectory, clock, spawn, silence: 100 });
  expect(failed).toMatchObject({ kind: "failed", why: expect.stringMatching(/^none within/) });
  expect(starts).toBe(3);
});
