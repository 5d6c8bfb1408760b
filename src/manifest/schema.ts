/** Every key of locald.toml -> its description, its type and its default. Pure. */
import {
  array,
  check,
  description,
  literal,
  minLength,
  number,
  optional,
  picklist,
  pipe,
  record,
  strictObject,
  string,
  transform,
  union,
} from "valibot";
import { durationForm, readDuration } from "../text/duration.ts";
import { conditions, type HookName } from "./project.ts";
import { settingEntries } from "./settings-schema.ts";
import { isPluginName } from "./plugin-words.ts";
import { scheduleForm, scheduleMistake } from "./schedule.ts";
import { listed } from "../text/list.ts";
import { shown } from "../text/shown.ts";
import { readSize, sizeForm } from "../text/size.ts";
import { ownKeys } from "./types/own-keys.ts";
import { env, expected, flag, paths, text, whole } from "./types/forms.ts";
import { serviceTypes, stopSignals } from "./types/own.ts";

/** Names that other programs have for our keys. */
export const otherWords: Readonly<Record<string, string>> = {
  cmd: "command",
  run: "command",
  script: "command",
  cwd: "workdir",
  dir: "workdir",
  directory: "workdir",
  working_dir: "workdir",
  environment: "env",
  needs: "depends_on",
  requires: "depends_on",
  after: "depends_on",
  autorestart: "restart",
};

function duration(meaning: string, { positive = true }: { positive?: boolean } = {}) {
  return pipe(
    union([number(), string()], expected(durationForm)),
    // Before the transformation, so that the JSON Schema describes what is written.
    description(`${meaning} A number of seconds, or ${durationForm}.`),
    check(
      (value) => readDuration(value).kind === "milliseconds",
      ({ input }) => {
        const read = readDuration(input);
        return read.kind === "mistake" ? read.why : "";
      },
    ),
    transform((value) => {
      const read = readDuration(value);
      return read.kind === "milliseconds" ? read.value : 0;
    }),
    check((value) => !positive || value > 0, "expected a duration longer than 0"),
  );
}

/** Bytes: no program runs in less. */
const leastMemory = 1_024 * 1_024;

function memory(meaning: string) {
  return pipe(
    union([number(), string()], expected(sizeForm)),
    description(`${meaning} A number of bytes, or ${sizeForm}.`),
    check((value) => readSize(value) !== undefined, expected(sizeForm)),
    transform((value) => readSize(value) ?? 0),
    check((value) => value >= leastMemory, "expected at least 1M; a number is bytes"),
  );
}

const shellForm = 'a program such as "bash", or a list such as ["bash", "-eu", "-c"]';

/** The words before the command. A program alone is given `-c`, as every shell takes it. */
function shell(meaning: string) {
  return pipe(
    union(
      [
        pipe(
          text(shellForm),
          check(isOneWord, ({ input }) => `${oneWordOnly}${asList(input)}`),
        ),
        pipe(array(text("a word"), expected(shellForm)), minLength(1, `expected ${shellForm}`)),
      ],
      expected(shellForm),
    ),
    // Before the transformation, so that the JSON Schema describes what is written.
    description(meaning),
    transform((value) => (typeof value === "string" ? [value.trim(), "-c"] : value)),
  );
}

const oneWordOnly = "expected a program without arguments; write ";

/** Spaces in a path are part of it. */
function isOneWord(value: string): boolean {
  return value.includes("/") || !/\s/.test(value.trim());
}

function asList(value: string): string {
  const words = value.trim().split(/\s+/);
  const list = words.includes("-c") ? words : [...words, "-c"];
  return `[${list.map((word) => JSON.stringify(word)).join(", ")}]`;
}

/** For messages: the types that a service may have. */
export const typeWords: string = listed(
  serviceTypes.flatMap((type) => (type === "unknown" ? [] : JSON.stringify(type))),
  { conjunction: "or" },
);

