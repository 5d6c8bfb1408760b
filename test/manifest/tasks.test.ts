import { describe, expect, test } from "bun:test";
import { readLayer } from "../../src/manifest/layer.ts";
import { readProcfile } from "../../src/manifest/procfile.ts";
import { readManifest } from "../../src/manifest/read/read-manifest.ts";
import { directory, mistakes, service } from "./manifest.ts";

const task = '[services.migrate]\ntype = "task"\ncommand = "x"\n';

test("a task has no port, no address, no limit in time, and is not restarted", () => {
  expect(service(task, "migrate")).toMatchObject({
    type: "task",
    port: undefined,
    routeName: undefined,
    startTimeout: undefined,
    restart: "no",
    inputs: [],
  });
  const more = service(`${task}start_timeout = "5m"\ninputs = ["sql", "!sql/*.md"]`, "migrate");
  expect(more).toMatchObject({ startTimeout: 300_000, inputs: ["sql", "!sql/*.md"] });
});

test.each([
  ["port = 3000", "port: a task has no port"],
  ["lazy = true", "lazy: a task has no address"],
  ['idle_timeout = "1m"', "idle_timeout: a task receives no requests"],
  ['health_check = "true"', "health_check: a task has no check"],
  ['health_check = { path = "/" }', "health_check: a task has no check"],
  ['ready_pattern = "x"', "ready_pattern: a task is never ready"],
  ['restart = "always"', "restart: a task is not restarted"],
  ["instances = 2", "instances: a task is run once"],
  ["restart_with = []", "restart_with: a task ends by itself"],
  [
    'watch = ["a"]',
    "watch: no change of a file runs a task; with inputs, the next up runs it again",
  ],
  ['inputs = ["!a"]', 'inputs[0]: "!a" excludes nothing'],
  ['inputs = ["~/a"]', 'inputs[0]: "~/a" begins with ~'],
])("a task cannot have %s", (line, told) => {
  const found = mistakes(`${task}${line}\n`);
  expect(found).toHaveLength(1);
  expect(found[0]).toStartWith(`locald.toml:4 services.migrate.${told}`);
});

test("a task may have a schedule, which no other service can wait for", () => {
  const nightly = `${task}schedule = "@daily"\n`;
  expect(service(nightly, "migrate")).toMatchObject({ schedule: "@daily", restart: "no" });
  expect(mistakes(`${nightly}[services.web]\ncommand = "x"\ndepends_on = ["migrate"]`)).toEqual([
    "locald.toml:7 services.web.depends_on[0]: migrate runs by its schedule, so that no other service can wait for it",
  ]);
});

test("lazy = false is no mistake, and only a task or a build has inputs", () => {
  expect(mistakes(`${task}lazy = false`)).toEqual([]);
  for (const type of ["exec", "worker"]) {
    const text = `[services.a]\ntype = "${type}"\ncommand = "x"\ninputs = ["a"]`;
    expect(mistakes(text)[0]).toContain("services.a.inputs: only a task or a build has inputs;");
  }
});

test("a reference to the port of a task is an error", () => {
  const web = '[services.web]\ncommand = "x ${services.migrate.port}"\n';
  expect(mistakes(`${task}${web}`)).toEqual([
    "locald.toml:5 services.web.command: ${services.migrate.port}: migrate is a task and has no port",
  ]);
});

const others = `${task}
[services.seed]
type = "worker"
restart = "no"
command = "x"
[services.job]
type = "worker"
command = "x"
[services.loop]
type = "worker"
restart = "always"
command = "x"
[services.db]
command = "x"
`;

const web = (dependsOn: string, more = "") =>
  `${others}[services.web]\ncommand = "x"\ndepends_on = ${dependsOn}\n${more}`;

