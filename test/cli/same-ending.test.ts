import { expect, test } from "bun:test";
import { sameEnding } from "../../src/cli/servers/same-ending.ts";

test("a machine that is called like servers of this one is told of, before a page is missed", () => {
  const named = (...names: string[]) => names.map((name) => ({ name, source: "NAME" as const }));
  expect(sameEnding("shop", named("web", "shop"))).toStartWith("shop of this machine can still");
  const many = named("a.shop", "b.shop", "c.shop", "d.shop");
  expect(sameEnding("shop", many)).toStartWith("a.shop, b.shop, c.shop and 1 more of this");
  expect(sameEnding("shop", named("workshop", "shop.web"))).toBeUndefined();
  expect(sameEnding("shop", [{ name: "api.shop", source: "remote" }])).toBeUndefined();
});
