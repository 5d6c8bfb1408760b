/** What `up` makes of services that plugins know: plans shown, granted, accepted, put in place and taken away again. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlanEffects } from "../../src/cli/shared/plan-options.ts";
import { plannedProject } from "../../src/cli/shared/plugin-plans.ts";
import { removePlans } from "../../src/cli/shared/put-plans.ts";
import { noColors } from "../../src/cli/shared/world.ts";
import type { Plugin } from "../../src/plugins/installed.ts";
import type { Capability, PluginRequest } from "../../src/plugins/plan.ts";
import { planRecordPath } from "../../src/plugins/plan-place.ts";
import { readPlanRecord } from "../../src/plugins/plan-records.ts";
import { readProject, type ReadProject } from "../../src/supervisor/project/read-project.ts";
import {
  file,
  get,
  image,
  plan,
  port,
  service,
  template,
  text,
  unsigned,
} from "../plugins/plans.ts";

const sha256 = "a1".repeat(32);
const redis: Plugin = {
  ...{ name: "redis", path: "/plugins/redis.wasm", sha256, from: "user", state: "ready" },
  ...{ source: undefined, claims: [], granted: [] },
};
const usual =
  '[services.cache]\ntype = "cache"\n[services.web]\ncommand = "x"\ndepends_on = ["cache"]\n';
const plain = plan([
  port("port", "main"),
  service("svc", {
    name: "cache",
    needs: ["port"],
    command: text("cached"),
    port: get("port", "port"),
  }),
]);
const whole = plan(
  [
    port("port", "main"),
    image("img", "redis:7"),
    template("conf", "port {{port}}\n", { needs: ["port"], port: get("port", "port") }),
    file("write", "made/conf/redis.conf", get("conf", "rendered"), ["conf"]),
    service("svc", {
      name: "cache",
      runtime: "container",
      needs: ["port", "img", "write"],
      image: get("img", "image"),
      container_port: unsigned(6379),
      port: get("port", "port"),
    }),
  ],
  { requested: ["oci-pull", "render-template", "write-file"] },
);
const everything: Capability[] = ["oci-pull", "render-template", "write-file"];
const granted = { plans: { redis: whole }, config: everything };

let root = "";
let directory = "";
let stateDirectory = "";
let told = "";
let questions: string[] = [];
let requests: PluginRequest[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plans-"));
  directory = join(root, "shop");
  stateDirectory = join(root, "state");
  for (const folder of [directory, stateDirectory]) mkdirSync(folder, { mode: 0o700 });
  told = "";
  questions = [];
  requests = [];
});
afterEach(() => rmSync(root, { recursive: true }));

type Given = {
  toml?: string;
  /** By the name of the plugin. */
  plans?: Record<string, unknown>;
  plugins?: Plugin[];
  config?: Capability[];
  answers?: string[];
  busy?: number[];
  own?: number[];
  /** Services are named. */
  some?: boolean;
};

