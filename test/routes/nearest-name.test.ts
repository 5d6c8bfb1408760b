/** A name that leads nowhere -> the one that was probably meant. */
import { expect, test } from "bun:test";
import { nearestName, routeTable } from "../../src/routes/table.ts";
import { testService } from "../support/test-proxy.ts";

const service = (name: string, its: object) => ({
  ...testService(name, { port: 1 }),
  ...its,
});

test("the name of a folder leads to the server that its project's file names otherwise", () => {
  const table = routeTable([
    service("shop", { source: "folder", cwd: "/srv/Checkout App" }),
    service("checkout-ap", { source: "NAME", cwd: "/srv/other" }),
    service("nas", { source: "NAME", cwd: "/srv/storage" }),
    service("db", { source: "folder", cwd: "/srv/data", routable: false }),
  ]);
  expect(nearestName("checkout-app", table)).toBe("shop");
  expect(nearestName("storage", table)).toBeUndefined();
  expect(nearestName("data", table)).toBeUndefined();
});
