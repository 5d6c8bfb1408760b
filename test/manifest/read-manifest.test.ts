import { describe, expect, test } from "bun:test";
import { envFilesOf } from "../../src/manifest/read/variables.ts";
import { readLayer } from "../../src/manifest/layer.ts";
import { directory, mistakes, project, read, service } from "./manifest.ts";

test("a service has a default for everything but its command", () => {
  expect(project('[services]\nweb = "bun dev"\n')).toEqual({
    name: "shop",
    domain: "shop.localhost",
    directory,
    files: [],
    warnings: [],
    reload: { value: "git", personal: false },
    services: [
      {
        name: "web",
        type: "exec",
        command: "bun dev",
        hooks: {},
        shell: ["/bin/sh", "-c"],
        workdir: directory,
        port: undefined,
        env: {},
        envFiles: [],
        dependsOn: [],
        conditions: {},
        restartWith: [],
        health: undefined,
        readyPattern: undefined,
        startTimeout: undefined,
        stopSignal: "SIGTERM",
        stopTimeout: 5000,
        restart: "on-failure",
        limits: { memory: undefined },
        schedule: undefined,
        disabled: false,
        profiles: [],
        lazy: false,
        idleTimeout: undefined,
        watch: [],
        inputs: [],
        pty: true,
        routeName: "shop",
      },
    ],
  });
});

test("every key is read", () => {
  const text = `
[project]
name = "mall"
domain = "mall.localhost"
[services.db]
type = "worker"
command = "redis"
[services.api]
type = "exec"
command = "bun api.ts"
shell = ["bash", "-eu", "-c"]
before_start = "bun migrate.ts"
after_ready = "bun warm.ts"
before_stop = "bun drain.ts"
stop_command = "kill -INT $MAINPID"
after_stop = "rm -f api.sock"
workdir = "../apps/./api/"
port = 3000
env = { LOG = "debug" }
depends_on = ["db", "db"]
restart_with = ["db"]
ready_pattern = "listening on \\\\d+"
start_timeout = 2.5
stop_signal = "int"
stop_timeout = "1m30s"
restart = "always"
limits = { memory = "1.5GiB" }
disabled = true
profiles = ["tools", "ci_2", "tools"]
lazy = true
idle_timeout = "500ms"
watch = ["src/**/*.ts"]
pty = false
[services.api.health_check]
type = "http"
path = "/health"
interval = 5
timeout = "250ms"
retries = 2
start_period = "1h"
`;
  expect(service(text, "api")).toEqual({
    name: "api",
    type: "exec",
    command: "bun api.ts",
    hooks: {
      before_start: "bun migrate.ts",
      after_ready: "bun warm.ts",
      before_stop: "bun drain.ts",
      stop_command: "kill -INT $MAINPID",
      after_stop: "rm -f api.sock",
    },
    shell: ["bash", "-eu", "-c"],
    workdir: "/home/ada/apps/api",
    port: 3000,
    env: { LOG: "debug" },
    envFiles: [],
    dependsOn: ["db"],
    conditions: { db: "ready" },
    restartWith: ["db"],
    health: {
      ask: { kind: "http", path: "/health" },
      interval: 5000,
      timeout: 250,
      retries: 2,
      startPeriod: 3_600_000,
    },
    readyPattern: "listening on \\d+",
    startTimeout: 2500,
    stopSignal: "SIGINT",
    stopTimeout: 90_000,
    restart: "always",
    limits: { memory: 1_610_612_736 },
    schedule: undefined,
    disabled: true,
    profiles: ["tools", "ci_2"],
    lazy: true,
    idleTimeout: 500,
    watch: ["src/**/*.ts"],
    inputs: [],
    pty: false,
    routeName: "api.mall",
  });
});