async function up({
  toml = usual,
  plans = { redis: plain },
  ...given
}: Given = {}): Promise<ReadProject> {
  const { plugins = [redis], config = [], answers, busy = [], own = [] } = given;
  writeFileSync(join(directory, "locald.toml"), toml);
  let installed = plugins;
  // As plugins.json has them: what has been accepted counts only with them.
  const keep = (): void => {
    const users = installed.filter(({ from }) => from === "user");
    const theirs = installed.filter(({ from, state }) => from === "project" && state === "ready");
    const rest = ({ claims, granted }: Plugin) => ({ claims, granted });
    const kept = {
      version: 1,
      plugins: Object.fromEntries(
        users.map((its) => [its.name, { sha256: its.sha256, source: "x", ...rest(its) }]),
      ),
      agreed: Object.fromEntries(
        theirs.map((its) => [its.sha256, { name: its.name, ...rest(its) }]),
      ),
    };
    writeFileSync(join(stateDirectory, "plugins.json"), JSON.stringify(kept), { mode: 0o600 });
  };
  keep();
  const left = [...(answers ?? [])];
  const world = {
    err: {
      write(its: string) {
        told += its;
        return true;
      },
      columns: () => 80,
      colors: noColors,
    },
    prompt: async (question: string) => {
      questions.push(question);
      return answers === undefined ? undefined : left.shift();
    },
  };
  const change = (name: string, its: Partial<Plugin>): void => {
    installed = installed.map((one) => (one.name === name ? { ...one, ...its } : one));
    keep();
  };
  const effects: PlanEffects = {
    stateDirectory,
    configFile: "/home/ada/config.toml",
    plugins,
    grantedInConfig: () => config,
    call: async ({ name }, request) => {
      requests.push(request);
      const its = plans[name];
      if (its === undefined)
        return { kind: "answer", value: request.kind === "detect" ? null : undefined };
      if (its === "late") return { kind: "ended", why: "did not answer within 5 s" };
      return {
        kind: "answer",
        value: request.kind === "detect" ? "it is" : { tag: "ok", val: its },
      };
    },
    async agree({ name }) {
      if (plans[name] === "late") return "did not answer within 5 s";
      change(name, { state: "ready" });
      return undefined;
    },
    grant: async ({ name, granted }, more) => change(name, { granted: [...granted, ...more] }),
    isFree: (its) => !busy.includes(its) && !own.includes(its),
    isOwn: async (its) => own.includes(its),
  };
  const home = root;
  const options = { home, stateDirectory };
  const read = await readProject(directory, options);
  const planned = await plannedProject({
    ...{ directory, read, world, effects, some: given.some ?? false },
    again: async (its) => await readProject(directory, { ...options, plans: its }),
  });
  // As `up` prints them after that.
  const warnings = planned.kind === "project" ? planned.project.warnings : [];
  told += warnings.map((text) => `${text}\n`).join("");
  return planned;
}

/** As the daemon reads it. */
async function standing() {
  const read = await readProject(directory, { home: root, stateDirectory });
  if (read.kind !== "project") throw new Error(JSON.stringify(read));
  return read.project;
}

function record() {
  const its = readPlanRecord(stateDirectory, directory);
  if (its.kind !== "record") throw new Error(its.kind);
  return its.record;
}

function portIn(): number {
  return record().plans[0]!.ports.main!;
}

const conf = () => join(directory, "made/conf/redis.conf");

test("a plan is shown, kept for the daemon, and its services stand in the project", async () => {
  const read = await up();
  expect(
    read.kind === "project" && read.project.services.map(({ name, plugin }) => [name, plugin]),
  ).toEqual([
    ["cache", "redis"],
    ["web", undefined],
  ]);
  expect((await standing()).services[0]).toMatchObject({ command: "cached", port: portIn() });
  expect(told).toBe(
    `cache is made by the plugin redis:\n  services.cache.type = "exec"\n  services.cache.command = "cached"\n  services.cache.port = ${portIn()}\n`,
  );
  expect(questions).toEqual([]);
  expect(statSync(planRecordPath(stateDirectory, directory)).mode & 0o777).toBe(0o600);
});

test("as long as nothing has changed, no plugin is called, and nothing is said", async () => {
  await up();
  const before = readFileSync(planRecordPath(stateDirectory, directory));
  told = "";
  requests = [];
  await up();
  expect(requests).toEqual([]);
  expect(told).toBe("");
  expect(readFileSync(planRecordPath(stateDirectory, directory))).toEqual(before);
});

test("a plugin is told the service as it stands there, the project, and what it may do", async () => {
  await up({
    toml: '[project]\nname = "shop"\n[services.cache]\ntype = "cache"\nsize = 3\nenv.A = "b"\ndepends_on = ["web"]\n[services.web]\ncommand = "x"\n',
  });
  const spec = {
    ...{ name: "cache", type: "cache", dependsOn: ["web"] },
    config: [
      ["size", { kind: "signed", value: 3n }],
      ["env.A", { kind: "text", value: "b" }],
    ],
  };
  const context = { workspaceId: "shop", root: directory };
  expect(requests).toEqual([
    { kind: "detect", context, spec },
    {
      kind: "apply",
      context,
      spec,
      irVersions: [1],
      granted: ["declare-service", "allocate-port"],
    },
  ] as unknown as PluginRequest[]);
});

