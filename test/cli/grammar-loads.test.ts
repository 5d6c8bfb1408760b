/** Every verb waits for the grammar of all of them: what that loads is paid each time. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../../src");
const imports = /^(?:import|export)\s+(?!type\b)([^;"]*?)\s*from\s+"([^"]+)"|^import\s+"([^"]+)"/gm;

/** The files and packages that a file loads, but for types. */
function importsOf(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(imports)].flatMap(
    ([, names = "", from, alone]) => {
      const all = names
        .replace(/^\{|\}$/g, "")
        .split(",")
        .filter((its) => its.trim() !== "");
      const isTypes = names.startsWith("{") && all.every((its) => its.trim().startsWith("type "));
      return isTypes ? [] : [(from ?? alone)!];
    },
  );
}

/** Packages and files that a file loads when it is loaded, and those that these load. */
function loadedBy(entry: string): { packages: Set<string>; files: Set<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  // A set goes on with what is added while it is walked.
  for (const file of files) {
    for (const path of importsOf(file)) {
      if (path.startsWith(".")) files.add(join(dirname(file), path));
      else packages.add(path);
    }
  }
  return { packages, files };
}

test("the grammar loads no verb, and none of the libraries that read files and certificates", () => {
  const { packages, files } = loadedBy(join(root, "cli/program.ts"));
  const libraries = [...packages].filter((its) => !/^(?:node|bun):/.test(its));
  expect(libraries.sort()).toEqual(["commander"]);
  expect(files.size).toBeLessThan(70);
});
