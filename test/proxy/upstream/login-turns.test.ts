import { describe, expect, test } from "bun:test";
import {
  actionOn,
  asking,
  events,
  type LoginAction,
  type LoginEvent,
  type LoginState,
  patienceIn,
  states,
} from "../../../src/proxy/upstream/login-turns.ts";
import { Login } from "../../../src/wire/login.ts";

/** Every pair that can come, written down a second time. */
const expected: Record<LoginState, Partial<Record<LoginEvent, LoginAction>>> = {
  none: { asked: "dial", "next step": "dial" },
  dialling: {
    asked: "queue",
    "next step": "queue",
    connected: "rest",
    failed: "fail",
    unwanted: "cancel",
  },
  busy: {
    asked: "queue",
    "next step": "queue",
    answered: "rest",
    challenge: "hold",
    left: "replace",
    late: "retire",
    unwanted: "ignore",
  },
  idle: { asked: "give", "next step": "give", left: "replace", unwanted: "ignore" },
  challenged: {
    asked: "queue",
    "next step": "give",
    left: "replace",
    late: "rest",
    unwanted: "ignore",
  },
};

describe.each([...states])("a login's connection that is %s", (state) => {
  for (const event of events) {
    const action = expected[state][event];
    test(`${event}: ${action ?? "cannot come"}`, () => {
      if (action === undefined) expect(() => actionOn(state, event)).toThrow(event);
      else expect(actionOn(state, event)).toBe(action);
    });
  }
});

test("only the next step of a login goes before those that wait for it", () => {
  expect(asking(Login.later)).toBe("next step");
  expect(asking(Login.first)).toBe("asked");
  expect(asking(Login.none)).toBe("asked");
});

test("requests in line wait longer for an answer than for a program's next step", () => {
  expect(patienceIn("busy")).toBe(3_000);
  expect(patienceIn("challenged")).toBe(500);
  expect(patienceIn("dialling")).toBeUndefined();
});