test.each([
  ['{ memory = "lots" }', '.memory: expected a size such as "512M" or "1.5G", got "lots"'],
  ["{ memory = 512 }", ".memory: expected at least 1M; a number is bytes"],
  ["{ memory = true }", '.memory: expected a size such as "512M" or "1.5G", got true'],
  ["{ memroy = 1 }", '.memroy: unknown key; did you mean "memory"?'],
  ['"1G"', ': expected a table such as { memory = "1G" }, got "1G"'],
])("limits cannot be %s", (written, told) => {
  expect(mistakes(`[services.web]\ncommand = "x"\nlimits = ${written}`)).toEqual([
    `locald.toml:3 services.web.limits${told}`,
  ]);
});

describe("a schedule", () => {
  test("is for a worker, which is then restarted by nothing else unless that is declared", () => {
    const job = '[services.job]\ntype = "worker"\ncommand = "x"\nschedule = "*/5 * * * *"\n';
    expect(service(job, "job")).toMatchObject({ schedule: "*/5 * * * *", restart: "no" });
    const again = service(`${job}restart = "on-failure"`, "job");
    expect(again.restart).toBe("on-failure");
    expect(mistakes(`${job}restart = "always"`)).toEqual([
      'locald.toml:5 services.job.restart: a service with a schedule ends between its runs; use "on-failure" or "no"',
    ]);
  });

  test("that is wrong, of a server, or waited for is an error", () => {
    expect(
      mistakes('[services.job]\ntype = "worker"\ncommand = "x"\nschedule = "61 * * * *"'),
    ).toEqual([
      'locald.toml:4 services.job.schedule: "61 * * * *" is not a schedule: invalid value for minute: 61',
    ]);
    expect(mistakes('[services.web]\ncommand = "x"\nschedule = "@hourly"')).toEqual([
      'locald.toml:3 services.web.schedule: a server runs all the time; a schedule is for a service of type = "task" or "worker"',
    ]);
    expect(
      mistakes(
        '[services.job]\ntype = "worker"\ncommand = "x"\nschedule = "@hourly"\ninstances = 2',
      ),
    ).toEqual([
      "locald.toml:5 services.job.instances: job runs by its schedule, one run at a time; remove one of the two",
    ]);
    const text = `
[services.job]
type = "worker"
command = "x"
schedule = "@hourly"
[services.web]
command = "x"
depends_on = ["job"]`;
    expect(mistakes(text)).toEqual([
      "locald.toml:8 services.web.depends_on[0]: job runs by its schedule, so that no other service can wait for it",
    ]);
  });
});

describe("a shell", () => {
  const shellOf = (text: string) => service(`${text}\ncommand = "x"`, "web").shell;

  test("is a name, a path from the project's folder, or words that the command follows", () => {
    expect(shellOf('[services.web]\nshell = "bash"')).toEqual(["bash", "-c"]);
    expect(shellOf('[services.web]\nshell = "/opt/my shells/fish"')).toEqual([
      "/opt/my shells/fish",
      "-c",
    ]);
    expect(shellOf('[services.web]\nshell = "tools/sh"\nworkdir = "web"')).toEqual([
      `${directory}/tools/sh`,
      "-c",
    ]);
    expect(shellOf('[services.web]\nshell = ["node", "-e"]')).toEqual(["node", "-e"]);
  });

  test("of the project is that of every service that has none of its own", () => {
    const text = '[project]\nshell = "zsh"\n[services.web]\n';
    expect(shellOf(text)).toEqual(["zsh", "-c"]);
    expect(shellOf(`${text}shell = "bash"`)).toEqual(["bash", "-c"]);
  });

  test.each([
    ['"bash -eu"', 'expected a program without arguments; write ["bash", "-eu", "-c"]'],
    ["[]", 'expected a program such as "bash", or a list such as ["bash", "-eu", "-c"]'],
    [
      "true",
      'expected a program such as "bash", or a list such as ["bash", "-eu", "-c"], got true',
    ],
    [
      '" "',
      'expected a program such as "bash", or a list such as ["bash", "-eu", "-c"], got an empty string',
    ],
  ])("cannot be %s", (written, told) => {
    expect(mistakes(`[services.web]\ncommand = "x"\nshell = ${written}`)).toEqual([
      `locald.toml:3 services.web.shell: ${told}`,
    ]);
  });
});

