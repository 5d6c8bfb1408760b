import { expect, test } from "bun:test";
import type { Engine } from "../../../src/containers/runs/choose-engine.ts";
import { type ContainerPlan, labelNames } from "../../../src/containers/runs/container-plan.ts";
import { ContainerRun } from "../../../src/containers/runs/container-run.ts";
import { engineCall } from "../../../src/containers/runs/engine-calls.ts";
import type { RunEffects } from "../../../src/containers/runs/container-run.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { containerSpec, madePlan } from "./made-plan.ts";
import { type PlayedEngine, playedEngine } from "./played-engine.ts";

function started(
  engine: PlayedEngine,
  changes: Partial<RunEffects> = {},
  plan: ContainerPlan = madePlan(),
) {
  const told: string[] = [];
  const output = { stdout: "", stderr: "" };
  const run = new ContainerRun(plan, {
    clock: systemClock,
    chooseEngine: () => Promise.resolve({ kind: "engine", engine: engineAt(engine.path) }),
    noteEngine: () => Promise.resolve(),
    build: () => Promise.resolve({ kind: "failed", why: "no build here", passing: false }),
    status: (text) => void told.push(text),
    ready: () => void told.push("ready"),
    unready: (why) => void told.push(`unready: ${why}`),
    portOwners() {},
    say: (text) => void told.push(`says: ${text}`),
    terminal: undefined,
    write(stream, bytes) {
      output[stream] += Buffer.from(bytes).toString();
      return Promise.resolve();
    },
    ...changes,
  });
  return { run, outcome: run.run(), told, output };
}

/** Resolves when the engine has had time for a few answers. */
async function answers({ path }: PlayedEngine): Promise<void> {
  for (let count = 0; count < 12; count++) {
    await engineCall(path, { method: "GET", path: "/_ping", clock: systemClock, deadline: 5000 });
  }
}

function engineAt(socket: string): Engine {
  return { socket, owner: 0, kind: "docker" };
}

test("a container's output is its own to the last line, its exit code is passed on, and it is removed", async () => {
  using engine = playedEngine();
  const { outcome, output } = started(engine);
  await engine.running();
  engine.print("stdout", "one\n");
  engine.print("stderr", "oh\n");
  engine.print("stdout", "last");
  engine.exit(3);
  expect(await outcome).toEqual({ kind: "exited", code: 3 });
  expect(output).toEqual({ stdout: "one\nlast", stderr: "oh\n" });
  expect(engine.containers.size).toBe(0);
});

test("one that is told to stop is stopped by its engine and removed; a second time changes nothing", async () => {
  using engine = playedEngine();
  const { run, outcome } = started(engine);
  await engine.running();
  run.stop();
  run.stop();
  expect(await outcome).toEqual({ kind: "stopped" });
  expect(engine.containers.size).toBe(0);
  expect(engine.asked.filter((its) => its.includes("/stop"))).toHaveLength(1);
});

test("what a former run left goes first, by its labels; another owner's, and one by its name, stay", async () => {
  using engine = playedEngine();
  const { labels } = madePlan();
  const ours = {
    [labelNames.run]: "old",
    [labelNames.owner]: labels.owner,
    [labelNames.directory]: labels.directory,
    [labelNames.service]: labels.service,
  };
  engine.has({ labels: ours, running: true });
  engine.has({ labels: { ...ours, [labelNames.owner]: "another" }, running: true });
  engine.has({ labels: { ...ours, [labelNames.service]: "other" }, running: true });
  engine.has({ labels: {}, running: true });
  // Engines may know no filter, and tell of all there are.
  const { run, outcome } = started(engine);
  await engine.running();
  expect([...engine.containers.values()].map((its) => its.labels[labelNames.run])).toEqual([
    ...["old", "old", undefined],
    labels.run,
  ]);
  run.stop();
  await outcome;
  expect(engine.containers.size).toBe(3);
});

test("one that is stopped while the engine makes it is removed as soon as it is there", async () => {
  using engine = playedEngine();
  const release = engine.hold("/containers/create");
  const { run, outcome } = started(engine);
  await eventually("it is asked for", () =>
    engine.asked.some((its) => its.includes("/create?name")),
  );
  run.stop();
  await answers(engine);
  release();
  expect(await outcome).toEqual({ kind: "stopped" });
  await answers(engine);
  expect(engine.containers.size).toBe(0);
  expect(engine.asked.some((its) => its.includes("/start"))).toBe(false);
});

test("an engine that cannot give it an init, a gateway or a network gives it the rest", async () => {
  using engine = playedEngine();
  engine.refuse("/containers/create", 500, "container-init binary not found on the host");
  engine.refuse("/containers/create", 400, 'invalid argument "host-gateway"');
  engine.refuse("/start", 500, 'plugin type="bridge" failed (add)');
  const { run, outcome, told } = started(engine);
  await engine.running();
  expect(told.filter((its) => its.startsWith("says: goes on without"))).toHaveLength(3);
  const [made] = [...engine.containers.values()];
  expect(made!.body).toMatchObject({ HostConfig: { Init: false } });
  expect(made!.body).not.toHaveProperty("HostConfig.ExtraHosts");
  expect(made!.body).not.toHaveProperty("NetworkingConfig");
  run.stop();
  await outcome;
  expect(engine.containers.size).toBe(0);
});

