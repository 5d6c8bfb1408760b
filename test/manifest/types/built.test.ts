/** `build` of a command: by a command or by buildpacks; and of a container without a type: what makes its image. */
import { expect, test } from "bun:test";
import { hasAddress, hasPort } from "../../../src/manifest/project.ts";
import { directory, mistakes, project, service } from "../manifest.ts";

function table(keys: string): string {
  return `[services.web]\n${keys}\n`;
}

test("a text is a command that runs first, with the service's inputs", () => {
  const keys = 'command = "node dist"\nbuild = "npm run build"\ninputs = ["src/**"]';
  const { warnings } = project(table(keys));
  expect(warnings).toEqual([]);
  const read = service(table(keys), "web");
  expect(read).toMatchObject({ type: "exec", command: "node dist", routeName: "shop" });
  expect(read.own).toEqual({
    kind: "built",
    build: { kind: "command", command: "npm run build", inputs: ["src/**"] },
  });
  expect([hasPort(read), hasAddress(read)]).toEqual([true, true]);
});

test("a worker and a task are built as well, and stay what they are", () => {
  for (const type of ["worker", "task"]) {
    const read = service(table(`type = "${type}"\ncommand = "x"\nbuild = "make"`), "web");
    expect(read).toMatchObject({ type, own: { kind: "built", build: { command: "make" } } });
    expect([hasPort(read), hasAddress(read), read.routeName]).toEqual([false, false, undefined]);
  }
});

test("a command that only builds needs the command that runs", () => {
  expect(mistakes(table('build = "make"'))).toEqual([
    'locald.toml:1 services.web: command is required, such as command = "bun dev"',
  ]);
});

test("a folder in the place of a command leads to the table that means it", () => {
  expect(mistakes(table('command = "x"\nbuild = "."'))).toEqual([
    'locald.toml:3 services.web.build: expected a command such as "npm run build"; a folder with a Dockerfile is build = { context = "." }',
  ]);
});

test("buildpacks need no command, and build the project's folder", () => {
  const read = service(
    table('build = { buildpacks = ["./node", "https://a.example/b.git#v1"] }'),
    "web",
  );
  expect(read).toMatchObject({ type: "exec", command: "" });
  expect(read.own).toEqual({
    kind: "built",
    build: {
      kind: "buildpacks",
      buildpacks: ["./node", "https://a.example/b.git#v1"],
      context: directory,
      process: undefined,
    },
  });
});

test("an empty table leaves the buildpacks to project.toml", () => {
  expect(service("[services.web.build]\n", "web").own).toMatchObject({
    build: { kind: "buildpacks", buildpacks: [] },
  });
});

test("they build the service's workdir, or the context that is named", () => {
  const contextOf = (keys: string) =>
    (service(table(keys), "web").own as { build: { context: string } }).build.context;
  expect(contextOf('workdir = "api"\nbuild = { process = "web" }')).toBe(`${directory}/api`);
  const both = 'workdir = "api"\nbuild = { buildpacks = ["./b"], context = "app" }';
  expect(contextOf(both)).toBe(`${directory}/app`);
});

const images: [keys: string, build: Record<string, unknown>][] = [
  ['build = { dockerfile = "Dev" }', { kind: "dockerfile", context: directory, dockerfile: "Dev" }],
  [
    'build = { context = "app" }',
    { kind: "dockerfile", context: `${directory}/app`, dockerfile: "Dockerfile" },
  ],
  ['build = { target = "dev", args = { A = "1" } }', { target: "dev", args: { A: "1" } }],
  [
    'build = { builder = "heroku/builder:24" }',
    { kind: "builder", builder: "heroku/builder:24", buildpacks: [], context: directory },
  ],
  [
    'build = { builder = "b", buildpacks = ["./x"], context = "app" }',
    { kind: "builder", builder: "b", buildpacks: ["./x"], context: `${directory}/app` },
  ],
];

for (const [keys, build] of images) {
  test(`${keys} is a container without a type`, () => {
    const read = service(table(`${keys}\nport = 80`), "web");
    expect(read).toMatchObject({
      type: "container",
      own: { kind: "container", build, inside: 80 },
    });
  });
}

const wrong: [what: string, keys: string, told: string][] = [
  [
    "an exec with a Dockerfile",
    'type = "exec"\ncommand = "x"\nbuild = { dockerfile = "D" }',
    'locald.toml:4 services.web.build: dockerfile makes an image; leave out type, or write type = "container"',
  ],
  [
    "a worker with a builder",
    'type = "worker"\ncommand = "x"\nbuild = { builder = "b" }',
    'locald.toml:4 services.web.build: builder makes an image; leave out type, or write type = "container"',
  ],
  [
    "a container with buildpacks alone",
    'type = "container"\nbuild = { buildpacks = ["./x"] }',
    'locald.toml:3 services.web.build: buildpacks run on this machine, or with a builder in a container; leave out type = "container", or add builder = "heroku/builder:24"',
  ],
  [
    "a builder with a Dockerfile",
    'build = { builder = "b", dockerfile = "D" }',
    "locald.toml:2 services.web.build: builder and dockerfile are two ways to make an image; leave out one of them",
  ],
  [
    "buildpacks with a Dockerfile",
    'build = { buildpacks = ["./x"], dockerfile = "D" }',
    "locald.toml:2 services.web.build: buildpacks and dockerfile are two ways to build; leave out one of them",
  ],
  [
    "a process of a builder's image",
    'build = { builder = "b", process = "worker" }',
    'locald.toml:2 services.web.build: process is for buildpacks on this machine; in a container it is entrypoint = "/cnb/process/worker"',
  ],
  [
    "a build of a postgres",
    'type = "postgres"\nbuild = "make"',
    'locald.toml:3 services.web.build: only for a service of type "exec", "process", "worker", "task", "container" or "site"',
  ],
  [
    "inputs beside buildpacks",
    'build = { buildpacks = ["./x"] }\ninputs = ["src"]',
    "locald.toml:3 services.web.inputs: buildpacks look at the whole folder by themselves; project.toml says what is not part of it",
  ],
  [
    "an unknown key",
    'command = "x"\nbuild = { buildpack = ["./x"] }',
    'locald.toml:3 services.web.build.buildpack: unknown key; did you mean "buildpacks"?',
  ],
];

for (const [what, keys, told] of wrong) {
  test(`${what} is an error with its line, and what to write`, () => {
    expect(mistakes(table(keys))).toEqual([told]);
  });
}

test("a reference in the command of a build makes a dependency", () => {
  const db = '[services.db]\ncommand = "x"\n';
  const web = table('command = "x"\nbuild = "migrate ${services.db.url}"');
  expect(service(db + web, "web").dependsOn).toEqual(["db"]);
  expect(mistakes(table('command = "x"\nbuild = "migrate ${services.bd.url}"'))).toHaveLength(1);
});
