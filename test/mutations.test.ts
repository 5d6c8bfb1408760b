/** The table of planted faults is true to the tree: each can still be planted, and its tests are there. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { planted } from "./mutations/fault.ts";
import { faults } from "./mutations/faults.ts";

const root = resolve(import.meta.dir, "..");

test("the text of every fault stands exactly once in its file, which can be read with the fault in it", () => {
  const stale = faults.flatMap((fault) => {
    const path = join(root, fault.file);
    if (!existsSync(path)) return [`${fault.name}: there is no ${fault.file}`];
    const made = planted(readFileSync(path, "utf8"), fault);
    return made.kind === "stale" ? [`${fault.file}: ${fault.name}: ${made.why}`] : [];
  });
  expect(stale).toEqual([]);
});

test("the tests of every fault are there, also by name", () => {
  const missing = faults.flatMap(({ name, tests, only }) => {
    const absent = tests.filter((file) => !existsSync(join(root, file)));
    if (tests.length === 0 || absent.length > 0) return [`${name}: ${absent.join(", ")}`];
    return only !== undefined && only.trim() === "" ? [`${name}: an empty pattern`] : [];
  });
  expect(missing).toEqual([]);
});

test("every fault has a name of its own, and changes something", () => {
  const names = faults.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(faults.filter(({ find, replace }) => find === replace)).toEqual([]);
});

test("a fault whose text is gone, is there twice, or breaks the syntax is stale", () => {
  const fault = { name: "x", file: "x.ts", find: "if (a)", replace: "if (b)", tests: [] };
  expect(planted("if (a) f();", fault)).toEqual({ kind: "planted", text: "if (b) f();" });
  expect(planted("f();", fault)).toMatchObject({ kind: "stale", why: "the text is not there" });
  expect(planted("if (a) f(); if (a) g();", fault)).toMatchObject({
    kind: "stale",
    why: "the text is there more than once",
  });
  expect(planted("if (a) f();", { ...fault, replace: "if (" }).kind).toBe("stale");
});
