/** Accepted plans of plugins, as a layer of a project. */
import { expect, test } from "bun:test";
import { readLayer } from "../../src/manifest/layer.ts";
import type { AcceptedPlan, Plans } from "../../src/manifest/planned.ts";
import { type ReadManifest, readManifest } from "../../src/manifest/read/read-manifest.ts";
import { directory, mistakes, project, read } from "./manifest.ts";

/** The text itself, so that a test sees what counts. */
const fingerprint = (text: string): string => text;
const usual = '[services.cache]\ntype = "cache"\nsize = "big"\n[services.web]\ncommand = "x"\n';

function writtenIn(text: string): string {
  const [its] = writtenServices(read(text));
  return its!.fingerprint;
}

function writtenServices(its: ReadManifest) {
  return its.written ?? [];
}

function plans(
  its: Partial<AcceptedPlan> & { text?: string } = {},
  more: Partial<Plans> = {},
): { plans: Plans } {
  const { text = usual, ...rest } = its;
  const services = {
    cache: { type: "container", image: "redis:7", container_port: 6379, port: 20_001 },
  };
  const plan = { service: "cache", plugin: "redis", written: writtenIn(text), services, ...rest };
  return { plans: { accepted: [plan], asked: [], fingerprint, ...more } };
}

function unusable(text: string, options: { plans: Plans }): string | undefined {
  return project(text, options).services.find(({ name }) => name === "cache")?.unusable;
}

test("the services of a plan stand in the place of the one that it is for", () => {
  const its = project(usual, plans());
  expect(its.services.map(({ name, type, plugin }) => [name, type, plugin])).toEqual([
    ["cache", "container", "redis"],
    ["web", "exec", undefined],
  ]);
  expect(its.services[0]).toMatchObject({ port: 20_001, own: { image: "redis:7", inside: 6379 } });
  expect(its.warnings).toEqual([]);
});

test("dependents name it as if it stood in the file", () => {
  const text = `${usual}depends_on = ["cache"]\nenv.CACHE = "\${services.cache.port}"\n`;
  expect(project(text, plans({ text })).services[1]).toMatchObject({
    dependsOn: ["cache"],
    env: { CACHE: "${services.cache.port}" },
  });
});

test("where no service of the plan has its name, the name stands for all of them", () => {
  const services = { "cache-a": { command: "a" }, "cache-b": { type: "worker", command: "b" } };
  const text = `${usual}depends_on = ["cache"]\nrestart_with = ["cache"]\n`;
  const web = project(text, plans({ services })).services.at(-1)!;
  expect(web.dependsOn).toEqual(["cache-a", "cache-b"]);
  expect(web.restartWith).toEqual(["cache-a", "cache-b"]);
});

test("a value of one that stands for several is refused with their names", () => {
  const services = { "cache-a": { command: "a" }, "cache-b": { command: "b" } };
  const text = `${usual}env.CACHE = "\${services.cache.port}"\n`;
  expect(mistakes(text, plans({ services }))).toEqual([
    "locald.toml:6 services.web.env.CACHE: ${services.cache.port}: a plugin has made 2 services of cache; name one: cache-a or cache-b",
  ]);
});

test("what a person says of dependencies, profiles and disabled holds for each service of the plan", () => {
  const text =
    '[services.cache]\ntype = "cache"\ndisabled = true\nprofiles = ["all"]\ndepends_on = ["web"]\n[services.web]\ncommand = "x"\n';
  const services = {
    cache: { command: "a", depends_on: ["cache-data"] },
    "cache-data": { command: "b", disabled: false },
  };
  const [cache, data] = project(text, plans({ text, services })).services;
  expect(cache).toMatchObject({
    disabled: true,
    profiles: ["all"],
    dependsOn: ["cache-data", "web"],
  });
  expect(data).toMatchObject({ disabled: false, profiles: ["all"], dependsOn: ["web"] });
});

test("what a person awaits of a dependency is joined to what the plan needs, list or table", () => {
  const text =
    '[services.cache]\ntype = "cache"\ndepends_on = { web = "started", task = "completed" }\n[services.web]\ncommand = "x"\n[services.task]\ntype = "task"\ncommand = "y"\n';
  const services = {
    cache: { command: "a", depends_on: ["cache-data"] },
    "cache-data": { command: "b", depends_on: { web: "ready" } },
  };
  const [cache, data] = project(text, plans({ text, services })).services;
  expect(cache!.conditions).toEqual({ "cache-data": "ready", web: "started", task: "completed" });
  expect(data!.conditions).toEqual({ web: "ready", task: "completed" });
});

test("a name that stands for several is awaited as a table says, too", () => {
  const services = { "cache-a": { command: "a" }, "cache-b": { type: "worker", command: "b" } };
  const text = `${usual}depends_on = { cache = "started" }\n`;
  const web = project(text, plans({ text, services })).services.at(-1)!;
  expect(web.conditions).toEqual({ "cache-a": "started", "cache-b": "started" });
});

