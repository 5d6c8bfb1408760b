/** Processes that another daemon has started: whoever tells first how one ended is believed, and each is told once. */
import { beforeEach, expect, test } from "bun:test";
import { type Adopted, adopted } from "../../src/supervisor/family/adopted.ts";
import type { Glimpse } from "../../src/supervisor/family/census.ts";
import type { Ending } from "../../src/supervisor/family/ending.ts";
import { FakeClock } from "../support/fake-clock.ts";

const alive: Glimpse = { birth: 10, zombie: false, exitStatus: 0 };
const unknown: Ending = { code: null, signal: null };

let clock: FakeClock;
let seen: Map<number, Glimpse>;
let its: Adopted;
let endings: Ending[];

beforeEach(() => {
  clock = new FakeClock();
  seen = new Map([[7, alive]]);
  its = adopted({ clock, glimpse: (pid) => seen.get(pid) });
  endings = [];
});

function watch(): () => void {
  return its.watch({ pid: 7, birth: 10 }, (ending) => void endings.push(ending));
}

test("a zombie says how it ended: at the next look, and soon where its output has ended", () => {
  watch();
  clock.advance(5000);
  expect(endings).toEqual([]);
  seen.set(7, { ...alive, zombie: true, exitStatus: 7 << 8 });
  clock.advance(1000);
  expect(endings).toEqual([{ code: 7, signal: null }]);
  watch();
  seen.set(7, { ...alive, zombie: true, exitStatus: 9 });
  its.look(7);
  expect(endings.at(-1)).toEqual({ code: null, signal: "SIGKILL" });
  expect(clock.waiting).toBe(0);
});

test("one whose output has ended is looked at again and again, less and less often, until it has", () => {
  watch();
  its.look(7);
  clock.advance(30);
  expect(endings).toEqual([]);
  seen.set(7, { ...alive, zombie: true, exitStatus: 0 });
  clock.advance(40);
  expect(endings).toEqual([{ code: 0, signal: null }]);
});

test("one that is gone was reaped by its parent, which has a second to tell how it ended", () => {
  watch();
  seen.delete(7);
  its.look(7);
  clock.advance(900);
  expect(endings).toEqual([]);
  its.told(7, { code: 3, signal: null });
  its.told(7, { code: 4, signal: null });
  expect(endings).toEqual([{ code: 3, signal: null }]);
  watch();
  clock.advance(1000);
  expect(endings).toHaveLength(1);
  clock.advance(1000);
  expect(endings).toEqual([{ code: 3, signal: null }, unknown]);
  expect(clock.waiting).toBe(0);
});

test("another process with its pid is not it", () => {
  watch();
  seen.set(7, { birth: 11, zombie: true, exitStatus: 5 << 8 });
  clock.advance(3000);
  expect(endings).toEqual([unknown]);
});

test("one that is not watched any more, or never was, is no news", () => {
  const cancel = watch();
  cancel();
  cancel();
  its.told(7, unknown);
  its.told(8, unknown);
  its.look(8);
  clock.advance(3000);
  expect([endings, clock.waiting]).toEqual([[], 0]);
});