test("patterns of watch that match nothing are errors, each with its line", () => {
  const text = `[services.web]
command = "x"
workdir = "app"
watch = [
  "src/**",
  "../../../../../x",
  "!src/gen",
  "~/x",
]
`;
  expect(mistakes(text)).toEqual([
    'locald.toml:6 services.web.watch[1]: "../../../../../x" leads out of the file system',
    'locald.toml:8 services.web.watch[3]: "~/x" begins with ~, which only a shell expands; write the path',
  ]);
});

describe("a health check", () => {
  const asks: [written: string, ask: unknown][] = [
    ['"curl -f localhost"', { kind: "command", command: "curl -f localhost" }],
    ['{ command = "true" }', { kind: "command", command: "true" }],
    ['{ path = "/up" }', { kind: "http", path: "/up" }],
    ['{ type = "http" }', { kind: "http", path: "/" }],
    ['{ type = "https" }', { kind: "https", path: "/" }],
    ['{ type = "https", path = "/up" }', { kind: "https", path: "/up" }],
    ['{ type = "tcp" }', { kind: "tcp" }],
  ];
  for (const [written, ask] of asks) {
    test(`${written} asks so`, () => {
      const text = `[services.web]\ncommand = "x"\nhealth_check = ${written}\n`;
      expect(service(text, "web").health).toEqual({
        ask: ask as never,
        interval: 1000,
        timeout: 2000,
        retries: 3,
        startPeriod: 0,
      });
    });
  }
});

test("web and the service named like the project have its domain, the others are below it", () => {
  const names = (text: string): unknown =>
    Object.fromEntries(project(text).services.map((its) => [its.name, its.routeName]));
  const services = '[services]\nAPI = "x"\nsend_mail = { type = "worker", command = "x" }\n';
  expect(names(`[project]\nname = "Shop"\n${services}shop = "x"\n`)).toEqual({
    API: "api.shop",
    send_mail: undefined,
    shop: "shop",
  });
  expect(names(`[project]\ndomain = "a.b.localhost"\n${services}web = "x"\n`)).toEqual({
    API: "api.a.b",
    send_mail: undefined,
    web: "a.b",
  });
});

test("an underscore in a name is a hyphen in the address", () => {
  const its = project(`[project]
name = "my_app"
[services]
my_api = "x"
API_v2 = { type = "process", command = "x" }
my-app = "x"
`);
  expect([its.name, its.domain]).toEqual(["my_app", "my-app.localhost"]);
  expect(its.services.map(({ name, routeName }) => [name, routeName])).toEqual([
    ["my_api", "my-api.my-app"],
    ["API_v2", "api-v2.my-app"],
    ["my-app", "my-app"],
  ]);
});

test("a folder gives its project a name of its own, in whatever letters it is written", () => {
  const text = '[services]\nweb = "x"\n';
  const named = (folder: string): [string, string] => {
    const { name, domain } = project(text, { directory: `/home/ada/${folder}` });
    return [name, domain];
  };
  expect(named("Café_au lait")).toEqual(["cafe-au-lait", "cafe-au-lait.localhost"]);
  expect(named("日本")).toEqual(["xn--wgv71a", "xn--wgv71a.localhost"]);
  expect(named("проект")[1]).toBe(new URL("http://проект.localhost").hostname);
  expect(named("проект 1")[1]).toBe(new URL("http://проект-1.localhost").hostname);
  expect(named("🚀")[0]).toStartWith("xn--");
  const folders = [
    ...["日本", "中国", "проект", "работа", "работа-1", "проект-1", "مشروع", "🚀", "🎉"],
    ...["(!)", "!", "本".repeat(60), "本".repeat(61), "\u200f", "_"],
  ];
  const names = folders.map((folder) => named(folder)[0]);
  expect(new Set(names).size).toBe(folders.length);
  expect(names.map((name) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name))).not.toContain(
    false,
  );
});

