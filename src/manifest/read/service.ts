/** `[services.<name>]` -> the service, with every default, and its dependencies; or the errors in it. Pure. */
import { absolute } from "../../text/absolute.ts";
import { type Table, tableIn } from "../layer.ts";
import {
  hasAddress,
  hookNames,
  type Limits,
  type ServiceSpec,
  usualStartTimeout,
} from "../project.ts";
import { addressMistake, routeNameOf, serviceNameMistake } from "../project-name.ts";
import { limitsSchema, projectSchema, serviceSchema } from "../schema.ts";
import { shellWord } from "../../text/shell-words.ts";
import type { Own } from "../types/own.ts";
import { watchMistakes } from "../watch-pattern.ts";
import type { Known } from "./fields.ts";
import { readHealth } from "./health.ts";
import { readNeeds } from "./needs.ts";
import { readType } from "./own.ts";
import type { Reading } from "./reading.ts";
import { readSettings } from "./settings.ts";
import { type Edges, edgesOf, existing } from "./references.ts";
import { reportSenseless, senseless } from "./senseless.ts";
import { envFilePaths, type Variable } from "./variables.ts";

/** The service, and what only its readers need to know. `spec.dependsOn` and `conditions` are filled in by waits.ts. */
export type Declared = Edges & { spec: ServiceSpec; table: Table };

export type ServiceOptions = {
  table: Table;
  /** `name`: as all checkouts have it. */
  project: { name: string; routeName: string };
  /** The variables of all services. */
  shared: ReadonlyMap<string, Variable>;
};

