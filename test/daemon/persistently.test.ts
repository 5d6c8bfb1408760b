/** Attempts: a passing fault is none, and a lasting one is told after two seconds. */
import { expect, test } from "bun:test";
import { persistently } from "../../src/daemon/persistently.ts";
import { FakeClock } from "../support/fake-clock.ts";

async function tried(failures: number) {
  const clock = new FakeClock();
  const began = clock.now();
  let attempts = 0;
  let outcome: string | undefined;
  persistently(clock, async () => {
    attempts++;
    if (attempts <= failures) throw new Error(`fault ${attempts}`);
    return "done";
  }).then(
    (value) => {
      outcome = value;
    },
    (error: Error) => {
      outcome = error.message;
    },
  );
  while (outcome === undefined) {
    await new Promise(setImmediate);
    if (outcome === undefined) clock.advance(50);
  }
  return { outcome, attempts, waited: clock.now() - began };
}

test("where nothing fails there is one attempt, at once", async () => {
  expect(await tried(0)).toEqual({ outcome: "done", attempts: 1, waited: 0 });
});

test("a fault that passes is no failure", async () => {
  expect(await tried(3)).toMatchObject({ outcome: "done", attempts: 4 });
});

test("a fault that lasts is told as it is at the end", async () => {
  const { outcome, attempts, waited } = await tried(1_000);
  expect(outcome).toBe(`fault ${attempts}`);
  expect(waited).toBeWithin(2_000, 2_400);
});
