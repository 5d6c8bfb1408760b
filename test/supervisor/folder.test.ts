import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Folder, type FolderEffects } from "../../src/supervisor/project/folder.ts";
import type { Project } from "../../src/supervisor/project/project.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import { projectSpec } from "./fake-project.ts";

/** A folder with one file, whose project notes what it is given. */
function place(onRead: (reads: number, path: string) => void) {
  const directory = mkdtempSync(join(tmpdir(), "folder-"));
  const path = join(directory, "locald.toml");
  writeFileSync(path, "first");
  const spec = { ...projectSpec([]), directory, files: [path] };
  let reads = 0;
  const project = {
    spec,
    apply: async () => {},
    snapshots: () => [],
    units: () => [],
    dispose: async () => {},
  } as unknown as Project;
  const effects = {
    clock: systemClock,
    shell: {},
    async read() {
      onRead(++reads, path);
      return { kind: "project", project: spec };
    },
    gitHead: async () => ({ kind: "none" }),
    conflictOf: () => undefined,
    prepare: async () => {},
    make: () => project,
    onState() {},
    isOver: () => false,
    note() {},
  } as unknown as FolderEffects;
  const folder = new Folder(directory, effects);
  return {
    folder,
    reads: () => reads,
    [Symbol.dispose]() {
      folder.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test("a file that changes while it is read is read again", async () => {
  using its = place((reads, path) => {
    // An editor that saves twice, the second time once the daemon has read the first.
    if (reads === 2) writeFileSync(path, "third");
  });
  const load = () => its.folder.inTurn(() => its.folder.load({ shell: {} }));
  await load();
  await load();
  await eventually("read again", () => its.reads() === 3);
  expect(its.folder.isBlank).toBe(false);
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
