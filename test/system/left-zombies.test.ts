/** Children that nobody waits for. */
import { expect, test } from "bun:test";
import { LeftZombies, leftPatience } from "../../src/system/left-zombies.ts";

test("only those are reaped that are still there after the time in which a parent sees an end", () => {
  const its = new LeftZombies();
  expect(its.seen([7, 8], 0)).toEqual([]);
  expect(its.waits).toBe(true);
  expect(its.seen([8, 9], leftPatience - 1)).toEqual([]);
  // 7 was reaped by whoever waits for it, and is another process by now.
  expect(its.seen([7, 8, 9], leftPatience)).toEqual([8]);
  expect(its.seen([7, 9], 2 * leftPatience)).toEqual([7, 9]);
  expect(its.waits).toBe(false);
});
