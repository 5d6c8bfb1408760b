/** Turns to start a daemon: one starter at a time, and nobody waits for one who hangs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeTurn, type Turn, turnToStart } from "../../src/control/found/turn.ts";
import { FakeClock } from "../support/fake-clock.ts";

let stateDirectory: string;
let clock: FakeClock;

beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), "lh-turn-"));
  clock = new FakeClock();
});

afterEach(() => rmSync(stateDirectory, { recursive: true }));

const none = async (): Promise<boolean> => false;

/** Moves the clock until it is decided; `each` is what happens meanwhile. */
async function decided<T>(promise: Promise<T>, each: (waited: number) => void = () => {}) {
  const began = clock.now();
  const outcome: { value?: T } = {};
  void promise.then((value) => {
    outcome.value = value;
  });
  for (let step = 0; !("value" in outcome) && step < 5_000; step++) {
    await new Promise(setImmediate);
    each(clock.now() - began);
    if (!("value" in outcome)) clock.advance(10);
  }
  return { value: outcome.value, waited: clock.now() - began };
}

test("the first has the turn at once, the next one when it is over", async () => {
  const first = await turnToStart({ stateDirectory, clock, runs: none });
  const next = await decided(turnToStart({ stateDirectory, clock, runs: none }), (waited) => {
    if (waited >= 5_000) first!.release();
  });
  expect(next.waited).toBeWithin(5_000, 5_200);
  expect(next.value).toBeDefined();
  expect(takeTurn(stateDirectory)).toBeUndefined();
  next.value!.release();
});

test("a daemon that runs meanwhile is no reason to take the turn", async () => {
  const first = takeTurn(stateDirectory)!;
  let runs = false;
  const waiting = turnToStart({ stateDirectory, clock, runs: async () => runs });
  const next = await decided(waiting, (waited) => {
    runs = waited >= 3_000;
  });
  expect(next.value).toBeUndefined();
  expect(next.waited).toBeWithin(3_000, 3_400);
  first.release();
  // Nor is it kept where nobody had it.
  expect(await turnToStart({ stateDirectory, clock, runs: async () => true })).toBeUndefined();
  const after: Turn | undefined = takeTurn(stateDirectory);
  expect(after).toBeDefined();
  after!.release();
});

test("who hangs with the turn keeps nobody for ever", async () => {
  const first = takeTurn(stateDirectory)!;
  const next = await decided(turnToStart({ stateDirectory, clock, runs: none, patience: 1_000 }));
  expect(next.value).toBeDefined();
  expect(next.waited).toBeWithin(1_000, 1_100);
  next.value!.release();
  // It was never ours to release.
  expect(takeTurn(stateDirectory)).toBeUndefined();
  first.release();
});

test("where there can be no lock, nobody waits", async () => {
  const nowhere = join(stateDirectory, "missing");
  expect(await turnToStart({ stateDirectory: nowhere, clock, runs: none })).toBeDefined();
});