test("a service that has changed has another plan, and the difference is shown", async () => {
  await up();
  told = "";
  const other = plan([
    service("svc", { name: "cache", command: text("other"), "env.A": text("1") }),
  ]);
  await up({ toml: usual.replace("\n", "\nsize = 2\n"), plans: { redis: other } });
  expect(told.split("\n")).toEqual([
    "the plan of the plugin redis for cache has changed:",
    '- services.cache.command = "cached"',
    '+ services.cache.command = "other"',
    '+ services.cache.env.A = "1"',
    expect.stringMatching(/^- services\.cache\.port = \d+$/),
    "",
  ]);
  expect((await standing()).services[0]!.command).toBe("other");
});

test("the daemon starts nothing of a plan whose service or plugin has changed, until up", async () => {
  await up();
  writeFileSync(join(directory, "locald.toml"), usual.replace("\n", "\nsize = 2\n"));
  expect((await standing()).services[0]!.unusable).toContain("the service has changed since");
  await up({ toml: usual.replace("\n", "\nsize = 2\n") });
  expect((await standing()).services[0]!.unusable).toBeUndefined();
  const other = { ...redis, sha256: "b2".repeat(32) };
  await up({ plugins: [other], plans: { redis: "late" } });
  // Another `up` would help only where the plugin answers.
  expect((await standing()).services[0]!.unusable).toBe(
    "the plugin redis did not answer within 5 s; localhostess up asks again",
  );
  expect(told.match(/the plugin redis did not answer within 5 s/g)).toHaveLength(1);
});

test("a service without a plan says why, until the next up", async () => {
  await up({ plans: { redis: "late" } });
  expect((await standing()).services[0]!.unusable).toBe(
    "the plugin redis did not answer within 5 s; localhostess up asks again",
  );
  await up();
  expect((await standing()).services[0]!.unusable).toBeUndefined();
  expect(record().troubles).toEqual({});
});

test("a fault that passes takes away neither the plan before nor its files", async () => {
  await up(granted);
  const before = record();
  await up({ ...granted, toml: usual.replace("\n", "\nsize = 2\n"), plans: { redis: "late" } });
  const troubles = { cache: "the plugin redis did not answer within 5 s" };
  expect(record()).toEqual({ ...before, troubles });
  expect(existsSync(conf())).toBe(true);
  await up({ ...granted, plugins: [{ ...redis, state: "changed" }] });
  expect(told).toContain(
    "cache: the plugin redis has changed since it was installed, and is not run; install it again\n",
  );
  const { troubles: latest, ...rest } = record();
  expect([{ ...rest, troubles: {} }, Object.keys(latest)]).toEqual([before, ["cache"]]);
  await up(granted);
  expect((await standing()).services[0]!.unusable).toBeUndefined();
});

test("errors of a plugin stand in the reason of its service, in one line", async () => {
  await up({ plans: { redis: { ...plain, steps: 1, requestedCapabilities: 2 } } });
  expect((await standing()).services[0]!.unusable).toBe(
    "the plugin redis has given a plan with mistakes: requestedCapabilities: expected a list, got 2; steps: expected a list, got 1; localhostess up asks again",
  );
});

test("where services are named, one whose plugin lacks a grant is in nobody's way", async () => {
  const read = await up({ plans: { redis: whole }, some: true });
  const why = `the plugin redis has not been granted oci-pull, render-template and write-file; to grant it, add [plugins.redis] grant = ["oci-pull", "render-template", "write-file"] to /home/ada/config.toml; localhostess up asks again`;
  expect(read.kind === "project" && read.project.services).toMatchObject([
    { name: "cache", unusable: why },
    { name: "web" },
  ]);
  expect(existsSync(conf())).toBe(false);
  await expect(up({ plans: { redis: whole } })).rejects.toThrow("nothing was started");
  await up({ plans: { redis: whole }, answers: ["y"], some: true });
  expect((await standing()).services[0]!.unusable).toBeUndefined();
});

