import { afterEach, expect, test } from "bun:test";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { watchPatterns } from "../../src/manifest/watch-pattern.ts";
import { WatchTree } from "../../src/supervisor/project/watch-tree.ts";
import { type FolderEvents, folderEvents, remote } from "../../src/system/folder-events.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function folder(): string {
  const made = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "watch-")));
  cleanups.push(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

type Options = {
  most?: number;
  since?: number;
  events?: FolderEvents;
  clock?: typeof systemClock | FakeClock;
};

/** A folder in which files are written, and what is told of it. */
async function watched(globs: readonly string[], at: string, options: Options = {}) {
  const { events = folderEvents(), clock = systemClock, most, since } = options;
  const told: string[] = [];
  const troubles: (readonly string[])[] = [];
  const tree = new WatchTree(watchPatterns(globs, at), {
    folder: at,
    clock,
    events,
    quiet: 20,
    ...(most === undefined ? {} : { most }),
    since,
    onChange: (paths) => void told.push(...paths),
    onTrouble: (its) => void troubles.push(its),
  });
  cleanups.push(() => tree.close());
  await tree.settled();
  return {
    told,
    troubles,
    tree,
    write(path: string, text = `${performance.now()}`): void {
      fs.mkdirSync(dirname(join(at, path)), { recursive: true });
      fs.writeFileSync(join(at, path), text);
    },
    /** All that was told before it was, without what comes with it. */
    async until(path: string): Promise<string[]> {
      await eventually(`${path} is told`, () => told.includes(path));
      return told.splice(0).filter((its) => its !== path);
    },
  };
}

/** Ways to change `src/a.ts`, or another file, and what is told then. Begins with `src/a.ts`, `src/sub/b.ts`. */
const ways: [name: string, globs: string[], act: (at: string) => void, told: string][] = [
  ["written", ["src/**/*.ts"], (at) => fs.writeFileSync(join(at, "src/a.ts"), "2"), "src/a.ts"],
  [
    "in a folder below",
    ["src"],
    (at) => fs.writeFileSync(join(at, "src/sub/b.ts"), "2"),
    "src/sub/b.ts",
  ],
  ["touched", ["src/"], (at) => fs.utimesSync(join(at, "src/a.ts"), 1, 1), "src/a.ts"],
  ["removed", ["src/**"], (at) => fs.rmSync(join(at, "src/a.ts")), "src/a.ts"],
  ["renamed into place", ["src/**/*.ts"], (at) => replace(join(at, "src/a.ts")), "src/a.ts"],
  ["backed up and written", ["src/*.ts"], (at) => backUp(join(at, "src/a.ts")), "src/a.ts"],
  [
    "renamed in case only",
    ["src/*"],
    (at) => fs.renameSync(join(at, "src/a.ts"), join(at, "src/A.ts")),
    "src/A.ts",
  ],
  [
    "with its folder",
    ["src/**"],
    (at) => fs.renameSync(join(at, "src/sub"), join(at, "sub")),
    "src/sub/b.ts",
  ],
  [
    "by an absolute glob",
    ["$AT/src/**"],
    (at) => fs.writeFileSync(join(at, "src/a.ts"), "2"),
    "src/a.ts",
  ],
  [
    "in a folder beside",
    ["../shared/*.ts"],
    (at) => make(join(at, "../shared/a.ts")),
    "../shared/a.ts",
  ],
  ["dotfile", ["**/.env.*"], (at) => make(join(at, "src/.env.local")), "src/.env.local"],
  ["folder with a dot", ["config/**"], (at) => make(join(at, "config/.x/a")), "config/.x/a"],
  [
    "without its folder",
    ["gen/schema.json"],
    (at) => make(join(at, "gen/schema.json")),
    "gen/schema.json",
  ],
  ["deep, at once", ["build/**"], (at) => make(join(at, "build/a/b/c/x")), "build/a/b/c/x"],
  ["link swung", ["cur/*"], (at) => swing(join(at, "cur"), "src"), "cur/a.ts"],
];

function make(path: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, "1");
}

