/** add and service add, with the real program. */
import { expect, test } from "bun:test";
import { chmod, lstat, readdir, rename, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { folder } from "./folder.ts";

const mine = `# Mine.
[project]
name = "shop" # so

[services]
web = "bun dev"   # why
`;

test("a service is added, and every other line stays", async () => {
  await using its = await folder({ "locald.toml": mine });
  expect(
    await its.run(["add", "api", "--port", "3000", "--", "bun", "api.ts", "--x", "a b"]),
  ).toEqual({
    code: 0,
    out: "",
    err: "added api at locald.toml:8\n",
  });
  const api = "\n[services.api]\ncommand = \"bun api.ts --x 'a b'\"\nport = 3000\n";
  expect(await its.text("locald.toml")).toBe(mine + api);
  await its.run(["service", "add", "worker", "jobs", "--", "a && b"], ".");
  const jobs = '\n[services.jobs]\ntype = "worker"\ncommand = "a && b"\n';
  expect(await its.text("locald.toml")).toBe(mine + api + jobs);
  expect((await its.run(["config", "check"])).code).toBe(0);
});

test("a name that is taken is refused, with its line", async () => {
  await using its = await folder({ "locald.toml": mine });
  const { code, err } = await its.run(["add", "web", "--", "x"]);
  expect(code).toBe(1);
  expect(err).toBe(
    "localhostess: the service web exists already at locald.toml:6; edit it there, or choose another name\n",
  );
  expect(await its.text("locald.toml")).toBe(mine);
});

test("what would be an error is not written", async () => {
  await using its = await folder({ "locald.toml": mine });
  const { code, err } = await its.run(["add", "shop", "--", "x ${services.bd.port}"]);
  expect(code).toBe(1);
  expect(err.split("\n")).toEqual([
    "locald.toml:8 services.shop: web already has the address shop.localhost; rename one of them",
    'locald.toml:9 services.shop.command: no service "bd"; the services are web and shop',
    "nothing was written",
    "",
  ]);
  expect(await its.text("locald.toml")).toBe(mine);
});

test("errors that were there before do not stop it", async () => {
  await using its = await folder({ "locald.toml": `x = 1\n${mine}` });
  const { code, err } = await its.run(["add", "api", "--", "x"]);
  expect(code).toBe(0);
  expect(err).toContain(
    "the configuration has other errors; list them with: localhostess config check",
  );
});

test("in an empty folder it begins a file", async () => {
  await using its = await folder({});
  expect((await its.run(["add", "web", "--", "bun dev"])).code).toBe(0);
  expect(await its.text("locald.toml")).toBe(
    '[project]\nname = "shop"\n\n[services.web]\ncommand = "bun dev"\n',
  );
});

test("a Procfile is not pushed aside", async () => {
  await using its = await folder({ Procfile: "web: x\n" });
  const { code, err } = await its.run(["add", "api", "--", "x"]);
  expect(code).toBe(1);
  expect(err).toContain("localhostess init creates one with the services of both");
  expect(await readdir(its.path)).toEqual(["Procfile"]);
});

test("a link stays one, and the file keeps its mode", async () => {
  await using its = await folder({ "locald.toml": mine });
  const [path, real] = [join(its.path, "locald.toml"), join(its.path, "real.toml")];
  await rename(path, real);
  await symlink("real.toml", path);
  await chmod(real, 0o640);
  expect((await its.run(["add", "api", "--", "x"])).code).toBe(0);
  expect((await lstat(path)).isSymbolicLink()).toBe(true);
  expect((await stat(real)).mode & 0o777).toBe(0o640);
  expect((await readdir(its.path)).sort()).toEqual(["locald.toml", "real.toml"]);
});

const types: [words: string[], table: string][] = [
  [["postgres", "db"], '[services.db]\ntype = "postgres"\nversion = 17\n'],
  [
    ["postgres", "db", "15", "-p", "5432"],
    '[services.db]\ntype = "postgres"\nversion = 15\nport = 5432\n',
  ],
  [["redis", "cache"], '[services.cache]\ntype = "redis"\n'],
  [["redis", "cache", "7.2"], '[services.cache]\ntype = "redis"\nversion = "7.2"\n'],
  [
    ["container", "search", "getmeili/meilisearch:v1", "--port", "7700"],
    '[services.search]\ntype = "container"\nimage = "getmeili/meilisearch:v1"\nport = 7700\n',
  ],
  [
    ["container", "search", "img", "--", "serve", "a b"],
    '[services.search]\ntype = "container"\nimage = "img"\ncommand = "serve \'a b\'"\n',
  ],
  [["site", "docs", "dist"], '[services.docs]\ntype = "site"\npath = "dist"\n'],
  [
    ["site", "docs", "dist", "--build", "bun run build"],
    '[services.docs]\ntype = "site"\npath = "dist"\nbuild = "bun run build"\n',
  ],
  [
    ["worker", "mails", "--build", "bun run build", "--", "node", "dist"],
    '[services.mails]\ntype = "worker"\ncommand = "node dist"\nbuild = "bun run build"\n',
  ],
];

for (const [words, table] of types) {
  test(`service add ${words.join(" ")} writes a table that has no error`, async () => {
    await using its = await folder({ "locald.toml": mine });
    expect(await its.run(["service", "add", ...words])).toMatchObject({ code: 0, out: "" });
    expect(await its.text("locald.toml")).toBe(`${mine}\n${table}`);
    expect(await its.run(["config", "check"])).toMatchObject({ code: 0, err: "" });
  });
}

test("a store goes into a list of services on one line as well", async () => {
  const text = 'services = { web = "x" }\n';
  await using its = await folder({ "locald.toml": text });
  expect((await its.run(["add", "cache", "-t", "redis"])).code).toBe(0);
  expect(await its.text("locald.toml")).toBe(
    'services = { web = "x", cache = { type = "redis" } }\n',
  );
});

const wrong: [args: string[], said: string][] = [
  [["add", "api"], "a command is required: localhostess add api -- bun dev"],
  [["add", "my api", "--", "x"], 'such as "my-api"'],
  [["add", "api", "--port", "0", "--", "x"], '--port: expected a number from 1 to 65535, got "0"'],
  [["add", "a", "-t", "worker", "-p", "1", "--", "x"], "--port: a worker has no port"],
  [
    ["service", "add", "postgre", "db"],
    "Allowed choices are exec, process, worker, task, postgres",
  ],
  [
    ["service", "add", "unknown", "db"],
    "Allowed choices are exec, process, worker, task, postgres",
  ],
  [
    ["service", "add", "postgres", "db", "x"],
    "a postgres has no command; only its version may follow",
  ],
  [
    ["service", "add", "container", "db"],
    "an image is required: localhostess service add container",
  ],
  [["service", "add", "site", "docs"], "a folder is required: localhostess service add site docs"],
  [["service", "add", "site", "docs", "a", "b"], "a site has one folder"],
  [["service", "add", "redis", "api", "--build", "y"], "--build: a redis is not built"],
  [["service", "add", "exce", "db"], "Allowed choices are exec, process, worker"],
];

for (const [args, said] of wrong) {
  test(`localhostess ${args.join(" ")} is a usage error`, async () => {
    await using its = await folder({ "locald.toml": mine });
    const { code, err } = await its.run(args);
    expect(code).toBe(2);
    expect(err).toContain(said);
    expect(await its.text("locald.toml")).toBe(mine);
  });
}
