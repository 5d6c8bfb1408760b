/** HEAD of real repositories, and of some that no git has made. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitHead } from "../../src/supervisor/project/git-head.ts";
import { opened, type Repository, repository } from "../support/repository.ts";

let root: string;
let count = 0;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-git-")));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const path = join(root, String(count++));
  await mkdir(path);
  return path;
}

async function committed(...options: string[]): Promise<Repository & { first: string }> {
  const its = await repository(await folder(), ...options);
  await its.write("a", "1");
  return { ...its, first: await its.commit("First") };
}

/** An hour from now: git has come to rest. */
const later = () => Date.now() + 3_600_000;
const headOf = (directory: string, since?: string) => gitHead(directory, { since, now: later() });

async function idOf(directory: string): Promise<string> {
  const its = await headOf(directory);
  if (its.kind !== "head") throw new Error(JSON.stringify(its));
  return its.id;
}

async function whyOf(directory: string): Promise<string> {
  const its = await headOf(directory);
  if (its.kind !== "unknown") throw new Error(JSON.stringify(its));
  return its.why;
}

/** A folder with a `.git` of these files. */
async function forged(files: Record<string, string>): Promise<string> {
  const directory = await folder();
  for (const [path, text] of Object.entries(files)) {
    const whole = join(directory, ".git", path);
    await mkdir(join(whole, ".."), { recursive: true });
    await writeFile(whole, text);
  }
  return directory;
}

describe("HEAD is read", () => {
  test("of a branch, from the folder, one below, and by way of a link to the repository", async () => {
    const its = await committed();
    expect(await headOf(its.directory)).toEqual({
      kind: "head",
      id: its.first,
      committed: false,
      within: undefined,
      busy: false,
    });
    await mkdir(join(its.directory, "below/deep"), { recursive: true });
    expect(await idOf(join(its.directory, "below/deep"))).toBe(its.first);
    const linked = await folder();
    await symlink(join(its.directory, ".git"), join(linked, ".git"));
    expect(await idOf(linked)).toBe(its.first);
  });

  test("detached, packed, and packed where an empty folder has the ref's place", async () => {
    const its = await committed();
    const second = await its.commit("Second");
    await its.git("checkout", "--quiet", "--detach", its.first);
    expect(await idOf(its.directory)).toBe(its.first);
    await its.git("checkout", "--quiet", "main");
    await its.git("branch", "main-line");
    await its.git("pack-refs", "--all");
    expect(await Bun.file(join(its.directory, ".git/refs/heads/main")).exists()).toBe(false);
    expect(await idOf(its.directory)).toBe(second);
    await mkdir(join(its.directory, ".git/refs/heads/main"));
    expect(await idOf(its.directory)).toBe(second);
  });

  test("of a worktree, of a submodule, and with SHA-256", async () => {
    const its = await committed();
    const tree = join(root, `tree-${count++}`);
    await its.git("worktree", "add", "--quiet", "-b", "other", tree);
    await writeFile(join(tree, "b"), "2");
    const commit = await opened(tree).commit("In the tree");
    expect(await idOf(tree)).toBe(commit);
    expect(await idOf(its.directory)).toBe(its.first);
    await its.git("pack-refs", "--all");
    expect(await idOf(tree)).toBe(commit);

    const outer = await committed();
    await outer.git(
      ...["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", its.directory, "sub"],
    );
    expect(await idOf(join(outer.directory, "sub"))).toBe(its.first);
    expect(await idOf(outer.directory)).toBe(outer.first);

    const long = await committed("--object-format=sha256");
    expect(long.first).toHaveLength(64);
    expect(await idOf(long.directory)).toBe(long.first);
  });

  test("before the first commit, and without a repository; a folder .git without HEAD is none", async () => {
    const its = await repository(await folder());
    expect(await idOf(its.directory)).toBe("unborn refs/heads/main");
    const plain = await folder();
    expect(await headOf(plain)).toEqual({ kind: "none" });
    await mkdir(join(plain, ".git"));
    expect(await headOf(plain)).toEqual({ kind: "none" });
    expect(await headOf(join(root, "gone"))).toEqual({ kind: "none" });
  });

  test("where refs are in tables, each change of them is another HEAD", async () => {
    const its = await forged({
      HEAD: "ref: refs/heads/.invalid\n",
      "refs/heads": "this repository uses the reftable format\n",
      "reftable/tables.list": "0x000000000001-0x000000000002-ce23e0c8.ref\n",
    });
    const first = await idOf(its);
    expect(first).toStartWith("reftable ");
    expect(await idOf(its)).toBe(first);
    await writeFile(
      join(its, ".git/reftable/tables.list"),
      "0x000000000001-0x000000000003-1a2b3c4d.ref\n",
    );
    expect(await idOf(its)).not.toBe(first);
    await rm(join(its, ".git/reftable"), { recursive: true });
    expect(await whyOf(its)).toContain("neither in files nor in tables");
  });
});