test("keys of a type that a plugin knows too are no mistakes before it was asked", async () => {
  const toml = '[services.cache]\ntype = "redis"\nsize = 1\n[services.web]\ncommand = "x"\n';
  writeFileSync(join(directory, "locald.toml"), toml);
  await expect(standing()).rejects.toThrow("services.cache.size: unknown key");
  const knowing = { ...redis, claims: ["redis"] };
  await up({ toml: usual, plugins: [knowing] });
  rmSync(planRecordPath(stateDirectory, directory));
  writeFileSync(join(directory, "locald.toml"), toml);
  expect((await standing()).services.map(({ name, unusable }) => [name, unusable])).toEqual([
    ["cache", 'a plugin knows its type "redis" too; localhostess up asks it for a plan'],
    ["web", undefined],
  ]);
  writeFileSync(join(directory, "locald.toml"), `${toml}comand = "y"\n`);
  await expect(standing()).rejects.toThrow("services.web.comand: unknown key");
  await expect(standing()).rejects.not.toThrow("services.cache");
});

test("a plugin that is removed leaves the service without a plan, and it says so", async () => {
  await up();
  rmSync(join(stateDirectory, "plugins.json"));
  expect((await standing()).services[0]!.unusable).toBe(
    'its plan of the plugin "redis" is out of date: the plugin is not installed any more; localhostess up asks for another one',
  );
});

test("what needs a capability is asked at a terminal, and the answer is kept", async () => {
  await up({ plans: { redis: whole }, answers: ["y"] });
  expect(questions).toEqual([
    "cache: the plugin redis asks to have images pulled (oci-pull), fill in templates (render-template) and write files in the project (write-file).\nAllow it, for all projects? [y/N] ",
  ]);
  expect(requests.at(-1)).toMatchObject({
    granted: ["declare-service", "allocate-port", ...everything],
  });
  expect(readFileSync(conf(), "utf8")).toBe(`port ${portIn()}\n`);
  expect(told).toContain("wrote made/conf/redis.conf\n");
  const kept = JSON.parse(readFileSync(join(stateDirectory, "plugins.json"), "utf8"));
  expect(kept.plugins.redis.granted).toEqual(everything);
});

test("where nobody can be asked, or says no, nothing is started, and the lines of the configuration are told", async () => {
  for (const answers of [undefined, ["n"]]) {
    const its = up({
      plans: { redis: whole },
      config: ["oci-pull"],
      ...(answers === undefined ? {} : { answers }),
    });
    await expect(its).rejects.toThrow(
      'cache: the plugin redis has not been granted render-template and write-file; nothing was started. To grant it, add [plugins.redis] grant = ["oci-pull", "render-template", "write-file"] to /home/ada/config.toml',
    );
    expect(existsSync(planRecordPath(stateDirectory, directory))).toBe(false);
    expect(existsSync(conf())).toBe(false);
  }
});

test("a plan that changes and asks for more is asked about again", async () => {
  await up();
  const toml = usual.replace("\n", "\nconf = true\n");
  await expect(up({ toml, plans: { redis: whole } })).rejects.toThrow(
    "has not been granted oci-pull",
  );
  // The plan before is as it was.
  expect(record().plans[0]!.capabilities).toEqual(["allocate-port", "declare-service"]);
  await up({ toml, plans: { redis: whole }, answers: ["yes"] });
  expect(told).toContain('+ services.cache.image = "redis:7"\n');
});

test("a port is the same each time, and another one where somebody else has it", async () => {
  await up(granted);
  const first = portIn();
  await up({ ...granted, toml: usual.replace("\n", "\nsize = 2\n") });
  expect(portIn()).toBe(first);
  await up({ ...granted, own: [first] });
  expect(portIn()).toBe(first);
  await up({ ...granted, busy: [first] });
  expect(portIn()).not.toBe(first);
  expect(readFileSync(conf(), "utf8")).toBe(`port ${portIn()}\n`);
  expect((await standing()).services[0]!.port).toBe(portIn());
});

test("two plans have different ports, and no two services of one name", async () => {
  const toml = `${usual}[services.other]\ntype = "cache"\n`;
  const other = plan([
    port("port", "main"),
    service("svc", {
      name: "made",
      needs: ["port"],
      command: text("x"),
      port: get("port", "port"),
    }),
  ]);
  const plugins = [redis, { ...redis, name: "two", sha256: "b2".repeat(32) }];
  await up({ toml, plugins, plans: { redis: other } });
  expect(told).toContain('step "svc": the service "made" is declared already');
  expect(record().plans.map(({ service: its }) => its)).toEqual(["cache"]);
  const plans = {
    redis: plain,
    two: plan([port("port", "main"), service("svc", { name: "other", command: text("x") })]),
  };
  await up({ toml: `${usual}[services.other]\nplugin = "two"\n`, plugins, plans });
  const [one, two] = record().plans.map((its) => its.ports.main);
  expect(one).not.toBe(two!);
});

