import { describe, expect, test } from "bun:test";
import {
  type AbsenceFacts,
  type Action,
  actionOn,
  afterFailure,
  type Event,
  events,
  onAbsence,
  patienceFor,
  waits,
  type WaitsFor,
} from "../../../src/proxy/request/waits.ts";
import { testSupervised } from "../../support/test-proxy.ts";

/** Every pair that does something, written down a second time. */
const expected: Record<WaitsFor, Partial<Record<Event, Action>>> = {
  look: { came: "decide", failed: "decide", full: "pause", overfull: "pause", gone: "drop" },
  dial: {
    came: "send",
    failed: "judge",
    // Another way to the service may lead to an answer: the request is decided again, without a look.
    learned: "decide",
    full: "pause",
    overfull: "pause",
    gone: "drop",
  },
  service: {
    came: "decide",
    news: "ask",
    late: "give up",
    full: "pause",
    overfull: "too large",
    gone: "drop",
  },
  woken: {
    came: "decide",
    news: "ask",
    late: "give up",
    full: "pause",
    overfull: "too large",
    gone: "drop",
  },
  question: { came: "replay", failed: "read on", full: "pause", overfull: "pause", gone: "drop" },
  change: {
    came: "decide",
    news: "ask",
    late: "give up",
    full: "pause",
    overfull: "pause",
    gone: "drop",
  },
};

describe.each([...waits])("a request that waits for %s", (waitsFor) => {
  for (const event of events) {
    const wanted = expected[waitsFor][event];
    test(`${event}: ${wanted ?? "changes nothing"}`, () => {
      expect(actionOn(waitsFor, event)).toBe(wanted);
    });
  }

  test("is let go of with its client, and holds no more than it may", () => {
    expect(actionOn(waitsFor, "gone")).toBe("drop");
    expect(actionOn(waitsFor, "full")).toBe("pause");
  });
});

test("a failed dial: first a look, then the service if it is on its way back, then the error", () => {
  const outcomes = [true, false].flatMap((looked) =>
    [true, false].map((returns) => [looked, returns, afterFailure({ looked, returns })]),
  );
  expect(outcomes).toEqual([
    [true, true, "service"],
    [true, false, "error"],
    [false, true, "look"],
    [false, false, "look"],
  ]);
});

const usual: AbsenceFacts = {
  turn: "wait",
  looked: false,
  ended: false,
  stranger: false,
  pageLoad: false,
  large: false,
};

test.each<[what: string, facts: Partial<AbsenceFacts>, kind: string, wakes: boolean]>([
  ["a service that starts is waited for", {}, "wait", false],
  ["a lazy one is started", { turn: "wake" }, "wait", true],
  ["not by a stranger's page", { turn: "wake", stranger: true }, "strangers", false],
  ["which may wait for one that starts anyway", { stranger: true }, "wait", false],
  ["one that is down may have a successor", { turn: "down" }, "look", false],
  ["and is down where a look found none", { turn: "down", looked: true }, "down", false],
  ["one started for the request has ended", { ended: true }, "down", false],
  ["and is not started again", { ended: true, turn: "wake" }, "down", false],
  ["a person sees that it starts", { pageLoad: true }, "soon", false],
  ["and that it is started", { pageLoad: true, turn: "wake" }, "soon", true],
  ["a large body does not wait", { large: true }, "too large", false],
  ["and starts the service for the next try", { large: true, turn: "wake" }, "too large", true],
])("%s", (_, facts, kind, wakes) => {
  expect(onAbsence({ ...usual, ...facts })).toEqual({ kind, wakes } as never);
});

test("whatever else holds, a service is started only where it starts when it is asked", () => {
  const both = [true, false];
  for (const turn of ["wait", "wake", "down"] as const) {
    for (const looked of both)
      for (const ended of both)
        for (const stranger of both)
          for (const pageLoad of both)
            for (const large of both) {
              const facts = { turn, looked, ended, stranger, pageLoad, large };
              const { wakes } = onAbsence(facts);
              expect(wakes).toBe(turn === "wake" && !stranger && !ended);
            }
  }
});

test("a start has 30 s, a service that has answered before 10 s to come back", () => {
  const seconds = (its: Parameters<typeof testSupervised>[0], woken = false) =>
    patienceFor(testSupervised(its), { woken });
  expect(seconds({ state: "starting" })).toBe(30);
  expect(seconds({ state: "starting", restarts: 1 })).toBe(10);
  expect(seconds({ state: "stopping" })).toBe(10);
  expect(seconds({ state: "stopping" }, true)).toBe(30);
  // Ready by its own word, and nobody has seen it listen.
  expect(seconds({ state: "ready", port: 3000, listens: [] })).toBe(30);
  expect(seconds({ state: "ready", port: 3000, listens: [3000] })).toBe(10);
});
