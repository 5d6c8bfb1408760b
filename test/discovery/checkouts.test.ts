/** Real repositories and worktrees -> the checkouts that folders stand in. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkouts, checkouts } from "../../src/discovery/checkouts.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type Repository, repository } from "../support/repository.ts";

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