function replace(path: string): void {
  fs.writeFileSync(`${path}.tmp`, "1");
  fs.renameSync(`${path}.tmp`, path);
}

/** As vim does. */
function backUp(path: string): void {
  fs.writeFileSync(join(dirname(path), "4913"), "");
  fs.rmSync(join(dirname(path), "4913"));
  fs.renameSync(path, `${path}~`);
  fs.writeFileSync(path, "2");
  fs.rmSync(`${path}~`);
}

function swing(path: string, to: string): void {
  fs.symlinkSync(to, `${path}.new`);
  fs.renameSync(`${path}.new`, path);
}

async function place(globs: readonly string[], options: Options = {}) {
  const at = join(folder(), "project");
  make(join(at, "src/a.ts"));
  make(join(at, "src/sub/b.ts"));
  const its = await watched(
    globs.map((glob) => glob.replace("$AT", at)),
    at,
    options,
  );
  return { at, ...its };
}

test.each(ways)("a file is told of: %s", async (_name, globs, act, told) => {
  const its = await place(globs);
  act(its.at);
  const before = await its.until(told);
  // The old name of what was renamed is gone.
  expect(before.filter((path) => path !== "src/a.ts")).toEqual([]);
});

test("what changes nothing in it is no change: another mode, a look at it, an editor's own files", async () => {
  const its = await place(["src"]);
  fs.chmodSync(join(its.at, "src/a.ts"), 0o600);
  fs.readFileSync(join(its.at, "src/a.ts"));
  its.write("src/.a.ts.swp");
  its.write("src/node_modules/x/a.ts");
  its.write("other/a.ts");
  its.write("src/sub/b.ts");
  expect(await its.until("src/sub/b.ts")).toEqual([]);
});

test("what is excluded is not told of, whatever is added to it", async () => {
  const its = await place(["src/**/*.ts", "!src/**/*.test.ts", "!src/gen"]);
  its.write("src/x.test.ts");
  its.write("src/readme.md");
  its.write("src/gen/deep/y.ts");
  its.write("src/a.ts");
  expect(await its.until("src/a.ts")).toEqual([]);
});

test("a folder that is removed and made again, swapped, or moved away and back is watched as before", async () => {
  const its = await place(["src/**/*.ts"]);
  const src = join(its.at, "src");
  fs.rmSync(src, { recursive: true });
  await its.until("src/sub/b.ts");
  its.write("src/sub/b.ts");
  await its.until("src/sub/b.ts");
  for (let round = 0; round < 3; round++) {
    make(join(its.at, "new/sub/c.ts"));
    fs.renameSync(src, join(its.at, `old${round}`));
    fs.renameSync(join(its.at, "new"), src);
    await its.until("src/sub/c.ts");
    its.write(`old${round}/sub/b.ts`);
    its.write("src/sub/c.ts");
    expect(await its.until("src/sub/c.ts")).not.toContain(`old${round}/sub/b.ts`);
  }
  fs.renameSync(its.at, `${its.at}-away`);
  fs.renameSync(`${its.at}-away`, its.at);
  its.write("src/sub/c.ts");
  await its.until("src/sub/c.ts");
});

