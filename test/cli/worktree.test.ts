/** The verbs about worktrees, with git and a real daemon: what is made, what is refused, and what is left. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyInto } from "../../src/cli/projects/copy-into.ts";
import { ignoreLocal } from "../../src/cli/projects/ignore-local.ts";
import { worktreesIn } from "../../src/cli/projects/recorded-worktrees.ts";
import { usualFolder } from "../../src/cli/shared/repository-here.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { type Repository, repository } from "../support/repository.ts";
import { uniqueName } from "../support/servers.ts";
import { cli, session } from "./cli.ts";

const patience = 120_000;
const name = uniqueName("wood");
let place: DaemonPlace;
let root: string;
let main: string;
let git: Repository;

const toml = `[project]
name = "${name}"
env_file = ".env.local"
[services.t]
type = "worker"
command = "echo token $TOKEN in $PWD; exec sleep 1000"
[worktree]
copy = [".env.local", "certs", "*.key", "none"]
setup = "echo set up in $PWD >>setup.log; test ! -e stuck || { echo it \\"waits\\"; exec sleep 1000; }; test ! -e broken"
teardown = "printf '%s' \\"$PWD\\" >>'../torn'; test ! -e ../keep"
`;

beforeAll(async () => {
  place = await daemonPlace();
  await place.start();
  root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-worktrees-")));
  main = join(root, "main");
  await mkdir(join(main, "certs"), { recursive: true });
  await writeFile(join(main, "locald.toml"), toml);
  await writeFile(join(main, ".gitignore"), "*.key\ncerts\nsetup.log\nstuck\nbroken\n");
  git = await repository(main);
  await git.commit("Wood");
  // Not ignored, as of people who forget that.
  await writeFile(join(main, ".env.local"), "TOKEN=secret\n");
  await writeFile(join(main, "certs/a.pem"), "pem");
  await writeFile(join(main, "one.key"), "key");
  await chmod(join(main, ".env.local"), 0o600);
}, patience);

afterAll(async () => {
  await run(main, "stop", "--all");
  await place[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
}, patience);

const env = () => ({ ...place.env, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` });
const run = (cwd: string, ...words: string[]) => cli(words, { env: env(), cwd });
const here = (...words: string[]) => run(main, ...words);

type Status = { name: string; path: string; state: string };
const rows = async (): Promise<Status[]> =>
  JSON.parse((await here("status", "--all", "--json")).out) as Status[];

test(
  "add makes the worktree with what git does not bring, sets it up and brings it up; remove frees all of it",
  async () => {
    const linked = join(root, "main.fix-nav");
    const added = await here("worktree", "add", "fix/nav");
    expect(added).toMatchObject({ code: 0 });
    expect(added.err).toContain(`made ${linked} for fix/nav (new, from main)`);
    expect(added.err).toContain("copied .env.local, certs, one.key");
    expect(added.err).toContain("not copied: none: there is none");
    expect(added.err).toContain("setup: echo set up in");
    expect(lstatSync(join(linked, ".env.local")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(linked, "certs/a.pem"), "utf8")).toBe("pem");
    expect(readFileSync(join(linked, "setup.log"), "utf8")).toBe(`set up in ${linked}\n`);
    expect((await run(linked, "logs")).out).toContain(`token secret in ${linked}`);
    // Said again, it goes on with what is there.
    await writeFile(join(linked, ".env.local"), "TOKEN=own\n");
    const again = await run(linked, "worktree", "add", "fix/nav");
    expect(again).toMatchObject({ code: 0 });
    expect(again.err).toContain(`fix/nav has its worktree: ${linked}`);
    expect(readFileSync(join(linked, ".env.local"), "utf8")).toBe("TOKEN=own\n");
    const list = JSON.parse((await run(linked, "worktree", "list", "--json")).out) as unknown[];
    expect(list).toEqual([
      { branch: "main", label: null, folder: main, projects: [] },
      {
        ...{ branch: "fix/nav", label: "fix-nav", folder: linked },
        projects: [{ name: `fix-nav.${name}`, up: true, services: 1, ready: 1 }],
      },
    ]);
    // A change of one's own keeps it, and nothing has stopped.
    const refused = await here("worktree", "remove", "fix-nav");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("has what no commit has: .env.local; commit or remove it");
    expect((await rows()).map(({ state }) => state)).toEqual(["ready"]);
    await writeFile(join(linked, ".env.local"), "TOKEN=secret\n");
    await writeFile(join(root, "keep"), "");
    const kept = await here("worktree", "remove", "fix-nav");
    expect(kept.err).toContain("teardown ended with exit code 1; nothing was removed");
    expect((await rows()).map(({ state }) => state)).toEqual(["ready"]);
    await rm(join(root, "keep"));
    const removed = await here("worktree", "remove", "fix-nav");
    expect(removed).toMatchObject({ code: 0, out: `removed ${linked}\n` });
    expect(readFileSync(join(root, "torn"), "utf8")).toEndWith(linked);
    expect(existsSync(linked)).toBe(false);
    expect(await rows()).toEqual([]);
    expect(existsSync(join(place.directory, "logs", `fix-nav.${name}`))).toBe(false);
    expect((await here("registry", "list")).out).not.toContain(linked);
    expect(await git.git("branch", "--list", "fix/nav")).toContain("fix/nav");
  },
  patience,
);

test(
  "a setup that fails, or that Ctrl-C ends, leaves the worktree, and the same command goes on",
  async () => {
    const linked = join(root, "elsewhere");
    await writeFile(join(main, "certs/../broken.key"), "");
    const made = await here("worktree", "add", "late", linked, "--no-setup", "--no-up");
    expect(made).toMatchObject({ code: 0, out: "" });
    expect(existsSync(join(linked, "setup.log"))).toBe(false);
    await writeFile(join(linked, "broken"), "");
    const failed = await here("worktree", "add", "late", "--json");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.out)).toMatchObject({ created: false, setup: "failed", services: [] });
    expect(failed.err).toContain("setup ended with exit code 1; the worktree stays");
    expect(failed.err).toContain("go on with: localhostess worktree add late");
    await rm(join(linked, "broken"));
    await writeFile(join(linked, "stuck"), "");
    await using stuck = session(["worktree", "add", "late"], { env: env(), cwd: main });
    await stuck.until((output) => output.includes("it waits"));
    stuck.type("\x03");
    expect(await stuck.ended()).toBe(1);
    expect(stuck.output()).toContain("setup was interrupted; the worktree stays");
    await rm(join(linked, "stuck"));
    expect(await here("worktree", "add", "late")).toMatchObject({ code: 0 });
    expect((await rows()).map((row) => [row.name, row.path])).toEqual([[`late.${name}:t`, linked]]);
    // From within: the folder of the person is gone then.
    expect(await run(linked, "worktree", "remove", "late")).toMatchObject({ code: 0 });
    expect(await rows()).toEqual([]);
    // Git still counts a folder that was deleted by hand.
    for (const told of ["made", "forgot"]) {
      const anew = await here("worktree", "add", "late", linked, "--no-setup", "--no-up");
      expect(anew).toMatchObject({ code: 0, err: expect.stringContaining(`${told} ${linked}`) });
      await rm(linked, { recursive: true });
    }
    await git.git("worktree", "lock", linked);
    const held = await here("worktree", "add", "late", linked, "--no-setup", "--no-up");
    expect(held.code).toBe(1);
    expect(held.err).toMatch(/^localhostess: no worktree was made: [^\n\\]*locked[^\n\\]*\n$/);
    await git.git("worktree", "unlock", linked);
    await git.git("worktree", "prune");
  },
  patience,
);

test(
  "a name for one folder is a flag's or a variable's, and no later command repeats it",
  async () => {
    const named = (value: string, cwd: string, ...words: string[]) =>
      cli(words, { env: { ...env(), LOCALHOSTESS_PROJECT: value }, cwd });
    const ids = async () => (await rows()).map((row) => row.name);
    for (const [words, said] of [
      [["up", "--name", "a..b"], "--name: a project name is"],
      [["up", "--name", "Localhost"], "--name: localhost is the proxy itself"],
    ] as const) {
      const { code, err } = await here(...words);
      expect([code, err.includes(said)]).toEqual([2, true]);
    }
    expect(await named("a b", main, "up")).toMatchObject({ code: 2 });
    expect(await here("up", "--name", `mine.${name}`)).toMatchObject({ code: 0 });
    expect(await ids()).toEqual([`mine.${name}:t`]);
    for (const words of ["up", `up mine.${name}:t`, "restart t", `restart mine.${name}`, "logs"]) {
      expect([words, (await here(...words.split(" "))).code]).toEqual([words, 0]);
    }
    // It is about the project here, and about no other that is named.
    expect(await named("other", root, "up", "main/")).toMatchObject({ code: 0 });
    expect(await ids()).toEqual([`mine.${name}:t`]);
    const other = await named("other", join(main, "certs"), "up");
    expect(other).toMatchObject({ code: 0 });
    expect(other.err).toContain("LOCALHOSTESS_PROJECT names the project here other\n");
    expect(await ids()).toEqual(["other:t"]);
    expect(await here("up", "--no-name")).toMatchObject({ code: 0 });
    expect(await ids()).toEqual([`${name}:t`]);
    await here("stop");
  },
  patience,
);

describe("nothing is made or removed", () => {
  test.each<[words: string, why: string]>([
    ["add main", "main is checked out in the main checkout"],
    ["add -- -x", "is no name of a branch"],
    ["add a..b", '"a..b" is no name of a branch'],
    ["add new --from nowhere", "--from: nowhere is no commit here"],
    ["add main2 certs", "certs is there already"],
    ["remove main", "is the main checkout, which is never removed"],
    ["remove nowhere", "no worktree is named nowhere"],
  ])("by worktree %s", async (words, why) => {
    const { code, err } = await here("worktree", ...words.split(" "));
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(why);
    expect((await git.git("worktree", "list")).split("\n")).toHaveLength(1);
  });

  test("outside of a repository", async () => {
    for (const words of ["add x", "list", "remove x"]) {
      const { code, err } = await run(root, "worktree", ...words.split(" "));
      expect({ code, err }).toEqual({
        code: 1,
        err: `localhostess: ${root} is in no git repository; git init makes one\n`,
      });
    }
  });

  test("where a commit has no branch, or the worktree is locked", async () => {
    const linked = join(root, "main.loose");
    await git.git("worktree", "add", "--quiet", "--detach", linked);
    await git.git("-C", linked, "commit", "--quiet", "--allow-empty", "--message", "Loose");
    const loose = await here("worktree", "remove", linked);
    expect(loose.err).toContain("is at a commit that no branch has");
    await git.git("worktree", "lock", "--reason", "on a stick", linked);
    const locked = await here("worktree", "remove", "-f", "main.loose");
    expect(locked.err).toContain("is locked (on a stick); first: git worktree unlock");
    await git.git("worktree", "unlock", linked);
    // Also where its folder is gone already, as git alone has it then.
    await rm(linked, { recursive: true });
    expect(await here("worktree", "remove", linked)).toMatchObject({ code: 0 });
  });
});

test(
  "what git alone would delete with a worktree is not deleted unasked: submodules, and other worktrees",
  async () => {
    const [lib, outer] = [join(root, "lib"), join(root, "main.outer")];
    await mkdir(lib);
    await (await repository(lib)).commit("Lib");
    await git.git("worktree", "add", "--quiet", "-b", "outer", outer);
    const local = ["-c", "protocol.file.allow=always"];
    await git.git(...local, "-C", outer, "submodule", "--quiet", "add", lib, "lib");
    await git.git("-C", outer, "commit", "--quiet", "--message", "Lib");
    // What the main checkout has too is not in the way, and would be removed with --force.
    await writeFile(join(outer, ".env.local"), readFileSync(join(main, ".env.local")));
    await git.git("worktree", "add", "--quiet", "-b", "inner", join(outer, "certs/inner"));
    const inner = await here("worktree", "remove", "--force", "outer");
    expect(inner.err).toContain(`has other checkouts in it: ${join(outer, "certs/inner")};`);
    expect(await here("worktree", "remove", "inner")).toMatchObject({ code: 0 });
    const refused = await here("worktree", "remove", "outer");
    expect(refused.err).toContain("has submodules, whose commits may be nowhere else; push them");
    expect(existsSync(join(outer, "lib"))).toBe(true);
    expect(await here("worktree", "remove", "--force", "outer")).toMatchObject({ code: 0 });
  },
  patience,
);

test(
  "a bare repository has worktrees of its own, whether one stands in it or beside it",
  async () => {
    const beside = join(root, "beside");
    await mkdir(beside);
    await git.git("clone", "--quiet", "--bare", main, join(beside, ".bare"));
    await writeFile(join(beside, ".git"), "gitdir: ./.bare\n");
    for (const [cwd, branch] of [
      [beside, "main"],
      [join(beside, ".bare"), "second"],
      [join(beside, "beside.main"), "third"],
    ] as const) {
      const added = await run(cwd, "worktree", "add", branch, "--no-setup", "--no-up");
      expect(added.err).toContain(`made ${join(beside, `beside.${branch}`)} for ${branch}`);
    }
    const list = JSON.parse((await run(beside, "worktree", "list", "--json")).out) as unknown[];
    expect(list).toMatchObject(["main", "second", "third"].map((label) => ({ label })));
  },
  patience,
);

test("a branch that a remote has is followed, by its plain name and by the remote's", async () => {
  const clone = join(root, "clone");
  await git.git("branch", "theirs");
  await git.git("branch", "ours");
  await git.git("clone", "--quiet", main, clone);
  for (const [typed, folder] of [
    ["theirs", "clone.theirs"],
    ["origin/ours", "clone.ours"],
  ] as const) {
    const { code, err } = await run(clone, "worktree", "add", typed, "--no-setup", "--no-up");
    const branch = folder.slice("clone.".length);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(err).toContain(
      `made ${join(root, folder)} for ${branch} (new, follows origin/${branch})`,
    );
  }
});

describe("a copy", () => {
  const copied = async (paths: string[], prepare: (from: string, to: string) => Promise<void>) => {
    const folder = await mkdtemp(join(root, "copy-"));
    const [from, to] = [join(folder, "from/app"), join(folder, "to/app")];
    for (const path of [from, to, join(folder, "outside")]) await mkdir(path, { recursive: true });
    await prepare(from, to);
    const roots = { fromRoot: join(folder, "from"), toRoot: join(folder, "to") };
    const { copied: done, left } = await copyInto(paths, {
      from,
      to,
      ...roots,
      isOver: () => false,
    });
    return { done, left: left.map(({ path, why }) => `${path}: ${why}`), from, to, folder };
  };

  test("never leaves the repository, on either side", async () => {
    const its = await copied(
      ["../../outside/x", "out/x", "in/y", "../z", ".git/config"],
      async (from, to) => {
        await writeFile(join(from, "../../outside/x"), "");
        await writeFile(join(from, "../z"), "z");
        await symlink("../../outside", join(from, "out"));
        await mkdir(join(from, "in"));
        await writeFile(join(from, "in/y"), "");
        await mkdir(join(from, ".git"));
        await writeFile(join(from, ".git/config"), "");
        await symlink("../../outside", join(to, "in"));
      },
    );
    expect(its.done).toEqual(["../z"]);
    expect(its.left).toEqual([
      "../../outside/x: it leads out of the repository",
      "out/x: it leads out of the repository",
      "in/y: it leads out of the repository",
      ".git/config: it belongs to git",
    ]);
    expect(existsSync(join(its.folder, "outside/y"))).toBe(false);
  });

  test("has links as links and modes as they were, takes globs, and overwrites nothing", async () => {
    const its = await copied(["*.env", "deep/**/*.pem", "odd[1].txt", "set"], async (from, to) => {
      await writeFile(join(from, "a.env"), "new");
      await writeFile(join(to, "a.env"), "old");
      await symlink("/nowhere", join(from, ".b.env"));
      await mkdir(join(from, "deep/er"), { recursive: true });
      await writeFile(join(from, "deep/er/c.pem"), "", { mode: 0o640 });
      await writeFile(join(from, "odd[1].txt"), "");
      await mkdir(join(from, "set"));
      await chmod(join(from, "set"), 0o555);
    });
    expect(its.done).toEqual([".b.env", "deep/er/c.pem", "odd[1].txt", "set"]);
    expect(its.left).toEqual(["a.env: it is there already"]);
    expect(readFileSync(join(its.to, "a.env"), "utf8")).toBe("old");
    expect(readlinkSync(join(its.to, ".b.env"))).toBe("/nowhere");
    expect(lstatSync(join(its.to, "deep/er/c.pem")).mode & 0o777).toBe(0o640);
    expect(lstatSync(join(its.to, "set")).mode & 0o777).toBe(0o555);
  });
});

