/** A folder whose project's name another folder has, or whose worktree has another branch -> how it is named. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProjectSpec } from "../../src/manifest/project.ts";
import { Folder, type FolderEffects } from "../../src/supervisor/project/folder.ts";
import type { AskedNaming } from "../../src/supervisor/project/read-project.ts";
import { fateOf } from "../../src/supervisor/project/worktree-fate.ts";
import { folderIdentity } from "../../src/system/folder-identity.ts";
import { systemClock } from "../../src/system/clock.ts";
import { folderEvents } from "../../src/system/folder-events.ts";
import { projectSpec } from "./fake-project.ts";

const root = mkdtempSync(join(tmpdir(), "folder-names-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Held = {
  names: Record<string, string>;
  label: string | undefined;
  active: boolean;
  /** Names that cannot be had, and why. */
  conflicts?: Record<string, string>;
  /** The worktree's folder; by default the project's. */
  root?: string;
  /** The name of a service. */
  service?: string;
};

/** A project that is named as it is asked to be, `shop` by its files. `names`: of others, with their folders. */
function place(its: Held, at = "b/shop") {
  const directory = join(root, at);
  mkdirSync(directory, { recursive: true });
  const holderOf = ({ name }: ProjectSpec) => its.names[name];
  const folder = new Folder(directory, {
    ...{ clock: systemClock, events: folderEvents(), shell: {} },
    async read(_: string, { naming = {} }: { naming?: AskedNaming }) {
      const label = naming.label ?? its.label;
      const own =
        naming.given ?? naming.instead ?? (label === undefined ? "shop" : `${label}.shop`);
      const checkout =
        label === undefined
          ? {}
          : { checkout: { repository: "/srv/shop2/.git", root: its.root ?? directory, label } };
      const routeName = `${its.service ?? "x"}.${own}`;
      const services = [
        { name: its.service ?? "x", routeName },
        { name: "web", routeName: own },
      ];
      const project = { ...projectSpec(services, own), directory, files: [], ...checkout };
      return { kind: "project", project, labelNow: its.label };
    },
    gitHead: async () => ({ kind: "none" }),
    conflictOf: ({ name }: ProjectSpec) => its.conflicts?.[name],
    prepare: async () => {},
    make: ({ spec }: { spec: ProjectSpec }) => ({
      ...{ spec, wishes: {}, snapshots: () => [], units: () => [], unit: () => undefined },
      ...{ apply: async () => {}, dispose: async () => {}, resume() {} },
      get isActive() {
        return its.active;
      },
    }),
    holderOf,
    ...{ onGone() {}, onDoubt() {}, onState() {}, isOver: () => false, note() {} },
  } as unknown as FolderEffects);
  const up = async (name?: string | null) => {
    const loaded = await folder.load({ shell: {}, up: { names: undefined }, name });
    folder.coming = undefined;
    if (loaded.kind === "refused") throw new Error(loaded.reasons.join("\n"));
    return { name: loaded.project.spec.name, notes: loaded.notes };
  };
  return Object.assign(folder, { up });
}

test("the second folder of a name has its own name, or that with the folder above, and says so once", async () => {
  const its: Held = { names: { shop: "/a/shop" }, label: undefined, active: true };
  const folder = place(its);
  const [first, again] = [await folder.up(), await folder.up()];
  expect(first.name).toBe("b-shop");
  expect(first.notes[0]).toBe(
    "/a/shop has the name already, so this project is b-shop; localhostess up --name <name> gives it another",
  );
  expect(again).toEqual({ name: "b-shop", notes: [] });
  expect(await place(its, "c/other").up()).toMatchObject({ name: "other" });
  folder.close();
});

test("it stays so when the other is gone, until its files are to name it again", async () => {
  const its: Held = { names: { shop: "/a/shop" }, label: undefined, active: false };
  const folder = place(its);
  await folder.up();
  its.names = {};
  expect((await folder.up()).name).toBe("b-shop");
  expect((await folder.up(null)).name).toBe("shop");
  folder.close();
});

test("a name that is given is kept, whoever has it, and needs no other", async () => {
  const its: Held = { names: { mine: "/a/shop" }, label: undefined, active: false };
  const folder = place(its);
  expect((await folder.up("mine")).name).toBe("mine");
  expect((await folder.up()).name).toBe("mine");
  expect((await folder.up(null)).name).toBe("shop");
  folder.close();
});

test("another branch names a worktree's project only once it is down", async () => {
  const its: Held = { names: {}, label: "nav", active: true };
  const folder = place(its);
  expect((await folder.up()).name).toBe("nav.shop");
  its.label = "later";
  expect(await folder.up()).toEqual({
    name: "nav.shop",
    notes: ["it goes on as nav.shop until it is stopped: its worktree is later now"],
  });
  expect((await folder.load({ shell: {} })).kind).toBe("project");
  its.active = false;
  expect((await folder.up()).name).toBe("later.shop");
  folder.close();
});

