import { expect, test } from "bun:test";
import {
  type RunState,
  runEvents,
  runStates,
  runStep,
} from "../../../src/containers/runs/run-states.ts";

/** State, event, the next state, and what is done. Any other pair changes nothing. */
const steps = new Set([
  "seeking done clearing clear",
  "seeking failed ended end",
  "seeking stop ended end",
  "clearing done pulling pull",
  "clearing failed ended end",
  "clearing gone ended end",
  "clearing stop removing remove",
  "pulling done creating create",
  "pulling failed ended end",
  "pulling gone ended end",
  "pulling stop removing remove",
  "creating done starting start",
  "creating again creating create",
  "creating failed removing remove",
  "creating gone removing remove",
  "creating stop removing remove",
  "starting done running follow",
  "starting again clearing clear",
  "starting failed removing remove",
  "starting died removing remove",
  "starting vanished ended end",
  "starting gone lost await-engine",
  "starting stop stopping stop",
  "running died removing remove",
  "running vanished ended end",
  "running gone lost await-engine",
  "running stop stopping stop",
  "lost back running follow",
  "lost died removing remove",
  "lost vanished ended end",
  "lost late ended end",
  "lost stop stopping stop",
  "stopping done removing remove",
  "stopping died removing remove",
  "stopping failed removing remove",
  "stopping gone removing remove",
  "stopping late removing remove",
  "stopping vanished ended end",
  "removing done ended end",
  "removing failed ended end",
  "removing gone ended end",
  "removing late ended end",
]);

test("the run of a container changes its state by these pairs alone", () => {
  const found = runStates.flatMap((state) =>
    runEvents.flatMap((event) => {
      const step = runStep(state, event);
      return step === undefined ? [] : [`${state} ${event} ${step.next} ${step.action}`];
    }),
  );
  expect(new Set(found)).toEqual(steps);
});

test("a container that may have been made is removed before the end, unless it has vanished or nobody can", () => {
  const made: readonly RunState[] = ["creating", "starting", "running", "lost", "stopping"];
  for (const state of made) {
    for (const event of runEvents) {
      if (runStep(state, event)?.next !== "ended") continue;
      expect(["vanished", "late"]).toContain(event);
    }
  }
});

test("it ends from every state when it is asked to, and a second time changes nothing", () => {
  for (const state of runStates) {
    let now = state;
    for (let steps = 0; now !== "ended"; steps++) {
      expect(steps).toBeLessThan(4);
      const event = runStep(now, "stop") === undefined ? "gone" : "stop";
      now = runStep(now, event)!.next;
    }
  }
  for (const state of ["stopping", "removing", "ended"] as const) {
    expect(runStep(state, "stop")).toBeUndefined();
  }
});
