import { expect, test } from "bun:test";
import { watchMistakes, watchPatterns } from "../../src/manifest/watch-pattern.ts";
import { stepInto, wantedFrom } from "../../src/build/watched-names.ts";

/** Whether patterns under `/home/me/shop` watch a file, by the names on the way to it. */
function watches(texts: readonly string[], file: string, folder = "/home/me/shop"): boolean {
  const { base, wanted } = wantedFrom(watchPatterns(texts, folder), folder);
  const path = file.startsWith("/") ? file : `${folder}/${file}`;
  if (base !== "/" && !path.startsWith(`${base}/`)) return false;
  const names = path.slice(base === "/" ? 1 : base.length + 1).split("/");
  let here: typeof wanted | undefined = wanted;
  for (const [at, name] of names.entries()) {
    if (here === undefined) return false;
    const step = stepInto(here, name);
    if (at === names.length - 1) return step.file;
    here = step.below;
  }
  return false;
}

const cases: [globs: string[], yes: string[], no: string[]][] = [
  [
    ["src/**/*.ts"],
    ["src/a.ts", "src/b/c/d.ts", "src/.hidden/e.ts"],
    ["a.ts", "src/a.js", "src/a.ts/b"],
  ],
  [["./src/*.ts"], ["src/a.ts"], ["src/b/a.ts"]],
  [["src"], ["src", "src/a", "src/b/.c"], ["srcs/a", "other/src"]],
  [["src/"], ["src/a", "src/b/c"], ["a"]],
  [["apps/*/"], ["apps/a/b", "apps/a/b/c"], ["apps/a", "b/c"]],
  [["src/**"], ["src/a", "src/b/c"], ["src", "src/node_modules/a", "src/b/.git/c", "src/target/x"]],
  [
    ["node_modules/lib/**"],
    ["node_modules/lib/a"],
    ["node_modules/other", "node_modules/lib/node_modules/a"],
  ],
  [["."], ["a", "b/c"], ["node_modules/a", ".git/HEAD"]],
  [["gen/schema.json"], ["gen/schema.json"], ["gen/other.json"]],
  [
    ["../shared/**/*.ts"],
    ["/home/me/shared/a.ts", "/home/me/shared/b/c.ts"],
    ["shared/a.ts", "a.ts"],
  ],
  [["/srv/data/**"], ["/srv/data/a"], ["srv/data/a", "/srv/other"]],
  [["src/**/*.{ts,t{s,es}x}"], ["src/a.ts", "src/a.tsx", "src/a.tesx"], ["src/a.js"]],
  [["{src,lib/x}/*.ts"], ["src/a.ts", "lib/x/a.ts"], ["lib/a.ts"]],
  [["**/.env.*"], [".env.local", "a/.env.test"], [".env", ".env.x/y"]],
  [["config/**"], ["config/.x/a", "config/.y"], ["config.ts"]],
  [["app/[id]/*.ts"], ["app/[id]/a.ts", "app/i/a.ts"], ["app/id/a.ts"]],
  [["src/\\*.ts"], ["src/*.ts"], ["src/a.ts"]],
  [["a{b"], ["a{b"], ["ab"]],
  [
    ["src/**", "!src/**/*.test.ts"],
    ["src/a.ts"],
    ["src/a.test.ts", "src/b/a.test.ts", "a.test.ts"],
  ],
  [
    ["src/**", "!src/gen"],
    ["src/a", "src/general"],
    ["src/gen", "src/gen/a/b"],
  ],
  [
    ["**", "!**/dist/**", "a/dist/keep.js"],
    ["x", "a/dist/keep.js"],
    ["a/dist/b.js", "b/dist/keep.js"],
  ],
  [["src/**/*.ts", "!src/**", "src/a.ts"], ["src/a.ts"], ["src/b.ts"]],
  [
    ["src"],
    [],
    ["src/.a.ts.swp", "src/4913", "src/a.ts~", "src/.#a.ts", "src/#a.ts#", "src/.DS_Store"],
  ],
];

test.each(cases)("%p", (globs, yes, no) => {
  expect(watchMistakes(globs, "/home/me/shop")).toEqual([]);
  expect(yes.filter((path) => !watches(globs, path))).toEqual([]);
  expect(no.filter((path) => watches(globs, path))).toEqual([]);
});

test("a folder whose own name has wildcards is a folder", () => {
  expect(watches(["src/*.ts"], "src/a.ts", "/home/[me]/{a,b}*")).toBe(true);
  expect(watches(["src/*.ts"], "/home/m/a/src/a.ts", "/home/[me]/{a,b}*")).toBe(false);
});

test("what could never match is a mistake, with what helps", () => {
  const mistakes = (...globs: string[]) => watchMistakes(globs, "/home/me").map(({ what }) => what);
  expect(mistakes("")).toEqual([
    '"" is empty; name a file, a folder or a glob such as src/**/*.ts',
  ]);
  expect(mistakes("  ", "!")).toHaveLength(2);
  expect(mistakes("../../../x")).toEqual(['"../../../x" leads out of the file system']);
  expect(mistakes("src/*/../a")[0]).toContain(".. behind a wildcard");
  for (const all of ["/", "/**", "../..", "/*/x", "{/,a}"]) {
    expect(mistakes(all)[0]).toContain("whole file system");
  }
  expect(mistakes("~/shared/**")[0]).toContain("only a shell expands");
  expect(mistakes("${env.HOME}/**")[0]).toContain("references are not filled in");
  expect(mistakes("src/!(a).ts")[0]).toContain("extended glob");
  expect(mistakes("{0,1}".repeat(9))[0]).toContain("more than 256 paths");
  expect(mistakes("a\0b")[0]).toContain("NUL");
  expect(mistakes("!src/**", "!lib/**")).toHaveLength(2);
  expect(mistakes("!src/a", "src/**")).toEqual([
    '"!src/a" excludes nothing: patterns apply in order, so put it behind what it takes from, such as "src/**"',
  ]);
});
