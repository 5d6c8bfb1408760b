import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Folder, type FolderEffects } from "../../src/supervisor/project/folder.ts";
import type { Declared } from "../../src/supervisor/project/units.ts";
import type { Project } from "../../src/supervisor/project/project.ts";
import { systemClock } from "../../src/system/clock.ts";
import { type FolderEvents, folderEvents } from "../../src/system/folder-events.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { eventually } from "../support/eventually.ts";
import { projectSpec } from "./fake-project.ts";
import { specOf } from "./fake-lifecycle.ts";

const noWorktree = { copy: [], setup: undefined, teardown: undefined, folder: ".." };

type Place = { reads: number; path: string; env: string; notes: string[]; applied: string[] };

/** A folder with a locald.toml, whose project notes the files that it is given. `act`: in the middle of a read. */
function place(act: (its: Place) => void, effects: Partial<FolderEffects> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "folder-"));
  const path = join(directory, "locald.toml");
  const env = join(directory, ".env");
  writeFileSync(path, "first");
  const its: Place = { reads: 0, path, env, notes: [], applied: [] };
  const spec = { ...projectSpec([]), directory, files: [path, env] };
  const textOf = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : "");
  let read = "";
  const project = {
    spec,
    apply: async () => void its.applied.push(read),
    snapshots: () => [],
    units: () => [],
    dispose: async () => {},
    moved() {},
    unit: () => undefined,
    resume() {},
    wishes: {},
  } as unknown as Project;
  const folder = new Folder(directory, {
    clock: systemClock,
    events: folderEvents(),
    shell: {},
    async read() {
      its.reads++;
      read = textOf(path) + textOf(env);
      act(its);
      return { kind: "project", project: spec };
    },
    gitHead: async () => ({ kind: "none" }),
    conflictOf: () => undefined,
    holderOf: () => undefined,
    onGone() {},
    prepare: async () => {},
    make() {
      its.applied.push(read);
      return project;
    },
    onDoubt() {},
    onState() {},
    isOver: () => false,
    note: (text: string) => void its.notes.push(text),
    ...effects,
  } as unknown as FolderEffects);
  return Object.assign(its, {
    folder,
    load: () => folder.inTurn(() => folder.load({ shell: {} })),
    [Symbol.dispose]() {
      folder.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

const applied = (its: Place, text: string) =>
  eventually(`${text} is applied`, () => its.applied.at(-1) === text);

test("a file that changes while it is read is read again, at the first load as later", async () => {
  let first = 0;
  using its = place(({ reads, path, env }) => {
    // An editor that saves twice, the second time once the daemon has read the first.
    if (reads === 1 || reads === first + 1) writeFileSync(reads === 1 ? env : path, "again");
  });
  await its.load();
  await applied(its, "firstagain");
  first = its.reads;
  await its.load();
  await applied(its, "againagain");
  expect(its.folder.isBlank).toBe(false);
});

test("a file that changes after it is read and before it is watched is read again", async () => {
  let armed = 0;
  const real = folderEvents();
  const events: FolderEvents = {
    hear(path, listener) {
      if (++armed === 1) writeFileSync(join(path, ".env"), "B=1");
      return real.hear(path, listener);
    },
  };
  using its = place(() => {}, { events });
  await its.load();
  await applied(its, "firstB=1");
});

test("files that declare no services any more end nothing by themselves; up takes them", async () => {
  let services = [{ name: "web" }];
  using its = place(() => {}, {
    read: async () => ({
      kind: "project" as const,
      project: { ...projectSpec(services), directory: "/shop", files: [] },
      worktree: noWorktree,
      fields: [],
    }),
  });
  await its.load();
  Object.assign(its.folder.project!, { isActive: true });
  services = [];
  expect(await its.load()).toMatchObject({
    kind: "refused",
    reasons: [
      expect.stringContaining("its files declare no services any more, and what runs goes on"),
    ],
  });
  const up = { names: undefined };
  const taken = await its.folder.inTurn(() => its.folder.load({ shell: {}, up }));
  expect(taken.kind).toBe("project");
});

test("a look that fails is reported once, and repeated until it does not fail", async () => {
  let fails = 0;
  using its = place(() => {}, {
    async prepare() {
      if (fails > 0 && fails-- > 0) throw new Error("the bundle cannot be written");
    },
  });
  await its.load();
  fails = 2;
  writeFileSync(its.env, "A=1");
  await applied(its, "firstA=1");
  expect(fails).toBe(0);
  expect(its.notes).toHaveLength(1);
  expect(its.notes[0]).toContain("cannot be looked at: Error: the bundle cannot be written");
});

test("a change is not lost if somebody else's look at the files fails with it", async () => {
  let fails = false;
  const clock = new FakeClock();
  using its = place(() => {}, {
    clock,
    events: { hear: () => ({ identity: "", deaf: undefined, cancel() {} }) },
    async prepare() {
      if (fails) throw new Error("as it happens");
    },
  });
  await its.load();
  writeFileSync(its.env, "A=1");
  fails = true;
  await its.load().catch(() => {});
  fails = false;
  await eventually("taken", () => {
    clock.advance(100);
    return its.applied.at(-1) === "firstA=1";
  });
});

test("what the previous daemon ran is started as soon as its files can be looked at", async () => {
  let fails = 1;
  using its = place(() => {}, {
    async prepare() {
      if (fails-- > 0) throw new Error("as it happens");
    },
  });
  const lists = { wanted: [], unwanted: [], dozing: [], profiles: [], runs: {} };
  const { directory } = its.folder;
  const known = { shell: undefined, lost: false, services: new Map() };
  await its.folder.resume({ name: "shop", directory, whole: true, ...lists }, known);
  expect(its.folder.kept?.whole).toBe(true);
  await eventually("started", () => its.folder.project !== undefined);
  expect(its.folder.kept).toBeUndefined();
});

test("files that stand against another project are looked at again by themselves", async () => {
  let conflict: string | undefined;
  const clock = new FakeClock();
  using its = place(() => {}, { clock, conflictOf: () => conflict });
  await its.load();
  conflict = "two projects are named shop";
  writeFileSync(its.env, "A=1");
  await eventually("refused", () => {
    clock.advance(100);
    return its.folder.mistakes.length > 0;
  });
  conflict = undefined;
  await eventually("taken", () => {
    clock.advance(100);
    return its.applied.at(-1) === "firstA=1";
  });
  expect(its.folder.mistakes).toEqual([]);
});

test("another folder in the project's place starts nothing by itself, whatever project it has", async () => {
  let name = "shop";
  const seen: string[] = [];
  const service = { name: "w", command: "first" };
  using its = place(() => {}, {
    read: async (directory) => {
      const files = [join(directory, "locald.toml")];
      const text = existsSync(files[0]!) ? readFileSync(files[0]!, "utf8") : "";
      const project = { ...projectSpec([{ ...service, command: text }], name), directory, files };
      return text === ""
        ? { kind: "none", files }
        : { kind: "project", project, worktree: noWorktree, fields: [] };
    },
    make: ({ spec, pending }) =>
      ({
        spec,
        apply: async ({ pending: waits }: Declared) => void seen.push(...waits.keys()),
        snapshots: () => [],
        units: () => [],
        dispose: async () => void seen.push("dispose"),
        pending,
      }) as unknown as Project,
  });
  await its.folder.inTurn(() => its.folder.load({ shell: {}, up: { names: undefined } }));
  const { directory } = its.folder;
  const replaced = (text: string): void => {
    renameSync(directory, `${directory}-${text}`);
    mkdirSync(directory);
    writeFileSync(its.path, text);
  };
  try {
    replaced("second");
    await eventually("it waits", () => seen.includes("w"));
    name = "other";
    replaced("third");
    await eventually("it is refused", () => its.folder.mistakes.length > 0);
    expect(its.folder.mistakes[0]).toContain("is another folder now, with the project other");
    expect(seen).not.toContain("dispose");
    await its.folder.inTurn(() => its.folder.load({ shell: {}, up: { names: undefined } }));
    expect(its.folder.project?.spec.name).toBe("other");
    expect(its.folder.mistakes).toEqual([]);
  } finally {
    for (const text of ["second", "third"]) {
      rmSync(`${directory}-${text}`, { recursive: true, force: true });
    }
  }
});

test("actions on one folder take turns, and one that fails does not stop the next", async () => {
  using its = place(() => {});
  const done: string[] = [];
  const first = its.folder.inTurn(async () => {
    await Bun.sleep(0);
    done.push("first");
    throw new Error("as it happens");
  });
  const second = its.folder.inTurn(async () => void done.push("second"));
  expect(its.folder.isBlank).toBe(false);
  expect(first).rejects.toThrow("as it happens");
  await second;
  expect(done).toEqual(["first", "second"]);
  expect(its.folder.isBlank).toBe(true);
});

test("a folder that is gone, and one that was moved, is news for what its services are told", async () => {
  let doubts = 0;
  let isThere = true;
  using its = place(() => {}, {
    onDoubt() {
      doubts++;
    },
    read: async (directory) =>
      isThere
        ? {
            kind: "project",
            project: { ...projectSpec([]), directory, files: [its.path] },
            worktree: noWorktree,
            fields: [],
          }
        : { kind: "none", files: [its.path] },
  });
  writeFileSync(its.path, "");
  await its.load();
  expect(its.folder.isGone).toBe(false);
  const { directory } = its.folder;
  isThere = false;
  rmSync(directory, { recursive: true });
  await eventually("it is gone", () => its.folder.isGone && doubts === 1);
  expect(its.folder.warnings("api")).toEqual([expect.stringContaining("its folder is gone: ")]);
  await its.folder.inTurn(() => its.folder.moved(`${directory}-moved`));
  expect({ doubts, isGone: its.folder.isGone }).toEqual({ doubts: 2, isGone: false });
  expect(its.folder.warnings("api")).toEqual([]);
});

test("the next daemon hears of files that services watch, also of those that nobody has told of yet", async () => {
  const clock = new FakeClock();
  const heard = Promise.withResolvers<void>();
  const after = clock.after.bind(clock);
  // Whoever has heard of a file waits for others before it is told.
  clock.after = (milliseconds, act) => {
    if (milliseconds === 150) heard.resolve();
    return after(milliseconds, act);
  };
  let project: unknown;
  using its = place(() => {}, { clock, make: () => project as Project });
  const { folder, path } = its;
  const web = specOf({ name: "web", workdir: folder.directory, watch: ["*.ts"] });
  const renewed: string[] = [];
  project = {
    spec: { ...projectSpec([]), directory: folder.directory, files: [path], services: [web] },
    wishes: { whole: true, profiles: [] },
    snapshots: () => [],
    units: () => [],
    halt: async () => ({ units: [], streams: new Map() }),
    leave() {},
    renew: (name: string) => void renewed.push(name),
  };
  await its.load();
  const halted = await folder.halt(undefined as never, () => 0);
  // The kernel's clock for files stands still between two ticks.
  await Bun.sleep(50);
  expect(halted?.handed.watchedUntil).toBe(clock.wall());
  writeFileSync(join(folder.directory, "a.ts"), "1");
  await heard.promise;
  expect([...folder.leave(() => {})]).toEqual([["web", "a.ts"]]);
  expect(renewed).toEqual([]);
});