test("values of a plan say that they are of it", () => {
  const its = read(usual, plans());
  if (its.kind !== "project") throw new Error(its.mistakes.join());
  const { origin } = its.fields.find(({ path }) => path.join(".") === "services.cache.image")!;
  expect(origin).toEqual({ file: "plugin redis", line: 0 });
});

test("mistakes in a plan are those of a file, without a line", () => {
  const services = { cache: { type: "container", image: "redis:7", depends_on: ["db"] } };
  expect(mistakes(usual, plans({ services }))).toEqual([
    'plugin redis services.cache.depends_on[0]: no service "db"; the services are cache and web',
  ]);
});

test("a plan whose service has changed starts nothing, and says what to do", () => {
  const changed = usual.replace("big", "small");
  expect(unusable(changed, plans())).toBe(
    'its plan of the plugin "redis" is out of date: the service has changed since; localhostess up asks for another one',
  );
  expect(project(changed, plans()).warnings).toHaveLength(1);
});

test("a plan goes on where only the order of keys, a comment or another service has changed", () => {
  const other =
    '[services.web]\ncommand = "y"\n# ours\n[services.cache]\nsize = "big"\ntype = "cache"\n';
  expect(unusable(other, plans())).toBeUndefined();
});

test("a plan of a plugin that is gone, or another one, starts nothing", () => {
  expect(unusable(usual, plans({ outdated: "the plugin is not installed any more" }))).toBe(
    'its plan of the plugin "redis" is out of date: the plugin is not installed any more; localhostess up asks for another one',
  );
});

test("a plan that declares a service which a file declares too starts nothing", () => {
  expect(
    unusable(usual, plans({ services: { cache: { command: "a" }, web: { command: "b" } } })),
  ).toBe(
    'its plan of the plugin "redis" declares web, which is declared here too; rename one of both',
  );
});

const asking = '[services.cache]\nplugin = "redis"\nsize = 3\nlist = ["a"]\nport = "any"\n';

test("a service that asks for a plugin and has no plan says so, and keeps no other from starting", () => {
  const none = { plans: { accepted: [], asked: [], fingerprint } };
  expect(unusable(asking, none)).toBe(
    'it is for the plugin "redis"; localhostess up asks it for a plan',
  );
  const unreadable = { plans: { ...none.plans, unreadable: "its plans cannot be read" } };
  expect(unusable(asking, unreadable)).toBe("its plans cannot be read");
});

test("a type that no plugin knows either says which were asked", () => {
  const its = { plans: { accepted: [], asked: ["redis", "site"], fingerprint } };
  expect(unusable('[services.cache]\ntype = "exce"\n', its)).toBe(
    'its type "exce" is unknown, also to the plugins redis and site; did you mean "exec"?',
  );
});

test("a plugin is given the service as it is written, with keys that only it knows", () => {
  expect(
    writtenServices(read(`${asking}depends_on = ["web"]\n[services.web]\ncommand = "x"\n`)),
  ).toMatchObject([
    {
      name: "cache",
      type: undefined,
      plugin: "redis",
      config: { size: 3, list: ["a"], port: "any" },
      dependsOn: ["web"],
    },
  ]);
});

test("services of a type of ours are for a plugin where one has claimed it", () => {
  const text = '[services.db]\ntype = "postgres"\n[services.web]\ncommand = "x"\n';
  expect(writtenServices(read(text))).toEqual([]);
  expect(writtenServices(read(text, { claimed: ["postgres"] }))).toMatchObject([{ name: "db" }]);
});

test("services for plugins are told also where the files have mistakes: a plan may mend them", () => {
  const its = read(`${usual}depends_on = ["cache-a"]\n`);
  expect(its).toMatchObject({ kind: "mistakes", written: [{ name: "cache" }] });
});

test("a port of a plan is the folder's own, also in a linked worktree", () => {
  expect(project(usual, { ...plans(), freesPorts: true }).services[0]!.port).toBe(20_001);
});

test("a layer of a person's counts before the plan is made, not after", () => {
  const layers = [
    readLayer(usual, { name: "locald.toml" }),
    readLayer('[services.cache]\nsize = "small"\n', { name: "locald.local.toml" }),
  ];
  const its = readManifest({ directory, layers, envFiles: new Map() });
  expect(writtenServices(its)).toMatchObject([{ config: { size: "small" } }]);
});

test("an unknown key of a service of ours is still an error", () => {
  expect(mistakes('[services.web]\ncommand = "x"\nsize = 3\n')).toEqual([
    expect.stringContaining("services.web.size: unknown key"),
  ]);
});

test("of two plans with a service of one name, the later one starts nothing", () => {
  const text = `${usual}[services.other]\ntype = "cache"\n`;
  const [first, second] = writtenServices(read(text));
  const accepted = [first!, second!].map((its): AcceptedPlan => ({
    ...{ service: its.name, plugin: "redis", written: its.fingerprint },
    services: { made: { command: its.name } },
  }));
  const { services } = project(text, { plans: { accepted, asked: [], fingerprint } });
  expect(services.map(({ name, command }) => [name, command])).toEqual([
    ["made", "cache"],
    ["web", "x"],
    ["other", ""],
  ]);
});
