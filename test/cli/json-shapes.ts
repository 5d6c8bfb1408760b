/** Every verb -> the shape of the answer that it prints with `--json`; docs/json.md is made of these. */
import * as v from "valibot";
import { ways } from "../../src/boot/way.ts";
import { pieceIds } from "../../src/cli/install/piece.ts";
import { givenStates } from "../../src/cli/servers/given-row.ts";
import { partStates } from "../../src/cli/setup/setup-report.ts";
import { failureCodes } from "../../src/cli/shared/failure.ts";
import { errorCodes } from "../../src/control/found/protocol.ts";
import { forwardings, guards } from "../../src/manifest/name-settings.ts";
import { denialKinds } from "../../src/routes/denial.ts";
import { serviceTypes } from "../../src/manifest/types/own.ts";
import { remoteStates } from "../../src/routes/remote-report.ts";
import { nameSources } from "../../src/routes/service.ts";

export type Shape = v.GenericSchema;

const says = <Its extends Shape>(schema: Its, description: string) =>
  v.pipe(
    schema as v.GenericSchema<v.InferInput<Its>, v.InferOutput<Its>>,
    v.description(description),
  );
const text = (description: string) => says(v.string(), description);
const number = (description: string) => says(v.number(), description);
const flag = (description: string) => says(v.boolean(), description);
const orNull = (schema: Shape, description: string) => says(v.nullable(schema), description);
const list = (schema: Shape, description: string) => says(v.array(schema), description);
const one = (words: readonly string[], description: string) => says(v.picklist(words), description);

/** The one form of a time. */
const utc = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
const time = (description: string) => says(utc, description);
const timeOrNull = (description: string) => says(v.nullable(utc), description);

const url = (description: string) => text(`${description}, without a final slash`);
const urlOrNull = (description: string) => orNull(v.string(), description);
const pid = v.pipe(v.number(), v.integer(), v.minValue(1));

const states = [
  "stopped",
  "starting",
  "running",
  "ready",
  "unready",
  "stopping",
  "exited",
  "completed",
  "backoff",
  "failed",
];

const error = v.strictObject({
  error: says(
    v.strictObject({
      code: one([...failureCodes, ...errorCodes], "see [codes](#codes)"),
      message: text("sentences for a person, one a line"),
      hint: orNull(v.string(), "the part of the message that says what to do: mostly a command"),
    }),
    "why there is no answer",
  ),
});

const server = v.strictObject({
  name: text("its name"),
  url: urlOrNull("null if the name cannot be used; `warnings` says why"),
  address: text("the address that it listens on, another host, or the path of a unix socket"),
  port: orNull(v.number(), "the port that it listens on; null: it is a unix socket"),
  pid: orNull(v.number(), "its main process; null: none of this machine is known"),
  pids: list(v.number(), "all its processes"),
  ports: list(v.number(), "all ports that they listen on"),
  command: text("the command line"),
  cwd: orNull(v.string(), "the folder that it was started in"),
  started_at: timeOrNull("when its main process was started; null: nobody can tell"),
  source: one(nameSources, "where the name is from; see [names](names.md#where-a-name-comes-from)"),
  because: orNull(v.string(), "a clause on where the name is from"),
  checkout: orNull(
    v.strictObject({
      repository: v.string(),
      root: v.string(),
      label: v.nullable(v.string()),
      branch: v.nullable(v.string()),
    }),
    "the git checkout that it runs in; `label` is a linked worktree's, which is in front of its name",
  ),
  origin: orNull(
    v.strictObject({
      name: text("a plain name that can show several checkouts, this one among them"),
      shown: flag("whether all browsers see this one there"),
    }),
    "null: no such name shows it; see [worktrees](worktrees.md#one-origin-many-worktrees)",
  ),
  warnings: list(v.string(), "sentences"),
});

const repository = v.strictObject({
  repository: text("the folder that its checkouts share"),
  names: list(v.string(), "its plain names"),
  shown: list(
    v.strictObject({
      worktree: text("the label"),
      of: orNull(v.string(), "the name that it is limited to, with what is under it; null: all"),
      names: list(v.string(), "the plain names when it was chosen"),
    }),
    "what is chosen for all browsers",
  ),
  worktrees: list(
    v.strictObject({
      label: v.string(),
      branch: v.nullable(v.string()),
      root: v.string(),
      names: v.array(v.string()),
    }),
    "its linked worktrees, with the names of their own servers",
  ),
});

const chosen = v.strictObject({
  worktree: text("the label"),
  root: text("its folder"),
  of: orNull(v.string(), "the name that was typed; null: all plain names of the repository"),
  names: list(v.string(), "the plain names that show it"),
});

const ended = v.strictObject({
  ended: list(v.string(), "the labels that are shown no longer; empty if nothing was chosen"),
  names: list(v.string(), "the plain names that show the main checkout again"),
});

