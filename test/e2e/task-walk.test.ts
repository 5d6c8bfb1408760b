/** Five seconds of what `test/soak/tasks.ts` does for a minute. */
import { expect, test } from "bun:test";
import { suiteSeed, Random } from "../support/random.ts";
import { taskWalk } from "../support/task-walk.ts";

test("a service behind migrations never starts before they have succeeded, and is never left down", async () => {
  const seed = suiteSeed();
  const { starts, wrong } = await taskWalk({ seconds: 5, slow: 0.5, random: new Random(seed) });
  expect({ seed, wrong }).toEqual({ seed, wrong: [] });
  expect(starts).toBeGreaterThan(0);
}, 120_000);
