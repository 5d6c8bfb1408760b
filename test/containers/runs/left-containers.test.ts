import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteEngine } from "../../../src/containers/runs/engine-notes.ts";
import { leftContainers } from "../../../src/containers/runs/left-containers.ts";
import { clientOf } from "../../../src/containers/runs/one-off-clients.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { playedEngine } from "./played-engine.ts";

function labelled(run: string, { owner = "me", service = "web" } = {}): Record<string, string> {
  return {
    "localhostess.run": run,
    "localhostess.owner": owner,
    "localhostess.project": "/shop",
    "localhostess.service": service,
  };
}

async function left() {
  const engine = playedEngine();
  const notes = mkdtempSync(join(tmpdir(), "notes-"));
  for (const labels of [
    labelled("1"),
    labelled("2"),
    labelled("3", { service: "db" }),
    labelled("4", { owner: "another" }),
    {},
  ]) {
    engine.has({ labels, running: true });
  }
  await noteEngine(notes, engine.path);
  const runs = () =>
    [...engine.containers.values()].map(({ labels }) => labels["localhostess.run"]);
  const containers = leftContainers({ notes, owner: "me", clock: systemClock });
  return {
    ...{ containers, runs, engine },
    [Symbol.dispose]() {
      engine[Symbol.dispose]();
      rmSync(notes, { recursive: true });
    },
  };
}

test("a service's containers of all runs are removed, and nobody else's", async () => {
  using its = await left();
  const of = { directory: "/shop", service: "web" };
  expect(await its.containers.removeContainers(of)).toBeUndefined();
  expect(its.runs()).toEqual(["3", "4", undefined]);
});

test("those of runs that go on stay, as another owner's and those without a label do", async () => {
  using its = await left();
  expect(await its.containers.removeOthers(() => new Set(["2"]))).toBeUndefined();
  expect(its.runs()).toEqual(["2", "4", undefined]);
});

test("the build of a person at a terminal goes on; one whose client has ended does not", async () => {
  using its = await left();
  const build = (run: string, pid: number) => ({
    ...{ ...labelled(run), "localhostess.builds": "yes", "localhostess.client": clientOf(pid) },
  });
  // No process is older than this one, and has its pid.
  const dead = { ...build("dead", 1), "localhostess.client": `${process.pid}:1` };
  its.engine.has({ labels: build("persons", process.pid), running: true });
  its.engine.has({ labels: dead, running: true });
  await its.containers.removeContainers({ directory: "/shop", service: "web" });
  expect(its.runs()).toEqual(["3", "4", undefined, "persons"]);
  its.engine.has({ labels: dead, running: true });
  await its.containers.removeOthers(() => new Set());
  expect(its.runs()).toEqual(["4", undefined, "persons"]);
});

test("no engine is asked in which no container of ours ever was", async () => {
  using engine = playedEngine();
  const notes = join(tmpdir(), "no-such-notes");
  const containers = leftContainers({ notes, owner: "me", clock: systemClock });
  expect(await containers.removeOthers(() => new Set())).toBeUndefined();
  expect(engine.asked).toEqual([]);
});

test("an engine that refuses is told of, and one that has gone has nothing to remove", async () => {
  using its = await left();
  its.engine.refuse("/containers/json", 500, "no");
  const of = { directory: "/shop", service: "web" };
  expect(await its.containers.removeContainers(of)).toContain("no");
  its.engine[Symbol.dispose]();
  expect(await its.containers.removeContainers(of)).toBeUndefined();
});
