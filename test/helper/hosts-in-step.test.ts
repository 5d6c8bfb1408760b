/** Names that come and go, and a writer that works or does not: few calls, one at a time, and the last word counts. */
import { describe, expect, test } from "bun:test";
import { HostsInStep, type StepResult } from "../../src/helper/hosts-in-step.ts";
import { stepEvents, stepStates, stepTable } from "../../src/helper/step-states.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** A writer that answers when the test says so. */
function scene() {
  const clock = new FakeClock();
  const its = {
    wanted: [] as string[],
    file: [] as readonly string[],
    calls: [] as (readonly string[])[],
    failures: [] as string[],
    answer: undefined as ((result: StepResult) => void) | undefined,
    may: true,
  };
  const step = new HostsInStep({
    clock,
    names: () => its.wanted,
    isThere: (names) => names.join() === its.file.join(),
    writer: () => {
      if (!its.may) return undefined;
      return async (names) => {
        its.calls.push(names);
        const { promise, resolve } = Promise.withResolvers<StepResult>();
        its.answer = resolve;
        const result = await promise;
        if (result.kind === "written") its.file = names;
        return result;
      };
    },
    failed: (why) => its.failures.push(why),
    settled() {},
  });
  const wish = (...names: string[]): void => {
    its.wanted = names;
    step.changed();
  };
  const done = async (result: StepResult = { kind: "written" }): Promise<void> => {
    its.answer!(result);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { clock, its, step, wish, done };
}

test("twenty names that come within a moment are one call", async () => {
  const { clock, its, wish, done } = scene();
  const names: string[] = [];
  for (let index = 10; index < 30; index++) {
    names.push(`s${index}.localhost`);
    wish(...names);
    clock.advance(4);
  }
  clock.advance(100);
  expect(its.calls).toEqual([names]);
  await done();
  wish(...names);
  clock.advance(60_000);
  expect(its.calls).toHaveLength(1);
});

test("a name that goes lingers for seconds, and its return within them is no call", async () => {
  const { clock, its, wish, done } = scene();
  wish("a.localhost", "b.localhost");
  clock.advance(100);
  await done();
  wish("a.localhost");
  clock.advance(2_900);
  expect(its.calls).toHaveLength(1);
  wish("a.localhost", "b.localhost");
  clock.advance(10_000);
  expect(its.calls).toHaveLength(1);
  wish("a.localhost");
  clock.advance(3_000);
  expect(its.calls.at(-1)).toEqual(["a.localhost"]);
});

test("a name that comes while others are to go is not kept waiting", async () => {
  const { clock, its, wish, done } = scene();
  wish("a.localhost");
  clock.advance(100);
  await done();
  wish();
  clock.advance(10);
  wish("b.localhost");
  clock.advance(100);
  expect(its.calls.at(-1)).toEqual(["b.localhost"]);
});

test("a change during a call is written after it, and never beside it", async () => {
  const { clock, its, step, wish, done } = scene();
  wish("a.localhost");
  clock.advance(100);
  wish("b.localhost");
  clock.advance(10_000);
  expect(its.calls).toHaveLength(1);
  expect(step.state).toBe("stale");
  await done();
  clock.advance(100);
  expect(its.calls.at(-1)).toEqual(["b.localhost"]);
});

test("a call that fails is told, and made again, each time after twice as long, up to a minute", async () => {
  const { clock, its, wish, done } = scene();
  wish("a.localhost");
  clock.advance(100);
  for (const rest of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    const before = its.calls.length;
    await done({ kind: "failed", why: "no" });
    wish("a.localhost");
    clock.advance(rest - 1);
    expect(its.calls).toHaveLength(before);
    clock.advance(1);
    expect(its.calls).toHaveLength(before + 1);
  }
  await done();
  expect(its.failures).toHaveLength(8);
  wish("b.localhost");
  clock.advance(100);
  await done({ kind: "failed", why: "no" });
  clock.advance(1_000);
  expect(its.calls).toHaveLength(11);
});

test("what others change in the file is put right, and nobody without the right is asked", async () => {
  const { clock, its, step, wish, done } = scene();
  wish("a.localhost");
  clock.advance(100);
  await done();
  its.file = [];
  its.may = false;
  step.changed();
  clock.advance(60_000);
  expect(its.calls).toHaveLength(1);
  expect(clock.waiting).toBe(0);
  its.may = true;
  step.changed();
  clock.advance(3_000);
  expect(its.calls).toHaveLength(2);
});

describe("at the end", () => {
  test("the names go, after the call that is under way", async () => {
    const { clock, its, step, wish, done } = scene();
    wish("a.localhost");
    clock.advance(100);
    const end = step.end({ remove: true });
    expect(its.calls).toHaveLength(1);
    await done();
    expect(its.calls.at(-1)).toEqual([]);
    await done();
    await end;
    expect(its.file).toEqual([]);
    wish("b.localhost");
    clock.advance(60_000);
    expect(its.calls).toHaveLength(2);
    expect(clock.waiting).toBe(0);
  });

  test("they stay where another daemon has taken over", async () => {
    const { clock, its, step, wish, done } = scene();
    wish("a.localhost");
    clock.advance(100);
    await done();
    await step.end({ remove: false });
    expect(its.file).toEqual(["a.localhost"]);
  });

  test("a writer that hangs is not waited for", async () => {
    const { clock, its, step, wish, done } = scene();
    wish("a.localhost");
    clock.advance(100);
    await done();
    const end = step.end({ remove: true });
    await Promise.resolve();
    clock.advance(2_000);
    await end;
    expect(its.calls.at(-1)).toEqual([]);
  });
});

test("one call at most is under way, whatever happens in whatever state", () => {
  for (const state of stepStates) {
    for (const event of stepEvents) {
      const move = stepTable[state][event];
      const isCalling = state === "writing" || state === "stale";
      if (move?.action === "write") expect(isCalling).toBe(false);
      // Only its answer, or the end, ends a call.
      if (isCalling && !["written", "failed", "end"].includes(event)) {
        expect([undefined, "stale"]).toContain(move?.next);
      }
      if (event === "end" && state !== "over")
        expect(move).toEqual({ next: "over", action: "stop" });
      if (state === "over") expect(move).toBeUndefined();
    }
  }
});