test("links are followed, to folders and to files, inside and outside, but not up or in circles", async () => {
  const its = await place(["src/**"]);
  const elsewhere = folder();
  make(join(elsewhere, "deep/e.ts"));
  make(join(its.at, "real/c.ts"));
  fs.symlinkSync("../real", join(its.at, "src/inside"));
  fs.symlinkSync(elsewhere, join(its.at, "src/outside"));
  fs.symlinkSync(join(elsewhere, "file.ts"), join(its.at, "src/file.ts"));
  fs.symlinkSync("/", join(its.at, "src/root"));
  fs.symlinkSync("/proc", join(its.at, "src/proc"));
  fs.symlinkSync("..", join(its.at, "src/up"));
  fs.symlinkSync("circle", join(its.at, "src/circle"));
  fs.symlinkSync("../src", join(its.at, "real/back"));
  await its.until("src/outside/deep/e.ts");
  its.write("real/c.ts");
  expect((await its.until("src/inside/c.ts")).filter((path) => path.includes("back"))).toEqual([]);
  fs.writeFileSync(join(elsewhere, "deep/e.ts"), "2");
  await its.until("src/outside/deep/e.ts");
  fs.writeFileSync(join(elsewhere, "file.ts"), "1");
  its.write("src/a.ts");
  await its.until("src/a.ts");
  fs.rmSync(join(its.at, "src/file.ts"));
  fs.symlinkSync(join(elsewhere, "file.ts"), join(its.at, "src/file.ts"));
  await its.until("src/file.ts");
  replace(join(elsewhere, "file.ts"));
  await its.until("src/file.ts");
  expect(its.told.filter((path) => /root|proc|up|circle/.test(path))).toEqual([]);
});

test("files that come while the watch is being made are told of, and those from before are not", async () => {
  const at = folder();
  for (let n = 0; n < 60; n++) make(join(at, `src/d${n}/old.ts`));
  const last = fs.statSync(join(at, "src/d59/old.ts")).ctimeMs;
  await eventually("the clock has gone on", () => Date.now() > last + 5);
  const real = folderEvents();
  let heard = 0;
  // Between the moment that a folder is listened to and the look at it; and before that.
  const events: FolderEvents = {
    hear(path, listener) {
      if (++heard === 30) {
        make(join(at, "src/d1/early.ts"));
        make(join(at, "src/d59/late.ts"));
        make(join(at, "src/made/deep/x.ts"));
      }
      return real.hear(path, listener);
    },
  };
  const its = await watched(["src/**"], at, { events });
  await its.until("src/made/deep/x.ts");
  its.write("src/d5/old.ts");
  const told = new Set<string>();
  for (const path of await its.until("src/d5/old.ts")) told.add(path);
  expect([...told].filter((path) => path.endsWith("old.ts"))).toEqual([]);
});

test("files that have changed since another daemon watched are told of", async () => {
  const at = folder();
  fs.mkdirSync(join(at, "src"));
  fs.writeFileSync(join(at, "src/before.ts"), "1");
  // The kernel's clock for files stands still between two ticks.
  await Bun.sleep(50);
  const since = Date.now();
  await Bun.sleep(50);
  fs.writeFileSync(join(at, "src/meanwhile.ts"), "1");
  await Bun.sleep(50);
  const { until } = await watched(["src/**"], at, { since });
  expect(await until("src/meanwhile.ts")).toEqual([]);
});

test("all that was heard of can be told at once", async () => {
  const at = folder();
  fs.writeFileSync(join(at, "a.ts"), "1");
  const clock = new FakeClock();
  const { tree, told, write } = await watched(["*.ts"], at, { clock });
  write("a.ts");
  await eventually("it is told", () => {
    tree.flush();
    return told.length > 0;
  });
  expect(told).toEqual(["a.ts"]);
});

test("thousands of files at once in one folder, and folders within folders, are all told of", async () => {
  const its = await place(["src/**"]);
  for (let n = 0; n < 1200; n++) fs.writeFileSync(join(its.at, `src/f${n}`), "");
  for (let n = 0; n < 50; n++) make(join(its.at, `src/t${n}/a/b/c/x`));
  await eventually("all are told", () => new Set(its.told).size >= 1250);
});

