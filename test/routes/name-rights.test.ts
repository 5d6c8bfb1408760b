/** Names under the domain of a project that is up are the project's, whoever starts a server of such a name. */
import { describe, expect, test } from "bun:test";
import { decide } from "../../src/routes/decide.ts";
import { isInside, isUnder, projectOwning, withRights } from "../../src/routes/name-rights.ts";
import type { Service } from "../../src/routes/service.ts";
import type { Supervised } from "../../src/routes/supervised.ts";
import { routeTable } from "../../src/routes/table.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

const up = testSupervised({ pid: 50, port: 4000, listens: [4000] });

/** A server in another folder: a clone of a repository that nobody has looked at. */
function clone(name: string, more: Partial<Service> = {}): Service {
  return { ...testService(name, { port: 3000 }), pids: [99], cwd: "/srv/clone", ...more };
}

function judged(services: Service[], supervised: Supervised[] = [up], tlds: string[] = []) {
  return withRights(services, { tlds, supervised });
}

function portOf(host: string, services: Service[], supervised: Supervised[] = [up]) {
  const table = routeTable(services, { supervised });
  const decision = decide({ host, port: undefined, mode: "direct" }, table, []);
  return decision.kind === "proxy" ? decision.service.endpoint.port : decision.kind;
}

describe("while the project is up", () => {
  test.each(["api.shop", "x.shop", "x.api.shop", "shop"])(
    "another folder's server named %s is listed with the reason, and not routed to",
    (name) => {
      const [row] = judged([clone(name)]);
      expect(row).toMatchObject({ name, routable: false });
      expect(row!.warnings[0]).toBe(
        "shop is up, and names under shop.localhost are for what runs in its folder /srv/shop; start this there, or give it another NAME",
      );
    },
  );

  test.each<[name: string, routable: boolean]>([
    ["fix.shop", true],
    ["fix.web.shop", true],
    // Labels that the project has a service for, or that are not in front.
    ["api.shop", false],
    ["x.fix.shop", false],
    ["web.shop", false],
  ])(
    "a server of another worktree of its repository named %s is routed to: %p",
    (name, routable) => {
      const repository = "/srv/shop/.git";
      const project = { ...up, checkout: { repository, root: "/srv/shop" } };
      const checkout = { repository, root: "/srv/fix", label: name === "api.shop" ? "api" : "fix" };
      const judge = (its: Service) =>
        withRights([its], { tlds: [], supervised: [project] })[0]!.routable;
      expect(judge(clone(name, { checkout }))).toBe(routable);
      expect(judge(clone(name, { checkout: { ...checkout, repository: "/other" } }))).toBe(false);
      expect(judge(clone(name, { checkout, user: 7 }))).toBe(false);
      // Of a project in no repository, nothing is known.
      expect(judged([clone(name, { checkout })])[0]!.routable).toBe(false);
    },
  );

  test("requests go to the project's service, and to nobody where it has none of that name", () => {
    expect(portOf("api.shop.localhost", [clone("api.shop")])).toBe(4000);
    expect(portOf("x.api.shop.localhost", [clone("x.api.shop")])).toBe(4000);
    expect(portOf("x.shop.localhost", [clone("x.shop")])).toBe("unknown");
    expect(portOf("shop.localhost", [clone("shop")])).toBe("unknown");
  });

  test.each<[what: string, more: Partial<Service>]>([
    ["in its folder", { cwd: "/srv/shop" }],
    ["in a folder of its folder", { cwd: "/srv/shop/api" }],
    ["that it has started", { pids: [50] }],
    ["that descends from one it has started", { root: 50 }],
    [
      "that listens where its processes were seen to",
      { ...testService("", { port: 4000 }), name: "x.shop", cwd: "/" },
    ],
  ])("a server %s has its name", (_, more) => {
    const services = [clone("x.shop", { ...more })];
    expect(judged(services)).toBe(services);
  });

  test.each<[what: string, more: Partial<Service>]>([
    ["another user's in its folder", { cwd: "/srv/shop", user: 8 }],
    ["one in a folder whose name begins alike", { cwd: "/srv/shop-two" }],
    ["one whose folder is not known", { cwd: undefined }],
  ])("%s has not", (_, more) => {
    expect(judged([clone("x.shop", more)])[0]!.routable).toBe(false);
  });

  test("one that took the name over gives it back to the next that has a right to it", () => {
    const own = clone("x.shop", {
      cwd: "/srv/shop",
      routable: false,
      warnings: ["pid 99 took this name over", "port 1 is also held"],
    });
    const rows = judged([clone("x.shop"), clone("x.shop", { routable: false }), own]);
    expect(rows.map(({ routable }) => routable)).toEqual([false, false, true]);
    expect(rows[2]!.warnings).toEqual(["port 1 is also held"]);
    const invalid = { ...own, name: "bad name.shop" };
    expect(judged([invalid])).toEqual([invalid]);
  });

  test("other names are as they were", () => {
    const services = [clone("myshop"), clone("api"), clone("shop.api")];
    expect(judged(services)).toBe(services);
  });
});

test("a given name and a container's are not routed to either, each with what helps", () => {
  const rows = judged([
    clone("api.shop", { source: "given" }),
    clone("db.shop", { source: "container" }),
  ]);
  expect(rows.map(({ routable, warnings }) => [routable, warnings[0]!.split("; ")[1]])).toEqual([
    [false, "name this one anew with localhostess name, or stop the project"],
    [false, "give this container another by its label localhostess.name"],
  ]);
});

test("the project that a name belongs to is known while it is up", () => {
  const options = { tlds: [], supervised: [up] };
  expect(projectOwning("x.shop", options)).toMatchObject({
    name: "shop",
    domain: "shop.localhost",
  });
  expect(projectOwning("shopping", options)).toBeUndefined();
  const stopped = testSupervised({ state: "stopped" });
  expect(projectOwning("x.shop", { tlds: [], supervised: [stopped] })).toBeUndefined();
});

test("a project is up where something of it runs, or starts with a request", () => {
  const routable = (...supervised: Supervised[]) =>
    judged([clone("x.shop")], supervised)[0]!.routable;
  expect(routable(testSupervised({ state: "stopped" }))).toBe(true);
  expect(routable(testSupervised({ state: "stopped", lazy: true }))).toBe(false);
  expect(routable(testSupervised({ state: "stopped" }), testSupervised({ service: "db" }))).toBe(
    false,
  );
  expect(routable()).toBe(true);
});

test("of two projects, one within the other, each has the names under its own domain", () => {
  const inner = testSupervised({
    project: "admin",
    domain: "admin.shop.test",
    directory: "/srv/shop/admin",
    pid: 60,
    listens: [],
  });
  const names = (cwd: string) =>
    judged([clone("x.admin.shop", { cwd }), clone("x.shop", { cwd })], [up, inner], ["test"]).map(
      ({ routable }) => routable,
    );
  expect(names("/srv/shop/admin")).toEqual([true, true]);
  expect(names("/srv/shop/api")).toEqual([false, true]);
});

test("a name is under a domain at a dot, a path in a folder at a slash", () => {
  expect(["shop", "x.shop", "myshop", "shop.x", ""].map((name) => isUnder(name, "shop"))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(isUnder("x", "")).toBe(false);
  expect(["/a", "/a/b", "/ab", "/"].map((path) => isInside(path, "/a"))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(isInside("/a", "/")).toBe(true);
});
