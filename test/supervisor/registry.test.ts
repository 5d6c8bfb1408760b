import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryAt } from "../../src/supervisor/project/registry.ts";
import { systemClock } from "../../src/system/clock.ts";

const folders: string[] = [];
afterEach(() => {
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
  return { folder, path, registry, notes };
}

test("what was seen last stands first, in the first locald's words, and the next daemon knows it", async () => {
  const { registry, folder, path } = made();
  await registry.load();
  registry.seen("/srv/a", "a");
  registry.seen("/srv/b", "b");
  registry.seen("/srv/a", "renamed");
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
  registry.seen("/srv/a", "a");
  expect(registry.pin("/srv/a", true)).toBe(true);
  registry.seen("/srv/a", "a");
  expect(registry.list()[0]!.pinned).toBe(true);
  expect(registry.pin("/srv/b", true)).toBe(false);
});

test("clean forgets what is gone, but neither what is there nor what is pinned", async () => {
  const { registry, folder } = made();
  mkdirSync(join(folder, "there"));
  registry.seen(join(folder, "there"), "there");
  registry.seen(join(folder, "gone"), "gone");
  registry.seen(join(folder, "pinned"), "pinned");
  registry.pin(join(folder, "pinned"), true);
  expect((await registry.clean()).map(({ name }) => name)).toEqual(["gone"]);
  expect(registry.list().map(({ name }) => name)).toEqual(["pinned", "there"]);
});
