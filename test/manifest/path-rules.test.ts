/** Patterns of a .gitignore: git itself says what they match. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readPathRules } from "../../src/manifest/path-rules.ts";
import { projectFiles } from "../../src/manifest/project-files.ts";

let root: string;

/** Folders end in a slash. */
const paths = [
  ...[
    "a",
    "b.go",
    "c.md",
    "src/",
    "src/a",
    "src/b.go",
    "src/deep/",
    "src/deep/a",
    "src/deep/b.go",
    "src/deep/x y",
  ],
  ...[
    "doc/",
    "doc/a",
    "doc/src/",
    "doc/src/a",
    "build/",
    "build/keep",
    "build/sub/",
    "build/sub/keep",
    "#a",
    "!a",
  ],
  ...[
    "cmd/",
    "cmd/main.go",
    "x[1]",
    "x1",
    "-",
    "tail ",
    "tail",
    "star*",
    "starry",
    "back\\slash",
    "ü",
    "src/ü",
  ],
  ...[
    "a1",
    "aB",
    "a-",
    "a.b",
    "a^",
    "a!",
    "deep/",
    "deep/a/",
    "deep/a/b/",
    "deep/a/b/c/",
    "deep/a/b/c/d",
  ],
];

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-rules-")));
  for (const path of paths) {
    const its = join(root, path);
    await mkdir(path.endsWith("/") ? its : dirname(its), { recursive: true });
    if (!path.endsWith("/")) await writeFile(its, "");
  }
  git(["init", "-q"]);
});

afterAll(() => rm(root, { recursive: true, force: true }));

function git(words: readonly string[], input = ""): string {
  const { stdout } = Bun.spawnSync(["git", ...words], {
    cwd: root,
    env: { PATH: "/usr/bin:/bin", HOME: root, GIT_CONFIG_NOSYSTEM: "1" },
    stdin: Buffer.from(input),
  });
  return stdout.toString();
}

async function byGit(patterns: readonly string[]): Promise<string[]> {
  await writeFile(join(root, ".git/info/exclude"), `${patterns.join("\n")}\n`);
  const input = paths.map((path) => `${path.replace(/\/$/, "")}\0`).join("");
  const rows = git(["check-ignore", "--no-index", "-z", "--stdin"], input).split("\0");
  return rows.filter((row) => row !== "");
}

function byUs(patterns: readonly string[]): string[] {
  const { rules } = readPathRules(patterns);
  return paths.flatMap((path) => {
    const isFolder = path.endsWith("/");
    const name = isFolder ? path.slice(0, -1) : path;
    return rules.matches(name, { isFolder }) ? name : [];
  });
}

const sets: readonly (readonly string[])[] = [
  [
    ["a"],
    ["/a"],
    ["*.go"],
    ["/*.go"],
    ["src/"],
    ["src"],
    ["/src"],
    ["src/a"],
    ["src/*"],
    ["src/**"],
    ["**/a"],
  ],
  [
    ["**/src"],
    ["src/**/a"],
    ["**"],
    ["*"],
    ["doc/**/a"],
    ["deep/**/d"],
    ["deep/**/c/"],
    ["**/b/**"],
    ["deep/*/b"],
  ],
  [
    ["build/", "!build/keep"],
    ["build/*", "!build/keep"],
    ["*", "!*.go"],
    ["*", "!src/", "src/*", "!src/a"],
  ],
  [
    ["# comment", "a"],
    ["\\#a"],
    ["\\!a"],
    ["!a"],
    ["a", "!a"],
    ["a", "!a", "a"],
    [""],
    ["   "],
    ["tail "],
    ["tail\\ "],
  ],
  [
    ["x[1]"],
    ["x\\[1\\]"],
    ["a?"],
    ["a[0-9]"],
    ["a[!0-9]"],
    ["a[^0-9]"],
    ["a[-]"],
    ["a[]-]"],
    ["a[[:upper:]]"],
  ],
  [
    ["a[[:alnum:]]"],
    ["a[!]"],
    ["a["],
    ["a[^!]"],
    ["a[\\^]"],
    ["star\\*"],
    ["star*"],
    ["back\\\\slash"],
    ["-"],
  ],
  [
    ["ü"],
    ["[-a]"],
    ["/ü"],
    ["c?md"],
    ["s*c"],
    ["s**c"],
    ["a**"],
    ["**a"],
    ["src/d**/a"],
    ["src//a"],
    ["./a"],
    ["a/"],
  ],
  [
    ["/"],
    ["cmd/", "go.mod", "*.go"],
    ["/deep/a/b/", "!/deep/a/b/c"],
    ["deep/**/"],
    ["**/"],
    ["src/deep/x y"],
    ["a\\"],
  ],
].flat();

describe("the same as git", () => {
  for (const patterns of sets) {
    test(JSON.stringify(patterns), async () => {
      expect(byUs(patterns)).toEqual(await byGit(patterns));
    });
  }
});

describe("files of a build (project-descriptor.md, include and exclude)", () => {
  const taken = (its: Parameters<typeof projectFiles>[0], names: readonly string[]) => {
    const files = projectFiles(its);
    return names.filter((name) =>
      files.takes(name.replace(/\/$/, ""), { isFolder: name.endsWith("/") }),
    );
  };
  const none = { include: undefined, exclude: undefined };
  const all = [
    "a.go",
    "cmd/",
    "cmd/x",
    "spec/",
    "spec/y",
    ".git/",
    ".git/config",
    "node_modules/",
    "web/node_modules/z",
  ];

  test("without a word: all but histories, packages and our own folder", () => {
    expect(taken(none, all)).toEqual(["a.go", "cmd/", "cmd/x", "spec/", "spec/y"]);
  });

  test("exclude: all others; a line with ! takes back what is usually left out", () => {
    expect(taken({ ...none, exclude: ["spec/"] }, all)).toEqual(["a.go", "cmd/", "cmd/x"]);
    expect(taken({ ...none, exclude: ["!node_modules", "cmd"] }, all)).toEqual([
      ...["a.go", "spec/", "spec/y", "node_modules/", "web/node_modules/z"],
    ]);
    expect(taken({ ...none, exclude: [] }, all)).toEqual(taken(none, all));
  });

  test("include: nothing else; folders are looked into, and a pattern may name what is usually left out", () => {
    expect(
      taken({ ...none, include: ["cmd/", "*.go"] }, [...all, "lib/b.go", "node_modules/c.go"]),
    ).toEqual([...["a.go", "cmd/", "cmd/x", "lib/b.go"]]);
    const files = projectFiles({ ...none, include: ["*.go"] });
    expect([files.mayHoldMore("lib"), files.mayHoldMore("node_modules")]).toEqual([true, false]);
    expect(taken({ ...none, include: ["/node_modules/"] }, all)).toEqual(["node_modules/"]);
    expect(taken({ ...none, include: [] }, all)).toEqual([]);
  });
});