test("a domain under names that are not served is a warning, and its project is under localhost", () => {
  const text = '[project]\nname = "shop"\ndomain = "shop.test"\n[services]\nweb = "x"\napi = "x"\n';
  const its = project(text);
  expect(its).toMatchObject({
    domain: "shop.localhost",
    services: [{ routeName: "shop" }, { routeName: "api.shop" }],
    warnings: [
      'locald.toml:3 project.domain: names under .test are not served, so that shop.localhost is used; to serve them, set tlds = ["test"] in config.toml',
    ],
  });
  const labelled = project(text, { naming: { label: "fix" } });
  expect(labelled.domain).toBe("fix.shop.localhost");
});

test("a domain may end in what is configured, or in nothing", () => {
  const domain = (text: string): string =>
    project(`[project]\ndomain = "${text}"\n[services]\nweb = "x"\n`, { tlds: ["test"] }).domain;
  expect(domain("shop.test")).toBe("shop.test");
  expect(domain("shop")).toBe("shop.localhost");
  expect(domain("Shop.Localhost.")).toBe("shop.localhost");
});

test("all errors are reported at once, in the order of the lines", () => {
  const text = `[project]
name = "shop"
domain = "shop.local"

[services.web]
command = "bun dev"
depends_on = ["bd", "web2"]
comand = "bun"
port = "3000"
restart = "sometimes"
ready_pattern = "("
cwd = "web"

[services.db]
env = { A = 1 }

[services.jobs]
type = "worker"
command = ""
port = 1
idle_timeout = 5

[services.cache]
type = "container"
image = "redis"

[service.api]
command = "x"
`;
  expect(mistakes(text)).toEqual([
    'locald.toml:7 services.web.depends_on[0]: no service "bd"; did you mean "db"?',
    'locald.toml:7 services.web.depends_on[1]: no service "web2"; did you mean "web"?',
    'locald.toml:8 services.web.comand: unknown key; did you mean "command"?',
    'locald.toml:9 services.web.port: expected a whole number from 1 to 65535, got "3000"',
    'locald.toml:10 services.web.restart: expected "on-failure", "always" or "no", got "sometimes"',
    'locald.toml:11 services.web.ready_pattern: "(" is not a valid regular expression',
    'locald.toml:12 services.web.cwd: unknown key; did you mean "workdir"?',
    'locald.toml:14 services.db: command is required, such as command = "bun dev"',
    'locald.toml:15 services.db.env.A: expected a string; write "1"',
    "locald.toml:19 services.jobs.command: expected a command, got an empty string",
    "locald.toml:20 services.jobs.port: a worker has no port; only an exec service has one",
    "locald.toml:21 services.jobs.idle_timeout: a worker receives no requests, so that it is never idle",
    'locald.toml:27 service: unknown key; did you mean "services"?',
  ]);
});

