/** Real repositories and worktrees -> the checkouts that folders stand in. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Checkouts, checkouts } from "../../src/discovery/checkouts.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { holdsFor } from "../support/property.ts";
import { opened, type Repository, repository } from "../support/repository.ts";

let base: string;
let shop: Repository;
const clock = new FakeClock();
let its: Checkouts;

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "checkouts-")));
  its = checkouts({ uid: process.getuid!(), clock });
  mkdirSync(join(base, "shop/web"), { recursive: true });
  shop = await repository(join(base, "shop"));
  await shop.write("web/page", "");
  await shop.commit("one");
  await shop.git("worktree", "add", "--quiet", "-b", "feature/x", "../x");
  await shop.git("worktree", "add", "--quiet", "-b", "feature-x", ".worktrees/y");
  await shop.git("worktree", "add", "--quiet", "--detach", "../Loose_one");
  await shop.git("branch", "ann/idle");
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** What is known a second later. */
function of(folder: string) {
  clock.advance(1000);
  return its.of(join(base, folder));
}

test("the main checkout has no label, and a linked worktree its branch's, or its folder's", () => {
  const repository = join(base, "shop/.git");
  const main = join(base, "shop");
  const plain = { root: main, repository, main, label: undefined, branch: "main" };
  expect(of("shop/web")).toEqual(plain);
  const x = { root: join(base, "x"), repository, main, label: "feature-x", branch: "feature/x" };
  expect(of("x/web")).toEqual(x);
  expect(of("shop/.worktrees/y/web")!.label).toMatch(/^feature-x-[0-9a-f]{8}$/);
  expect(of("Loose_one")).toMatchObject({ label: "loose-one", branch: undefined });
  expect(of("")).toBeUndefined();
});

test("worktrees are listed oldest first, and labels are those of all worktrees and branches", () => {
  const repository = join(base, "shop/.git");
  expect(its.worktrees(repository).map(({ root }) => root.slice(base.length))).toEqual([
    "/x",
    "/shop/.worktrees/y",
    "/Loose_one",
  ]);
  const labels = its.labels(repository);
  expect(labels.get("feature-x")).toEqual({ branch: "feature/x", root: join(base, "x") });
  expect(labels.get("main")).toEqual({ branch: "main", root: join(base, "shop") });
  expect(labels.get("ann-idle")).toEqual({ branch: "ann/idle", root: undefined });
  expect(labels.has("loose-one")).toBe(true);
});

test("a branch that is set aside for a rebase is still the worktree's", async () => {
  await shop.git("worktree", "add", "--quiet", "-b", "rebased", "../rebased");
  const own = join(base, "shop/.git/worktrees/rebased");
  writeFileSync(join(own, "HEAD"), `${await shop.git("rev-parse", "HEAD")}\n`);
  mkdirSync(join(own, "rebase-merge"));
  writeFileSync(join(own, "rebase-merge/head-name"), "refs/heads/rebased\n");
  expect(of("rebased")).toMatchObject({ branch: "rebased", label: "rebased" });
  writeFileSync(join(own, "rebase-merge/head-name"), "detached HEAD\n");
  expect(of("rebased")).toMatchObject({ branch: undefined, label: "rebased" });
  await shop.git("worktree", "remove", "--force", "../rebased");
});

test("the label of a time is that of the branch which was checked out then", async () => {
  await shop.git("worktree", "add", "--quiet", "-b", "early/bird", "../then");
  const worktree = opened(join(base, "then"));
  const log = join(base, "shop/.git/worktrees/then/logs/HEAD");
  await worktree.git("switch", "--quiet", "-c", "later");
  const now = of("then")!;
  expect(now).toMatchObject({ label: "later" });
  const at = Date.now();
  expect(its.asOf(now, at - 60_000)).toMatchObject({ label: "early-bird", branch: "early/bird" });
  expect(its.asOf(now, at)).toBe(now);
  expect(its.asOf(of("shop")!, at - 60_000)).toMatchObject({ label: undefined });
  rmSync(log);
  expect(its.asOf(of("then")!, at - 60_000)).toMatchObject({ label: "later" });
  await shop.git("worktree", "remove", "--force", "../then");
});

test("another branch, a removed worktree and a new one are seen a second later", async () => {
  const repository = join(base, "shop/.git");
  await shop.git("worktree", "add", "--quiet", "-b", "short", "../short");
  expect(of("short")).toMatchObject({ label: "short" });
  await opened(join(base, "short")).git("switch", "--quiet", "-c", "other/name");
  expect(of("short")).toMatchObject({ label: "other-name", branch: "other/name" });
  expect(its.labels(repository).has("short")).toBe(true);
  await shop.git("branch", "-D", "short");
  await shop.git("pack-refs", "--all");
  clock.advance(1000);
  const labels = its.labels(repository);
  expect(labels.has("short")).toBe(false);
  expect(labels.has("ann-idle")).toBe(true);
  clock.advance(1000);
  expect(its.labels(repository)).toBe(labels);
  rmSync(join(base, "short"), { recursive: true });
  expect(of("short")).toBeUndefined();
  expect(its.worktrees(repository).some(({ label }) => label === "other-name")).toBe(false);
  // The branch is there without its worktree, which git has not pruned yet.
  expect(its.labels(repository).get("other-name")).toEqual({
    branch: "other/name",
    root: undefined,
  });
});