const given = v.strictObject({
  name: text("its name"),
  place: text("where it leads, as `localhostess name` takes it"),
  url: urlOrNull("null while no request for the name goes there"),
  state: one([...givenStates], "see [given names](names.md#names-that-you-give)"),
  why: orNull(v.string(), "why it leads nowhere now"),
  given_at: time("when it was given"),
});

const forgotten = v.strictObject({
  folder: text("the folder of a project"),
  forgotten: flag("its servers have no name from it"),
});

const traffic = v.strictObject({
  requests: number("requests since the daemon started"),
  errors: number("answers with a status of 500 or more, and requests that were broken off"),
  active: number("requests under way"),
  denied: number("requests of other sites' pages that the guard refused"),
  median_milliseconds: orNull(v.number(), "of the last hundred requests"),
  per_second: list(v.number(), "requests in each of the last 60 seconds, the oldest first"),
});

const serverReport = v.strictObject({
  ...server.entries,
  secure_url: urlOrNull("the same for https"),
  traffic: says(traffic, "counts"),
});

const request = v.strictObject({
  id: number("from 1 in every run of the daemon"),
  time: time("when its head was complete"),
  service: text("the name that it was routed by; empty: none"),
  method: text("such as `GET`"),
  target: text("path and query, cut after 2,048 characters"),
  scheme: one(["http", "https"], "of the client's connection"),
  status: number("of the answer; 0: broken off before there was one"),
  milliseconds: number("from the complete head to the last byte of the answer"),
  received: number("bytes of the request's body"),
  sent: number("bytes of the answer's body"),
  stream: flag("server-sent events, a WebSocket or a tunnel"),
  denied: orNull(
    v.picklist(["refused", "passed"]),
    'what the guard did with it; null: it had nothing against it; `passed`: by `guard = "log"`',
  ),
  caller: says(
    v.optional(v.strictObject({ pid: v.number(), command: v.string() })),
    "the client's process; absent: not known",
  ),
});

const listening = v.strictObject({ address: v.string(), port: v.number() });

const denial = v.strictObject({
  service: text("the name that it was routed by"),
  origin: orNull(v.string(), "of the page; `null` as text: it hides that; null: it says nothing"),
  kind: one([...denialKinds], "what the page did"),
  method: text("of the last such request; of a preflight: the one it asks for"),
  path: text("without its query"),
  count: number("how often since the daemon started"),
  started_at: time("the first time"),
  last_at: time("the last time"),
  refused: flag('false: let pass by `guard = "log"`'),
  message: text("one line"),
  allow: text("the line of a file that allows it"),
  file: text("where that line has to stand"),
});

const serverDetail = v.strictObject({
  ...serverReport.entries,
  processes: list(
    v.strictObject({
      pid,
      parent: v.nullable(v.number()),
      command: v.nullable(v.string()),
      cwd: v.nullable(v.string()),
      started_at: v.nullable(utc),
      listening: v.array(listening),
    }),
    "its processes; null: could not be read",
  ),
  denials: list(denial, "requests of other sites' pages, by origin and kind, the newest first"),
  requests: list(request, "the latest, the newest first"),
});

const exit = v.strictObject({
  code: orNull(v.number(), "null: a signal ended it"),
  signal: orNull(v.string(), "such as `SIGKILL`"),
  time: time("when it ended"),
  last_lines: list(v.string(), "the end of its output"),
});

const pending = v.strictObject({
  change: one(["added", "changed"], "whether the service is new"),
  keys: list(v.string(), "the keys that have changed"),
  before: orNull(v.string(), "the command at the last `up`"),
  after: text("the command that waits"),
  why: text("why it waits"),
  held: flag("true: it is not started at all"),
});

/** A row of `Status` for a server that a person has started by hand: the fields of the first locald. */
const foundStatus = v.strictObject({
  name: text("`shop:api`, or the name of a server that was started by hand"),
  pid: orNull(v.number(), "null: no process runs"),
  port: orNull(v.number(), "the port assigned to it"),
  status: one(["running", "stopped"], "whether a process runs"),
  url: urlOrNull("null: it has no address"),
  domain: orNull(v.string(), "its host, also where `url` is null"),
  health_status: one(["Unknown", "Starting", "Healthy", "Unhealthy"], "as in locald"),
  health_source: one(["None", "Notify", "Tcp", "Http", "Command", "Log"], "as in locald"),
  path: orNull(v.string(), "the project's folder, or the working directory"),
  workspace: says(v.null(), "as in locald"),
  constellation: says(v.null(), "as in locald"),
  warnings: list(v.string(), "sentences"),
  started_at: timeOrNull("when its process was started"),
  command: text("the command line"),
});