export function readService(
  name: string,
  { table, project, shared }: ServiceOptions,
  reading: Reading,
): Declared {
  const { options, tree, mistakes, fields, variables } = reading;
  const { directory } = options;
  let noUse: Readonly<Record<string, string>> = {};
  const field = <Value>(key: string): Known<Value> | undefined => {
    // The default of a key that would be an error is none of its values.
    const quiet = Object.hasOwn(noUse, key) && !table.entries.has(key);
    return fields.read<Value>(table, { key, schema: serviceSchema, service: name, quiet });
  };
  const valueIn = <Value>(key: string): Value | undefined => field<Value>(key)?.value;

  const plugin = reading.plans.planned.get(name);
  const { type, own: ownSpec, unusable } = readType(name, table, reading);
  if (type === "unknown") return notUnderstood(name, { table, unusable, directory });
  if (type !== "worker" && type !== "task") noUse = senseless({ type, own: ownSpec });
  /** The defaults of servers and workers are none of a task. */
  const own = <Value>(key: string): Value | undefined =>
    type === "task" && !table.entries.has(key) ? undefined : valueIn<Value>(key);
  const command = commandOf(type, { field, build: ownSpec?.kind === "site" });
  if (command === undefined && needsCommand(ownSpec) && !table.entries.has("command")) {
    mistakes.add(table, 'command is required, such as command = "bun dev"');
  }
  const shell = shellOf(
    field("shell") ??
      fields.read(tableIn(tree, "project"), { key: "shell", schema: projectSchema, quiet: true }),
    directory,
  );
  // A container's is a folder inside.
  const workdir = absolute(
    (ownSpec?.kind === "container" ? undefined : valueIn<string>("workdir")) ?? ".",
    directory,
  );
  // `port` alone is the port inside a container.
  const isInside = ownSpec?.kind === "container" && !table.entries.has("container_port");
  const port = isInside ? undefined : ownPort(name, field<number>("port"), reading);
  const kind = { type, own: ownSpec, port: port?.value };
  const health = readHealth(name, table, reading);
  reportSenseless(table, { type, own: ownSpec, mistakes });
  const ask = health?.ask;
  if (type === "worker" && ask !== undefined && ask.kind !== "command") {
    const at = table.entries.get("health_check") ?? table;
    mistakes.add(at, "a worker has no port to check; use a command");
  }
  if (ownSpec?.kind === "container" && ownSpec.inside === undefined) {
    const at = table.entries.get("health_check") ?? table;
    if (ask !== undefined && ask.kind !== "command") {
      mistakes.add(at, "it has no port to check; add the port on which it listens inside");
    }
  }
  const wrongLabel = hasAddress(kind) ? addressMistake(name) : undefined;
  if (wrongLabel !== undefined && serviceNameMistake(name) === undefined) {
    mistakes.add(table, wrongLabel);
  }
  const schedule = field<string>("schedule");
  if (schedule !== undefined && type !== "task" && type !== "worker") {
    mistakes.add(
      schedule,
      'a server runs all the time; a schedule is for a service of type = "task" or "worker"',
    );
  }
  const scheduled = schedule !== undefined;
  const quiet = Object.hasOwn(noUse, "restart");
  const restart = type === "task" ? "no" : readRestart(name, { table, scheduled, quiet }, reading);
  field("env_file");
  field("instances");
  const env = variables.ofService(name, { table, shared });
  const hooks = hookNames.flatMap((key) => {
    const its = field<string>(key);
    return its === undefined ? [] : [{ ...its, key }];
  });
  const builtBy =
    ownSpec?.kind === "built" && ownSpec.build.kind === "command"
      ? field<string>("build")
      : undefined;
  const edges = edgesOf(
    {
      name,
      needs: readNeeds(name, table, reading),
      env,
      commands: [
        ...(command === undefined ? [] : [command]),
        ...(builtBy === undefined ? [] : [builtBy]),
        ...hooks,
        ...(ask?.kind === "command"
          ? [{ ...table.entries.get("health_check")!, value: ask.command }]
          : []),
      ],
    },
    reading,
  );
  const restartWith = field<string[]>("restart_with");
  for (const other of existing(restartWith, reading)) {
    if (other.value === name) mistakes.add(other, "a service cannot restart with itself");
  }
  const readyPattern = valueIn<string>("ready_pattern");
  const patterns = (key: "watch" | "inputs"): string[] | undefined => {
    const its = field<string[]>(key);
    for (const { index, what } of watchMistakes(its?.value ?? [], workdir)) {
      mistakes.add({ source: its!.source, path: [...its!.path, index] }, what);
    }
    return its?.value;
  };
  const watch = patterns("watch");
  const inputs = patterns("inputs");
  const settings = readSettings(name, table, reading);
  const spec: ServiceSpec = {
    name,
    type,
    ...(ownSpec === undefined ? {} : { own: ownSpec }),
    ...(unusable === undefined ? {} : { unusable }),
    command: command?.value ?? "",
    hooks: Object.fromEntries(hooks.map(({ key, value }) => [key, value])),
    shell,
    workdir,
    port: port?.value,
    env: Object.fromEntries([...env].map(([key, { value }]) => [key, value])),
    envFiles: [tableIn(tree, "project"), table].flatMap((its) => envFilePaths(its, directory)),
    dependsOn: [],
    conditions: {},
    restartWith: [...new Set(restartWith?.value)],
    health,
    readyPattern,
    // Without a sign of its own, a service that builds for minutes cannot be told from one that hangs.
    startTimeout:
      valueIn("start_timeout") ??
      (health === undefined && readyPattern === undefined ? undefined : usualStartTimeout),
    stopSignal: valueIn("stop_signal") ?? "SIGTERM",
    stopTimeout: valueIn("stop_timeout") ?? 0,
    restart,
    schedule: schedule?.value,
    limits: readLimits(name, table, reading),
    disabled: valueIn("disabled") ?? false,
    profiles: [...new Set(valueIn<string[]>("profiles"))],
    lazy: own("lazy") ?? false,
    idleTimeout: valueIn("idle_timeout"),
    watch: watchedBy(watch, { own: ownSpec, workdir }),
    inputs: inputs ?? [],
    pty: valueIn("pty") ?? true,
    routeName: hasAddress(kind) ? routeNameOf(name, { ...project, type }) : undefined,
    ...(settings === undefined || !hasAddress(kind) ? {} : { settings }),
    ...(plugin === undefined ? {} : { plugin: plugin.plugin }),
  };
  return { spec, table, ...edges };
}