test("a worktree that was moved by hand keeps its label, and a copy of one has its folder's", async () => {
  await shop.git("worktree", "add", "--quiet", "-b", "moved", "../before");
  renameSync(join(base, "before"), join(base, "after"));
  expect(of("after")).toMatchObject({ label: "moved", branch: "moved" });
  await shop.git("worktree", "repair", "../after");
  expect(of("after")).toMatchObject({ label: "moved" });
  cpSync(join(base, "after"), join(base, "copy"), { recursive: true });
  expect(of("copy")).toMatchObject({ label: "copy" });
  expect(of("after")).toMatchObject({ label: "moved" });
});

test("a worktree whose repository was moved, or which git has forgotten, has its folder's name", async () => {
  mkdirSync(join(base, "one"));
  const one = await repository(join(base, "one"));
  await one.commit("one");
  await one.git("worktree", "add", "--quiet", "-b", "a/branch", "../Of_one");
  renameSync(join(base, "one"), join(base, "two"));
  const common = join(base, "one/.git");
  expect(of("Of_one")).toMatchObject({ label: "of-one", main: undefined, repository: common });
  expect(of("two")).toMatchObject({ label: undefined });
  renameSync(join(base, "two"), join(base, "one"));
  expect(of("Of_one")).toMatchObject({ label: "a-branch" });
  rmSync(join(base, "one/.git/worktrees"), { recursive: true });
  expect(of("Of_one")).toMatchObject({ label: "of-one" });
});

test("paths between a repository and its worktrees may be relative", async () => {
  await shop.git("worktree", "add", "--quiet", "-b", "relative", "../relative");
  const own = join(base, "shop/.git/worktrees/relative");
  writeFileSync(join(base, "relative/.git"), "gitdir: ../shop/.git/worktrees/relative\r\n");
  writeFileSync(join(own, "gitdir"), "../../../../relative/.git\n");
  expect(of("relative")).toMatchObject({ label: "relative" });
  const known = its.worktrees(join(base, "shop/.git"));
  expect(known.map(({ root }) => root)).toContain(join(base, "relative"));
});

test("worktrees of a bare repository have labels, and there is no main checkout", async () => {
  await shop.git("clone", "--quiet", "--bare", ".", "../bare.git");
  mkdirSync(join(base, "beside"));
  await shop.git("clone", "--quiet", "--bare", ".", "../beside/.git");
  const bare = opened(join(base, "bare.git"));
  await bare.git("worktree", "add", "--quiet", "../of-bare", "main");
  await opened(join(base, "beside/.git")).git("worktree", "add", "--quiet", "../main", "main");
  const repository = join(base, "bare.git");
  expect(of("of-bare")).toMatchObject({ repository, main: undefined, label: "main" });
  expect(of("beside/main")).toMatchObject({ main: undefined, label: "main" });
  expect(its.worktrees(repository)).toMatchObject([{ root: join(base, "of-bare") }]);
});

test("a submodule belongs to the checkout around it, also in a linked worktree", async () => {
  mkdirSync(join(base, "part-of-it"));
  const part = await repository(join(base, "part-of-it"), "--separate-git-dir=../separate");
  await part.commit("one");
  expect(of("part-of-it")).toMatchObject({ root: join(base, "part-of-it"), label: undefined });
  const add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
  await shop.git(...add, join(base, "part-of-it"), "part");
  expect(readFileSync(join(base, "shop/part/.git"), "utf8")).toContain("modules/part");
  expect(of("shop/part")).toMatchObject({ root: join(base, "shop"), label: undefined });
  await shop.git("commit", "--quiet", "--message", "with a part");
  await shop.git("worktree", "add", "--quiet", "-b", "with-part", "../with-part");
  const update = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"];
  await opened(join(base, "with-part")).git(...update);
  expect(of("with-part/part")).toMatchObject({ root: join(base, "with-part"), label: "with-part" });
  // A worktree of the submodule itself is one of another repository.
  await opened(join(base, "shop/part")).git(
    "worktree",
    "add",
    "--quiet",
    "-b",
    "p",
    "../../of-part",
  );
  expect(of("of-part")).toMatchObject({ label: "p", main: join(base, "shop/part") });
});

test("a repository inside another is its own, and one inside a linked worktree is that worktree's", async () => {
  mkdirSync(join(base, "shop/vendor/lib"), { recursive: true });
  mkdirSync(join(base, "x/vendor/lib"), { recursive: true });
  await repository(join(base, "shop/vendor/lib"));
  await repository(join(base, "x/vendor/lib"));
  expect(of("shop/vendor/lib")).toMatchObject({ root: join(base, "shop/vendor/lib") });
  expect(of("x/vendor/lib")).toMatchObject({ root: join(base, "x"), label: "feature-x" });
});