const serviceNames = array(text("a service's name"), expected('a list such as ["db"]'));
const profile = pipe(
  text("a profile's name"),
  check(
    (value) => /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value),
    ({ input }) => `a profile's name has letters, digits, ".", "_" and "-", got ${shown(input)}`,
  ),
);
const stopSignal = pipe(
  string(expected('a signal such as "SIGINT"')),
  description(
    `The signal that stops it: ${listed(stopSignals, { conjunction: "or" })}, with or without SIG. Sent to the whole process group.`,
  ),
  transform((name) => `SIG${name.toUpperCase().replace(/^SIG/, "")}`),
  check(
    (name) => (stopSignals as readonly string[]).includes(name),
    `expected ${listed(stopSignals, { conjunction: "or" })}, with or without SIG`,
  ),
);

const healthCheck = strictObject(
  {
    type: optional(
      pipe(
        picklist(
          ["http", "https", "tcp", "command"],
          expected('"http", "https", "tcp" or "command"'),
        ),
        description(
          "`http`: a GET request for `path` on the service's port; status 200 to 399 is healthy. `https`: the same inside TLS; the certificate is not verified. `tcp`: a connection to the port. `command`: a shell command with the service's environment and workdir; exit code 0 is healthy. Optional if `path` or `command` is set.",
        ),
      ),
    ),
    path: optional(
      pipe(
        text("a path"),
        check((value) => value.startsWith("/"), "a path begins with /"),
        description("The path that an http or https check requests."),
      ),
      "/",
    ),
    command: optional(
      pipe(text("a command"), description("The command that a command check runs.")),
    ),
    interval: optional(duration("The time from the end of one check to the next."), "1s"),
    timeout: optional(duration("A check that takes longer fails."), "2s"),
    retries: optional(
      pipe(
        whole(1, 1000),
        description("The number of failures in a row after which a ready service becomes unready."),
      ),
      3,
    ),
    start_period: optional(
      duration("The time after the start in which failures do not count.", { positive: false }),
      0,
    ),
  },
  expected('a command, or a table such as { path = "/health" }'),
);

export const healthSchema = healthCheck;

const needsForm = 'a list such as ["db"], or a table such as { db = "ready" }';

function hook(meaning: string) {
  return optional(
    pipe(
      text("a command"),
      description(
        `${meaning} Run by \`shell\` with the service's environment and workdir; its output is in the service's log.`,
      ),
    ),
  );
}

const hooks = {
  before_start: hook(
    "A command that runs before each start; with another exit code than 0, or after `start_timeout`, the start fails.",
  ),
  after_ready: hook(
    "A command that runs each time that a new process is ready; nothing waits for it.",
  ),
  before_stop: hook(
    "A command that runs before a stop or a restart ends the service, for at most `stop_timeout`.",
  ),
  stop_command: hook(
    "A command that ends the service, in the place of `stop_signal`; `MAINPID` is the pid of its main process.",
  ),
  after_stop: hook(
    "A command that runs when all processes of the service have ended, however they did, for at most `stop_timeout`.",
  ),
} satisfies Record<HookName, unknown>;

const limits = strictObject(
  {
    memory: optional(
      memory(
        "The resident memory that all its processes together may take; with more, it is ended, and started again by `restart`.",
      ),
    ),
  },
  expected('a table such as { memory = "1G" }'),
);

export const limitsSchema = limits;

