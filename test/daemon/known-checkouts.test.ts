/** Services and projects at each scan -> the checkouts and labels that routes are decided by. */
import { expect, test } from "bun:test";
import { CheckoutsNow } from "../../src/daemon/known-checkouts.ts";
import type { Checkouts } from "../../src/discovery/checkouts.ts";
import type { KnownLabel } from "../../src/routes/checkout.ts";
import type { Service } from "../../src/routes/service.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

/** Every folder is a worktree of the repository that its first part names. */
function git() {
  let labels: ReadonlyMap<string, KnownLabel> = new Map();
  let asked = 0;
  const its: Checkouts = {
    renew() {},
    asOf: (checkout) => checkout,
    of(folder) {
      const repository = `/${folder.split("/")[1]}`;
      return { root: folder, repository, main: repository, label: undefined, branch: undefined };
    },
    worktrees: () => [],
    labels() {
      asked++;
      return labels;
    },
  };
  return {
    its,
    asked: () => asked,
    brings(branch: string) {
      labels = new Map([[branch, { branch, root: undefined }]]);
    },
  };
}

function inWorktree(name: string, label: string | undefined, more: Partial<Service> = {}): Service {
  const checkout = { repository: "/shop", root: `/w/${label}`, label };
  return { ...testService(name, { port: 3000 }), checkout, ...more };
}

test("what is known is the same object until a label or a project's folder is another", () => {
  const shop = git();
  const now = new CheckoutsNow(shop.its);
  const services = [inWorktree("api", undefined)];
  const first = now.taken({ services, supervised: [] });
  expect(now.taken({ services, supervised: [] })).toBe(first);
  shop.brings("new");
  const second = now.taken({ services, supervised: [] });
  expect(second).not.toBe(first);
  expect(second.labels("/shop").has("new")).toBe(true);
  expect(second.labels("/other").size).toBe(0);
  const supervised = [testSupervised({ directory: "/other/web" })];
  const third = now.taken({ services, supervised });
  expect(third).not.toBe(second);
  expect(third.of("/other/web")).toMatchObject({ repository: "/other" });
  expect(third.labels("/other").has("new")).toBe(true);
  expect(third.of("/elsewhere")).toBeUndefined();
});

test("the name of a worktree's server is remembered after its end, and no other name", () => {
  const now = new CheckoutsNow(git().its);
  const services = [
    inWorktree("fix.api", "fix"),
    inWorktree("mine", "fix"),
    inWorktree("lost.api", "lost", { routable: false }),
    inWorktree("api", undefined),
  ];
  now.taken({ services, supervised: [] });
  const { left } = now.taken({ services: [], supervised: [] });
  expect(left!("fix.api")).toMatchObject({ root: "/w/fix", label: "fix" });
  for (const name of ["mine", "lost.api", "api"]) expect(left!(name)).toBeUndefined();
});

test("names that have ended and repositories are remembered up to a limit", () => {
  const shop = git();
  const now = new CheckoutsNow(shop.its);
  for (let at = 0; at < 1_001; at++) {
    now.taken({ services: [inWorktree(`fix.api-${at}`, "fix")], supervised: [] });
  }
  const { left } = now.taken({ services: [], supervised: [] });
  expect(left!("fix.api-0")).toBeUndefined();
  expect(left!("fix.api-1")).toBeDefined();
  const before = shop.asked();
  const many = Array.from({ length: 100 }, (_, at) => testSupervised({ directory: `/r${at}/web` }));
  now.taken({ services: [], supervised: many });
  expect(shop.asked() - before).toBe(64);
});