test("a file of a plan is made again where it was deleted, and left where a person has changed it", async () => {
  await up(granted);
  rmSync(conf());
  await up(granted);
  expect(existsSync(conf())).toBe(true);
  writeFileSync(conf(), "mine");
  told = "";
  await up({ ...granted, toml: usual.replace("\n", "\nsize = 2\n") });
  expect(readFileSync(conf(), "utf8")).toBe("mine");
  expect(told).toContain(
    "made/conf/redis.conf is left as it is, since you have changed it; delete it to have the plan's\n",
  );
});

test("a person's own file is never written over, nor removed", async () => {
  mkdirSync(join(directory, "made/conf"), { recursive: true });
  writeFileSync(conf(), "mine");
  await up(granted);
  expect(readFileSync(conf(), "utf8")).toBe("mine");
  expect(told).toContain("since it is your own; delete it to have the plan's\n");
  await up({ toml: '[services.web]\ncommand = "x"\n' });
  expect(readFileSync(conf(), "utf8")).toBe("mine");
});

test("no file is written through a symbolic link", async () => {
  const outside = join(root, "outside");
  mkdirSync(outside);
  symlinkSync(outside, join(directory, "made"));
  await up(granted);
  expect(told).toContain("made/conf/redis.conf is not written: made is a symbolic link\n");
  expect(existsSync(join(outside, "conf"))).toBe(false);
});

test("what a plan has written goes with its service, and so do folders that were made for it", async () => {
  await up(granted);
  told = "";
  await up({ toml: '[services.web]\ncommand = "x"\n' });
  expect(told).toBe("removed made/conf/redis.conf\n");
  expect(existsSync(join(directory, "made"))).toBe(false);
  expect(existsSync(planRecordPath(stateDirectory, directory))).toBe(false);
});

test("a folder in which a person has something stays", async () => {
  await up(granted);
  writeFileSync(join(directory, "made/mine"), "");
  await up({ toml: '[services.web]\ncommand = "x"\n' });
  expect(existsSync(join(directory, "made/mine"))).toBe(true);
  expect(existsSync(join(directory, "made/conf"))).toBe(false);
});

test("plans go with their plugin, or with their project", async () => {
  await up(granted);
  expect(await removePlans(stateDirectory, { plugin: { ...redis, name: "other" } })).toEqual({
    written: [],
    removed: [],
    left: [],
  });
  expect((await removePlans(stateDirectory, { plugin: redis })).removed).toEqual([conf()]);
  expect(existsSync(planRecordPath(stateDirectory, directory))).toBe(false);
  await up(granted);
  writeFileSync(conf(), "mine");
  expect(await removePlans(stateDirectory, { directory })).toEqual({
    ...{ written: [], removed: [] },
    left: [`${directory}: made/conf/redis.conf stays, since you have changed it`],
  });
});

test("a file that was not replaced when the program was killed is replaced by the next up", async () => {
  await up(granted);
  // As the record is from before the first file is replaced: the plan is the new one.
  const [its] = record().files;
  const at = planRecordPath(stateDirectory, directory);
  writeFileSync(conf(), "port 1\n");
  const old = new Bun.CryptoHasher("sha256").update("port 1\n").digest("hex");
  const files = [{ ...its!, hashes: [its!.hashes[0]!, old] }];
  writeFileSync(at, JSON.stringify({ version: 1, ...record(), files }));
  await up(granted);
  expect(readFileSync(conf(), "utf8")).toBe(`port ${portIn()}\n`);
  expect(record().files[0]!.hashes.length).toBe(1);
});

test("when a plugin is removed, a record that cannot be read is told", async () => {
  await up(granted);
  writeFileSync(planRecordPath(stateDirectory, directory), "{");
  const { left } = await removePlans(stateDirectory, { plugin: redis });
  expect(left).toEqual([expect.stringContaining("cannot be used: ")]);
  expect(existsSync(conf())).toBe(true);
});

