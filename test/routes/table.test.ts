import { expect, test } from "bun:test";
import { routeTable } from "../../src/routes/table.ts";
import { testService, testSupervised } from "../support/test-proxy.ts";

function tableOf(...names: string[]) {
  return routeTable(names.map((name, index) => testService(name, { port: 3000 + index })));
}

test("a name leads to its service", () => {
  expect(tableOf("api", "web").find("web")?.name).toBe("web");
});

test("a name under a service's name leads there too", () => {
  expect(tableOf("api").find("x.y.api")?.name).toBe("api");
});

test("the longest name wins", () => {
  const table = tableOf("api", "shop.api", "shop");
  expect(table.find("shop.api")?.name).toBe("shop.api");
  expect(table.find("x.shop.api")?.name).toBe("shop.api");
  expect(table.find("other.api")?.name).toBe("api");
});

test("a name ends at a dot, not in a word", () => {
  const table = tableOf("api");
  for (const name of ["myapi", "my-api", "api.x", "api-x", "", ".", "x."]) {
    expect(table.find(name)).toBeUndefined();
  }
});

test("what is not routable is listed and leads nowhere", () => {
  const table = routeTable([
    { ...testService("bad name", { port: 1 }), routable: false },
    testService("api", { port: 2 }),
  ]);
  expect(table.services.map(({ name }) => name)).toEqual(["bad name", "api"]);
  expect(table.names).toEqual(["api"]);
  expect(table.find("bad name")).toBeUndefined();
});

test("names are in order", () => {
  expect(tableOf("web", "api", "db").names).toEqual(["api", "db", "web"]);
});

test("names that objects are born with lead nowhere", () => {
  for (const name of ["constructor", "__proto__", "tostring", "x.constructor"]) {
    expect(tableOf("api").find(name)).toBeUndefined();
  }
});

test("the empty table has nothing", () => {
  expect(tableOf().names).toEqual([]);
  expect(tableOf().find("api")).toBeUndefined();
});

test("known are services that run, reachable or not, and declared names, once each", () => {
  const seen = [
    testService("web", { port: 1 }),
    { ...testService("lost", { port: 2 }), routable: false },
  ];
  expect(routeTable(seen, { declared: ["web", "api"] }).known()).toEqual(["api", "lost", "web"]);
  // The hosts file maps names of others to this machine, too.
  expect(routeTable(seen, { answersBare: new Set(["vm"]) }).known()).toEqual(["lost", "web"]);
});

test("no shorter name answers for one that is kept for a place at which nobody is", () => {
  const services = ["shop", "web.db.shop"].map((name, index) =>
    testService(name, { port: 3000 + index }),
  );
  const table = routeTable(services, { kept: new Set(["db.shop", "shop"]) });
  expect(
    ["db.shop", "x.db.shop", "web.db.shop", "x.shop"].map((name) => table.find(name)?.name),
  ).toEqual([undefined, undefined, "web.db.shop", "shop"]);
});

test("a project that is up has the names under its domain that are kept for a place", () => {
  const web = testSupervised({ service: "web", routeName: "shop" });
  const find = (state: "ready" | "stopped") =>
    routeTable([testService("shop", { port: 3000, pid: web.pid! })], {
      supervised: [{ ...web, state }],
      kept: new Set(["db.shop"]),
    }).supervised("db.shop")?.id;
  expect(find("ready")).toBe(web.id);
  expect(find("stopped")).toBeUndefined();
});

test("a server that is called like another machine answers for itself, and for nothing that is missing there", () => {
  const services = ["box", "api.box", "api"].map((name, index) =>
    testService(name, { port: 3000 + index }),
  );
  // `fix.api.box` was a server there, which has ended.
  const table = routeTable(services, { remotes: new Set(["box", "fix.api.box"]) });
  const led = (name: string) => table.find(name)?.name;
  expect(["box", "api.box", "x.api.box", "x.api"].map(led)).toEqual([
    "box",
    "api.box",
    "api.box",
    "api",
  ]);
  expect(["web.box", "x.y.box", "fix.api.box", "x.fix.api.box"].map(led)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
