import { describe, expect, test } from "bun:test";
import {
  hostsOf,
  type Nameable,
  namesOf,
  noServiceText,
  servicesNamed,
  servicesWithin,
  unquoted,
} from "../../src/routes/named.ts";

const row = (id: string): Nameable => {
  const [project, service] = id.split(":") as [string, string];
  const name = service === "web" ? project : `${service}.${project}`;
  return {
    ...{ id, project, service, directory: `/srv/${project}` },
    hosts: hostsOf([name], `${project}.test`),
  };
};

const rows = ["blog:db", "blog:web", "shop:api", "shop:db", "web:shop"].map(row);

/** The ids, or the sentence. */
function named(word: string, directory: string | null = "/srv/shop"): string[] | string {
  const found = servicesNamed(word, { rows, directory: directory ?? undefined });
  return found.kind === "rows" ? found.rows.map(({ id }) => id) : found.why;
}

describe("a word names", () => {
  test("a service by its id, wherever it is typed", () => {
    expect(named("blog:db")).toEqual(["blog:db"]);
    expect(named("blog:db", null)).toEqual(["blog:db"]);
  });

  test("a service of the project here before another of that name", () => {
    expect(named("db")).toEqual(["shop:db"]);
    expect(named("db", "/srv/blog")).toEqual(["blog:db"]);
  });

  test("a service of another project where it is the only one", () => {
    expect(named("api", "/srv/blog")).toEqual(["shop:api"]);
  });

  test("all instances of a name, wherever it is typed, and one by its number", () => {
    const instances = ["shop:web-1", "shop:web-2"].map((id) => ({ ...row(id), of: "web" }));
    const idsOf = (word: string, directory: string) => {
      const found = servicesNamed(word, { rows: [...rows, ...instances], directory });
      return found.kind === "rows" ? found.rows.map(({ id }) => id) : found.why;
    };
    expect(idsOf("web", "/srv/shop")).toEqual(["shop:web-1", "shop:web-2"]);
    expect(idsOf("shop:web", "/")).toEqual(["shop:web-1", "shop:web-2"]);
    expect(idsOf("web-2", "/")).toEqual(["shop:web-2"]);
    expect(idsOf("web", "/")).toBe(
      'several projects have a service "web": use blog:web or shop:web',
    );
  });

  test("a service before a project of the same name, and else all of a project", () => {
    expect(named("web")).toEqual(["blog:web"]);
    expect(named("shop")).toEqual(["web:shop"]);
    expect(named("blog")).toEqual(["blog:db", "blog:web"]);
  });

  test("a project that has a dot in its name, and a service of it", () => {
    const linked = ["nav.shop:api", "nav.shop:web"].map(row);
    const idsOf = (word: string, directory = "/") => {
      const found = servicesNamed(word, { rows: [...rows, ...linked], directory });
      return found.kind === "rows" ? found.rows.map(({ id }) => id) : found.why;
    };
    for (const word of ["nav.shop", "Nav.Shop"]) {
      expect(idsOf(word)).toEqual(["nav.shop:api", "nav.shop:web"]);
    }
    expect(idsOf("nav.shop:api")).toEqual(["nav.shop:api"]);
    expect(idsOf("shop:api", "/srv/nav.shop")).toEqual(["shop:api"]);
    expect(idsOf("api", "/srv/nav.shop")).toEqual(["nav.shop:api"]);
    expect(idsOf("api")).toBe(
      'several projects have a service "api": use shop:api or nav.shop:api',
    );
    for (const word of ["nav.shop.localhost", "nav.shop.test", "nav.shop/", "http://nav.shop"]) {
      expect(idsOf(word)).toEqual(["nav.shop:web"]);
    }
    expect(idsOf("api.nav.shop")).toEqual(["nav.shop:api"]);
    expect(idsOf("nav.shop:ap")).toBe(
      'no service is named "nav.shop:ap"; did you mean nav.shop:api?',
    );
  });

  test("none where it is in several projects, and it says in which", () => {
    for (const directory of [null, "/elsewhere"]) {
      expect(named("db", directory)).toBe(
        'several projects have a service "db": use blog:db or shop:db',
      );
    }
  });

  test("none, and the nearest id, service or project is offered", () => {
    expect(named("shop:ap")).toBe('no service is named "shop:ap"; did you mean shop:api?');
    expect(named("dbb")).toBe('no service is named "dbb"; did you mean db?');
    expect(named("blgo")).toBe('no service is named "blgo"; did you mean blog?');
    expect(named("qqqqqqqq")).toBe('no service is named "qqqqqqqq"');
    expect(servicesNamed("x", { rows: [], directory: undefined }).kind).toBe("none");
  });

  test.each([
    "api.shop",
    "API.shop.localhost",
    "api.shop.test",
    "api.shop.localhost.",
    "api.shop.localhost:9090",
    "http://api.shop.localhost:9090/users?a=b#c",
    "https://api.shop.test",
    "wss://api.shop.localhost/live",
    "shop:api/docs",
    "SHOP:API",
    "api/docs",
    "Api",
    "api:9090",
  ])("a service by any form of its name: %s", (word) => {
    expect(named(word, "/srv/blog")).toEqual(["shop:api"]);
  });

  test("only the address, where it has the form of one", () => {
    // `db` would be that of this folder.
    expect(named("db.blog")).toEqual(["blog:db"]);
    expect(named("http://db.blog.localhost/")).toEqual(["blog:db"]);
    expect(named("http://blog.localhost/")).toEqual(["blog:web"]);
    expect(named("http://db/")).toBe('no service is named "db"; did you mean db?');
  });

  test("the service that answers a URL, but no other where a name has a slip in it", () => {
    expect(named("http://apii.blog.localhost:9090/")).toEqual(["blog:web"]);
    expect(named("dbb.blog")).toBe('no service is named "dbb.blog"; did you mean db.blog?');
  });

  test("and what is shown of it is printable, in quotes or without", () => {
    expect(named("\x1b[31m")).toBe('no service is named "\\\\x1b[31m"');
    const found = servicesNamed("db", { rows, directory: "/", show: unquoted });
    expect(found).toMatchObject({ why: expect.stringContaining("a service db: use") });
    expect(noServiceText("ap", { names: ["api"], show: unquoted })).toBe(
      "no service is named ap; did you mean api?",
    );
  });
});