test("a port that is taken is a reason that may pass, and nothing is left of the container", async () => {
  using engine = playedEngine();
  const why =
    "driver failed programming external connectivity on endpoint x: port is already allocated";
  engine.refuse("/start", 500, why);
  const { outcome } = started(engine);
  expect(await outcome).toMatchObject({ kind: "cannot", passing: true });
  expect(engine.containers.size).toBe(0);
});

test("a program that the image does not have is the end, and nothing is left", async () => {
  using engine = playedEngine();
  engine.refuse("/start", 400, 'exec: "nope": executable file not found in $PATH');
  const { outcome } = started(engine);
  expect(await outcome).toMatchObject({
    kind: "cannot",
    passing: false,
    why: expect.stringContaining("executable file not found"),
  });
  expect(engine.containers.size).toBe(0);
});

test("an engine that is started anew while the container runs: it is waited for, and the service begins again", async () => {
  using engine = playedEngine();
  const { run, outcome, told } = started(engine);
  await engine.running();
  await eventually("it runs", () => run.state === "running");
  engine.restart({ containers: "ended" });
  expect(await outcome).toMatchObject({ kind: "cannot", passing: true });
  expect(told).toContain("its engine does not answer; it is waited for");
  expect(engine.containers.size).toBe(0);
});

test("an engine that comes back with the container running is followed on, without a second container", async () => {
  for (const at of ["starting", "running"] as const) {
    using engine = playedEngine();
    const { run, outcome, output } = started(engine);
    await engine.running();
    if (at === "running") {
      await eventually("it runs", () => run.state === "running");
      engine.print("stdout", "before\n");
      await eventually("it is heard", () => output.stdout !== "");
    }
    engine.restart({ containers: "running" });
    await eventually("it is followed again", () => engine.followers === 1);
    engine.print("stdout", "after\n");
    engine.exit(0);
    expect((await outcome).kind).toBe("exited");
    expect(output.stdout).toBe(at === "running" ? "before\nafter\n" : "after\n");
    expect(engine.asked.some((its) => its.includes("/logs?follow=1"))).toBe(true);
    expect(engine.containers.size).toBe(0);
    expect(engine.asked.filter((its) => its.includes("/create?name"))).toHaveLength(1);
  }
}, 20_000);

test("a container that somebody else removes ends the run, for another try", async () => {
  using engine = playedEngine();
  const { outcome } = started(engine);
  await engine.running();
  engine.vanish();
  expect(await outcome).toMatchObject({ kind: "cannot", passing: true });
});

test("no engine: how to get one is the end, and one that does not answer may come", async () => {
  using engine = playedEngine();
  for (const isThere of [false, true]) {
    const chosen = { kind: "none", why: "there is none", isThere } as const;
    const { outcome } = started(engine, { chooseEngine: () => Promise.resolve(chosen) });
    expect(await outcome).toEqual({ kind: "cannot", why: "there is none", passing: isThere });
  }
});

test("output waits for whoever reads it, and the container for its last words", async () => {
  using engine = playedEngine();
  const taken = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { outcome, output } = started(engine, {
    write: async (_stream, bytes) => {
      begun.resolve();
      await taken.promise;
      output.stdout += Buffer.from(bytes).toString();
    },
  });
  await engine.running();
  engine.print("stdout", "late\n");
  await begun.promise;
  engine.print("stdout", "last\n");
  engine.exit(0);
  await answers(engine);
  expect(engine.containers.size).toBe(1);
  taken.resolve();
  await outcome;
  expect(output.stdout).toBe("late\nlast\n");
});

test("an image is pulled where it is absent, or always, or never; an old one is better than none", async () => {
  const pulls = async (
    pull: "missing" | "always" | "never",
    { absent = false, fails = "" }: { absent?: boolean; fails?: string } = {},
  ) => {
    using engine = playedEngine();
    engine.images.absent = absent;
    if (fails !== "") engine.refuse("/images/create", 404, fails);
    const its = started(engine, {}, madePlan({ spec: containerSpec({ pull }) }));
    const end = await Promise.race([its.outcome, engine.running()]);
    its.run.stop();
    await its.outcome;
    return { end, pulled: engine.asked.some((one) => one.includes("/images/create")) };
  };
  expect(await pulls("missing")).toEqual({ end: undefined, pulled: false });
  expect(await pulls("missing", { absent: true })).toEqual({ end: undefined, pulled: true });
  expect(await pulls("always")).toEqual({ end: undefined, pulled: true });
  expect(await pulls("always", { fails: "no network" })).toEqual({ end: undefined, pulled: true });
  expect(await pulls("never")).toEqual({ end: undefined, pulled: false });
  expect(await pulls("never", { absent: true })).toMatchObject({
    end: { kind: "cannot", passing: false },
    pulled: false,
  });
  const unknown = { absent: true, fails: "pull access denied for shop/web" };
  expect(await pulls("missing", unknown)).toMatchObject({ end: { passing: false } });
  const offline = { absent: true, fails: "dial tcp: lookup registry: no such host" };
  expect(await pulls("missing", offline)).toMatchObject({ end: { passing: true } });
});
