/** Services with `instances`: one for each, and how others name them. */
import { expect, test } from "bun:test";
import { mistakes, project } from "./manifest.ts";

const shop = `
[project]
name = "shop"
[services]
web = { command = "serve", instances = 3, env = { DB = "\${services.db.port}" } }
db = "db"
jobs = { type = "worker", command = "jobs", instances = 2, depends_on = ["web"], restart_with = ["web"] }
proxy = { command = "proxy \${services.web.port}", depends_on = ["jobs-2"] }
`;

test("are services of their own, each with a number and an address, behind the one that they share", () => {
  const { services } = project(shop);
  const web = { of: "web", routeName: "shop" };
  expect(services.map(({ name, routeName, instance }) => ({ name, routeName, instance }))).toEqual([
    { name: "web-1", routeName: "web-1.shop", instance: { ...web, number: 1 } },
    { name: "web-2", routeName: "web-2.shop", instance: { ...web, number: 2 } },
    { name: "web-3", routeName: "web-3.shop", instance: { ...web, number: 3 } },
    { name: "db", routeName: "db.shop", instance: undefined },
    {
      name: "jobs-1",
      routeName: undefined,
      instance: { of: "jobs", number: 1, routeName: undefined },
    },
    {
      name: "jobs-2",
      routeName: undefined,
      instance: { of: "jobs", number: 2, routeName: undefined },
    },
    { name: "proxy", routeName: "proxy.shop", instance: undefined },
  ]);
});

test("are all waited for where their name is, and one by its number", () => {
  const all = ["web-1", "web-2", "web-3"];
  const { services } = project(shop);
  const dependencies = Object.fromEntries(services.map((its) => [its.name, its.dependsOn]));
  expect(dependencies).toEqual({
    "web-1": ["db"],
    "web-2": ["db"],
    "web-3": ["db"],
    db: [],
    "jobs-1": all,
    "jobs-2": all,
    proxy: ["jobs-2", ...all],
  });
  expect(services.find((its) => its.name === "jobs-1")!.restartWith).toEqual(all);
});

test("may refer to the first of them, which the others then wait for", () => {
  const { services } = project(
    '[services]\nnode = { command = "x ${services.node-1.port}", instances = 3 }',
  );
  expect(services.map((its) => its.dependsOn)).toEqual([[], ["node-1"], ["node-1"]]);
});

test("of a number that is one are called by it too, so that a second one ends nothing", () => {
  expect(
    project('[services]\nweb = { command = "x", instances = 1, port = 3000 }').services,
  ).toMatchObject([{ name: "web-1", port: 3000 }]);
});

test.each<[what: string, text: string, said: string]>([
  [
    "no number",
    'instances = "many"',
    "services.web.instances: expected a whole number from 1 to 100",
  ],
  ["none", "instances = 0", "expected a whole number from 1 to 100"],
  [
    "a port that they would share",
    "instances = 2\nport = 3000",
    "web.port: 2 instances cannot share a port",
  ],
  [
    "a service that is called like one of them",
    'instances = 2\n[services.web-2]\ncommand = "x"',
    "services.web.instances: it makes web-2, which is declared too",
  ],
  [
    "a service with the address of one of them",
    'instances = 2\n[services.WEB-2]\ncommand = "x"',
    "already has the address web-2.shop.localhost",
  ],
  [
    "another group with the address that they share",
    'instances = 2\n[services.shop]\ncommand = "x"\ninstances = 2',
    "already has the address shop.localhost",
  ],
  [
    "one that is not there",
    'instances = 2\n[services.a]\ncommand = "x"\ndepends_on = ["web-3"]',
    'no service "web-3"',
  ],
  [
    "a cycle among them",
    'instances = 2\ndepends_on = ["web-1"]',
    "dependency cycle: web-1 -> web-1",
  ],
])("%s is a mistake", (_, text, said) => {
  const all = mistakes(`[project]\nname = "shop"\n[services.web]\ncommand = "serve"\n${text}\n`);
  expect(all.join("\n")).toContain(said);
});