test("case tells nothing apart, in what is typed and in what is declared", () => {
  const row = { id: "Shop:Api", project: "Shop", service: "Api", directory: "/" };
  for (const word of ["Shop:Api", "shop:api", "SHOP:API", "api", "API", "shop"]) {
    expect(servicesNamed(word, { rows: [row], directory: undefined })).toEqual({
      kind: "rows",
      rows: [row],
    });
  }
  const shop = { name: "Shop", services: [{ name: "Api" }, { name: "db" }] };
  for (const word of ["Shop:Api", "shop:api", "api", "API", "SHOP:Api", "api/docs"]) {
    expect(servicesWithin(word, shop)).toEqual({ kind: "services", names: ["Api"] });
  }
  const both = { name: "shop", services: [{ name: "api" }, { name: "API" }] };
  expect(servicesWithin("API", both)).toEqual({ kind: "services", names: ["API"] });
});

test("a word names a service of one project, with or without the project's name", () => {
  const shop = { name: "shop", services: [{ name: "api" }, { name: "db" }] };
  expect(servicesWithin("api", shop)).toEqual({ kind: "services", names: ["api"] });
  expect(servicesWithin("shop:api", shop)).toEqual({ kind: "services", names: ["api"] });
  expect(servicesWithin("blog:api", shop)).toMatchObject({ kind: "none" });
  expect(servicesWithin("shop:ap", shop)).toEqual({ kind: "none", hint: "; did you mean api?" });
  expect(servicesWithin("qqqqqqq", shop)).toEqual({ kind: "none", hint: "" });
  const several = {
    name: "shop",
    services: [
      { name: "db" },
      { name: "web-1", instance: { of: "web" } },
      { name: "web-2", instance: { of: "web" } },
    ],
  };
  for (const word of ["web", "shop:web"]) {
    expect(servicesWithin(word, several)).toEqual({ kind: "services", names: ["web-1", "web-2"] });
  }
  expect(servicesWithin("web-2", several)).toEqual({ kind: "services", names: ["web-2"] });
  expect(servicesWithin("wbe", several)).toMatchObject({ hint: "; did you mean web?" });
  expect(namesOf(several.services)).toEqual(["db", "web", "web-1", "web-2"]);
  const routed = {
    ...{ name: "shop", domain: "shop.test" },
    services: [{ name: "api", routeName: "api.shop" }],
  };
  for (const word of ["api.shop", "http://api.shop.test/users", "api/users", "shop:api/users"]) {
    expect(servicesWithin(word, routed)).toEqual({ kind: "services", names: ["api"] });
  }
  // The project's name is taken off at the beginning only.
  expect(servicesWithin("xshop:api", shop)).toMatchObject({ kind: "none" });
});