test("git's list is read with its locks, and with a bare repository first", () => {
  const text = `worktree /r/shop.git\nbare\n\nworktree /r/a b\nHEAD ${"0".repeat(40)}\nbranch refs/heads/x/y\nlocked why not\n\nworktree /r/c\nHEAD ${"1".repeat(40)}\ndetached\nlocked\n\n`;
  expect(worktreesIn(text)).toEqual([
    { root: "/r/shop.git", branch: undefined, isMain: true, locked: undefined },
    { root: "/r/a b", branch: "x/y", isMain: false, locked: "why not" },
    { root: "/r/c", branch: undefined, isMain: false, locked: "" },
  ]);
  // As git has it with -z: a path with lines of its own is one path.
  const odd = "/r/x\n\nworktree /home";
  const whole = text.replaceAll("\n", "\0").replace("/r/c", odd);
  expect(worktreesIn(whole).map(({ root }) => root)).toEqual(["/r/shop.git", "/r/a b", odd]);
});

test("a worktree is made beside the main checkout, or in the folder that locald.toml names", () => {
  const its = { main: "/r/shop", repository: "/r/shop/.git", name: "shop" };
  const folderOf = (folder: string) => usualFolder(its, { folder, label: "fix-nav", home: "/h" });
  expect(folderOf("..")).toBe("/r/shop.fix-nav");
  expect(folderOf(".worktrees")).toBe("/r/shop/.worktrees/shop.fix-nav");
  expect(folderOf("/w")).toBe("/w/shop.fix-nav");
  expect(folderOf("~/w")).toBe("/h/w/shop.fix-nav");
  for (const [repository, folder] of [
    ["/r/shop.git", "/r/shop.l"],
    ["/r/shop/.bare", "/r/shop/shop.l"],
  ] as const) {
    const bare = { repository, main: undefined, name: "shop" };
    expect(usualFolder(bare, { folder: "..", label: "l", home: "/h" })).toBe(folder);
  }
});

test("init has git ignore locald.local.toml, once, and only in a repository", async () => {
  const folder = await mkdtemp(join(root, "ignore-"));
  expect(await ignoreLocal(folder)).toEqual({ kind: "none" });
  await repository(folder);
  expect(await ignoreLocal(folder)).toEqual({ kind: "added" });
  const path = join(folder, ".gitignore");
  expect(readFileSync(path, "utf8")).toBe("locald.local.toml\n");
  expect(await ignoreLocal(folder)).toEqual({ kind: "already" });
  await writeFile(path, "dist\r\nx");
  expect(await ignoreLocal(folder)).toEqual({ kind: "added" });
  expect(readFileSync(path, "utf8")).toBe("dist\r\nx\r\nlocald.local.toml\r\n");
  for (const line of ["/locald.local.toml", "*.local.toml", "**/locald.local.toml", "*.local.*"]) {
    await writeFile(path, `${line}\n`);
    expect(await ignoreLocal(folder)).toEqual({ kind: "already" });
  }
  await rm(path);
  await symlink("/etc/hostname", path);
  expect(await ignoreLocal(folder)).toMatchObject({ kind: "left" });
});
