/** Every key of locald.toml: what it means, what it may be, and what it is where nobody says. Pure. */
import {
  array,
  boolean,
  check,
  description,
  integer,
  literal,
  maxValue,
  minValue,
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
import type { StopSignal } from "./project.ts";
import { shown } from "../text/shown.ts";

/** Keys that only services of those types have, with the type. */
export const laterKeys: Readonly<Record<string, string>> = {
  version: "postgres",
  image: "container",
  container_port: "container",
  path: "site",
  build: "build",
};

/** What others call our keys. */
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

const signals: readonly StopSignal[] = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGKILL",
];

function expected(words: string) {
  return ({ input }: { input: unknown }): string => `${words} is expected, not ${shown(input)}`;
}

/** Text that a system call can be given. */
function text(words: string) {
  return pipe(
    string(expected(words)),
    check((value) => value.trim() !== "", `${words} is expected, not nothing`),
    check((value) => !value.includes("\0"), "a NUL character ends the text where it stands"),
  );
}

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

function whole(least: number, most: number) {
  const message = expected(`a whole number from ${least} to ${most}`);
  return pipe(number(message), integer(message), minValue(least, message), maxValue(most, message));
}

const flag = boolean(expected("true or false"));
const serviceNames = array(text("a service's name"), expected('a list such as ["db"]'));
const paths = union(
  [text("a path"), array(text("a path"), expected("a list of paths"))],
  expected("a path or a list of paths"),
);

const env = record(
  string(),
  pipe(
    string(({ input }) =>
      typeof input === "number" || typeof input === "boolean"
        ? `text is expected; write "${input}"`
        : `text is expected, not ${shown(input)}`,
    ),
    check((value) => !value.includes("\0"), "a NUL character ends the text where it stands"),
  ),
  expected('a table such as { LOG = "debug" }'),
);

const stopSignal = pipe(
  string(expected('a signal such as "SIGINT"')),
  description(`${signals.join(", ")}, with or without SIG. Goes to the whole group.`),
  transform((name) => `SIG${name.toUpperCase().replace(/^SIG/, "")}`),
  check(
    (name) => (signals as readonly string[]).includes(name),
    `one of ${signals.join(", ")} is expected, with or without SIG`,
  ),
);

const healthCheck = strictObject(
  {
    type: optional(
      pipe(
        picklist(["http", "tcp", "command"], expected('"http", "tcp" or "command"')),
        description(
          "`http`: a GET of `path` on the service's port, 200 to 399 is well. `tcp`: a connection to the port. `command`: by the shell, with the service's own environment and workdir, exit code 0 is well. Needless where `path` or `command` says it.",
        ),
      ),
    ),
    path: optional(
      pipe(
        text("a path"),
        check((value) => value.startsWith("/"), "a path begins with /"),
        description("Of an http check."),
      ),
      "/",
    ),
    command: optional(pipe(text("a command"), description("Of a command check."))),
    interval: optional(duration("From one check's end to the next."), "1s"),
    timeout: optional(duration("A check that takes longer has failed."), "2s"),
    retries: optional(
      pipe(
        whole(1, 1000),
        description("Failures in a row before a service that was ready is unready."),
      ),
      3,
    ),
    start_period: optional(
      duration("After the start, failures do not count for this long.", { positive: false }),
      0,
    ),
  },
  expected('a command, or a table such as { path = "/health" }'),
);

export const healthSchema = healthCheck;