const single: [what: string, text: string, told: string][] = [
  [
    "invalid TOML",
    'name = "a"\nname = "b"\n',
    "locald.toml:2:1: invalid TOML: trying to redefine an already defined table or value",
  ],
  [
    "a file without anything, as an editor leaves it for a moment,",
    "# Nothing yet.\n",
    'locald.toml:1 no services are declared; add [services.web] with command = "..."',
  ],
  [
    "a service that is a number",
    "[services]\nweb = 3\n",
    'locald.toml:2 services.web: expected a command, or a table such as { command = "bun dev" }, got 3',
  ],
  [
    "a list in a table's place",
    "services = []\n",
    "locald.toml:1 services: expected tables such as [services.web], got []",
  ],
  [
    "a date in a check's place",
    '[services.web]\ncommand = "x"\nhealth_check = 2020-01-01\n',
    'locald.toml:3 services.web.health_check: expected a command, or a table such as { path = "/health" }, got "2020-01-01"',
  ],
  [
    "a name with a blank",
    '[services]\n"my api" = "x"\n',
    'locald.toml:2 services."my api": a service name has only letters (a to z), digits, _ and inner hyphens, at most 63 characters, such as "my-api"',
  ],
  [
    "a name of which nothing can stand in an address",
    '[services]\n__ = "x"\n',
    "locald.toml:2 services.__: a name in an address has a letter or a digit",
  ],
  [
    "names that differ by an underscore only",
    '[services]\nmy_api = "x"\nmy-api = "x"\n',
    "locald.toml:3 services.my-api: my_api already has the address my-api.shop.localhost; rename one of them",
  ],
  [
    "two of one address",
    '[project]\nname = "shop"\n[services]\nshop = "x"\nweb = "x"\n',
    "locald.toml:5 services.web: shop already has the address shop.localhost; rename one of them",
  ],
  [
    "two of one port",
    '[services]\na = { command = "x", port = 80 }\nb = { command = "x", port = 80 }\n',
    "locald.toml:3 services.b.port: a already has port 80",
  ],
  [
    "the proxy's own name",
    '[project]\nname = "localhost"\n[services]\nweb = "x"\n',
    "locald.toml:2 project.name: localhost is the proxy itself; choose another name",
  ],
  [
    "a project's name that has no address",
    '[project]\nname = "a b"\n[services]\nweb = "x"\n',
    'locald.toml:2 project.name: a project name has only letters (a to z), digits, _ and inner hyphens, at most 63 characters, such as "a-b"',
  ],
  [
    "a check of nothing",
    '[services]\na = { command = "x", health_check = { interval = 2 } }\n',
    'locald.toml:2 services.a.health_check: expected path = "/health", command = "..." or type = "tcp"',
  ],
  [
    "a check of two things",
    '[services]\na = { command = "x", health_check = { path = "/", command = "x" } }\n',
    'locald.toml:2 services.a.health_check.path: a check of type "command" has no path; remove one of them',
  ],
  [
    "a worker's port that is asked",
    '[services]\na = { type = "worker", command = "x", health_check = { type = "tcp" } }\n',
    "locald.toml:2 services.a.health_check: a worker has no port to check; use a command",
  ],
  [
    "a duration with a unit that does not exist",
    '[services]\na = { command = "x", stop_timeout = "5 sec" }\n',
    'locald.toml:2 services.a.stop_timeout: expected a duration such as "500ms", "30s" or "1h30m", got "5 sec"',
  ],
  [
    "an env file that is not there",
    '[services]\na = { command = "x", env_file = ["x.env"] }\n',
    "locald.toml:2 services.a.env_file[0]: x.env: no such file",
  ],
  [
    "a variable that cannot be",
    '[services.a]\ncommand = "x"\nenv = { "A=B" = "x" }\n',
    'locald.toml:3 services.a.env."A=B": "A=B" is not a valid variable name',
  ],
];

for (const [what, text, told] of single) {
  test(`${what} is an error`, () => expect(mistakes(text)).toEqual([told]));
}

const told: [what: string, text: string, told: string][] = [
  [
    "a file with a project and without services",
    '[project]\nname = "shop"\n',
    'locald.toml:1 no services are declared; add [services.web] with command = "..."',
  ],
];

for (const [what, text, warning] of told) {
  test(`${what} is a warning`, () => expect(project(text).warnings).toEqual([warning]));
}