const service = v.strictObject({
  ...foundStatus.entries,
  project: text("the project's name"),
  service: text("its name in the project"),
  route_name: orNull(v.string(), "the name in its address, without the domain"),
  type: one(serviceTypes, "as declared"),
  state: one(states, "see [states](supervisor.md)"),
  why: orNull(v.string(), "the reason for the state"),
  message: text("the state, its cause and the command that helps, in a sentence"),
  says: orNull(v.string(), "the text that it sent as `STATUS=`"),
  ready: flag("whether it is ready"),
  ready_at: timeOrNull("when it became ready"),
  uptime: orNull(v.number(), "milliseconds since its process was started"),
  restarts: number("automatic restarts"),
  exit: orNull(exit, "how its last process ended"),
  cpu: orNull(v.number(), "percent of one processor, for the whole process tree"),
  memory: orNull(v.number(), "resident bytes of the whole process tree"),
  memory_limit: orNull(v.number(), "the bytes above which it is ended"),
  denied: number("requests of other sites' pages that the guard refused"),
  denials: list(denial, "these, by origin and kind, the newest first"),
  lazy: flag("started by its first request"),
  next_run: timeOrNull("the next time of its schedule"),
  plugin: orNull(v.string(), "the plugin that has made it"),
  instance: orNull(
    v.strictObject({
      of: v.string(),
      number: v.number(),
      route_name: v.nullable(v.string()),
      url: v.nullable(v.string()),
    }),
    "one of several processes that share a name; `route_name` and `url` are those of them all",
  ),
  pending: orNull(pending, "a change in the project's files that waits for `up`"),
});

const waited = v.strictObject({
  name: text("`shop:api`"),
  state: one(states, "the last state that was seen"),
  reached: flag("whether it has become what was waited for"),
  exit: orNull(v.number(), "the exit code that is passed on"),
  why: orNull(v.string(), "the reason for the state"),
});

const line = v.strictObject({
  time: time("when it was printed"),
  service: text("`shop:api`, or `localhostess` for the daemon itself"),
  stream: one(["stdout", "stderr"], "a terminal has only `stdout`"),
  message: text("the line as printed, with its colors, without the line end"),
  open: says(v.optional(v.literal(true)), "true: it has no end yet"),
});

const attached = v.union([
  v.strictObject({ attached: v.string(), terminal: v.boolean() }),
  v.strictObject({ output: v.string() }),
  v.strictObject({ skipped: v.number() }),
  v.strictObject({ state: v.string(), pid: v.nullable(v.number()), why: v.nullable(v.string()) }),
]);

const project = v.strictObject({
  path: text("its folder"),
  name: text("its name"),
  pinned: flag("started with the daemon"),
  last_seen: time("when it was up last"),
  folder: one(["here", "replaced", "gone", "unmounted"], "where the folder is"),
});

const step = v.strictObject({
  step: one(
    ["resolves", "listens", "routes", "owner", "hop", "dials", "certificate", "guard", "answers"],
    "see [why](cli.md#why)",
  ),
  ok: flag("false on the last one only"),
  detail: text("a sentence"),
  fix: orNull(v.string(), "what to do"),
  lines: says(v.optional(v.array(v.string())), "the last lines of a service that has ended"),
});

const plugin = v.strictObject({
  name: text("its name"),
  from: one(["user", "project"], "installed, or in `.locald/plugins` of the project here"),
  state: one(
    ["ready", "not_agreed", "changed", "absent"],
    "`ready`: it may run; `not_agreed`: see `plugin agree`; `changed`, `absent`: its file is another one, or is gone",
  ),
  sha256: text("the hash that it may run with, in hexadecimal"),
  path: text("its component"),
  source: orNull(v.string(), "the file or the address that it was installed from"),
  claims: list(v.string(), "built-in types that it said it knows"),
  granted: list(v.string(), "capabilities granted in config.toml, or at a terminal"),
});

const remote = v.strictObject({
  name: text("the last label of its servers' names: `box`, as in `api.box`"),
  host: text("as ssh takes it"),
  source: one(["config", "kept"], "config.toml, or `remote add`"),
  state: one(remoteStates, "see [remotes.md](remotes.md#states)"),
  changed_at: time("when the state began"),
  why: orNull(v.string(), "why it is not connected"),
  fix: orNull(v.string(), "what to do"),
  retry_in: orNull(v.number(), "milliseconds until the next attempt"),
  by: orNull(v.picklist(["localhostess", "script"]), "what has found the servers there"),
  pid: orNull(pid, "the process of ssh"),
  control: orNull(v.string(), "the path of its control socket"),
  services: list(
    v.strictObject({
      name: text("its name here"),
      address: text("where it listens there; the path of a unix socket, if `port` is null"),
      port: orNull(v.number(), "its port there"),
      socket: orNull(v.string(), "the unix socket here that leads there"),
    }),
    "what runs there",
  ),
  notes: list(v.string(), "sentences about what cannot be reached there"),
});

/** The answer of `url` where no server listens yet. */
const coming = v.strictObject({
  name: text("its name in the address"),
  url: url("a request waits for the service there, or starts it"),
  id: text("`shop:api`"),
  state: one(states, "see [states](supervisor.md)"),
  message: text("the state, its cause and the command that helps, in a sentence"),
});