test("a worktree whose names are a clone's or a service's has others, as long as it is so", async () => {
  const under = "nav.shop.localhost lies under shop.localhost; stop shop";
  const its: Held = { names: {}, label: "nav", active: false, conflicts: { "nav.shop": under } };
  const folder = place(its);
  const first = await folder.up();
  expect(first.name).toBe("nav.shop2");
  expect(first.notes[0]).toStartWith(
    "nav.shop.localhost lies under shop.localhost, so this project is nav.shop2; localhostess up --name",
  );
  its.conflicts = { "nav.shop": under, "nav.shop2": under };
  expect((await place(its, "d/own").up()).name).toBe("own");
  // A project within a worktree leaves that one's name alone.
  const within = { ...its, root, conflicts: { "nav.shop": under } };
  expect((await place(within, "g/apps").up()).name).toBe("nav.apps");
  its.conflicts = {};
  expect((await folder.up()).name).toBe("nav.shop");
  const same = await place({ ...its, service: "nav" }, "e/own-nav").up();
  expect(same.name).toBe("own-nav");
  expect(same.notes[0]).toStartWith("nav is a service of it too, so this project is own-nav;");
  folder.close();
});

test("what runs in a folder that another one has replaced is started again by up, and by nothing else", async () => {
  const folder = place({ names: {}, label: "nav", active: true }, "f/shop");
  await folder.up();
  const { project } = folder;
  renameSync(folder.directory, `${folder.directory}-before`);
  mkdirSync(folder.directory);
  await folder.load({ shell: {} });
  expect(folder.project).toBe(project!);
  await folder.up();
  const again = folder.project;
  expect(again).not.toBe(project!);
  await folder.up();
  expect(folder.project).toBe(again!);
  folder.close();
});

test("a worktree is deleted only where nothing of it is left", async () => {
  const [tree, app] = [join(root, "tree"), join(root, "tree/app")];
  mkdirSync(app, { recursive: true });
  const identity = folderIdentity(app);
  const its = {
    directory: app,
    root: tree,
    repository: undefined,
    identity,
    pids: [],
    isUp: false,
  };
  expect(await fateOf(its)).toEqual({ kind: "unknown" });
  // A branch without the project's folder.
  rmSync(app, { recursive: true });
  expect(await fateOf(its)).toEqual({ kind: "unknown" });
  rmSync(tree, { recursive: true });
  expect(await fateOf(its)).toEqual({ kind: "deleted" });
  // With the repository, it may have been moved elsewhere: nobody is left to ask.
  expect(await fateOf({ ...its, repository: join(root, "gone") })).toEqual({ kind: "unknown" });
  const known = { ...its, repository: root };
  expect(await fateOf(known)).toEqual({ kind: "deleted" });
  const unmounted = { ...its, identity: identity.replace(/^\d+/, "0") };
  expect(await fateOf(unmounted)).toEqual({ kind: "unknown" });
  mkdirSync(join(root, "renamed/app"), { recursive: true });
  const moved = { ...its, identity: folderIdentity(join(root, "renamed/app")) };
  expect(await fateOf(moved)).toEqual({ kind: "moved", to: join(root, "renamed/app") });
  // Git has it written down, and all around it is gone: it may be anywhere, unless its services ended with it.
  const deep = {
    ...known,
    directory: join(root, "above/tree/app"),
    root: join(root, "above/tree"),
  };
  mkdirSync(join(root, "worktrees/tree"), { recursive: true });
  writeFileSync(join(root, "worktrees/tree/gitdir"), `${join(root, "above/tree/.git")}\n`);
  expect(await fateOf(deep)).toEqual({ kind: "unknown" });
  expect(await fateOf({ ...deep, isUp: true })).toEqual({ kind: "deleted" });
  rmSync(join(root, "worktrees"), { recursive: true });
  expect(await fateOf(deep)).toEqual({ kind: "deleted" });
  // Its parent was renamed.
  mkdirSync(join(root, "beside/tree/app"), { recursive: true });
  const within = { ...deep, identity: folderIdentity(join(root, "beside/tree/app")) };
  expect(await fateOf(within)).toEqual({ kind: "moved", to: join(root, "beside/tree/app") });
  // Another one is in its place.
  mkdirSync(app, { recursive: true });
  expect(await fateOf(its)).toEqual({ kind: "unknown" });
  const cwd = join(root, "tree2/app");
  mkdirSync(cwd, { recursive: true });
  const child = Bun.spawn(["sleep", "1000"], { cwd });
  try {
    rmSync(join(root, "tree2"), { recursive: true });
    const { pid } = child;
    expect(await fateOf({ ...its, pids: [pid] })).toEqual({ kind: "unknown" });
    mkdirSync(cwd, { recursive: true });
    const replaced = { ...its, directory: cwd, root: join(root, "tree2"), pids: [pid] };
    expect(await fateOf(replaced)).toEqual({ kind: "deleted" });
  } finally {
    child.kill();
    await child.exited;
  }
});
