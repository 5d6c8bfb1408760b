/** What plugins add to the package of somebody who has none. */
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Glob } from "bun";
import packageJson from "../../package.json" with { type: "json" };

const root = resolve(import.meta.dir, "../..");

test("plugins are less than 1 MB of the package, unpacked, and no dependency is theirs", () => {
  const folders = ["src/plugins", "src/cli/plugins", "examples"];
  const files = folders.flatMap((folder) => [
    ...new Glob(`${folder}/**/*`).scanSync({ cwd: root, onlyFiles: true }),
  ]);
  const bytes = files.reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
  expect(files.length).toBeGreaterThan(30);
  expect(bytes).toBeLessThan(1_000_000);
  expect(Object.keys(packageJson.dependencies).join(" ")).not.toMatch(/jco|bytecodealliance|wasm/);
});