describe("what waits for what", () => {
  test("a reference in a hook makes a dependency, as one in the command does", () => {
    const text = `
[services.db]
command = "x"
[services.web]
command = "x"
before_start = "migrate \${services.db.port}"`;
    expect(service(text, "web").dependsOn).toEqual(["db"]);
    expect(mistakes(text.replace("services.db.port", "services.bd.port"))).toEqual([
      expect.stringContaining('locald.toml:6 services.web.before_start: no service "bd"'),
    ]);
  });

  test("a reference makes a dependency, one to itself does not", () => {
    const text = `[services]
db = "x"
mail = "x"
cache = "x"
[services.web]
command = "x --db \${services.db.port} --me \${services.web.port}"
health_check = "nc localhost \${services.cache.port}"
depends_on = ["mail"]
env = { DB = "\${services.db.url}" }
`;
    expect(service(text, "web").dependsOn).toEqual(["mail", "db", "cache"]);
  });

  test("what all services share makes no cycle", () => {
    const text = `[project.env]
API = "\${services.api.url}"
DB = "\${services.db.url}"
[services]
web = "x"
api = { command = "x", depends_on = ["db"] }
db = "x"
`;
    expect(project(text).services.map(({ name, dependsOn }) => [name, dependsOn])).toEqual([
      ["web", ["api", "db"]],
      ["api", ["db"]],
      ["db", []],
    ]);
  });

  test("a cycle is reported with its path, and with the references in it", () => {
    const text = `[services.web]
command = "x"
depends_on = ["api"]
[services.api]
command = "x"
depends_on = ["db"]
[services.db]
command = "x"
env = { ORIGIN = "\${services.web.url}" }
`;
    expect(mistakes(text)).toEqual([
      "locald.toml:3 services.web.depends_on[0]: dependency cycle: web -> api -> db -> web (db uses ${services.web.url})",
    ]);
  });

  test("waiting for itself is the smallest cycle", () => {
    expect(mistakes('[services.web]\ncommand = "x"\ndepends_on = ["web"]\n')).toEqual([
      "locald.toml:3 services.web.depends_on[0]: dependency cycle: web -> web",
    ]);
  });

  test("services that would restart each other forever are reported", () => {
    const text = `[services]
a = { command = "x", restart_with = ["b"] }
b = { command = "x", restart_with = ["a"] }
`;
    expect(mistakes(text)).toEqual([
      "locald.toml:2 services.a.restart_with: restart cycle: a -> b -> a",
    ]);
  });

  test("an unknown reference is an error, wherever it stands", () => {
    const text = `[services]
db = "x"
jobs = { type = "worker", command = "x" }
[services.web]
command = "x \${services.bd.port} \${PORT} \${services.db.prot}"
[services.web.env]
A = "\${services.jobs.url}"
B = "\${PORT}"
C = "\${env.TOKEN}"
D = "\${env.TOKEN:-none}\${env.HOME}\${env.PORT}\${env.A}"
E = "\${project.nmae}"
F = "\${open"
G = "$\${as.it.is}"
H = "\${env.I}"
I = "\${env.H}"
`;
    expect(mistakes(text, { shell: { HOME: "/home/ada" } })).toEqual([
      'locald.toml:5 services.web.command: ${services.db.prot}: unknown field "prot"; did you mean "port"?',
      'locald.toml:5 services.web.command: no service "bd"; did you mean "db"?',
      "locald.toml:7 services.web.env.A: ${services.jobs.url}: jobs is a worker and has no port",
      'locald.toml:8 services.web.env.B: ${PORT}: unknown reference; for the variable use ${env.PORT}, for a literal "${" use "$${"',
      "locald.toml:9 services.web.env.C: ${env.TOKEN}: TOKEN is not set; set it, or give a default: ${env.TOKEN:-value}",
      'locald.toml:11 services.web.env.E: ${project.nmae}: unknown field "nmae"; did you mean "name"?',
      'locald.toml:12 services.web.env.F: missing } after "${"; to write a literal "${", use "$${"',
      "locald.toml:14 services.web.env.H: reference cycle: H -> I -> H",
    ]);
  });
});

