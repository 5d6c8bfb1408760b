import { expect, test } from "bun:test";
import type { Folder } from "../../src/supervisor/project/folder.ts";
import { Folders } from "../../src/supervisor/project/folders.ts";

test("a folder of which nothing came is forgotten, and one that is known is not", async () => {
  const made: { directory: string; isBlank: boolean }[] = [];
  const folders = new Folders((directory) => {
    const its = { directory, isBlank: true };
    made.push(its);
    return its as unknown as Folder;
  });
  expect(folders.known("/a")).toBeUndefined();
  const failed = folders.with("/a", () => Promise.reject(new Error("no such folder")));
  expect(failed).rejects.toThrow("no such folder");
  await failed.catch(() => {});
  expect(folders.all()).toEqual([]);
  await folders.with("/a", async () => {
    made.at(-1)!.isBlank = false;
  });
  expect(folders.all()).toHaveLength(1);
  expect(folders.known("/a")).toBe(folders.of("/a"));
  expect(made).toHaveLength(2);
});
