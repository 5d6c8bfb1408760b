/** Lines of a .dockerignore, as the `docker` command understands them. */
import { expect, test } from "bun:test";
import { readIgnored } from "../../../src/containers/build/ignored.ts";

function left(text: string, paths: readonly string[]): string[] {
  const read = readIgnored(text);
  if (read.kind === "bad") throw new Error(read.why);
  return paths.filter((path) => read.ignored.has(path));
}

test.each([
  // A path is from the context's root; a folder's is all that is in it.
  ["dist", ["dist", "dist/app.js", "web/dist", "dist.txt"], ["dist", "dist/app.js"]],
  ["/dist/", ["dist/app.js", "web/dist"], ["dist/app.js"]],
  ["./a/../b", ["a", "b/c"], ["b/c"]],
  ["*.log", ["a.log", "b/a.log", "alog"], ["a.log"]],
  ["*/*.log", ["a.log", "b/a.log", "b/c/a.log"], ["b/a.log"]],
  ["*", ["a", "a/b", ".x"], ["a", "a/b", ".x"]],
  ["te?t", ["test", "tet", "te/t"], ["test"]],
  // Two stars are any number of folders, also none.
  ["**/*.md", ["a.md", "b/c/a.md", "a.mdx"], ["a.md", "b/c/a.md"]],
  [
    "**/node_modules",
    ["node_modules/x", "a/node_modules/y", "my_node_modules"],
    ["node_modules/x", "a/node_modules/y"],
  ],
  ["a/**", ["a", "a/b", "a/b/c", "ab"], ["a/b", "a/b/c"]],
  ["a/**/z", ["a/z", "a/b/c/z", "az"], ["a/z", "a/b/c/z"]],
  ["**", ["a", "a/b"], ["a", "a/b"]],
  // Ranges, and characters that mean something elsewhere.
  ["[a-c]x", ["ax", "dx", "a/x"], ["ax"]],
  ["[^a]x", ["ax", "bx"], ["bx"]],
  ["a.b+(c)$", ["a.b+(c)$", "axb+(c)$"], ["a.b+(c)$"]],
  ["\\*", ["*", "a"], ["*"]],
  ["größe-{x}", ["größe-{x}"], ["größe-{x}"]],
  // Comments, empty lines, spaces, the mark of an editor, lines of Windows.
  ["\ufeff# dist\n\n  a  \r\n", ["dist", "a"], ["a"]],
  [" # a", ["# a", "a"], ["# a"]],
  // The last line that says something of a path counts.
  ["*\n!src\n!*.json", ["a", "src/x.ts", "package.json"], ["a"]],
  ["*.md\n!README.md", ["README.md", "a.md"], ["a.md"]],
  ["!README.md\n*.md", ["README.md"], ["README.md"]],
  [
    "docs\n!docs/api\ndocs/api/old",
    ["docs/x", "docs/api/y", "docs/api/old/z"],
    ["docs/x", "docs/api/old/z"],
  ],
  // An exception for a folder that was in anyway is none for a file that is left out by its own name.
  ["**/*.md\n!docs", ["docs/x.md", "docs/x"], ["docs/x.md"]],
  ["docs\n**/*.md\n!docs", ["docs/x.md", "docs/x"], []],
] as const)("%j", (text, paths, expected) => {
  expect(left(text, paths)).toEqual([...expected]);
});

test("a folder that is left out is looked into only where something in it may be wanted", () => {
  const its = readIgnored("node_modules\ndocs\n!docs/api/x.md");
  expect(its.kind === "ignored" && its.ignored.mayHoldMore("node_modules")).toBe(false);
  expect(its.kind === "ignored" && its.ignored.mayHoldMore("docs")).toBe(true);
});

test.each(["!", "a\n! ", "[a", "a\\", "[z-a]"])("%j is no pattern", (text) => {
  expect(readIgnored(text)).toMatchObject({ kind: "bad" });
});
