/** What is asked before the daemon of before has let go: it waits, at one door. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allProjects } from "../../src/supervisor/all-projects.ts";
import type { Projects } from "../../src/supervisor/projects.ts";
import type { LifecycleEffects } from "../../src/supervisor/service/lifecycle.ts";
import { lockFile } from "../../src/system/file-lock.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { settled } from "./fake-lifecycle.ts";
import { noKinds } from "./no-kinds.ts";

const places: string[] = [];
afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true, force: true });
});

function place() {
  const stateDirectory = mkdtempSync(join(tmpdir(), "all-projects-"));
  places.push(stateDirectory);
  const clock = new FakeClock();
  const notes: string[] = [];
  const families = {
    boot: undefined,
    strays: () => [],
    runsOf: async () => [],
  } as unknown as LifecycleEffects["families"];
  const projects = allProjects({
    stateDirectory,
    clock,
    effects: { clock, families, runId: () => "0".repeat(16) } as unknown as LifecycleEffects,
    machine: undefined,
    kinds: noKinds,
    socketPath: () => join(stateDirectory, "socket"),
    loopback: {} as never,
    shell: {},
    read: async () => ({ kind: "none", files: [] }),
    gitHead: async () => ({ kind: "none" }),
    tlds: [],
    addressOf: () => ({ url: "", domain: "" }),
    trust: async () => ({}),
    ownPorts: () => [],
    onOwned() {},
    onReleased() {},
    onChange() {},
    note: (text) => void notes.push(text),
  });
  return { projects, clock, notes, stateDirectory };
}

/** All that a caller may wait for, but the daemon's own end. */
const asked: { [Name in keyof Projects]?: (projects: Projects) => Promise<unknown> } = {
  up: (its) =>
    its.up({
      directory: "/x",
      file: undefined,
      names: undefined,
      shell: {},
      restart: false,
      hear() {},
    }),
  find: (its) => its.find("api", undefined),
  ids: (its) => its.ids(),
  stop: (its) => its.stop([]),
  restart: (its) => its.restart([], { shell: undefined, hear() {} }),
  resume: (its) => its.resume("/x", { hear() {} }),
  envOf: (its) => its.envOf("api", { directory: "/x", shell: {} }),
  registered: (its) => its.registered(),
  pin: (its) => its.pin("/x", true),
  clean: (its) => its.clean(),
  forget: (its) => its.forget("shop", undefined),
  follow: (its) => its.follow("/x"),
};

test("whatever returns a promise waits for the daemon before; the rest says that there is nothing", async () => {
  const { projects, clock, stateDirectory, notes } = place();
  const other = lockFile(join(stateDirectory, "supervisor.lock"));
  if (other.kind !== "locked") throw new Error(other.kind);
  const answered: string[] = [];
  const all = Object.entries(asked).map(async ([name, ask]) => {
    await ask(projects);
    answered.push(name);
  });
  projects.begin();
  clock.advance(500);
  await settled();
  expect(answered).toEqual([]);
  expect([projects.snapshots(), projects.specOf("shop:api"), projects.mayDoze()]).toEqual([
    [],
    undefined,
    [],
  ]);
  projects.wake("shop:api");
  for (let at = 0; at < 22; at++) {
    clock.advance(500);
    await settled();
  }
  expect(notes).toEqual([
    "another daemon of this state directory still ends its services; ours wait for it",
  ]);
  other.release();
  clock.advance(100);
  await Promise.all(all);
  expect(answered.sort()).toEqual(Object.keys(asked).sort());
  await projects.stopAll();
});

test("a daemon that is replaced before it has taken over hands on what it was handed", async () => {
  const { projects, clock, stateDirectory } = place();
  const other = lockFile(join(stateDirectory, "supervisor.lock"));
  if (other.kind !== "locked") throw new Error(other.kind);
  const folders = [{ directory: "/shop", shell: 0, lost: false, services: [] }];
  const shells = { environments: [{ TOKEN: "x" }], folders };
  projects.inherit(shells);
  expect(projects.handover()).toEqual(shells as never);
  projects.begin();
  clock.advance(500);
  await settled();
  expect(projects.handover()).toEqual(shells as never);
  other.release();
  clock.advance(500);
  await projects.ids();
  // Its own folders alone count from now on.
  expect(projects.handover().folders).toEqual([]);
  await projects.stopAll();
});

test("a daemon that ends while it waits for another one lets everybody go", async () => {
  const { projects, clock, stateDirectory } = place();
  const other = lockFile(join(stateDirectory, "supervisor.lock"));
  if (other.kind !== "locked") throw new Error(other.kind);
  projects.begin();
  const up = asked.up!(projects);
  await settled();
  await projects.stopAll();
  await projects.stopAll();
  clock.advance(100);
  expect(await up).toEqual({ kind: "refused", reasons: ["the daemon is about to end"] });
  other.release();
});
