/** What every state of a service means to those who wait for it, and what is passed on. */
import { expect, test } from "bun:test";
import {
  type Goal,
  goals,
  type Seen,
  seenNext,
  type State,
  unseen,
  type Verdict,
  verdictOn,
} from "../../src/cli/projects/awaited.ts";
import type { Exit, SupervisedState } from "../../src/routes/supervised.ts";

const exit = (how: Partial<Exit>): Exit => ({
  code: null,
  signal: null,
  time: 1,
  lastLines: [],
  ...how,
});

function state(its: SupervisedState, lastExit?: Exit): State {
  return { state: its, why: undefined, lastExit };
}

function after(goal: Goal, ...states: State[]): Verdict {
  let seen: Seen = unseen;
  let verdict: Verdict = { kind: "waiting" };
  for (const its of states) {
    seen = seenNext(seen, its);
    verdict = verdictOn(goal, { its, seen });
  }
  return verdict;
}

const states: readonly SupervisedState[] = [
  ...(["stopped", "starting", "running", "ready", "unready", "stopping"] as const),
  ...(["exited", "backoff", "failed"] as const),
];

test("each state is what is awaited, may become it, or never will", () => {
  const kinds = (goal: Goal) =>
    Object.fromEntries(states.map((its) => [its, after(goal, state(its)).kind]));
  const waits = Object.fromEntries(states.map((its) => [its, "waiting"]));
  expect(kinds("ready")).toEqual({ ...waits, ready: "reached", exited: "lost", failed: "lost" });
  const ended = { exited: "reached", failed: "reached" } as const;
  expect(kinds("stopped")).toEqual({ ...waits, ...ended, stopped: "reached" });
  expect(kinds("completed")).toEqual({ ...waits, ...ended });
});

test("what ended by itself passes its code on, or 128 and its signal; what was stopped is 0", () => {
  for (const goal of ["stopped", "completed"] as const) {
    const exitOf = (its: State) => {
      const verdict = after(goal, its);
      return verdict.kind === "reached" ? verdict.exit : verdict.kind;
    };
    expect(exitOf(state("exited", exit({ code: 0 })))).toBe(0);
    expect(exitOf(state("exited", exit({ code: 3 })))).toBe(3);
    expect(exitOf(state("exited", exit({ signal: "SIGKILL" })))).toBe(137);
    expect(exitOf(state("failed", exit({ code: 9 })))).toBe(9);
    // It was given up without an end of its own, as where it has no port: never a success.
    expect(exitOf(state("failed"))).toBe(1);
    expect(exitOf(state("failed", exit({ code: 0 })))).toBe(1);
  }
  const byHand = state("stopped", exit({ signal: "SIGTERM" }));
  expect(after("stopped", byHand)).toEqual({ kind: "reached", exit: 0 });
});

test("what is stopped before it completed has not completed; what nobody started may yet", () => {
  expect(after("completed", state("stopped"), state("stopped")).kind).toBe("waiting");
  expect(after("completed", state("ready"), state("stopped"))).toEqual({
    kind: "lost",
    why: "was stopped before it completed",
  });
});

test("three deaths in a row are the end of a wait, and so is a command that cannot run", () => {
  const death = (time: number) => state("backoff", exit({ code: 5, time }));
  for (const goal of goals) {
    expect(after(goal, death(1), death(1), state("running"), death(2)).kind).toBe("waiting");
  }
  const dying = [death(1), state("running"), death(2), death(2), state("running"), death(3)];
  expect(after("ready", ...dying).kind).toBe("lost");
  expect(after("completed", ...dying)).toEqual({ kind: "reached", exit: 5 });
  // It is started again, so that it has not stopped.
  expect(after("stopped", ...dying).kind).toBe("waiting");
  expect(after("completed", death(1), death(2), state("ready"), death(3)).kind).toBe("waiting");
  const missing = state("backoff", exit({ code: 127 }));
  expect(after("ready", missing).kind).toBe("lost");
  expect(after("completed", missing)).toEqual({ kind: "reached", exit: 127 });
});

test("a start that is refused three times is the end of a wait, and so is a port that another program has", () => {
  const refused = (failures: number): State => ({
    ...state("backoff"),
    ...{ failures, why: "no descriptor is left" },
  });
  expect(after("ready", refused(1), refused(1), refused(2))).toEqual({ kind: "waiting" });
  expect(after("ready", refused(4), refused(5), refused(6))).toMatchObject({ kind: "lost" });
  const held: State = { ...refused(1), isHeld: true };
  expect(after("ready", held)).toMatchObject({ kind: "lost" });
  expect(after("stopped", held)).toEqual({ kind: "waiting" });
});
