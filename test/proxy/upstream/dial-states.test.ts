import { expect, test } from "bun:test";
import { events, states, stepOn } from "../../../src/proxy/upstream/dial-states.ts";

/** Every pair of state and event; those that are missing mean nothing. */
const expected: Record<string, string> = {
  "queued turn": "dialling: connect",
  "queued served": "over: hand over",
  "queued left": "over: leave the queue",
  "queued late": "over: report",
  "dialling opened": "over: hand over",
  "dialling failed": "over: report",
  "dialling full": "queued: queue again",
  "dialling left": "orphaned: go on",
  "orphaned opened": "over: spare",
  "orphaned failed": "over: forget",
  "orphaned full": "over: forget",
};

test.each(states.flatMap((state) => events.map((event) => [state, event] as const)))(
  "%s, %s",
  (state, event) => {
    const step = stepOn(state, event);
    expect(step && `${step.next}: ${step.action}`).toBe(expected[`${state} ${event}`]);
  },
);