const store = v.strictObject({
  store: text("the trust store"),
  authority: one(["names", "bare", "replaced"], "which certificate authority"),
  action: one(["check", "install", "remove", "forget"], "what was done"),
  result: one(
    ["ok", "already", "needs you", "failed", "trusted", "absent", "unavailable"],
    "how it went",
  ),
  why: orNull(v.string(), "the reason"),
  fix: orNull(v.string(), "what to do"),
});

const finding = v.strictObject({
  check: text("what was checked"),
  level: one(["ok", "warning", "broken"], "the exit code is 1 if one is `broken`"),
  detail: text("a sentence"),
  fix: orNull(v.string(), "what to do"),
});

const setupReport = v.strictObject({
  parts: list(
    v.strictObject({
      part: one(["ports", "hosts", "trust"], "the option of `setup`"),
      state: one(partStates, "whether it is set up"),
      why: orNull(v.string(), "the reason"),
      fix: orNull(v.string(), "what to do"),
    }),
    "the exit code is 1 if one is `impossible`, or with `--status` if one is `to do`",
  ),
  steps: list(
    v.strictObject({
      step: text("a word that stays"),
      purpose: text("a sentence"),
      commands: list(v.string(), "lines for the shell of root"),
    }),
    "those that are due; with `--remove`, those that take away",
  ),
});

const daemonStatus = v.strictObject({
  running: flag("the exit code is 1 if it is not"),
  probe: text("the [result of the probe](daemon.md#the-probe)"),
  why: orNull(v.string(), "why it is not running"),
  fix: orNull(v.string(), "what to do"),
  state_directory: text("where it keeps its files"),
  log: text("the log of a daemon in the background"),
  pid: orNull(v.number(), "null without a record; so are the following"),
  port: orNull(v.number(), "the proxy's main port"),
  url: urlOrNull("the front page"),
  api: urlOrNull("the API"),
  socket: orNull(v.string(), "the path of the socket"),
  version: orNull(v.string(), "of the daemon"),
  protocol: orNull(v.string(), "of the daemon"),
  started_at: timeOrNull("when it was started"),
});

const change = v.strictObject({
  change: one(["appeared", "changed", "gone"], "what has happened to it"),
  service: says(server, "a server, as `ls` has it"),
});

const healthCheck = v.strictObject({
  ask: v.union([
    v.strictObject({ kind: v.picklist(["http", "https"]), path: v.string() }),
    v.strictObject({ kind: v.literal("tcp") }),
    v.strictObject({ kind: v.literal("command"), command: v.string() }),
  ]),
  interval: v.number(),
  timeout: v.number(),
  retries: v.number(),
  start_period: v.number(),
});

const nameSettings = v.strictObject({
  guard: v.optional(v.picklist(guards)),
  allow_origins: v.optional(v.array(v.string())),
  allow_posts: v.optional(v.array(v.string())),
  forwarded: v.optional(v.picklist(forwardings)),
  strict_subdomains: v.optional(v.boolean()),
});

const declared = v.strictObject({
  name: text("its key in the file; with `instances`, that and a number"),
  type: one(serviceTypes, "as declared"),
  own: says(
    v.optional(v.looseObject({ kind: v.string() })),
    "the values of its type alone, such as those of a container, or of its build",
  ),
  command: text("the command line"),
  hooks: says(v.record(v.string(), v.string()), "commands by their keys in the file"),
  shell: list(v.string(), "the words before a command"),
  workdir: text("absolute"),
  port: says(v.optional(v.number()), "absent: a free port is chosen"),
  env: says(v.record(v.string(), v.string()), "variables of all layers, by name"),
  env_files: list(v.string(), "absolute"),
  depends_on: list(v.string(), "services"),
  conditions: says(v.record(v.string(), v.string()), "what is awaited of them, by service"),
  restart_with: list(v.string(), "services"),
  health: says(v.optional(healthCheck), "times in milliseconds"),
  ready_pattern: says(v.optional(v.string()), "a regular expression"),
  stop_signal: text("such as `SIGTERM`"),
  stop_timeout: number("milliseconds"),
  start_timeout: says(v.optional(v.number()), "milliseconds"),
  restart: one(["on-failure", "always", "no"], "as declared"),
  limits: says(v.strictObject({ memory: v.optional(v.number()) }), "in bytes"),
  schedule: says(v.optional(v.string()), "a cron expression"),
  disabled: flag("not brought up with its project"),
  profiles: list(v.string(), "brought up only with one of them"),
  lazy: flag("started by its first request"),
  idle_timeout: says(v.optional(v.number()), "milliseconds"),
  watch: list(v.string(), "globs"),
  inputs: list(v.string(), "globs"),
  pty: flag("whether it has a terminal"),
  route_name: says(v.optional(v.string()), "its address, without `.localhost`"),
  settings: says(
    v.optional(nameSettings),
    "how requests to it are treated, as far as it or its project says",
  ),
  instance: says(
    v.optional(
      v.strictObject({ of: v.string(), number: v.number(), route_name: v.optional(v.string()) }),
    ),
    "one of several processes that share a name",
  ),
});

