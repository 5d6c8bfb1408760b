/** Real folders, whatever is in them -> their projects, found at once and looked at seldom. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkouts } from "../../src/discovery/checkouts.ts";
import { type ProjectFolders, projectFolders } from "../../src/discovery/project-folders.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { repository } from "../support/repository.ts";

let base: string;
let home: string;
const clock = new FakeClock();
let folders: ProjectFolders;

function write(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
}

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "project-folders-")));
  home = join(base, "home/me");
  mkdirSync(home, { recursive: true });
  symlinkSync(home, join(base, "home-link"));
  folders = projectFolders({
    checkouts: checkouts({ uid: process.getuid!(), clock }),
    home: join(base, "home-link"),
    now: () => clock.now(),
    procfs: join(base, "proc"),
    distant: () => (path) => path.startsWith(join(base, "network")),
  });
  write("home/me/package.json", '{"name": "dotfiles"}');
  mkdirSync(join(home, "repo/deep/er"), { recursive: true });
  const repo = await repository(join(home, "repo"));
  await repo.write("page", "");
  await repo.commit("one");
  await repo.git("worktree", "add", "--quiet", "-b", "fix/nav", "../elsewhere");
  await repo.git("worktree", "add", "--quiet", "-b", "agent", "../.agents/a1");
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

let pid = 0;

/** Of a new process, five seconds later. */
function of(path: string) {
  clock.advance(5000);
  pid += 1;
  return folders.of({ pid, cwd: join(base, path) });
}

test("a repository is named by its folder, and a linked worktree by that of the main checkout", () => {
  expect(of("home/me/repo/deep/er")).toMatchObject({
    ...{ name: "repo", folder: join(home, "repo"), label: undefined },
    because: `the git repository ${join(home, "repo")}`,
  });
  expect(of("home/me/elsewhere")).toMatchObject({ name: "repo", label: "fix-nav" });
});

test("the home folder is no project, and what programs keep in it is none, unless it is a checkout", () => {
  expect(of("home/me")).toBeUndefined();
  expect(of("home/me/notes")).toBeUndefined();
  write("home/me/.tool/extension/package.json", '{"name": "extension"}');
  expect(of("home/me/.tool/extension")).toBeUndefined();
  expect(of("home/me/.agents/a1")).toMatchObject({ name: "repo", label: "agent" });
});

test("what cannot be read as a manifest only shows that a project is there", async () => {
  const strange: Record<string, () => void> = {
    torn: () => write("s/torn/package.json", '{"name": "to'),
    binary: () => write("s/binary/package.json", new Uint8Array([0x7b, 0xff, 0xfe, 0x00])),
    list: () => write("s/list/pyproject.toml", "[[[]]]\n= = =\n"),
    huge: () => write("s/huge/package.json", `{"name": "x", "a": "${"a".repeat(1 << 20)}"}`),
    folder: () => mkdirSync(join(base, "s/folder/package.json"), { recursive: true }),
    pipe: () => {
      mkdirSync(join(base, "s/pipe"), { recursive: true });
      Bun.spawnSync(["mkfifo", join(base, "s/pipe/package.json")]);
    },
  };
  for (const [name, make] of Object.entries(strange)) {
    make();
    expect(of(`s/${name}`)).toMatchObject({ name, folder: join(base, "s", name) });
  }
  mkdirSync(join(base, "s/loop"));
  symlinkSync("package.json", join(base, "s/loop/package.json"));
  symlinkSync("nowhere", join(base, "s/loop/go.mod"));
  expect(of("s/loop")).toBeUndefined();
});

test("texts that are made to take long are read at once", () => {
  const long = 1 << 19;
  const slow: Record<string, string> = {
    "pyproject.toml": `[${" ".repeat(long)}\n${" ".repeat(long)}`,
    "Cargo.toml": `${'a"'.repeat(long / 2)}\n${"a ".repeat(long / 2)}`,
    "go.mod": `${" ".repeat(long)}\n${"module ".repeat(long / 10)}`,
    "mix.exs": `${"app: ".repeat(long / 10)}\n${"[".repeat(long)}`,
    "package.json": JSON.stringify({
      name: "ы".repeat(long / 4),
      scripts: { a: "vite".repeat(99) },
    }),
    "composer.json": JSON.stringify({ name: "-".repeat(long) }),
  };
  const began = performance.now();
  for (const [file, text] of Object.entries(slow)) {
    write(`slow/${file.replace(".", "-")}/${file}`, text);
    expect(of(`slow/${file.replace(".", "-")}`)).toBeDefined();
  }
  // On a quiet machine a hundredth of it; a pattern that goes back and forth takes hours.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("a folder that is gone is none, and neither is one of which only the path is the same", () => {
  write("gone/package.json", '{"name": "gone"}');
  expect(of("gone")).toMatchObject({ name: "gone" });
  // As the kernel shows the folder of a process in a container.
  mkdirSync(join(base, "proc/77"), { recursive: true });
  symlinkSync(join(base, "s"), join(base, "proc/77/cwd"));
  expect(folders.of({ pid: 77, cwd: join(base, "gone") })).toBeUndefined();
  rmSync(join(base, "gone"), { recursive: true });
  expect(of("gone")).toBeUndefined();
  expect(folders.isThere(join(base, "gone"))).toBe(false);
});

test("a folder on another computer is not looked at, and makes no project", () => {
  write("network/shop/package.json", '{"name": "shop"}');
  expect(of("network/shop")).toBeUndefined();
});

test("a manifest that is new, changed, or taken away is seen five seconds later", () => {
  const path = "changing/here";
  const look = () => folders.of({ pid: 5, cwd: join(base, path) })?.name;
  const later = () => {
    clock.advance(5000);
    return look();
  };
  write(`${path}/readme`, "");
  expect(look()).toBeUndefined();
  write(`${path}/package.json`, '{"name": "first"}');
  expect(look()).toBeUndefined();
  expect(later()).toBe("first");
  write(`${path}/package.json`, '{"name": "other"}');
  expect(look()).toBe("first");
  expect(later()).toBe("other");
  write("changing/package.json", '{"name": "above", "workspaces": ["*"]}');
  expect(later()).toBe("other");
  rmSync(join(base, path, "package.json"));
  expect(later()).toBe("above");
});