/** A service of which nothing is understood: it starts nothing, waits for nothing, and its errors refuse nothing. */
function notUnderstood(
  name: string,
  {
    table,
    unusable,
    directory,
  }: Pick<ServiceOptions, "table"> & {
    unusable: string | undefined;
    directory: string;
  },
): Declared {
  const spec: ServiceSpec = {
    ...{ name, type: "unknown", unusable, command: "", hooks: {}, shell: ["/bin/sh", "-c"] },
    ...{ workdir: directory, port: undefined, env: {}, envFiles: [] },
    ...{ dependsOn: [], conditions: {}, restartWith: [] },
    ...{ health: undefined, readyPattern: undefined },
    ...{ stopSignal: "SIGTERM", stopTimeout: 0, startTimeout: undefined, restart: "no" },
    ...{ limits: { memory: undefined }, schedule: undefined, disabled: false, profiles: [] },
    ...{ lazy: false, idleTimeout: undefined, watch: [], inputs: [], pty: true },
    routeName: undefined,
  };
  return { spec, table, hard: [], soft: [], references: [] };
}

/** Buildpacks declare one; a command that only builds does not. */
function needsCommand(own: Own | undefined): boolean {
  return own === undefined || (own.kind === "built" && own.build.kind === "command");
}

/** The command, and `args` behind it, each one word to a shell. A site's is what builds it. */
function commandOf(
  type: ServiceSpec["type"],
  { field, build }: { field(key: string): Known<unknown> | undefined; build: boolean },
): Known<string> | undefined {
  const its = field(build ? "build" : "command") as Known<string> | undefined;
  const args = type === "site" ? undefined : (field("args") as Known<string[]> | undefined);
  if (its === undefined || args === undefined || args.value.length === 0) return its;
  return { ...its, value: [its.value, ...args.value.map(shellWord)].join(" ") };
}

/** Undefined where no file has one, or another checkout has it: only this folder's own file can claim it here. */
function ownPort(
  service: string,
  port: Known<number> | undefined,
  { options: { freesPorts = false, local }, freed }: Pick<Reading, "options" | "freed">,
): Known<number> | undefined {
  // A plan is made for this folder alone.
  const isOwn = port?.source === local || port?.source.isPlanned === true;
  if (port === undefined || !freesPorts || isOwn) return port;
  freed.push({ service, port: port.value });
  return undefined;
}

/** A service that its schedule starts again is started again by nothing else, unless that is declared. */
function readRestart(
  service: string,
  { table, scheduled, quiet }: { table: Table; scheduled: boolean; quiet: boolean },
  { fields, mistakes }: Pick<Reading, "fields" | "mistakes">,
): ServiceSpec["restart"] {
  if (scheduled && !table.entries.has("restart")) {
    fields.noteDefault(["services", service, "restart"], "no");
    return "no";
  }
  const options = { key: "restart", schema: serviceSchema, service, quiet };
  const read = fields.read<ServiceSpec["restart"]>(table, options);
  if (scheduled && read?.value === "always") {
    mistakes.add(read, 'a service with a schedule ends between its runs; use "on-failure" or "no"');
  }
  return read?.value ?? "on-failure";
}

function readLimits(service: string, its: Table, { fields }: Pick<Reading, "fields">): Limits {
  const table = tableIn(its, "limits");
  const options = { schema: limitsSchema, service, within: "limits" };
  return { memory: fields.read<number>(table, { ...options, key: "memory" })?.value };
}

/** A path is the same from every workdir. */
function shellOf(shell: Known<string[]> | undefined, directory: string): string[] {
  if (shell === undefined) return ["/bin/sh", "-c"];
  const [program, ...words] = shell.value;
  return [program!.includes("/") ? absolute(program!, directory) : program!, ...words];
}

/**
 * The build of a site must not begin again because of what it has written. Where that is in the midst of what it reads,
 * the patterns alone tell the two apart.
 */
function watchedBy(
  patterns: readonly string[] = [],
  { own, workdir }: { own: Own | undefined; workdir: string },
): readonly string[] {
  if (own?.kind !== "site" || patterns.length === 0) return patterns;
  if (`${workdir}/`.startsWith(`${own.path}/`)) return patterns;
  return [...patterns, `!${own.path.replace(/[\\*?[\]{},]/g, "\\$&")}`];
}