const service = strictObject(
  {
    plugin: optional(
      pipe(
        text("a plugin's name"),
        check(
          isPluginName,
          ({ input }) => `expected the name of a plugin, such as "redis", got ${shown(input)}`,
        ),
        description(
          "The plugin that makes services of this one, whatever its type: `localhostess plugin list` lists them. The other keys are the plugin's.",
        ),
      ),
    ),
    type: optional(
      pipe(
        text(typeWords),
        description(
          "`exec`: a server with a port and an address. `process`: the same, but it need not listen. `worker`: a process without a port and an address. `task`: a worker that is run once, and is completed when it ends with exit code 0. `postgres`, `redis`, `valkey`, `mysql`, `mariadb`, `mongodb`, `minio`, `mailpit`: a store that is managed. `container`: a container. `site`: the files of a folder.",
        ),
      ),
      "exec",
    ),
    command: optional(
      pipe(
        text("a command"),
        description("The command, run by `shell`. A service that is a string is its command."),
      ),
    ),
    args: optional(
      pipe(
        array(string(expected("a word")), expected('a list such as ["--watch"]')),
        description("Words that follow the command, each as it is: no shell takes it apart."),
      ),
    ),
    ...ownKeys,
    shell: optional(
      shell(
        "The program that runs the command, and those of hooks and checks: a name that is looked up in the service's PATH, a path, or a list of a program and its arguments, which the command follows. Default: that of [project], or `/bin/sh`.",
      ),
    ),
    ...hooks,
    workdir: optional(
      pipe(
        text("a folder"),
        description("The folder that it runs in, relative to the project's folder."),
      ),
      ".",
    ),
    port: optional(
      pipe(
        whole(1, 65_535),
        description(
          "The port, passed as `PORT`. By default a free port is chosen and kept across restarts.",
        ),
      ),
    ),
    instances: optional(
      pipe(
        whole(1, 100),
        description(
          "The number of processes of it: `web-1`, `web-2` and so on, each with a port and an address of its own. Requests to the address of `web` go to each in turn.",
        ),
      ),
    ),
    env: optional(
      pipe(
        env,
        description("Environment variables; they override `[project] env`, `.env` and `env_file`."),
      ),
    ),
    env_file: optional(
      pipe(
        paths,
        description(
          "Files of `KEY=value` lines, overridden by `env`; later files win. They must exist.",
        ),
      ),
    ),
    depends_on: optional(
      pipe(
        union(
          [
            serviceNames,
            record(
              string(),
              picklist(conditions, expected('"ready", "completed" or "started"')),
              expected(needsForm),
            ),
          ],
          expected(needsForm),
        ),
        description(
          "Services that must be ready, or completed if they are tasks, before it starts; it stops before they do. A table says for each what is awaited: `ready`, `completed` (it has ended with exit code 0) or `started` (it has a process).",
        ),
      ),
    ),
    restart_with: optional(
      pipe(serviceNames, description("Services whose restart also restarts it.")),
    ),
    health_check: optional(
      pipe(
        union(
          [text("a command"), healthCheck],
          expected('a command, or a table such as { path = "/health" }'),
        ),
        description(
          "The health check: a command or a table. Without one, the service is ready when it says so with `sd_notify`, when `ready_pattern` matches, or when its port listens.",
        ),
      ),
    ),
    ready_pattern: optional(
      pipe(
        text("a regular expression"),
        check(compiles, ({ input }) => `${shown(input)} is not a valid regular expression`),
        description(
          "A regular expression; the service is ready when a line of its output matches.",
        ),
      ),
    ),
    start_timeout: optional(
      duration(
        'A start that takes longer to become ready fails: by default after "1m" with `health_check` or `ready_pattern`, and never without them.',
      ),
    ),
    stop_signal: optional(stopSignal, "SIGTERM"),
    stop_timeout: optional(
      duration("The time from the stop signal to SIGKILL.", { positive: false }),
      "5s",
    ),
    restart: optional(
      pipe(
        union(
          [literal("on-failure"), literal("always"), literal("no")],
          expected('"on-failure", "always" or "no"'),
        ),
        description("When to restart it after it exits: after a failure, always or never."),
      ),
      "on-failure",
    ),
    schedule: optional(
      pipe(
        text(scheduleForm),
        check(
          (value) => scheduleMistake(value) === undefined,
          ({ input }) => scheduleMistake(String(input)) ?? "",
        ),
        description(
          `The times at which a task or a worker is started while its project is up: ${scheduleForm}.`,
        ),
      ),
    ),
    limits: optional(pipe(limits, description("How much of the machine it may take."))),
    disabled: optional(
      pipe(
        flag,
        description(
          "`up` starts it only if it is named, or if a service that starts depends on it.",
        ),
      ),
      false,
    ),
    profiles: optional(
      pipe(
        array(profile, expected('a list such as ["tools"]')),
        description(
          "`up` starts it only with one of these profiles (`up --profile tools`), if it is named, or if a service that starts depends on it.",
        ),
      ),
    ),
    lazy: optional(
      pipe(flag, description("Started by the first request to its address instead of by `up`.")),
      false,
    ),
    idle_timeout: optional(duration("Stops it after this time without a request.")),
    watch: optional(
      pipe(
        array(text("a glob"), expected('a list such as ["src/**/*.ts"]')),
        description(
          "Files, folders and globs, relative to workdir; a change to a matching file restarts it. A pattern that begins with `!` excludes what earlier ones match.",
        ),
      ),
    ),
    inputs: optional(
      pipe(
        array(text("a glob"), expected('a list such as ["migrations/**"]')),
        description(
          "Of a task: globs, relative to workdir; `up` runs it again if the content of a matching file has changed since it was completed. A folder stands for all that is in it, and `!` excludes.",
        ),
      ),
    ),
    ...settingEntries,
    pty: optional(
      pipe(
        flag,
        description(
          "Run it in a pseudo-terminal. `false`: use pipes, with separate stdout and stderr.",
        ),
      ),
      true,
    ),
  },
  expected('a command, or a table such as { command = "bun dev" }'),
);

