import { expect, test } from "bun:test";
import {
  type SwapEvent,
  swapEvents,
  type SwapPhase,
  swapPhases,
  swapStep,
} from "../../src/supervisor/service/swap-states.ts";

const drops = { begun: "idle drop", way: "idle drop", stop: "idle drop" };

/** Written here once more, by hand: the next phase and the action, where there are any. */
const expected: Record<SwapPhase, Partial<Record<SwapEvent, string>>> = {
  idle: { change: "building build" },
  building: { ...drops, change: "again", built: "built swap", unbuilt: "stale tell", same: "idle" },
  again: { ...drops, built: "building build", unbuilt: "building build", same: "building build" },
  built: { change: "builtLate", begun: "begins", way: "kept", stop: "idle" },
  builtLate: { begun: "late", way: "keptLate", stop: "idle" },
  kept: { change: "keptLate", begun: "begins", way: "idle", stop: "idle" },
  keptLate: { begun: "late", way: "idle", stop: "idle" },
  begins: { change: "late", launched: "idle", begun: "idle", way: "idle", stop: "idle" },
  late: { launched: "building build", begun: "idle", way: "idle", stop: "idle" },
  stale: { change: "building build", begun: "idle", way: "idle", stop: "idle" },
};

test("every phase and event of a build beside a process has the step that is written here, and no other", () => {
  for (const phase of swapPhases) {
    for (const event of swapEvents) {
      const found = swapStep(phase, event);
      const shown = found && [found.next, found.action].filter(Boolean).join(" ");
      expect({ phase, event, shown }).toEqual({ phase, event, shown: expected[phase][event] });
    }
  }
});

test("from every phase a stop leads to idle, and ends a build where one is under way", () => {
  for (const phase of swapPhases) {
    const step = swapStep(phase, "stop");
    expect(step?.next ?? phase).toBe("idle");
    expect(step?.action === "drop").toBe(phase === "building" || phase === "again");
  }
});

test("a process begins with the build that it makes way for, and what has changed since is built once it has", () => {
  const after = (...events: SwapEvent[]): SwapPhase =>
    events.reduce<SwapPhase>((phase, event) => swapStep(phase, event)?.next ?? phase, "idle");
  expect(after("change", "built", "way")).toBe("kept");
  expect(after("change", "built", "change", "way")).toBe("keptLate");
  expect(after("change", "built", "way", "change")).toBe("keptLate");
  expect(after("change", "built", "way", "change", "begun")).toBe("late");
  expect(after("change", "built", "way", "begun", "change")).toBe("late");
  expect(after("change", "built", "way", "begun", "launched")).toBe("idle");
  expect(after("change", "built", "way", "change", "begun", "launched")).toBe("building");
  expect(after("change", "unbuilt", "way")).toBe("idle");
  expect(after("change", "change", "built", "way")).toBe("idle");
});