describe("depends_on", () => {
  test("as a list awaits the end of what is there to end, and of all others that they are ready", () => {
    const { dependsOn, conditions } = service(web('["migrate", "seed", "job", "db"]'), "web");
    expect(dependsOn).toEqual(["migrate", "seed", "job", "db"]);
    expect(conditions).toEqual({
      migrate: "completed",
      seed: "completed",
      job: "ready",
      db: "ready",
    });
  });

  test("as a list awaits the sign of a worker that has one", () => {
    for (const sign of ['ready_pattern = "x"', 'health_check = "true"']) {
      const text = `[services.web]\ncommand = "x"\ndepends_on = ["w"]\n[services.w]\ntype = "worker"\nrestart = "no"\ncommand = "x"\n${sign}`;
      expect(service(text, "web").conditions).toEqual({ w: "ready" });
    }
  });

  test("as a table says what is awaited of each", () => {
    const table = '{ db = "ready", migrate = "completed", job = "completed", seed = "started" }';
    const { dependsOn, conditions } = service(web(table), "web");
    expect(dependsOn).toEqual(["db", "migrate", "job", "seed"]);
    expect(conditions).toEqual({
      db: "ready",
      migrate: "completed",
      job: "completed",
      seed: "started",
    });
  });

  test("counts before a reference to the same service", () => {
    const env = 'env = { DB = "${services.db.url}", J = "${services.job.host}" }';
    expect(service(web('{ db = "started" }', env), "web").conditions).toEqual({
      db: "started",
      job: "ready",
    });
  });

  test.each([
    [
      '{ migrate = "ready" }',
      'migrate: migrate is a task, which is never ready: it ends; use "completed" or "started"',
    ],
    ['{ db = "completed" }', 'db: db is a server, which does not end; use "ready" or "started"'],
    [
      '{ loop = "completed" }',
      'loop: loop is started again whenever it ends, as restart is "always"; use "ready" or "started"',
    ],
    ['{ db = "healthy" }', 'db: expected "ready", "completed" or "started", got "healthy"'],
    ["{ db = 1 }", 'db: expected "ready", "completed" or "started", got 1'],
    ['{ bd = "ready" }', 'bd: no service "bd"; did you mean "db"?'],
  ])("cannot be %s", (written, told) => {
    expect(mistakes(web(written))).toEqual([`locald.toml:20 services.web.depends_on.${told}`]);
  });

  test.each(['"db"', "1", "2020-01-01"])("cannot be %s either", (written) => {
    expect(mistakes(web(written))[0]).toContain(
      'services.web.depends_on: expected a list such as ["db"], or a table such as { db = "ready" }',
    );
  });

  test("is merged as a table, and replaced as a list, by a later layer", () => {
    const layer = (text: string, name: string) => readLayer(text, { name });
    const over = (text: string) => {
      const layers = [layer(web('{ db = "started" }'), "a"), layer(text, "b")];
      const read = readManifest({ directory, layers, envFiles: new Map() });
      return read.kind === "project" ? read.project.services.at(-1)!.conditions : read.mistakes;
    };
    expect(over('[services.web.depends_on]\nmigrate = "completed"')).toEqual({
      db: "started",
      migrate: "completed",
    });
    expect(over('[services.web]\ndepends_on = ["job"]')).toEqual({ job: "ready" });
  });

  test("of a circle is reported with its table", () => {
    const text = `[services.a]\ncommand = "x"\ndepends_on = { b = "started" }\n[services.b]\ncommand = "x"\ndepends_on = ["a"]`;
    expect(mistakes(text)[0]).toContain("dependency cycle: a -> b -> a");
  });
});

test("release in a Procfile is a task that only its name runs, and nothing waits for it", () => {
  const layers = [readProcfile("web: serve\nrelease: migrate\nworker: jobs\n", "Procfile")];
  const read = readManifest({ directory, layers, envFiles: new Map() });
  if (read.kind !== "project") throw new Error(read.mistakes.join("\n"));
  const [first, release, worker] = read.project.services;
  expect(release).toMatchObject({ name: "release", type: "task", disabled: true });
  expect(first).toMatchObject({ type: "exec", dependsOn: [] });
  expect(worker).toMatchObject({ type: "process", dependsOn: [] });
});
