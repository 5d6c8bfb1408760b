/** The values that a service gives to others: fields of references, and variables of those that depend on it. */
import { expect, test } from "bun:test";
import { mistakes, project, service } from "./manifest.ts";

const shop = (env: string, more = ""): string => `[services]
db = { type = "postgres" }
cache = { type = "redis" }
jobs = { type = "worker", command = "x" }
plain = { type = "container", image = "x" }
search = { type = "container", image = "x", port = 7700 }
[services.web]
command = "x"
${more}
env = { X = '${env}' }
`;

test("the fields that a type gives are read, and make dependencies", () => {
  for (const field of ["url", "port", "host", "user", "password", "database"]) {
    expect(service(shop(`\${services.db.${field}}`), "web").dependsOn).toEqual(["db"]);
  }
  expect(service(shop("${services.search.url}"), "web").dependsOn).toEqual(["search"]);
  expect(service(shop("${services.plain.host}"), "web").dependsOn).toEqual(["plain"]);
});

const wrong: [reference: string, told: string][] = [
  [
    "${services.web.password}",
    "web is an exec, which has no password; its fields are port, host and url",
  ],
  ["${services.jobs.port}", "jobs is a worker and has no port"],
  ["${services.plain.url}", "plain is a container and has no port"],
  [
    "${services.search.user}",
    "search is a container, which has no user; its fields are port, host and url",
  ],
];

for (const [reference, told] of wrong) {
  test(`${reference} is an error with the fields that there are`, () => {
    expect(mistakes(shop(reference))).toEqual([
      `locald.toml:10 services.web.env.X: ${reference}: ${told}`,
    ]);
  });
}

test("a field that no type gives is an error with the nearest", () => {
  expect(mistakes(shop("${services.db.pasword}"))).toEqual([
    'locald.toml:10 services.web.env.X: ${services.db.pasword}: unknown field "pasword"; did you mean "password"?',
  ]);
});

test("a variable that a dependency gives is not reported as not set; that of another is", () => {
  const url = "${env.DATABASE_URL}?ssl=0";
  const told = "${env.DATABASE_URL}: DATABASE_URL is not set";
  expect(mistakes(shop(url, 'depends_on = ["db"]'), { shell: {} })).toEqual([]);
  expect(mistakes(shop(`${url} \${services.db.port}`), { shell: {} })).toEqual([]);
  expect(mistakes(shop(url), { shell: {} })).toEqual([expect.stringContaining(told)]);
  expect(mistakes(shop(url, 'depends_on = ["jobs"]'), { shell: {} })).toEqual([
    expect.stringContaining(told),
  ]);
});

test("a password in a command is a warning: everybody can read that", () => {
  const text = (command: string): string => `[services]
db = { type = "postgres" }
cache = { type = "redis" }
web = { command = "${command}" }
`;
  const told = "everybody on this machine can read the words of a command; use a variable";
  for (const reference of [
    "${services.db.url}",
    "${services.db.password}",
    "${services.cache.url}",
  ]) {
    expect(project(text(`migrate '${reference}'`)).warnings).toEqual([
      `locald.toml:4 services.web.command: ${reference}: ${told}`,
    ]);
  }
  expect(project(text("migrate $DATABASE_URL ${services.db.port}")).warnings).toEqual([]);
});
