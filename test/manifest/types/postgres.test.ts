/** `type = "postgres"`: its keys, and what is wrong with them. */
import { expect, test } from "bun:test";
import { directory, mistakes, project, read, service } from "../manifest.ts";

const table = (keys: string): string => `[services.db]\ntype = "postgres"\n${keys}\n`;

test("without a key it is the usual major, with the database postgres", () => {
  expect(service(table(""), "db")).toMatchObject({
    type: "postgres",
    own: {
      kind: "postgres",
      major: 17,
      database: "postgres",
      init: [],
      settings: {},
      extensions: [],
    },
    command: "",
    routeName: undefined,
  });
});

test("every key is read, a version as a number or a text, paths from the project's folder", () => {
  const text = table(`version = "15"
port = 5432
database = "shop_dev"
init = ["schema.sql", "/srv/seed.sql"]
settings = { shared_buffers = "256MB", fsync = false, max_connections = 20, search_path = "" }
extensions = ["pg_trgm", "uuid-ossp"]`);
  expect(service(text, "db")).toMatchObject({
    port: 5432,
    own: {
      major: 15,
      database: "shop_dev",
      init: [`${directory}/schema.sql`, "/srv/seed.sql"],
      settings: { shared_buffers: "256MB", fsync: "off", max_connections: "20", search_path: "" },
      extensions: ["pg_trgm", "uuid-ossp"],
    },
  });
  expect(service(table('version = 16\ninit = "schema.sql"'), "db").own).toMatchObject({
    major: 16,
    init: [`${directory}/schema.sql`],
  });
});

test("settings of two layers are one table", () => {
  const text = `[services.db]
type = "postgres"
[services.db.settings]
fsync = "off"
`;
  expect(service(text, "db").own).toMatchObject({ settings: { fsync: "off" } });
});

const wrong: [keys: string, told: string][] = [
  ["version = 8", "version: expected a major version of PostgreSQL, such as 17"],
  ['version = "15.2"', "version: expected a major version of PostgreSQL, such as 17"],
  ['version = "latest"', 'version: expected a version such as 17 or "7.2"'],
  ["version = true", 'version: expected a version such as 17 or "7.2", got true'],
  ["version = -1", 'version: expected a version such as 17 or "7.2"'],
  ['database = ""', "database: expected a name, got an empty string"],
  [
    'database = "a b"',
    'database: expected a name of letters, digits, "_" and "-" that begins with a letter',
  ],
  [`database = "${"a".repeat(64)}"`, "database: expected a name of letters"],
  ["init = 3", "init: expected a path or a list of paths, got 3"],
  ['init = [""]', "init[0]: expected a path, got an empty string"],
  ['settings = "x"', 'settings: expected a table such as { shared_buffers = "256MB" }, got "x"'],
  ["settings = []", 'settings: expected a table such as { shared_buffers = "256MB" }, got []'],
  ["settings = { a = [] }", "settings.a: expected a string, a number, true or false, got []"],
  ['settings = { a = "1\\nb = 2" }', "settings.a: a setting is one line, without NUL"],
  ['extensions = ["a; b"]', 'extensions[0]: expected an extension such as "pg_trgm"'],
  ['image = "postgres:17"', "image: only for a service of type "],
  ['path = "dist"', 'path: only for a service of type "site"'],
  ['command = "x"', "command: its program is not declared; settings says how it runs"],
  ['stop_signal = "SIGTERM"', "stop_signal: it is ended by the signal that its program ends"],
  ["lazy = true", "lazy: it has no address, so that no request could start it"],
  ["idle_timeout = 5", "idle_timeout: it receives no requests, so that it is never idle"],
  ["instances = 2", "instances: two of it would share their data"],
  ['inputs = ["x"]', "inputs: only a task has inputs"],
  ['guard = "off"', "guard: it has no address, so that no request reaches it"],
  ['schedule = "* * * * *"', "schedule: a server runs all the time"],
];

for (const [keys, told] of wrong) {
  test(`${keys.slice(0, 60)} is an error with its line`, () => {
    expect(mistakes(table(keys))).toEqual([
      expect.stringContaining(`locald.toml:3 services.db.${told}`),
    ]);
  });
}

test("a setting's name is a word", () => {
  expect(mistakes(table('settings = { "a b" = 1 }'))).toEqual([
    'locald.toml:3 services.db.settings: "a b" is no setting\'s name',
  ]);
});

test("a thousand settings are read as one", () => {
  const keys = Array.from({ length: 1000 }, (_, at) => `a${at} = ${at}`).join(", ");
  const { own } = service(table(`settings = { ${keys} }`), "db");
  expect(Object.keys((own as { settings: object }).settings)).toHaveLength(1000);
});

test("its checks may be any, and it may wait, be watched and be limited as every service", () => {
  const text = table(`health_check = "pg_isready"
watch = ["schema.sql"]
restart = "always"
disabled = true
limits = { memory = "1G" }
stop_timeout = 30`);
  expect(project(text).warnings).toEqual([]);
});

test("its values are told once each, without defaults that would be errors in a file", () => {
  const its = read(table("settings = { fsync = false }"));
  if (its.kind !== "project") throw new Error(its.mistakes.join("\n"));
  const keys = its.fields.map(({ path }) => path.slice(2).join(".")).filter((key) => key !== "");
  expect(keys).toEqual([...new Set(keys)]);
  expect(keys).toContain("settings.fsync");
  expect(keys).toContain("restart");
  for (const key of ["stop_signal", "lazy", "workdir"]) expect(keys).not.toContain(key);
});
