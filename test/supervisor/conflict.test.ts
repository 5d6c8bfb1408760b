import { describe, expect, test } from "bun:test";
import type { ProjectSpec } from "../../src/manifest/project.ts";
import { conflictOf } from "../../src/supervisor/project/conflict.ts";
import { projectSpec } from "./fake-project.ts";

const shop = projectSpec([{ name: "api" }]);
const found = (spec: ProjectSpec, ...others: ProjectSpec[]) =>
  conflictOf(spec, { others, tlds: ["test"] });

describe("a project cannot be up beside another", () => {
  test("of its name, and hears of both folders", () => {
    const twin = { ...shop, directory: "/other" };
    expect(found(twin, shop)).toBe(
      "two projects are named shop: /shop and /other; give one another name with localhostess up --name <name>, or stop the other",
    );
  });

  test("of its domain", () => {
    const other = { ...projectSpec([], "other"), domain: shop.domain };
    expect(found(other, shop)).toContain("two projects have the domain shop.localhost");
  });

  test("that has one of its addresses, under another ending too", () => {
    const other = projectSpec([{ name: "x", routeName: "api.shop" }], "other");
    expect(found(other, shop)).toContain("two services have the address api.shop.localhost");
  });

  test("whose domain lies over or under its own, unless its folder lies so too", () => {
    const under = { ...projectSpec([], "inner"), domain: "inner.shop.localhost" };
    const why = "inner.shop.localhost of /inner lies under shop.localhost";
    expect(found(under, shop)).toContain(why);
    expect(found(shop, under)).toContain(why);
    expect(found({ ...under, domain: "inner.shop.test" }, shop)).toContain("lies under");
    expect(found({ ...under, directory: "/shop/inner" }, shop)).toBeUndefined();
    expect(found(shop, { ...under, directory: "/shop/inner" })).toBeUndefined();
  });

  test("and a worktree of its repository may have its label in front, but none of its addresses", () => {
    const main = { ...shop, checkout: { repository: "/shop/.git", root: "/shop" } };
    const checkout = { repository: "/shop/.git", root: "/shop.nav", label: "nav" };
    const linked = { ...projectSpec([], "nav.shop"), directory: "/shop.nav", checkout };
    expect(found(linked, main)).toBeUndefined();
    expect(found(main, linked)).toBeUndefined();
    const other = { ...linked, checkout: { ...checkout, repository: "/other/.git" } };
    expect(found(other, main)).toContain("lies under shop.localhost");
    const api = { ...projectSpec([{ name: "jobs" }], "api.shop"), directory: "/shop.api" };
    const same = { ...api, checkout: { ...checkout, label: "api" } };
    for (const why of [found(same, main), found(main, same)]) {
      expect(why).toStartWith(
        "api.shop.localhost is the domain of /shop.api and the address of a service in /shop;",
      );
    }
  });
});

test("a project goes with itself as it was, with others, and with workers that have no address", () => {
  expect(found(shop, shop, projectSpec([{ name: "api" }], "blog"))).toBeUndefined();
  const worker = { name: "mail", type: "worker", routeName: undefined } as const;
  expect(found(projectSpec([worker], "one"), projectSpec([worker], "two"), shop)).toBeUndefined();
});
