/** Large and sparse files -> copies of them, whole or none. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyNewFile } from "../../src/system/copy-file.ts";

const root = mkdtempSync(join(tmpdir(), "copy-file-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const size = 100 * 1024 * 1024 + 17;
const source = join(root, "source");

test("a large file keeps its mode, its content and its holes", async () => {
  {
    await using file = await open(source, "wx", 0o600);
    await file.truncate(size);
    await file.write("begin", 0);
    await file.write("end", size - 3);
  }
  const target = join(root, "target");
  expect(await copyNewFile(source, target, { isOver: () => false })).toBe(true);
  const its = statSync(target);
  expect([its.size, its.mode & 0o777]).toEqual([size, 0o600]);
  expect(its.blocks * 512).toBeLessThan(16 * 1024 * 1024);
  const [start, end] = [Bun.file(target).slice(0, 6), Bun.file(target).slice(size - 4)];
  expect([await start.text(), await end.text()]).toEqual(["begin\0", "\0end"]);
  // Nothing is overwritten.
  writeFileSync(target, "own");
  const again = copyNewFile(source, target, { isOver: () => false });
  expect(await again.catch(({ code }: NodeJS.ErrnoException) => code)).toBe("EEXIST");
  expect(await Bun.file(target).text()).toBe("own");
});

test("where it is ended, half of a large file is not left", async () => {
  let asked = 0;
  const done = await copyNewFile(source, join(root, "half"), { isOver: () => ++asked > 3 });
  // A file system that shares blocks is done at once.
  expect([done, (await readdir(root)).includes("half")]).toEqual([done, done]);
});
