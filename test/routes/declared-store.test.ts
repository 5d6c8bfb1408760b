/** Requests to the name that a project's store would have, if it spoke HTTP. */
import { expect, test } from "bun:test";
import { decide } from "../../src/routes/decide.ts";
import { routeTable, type TableOptions } from "../../src/routes/table.ts";
import { unansweredText } from "../../src/routes/unanswered.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const cache = testSupervised({
  ...{ id: "shop:cache", service: "cache", type: "redis", routeName: undefined, port: 20_763 },
});
const web = testSupervised({
  ...{ id: "shop:web", service: "web", routeName: "shop", port: 3000, listens: [3000] },
});

function of(name: string, options: TableOptions, services = [testService("x", { port: 1 })]) {
  const table = routeTable(services, options);
  return decide({ host: `${name}.localhost`, port: undefined, mode: "direct" }, table, []);
}

test("it is told which protocol it speaks and where it is reached; no shorter name answers for it", () => {
  for (const supervised of [[cache], [cache, web]]) {
    const decision = of("cache.shop", { supervised });
    if (decision.kind !== "unknown") throw new Error(decision.kind);
    expect(decision).toMatchObject({ kind: "unknown", name: "cache.shop", quiet: false });
    expect(unansweredText(decision.unanswered!)).toBe(
      "shop:cache speaks the protocol of Redis, and not HTTP; it is reached at localhost:20763",
    );
  }
});

test("names under it, and those of other services, are as they were", () => {
  const supervised = [cache, web];
  expect(of("x.cache.shop", { supervised }).kind).toBe("proxy");
  expect(of("other.shop", { supervised }).kind).toBe("proxy");
});

test("a server that has that name answers for it", () => {
  const own = testService("cache.shop", { port: 4000 });
  expect(of("cache.shop", { supervised: [] }, [own]).kind).toBe("proxy");
  const named = testSupervised({ id: "shop:cache", service: "cache", routeName: "cache.shop" });
  expect(of("cache.shop", { supervised: [named] }).kind).not.toBe("unknown");
});

test("in a worktree it has the worktree's label", () => {
  const its = { ...cache, project: "fix-nav.shop", domain: "fix-nav.shop.localhost" };
  expect(of("cache.fix-nav.shop", { supervised: [its] })).toMatchObject({
    unanswered: { kind: "store", id: "shop:cache", protocol: "Redis" },
  });
});

test("minio and mailpit speak HTTP, and a worker is no store", () => {
  for (const type of ["minio", "mailpit", "worker"] as const) {
    const decision = of("cache.shop", { supervised: [{ ...cache, type }] });
    expect(decision).toMatchObject({ kind: "unknown" });
    expect(decision).not.toHaveProperty("unanswered");
  }
});