describe("HEAD cannot be told, and nothing hangs,", () => {
  const sha = "a".repeat(40);

  test.each<[what: string, files: Record<string, string>, why: string]>([
    ["of nothing", { HEAD: "" }, "neither a commit nor"],
    ["of something else", { HEAD: "hello" }, "neither a commit nor"],
    ["of half a hash", { HEAD: sha.slice(1) }, "neither a commit nor"],
    ["where it is huge", { HEAD: "ref: refs/heads/".padEnd(9000, "x") }, "larger than"],
    ["of a branch outside of refs", { HEAD: "ref: ../../secret" }, "names no branch"],
    ["of a branch that climbs", { HEAD: "ref: refs/heads/../../../secret" }, "names no branch"],
    ["of an absolute branch", { HEAD: "ref: /etc/passwd" }, "names no branch"],
    [
      "in a circle",
      {
        HEAD: "ref: refs/heads/a",
        "refs/heads/a": "ref: refs/heads/b",
        "refs/heads/b": "ref: refs/heads/a",
      },
      "in a circle",
    ],
    ["of a broken ref", { HEAD: "ref: refs/heads/a", "refs/heads/a": "x" }, "neither a commit"],
    [
      "of a broken packed-refs",
      { HEAD: "ref: refs/heads/a", "packed-refs": "junk refs/heads/a\n" },
      "neither a commit",
    ],
  ])("%s", async (_, files, why) => {
    expect(await whyOf(await forged(files))).toContain(why);
  });

  test("where HEAD, the ref, packed-refs or .git's link is a pipe, or a link in a circle", async () => {
    const pipe = async (path: string) => {
      await rm(path, { force: true });
      await Bun.$`mkfifo ${path}`;
    };
    const head = await forged({ HEAD: sha });
    await pipe(join(head, ".git/HEAD"));
    expect(await whyOf(head)).toContain("it is a named pipe");
    const ref = await forged({ HEAD: "ref: refs/heads/a", "refs/heads/a": sha });
    await pipe(join(ref, ".git/refs/heads/a"));
    expect(await whyOf(ref)).toContain("it is a named pipe");
    const packed = await forged({ HEAD: "ref: refs/heads/a" });
    await pipe(join(packed, ".git/packed-refs"));
    expect(await whyOf(packed)).toContain("it is a named pipe");
    const loop = await forged({ x: "" });
    await symlink("HEAD", join(loop, ".git/HEAD"));
    expect(await whyOf(loop)).toContain("form a loop");
    // git passes it over.
    const odd = await folder();
    await pipe(join(odd, ".git"));
    expect(await headOf(odd)).toEqual({ kind: "none" });
    const log = await committed();
    await pipe(join(log.directory, ".git/logs/HEAD"));
    expect(await headOf(log.directory, "f".repeat(40))).toMatchObject({ committed: false });
  });

  test("where a link leads to no repository, or says nothing", async () => {
    const lost = await folder();
    await writeFile(join(lost, ".git"), "gitdir: ../nowhere\n");
    expect(await whyOf(lost)).toContain("there is no");
    await writeFile(join(lost, ".git"), "elsewhere\n");
    expect(await whyOf(lost)).toContain("does not say where");
  });

  test.skipIf(process.getuid?.() === 0)("where it is not ours to read", async () => {
    const its = await forged({ HEAD: sha });
    await chmod(join(its, ".git/HEAD"), 0);
    expect(await whyOf(its)).toContain("not yours to read");
  });
});