const service = strictObject(
  {
    type: optional(
      pipe(
        picklist(["exec", "worker"], expected('"exec" or "worker"')),
        description(
          "`exec`: a server, with a port and an address. `worker`: a process without either.",
        ),
      ),
      "exec",
    ),
    command: optional(
      pipe(
        text("a command"),
        description("Run by `/bin/sh -c`. A service that is nothing but a text is its command."),
      ),
    ),
    workdir: optional(
      pipe(text("a folder"), description("Where it runs, from the project's folder.")),
      ".",
    ),
    port: optional(
      pipe(
        whole(1, 65_535),
        description(
          "The port it is given as `PORT`. Without it a free one is chosen, and kept across restarts.",
        ),
      ),
    ),
    env: optional(
      pipe(env, description("Its environment, over `[project] env`, `.env` and `env_file`.")),
    ),
    env_file: optional(
      pipe(
        paths,
        description("Files of `KEY=value` lines, below `env`; later ones win. They have to exist."),
      ),
    ),
    depends_on: optional(
      pipe(serviceNames, description("It starts when these are ready, and stops before them.")),
    ),
    restart_with: optional(
      pipe(serviceNames, description("When one of these restarts, it restarts too.")),
    ),
    health_check: optional(
      pipe(
        union(
          [text("a command"), healthCheck],
          expected('a command, or a table such as { path = "/health" }'),
        ),
        description(
          "How it is asked whether it is well: a command, or a table. Without it, it is ready by `sd_notify`, by `ready_pattern`, or once its port listens.",
        ),
      ),
    ),
    ready_pattern: optional(
      pipe(
        text("a regular expression"),
        check(compiles, ({ input }) => `${shown(input)} is no regular expression`),
        description("A regular expression; a line of its output that it matches means ready."),
      ),
    ),
    start_timeout: optional(duration("A start that is not ready after this has failed."), "1m"),
    stop_signal: optional(stopSignal, "SIGTERM"),
    stop_timeout: optional(duration("From that signal to SIGKILL.", { positive: false }), "5s"),
    restart: optional(
      pipe(
        union(
          [literal("on-failure"), literal("always"), literal("no")],
          expected('"on-failure", "always" or "no"'),
        ),
        description(
          "Whether it is started again when it ends by itself: after a failure, always, or not.",
        ),
      ),
      "on-failure",
    ),
    lazy: optional(
      pipe(flag, description("Started by the first request to its address, not by `up`.")),
      false,
    ),
    idle_timeout: optional(duration("Stopped after so long without a request.")),
    watch: optional(
      pipe(
        array(text("a glob"), expected('a list such as ["src/**/*.ts"]')),
        description("Globs, from workdir; a change of a file that one matches restarts it."),
      ),
    ),
    pty: optional(
      pipe(
        flag,
        description(
          "Runs in a terminal of its own. False: pipes, and stdout and stderr are told apart.",
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
          "What the project is called: letters, digits, inner hyphens. Without it, its folder's name.",
        ),
      ),
    ),
    domain: optional(
      pipe(
        text("a domain"),
        description(
          "Where it is served: `web`, or the service named like the project, here, the others below. Without it, `<name>.localhost`.",
        ),
      ),
    ),
    env: optional(
      pipe(env, description("The environment of all its services. Wins over `[env]`.")),
    ),
    env_file: optional(
      pipe(paths, description("For all services: files of `KEY=value` lines, above `.env`.")),
    ),
    reload: optional(
      pipe(
        union(
          [literal("git"), literal("ask"), literal("auto")],
          expected('"git", "ask" or "auto"'),
        ),
        description(
          "Which changes of commands wait for `up`: those that come while git's HEAD is another, all, or none. What counts is what it was at the last `up`, or what config.toml says.",
        ),
      ),
      "git",
    ),
    workspace: optional(
      pipe(text("a name"), description("Kept for locald; without meaning here.")),
    ),
    constellation: optional(
      pipe(text("a name"), description("Kept for locald; without meaning here.")),
    ),
  },
  expected('a table such as [project] with name = "shop"'),
);

export const projectSchema = project;

export const layerSchema = strictObject({
  project: optional(pipe(project, description("The project itself."))),
  env: optional(
    pipe(env, description("The environment of all services, below `[project] env` and `.env`.")),
  ),
  services: optional(
    pipe(
      record(
        string(),
        union(
          [text("a command"), service],
          expected('a command, or a table such as { command = "bun dev" }'),
        ),
        ({ input }) => `tables such as [services.web] are expected, not ${shown(input)}`,
      ),
      description("What runs, each under its name: `[services.web]`."),
    ),
  ),
});

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    // A SyntaxError: the only one there can be, and the answer.
    return false;
  }
}
