import { afterEach, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fingerprintsOf, WatchFiles } from "../../src/supervisor/project/watch-files.ts";
import { type FolderEvents, folderEvents } from "../../src/system/folder-events.ts";
import { systemClock } from "../../src/system/clock.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { eventually } from "../support/eventually.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "watch-files-")));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Hears of nothing. */
const deaf: FolderEvents = { hear: () => ({ identity: "", deaf: undefined, cancel() {} }) };

type Given = { events?: FolderEvents; clock?: typeof systemClock | FakeClock };

/** Each report counts as looked at, unless `look` is false. */
function files(
  paths: readonly string[],
  { events = folderEvents(), clock = systemClock }: Given = {},
  { look = true } = {},
) {
  const told: string[][] = [];
  const troubles: (readonly string[])[] = [];
  const watch = new WatchFiles({
    clock,
    events,
    quiet: 30,
    onChange(its) {
      told.push([...its]);
      if (look) watch.looked(fingerprintsOf(paths), { settled: true });
    },
    onTrouble: (its) => void troubles.push(its),
  });
  cleanups.push(() => watch.close());
  watch.looked(fingerprintsOf(paths), { settled: true });
  return { told, troubles, watch };
}

test("a file that is written, replaced, removed or made is told of, once for many writes", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  const env = join(at, ".env");
  writeFileSync(path, "1");
  const { told } = files([path, env]);
  for (let count = 0; count < 20; count++) writeFileSync(path, `${count}`);
  await eventually("written", () => told.length === 1);
  writeFileSync(join(at, "other"), "other");
  renameSync(join(at, "other"), path);
  await eventually("replaced", () => told.length === 2);
  rmSync(path);
  await eventually("removed", () => told.length === 3);
  writeFileSync(env, "A=1");
  await eventually("made", () => told.length === 4);
  expect(told).toEqual([[path], [path], [path], [env]]);
});

test("a neighbour is nobody's business", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  const { told } = files([path]);
  writeFileSync(join(at, "neighbour"), "x");
  writeFileSync(path, "x");
  await eventually("told", () => told.length > 0);
  expect(told).toEqual([[path]]);
});

/** Ways to change `<at>/p/sub/locald.toml`. */
const ways: [string, (at: string) => void][] = [
  ["in a folder that comes later", (at) => make(join(at, "p/sub"))],
  [
    "in a folder above that is swapped",
    (at) => {
      make(join(at, "p/sub"));
      make(join(at, "q/sub"));
      renameSync(join(at, "p"), join(at, "r"));
      renameSync(join(at, "q"), join(at, "p"));
    },
  ],
  [
    "through a link that is made later",
    (at) => {
      make(join(at, "q/sub"));
      symlinkSync("q", join(at, "p"));
    },
  ],
];

function make(at: string): void {
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "locald.toml"), "1");
}

test.each(ways)("a file is told of %s, and heard of from then on", async (_name, act) => {
  const at = folder();
  const path = join(at, "p/sub/locald.toml");
  const { told } = files([path]);
  act(at);
  await eventually("told", () => told.length > 0);
  const before = told.length;
  writeFileSync(path, "2");
  await eventually("heard of", () => told.length > before);
  expect(new Set(told.flat())).toEqual(new Set([path]));
});

test("what a link leads to is heard of, without a look, also once it leads elsewhere", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  for (const name of ["one", "two"]) make(join(at, name));
  symlinkSync("one/locald.toml", path);
  // The clock that the looks go by stands still, but for the moment of quiet.
  const clock = new FakeClock();
  const { told } = files([path], { clock });
  const heard = (count: number) =>
    eventually("heard", () => {
      if (clock.waiting > 1) clock.advance(30);
      return told.length === count;
    });
  writeFileSync(join(at, "one/locald.toml"), "2");
  await heard(1);
  symlinkSync("two/locald.toml", join(at, "new"));
  renameSync(join(at, "new"), path);
  await heard(2);
  writeFileSync(join(at, "two/locald.toml"), "22");
  await heard(3);
});

test("a change is told again until somebody has looked, and never for what was looked at", () => {
  const at = folder();
  const path = join(at, ".env");
  const clock = new FakeClock();
  const { told, watch } = files([path], { clock, events: deaf }, { look: false });
  writeFileSync(path, "A=1");
  clock.advance(2100);
  expect(told).toEqual([[path]]);
  clock.advance(6000);
  expect(told).toHaveLength(1);
  clock.advance(6000);
  expect(told).toHaveLength(2);
  // Looked at, without a result yet.
  watch.looked(fingerprintsOf([path]), { settled: false });
  clock.advance(6000);
  expect(told).toHaveLength(2);
  clock.advance(6000);
  expect(told).toHaveLength(3);
  watch.looked(fingerprintsOf([path]), { settled: true });
  clock.advance(60_000);
  expect(told).toHaveLength(3);
});

test("a change between the fingerprint and the watch is told of, in every file; and so is one back", () => {
  const at = folder();
  const [toml, env] = [join(at, "locald.toml"), join(at, ".env")];
  const clock = new FakeClock();
  const { told, watch } = files([toml], { clock, events: deaf });
  const before = fingerprintsOf([toml, env]);
  writeFileSync(toml, "1");
  writeFileSync(env, "1");
  watch.looked(before, { settled: true });
  clock.advance(100);
  expect(told).toEqual([[toml, env]]);
});

test("no news, no watch, a file for a folder, a loop of links: every change is found all the same", async () => {
  const at = folder();
  const file = join(at, "locald.toml");
  const circle = join(at, ".env");
  make(at);
  const events = folderEvents({
    watch() {
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    },
  });
  const clock = new FakeClock();
  const { told, troubles } = files([circle, join(file, "under"), file], { clock, events });
  expect(troubles.flat()).toHaveLength(1);
  expect(troubles.flat()[0]).toContain(`no file watch is left for ${at}`);
  // As a branch may bring it: git keeps such links.
  symlinkSync(".env", circle);
  utimesSync(file, 1, 1);
  clock.advance(2100);
  expect(told).toEqual([[file]]);
  rmSync(circle);
  writeFileSync(circle, "A=1");
  clock.advance(2100);
  expect(told[1]).toEqual([circle]);
  expect(troubles).toHaveLength(1);
});

test("after its end nothing is told, also of what has happened already", async () => {
  const at = folder();
  const path = join(at, "locald.toml");
  const { told, watch } = files([path]);
  const other = files([path]);
  writeFileSync(path, "x");
  watch.close();
  watch.close();
  await eventually("the other is told", () => other.told.length > 0);
  expect(told).toEqual([]);
});
