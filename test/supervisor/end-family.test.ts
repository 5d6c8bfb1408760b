/** The end of a family on a machine where signals take effect late. */
import { expect, test } from "bun:test";
import type { Seen } from "../../src/supervisor/family/census.ts";
import { endFamily } from "../../src/supervisor/family/end-family.ts";
import { FakeClock } from "../support/fake-clock.ts";

const seen = (pid: number, parent: number): Seen => ({
  ...{ pid, parent, group: 1, session: 1, startedAt: 0, birth: pid, leads: pid === 1 },
  ...{ zombie: false, stopped: false, exitStatus: undefined, program: "x", exec: undefined },
  ...{ runId: "run", mark: undefined, cpu: 0, memory: 0 },
});

/** A shell above a program with a handler. `late`: milliseconds until SIGSTOP takes effect; undefined: never. */
async function ended(late: number | undefined) {
  const clock = new FakeClock();
  const began = clock.now();
  const all = new Map([1, 2].map((pid) => [pid, seen(pid, pid - 1)]));
  const sent: string[] = [];
  const ends = endFamily(1, {
    signal: "SIGTERM",
    timeout: 4000,
    effects: {
      clock,
      traits: {
        of: ({ pid }) => ({ answer: pid === 2 ? "catches" : "dies", shell: pid === 1 }),
        isSettled: () => true,
        writers: () => new Map(),
      },
      members: async () => [...all.values()],
      reaped: () => undefined,
      send({ pid }, signal) {
        const its = all.get(pid)!;
        sent.push(`${signal} ${pid} ${its.stopped ? "still" : "moving"} ${clock.now() - began}`);
        if (signal === "SIGSTOP" && late !== undefined) {
          clock.after(late, () => all.set(pid, { ...its, stopped: true }));
        } else if (signal === "SIGCONT") all.delete(pid);
        return true;
      },
      kill: () => all.clear(),
      sendBlindly: () => {},
      breathe: async () => {},
    },
  });
  let isOver = false;
  void ends.done.then(() => {
    isOver = true;
  });
  for (let at = 0; !isOver && at < 5000; at++) {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    clock.advance(1);
  }
  await ends.done;
  return sent.map((text) => text.split(" "));
}

test("nobody gets the signal before all stand still: a shell would die of it at once", async () => {
  const sent = await ended(70);
  expect(sent.map(([signal, pid, how]) => [signal, pid, how])).toEqual([
    ["SIGSTOP", "1", "moving"],
    ["SIGSTOP", "2", "moving"],
    ["SIGTERM", "1", "still"],
    ["SIGTERM", "2", "still"],
    ["SIGCONT", "2", "still"],
    ["SIGCONT", "1", "still"],
  ]);
});

test("one that the kernel does not stop is waited for within an eighth of stop_timeout", async () => {
  const asked = (await ended(undefined)).filter(([signal]) => signal === "SIGTERM");
  expect(asked).toHaveLength(2);
  for (const [, , , at] of asked) {
    expect(Number(at)).toBeGreaterThanOrEqual(500);
    expect(Number(at)).toBeLessThan(1000);
  }
});
