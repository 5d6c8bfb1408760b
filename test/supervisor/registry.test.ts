import { afterEach, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryAt } from "../../src/supervisor/project/registry.ts";
import { folderIdentity, isSameFolder, whereabouts } from "../../src/system/folder-identity.ts";
import { systemClock } from "../../src/system/clock.ts";

const folders: string[] = [];
const open: { flush(): Promise<void> }[] = [];
afterEach(async () => {
  // What is written later would make its folder again.
  for (const registry of open.splice(0)) await registry.flush();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function made(at?: string) {
  const folder = at ?? mkdtempSync(join(tmpdir(), "registry-"));
  if (at === undefined) folders.push(folder);
  let now = 1_766_000_000_123;
  const clock = { ...systemClock, wall: () => now++ };
  const notes: string[] = [];
  const path = join(folder, "registry.json");
  const registry = registryAt({ path, clock, note: (text) => void notes.push(text) });
  open.push(registry);
  return { folder, path, registry, notes };
}

test("what was seen last stands first, in the first locald's words, and the next daemon knows it", async () => {
  const { registry, folder, path } = made();
  await registry.load();
  registry.seen("/srv/a", { name: "a", naming: {} });
  registry.seen("/srv/b", { name: "b", naming: {} });
  registry.seen("/srv/a", { name: "renamed", naming: {} });
  await registry.flush();
  const entry = {
    path: "/srv/a",
    name: "renamed",
    pinned: false,
    last_seen: { secs_since_epoch: 1_766_000_000, nanos_since_epoch: 125_000_000 },
  };
  expect(registry.list().map(({ name }) => name)).toEqual(["renamed", "b"]);
  expect(JSON.parse(readFileSync(path, "utf8")).projects["/srv/a"]).toEqual(entry);
  const next = made(folder).registry;
  await next.load();
  expect(next.list()[0]).toEqual(entry);
});

test("a pin stays when the project is seen again, and only what is known can be pinned", async () => {
  const { registry } = made();
  registry.seen("/srv/a", { name: "a", naming: {} });
  expect(registry.pin("/srv/a", true)).toBe(true);
  registry.seen("/srv/a", { name: "a", naming: {} });
  expect(registry.list()[0]!.pinned).toBe(true);
  expect(registry.pin("/srv/b", true)).toBe(false);
});

test("it is known where a folder is: here, replaced, gone, or on a file system that is not there", async () => {
  const { registry, folder } = made();
  const paths = ["here", "replaced", "gone", "never"].map((name) => join(folder, name));
  const [here, replaced, gone, never] = paths as [string, string, string, string];
  for (const path of [here, replaced, gone]) mkdirSync(path);
  for (const path of paths) registry.seen(path, { name: "shop", naming: {} });
  rmSync(gone, { recursive: true });
  // The new one may get the number of the old one, whose birth was another.
  rmSync(replaced, { recursive: true });
  mkdirSync(replaced);
  const found = (await registry.listed()).map((its) => [its.path, its.folder]);
  expect(Object.fromEntries(found)).toEqual({
    [here]: "here",
    [replaced]: "replaced",
    [gone]: "gone",
    [never]: "gone",
  });
  expect(await whereabouts(gone, "1 2 3")).toBe("unmounted");
  expect(await whereabouts(gone, `${folderIdentity(folder).split(" ", 1)[0]} 2 3`)).toBe("gone");
  expect(await whereabouts(join(here, "..", "here"), folderIdentity(here))).toBe("here");
  writeFileSync(gone, "a file");
  expect(await whereabouts(join(gone, "below"), undefined)).toBe("gone");
  symlinkSync("circle", join(folder, "circle"));
  expect(await whereabouts(join(folder, "circle"), undefined)).toBe("here");
});

test("a folder is known again where it was moved, but not its copy, and not what took its number", async () => {
  const { registry, folder } = made();
  const [old, now, copy] = ["old", "now", "copy"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(old);
  registry.seen(old, { name: "shop", naming: {} });
  registry.pin(old, true);
  cpSync(old, copy, { recursive: true });
  expect(registry.movedTo(copy)).toBeUndefined();
  symlinkSync("old", join(folder, "link"));
  expect(registry.movedTo(join(folder, "link"))).toBeUndefined();
  renameSync(old, now);
  expect(registry.movedTo(now)?.path).toBe(old);
  // Something else is there now.
  mkdirSync(old);
  expect(registry.movedTo(now)?.path).toBe(old);
  registry.move(old, now);
  expect(registry.list().map(({ path, pinned }) => [path, pinned])).toEqual([[now, true]]);
  expect(registry.movedTo(now)).toBeUndefined();
  await registry.flush();
  const next = made(folder).registry;
  await next.load();
  renameSync(now, join(folder, "later"));
  expect(next.movedTo(join(folder, "later"))?.name).toBe("shop");
  rmSync(join(folder, "later"), { recursive: true });
  mkdirSync(join(folder, "later"));
  expect(next.movedTo(join(folder, "later"))).toBeUndefined();
  next.forget(now);
  next.forget(now);
  expect(next.list()).toEqual([]);
});

test("file systems without births tell nothing of who is who", () => {
  expect(isSameFolder("1 2 3", "9 2 3")).toBe(true);
  expect(isSameFolder("1 2 3", "1 2 4")).toBe(false);
  expect(isSameFolder("1 2 0", "1 2 0")).toBe(false);
  expect(isSameFolder("", "")).toBe(false);
});
