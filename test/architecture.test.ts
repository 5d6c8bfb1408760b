/** Holds the documents about the code to the tree: every file that they name exists. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");

/** The first column of `text`'s blocks of code: file names joined by arrows, with comments behind two spaces. */
function waysIn(text: string): string[] {
  return [...text.matchAll(/^(?: {4}.*\n)+/gm)].flatMap(([block]) => block.split("\n"));
}

/** Paths in a way: `proxy/client/connection (states)` names two files of one folder. */
function pathsIn(line: string): string[] {
  const [way] = line.trim().split(/ {2,}/);
  let folder = "";
  return [...way!.matchAll(/[\w/.<>-]*\/[\w.<>*-]+|(?<=[(,|] ?)[\w-]+(?=[,)]| \|)/g)].flatMap(
    ([word]) => {
      if (word.includes("<") || word.includes("*")) return [];
      if (word.includes("/")) {
        folder = word.slice(0, word.lastIndexOf("/"));
        return [word];
      }
      return folder === "" ? [] : [`${folder}/${word}`];
    },
  );
}

function exists(path: string): boolean {
  return ["", ".ts", ".tsx", ".test.ts"].some((ending) =>
    ["", "src", "test"].some((base) => existsSync(join(root, base, path + ending))),
  );
}

/** `a/b.ts` or `a/b`, in backquotes, is a file or a folder of ours. */
function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)+\/?)`/g)].map(([, path]) => path!);
}

for (const name of [
  "docs/ARCHITECTURE.md",
  "docs/style.md",
  "docs/decisions.md",
  "CONTRIBUTING.md",
]) {
  test(`${name} names files and folders that exist`, () => {
    const text = readFileSync(join(root, name), "utf8");
    const ways = name === "docs/ARCHITECTURE.md" ? waysIn(text).flatMap(pathsIn) : [];
    const foreign = ["Bun.file", "node_modules/.bin"];
    const gone = [...quotedIn(text), ...ways].filter(
      (path) => !foreign.includes(path) && !exists(path),
    );
    expect(gone).toEqual([]);
  });
}

test("a file that is gone is found in a way and between backquotes", () => {
  expect(
    pathsIn("  -> proxy/client/nothing (states)   a comment").filter((it) => !exists(it)),
  ).toEqual(["proxy/client/nothing"]);
  expect(quotedIn("see `wire/gone.ts` and `wire/head.ts`").filter((it) => !exists(it))).toEqual([
    "wire/gone.ts",
  ]);
});