test("a name that differs from another service's in its case stops no other service", async () => {
  const other = plan([service("svc", { name: "WEB", command: text("x") })]);
  const read = await up({ plans: { redis: other } });
  expect(read.kind).toBe("project");
  expect(told).toContain("WEB already has the address shop.localhost; rename one of them");
});

test("two at once end with one plan, and the files that belong to it", async () => {
  await Promise.all([up(granted), up(granted)]);
  expect(readFileSync(conf(), "utf8")).toBe(`port ${portIn()}\n`);
  expect(record().plans).toHaveLength(1);
  told = "";
  await up(granted);
  expect(told).toBe("");
});

test("a project that is moved has a plan for where it is, and its files are known", async () => {
  await up(granted);
  const [port, before] = [portIn(), planRecordPath(stateDirectory, directory)];
  const there = join(root, "moved");
  renameSync(directory, there);
  directory = there;
  told = "";
  await up(granted);
  expect(portIn()).toBe(port);
  expect(told).not.toContain("your own");
  expect(existsSync(before)).toBe(false);
  await up({ toml: '[services.web]\ncommand = "x"\n' });
  expect(existsSync(conf())).toBe(false);
});

test("a plan with mistakes is told whole, and the other services go on", async () => {
  const bad = plan([service("svc", { name: "web", command: text("x"), prot: unsigned(1) })]);
  const read = await up({ plans: { redis: bad } });
  expect(read.kind).toBe("project");
  expect(told).toStartWith(
    'cache: the plugin redis has given a plan with mistakes:\n  step "svc": the service "web" is declared already; the plugin has to choose another name\n  step "svc": setting "prot": unknown key; did you mean "port"?\n',
  );
});

test("a plan with which the project has mistakes is not kept, and the other services go on", async () => {
  const bad = plan([
    service("svc", { name: "cache", command: text("x"), "depends_on.0": text("nobody") }),
  ]);
  const two = { ...redis, name: "two", sha256: "b2".repeat(32) };
  const good = plan([service("svc", { name: "other", command: text("x") })]);
  const read = await up({
    toml: `${usual.replace('type = "cache"', 'plugin = "redis"')}[services.other]\nplugin = "two"\n`,
    ...{ plugins: [redis, two], plans: { redis: bad, two: good } },
  });
  expect(told).toContain(
    'cache: the plugin redis has given a plan with mistakes:\n  plugin redis services.cache.depends_on[0]: no service "nobody"; ',
  );
  expect(read.kind).toBe("project");
  expect(record().plans.map((its) => its.service)).toEqual(["other"]);
  const { services } = await standing();
  expect(services.map((its) => [its.name, its.unusable])).toEqual([
    [
      "cache",
      'the plugin redis has given a plan with mistakes: plugin redis services.cache.depends_on[0]: no service "nobody"; the services are cache, web and other; localhostess up asks again',
    ],
    ["web", undefined],
    ["other", undefined],
  ]);
});

test("a mistake of the person's own is told as such, whatever the plans", async () => {
  const its = await up({ toml: `${usual}prot = 1\n` });
  expect(its).toMatchObject({ kind: "mistakes", mistakes: [expect.stringContaining('"port"')] });
  expect(existsSync(planRecordPath(stateDirectory, directory))).toBe(false);
});

test("of two at once, the second goes on from what the first has put there", async () => {
  await Promise.all([up(granted), up(granted)]);
  expect(told).not.toContain("your own");
  expect(record().files.map(({ path, hashes }) => [path, hashes.length])).toEqual([
    ["made/conf/redis.conf", 1],
  ]);
  await up({ toml: '[services.web]\ncommand = "x"\n' });
  expect(existsSync(conf())).toBe(false);
});

test("a type that no plugin knows says which were asked", async () => {
  await up({ plans: {} });
  expect((await standing()).services[0]!.unusable).toStartWith(
    'its type "cache" is unknown, also to the plugin redis',
  );
});

test("a service that asks for a plugin by its name is that plugin's", async () => {
  const toml = '[services.cache]\nplugin = "redis"\n[services.web]\ncommand = "x"\n';
  await up({ toml });
  expect(requests.map(({ kind, spec }) => [kind, spec.type])).toEqual([["apply", "redis"]]);
  await up({ toml, plugins: [] });
  expect(told).toContain(
    'services.cache: no plugin "redis" is installed; install it with: localhostess plugin install <file or URL>; ',
  );
});