const checkout = v.strictObject({
  repository: text("git's own folder, which all checkouts share"),
  root: text("the checkout's folder"),
  label: says(v.optional(v.string()), "a linked worktree's, in front of its names"),
});

const configuration = v.strictObject({
  name: text("the project's name"),
  domain: text("such as `shop.localhost`"),
  directory: text("its folder"),
  services: list(declared, "in the order of the file"),
  reload: says(
    v.strictObject({ value: v.picklist(["auto", "ask", "git"]), personal: v.boolean() }),
    "as declared; `personal`: in config.toml",
  ),
  checkout: says(v.optional(checkout), "the git checkout that it is in"),
  freed_ports: says(
    v.optional(v.array(v.strictObject({ service: v.string(), port: v.number() }))),
    "ports of the files that another checkout has: these services have free ones here",
  ),
  foreign: says(v.optional(v.string()), "a file that belongs to another user"),
  files: list(v.string(), "every file that was looked for"),
  warnings: list(v.string(), "sentences"),
  provenance: says(
    v.optional(
      v.array(
        v.strictObject({
          key: v.string(),
          value: v.unknown(),
          file: v.nullable(v.string()),
          line: v.nullable(v.number()),
        }),
      ),
    ),
    "with `--provenance`: where each value is from; null: the default",
  ),
});

const absent = (schema: Shape, description: string) => says(v.optional(schema), description);

const supervised = v.strictObject({
  id: text("`shop:api`"),
  project: text("the project's name"),
  domain: text("the project's domain"),
  service: text("its name in the project"),
  type: one(serviceTypes, "as declared"),
  state: one(states, "see [states](supervisor.md)"),
  why: absent(v.string(), "the reason for the state"),
  status: absent(v.string(), "the text that it sent as `STATUS=`"),
  route_name: absent(v.string(), "the name in its address; a worker has none"),
  settings: absent(
    nameSettings,
    "how requests to it are treated, as far as it or its project says",
  ),
  checkout: absent(checkout, "the git checkout that its project is in"),
  pid: absent(v.number(), "absent: no process runs"),
  port: absent(v.number(), "the port assigned to it"),
  socket: absent(v.string(), "the unix socket at which the daemon itself answers for a site"),
  listens: list(v.number(), "the ports that its processes listen on"),
  listens_as: list(v.number(), "the users as whom they do"),
  started_at: absent(utc, "when its process was started"),
  ready_at: absent(utc, "when it became ready"),
  restarts: number("automatic restarts"),
  last_exit: absent(exit, "how its last process ended"),
  failures: absent(v.number(), "ends by itself, and starts that were refused"),
  is_held: absent(v.boolean(), "another program has its port"),
  is_gone: absent(v.boolean(), "its project's folder is not where it was"),
  lazy: flag("started by its first request"),
  directory: text("the project's folder"),
  warnings: list(v.string(), "sentences"),
  next_run: absent(utc, "the next time of its schedule"),
  plugin: absent(v.string(), "the plugin that has made it"),
  instance: absent(
    v.strictObject({ of: v.string(), number: v.number(), route_name: v.optional(v.string()) }),
    "one of several processes that share a name",
  ),
  pending: absent(pending, "a change in the project's files that waits for `up`"),
});

const daemonReport = v.strictObject({
  id: text("of this run"),
  version: text("of the daemon"),
  protocol: text("of the daemon"),
  pid: number("its process"),
  started_at: time("when it was started"),
  uptime: number("milliseconds"),
  url: text("the API"),
  socket: text("the path of the socket"),
  port: number("the proxy's main port"),
  http_port: absent(v.number(), "in http URLs; absent: `port`"),
  https_port: absent(v.number(), "in https URLs; absent: `port`"),
  tlds: list(v.string(), "domains besides `localhost`"),
  addresses: list(v.string(), "that the proxy listens on"),
  state_directory: text("where it keeps its files"),
  log: orNull(v.string(), "its log; null: a terminal"),
  memory: number("resident bytes"),
  connections: says(
    v.strictObject({ proxy: v.number(), http: v.number(), ipc: v.number() }),
    "how many are open",
  ),
});

/** Shapes that several answers share, by the name of their section. */
export const shapes: Readonly<Record<string, v.StrictObjectSchema<v.ObjectEntries, undefined>>> = {
  Error: error,
  Server: server,
  "Given name": given,
  "Forgotten folder": forgotten,
  Service: service,
  Line: line,
  "Daemon status": daemonStatus,
  Step: step,
  Remote: remote,
  Coming: coming,
  Waited: waited,
  Store: store,
  Finding: finding,
  "Setup report": setupReport,
  Project: project,
  Configuration: configuration,
  Declared: declared,
  Exit: exit,
  Pending: pending,
  "Server report": serverReport,
  Traffic: traffic,
  "Server detail": serverDetail,
  Denial: denial,
  Request: request,
  "Found status": foundStatus,
  Supervised: supervised,
  "Daemon report": daemonReport,
  Plugin: plugin,
};

