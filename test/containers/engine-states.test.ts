import { expect, test } from "bun:test";
import { engineEvents, engineStates, engineStep } from "../../src/containers/engine-states.ts";

/** State, event, the next state, what is done, and whether its names go. Any other pair changes nothing. */
const steps = new Set([
  "away there joining ask",
  "away stop ended - forgets",
  "joining listed following",
  "joining late resting rest",
  "joining broken resting rest",
  "joining gone away - forgets",
  "joining stop ended - forgets",
  "following listed following",
  "following late silent list",
  "following broken lost ask",
  "following gone away - forgets",
  "following stop ended - forgets",
  "silent listed following",
  "silent late silent list",
  "silent given-up resting rest forgets",
  "silent broken lost ask",
  "silent gone away - forgets",
  "silent stop ended - forgets",
  "lost listed following",
  "lost late resting rest forgets",
  "lost given-up resting rest forgets",
  "lost broken resting rest forgets",
  "lost gone away - forgets",
  "lost stop ended - forgets",
  "resting there joining ask",
  "resting due joining ask",
  "resting gone away - forgets",
  "resting stop ended - forgets",
]);

test("an engine changes its state by these pairs alone", () => {
  const found = engineStates.flatMap((state) =>
    engineEvents.flatMap((event) => {
      const step = engineStep(state, event);
      if (step === undefined) return [];
      const done = step.action ?? (step.forget ? "-" : "");
      const words = [state, event, step.next, done, step.forget ? "forgets" : ""];
      return [words.filter(Boolean).join(" ")];
    }),
  );
  expect(new Set(found)).toEqual(steps);
});

test("no state is left without a way out, but for the end; and in none do names stay for ever without an answer", () => {
  for (const state of engineStates.filter((its) => its !== "ended")) {
    expect(engineStep(state, "stop")).toEqual({ next: "ended", forget: true });
  }
  for (const state of ["silent", "lost"] as const) {
    expect(engineStep(state, "given-up")).toMatchObject({ forget: true });
  }
});
