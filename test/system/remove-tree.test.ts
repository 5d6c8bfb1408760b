/** Folders that are removed whatever their modes. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/system/remove-tree.ts";

test("a folder goes with read-only folders in it, and a link's target stays", async () => {
  const root = mkdtempSync(join(tmpdir(), "localhostess-remove-"));
  const its = join(root, "its");
  mkdirSync(join(its, "deep/er"), { recursive: true });
  mkdirSync(join(root, "kept"));
  writeFileSync(join(its, "deep/er/file"), "x");
  writeFileSync(join(root, "kept/file"), "x");
  symlinkSync("../kept", join(its, "link"));
  for (const path of ["deep/er", "deep", ""]) chmodSync(join(its, path), 0o555);
  await removeTree(its);
  expect(existsSync(its)).toBe(false);
  expect(existsSync(join(root, "kept/file"))).toBe(true);
  await removeTree(its);
  await removeTree(root);
  expect(existsSync(root)).toBe(false);
});
