/** The names for the hosts file: all that a person would type, in the form that a resolver is asked for. */
import { expect, test } from "bun:test";
import { hostNames, isHostName, mostNames, type Routed } from "../../src/helper/host-names.ts";
import { routeTable } from "../../src/routes/table.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

function named({ services = [], supervised = [], tlds = [], origins }: Partial<Routed>): Routed {
  return { services, supervised, tlds, origins };
}

test("servers that are listed with an address have their names, under each domain", () => {
  const services = [
    testService("web", { port: 1 }),
    testService("api.shop", { port: 2 }),
    { ...testService("no one's", { port: 3 }), routable: false },
  ];
  expect(hostNames(named({ services, tlds: ["test"] })).names).toEqual([
    "api.shop.localhost",
    "api.shop.test",
    "web.localhost",
    "web.test",
  ]);
});

test("services of projects have theirs while they are up or a request starts them, stores and instances too", () => {
  const supervised = [
    testSupervised({ service: "db", type: "postgres", routeName: undefined }),
    testSupervised({ service: "worker", type: "process", routeName: "worker.shop" }),
    testSupervised({ service: "mail", routeName: "mail.shop", state: "stopped" }),
    testSupervised({ service: "docs", routeName: "docs.shop", state: "stopped", lazy: true }),
    testSupervised({ service: "failed", routeName: "failed.shop", state: "failed" }),
    testSupervised({
      service: "web-2",
      routeName: "web-2.shop",
      instance: { of: "web", number: 2, routeName: "shop" },
    }),
  ];
  expect(hostNames(named({ supervised })).names).toEqual([
    "db.shop.localhost",
    "docs.shop.localhost",
    "failed.shop.localhost",
    "shop.localhost",
    "web-2.shop.localhost",
  ]);
});

test("a plain name has an address too where a worktree's server can be seen there", () => {
  const services = [testService("fix.shop", { port: 1, label: "fix" })];
  const checkouts = {
    of: () => undefined,
    labels: () => new Map(),
    worktrees: () => [{ label: "fix", root: "/srv/fix" }],
  };
  const { origins } = routeTable(services, { checkouts: checkouts as never });
  expect(origins?.all.map((its) => its.name)).toEqual(["shop"]);
  expect(hostNames(named({ services, origins })).names).toEqual([
    "fix.shop.localhost",
    "shop.localhost",
  ]);
});

test("what a hosts file may not have is left out, and told", () => {
  const long = "a".repeat(64);
  const services = ["my_api", long, "sound"].map((name) => testService(name, { port: 1 }));
  expect(hostNames(named({ services }))).toEqual({
    names: ["sound.localhost"],
    leftOut: [`${long}.localhost`, "my_api.localhost"],
  });
  const many = Array.from({ length: mostNames + 2 }, (_, index) =>
    testService(`s${10_000 + index}`, { port: 1 }),
  );
  const its = hostNames(named({ services: many }));
  expect(its.names).toHaveLength(mostNames);
  expect(its.leftOut).toEqual([
    `s${10_000 + mostNames}.localhost`,
    `s${10_001 + mostNames}.localhost`,
  ]);
});

test("a host name is labels with dots between", () => {
  for (const name of ["a.localhost", "a-1.b.test", `${"a".repeat(63)}.localhost`]) {
    expect(isHostName(name)).toBe(true);
  }
  for (const name of [
    ...["localhost", "", "a", ".localhost", "a..localhost", "A.localhost", "-a.localhost"],
    ...["a-.localhost", "a b.localhost", "a.localhost.", "a\n.localhost", "ä.localhost", "a.*"],
    ...[`${"a".repeat(64)}.localhost`, `${"a.".repeat(125)}localhost`],
  ]) {
    expect(isHostName(name)).toBe(false);
  }
});
