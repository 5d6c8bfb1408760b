import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oneOffLabels } from "../../../src/containers/runs/one-off-clients.ts";
import { oneOffs } from "../../../src/containers/runs/one-offs.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { playedEngine } from "./played-engine.ts";

function scene() {
  const engine = playedEngine();
  const stateDirectory = mkdtempSync(join(tmpdir(), "one-offs-"));
  const run = "0123456789abcdef";
  engine.has({ labels: oneOffLabels({ run, owner: "me" }), running: true });
  const its = oneOffs({
    ...{ stateDirectory, owner: "me", only: [engine.path], env: {}, home: "/" },
    clock: systemClock,
  });
  return {
    ...{ engine, its, leave: its.guard({ socket: engine.path, run }) },
    [Symbol.dispose]() {
      engine[Symbol.dispose]();
      rmSync(stateDirectory, { recursive: true });
    },
  };
}

test("the container of a client that is gone is removed", async () => {
  using at = scene();
  at.leave();
  await at.its.stop();
  expect(at.engine.containers.size).toBe(0);
});

test("a daemon that ends leaves the containers of clients that are there", async () => {
  using at = scene();
  await at.its.stop();
  at.its.leave();
  at.leave();
  await at.its.stop();
  expect(at.engine.containers.size).toBe(1);
});