test("without a watch of the kernel's a service is told of changes all the same, and a person of the limit", async () => {
  let left = 2;
  const clock = new FakeClock();
  const events = folderEvents({
    watch(path, listener) {
      if (left-- > 0)
        return fs.watch(path, { persistent: false }, (_, name) => listener(name ?? undefined));
      throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    },
  });
  const at = folder();
  make(join(at, "src/sub/b.ts"));
  for (let n = 0; n < 200; n++) fs.mkdirSync(join(at, `src/d${n}`));
  const its = { at, ...(await watched(["src/**"], at, { events, clock })) };
  expect(its.troubles.flat()).toHaveLength(1);
  const [text] = its.troubles.flat();
  expect(text).toStartWith(`no file watch is left for ${at}/src/`);
  expect(text).toEndWith(
    "(fs.inotify.max_user_watches); it is looked at every 2 s instead; raise the limit with: sudo sysctl fs.inotify.max_user_watches=524288",
  );
  // All of them are looked at in one period, not a share.
  for (const path of ["src/sub/b.ts", "src/d1/a.ts", "src/d199/a.ts"]) its.write(path);
  clock.advance(2000);
  await its.tree.settled();
  clock.advance(2000);
  expect([...its.told].sort()).toEqual(["src/d1/a.ts", "src/d199/a.ts", "src/sub/b.ts"]);
  expect(its.troubles).toHaveLength(1);
  left = 1_000;
  await eventually("there is no trouble any more", () => {
    clock.advance(100);
    return its.troubles.length === 2;
  });
  expect(its.troubles[1]).toEqual([]);
});

test.each([
  ["EMFILE", "fs.inotify.max_user_instances=1024"],
  ["EIO", "cannot be watched (EIO)"],
])("%s of a watch is told with the folder", async (code, text) => {
  const events = folderEvents({
    watch() {
      throw Object.assign(new Error(code), { code });
    },
  });
  const its = await place(["src/**"], { events, clock: new FakeClock() });
  expect(its.troubles).toHaveLength(1);
  expect(its.troubles[0]).toHaveLength(1);
  expect(its.troubles[0]![0]).toContain(text);
  expect(its.troubles[0]![0]).toContain(its.at);
});

test("where no news come, of another computer's files or as they got lost, looks find what changed", async () => {
  for (const deaf of [remote, undefined]) {
    const clock = new FakeClock();
    const events: FolderEvents = {
      hear: (path) => ({ ...folderEvents({ watch: silent }).hear(path, () => {}), deaf }),
    };
    const its = await place(["src/**"], { events, clock });
    its.write("src/sub/b.ts");
    await eventually("told", () => {
      clock.advance(500);
      return its.told.includes("src/sub/b.ts");
    });
    expect(its.troubles).toEqual([]);
  }
});

const silent = () => ({ close() {}, on() {} }) as unknown as fs.FSWatcher;

test("more folders than may be watched are told of, links last", async () => {
  const at = folder();
  const elsewhere = folder();
  for (let n = 0; n < 60; n++) fs.mkdirSync(join(elsewhere, `d${n}`));
  make(join(at, "src/z/z/z/a.ts"));
  fs.symlinkSync(elsewhere, join(at, "src/a"));
  const heard = new Set<string>();
  const watch = (path: string) => {
    heard.add(path);
    return silent();
  };
  const its = await watched(["src"], at, {
    most: 50,
    events: folderEvents({ watch }),
    clock: new FakeClock(),
  });
  expect(its.troubles).toHaveLength(1);
  expect(its.troubles[0]![0]).toContain("more than 50 folders");
  expect(its.troubles[0]![0]).toContain("src/a/d");
  expect(heard).toContain(join(at, "src/z/z/z"));
});

test("two who watch one folder each hear of it after it was swapped, and one who closes disturbs nobody", async () => {
  const events = folderEvents();
  const one = await place(["src/**"], { events });
  const two = await watched(["src/*.ts"], one.at, { events });
  fs.renameSync(join(one.at, "src"), join(one.at, "old"));
  one.write("src/a.ts", "new");
  await one.until("src/a.ts");
  await two.until("src/a.ts");
  one.write("src/a.ts", "newer");
  await one.until("src/a.ts");
  await two.until("src/a.ts");
  one.tree.close();
  two.write("src/a.ts", "newest");
  await two.until("src/a.ts");
  two.tree.close();
  two.tree.close();
  expect(one.told).toEqual([]);
});
