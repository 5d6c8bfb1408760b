import { describe, expect, test } from "bun:test";
import {
  type Event,
  events,
  pauseOf,
  type State,
  states,
  type Step,
  stepOn,
} from "../../src/remote/states.ts";

const dial: Step = { next: "connecting", action: "dial" };
const leave: Step = { next: "removed", action: "leave" };
const check: Step = { next: "up", action: "check" };
const waits: Partial<Record<Event, Step>> = {
  asked: dial,
  told: dial,
  woken: dial,
  due: dial,
  unused: { next: "idle" },
  removed: leave,
};

/** Every pair that does something, written down a second time. */
const expected: Record<State, Partial<Record<Event, Step>>> = {
  idle: { used: dial, asked: dial, told: dial, removed: leave },
  connecting: {
    heard: { next: "up", action: "serve" },
    silent: { next: "asleep", action: "end" },
    lost: { next: "backing off", action: "pause" },
    denied: { next: "refused", action: "pause" },
    removed: leave,
  },
  up: {
    asked: check,
    told: check,
    woken: check,
    silent: { next: "asleep", action: "end" },
    lost: { next: "backing off", action: "pause" },
    denied: { next: "refused", action: "end" },
    removed: leave,
  },
  "backing off": waits,
  asleep: waits,
  refused: { told: dial, due: dial, unused: { next: "idle" }, removed: leave },
  removed: {},
};

describe.each([...states])("a machine that is %s", (state) => {
  for (const event of events) {
    const wanted = expected[state][event];
    test(`${event}: ${wanted === undefined ? "changes nothing" : wanted.next}`, () => {
      expect(stepOn(state, event)).toEqual(wanted);
    });
  }
});

test("no request and no lid that opens makes us knock again where we were refused", () => {
  for (const event of ["used", "asked", "woken"] as const) {
    expect(stepOn("refused", event)).toBeUndefined();
  }
});

describe("the pause before the next attempt", () => {
  const pause = (state: State, failures: number, random = 0.5) =>
    pauseOf(state, { failures, random });

  test("doubles up to a minute, for a connection that ended and for a machine that sleeps", () => {
    expect([1, 2, 3, 4, 7, 99].map((failures) => pause("backing off", failures))).toEqual([
      1_000, 2_000, 4_000, 8_000, 60_000, 60_000,
    ]);
    expect([1, 2, 5, 99].map((failures) => pause("asleep", failures))).toEqual([
      5_000, 10_000, 60_000, 60_000,
    ]);
  });

  test("is half an hour after a refusal, so that nobody bans us", () => {
    expect(pause("refused", 1)).toBe(30 * 60_000);
  });

  test("differs by a quarter either way", () => {
    expect([pause("backing off", 1, 0), pause("backing off", 1, 1)]).toEqual([750, 1_250]);
  });
});
