import { afterEach, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderEvents } from "../../src/system/folder-events.ts";
import { folderIdentity } from "../../src/system/folder-identity.ts";
import { eventually } from "../support/eventually.ts";

const places: string[] = [];
afterEach(() => {
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
});

function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "folder-events-")));
  places.push(made);
  return made;
}

test("who listens to another folder at a path hears of that one, and who listened before looks for themselves", async () => {
  const at = folder();
  const path = join(at, "src");
  mkdirSync(path);
  const events = folderEvents();
  const before: (string | undefined)[] = [];
  const after: (string | undefined)[] = [];
  const first = events.hear(path, (name) => void before.push(name));
  renameSync(path, join(at, "old"));
  mkdirSync(path);
  const second = events.hear(path, (name) => void after.push(name));
  expect(before).toContain(undefined);
  expect(second.identity).toBe(folderIdentity(path));
  expect(second.identity).not.toBe(first.identity);
  writeFileSync(join(path, "a"), "");
  await eventually("heard by both", () => after.includes("a") && before.includes("a"));
  first.cancel();
  writeFileSync(join(path, "b"), "");
  await eventually("heard by who is left", () => after.includes("b"));
  expect(before).not.toContain("b");
  second.cancel();
  second.cancel();
});

test("one watch is enough for all who listen, and none is left after them", () => {
  const at = folder();
  let open = 0;
  const events = folderEvents({
    watch() {
      open++;
      return { close: () => void open--, on: () => undefined as never };
    },
  });
  const heard = [1, 2, 3].map(() => events.hear(at, () => {}));
  expect(open).toBe(1);
  for (const { cancel } of heard) cancel();
  expect(open).toBe(0);
  expect(events.hear(join(at, "none"), () => {})).toMatchObject({ identity: "", deaf: undefined });
  expect(open).toBe(0);
});

test("a watch that fails later is reported to who listens, and the next who listens tries again", () => {
  const at = folder();
  const told: (string | undefined)[] = [];
  let fail: (error: Error) => void = () => {};
  let attempts = 0;
  const events = folderEvents({
    watch() {
      attempts++;
      return {
        close() {},
        on(_: string, hear: (error: Error) => void) {
          fail = hear;
          return undefined as never;
        },
      };
    },
  });
  events.hear(at, (name) => void told.push(name));
  fail(Object.assign(new Error("as it happens"), { code: "EIO" }));
  expect(told).toEqual([undefined]);
  expect(events.hear(at, () => {}).deaf).toBeUndefined();
  expect(attempts).toBe(2);
});

test("folders that come one after another at a path are different ones, whatever their numbers", () => {
  const path = join(folder(), "src");
  const identities = new Set<string>();
  for (let round = 0; round < 20; round++) {
    mkdirSync(path);
    identities.add(folderIdentity(path));
    rmdirSync(path);
  }
  expect(identities.size).toBe(20);
});
