/** Which tests `npm run quick` runs for a change. */
import { expect, test } from "bun:test";
import { affected } from "./quick.ts";

const texts = new Map([
  ["test/wire/head.test.ts", 'import { RequestHead } from "../../src/wire/head.ts";'],
  ["test/proxy/pool.test.ts", 'import {\n  type Pool,\n} from "../../src/proxy/upstream/pool.ts";'],
  ["test/proxy/h2/node.test.ts", 'import { scene } from "../../support/scene.ts";'],
  ["test/cli/why.test.ts", 'const why = await import("../../src/cli/servers/why.ts");'],
  ["test/text/nearest.test.ts", 'import { test } from "bun:test";'],
]);

test("a file of src has the tests that import it", () => {
  expect(affected(["src/wire/head.ts"], texts).tests).toEqual(["test/wire/head.test.ts"]);
  expect(affected(["src/proxy/upstream/pool.ts"], texts).tests).toEqual([
    "test/proxy/pool.test.ts",
  ]);
});

test("a test that changed runs, also where nothing else did", () => {
  expect(affected(["test/text/nearest.test.ts"], texts)).toEqual({
    tests: ["test/text/nearest.test.ts"],
    left: [],
  });
});

test("a file of test/support has the tests that import it, from any depth", () => {
  expect(affected(["test/support/scene.ts"], texts).tests).toEqual(["test/proxy/h2/node.test.ts"]);
});

test("tests that run real programs are left to the whole suite, unless they changed themselves", () => {
  expect(affected(["src/cli/servers/why.ts"], texts)).toEqual({
    tests: [],
    left: ["test/cli/why.test.ts"],
  });
  expect(affected(["src/cli/servers/why.ts", "test/cli/why.test.ts"], texts)).toEqual({
    tests: ["test/cli/why.test.ts"],
    left: [],
  });
});

test("a file with the same name elsewhere, and what nobody imports, has none", () => {
  for (const path of ["src/proxy/head.ts", "src/wire/head.test.ts", "README.md", "head.ts"]) {
    expect(affected([path], texts)).toEqual({ tests: [], left: [] });
  }
});

test("each test is named once, in order, whatever changed", () => {
  const all = affected([...texts.keys(), "src/wire/head.ts", "test/support/scene.ts"], texts);
  expect(all.tests).toEqual([...texts.keys()].sort());
});
