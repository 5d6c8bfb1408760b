/** The layers of a project and its env files -> what it declares, and whence; or every mistake in it. Pure. */
import { type GenericSchema, safeParse } from "valibot";
import { absolute } from "./absolute.ts";
import type { Origin } from "./config.ts";
import { type Dotenv, readDotenv } from "./dotenv.ts";
import { circleText, unsetText } from "./fill.ts";
import { circles, withDependencies } from "./graph.ts";
import {
  emptyTable,
  type Layer,
  type Leaf,
  type Mistake,
  mistakeText,
  type Table,
} from "./layer.ts";
import { merged } from "./merge.ts";
import { nearest } from "../text/nearest.ts";
import type { HealthCheck, ProjectSpec, Reload, ServiceSpec } from "./project.ts";
import {
  labelFrom,
  labelMistake,
  projectNameMistake,
  readDomain,
  routeNameOf,
  serviceNameMistake,
} from "./project-name.ts";
import { type Reference, readTemplate, referenceText } from "./reference.ts";
import { healthSchema, projectSchema, serviceSchema } from "./schema.ts";
import { shown } from "../text/shown.ts";
import type { Path } from "./toml.ts";

/** A value that counts. */
export type Field = {
  /** `["services", "web", "port"]`. */
  path: Path;
  /** As written, by a person or by us. */
  value: unknown;
  /** Undefined: nobody said, so it is what it is without. */
  origin: Origin | undefined;
};

export type ReadManifest =
  | { kind: "project"; project: ProjectSpec; fields: readonly Field[] }
  /** Sentences, each with file, line and key. */
  | { kind: "mistakes"; mistakes: string[] };

/** Of `.env`, or of one that `env_file` names. */
export type EnvFile = { kind: "text"; text: string } | { kind: "missing"; why: string };

export type ManifestOptions = {
  /** Absolute: the project's folder. */
  directory: string;
  /** Lowest first. */
  layers: readonly Layer[];
  /** Absolute path -> what is there. Only `.env` may be missing. */
  envFiles: ReadonlyMap<string, EnvFile>;
  /** Domains besides `localhost` that names may end in. */
  tlds?: readonly string[] | undefined;
  /** The shell's variables; without them nobody is told which of them are not set. */
  shell?: Readonly<Record<string, string | undefined>> | undefined;
  /** Every file that was read or looked for. */
  files?: readonly string[];
  /** How messages call an absolute path. */
  nameOf?: (path: string) => string;
};

/** What the supervisor sets by itself: a reference to one of them is no mistake. */
const given: readonly string[] = [
  ...["PORT", "NAME", "NOTIFY_SOCKET", "TERM", "COLUMNS", "LINES"],
  ...["LOCALHOSTESS_NAME", "LOCALHOSTESS_URL", "LOCALHOSTESS_RUN_ID"],
];

/** The files that the layers name, absolute, with `.env` first. */
export function envFilesOf(layers: readonly Layer[], directory: string): string[] {
  const tree = merged(layers);
  const services = [...table(tree, "services").entries.values()];
  const tables = [table(tree, "project"), ...services.filter((its) => its.kind === "table")];
  const named = tables.flatMap((its) => pathsOf(its).map(({ path }) => absolute(path, directory)));
  return [...new Set([absolute(".env", directory), ...named])];
}

export function readManifest(options: ManifestOptions): ReadManifest {
  return new Reading(options).read();
}

/** A variable as it is declared, before references are filled. */
type Variable = {
  value: string;
  source: Mistake["source"];
  path: Path;
  /** For all services, so that what it refers to cannot always be waited for. */
  shared: boolean;
};

type Edge = { to: string; source: Mistake["source"]; path: Path; why: string };

/** The service, and what only its readers need to know. */
type Declared = { spec: ServiceSpec; table: Table; hard: Edge[]; soft: Edge[] };

class Reading {
  readonly #options: ManifestOptions;
  readonly #tree: Table;
  readonly #services: Table;
  readonly #mistakes: Mistake[] = [];
  readonly #fields: Field[] = [];
  readonly #dotenvs = new Map<string, Dotenv>();