export type Answer = {
  /** Undefined: the verb has no answer of its own, and prints errors only. */
  shape: Shape | undefined;
  /** One value a line, as they come. */
  stream?: boolean;
  /** More words, in Markdown. */
  note?: string;
  /** Held against its shape where a database is: in test/e2e/databases.test.ts. */
  withDatabase?: true;
  /** Held against its shape where plugins are: in test/cli/plugins/verbs.test.ts. */
  withPlugin?: true;
};

const rows = (shape: Shape): Answer => ({ shape: v.array(shape) });
const object = (entries: v.ObjectEntries): Answer => ({ shape: v.strictObject(entries) });

const added = object({
  path: text("the file"),
  line: number("where the service stands in it"),
  service: says(
    v.strictObject({
      name: v.string(),
      type: v.picklist(serviceTypes),
      command: v.nullable(v.string()),
      image: v.nullable(v.string()),
      path: v.nullable(v.string()),
      version: v.nullable(v.union([v.number(), v.string()])),
      build: v.nullable(v.string()),
      port: v.nullable(v.number()),
    }),
    "as written; null: a key that the file does not have",
  ),
});

const worktree = v.strictObject({
  branch: orNull(v.string(), "null: HEAD is detached"),
  label: orNull(v.string(), "the label in front of its names; null: the main checkout has none"),
  folder: text("its folder"),
  projects: list(
    v.strictObject({
      name: text("its name"),
      up: flag("false: all its services are stopped"),
      services: number("how many it has"),
      ready: number("how many of them are ready, or completed"),
    }),
    "the projects in it that the daemon knows",
  ),
});

const changedService = object({
  way: one(ways, "how the daemon is started"),
  done: flag("false with `--dry-run`"),
  steps: list(
    v.strictObject({
      does: one(["write", "remove", "run"], "what is done"),
      path: orNull(v.string(), "the file"),
      command: orNull(v.string(), "the command, as a shell reads it"),
    }),
    "in order",
  ),
  notes: list(v.string(), "sentences for a person"),
});

const started = "stdout of the command itself goes to stderr";

