import { expect, test } from "bun:test";
import {
  type Event,
  enoughDeaths,
  events,
  type Phase,
  phases,
  shownAs,
  step,
  verdictOn,
  waitAfter,
} from "../../src/supervisor/service/states.ts";

/** Every pair that does something, written down a second time: next phase, then what is to be done. */
const expected: Record<Phase, Partial<Record<Event, string>>> = {
  stopped: { start: "starting launch", restart: "starting launch" },
  exited: { start: "starting launch", restart: "starting launch", stop: "stopping end" },
  completed: { start: "starting launch", restart: "starting launch", stop: "stopping end" },
  failed: { start: "starting launch", restart: "starting launch", stop: "stopping end" },
  backoff: {
    start: "starting launch",
    restart: "starting launch",
    stop: "stopping end",
    waited: "starting launch",
  },
  starting: {
    stop: "stopping end",
    restart: "starting launch",
    spawned: "running",
    crashed: "backoff wait",
    "gave-up": "failed clear",
  },
  running: {
    stop: "stopping end",
    restart: "restarting end",
    ready: "ready",
    "timed-out": "aborting judge",
    completed: "completed clear",
    rested: "exited clear",
    crashed: "backoff wait",
    "gave-up": "failed clear",
  },
  ready: {
    stop: "stopping end",
    restart: "restarting end",
    unready: "unready",
    "timed-out": "aborting judge",
    completed: "completed clear",
    rested: "exited clear",
    crashed: "backoff wait",
    "gave-up": "failed clear",
  },
  unready: {
    stop: "stopping end",
    restart: "restarting end",
    ready: "ready",
    "timed-out": "aborting judge",
    completed: "completed clear",
    rested: "exited clear",
    crashed: "backoff wait",
    "gave-up": "failed clear",
  },
  stopping: { start: "restarting", restart: "restarting", ended: "stopped" },
  restarting: { stop: "stopping", ended: "starting launch" },
  aborting: {
    start: "restarting",
    restart: "restarting",
    stop: "stopping",
    rested: "exited",
    crashed: "backoff wait",
    "gave-up": "failed",
  },
};

for (const phase of phases) {
  for (const event of events) {
    const wanted = expected[phase][event];
    test(`${phase}: ${event} ${wanted === undefined ? "changes nothing" : `-> ${wanted}`}`, () => {
      const found = step(phase, event);
      const text = found && [found.next, found.action].filter(Boolean).join(" ");
      expect(text).toBe(wanted);
    });
  }
}

test("whatever happens, a stop leads to stopped and a start to running, in a few steps", () => {
  for (const phase of phases) {
    let now = step(phase, "stop")?.next ?? phase;
    now = step(now, "ended")?.next ?? now;
    expect(now).toBe("stopped");
    let then = step(phase, "start")?.next ?? phase;
    then = step(then, "ended")?.next ?? then;
    then = step(then, "spawned")?.next ?? then;
    expect(["running", "ready", "unready"]).toContain(then);
  }
});

test("a restart is shown as a start, and what is ended for its failure as stopping", () => {
  expect(phases.map(shownAs)).toEqual([
    "stopped",
    "starting",
    "running",
    "ready",
    "unready",
    "stopping",
    "starting",
    "stopping",
    "exited",
    "completed",
    "backoff",
    "failed",
  ]);
});

test("the wait doubles from half a second to thirty, and stays there", () => {
  const waits = Array.from({ length: 10 }, (_, at) => waitAfter(at + 1, 0.5));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test("the wait is a fifth shorter or longer, by chance", () => {
  expect(waitAfter(1, 0)).toBe(400);
  expect(waitAfter(1, 0.999_999)).toBe(600);
  expect(waitAfter(2000, 0.999_999)).toBe(36_000);
});

const ok = { code: 0, signal: null };
const bad = { code: 3, signal: null };
const killed = { code: null, signal: "SIGKILL" };

test("on-failure: exit code 0 is the end of it, anything else starts it again", () => {
  const policy = { type: "worker", restart: "on-failure", deaths: 1 } as const;
  expect([ok, bad, killed].map((exit) => verdictOn(exit, policy))).toEqual([
    "rested",
    "crashed",
    "crashed",
  ]);
});

test("a task is completed by exit code 0, and given up after anything else, whatever restart says", () => {
  for (const restart of ["on-failure", "always", "no"] as const) {
    const policy = { type: "task", restart, deaths: 1 } as const;
    expect([ok, bad, killed].map((exit) => verdictOn(exit, policy))).toEqual([
      "completed",
      "gave-up",
      "gave-up",
    ]);
  }
});

test("always: any end starts it again; no: none does", () => {
  for (const exit of [ok, bad, killed]) {
    expect(verdictOn(exit, { type: "worker", restart: "always", deaths: 1 })).toBe("crashed");
    expect(verdictOn(exit, { type: "worker", restart: "no", deaths: 1 })).toBe("rested");
  }
});

test("after ten deaths in a row nothing is started again", () => {
  const deaths = enoughDeaths;
  expect(verdictOn(bad, { type: "worker", restart: "on-failure", deaths: deaths - 1 })).toBe(
    "crashed",
  );
  expect(verdictOn(bad, { type: "worker", restart: "on-failure", deaths })).toBe("gave-up");
  expect(verdictOn(ok, { type: "worker", restart: "always", deaths })).toBe("gave-up");
  expect(verdictOn(ok, { type: "worker", restart: "on-failure", deaths })).toBe("rested");
});
