/** Connect-or-spawn: what becomes of a client whose daemon does not come. Those that come are in test/conformance. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Spawned } from "../../src/control/found/connect.ts";
import { systemClock as clock } from "../../src/system/clock.ts";

let stateDirectory: string;
const { promise: never } = Promise.withResolvers<number>();

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "localhostess-connect-"));
});

afterEach(() => rm(stateDirectory, { recursive: true, force: true }));

test("where none runs and none may be started, that is the answer", async () => {
  expect(await connect({ stateDirectory, clock })).toEqual({
    kind: "none",
    found: { kind: "absent", why: "there is no record of one" },
  });
});

test("one that ends at once fails with what it said, long before the time is over", async () => {
  let spawned = 0;
  const spawn = (): Spawned => {
    spawned++;
    return { ended: Promise.resolve(1), logTail: () => "port 9090 is in use" };
  };
  expect(await connect({ stateDirectory, clock, spawn })).toEqual({
    kind: "failed",
    why: "it ended at once, with 1",
    logTail: "port 9090 is in use",
  });
  expect(spawned).toBe(1);
});

test("one that never answers fails when the time is over", async () => {
  const spawn = (): Spawned => ({ ended: never, logTail: () => "" });
  expect(await connect({ stateDirectory, clock, spawn, deadline: 150 })).toMatchObject({
    kind: "failed",
    why: "none within 150 ms: there is no record of one",
  });
});