/** By the words of the verb. */
export const answers: Readonly<Record<string, Answer>> = {
  ls: { ...rows(server), note: "with `--watch`, an array a line, at first and after each change" },
  url: {
    shape: server,
    note: "`url` is the one that was asked for; [Coming](#coming) for a service that starts, or is lazy",
  },
  port: { shape: server },
  name: {
    shape: v.union([v.array(given), given, v.array(forgotten), forgotten]),
    note: "without words, all of them; the one that was given, asked for or removed; [Forgotten folder](#forgotten-folder) with `--forget` and `--remember`",
  },
  use: {
    shape: v.union([v.array(repository), chosen, ended]),
    note: "without words, the repositories with several checkouts; with a worktree, the choice; with `--`, its end",
  },
  open: object({ url: text("the URL that was opened") }),
  serve: {
    shape: v.strictObject({
      name: v.string(),
      url: v.string(),
      path: text("the folder, without links"),
      port: v.number(),
    }),
    stream: true,
    note: "one line, once it listens",
  },
  why: rows(step),
  "remote list": rows(remote),
  "remote add": { shape: remote },
  "remote remove": object({ name: text("the machine that is gone") }),
  "remote retry": rows(remote),
  "plugin install": { shape: plugin, withPlugin: true },
  "plugin list": { ...rows(plugin), withPlugin: true },
  "plugin agree": { shape: plugin, withPlugin: true },
  "plugin remove": { ...object({ name: text("the plugin that is gone") }), withPlugin: true },
  "plugin validate": {
    ...object({
      path: text("the file"),
      sha256: text("its hash, in hexadecimal"),
      size: number("bytes"),
      claims: list(v.string(), "built-in types that it knows"),
    }),
    withPlugin: true,
  },
  "plugin inspect": {
    ...object({
      name: text("its name, or that of the file"),
      sha256: text("its hash, in hexadecimal"),
      claims: list(v.string(), "built-in types that it knows"),
      detect: orNull(v.string(), "what it says of the service; null: it does not know it"),
      plan: orNull(v.looseObject({}), "the plan, in the form of locald; null: it gave none"),
      errors: list(v.string(), "why there is no plan"),
      warnings: list(v.string(), "sentences of the plugin"),
    }),
    note: "exits with 1 where there is no plan",
    withPlugin: true,
  },
  "plugin plan": {
    ...object({
      service: text("its name in the project's file"),
      plugin: text("the plugin's name"),
      sha256: text("the hash of its component, in hexadecimal"),
      plan: says(v.looseObject({}), "the plan, in the form of locald"),
      services: says(
        v.record(v.string(), v.looseObject({})),
        "services that it declares, by name, in the keys of locald.toml",
      ),
      ports: says(v.record(v.string(), v.number()), "ports, by the names that the plan gives them"),
      images: list(v.string(), "images that are pulled"),
      accepted: flag("`up` has put it in place, and nothing has changed since"),
      missing: list(v.string(), "capabilities that it needs, and has not been granted"),
    }),
    withPlugin: true,
  },
  "plugin new": {
    ...object({
      name: text("the plugin's name"),
      folder: text("the folder that was made"),
      files: list(v.string(), "paths in it"),
    }),
    withPlugin: true,
  },
  pac: object({ url: text("where the proxy serves it"), text: text("the PAC file") }),
  up: { ...rows(service), note: "the services that were to start" },
  stop: { ...rows(service), note: "as they are afterwards; empty if nothing of them was up" },
  restart: { ...rows(service), note: "as they are afterwards" },
  wait: {
    shape: waited,
    stream: true,
    note: "each service when it is settled, the others in the end",
  },
  status: rows(
    v.strictObject({
      ...service.entries,
      plan: orNull(
        v.strictObject({
          service: text("the service in the project's file that it comes of"),
          plugin: text("the plugin's name"),
          sha256: text("the hash of its component, in hexadecimal"),
          plan: says(v.looseObject({}), "the plan, in the form of locald"),
        }),
        "the plan of a plugin that it comes of",
      ),
    }),
  ),
  logs: { shape: line, stream: true },
  attach: {
    shape: attached,
    stream: true,
    note: "the lines of the daemon, see [Attaching](api.md#attaching)",
  },
  monitor: { shape: undefined, note: "a screen; `status --json` has its data" },
  "container run": {
    shape: undefined,
    note: "a line with `image` (as typed) and `command` (its words), before it is pulled; stdout of the command itself goes to stderr, and an error is a line of its own",
  },
  build: {
    shape: v.strictObject({
      services: list(
        v.strictObject({
          service: text("the service, such as `shop:api`"),
          built: flag("it was built, now or before"),
          ran: flag("false: nothing had changed since the last build"),
          seconds: number("how long it took"),
          processes: list(v.string(), "the processes that its buildpacks declare"),
          why: orNull(v.string(), "why it was not built"),
        }),
        "in the order in which they were built",
      ),
    }),
    note: "output of builds goes to stderr; where one fails, the exit code is 1",
  },
  run: {
    shape: v.strictObject({ service: text("as typed"), command: list(v.string(), "its words") }),
    stream: true,
    note: `one line before the command starts; ${started}`,
  },
  try: {
    shape: v.strictObject({
      name: text("the NAME"),
      url: url("its URL"),
      port: number("the PORT"),
    }),
    stream: true,
    note: `one line before the command starts; ${started}`,
  },
  "registry list": rows(project),
  "registry pin": object({ path: text("the folder"), pinned: flag("true") }),
  "registry unpin": object({ path: text("the folder"), pinned: flag("false") }),
  "registry forget": object({ name: text("the project"), path: text("its folder") }),
  "registry clean": object({ cleaned: number("how many were forgotten") }),
  "worktree add": object({
    branch: text("the branch"),
    folder: text("the worktree's folder"),
    created: flag("false: it was there, and was gone on with"),
    copied: list(v.string(), "paths of `[worktree] copy`, relative to the project's folder"),
    left: list(
      v.strictObject({ path: v.string(), why: v.string() }),
      "paths that were not copied, and why",
    ),
    setup: orNull(v.picklist(["done", "failed"]), "null: there is none, or it was not asked for"),
    services: list(service, "the services that were to start"),
  }),
  "worktree remove": object({
    branch: orNull(v.string(), "its branch, which stays; null: HEAD was detached"),
    folder: text("the folder that was removed"),
    stopped: list(v.string(), "the projects that were up there"),
    data: list(v.string(), "the stores whose data was removed with it"),
  }),
  "worktree list": rows(worktree),
  "db url": object({
    name: text("the service, such as `shop:db`"),
    type: one(serviceTypes, "its type"),
    state: one(states, "as in `status`"),
    url: text("its URL, with its password"),
    variables: says(v.record(v.string(), v.string()), "the variables that its dependents get"),
  }),
  "db psql": {
    shape: v.strictObject({ service: text("its id"), command: list(v.string(), "its words") }),
    stream: true,
    note: `one line before psql starts; ${started}`,
    withDatabase: true,
  },
  "db reset": object({
    name: text("the service"),
    removed: orNull(v.number(), "bytes of the data that was removed; null: there was none"),
  }),
  "db dump": {
    ...object({
      name: text("the service"),
      file: text("the file, absolute"),
      format: one(["plain", "custom", "files"], "its form"),
      size: number("its bytes"),
    }),
    withDatabase: true,
  },
  "db restore": {
    ...object({
      name: text("the service"),
      file: text("the file, absolute"),
      format: one(["plain", "custom", "files"], "its form"),
    }),
    withDatabase: true,
  },
  "db fork": {
    ...object({
      from: text("the service whose data was copied"),
      to: text("the service that has it now"),
      folder: text("the folder of that one's project"),
      size: number("bytes of the data"),
    }),
    withDatabase: true,
  },
  "db list": rows(
    v.strictObject({
      project: text("its name when it was seen last"),
      directory: text("its folder"),
      service: text("the service within it"),
      store: text("type and version, such as `postgres-17`"),
      folder: text("the folder of the data"),
      size: number("bytes of the data"),
      worktree: flag("the project's folder is in a linked worktree that was removed"),
      left: timeOrNull("when the project was forgotten; null: it was not"),
      is_there: flag("the project's folder is there"),
    }),
  ),
  "db clean": object({
    removed: number("how many stores lost their data"),
    size: number("bytes of that"),
  }),
  init: object({
    path: text("the file that was written"),
    project: text("the project's name"),
    services: list(
      v.strictObject({
        name: v.string(),
        type: v.picklist(serviceTypes),
        command: orNull(v.string(), "null: a container of the compose file"),
        from: v.string(),
      }),
      "with where each was found",
    ),
  }),
  add: added,
  "service add": { ...added, note: "the same as `add`" },
  "config check": object({
    project: orNull(v.string(), "null if there are errors"),
    directory: text("its folder"),
    order: list(v.string(), "the services, in the order of their start"),
    mistakes: list(v.string(), "with file and line; the exit code is 1 if there are any"),
    warnings: list(v.string(), "with file and line"),
  }),
  "config show": { shape: configuration },
  "config schema": {
    shape: v.record(v.string(), v.unknown()),
    note: "a JSON Schema of locald.toml",
  },
  trust: rows(store),
  untrust: rows(store),
  env: { shape: v.record(v.string(), v.string()), note: "the variables by name" },
  browser: {
    shape: v.strictObject({ url: text("the page"), program: text("the browser") }),
    stream: true,
    note: "one line before the browser starts; what the browser prints goes to stderr",
  },
  doctor: rows(finding),
  setup: {
    shape: setupReport,
    note: "afterwards; with `--dry-run` and `--status`, as it is. Nobody is asked: `--yes` does it",
  },
  "service install": changedService,
  "service uninstall": changedService,
  "service status": object({
    way: one(ways, "how the daemon is started"),
    installed: flag("it is there after a reboot"),
    file: orNull(v.string(), "the unit, the agent or the profile; null: there is none"),
    edited: flag("somebody has changed the file"),
    current: flag("the file is as this program would write it now"),
    at_boot: orNull(v.boolean(), "it begins before anybody logs in; null: not known"),
    program: text("the path of the program that is started"),
    pid: orNull(v.number(), "the daemon that runs"),
    managed: flag("the service runs it"),
    problems: list(v.string(), "sentences, each with the command that helps"),
  }),
  uninstall: object({
    pieces: list(
      v.strictObject({
        piece: one(pieceIds, "which it is"),
        what: text("for people"),
        details: list(v.string(), "paths, names and commands"),
        data: flag("nobody can make it again"),
        removed: flag("false with `--dry-run`"),
      }),
      "in the order in which they are taken away",
    ),
    notes: list(v.string(), "sentences about what stays"),
  }),
  "server start": {
    shape: v.union([daemonStatus, change]),
    stream: true,
    note: "a [Daemon status](#daemon-status) once the daemon runs, then `{change, service}` for each change; with `--detach`, the former alone",
  },
  "server stop": object({
    stopped: flag("false if none was running"),
    pid: orNull(v.number(), "the daemon that has stopped"),
  }),
  "server restart": { shape: daemonStatus },
  upgrade: object({
    installed_by: one(
      ["npm", "pnpm", "yarn", "bun", "debian", "homebrew", "clone", "file"],
      "whose commands these are; `file`: nobody that is known",
    ),
    commands: list(v.string(), "for a shell, in this order"),
    version: text("of this program"),
    now: orNull(v.string(), "the version that is installed now; null where nothing was run"),
    outcome: one(
      ["planned", "by_hand", "same", "upgraded", "restarted"],
      "`planned`: nothing was run; `by_hand`: a person has to do it; `same`: there is no newer one; `upgraded`: no daemon runs; `restarted`: the new daemon has taken over",
    ),
  }),
  "server status": { shape: daemonStatus },
  api: {
    shape: v.unknown(),
    note: "the reply of the command, as in [api.md](api.md); without a command, `{name, method, path, summary, changes, stream}` for each",
  },
  connect: object({
    url: text("the link, which is valid once and for a minute"),
    origin: text("the only one that can use it"),
  }),
  dashboard: object({ url: text("the link, which is valid once and for a minute") }),
  version: object({ version: text("of this program") }),
  completion: object({ shell: text("the shell"), script: text("the script") }),
};
