/** Services that were given to a daemon which has failed, beside its own words: those that go on, and the others. */
import { expect, test } from "bun:test";
import type { Supervised } from "../../src/routes/supervised.ts";
import { returned } from "../../src/supervisor/returned.ts";
import type { HandedFolder, HandedUnit } from "../../src/supervisor/project/handed-project.ts";
import type { KeptProject, KeptState } from "../../src/supervisor/project/state-file.ts";
import type { WishState } from "../../src/supervisor/project/wishes.ts";

type Lifecycle = NonNullable<HandedUnit["service"]>["lifecycle"];

const rest = { stdout: "aGFsZg==", stderr: "" };

function unit(
  phase: Lifecycle["phase"] | undefined,
  { wish = "given", pid }: { wish?: WishState; pid?: number } = {},
): HandedUnit {
  const life = pid === undefined ? {} : { life: { pid, isGreeted: false, isReloading: false } };
  const lifecycle = { phase, restarts: 0, failures: 0, ...life } as unknown as Lifecycle;
  const service = phase && { spec: {}, shell: 0, lifecycle, rest };
  const handed = { name: "web", wish: { state: wish }, shell: 0, granted: [], service };
  return handed as unknown as HandedUnit;
}

const lists = { wanted: [], unwanted: [], dozing: [], profiles: ["dev"], runs: {} };

function kept(more: Partial<KeptProject> = {}): KeptProject {
  return { name: "shop", directory: "/shop", whole: true, ...lists, ...more };
}

function told(state: Supervised["state"], more: Partial<Supervised> = {}): Supervised {
  return { id: "shop:web", state, restarts: 3, listens: [], ...more } as unknown as Supervised;
}

type Its = { kept?: KeptProject | null; known?: boolean; news?: Supervised[] };

/** The unit as it goes on; undefined: the project does not. */
function after(its: HandedUnit, { kept: written, known = true, news = [] }: Its = {}) {
  const spec = { name: "shop" } as HandedFolder["spec"];
  const handed = { directory: "/shop", whole: true, profiles: [], spec, units: [its] };
  const streams = new Map([["web", { terminal: 50, notify: 51 }]]);
  const projects = written === null ? [] : [written ?? kept({ wanted: ["web"] })];
  const { folders, unused } = returned([{ handed: handed as never, streams }], {
    before: { projects } as unknown as KeptState,
    isKnown: () => known,
    news,
  });
  const [folder] = folders;
  const now = folder?.handed.units[0];
  const lifecycle = now?.service?.lifecycle;
  return {
    wish: now?.wish.state,
    phase: lifecycle?.phase,
    life: lifecycle?.life,
    rest: now?.service?.rest,
    unused,
    whole: folder?.handed.whole,
    profiles: folder?.handed.profiles,
  };
}

test("a process that was not touched goes on, with all that it has", () => {
  const its = after(unit("ready", { pid: 7 }));
  expect(its).toMatchObject({ wish: "given", phase: "ready", life: { pid: 7 }, unused: [], rest });
});

test("what was heard of it meanwhile is not said again: it is ready, and its half line is written", () => {
  const news = [told("ready", { pid: 7, readyAt: 5, status: "well", listens: [80] })];
  const its = after(unit("running", { pid: 7 }), { news });
  expect(its.phase).toBe("ready");
  expect(its.life).toMatchObject({ pid: 7, readyAt: 5, status: "well", listens: [80] });
  expect(its.life?.isGreeted).toBe(true);
  expect(its.rest).toEqual({ stdout: "", stderr: "" });
});

test.each(["stopped", "exited", "completed", "backoff", "failed"] as const)(
  "one that was %s at last is that, and its descriptors are closed",
  (state) => {
    const its = after(unit("ready", { pid: 7 }), { news: [told(state)] });
    expect(its).toMatchObject({ wish: "given", phase: state, life: undefined, unused: [50, 51] });
  },
);

test.each<[what: string, its: HandedUnit, now: Supervised]>([
  ["has another process", unit("ready", { pid: 7 }), told("ready", { pid: 8 })],
  ["was being started", unit("exited"), told("starting")],
  ["was being stopped", unit("ready", { pid: 7 }), told("stopping", { pid: 7 })],
  ["did not run before", unit("exited"), told("ready", { pid: 8 })],
])("one that %s is started again where it is wanted", (_what, its, now) => {
  const found = after(its, { news: [now] });
  expect(found).toMatchObject({ wish: "given", phase: undefined, unused: [50, 51] });
});

test.each<[written: Partial<KeptProject>, before: WishState, now: WishState]>([
  [{ unwanted: ["web"] }, "given", "unwanted"],
  [{ unwanted: ["web"] }, "barred", "barred"],
  [{ dozing: ["web"], wanted: ["web"] }, "given", "dozing"],
  [{ wanted: ["web"] }, "unwanted", "due"],
  [{ wanted: ["web"] }, "dozing", "due"],
  [{ wanted: ["web"] }, "renewing", "renewing"],
  [{}, "given", "given"],
])("%o makes %s %s", (written, before, now) => {
  expect(after(unit("stopped", { wish: before }), { kept: kept(written) }).wish).toBe(now);
});

test("a project of which all was stopped is still known, and nothing of it is wanted", () => {
  const its = after(unit("ready", { pid: 7 }), { kept: null, news: [told("stopped")] });
  expect(its).toMatchObject({ wish: "unwanted", phase: "stopped", whole: false });
});

test("a project that was forgotten, or has another name, does not go on", () => {
  const gone = after(unit("ready", { pid: 7 }), { kept: null, known: false });
  expect(gone).toMatchObject({ wish: undefined, unused: [50, 51] });
  const renamed = after(unit("ready", { pid: 7 }), { kept: kept({ name: "store" }) });
  expect(renamed).toMatchObject({ wish: undefined, unused: [50, 51] });
});

test("where nothing can be read of what was written, all is as it was given", () => {
  const handed = { directory: "/shop", whole: true, profiles: [], spec: { name: "shop" } };
  const folder = { handed: { ...handed, units: [unit("ready", { pid: 7 })] }, streams: new Map() };
  const { folders } = returned([folder as never], {
    before: undefined,
    isKnown: () => false,
    news: [],
  });
  expect(folders[0]!.handed).toMatchObject({ whole: true, units: [{ wish: { state: "given" } }] });
});