test("where several plugins know it, the service has to say which", async () => {
  const two = { ...redis, name: "valkey", sha256: "b2".repeat(32) };
  await up({ plugins: [redis, two], plans: { redis: plain, valkey: plain } });
  expect(
    told.match(/the plugins redis and valkey all know it; say which with plugin = "redis"/g),
  ).toHaveLength(1);
});

test("a project's own plugin is run once the person has agreed, and is asked about only where it is needed", async () => {
  const own: Plugin = { ...redis, from: "project", state: "not agreed" };
  await up({ plugins: [own] });
  expect(requests).toEqual([]);
  const agree =
    /the plugin redis of this project \(sha256 a1a1a1a1a1a1\) runs only once you agree: localhostess plugin agree redis/g;
  expect(told.match(agree)).toHaveLength(1);
  await up({ plugins: [own], answers: ["y"] });
  expect(questions.at(-1)).toBe(
    "This project has a plugin, redis (sha256 a1a1a1a1a1a1).\nRun it, now and as long as it does not change? [y/N] ",
  );
  expect((await standing()).services[0]!.command).toBe("cached");
  questions = [];
  await up({ toml: '[services.web]\ncommand = "x"\n', plugins: [own], answers: ["y"] });
  expect(questions).toEqual([]);
});

test("a project's plugin that may run comes before the person's own of that name", async () => {
  const theirs: Plugin = { ...redis, sha256: "b2".repeat(32), from: "project" };
  await up({ plugins: [theirs, redis] });
  expect(record().plans).toMatchObject([{ from: "project", sha256: theirs.sha256 }]);
});

test("for two services, a project's plugin is asked about once", async () => {
  const own: Plugin = { ...redis, from: "project", state: "not agreed" };
  const toml = `${usual}[services.other]\ntype = "cache"\n`;
  await up({ toml, plugins: [own], answers: ["n"] });
  expect(questions.length).toBe(1);
  await up({ toml, plugins: [own], answers: ["y"] });
  expect(questions.length).toBe(2);
  expect(record().plans.length).toBe(1);
});

test("a project's plugin that fails once it is agreed to stops no other service", async () => {
  const own: Plugin = { ...redis, from: "project", state: "not agreed" };
  const read = await up({ plugins: [own], plans: { redis: "late" }, answers: ["y"] });
  expect(read.kind).toBe("project");
  expect(told).toStartWith("the plugin redis did not answer within 5 s\n");
});

test("whoever is asked about a project's plugin is told what its name is granted", async () => {
  const own: Plugin = { ...redis, from: "project", state: "not agreed" };
  await up({ plugins: [own], config: ["oci-pull", "write-file"], answers: ["n"] });
  expect(questions).toEqual([
    "This project has a plugin, redis (sha256 a1a1a1a1a1a1). /home/ada/config.toml grants oci-pull and write-file to that name.\nRun it, now and as long as it does not change? [y/N] ",
  ]);
});

test("a project's plugin that lacks the grants of the person's own of that name is told so", async () => {
  const theirs: Plugin = { ...redis, sha256: "b2".repeat(32), from: "project" };
  await expect(up({ plugins: [theirs, redis], plans: { redis: whole } })).rejects.toThrow(
    "it is this project's, and what is granted to your own of that name is not for it",
  );
});

test("plans of a project's plugin stay when the person's own of that name is removed", async () => {
  await up({ ...granted, plugins: [{ ...redis, from: "project" }] });
  expect((await removePlans(stateDirectory, { plugin: redis })).removed).toEqual([]);
  expect(record().plans.length).toBe(1);
});

test("a record that is torn, or another user may write, starts no service of a plugin, and says what helps", async () => {
  await up();
  const path = planRecordPath(stateDirectory, directory);
  writeFileSync(path, '{"version":1,"plans":[{}]}');
  expect((await standing()).services[0]!.unusable).toContain(`rm ${path}`);
  await expect(up()).rejects.toThrow(
    "its content is not valid; remove it and run localhostess up again",
  );
});