test("a link to a checkout leads to it, and a link as .git does too", () => {
  symlinkSync(join(base, "x"), join(base, "link"));
  expect(of("link/web")).toMatchObject({ root: join(base, "x"), label: "feature-x" });
  mkdirSync(join(base, "linked-git"));
  symlinkSync(join(base, "shop/.git"), join(base, "linked-git/.git"));
  expect(of("linked-git")).toMatchObject({ repository: join(base, "shop/.git"), label: undefined });
});

test("a folder named .git without a HEAD is no repository, and what is above it counts", () => {
  mkdirSync(join(base, "x/empty/.git"), { recursive: true });
  expect(of("x/empty")).toMatchObject({ root: join(base, "x") });
});

test("nothing on another computer's disk is looked at", () => {
  const uid = process.getuid!();
  const at = (place: string) =>
    checkouts({ uid, clock, distant: () => (path) => path.startsWith(join(base, place)) });
  expect(at("x").of(join(base, "x/web"))).toBeUndefined();
  expect(at("shop/.git").of(join(base, "x"))).toMatchObject({ label: "x", branch: undefined });
  expect(at("shop/.git").labels(join(base, "shop/.git")).size).toBe(0);
  expect(at("elsewhere").of(join(base, "x"))).toMatchObject({ label: "feature-x" });
});

/** Each makes something in the place of `.git` in a folder under the worktree x. */
const hostile: [what: string, make: (path: string) => void][] = [
  ["an empty file", (path) => writeFileSync(path, "")],
  ["other text", (path) => writeFileSync(path, "hello")],
  ["no path", (path) => writeFileSync(path, "gitdir: ")],
  ["nothing there", (path) => writeFileSync(path, "gitdir: /no/such/folder")],
  ["itself", (path) => writeFileSync(path, "gitdir: .git")],
  ["a device", (path) => writeFileSync(path, "gitdir: /dev/zero")],
  ["the root", (path) => writeFileSync(path, "gitdir: /")],
  ["a NUL", (path) => writeFileSync(path, "gitdir: /tmp\0/x")],
  ["a huge file", (path) => writeFileSync(path, Buffer.alloc(1 << 20, "gitdir: /x\n"))],
  ["no UTF-8", (path) => writeFileSync(path, Buffer.from("gitdir: /\xff", "latin1"))],
  ["a link to a device", (path) => symlinkSync("/dev/zero", path)],
  ["a link to itself", (path) => symlinkSync(".git", path)],
  ["a pipe", (path) => Bun.spawnSync(["mkfifo", path])],
  [
    "a folder that says it is linked",
    (path) => {
      mkdirSync(path);
      writeFileSync(join(path, "HEAD"), "ref: refs/heads/evil\n");
      writeFileSync(join(path, "commondir"), join(base, "shop/.git"));
    },
  ],
  [
    "a folder that nobody may read",
    (path) => {
      mkdirSync(path);
      chmodSync(path, 0o000);
    },
  ],
];

test.each(hostile)(
  "%s as .git ends or goes on with the search, at once and without a label",
  (what, make) => {
    const folder = join(base, "x", `hostile-${what.replaceAll(" ", "-")}`);
    mkdirSync(folder);
    make(join(folder, ".git"));
    const found = of(folder.slice(base.length + 1));
    if (found !== undefined) expect(found).toMatchObject({ root: join(base, "x") });
  },
);

test("files of another user are not read, and their folders are in no repository", () => {
  const others = checkouts({ uid: process.getuid!() + 1, clock });
  expect(others.of(join(base, "x"))?.root).toBe(
    process.getuid!() === 0 ? join(base, "x") : undefined,
  );
  if (process.getuid!() !== 0) return;
  mkdirSync(join(base, "theirs"));
  writeFileSync(join(base, "theirs/.git"), `gitdir: ${join(base, "shop/.git/worktrees/x")}`);
  chownSync(join(base, "theirs/.git"), 1, 1);
  expect(of("theirs")).toBeUndefined();
});

test("any text in .git, commondir, HEAD and gitdir gives a checkout with a valid label, or none", () => {
  const own = join(base, "shop/.git/worktrees/any");
  const root = join(base, "any");
  mkdirSync(own);
  mkdirSync(root);
  const line = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom(own, "../..", "ref: refs/heads/ok", `gitdir: ${own}`, `${root}/.git`, "/"),
    fc.string({ unit: "binary", maxLength: 30 }).map((text) => `ref: refs/heads/${text}`),
  );
  holdsFor(
    fc.property(line, line, line, line, (link, head, common, back) => {
      writeFileSync(join(root, ".git"), link);
      writeFileSync(join(own, "HEAD"), head);
      writeFileSync(join(own, "commondir"), common);
      writeFileSync(join(own, "gitdir"), back);
      const label = of("any")?.label;
      if (label !== undefined) expect(label).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
      for (const its of checkoutsLabels()) expect(its).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
    }),
    { runs: 60 },
  );
});

function checkoutsLabels(): string[] {
  return [...its.labels(join(base, "shop/.git")).keys()];
}