describe("layers", () => {
  const global = `tlds = ["test"]
[env]
A = "global"
B = "global"
[services.web]
stop_timeout = 1
health_check = { path = "/up", interval = 9 }
`;
  const above = `[project]
env = { B = "above" }
[services]
web = "from above"
`;
  const own = `[services.web]
command = "own"
health_check = { interval = 3 }
env_file = "web.env"
env = { D = "own" }
`;
  const layers = [
    readLayer(global, { name: "config.toml", global: true }),
    readLayer(above, { name: "../.locald.toml" }),
    readLayer(own, { name: "locald.toml" }),
  ];
  const envFiles = new Map([
    [`${directory}/.env`, { kind: "text", text: "B=dotenv\nC=dotenv\nD=dotenv\n" }],
    [`${directory}/web.env`, { kind: "text", text: "C=web\nD=web\n" }],
  ] as const);
  const its = read("", { layers, envFiles, nameOf: (path) => path.slice(directory.length + 1) });

  test("the later one wins, value by value", () => {
    if (its.kind !== "project") throw new Error(its.mistakes.join("\n"));
    const [web] = its.project.services;
    expect(web).toMatchObject({
      command: "own",
      stopTimeout: 1000,
      health: { ask: { kind: "http", path: "/up" }, interval: 3000 },
      env: { A: "global", B: "dotenv", C: "web", D: "own" },
    });
  });

  test("each value has the file and the line that it comes from", () => {
    if (its.kind !== "project") throw new Error(its.mistakes.join("\n"));
    const origins = Object.fromEntries(
      its.fields
        .filter(({ origin }) => origin !== undefined)
        .map(({ path, origin }) => [path.join("."), `${origin!.file}:${origin!.line}`]),
    );
    expect(origins).toEqual({
      "env.A": "config.toml:3",
      "env.B": ".env:1",
      "env.C": ".env:2",
      "env.D": ".env:3",
      "services.web.command": "locald.toml:2",
      "services.web.env_file": "locald.toml:4",
      "services.web.stop_timeout": "config.toml:6",
      "services.web.health_check.path": "config.toml:7",
      "services.web.health_check.interval": "locald.toml:3",
      "services.web.env.C": "web.env:1",
      "services.web.env.D": "locald.toml:5",
    });
  });

  test("the files that they name are known before they are read", () => {
    expect(envFilesOf(layers, directory)).toEqual([`${directory}/.env`, `${directory}/web.env`]);
  });

  test("an error is reported for the file that it is in, the project's own first", () => {
    const wrong = [
      readLayer("[services.web]\nport = 0\n", { name: "config.toml", global: true }),
      readLayer('[services.web]\ncommand = "x"\nprot = 1\n', { name: "locald.toml" }),
    ];
    expect(mistakes("", { layers: wrong })).toEqual([
      'locald.toml:3 services.web.prot: unknown key; did you mean "port"?',
      "config.toml:2 services.web.port: expected a whole number from 1 to 65535, got 0",
    ]);
  });

  test("an unknown key of config.toml is beside all the keys that it may have", () => {
    const wrong = [
      readLayer('gaurd = "off"\nprojcet = 1\n', { name: "config.toml", global: true }),
      readLayer('[services]\nweb = "x"\n', { name: "locald.toml" }),
    ];
    expect(mistakes("", { layers: wrong })).toEqual([
      'config.toml:1 gaurd: unknown key; did you mean "guard"?',
      'config.toml:2 projcet: unknown key; did you mean "project"?',
    ]);
  });
});

test("a thousand services in a chain are read", () => {
  const text = Array.from({ length: 1000 }, (_, index) => {
    const next = index === 999 ? "" : `depends_on = ["s${index + 1}"]\n`;
    return `[services.s${index}]\ncommand = "x"\n${next}`;
  }).join("");
  expect(project(text).services).toHaveLength(1000);
});