  constructor(options: ManifestOptions) {
    this.#options = options;
    this.#tree = merged(options.layers);
    this.#services = table(this.#tree, "services");
  }

  read(): ReadManifest {
    const { layers, directory, files = [] } = this.#options;
    for (const layer of layers) this.#mistakes.push(...layer.mistakes);
    // What an unreadable layer would have said is missing everywhere else.
    if (layers.some((layer) => !layer.readable)) return this.#told();
    const project = this.#project();
    const shared = this.#sharedVariables();
    const declared: Declared[] = [];
    for (const [name, node] of this.#services.entries) {
      const wrong = serviceNameMistake(name);
      if (wrong !== undefined) this.#wrong(node, wrong);
      if (node.kind === "table") {
        declared.push(this.#service(name, { table: node, project, shared }));
      }
    }
    if (this.#services.entries.size === 0 && !this.#tree.entries.has("services")) {
      this.#wrong(
        this.#tree,
        'nothing is declared; [services.web] with command = "..." would be a beginning',
      );
    }
    this.#addresses(declared);
    this.#waiting(declared);
    if (this.#mistakes.length > 0) return this.#told();
    const services = declared.map(({ spec }) => spec);
    const { name, domain, reload } = project;
    return {
      kind: "project",
      project: { name, domain, directory, services, reload, files },
      fields: this.#fields,
    };
  }

  #told(): ReadManifest {
    const order = new Map(this.#options.layers.map(({ tree }, index) => [tree.source.name, index]));
    const told = this.#mistakes.map((its) => ({
      // The file that people edit is the last layer, and comes first.
      layer: -(order.get(its.source.name) ?? -1),
      line: its.source.lineOf(its.path),
      text: mistakeText(its),
    }));
    told.sort((one, other) => one.layer - other.layer || one.line - other.line);
    return { kind: "mistakes", mistakes: [...new Set(told.map((its) => its.text))] };
  }

  #wrong({ source, path }: { source: Mistake["source"]; path: Path }, what: string): void {
    this.#mistakes.push({ source, path, what });
  }

  #project(): { name: string; domain: string; routeName: string; reload: ProjectSpec["reload"] } {
    const { directory, tlds = [] } = this.#options;
    const its = table(this.#tree, "project");
    this.#field(its, { key: "env_file", schema: projectSchema });
    const reload = this.#reload(its);
    const written = this.#field<string>(its, { key: "name", schema: projectSchema });
    const folder = directory.slice(directory.lastIndexOf("/") + 1);
    const name = written?.value ?? labelFrom(folder) ?? "project";
    if (written === undefined && !its.entries.has("name"))
      this.#noteDefault(["project", "name"], name);
    const wrong = projectNameMistake(name);
    if (wrong !== undefined) this.#wrong(written ?? its, wrong);
    const own = this.#field<string>(its, { key: "domain", schema: projectSchema });
    const unnamed = wrong !== undefined || name.toLowerCase() === "localhost";
    const domain = readDomain(own?.value ?? (unnamed ? "unnamed" : name), tlds);
    if (domain.kind === "domain") {
      if (own === undefined) this.#noteDefault(["project", "domain"], domain.domain);
      if (own === undefined && wrong === undefined && unnamed) {
        this.#wrong(written ?? its, "localhost is the proxy itself; another name is needed");
      }
      return { name, domain: domain.domain, routeName: domain.routeName, reload };
    }
    this.#wrong(own ?? written ?? its, domain.why);
    return { name, domain: "", routeName: "unnamed", reload };
  }

  /** The one key that the lowest layer wins: a project must not say how far it is trusted. */
  #reload(its: Table): ProjectSpec["reload"] {
    const personal = this.#options.layers
      .filter((layer) => layer.personal)
      .map((layer) => table(layer.tree, "project"))
      .find((own) => own.entries.get("reload")?.kind === "leaf");
    const options = { key: "reload", schema: projectSchema };
    const read = this.#field<Reload>(personal ?? its, options);
    return { value: read?.value ?? "git", personal: personal !== undefined };
  }

  #noteDefault(path: Path, value: unknown): void {
    this.#fields.push({ path, value, origin: undefined });
  }

  /** `[env]`, then `[project] env`, then `.env`, then the project's env files. */
  #sharedVariables(): Map<string, Variable> {
    const project = table(this.#tree, "project");
    const found = new Map([
      ...this.#variablesOf(table(this.#tree, "env"), true),
      ...this.#variablesOf(table(project, "env"), true),
      ...this.#variablesIn(absolute(".env", this.#options.directory), undefined),
    ]);
    for (const each of pathsOf(project)) {
      const path = absolute(each.path, this.#options.directory);
      for (const [name, variable] of this.#variablesIn(path, each)) found.set(name, variable);
    }
    for (const [name, { value, source, path }] of found) {
      const origin = { file: source.name, line: source.lineOf(path) };
      this.#fields.push({ path: ["env", name], value, origin });
    }
    return found;
  }

  #variablesOf(its: Table, shared: boolean): [string, Variable][] {
    return [...its.entries].flatMap(([name, node]): [string, Variable][] => {
      if (name === "" || name.includes("=") || name.includes("\0")) {
        this.#wrong(node, `${shown(name)} cannot be a variable's name`);
      }
      if (node.kind !== "leaf") return [];
      const { source, path } = node;
      return [[name, { value: node.value as string, source, path, shared }]];
    });
  }

  /** `named`: the place that asks for the file, so it has to be there. */
  #variablesIn(
    path: string,
    named: { source: Mistake["source"]; at: Path; path: string } | undefined,
  ): [string, Variable][] {
    const file = this.#options.envFiles.get(path);
    if (file === undefined || file.kind === "missing") {
      if (named !== undefined) {
        const why = file?.why ?? "there is no such file";
        this.#wrong({ source: named.source, path: named.at }, `${named.path}: ${why}`);
      } else if (file !== undefined && file.why !== "there is no such file") {
        this.#wrong({ source: { name: this.#nameOf(path), lineOf: () => 1 }, path: [] }, file.why);
      }
      return [];
    }
    let dotenv = this.#dotenvs.get(path);
    const name = this.#nameOf(path);
    if (dotenv === undefined) {
      dotenv = readDotenv(file.text);
      this.#dotenvs.set(path, dotenv);
      for (const { line, what } of dotenv.mistakes) {
        this.#wrong({ source: { name, lineOf: () => line }, path: [] }, what);
      }
    }
    return dotenv.variables.map(({ name: variable, value, line }) => [
      variable,
      { value, source: { name, lineOf: () => line }, path: [variable], shared: true },
    ]);
  }

  #nameOf(path: string): string {
    return this.#options.nameOf?.(path) ?? path;
  }

  #service(
    name: string,
    {
      table: its,
      project,
      shared,
    }: {
      table: Table;
      project: { name: string; routeName: string };
      shared: ReadonlyMap<string, Variable>;
    },
  ): Declared {
    const { directory } = this.#options;
    const field = <Value>(key: string): Known<Value> | undefined =>
      this.#field<Value>(its, { key, schema: serviceSchema, service: name });
    const whatIs = <Value>(key: string): Value | undefined => field<Value>(key)?.value;

    const type = whatIs<ServiceSpec["type"]>("type") ?? "exec";
    const command = field<string>("command");
    if (command === undefined && !its.entries.has("command")) {
      this.#wrong(its, 'a command is needed, such as command = "bun dev"');
    }
    const workdir = absolute(whatIs<string>("workdir") ?? ".", directory);
    const port = field<number>("port");
    const health = this.#health(name, its);
    const lazy = field<boolean>("lazy");
    const idle = field<number>("idle_timeout");
    if (type === "worker") {
      if (port !== undefined) this.#wrong(port, "a worker has no port; an exec service has");
      if (lazy?.value === true) this.#wrong(lazy, "a worker has no address to be asked for by");
      if (idle !== undefined) this.#wrong(idle, "a worker has no requests to wait for");
      const ask = health?.ask.kind;
      if (ask === "http" || ask === "tcp") {
        this.#wrong(
          its.entries.get("health_check") ?? its,
          "a worker has no port to ask; check it by a command",
        );
      }
    }
    const wrongLabel = type === "exec" ? labelMistake(name) : undefined;
    if (wrongLabel !== undefined && serviceNameMistake(name) === undefined) {
      this.#wrong(its, wrongLabel);
    }

    field("env_file");
    const env = new Map(shared);
    for (const each of pathsOf(its)) {
      const variables = this.#variablesIn(absolute(each.path, directory), each);
      for (const [key, variable] of variables) env.set(key, { ...variable, shared: false });
    }
    for (const [key, variable] of this.#variablesOf(table(its, "env"), false)) {
      env.set(key, variable);
    }
    for (const [key, { value, source, path: at, shared: everybodys }] of env) {
      if (everybodys) continue;
      const origin = { file: source.name, line: source.lineOf(at) };
      this.#fields.push({ path: ["services", name, "env", key], value, origin });
    }

    const hard: Edge[] = [];
    const soft: Edge[] = [];
    const wait = field<string[]>("depends_on");
    for (const [index, other] of (wait?.value ?? []).entries()) {
      const path = [...wait!.path, index];
      if (this.#exists(other, { source: wait!.source, path })) {
        hard.push({ to: other, source: wait!.source, path, why: "depends_on" });
      }
    }
    const refer = (
      text: string,
      at: { source: Mistake["source"]; path: Path; shared: boolean; key: string; shell: boolean },
    ): void => {
      const { parts, mistakes } = readTemplate(text, { shell: at.shell });
      for (const what of mistakes) this.#wrong(at, what);
      for (const part of parts) {
        if (typeof part === "string") continue;
        if (part.kind === "env") this.#variable(part, { env, at });
        if (part.kind !== "service" || !this.#reachable(part, at) || part.name === name) continue;
        const edge = { to: part.name, source: at.source, path: at.path, why: referenceText(part) };
        (at.shared ? soft : hard).push(edge);
      }
    };
    for (const [key, variable] of env) {
      refer(variable.value, { ...variable, key, shell: false });
    }
    this.#variableCircles(env);
    if (command !== undefined) {
      refer(command.value, { ...command, shared: false, key: "", shell: true });
    }
    if (health?.ask.kind === "command") {
      const node = its.entries.get("health_check")!;
      refer(health.ask.command, { ...node, shared: false, key: "", shell: true });
    }

    const again = field<string[]>("restart_with");
    for (const [index, other] of (again?.value ?? []).entries()) {
      const path = [...again!.path, index];
      if (!this.#exists(other, { source: again!.source, path })) continue;
      if (other === name) {
        this.#wrong({ source: again!.source, path }, "it restarts with itself anyway");
      }
    }
    const spec: ServiceSpec = {
      name,
      type,
      command: command?.value ?? "",
      workdir,
      port: port?.value,
      env: Object.fromEntries([...env].map(([key, { value }]) => [key, value])),
      envFiles: [...pathsOf(table(this.#tree, "project")), ...pathsOf(its)].map(({ path }) =>
        absolute(path, directory),
      ),
      dependsOn: [],
      restartWith: [...new Set(again?.value)],
      health,
      readyPattern: whatIs("ready_pattern"),
      startTimeout: whatIs("start_timeout") ?? 0,
      stopSignal: whatIs("stop_signal") ?? "SIGTERM",
      stopTimeout: whatIs("stop_timeout") ?? 0,
      restart: whatIs("restart") ?? "on-failure",
      lazy: lazy?.value ?? false,
      idleTimeout: idle?.value,
      watch: whatIs("watch") ?? [],
      pty: whatIs("pty") ?? true,
      routeName: type === "exec" ? routeNameOf(name, project) : undefined,
    };
    return { spec, table: its, hard, soft };
  }

  #health(service: string, its: Table): HealthCheck | undefined {
    const node = its.entries.get("health_check");
    if (node === undefined || node.kind === "bad") return undefined;
    // A command alone.
    const alone = node.kind === "leaf";
    if (alone) this.#note(node, ["services", service, "health_check"]);
    const own = alone
      ? { ...emptyTable(node.source), path: node.path, entries: new Map([["command", node]]) }
      : node;
    const field = <Value>(key: string): Known<Value> | undefined =>
      this.#field<Value>(own, {
        key,
        schema: healthSchema,
        quiet: alone,
        service,
        within: "health_check",
      });
    const type = field<string>("type")?.value;
    const command = field<string>("command");
    const path = field<string>("path");
    const wrote = (key: string): boolean => own.entries.has(key);
    const kind = type ?? (wrote("command") ? "command" : wrote("path") ? "http" : undefined);
    if (kind === undefined) {
      this.#wrong(
        own,
        'what is asked is missing: path = "/health", command = "..." or type = "tcp"',
      );
    }
    if (kind === "command" && !wrote("command")) this.#wrong(own, "a command is needed");
    if (kind !== "command" && command !== undefined) {
      this.#wrong(command, `an ${kind} check has no command; leave one of both out`);
    }
    if (kind !== undefined && kind !== "http" && path !== undefined && wrote("path")) {
      this.#wrong(path, `a ${kind} check has no path; leave one of both out`);
    }
    const ask: HealthCheck["ask"] =
      kind === "command"
        ? { kind, command: command?.value ?? "" }
        : kind === "tcp"
          ? { kind }
          : { kind: "http", path: path?.value ?? "/" };
    return {
      ask,
      interval: field<number>("interval")?.value ?? 0,
      timeout: field<number>("timeout")?.value ?? 0,
      retries: field<number>("retries")?.value ?? 0,
      startPeriod: field<number>("start_period")?.value ?? 0,
    };
  }

  /** What is set, or what is so without; undefined where there is neither, or a mistake. */
  #field<Value>(
    its: Table,
    { key, schema, service, within, quiet = false }: FieldOptions,
  ): Known<Value> | undefined {
    const path =
      service === undefined
        ? ["project", key]
        : within === undefined
          ? ["services", service, key]
          : ["services", service, within, key];
    const node = its.entries.get(key);
    if (node?.kind === "leaf") {
      if (!quiet) this.#note(node, path);
      return { value: node.value as Value, source: node.source, path: node.path };
    }
    if (node !== undefined) return undefined;
    const entry = (schema as unknown as { entries: Record<string, GenericSchema> }).entries[key]!;
    const usual = (entry as { default?: unknown }).default;
    if (usual === undefined) return undefined;
    if (!quiet) this.#noteDefault(path, usual);
    const { output } = safeParse(entry, undefined);
    return { value: output as Value, source: its.source, path: its.path };
  }

  #note({ source, path: written, raw }: Leaf, path: Path): void {
    const origin = { file: source.name, line: source.lineOf(written) };
    this.#fields.push({ path, value: raw, origin });
  }

  #exists(name: string, at: { source: Mistake["source"]; path: Path }): boolean {
    if (this.#services.entries.has(name)) return true;
    const near = nearest(name, this.#services.entries.keys());
    const known = [...this.#services.entries.keys()];
    const help =
      near !== undefined
        ? `did you mean "${near}"?`
        : known.length === 0
          ? "there is none at all"
          : `there are ${known.slice(0, 20).join(", ")}`;
    this.#wrong(at, `no service ${shown(name)}; ${help}`);
    return false;
  }

  #reachable(
    reference: Reference & { kind: "service" },
    at: { source: Mistake["source"]; path: Path },
  ): boolean {
    if (!this.#exists(reference.name, at)) return false;
    const its = this.#services.entries.get(reference.name)!;
    const type = its.kind === "table" ? its.entries.get("type") : undefined;
    if (type?.kind === "leaf" && type.value === "worker" && reference.field !== "host") {
      this.#wrong(at, `${referenceText(reference)}: ${reference.name} is a worker and has no port`);
      return false;
    }
    return true;
  }

  #variable(
    { name, fallback }: Reference & { kind: "env" },
    {
      env,
      at,
    }: {
      env: ReadonlyMap<string, Variable>;
      at: { source: Mistake["source"]; path: Path; key: string };
    },
  ): void {
    const { shell } = this.#options;
    if (shell === undefined || fallback !== undefined || given.includes(name)) return;
    if (shell[name] !== undefined || (name !== at.key && env.has(name))) return;
    this.#wrong(at, unsetText(name));
  }

  #variableCircles(env: ReadonlyMap<string, Variable>): void {
    const graph = new Map<string, string[]>();
    for (const [name, { value }] of env) {
      const { parts } = readTemplate(value, { shell: false });
      const others = parts.flatMap((part) =>
        typeof part !== "string" && part.kind === "env" && part.name !== name ? [part.name] : [],
      );
      graph.set(name, others);
    }
    for (const path of circles(graph)) this.#wrong(env.get(path[0]!)!, circleText(path));
  }

  /** No two with one address, or with one port. */
  #addresses(declared: readonly Declared[]): void {
    const names = new Map<string, string>();
    const ports = new Map<number, string>();
    for (const { spec, table: its } of declared) {
      const { name, routeName, port } = spec;
      const first = routeName === undefined ? undefined : names.get(routeName);
      if (first !== undefined) {
        this.#wrong(
          its,
          `${first} has the address ${routeName}.localhost already; rename one of them`,
        );
      } else if (routeName !== undefined) {
        names.set(routeName, name);
      }
      const holder = port === undefined ? undefined : ports.get(port);
      if (holder !== undefined) {
        this.#wrong(its.entries.get("port") ?? its, `${holder} has port ${port} already`);
      } else if (port !== undefined) {
        ports.set(port, name);
      }
    }
  }

  /** Circles are told; what is shared by all makes none. */
  #waiting(declared: readonly Declared[]): void {
    const graph = new Map(declared.map(({ spec, hard }) => [spec.name, targets(hard)]));
    for (const path of circles(graph)) {
      const from = declared.find(({ spec }) => spec.name === path[0])!;
      const edge = from.hard.find(({ to }) => to === path[1])!;
      const ways = path.slice(0, -1).flatMap((name, index) => {
        const its = declared.find(({ spec }) => spec.name === name)!;
        const { why } = its.hard.find(({ to }) => to === path[index + 1])!;
        return why === "depends_on" ? [] : [`${name} has ${why}`];
      });
      const because = ways.length === 0 ? "" : ` (${ways.join(", ")})`;
      this.#wrong(edge, `${circleText(path)}; none of them could start first${because}`);
    }
    const restarts = new Map(declared.map(({ spec }) => [spec.name, spec.restartWith]));
    for (const path of circles(restarts)) {
      // With itself: told already.
      if (path.length === 2) continue;
      const from = declared.find(({ spec }) => spec.name === path[0])!;
      const at = from.table.entries.get("restart_with") ?? from.table;
      this.#wrong(at, `${circleText(path)}; they would restart each other for ever`);
    }
    for (const to of new Set(declared.flatMap(({ soft }) => targets(soft)))) {
      // Edges to it from what it does not need change nothing in what it needs.
      const needed = new Set(withDependencies(graph, [to]));
      for (const { spec, soft } of declared) {
        const all = graph.get(spec.name)!;
        const wanted = soft.some((edge) => edge.to === to) && !needed.has(spec.name);
        if (wanted && !all.includes(to)) all.push(to);
      }
    }
    for (const its of declared) {
      its.spec = { ...its.spec, dependsOn: graph.get(its.spec.name)! };
    }
  }
}

type Known<Value> = { value: Value; source: Mistake["source"]; path: Path };

type FieldOptions = {
  key: string;
  schema: GenericSchema;
  service?: string;
  within?: string;
  quiet?: boolean;
};

/** Its table under that key; an empty one where there is none. */
function table(its: Table, key: string): Table {
  const node = its.entries.get(key);
  return node?.kind === "table" ? node : { ...its, entries: new Map() };
}

/** What its `env_file` names. */
function pathsOf(its: Table): { source: Mistake["source"]; at: Path; path: string }[] {
  const node = its.entries.get("env_file");
  if (node?.kind !== "leaf") return [];
  const { value, source, path } = node;
  if (typeof value === "string") return [{ source, at: path, path: value }];
  return (value as string[]).map((each, index) => ({ source, at: [...path, index], path: each }));
}

function targets(edges: readonly Edge[]): string[] {
  return [...new Set(edges.map(({ to }) => to))];
}
