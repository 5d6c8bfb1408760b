/** A project whose services another daemon has supervised: each wish is taken up, and what cannot go on is started. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { fill } from "../../src/manifest/fill.ts";
import {
  type HandedFolder,
  handedProjects,
  sayable,
} from "../../src/supervisor/project/handed-project.ts";
import type { WishState } from "../../src/supervisor/project/wishes.ts";
import { project as projectIn } from "../manifest/manifest.ts";
import { type Declared, PlayedProject } from "./fake-project.ts";

const shell = { FROM: "its shell" };

/** As the daemon before would tell of it; `services`: those that it supervised. */
function handed(
  fake: PlayedProject,
  wishes: Readonly<Record<string, WishState>>,
  services: readonly string[] = [],
): HandedFolder {
  const lifecycle = {
    ...({ phase: "ready", restarts: 0, deaths: 0, failures: 0, isRefused: false } as const),
    leftovers: [],
  };
  return {
    ...{ directory: "/shop", shell: "own", isLost: false, whole: true, profiles: [] },
    spec: fake.project.spec,
    units: Object.entries(wishes).map(([name, state]) => ({
      ...{ name, wish: { state }, shell: 0, granted: [] },
      service: services.includes(name)
        ? {
            spec: fake.project.unit(name)!.spec,
            ...{ lifecycle, shell: 0, rest: { stdout: "", stderr: "" } },
          }
        : undefined,
    })),
  };
}

function project(...services: Declared[]): PlayedProject {
  return new PlayedProject(services);
}

const options = { streams: new Map(), shellOf: () => shell };

test("a service that cannot be adopted is told of, and started like one that was not handed over", async () => {
  using fake = project({ name: "web" }, { name: "api" });
  const its = handed(fake, { web: "given", api: "given" }, ["web"]);
  const failed = await fake.project.adopt(its, options);
  expect([...failed]).toEqual([["web", "no other daemon has played"]]);
  expect(fake.made.size).toBe(0);
  fake.project.takeUp(its);
  expect([...fake.made.keys()]).toEqual(["web", "api"]);
  expect(fake.made.get("web")!.requests).toMatchObject([{ shell }]);
});

test("wishes are what they were, and only those that are due are started", async () => {
  using fake = project(
    { name: "web" },
    { name: "lazy", lazy: true },
    { name: "off" },
    { name: "again" },
  );
  const its = handed(fake, { web: "due", lazy: "dozing", off: "unwanted", again: "restarting" });
  await fake.project.adopt(its, options);
  fake.project.takeUp(its);
  const wishes = fake.project.units().map(({ spec, wish }) => [spec.name, wish.state]);
  expect(Object.fromEntries(wishes)).toEqual({
    web: "given",
    lazy: "dozing",
    off: "unwanted",
    again: "given",
  });
  expect([...fake.made.keys()]).toEqual(["web", "again"]);
  expect(fake.project.wishes).toMatchObject({ whole: true, unwanted: ["off"], dozing: ["lazy"] });
});

test("every kind of build comes out of it as it was, as the file has it and filled", () => {
  const builds = [
    '"make ${project.name}"',
    '{ buildpacks = ["./b"], process = "web" }',
    '{ builder = "b" }',
    '{ dockerfile = "D", args = { A = "1" } }',
  ];
  const text = builds.map((build, at) => `[services.s${at}]\ncommand = "x"\nbuild = ${build}\n`);
  const spec = projectIn(text.join(""));
  const { name, domain, directory } = spec;
  const facts = { project: { name, domain, directory }, shell: {}, given: {} };
  const filled = spec.services.map((its) => {
    const done = fill(its, { ...facts, fieldOf: () => undefined });
    return done.kind === "filled" && done.own !== undefined ? { ...its, own: done.own } : its;
  });
  const services = [...spec.services, ...filled];
  const read = v.parse(handedProjects, {
    ...{ form: 1, pid: 7, environments: [], snapshots: [] },
    folders: [
      {
        ...{ directory, shell: "own", isLost: false, whole: true, profiles: [], units: [] },
        spec: sayable({ ...spec, services }),
      },
    ],
  });
  expect(read.folders[0]!.spec.services.map(({ own }) => own)).toEqual(
    services.map(({ own }) => own),
  );
});