describe("what has led from one commit to HEAD", () => {
  const since = async (its: Repository, from: string) => {
    const head = await headOf(its.directory, from);
    return head.kind === "head" && head.committed;
  };

  test("is told to be commits alone, with amended ones and new branches among them", async () => {
    const its = await committed();
    await its.commit("Second");
    expect(await since(its, its.first)).toBe(true);
    await its.git("checkout", "--quiet", "-b", "topic");
    await its.commit("Third\n\nwith more", "--amend");
    await its.commit("checkout: moving from main to evil");
    expect(await since(its, its.first)).toBe(true);
    expect(await since(its, "f".repeat(40))).toBe(false);
  });

  test("is told of a first commit", async () => {
    const its = await repository(await folder());
    const before = await idOf(its.directory);
    await its.commit("First");
    expect(await since(its, before)).toBe(true);
  });

  test("is told of a repository that is made where there was none", async () => {
    const directory = await folder();
    const its = await repository(directory);
    expect(await since(its, "none")).toBe(true);
    await its.git("symbolic-ref", "HEAD", "refs/heads/trunk");
    expect(await since(its, "unborn refs/heads/main")).toBe(true);
    await its.commit("First");
    await its.commit("Second");
    expect(await since(its, "none")).toBe(true);
  });

  test.each<[what: string, bring: (its: Repository, from: Repository) => Promise<unknown>]>([
    ["pulled into", (its, from) => its.git("pull", "--quiet", from.directory, "main")],
    [
      "set to what was fetched",
      async (its, from) => {
        await its.git("fetch", "--quiet", from.directory, "main");
        await its.git("reset", "--quiet", "--hard", "FETCH_HEAD");
      },
    ],
    [
      "emptied again, with an orphan branch",
      async (its, from) => {
        await its.git("pull", "--quiet", from.directory, "main");
        await its.git("checkout", "--quiet", "--orphan", "other");
      },
    ],
  ])("is told to be more of a new repository that was %s", async (_, bring) => {
    const from = await committed();
    const its = await repository(await folder());
    await bring(its, from);
    expect(await since(its, "none")).toBe(false);
    await its.commit("Mine");
    expect(await since(its, "none")).toBe(false);
  });

  test.each<[what: string, bring: (its: Repository) => Promise<unknown>]>([
    ["a checkout", (its) => its.git("checkout", "--quiet", "topic")],
    ["a fast-forward", (its) => its.git("merge", "--quiet", "topic")],
    ["a merge", (its) => its.git("merge", "--quiet", "--no-ff", "topic")],
    ["a reset", (its) => its.git("reset", "--quiet", "--hard", "topic")],
    ["a cherry-pick", (its) => its.git("cherry-pick", "topic")],
    ["a rebase", (its) => its.git("rebase", "--quiet", "topic")],
    ["a pull", (its) => its.git("pull", "--quiet", ".", "topic")],
    ["a pull that rebases", (its) => its.git("pull", "--quiet", "--rebase", ".", "topic")],
  ])("is told to be more, where there was %s", async (_, bring) => {
    const its = await committed();
    await its.git("checkout", "--quiet", "-b", "topic");
    await its.write("b", "2");
    await its.commit("Topic");
    await its.git("checkout", "--quiet", "main");
    const from = await idOf(its.directory);
    await bring(its);
    expect(await idOf(its.directory)).not.toBe(from);
    expect(await since(its, from)).toBe(false);
    await its.commit("After it");
    expect(await since(its, from)).toBe(false);
  });

  test("cannot be told where a step of it is not in the log, or the log is of another HEAD", async () => {
    const its = await committed();
    await its.commit("Mine");
    const theirs = await its.git("commit-tree", "HEAD^{tree}", "-p", its.first, "-m", "Theirs");
    await its.git("reset", "--quiet", "--hard", theirs);
    await its.commit("On top");
    const log = join(its.directory, ".git/logs/HEAD");
    const lines = (await Bun.file(log).text()).split("\n");
    const without = async (...whats: string[]) => {
      const left = lines.filter((line) => !whats.some((what) => line.includes(`\t${what}`)));
      await writeFile(log, left.join("\n"));
      return await since(its, its.first);
    };
    expect(await without("reset: ")).toBe(false);
    expect(await without("reset: ", "commit: On top")).toBe(false);
  });

  test("cannot be told where no log of it is kept", async () => {
    const its = await committed();
    await its.commit("Second");
    await rm(join(its.directory, ".git/logs"), { recursive: true });
    expect(await since(its, its.first)).toBe(false);
  });
});

describe("git is told to be at work", () => {
  test("while it holds a lock, and for a moment after its last file", async () => {
    const { directory } = await committed();
    const index = join(directory, ".git/index");
    const busy = async (now: number) => {
      const its = await gitHead(directory, { since: undefined, now });
      return its.kind === "head" && its.busy;
    };
    const written = new Date(1_700_000_000_000);
    await utimes(index, written, written);
    expect(await busy(written.getTime() + 1_900)).toBe(true);
    expect(await busy(written.getTime() + 2_100)).toBe(false);
    for (const lock of ["index.lock", "HEAD.lock", "refs/heads/main.lock"]) {
      const path = join(directory, ".git", lock);
      await writeFile(path, "");
      expect(await busy(written.getTime() + 2_100)).toBe(true);
      await rm(path);
    }
  });

  test("in the middle of a merge, a rebase, a cherry-pick, a revert and a squash", async () => {
    const its = await committed();
    const within = async () => {
      const head = await headOf(its.directory);
      return head.kind === "head" ? head.within : head;
    };
    await its.git("checkout", "--quiet", "-b", "topic");
    await its.write("a", "2");
    const topic = await its.commit("Topic");
    await its.git("checkout", "--quiet", "main");
    await its.write("a", "3");
    await its.commit("Main");
    const stopped = (...args: string[]) => expect(its.git(...args)).rejects.toThrow("");
    await stopped("merge", "topic");
    expect(await within()).toBe("a merge");
    await its.git("merge", "--abort");
    await stopped("rebase", "topic");
    expect(await within()).toBe("a rebase");
    await its.git("rebase", "--abort");
    await stopped("cherry-pick", topic);
    expect(await within()).toBe("a cherry-pick");
    await its.git("cherry-pick", "--abort");
    await stopped("revert", its.first);
    expect(await within()).toBe("a revert");
    await its.git("revert", "--abort");
    expect(await within()).toBeUndefined();
    await its.git("checkout", "--quiet", "-b", "side", its.first);
    await its.git("merge", "--quiet", "--squash", "topic");
    expect(await within()).toBe("a merge");
  });
});
