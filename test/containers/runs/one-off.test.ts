/** A container that runs once, at an engine that does as the test says. */
import { expect, test } from "bun:test";
import { OneOffRun } from "../../../src/containers/runs/one-off.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { eventually } from "../../support/eventually.ts";
import { playedEngine } from "./played-engine.ts";

function begun({ room }: { room: boolean }) {
  const engine = playedEngine();
  const clock = new FakeClock();
  let said = "";
  let isOver = false;
  const run: OneOffRun = new OneOffRun(
    {
      ...{ image: "tool", words: [], env: [], ports: [], volumes: [], name: "tool", labels: {} },
      // Its output has no frames.
      ...{ tty: true, input: false },
    },
    {
      ...{ engine: { socket: engine.path, owner: 0, kind: "docker" }, clock },
      onProgress() {},
      onStart() {},
      onOutput(_, bytes) {
        said += Buffer.from(bytes).toString("latin1");
        if (!room) run.pause();
      },
    },
  );
  const end = run.run().finally(() => {
    isOver = true;
  });
  return {
    ...{ engine, clock, run, end },
    said: () => said,
    isOver: () => isOver,
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}

/** As many as no socket takes at once. */
const lines = "a line\n".repeat(200_000);

test("a program that has ended is heard to its last word, however slowly somebody reads", async () => {
  using its = begun({ room: false });
  await its.engine.running();
  its.engine.print("stdout", lines);
  await eventually("the first output", () => its.said() !== "");
  its.engine.exit(3);
  await eventually("its end is known", () =>
    its.engine.asked.some((path) => path.includes("/wait")),
  );
  // Far longer than an engine is waited for that says nothing.
  for (let second = 0; second < 60; second++) {
    its.clock.advance(1000);
    await new Promise((resume) => setImmediate(resume));
  }
  expect(its.isOver()).toBe(false);
  await eventually("all of it", () => {
    its.run.resume();
    return its.said().match(/a line\n/g)?.length === 200_000;
  });
  // This engine leaves the connection open.
  await eventually("the end", () => {
    its.clock.advance(1000);
    return its.isOver();
  });
  expect(await its.end).toEqual({ kind: "exited", code: 3 });
});

test("one that is ended while nobody reads leaves at once", async () => {
  using its = begun({ room: false });
  await its.engine.running();
  its.engine.print("stdout", lines);
  await eventually("the first output", () => its.said() !== "");
  its.run.stop();
  expect(await its.end).toEqual({ kind: "stopped" });
  expect(its.engine.containers.size).toBe(0);
});