export const serviceSchema = service;

const project = strictObject(
  {
    name: optional(
      pipe(
        text("a name"),
        description(
          "The project's name: letters (a to z), digits, _ and inner hyphens. Default: the folder's name.",
        ),
      ),
    ),
    domain: optional(
      pipe(
        text("a domain"),
        description(
          "The domain of `web`, or of the service named like the project; other services are subdomains. Default: `<name>.localhost`.",
        ),
      ),
    ),
    env: optional(
      pipe(env, description("Environment variables of all services; they override `[env]`.")),
    ),
    env_file: optional(
      pipe(
        paths,
        description("Files of `KEY=value` lines for all services; they override `.env`."),
      ),
    ),
    shell: optional(
      shell("The shell of all services that have none of their own. Default: `/bin/sh`."),
    ),
    reload: optional(
      pipe(
        union(
          [literal("git"), literal("ask"), literal("auto")],
          expected('"git", "ask" or "auto"'),
        ),
        description(
          "Which changed commands wait for `up`: those that come with another git HEAD, all, or none. The value at the last `up` counts, or the one in config.toml.",
        ),
      ),
      "git",
    ),
    ...settingEntries,
    workspace: optional(pipe(text("a name"), description("Accepted for locald; has no effect."))),
    constellation: optional(
      pipe(text("a name"), description("Accepted for locald; has no effect.")),
    ),
  },
  expected('a table such as [project] with name = "shop"'),
);

export const projectSchema = project;

const worktree = strictObject(
  {
    copy: optional(
      pipe(
        array(text("a path such as .env.local"), expected("a list of paths")),
        description(
          "Files, folders and globs, relative to the project's folder, that `worktree add` copies from the main checkout: what git does not bring.",
        ),
      ),
    ),
    setup: optional(
      pipe(
        text('a command such as "npm install"'),
        description(
          "A shell command that `worktree add` runs in the new project's folder, before `up`.",
        ),
      ),
    ),
    teardown: optional(
      pipe(
        text('a command such as "dropdb shop"'),
        description(
          "A shell command that `worktree remove` runs in the project's folder, before its services stop.",
        ),
      ),
    ),
    folder: optional(
      pipe(
        text('a folder such as ".."'),
        description(
          "The folder in which worktrees are made, relative to that of the main checkout.",
        ),
      ),
      "..",
    ),
  },
  expected("a table such as [worktree]"),
);

export const worktreeSchema = worktree;

export const layerSchema = strictObject({
  project: optional(pipe(project, description("The project."))),
  env: optional(
    pipe(
      env,
      description(
        "Environment variables of all services, overridden by `[project] env` and `.env`.",
      ),
    ),
  ),
  services: optional(
    pipe(
      record(
        string(),
        union(
          [text("a command"), service],
          expected('a command, or a table such as { command = "bun dev" }'),
        ),
        ({ input }) => `expected tables such as [services.web], got ${shown(input)}`,
      ),
      description("The services, each under its name: `[services.web]`."),
    ),
  ),
  worktree: optional(
    pipe(worktree, description("How `localhostess worktree add` makes a worktree ready.")),
  ),
});

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    // A SyntaxError, the only error that a RegExp throws: the answer is no.
    return false;
  }
}
