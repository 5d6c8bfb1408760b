/** A project as declared: the values that locald.toml, its layers and a Procfile are read into. */
import type { DeclaredSettings } from "./name-settings.ts";
import type { Own, ServiceType, StopSignal, StoreName } from "./types/own.ts";

export type { StopSignal } from "./types/own.ts";

/**
 * Milliseconds of `start_timeout` by default, where a file says how readiness is recognized: a minute, in which most
 * development servers have long been ready.
 */
export const usualStartTimeout = 60_000;

/** How the health of a service is checked. Times in milliseconds. */
export type HealthCheck = {
  ask:
    /** A GET request for this path on the service's port, inside TLS or not; status 200 to 399 is healthy. */
    | { kind: "http" | "https"; path: string }
    /** A connection to the service's port. */
    | { kind: "tcp" }
    /** A shell command with the service's environment and workdir; exit code 0 is healthy. */
    | { kind: "command"; command: string }
    /** An answer in the store's own protocol: a port that listens may still say that it starts up. */
    | { kind: "store"; store: "postgres" | StoreName };
  interval: number;
  timeout: number;
  /** Failures in a row after which a ready service becomes unready. */
  retries: number;
  /** The time after the start in which failures do not count. */
  startPeriod: number;
};

/** Whether a service gets a port of its own. */
export function hasPort({ type, own, port }: Pick<ServiceSpec, "type" | "own" | "port">): boolean {
  if (own === undefined || own.kind === "built") return type === "exec" || type === "process";
  if (own.kind === "container") return own.inside !== undefined;
  return own.kind !== "site" || port !== undefined;
}

/** Whether requests reach it by its name: a database speaks something else than HTTP. */
export function hasAddress({ type, own }: Pick<ServiceSpec, "type" | "own">): boolean {
  if (own === undefined || own.kind === "built") return type === "exec" || type === "process";
  if (own.kind === "container") return own.inside !== undefined;
  return own.kind === "site" || type === "minio" || type === "mailpit";
}

/** A service may wait for one of these in a service that it depends on. */
export const conditions = ["ready", "completed", "started"] as const;

export type Condition = (typeof conditions)[number];

/** How much of the machine a service may take; undefined: as much as there is. */
export type Limits = {
  /** Bytes that all its processes together may keep resident. */
  memory: number | undefined;
};

/** Commands beside a service's own, by their keys in the file, in the order in which they run. */
export const hookNames = [
  "before_start",
  "after_ready",
  "before_stop",
  "stop_command",
  "after_stop",
] as const;

export type HookName = (typeof hookNames)[number];

export type Hooks = Readonly<Partial<Record<HookName, string>>>;

/** One service as declared, with every default in its place. References (`${...}`) are still in `env` and commands. */
export type ServiceSpec = {
  /** The key under `[services]`; with `instances`, that key and a number. */
  name: string;
  type: ServiceType;
  /** The values of its type alone; of an exec, process, worker and task its build, or undefined. */
  own?: Own | undefined;
  /** A sentence that begins with a verb or a clause, `its type ...`: why it cannot be started, whatever is tried. */
  unusable?: string | undefined;
  /** Our own program, with its arguments, in the place of shell and command. */
  program?: readonly string[] | undefined;
  command: string;
  /** References are not filled either. */
  hooks: Hooks;
  /** The words before a command: a program, by its name or absolute path, and its arguments. */
  shell: readonly string[];
  /** Absolute. */
  workdir: string;
  /** Undefined: a free port is chosen. */
  port: number | undefined;
  /** Variables of all layers, `.env` and the service, merged. */
  env: Readonly<Record<string, string>>;
  /** Absolute: the files that `env_file` names, of the project and of the service. */
  envFiles: readonly string[];
  /** Services named by `depends_on` and by references, without repeats. */
  dependsOn: readonly string[];
  /** The condition that is awaited of each of them; `ready` where none is given. */
  conditions: Readonly<Record<string, Condition>>;
  restartWith: readonly string[];
  health: HealthCheck | undefined;
  /** A regular expression; the service is ready when a line of its output matches. */
  readyPattern: string | undefined;
  stopSignal: StopSignal;
  /** Milliseconds from the signal to SIGKILL. */
  stopTimeout: number;
  /** Milliseconds after which a start that is not ready, or a task that has not ended, fails; undefined: never. */
  startTimeout: number | undefined;
  restart: "on-failure" | "always" | "no";
  limits: Limits;
  /** The times at which it is started, a cron expression; undefined: it is started with its project. */
  schedule: string | undefined;
  /** Not brought up with its project: started where it is named, or where a service that starts depends on it. */
  disabled: boolean;
  /** Brought up with its project only where one of them is asked for; empty: always. Without repeats. */
  profiles: readonly string[];
  /** Started by the first request. */
  lazy: boolean;
  /** Milliseconds without a request after which it is stopped. */
  idleTimeout: number | undefined;
  /** Files, folders and globs relative to workdir, and what is excluded from them, in order; a change restarts it. */
  watch: readonly string[];
  /** Globs relative to workdir: a task is run again by `up` where the content of a matching file has changed. */
  inputs: readonly string[];
  /** False: pipes, with separate stdout and stderr. */
  pty: boolean;
  /** The address that the project gives it, without `.localhost`: `shop`, `api.shop`; only an exec service has one. */
  routeName: string | undefined;
  /** How requests to its name are treated: what it says, and else its project; undefined: neither says anything. */
  settings?: DeclaredSettings | undefined;
  /** The plugin that has made it, from a service that stands in the files. */
  plugin?: string | undefined;
  /** Set for one of several processes that share a name. */
  instance?: Instance | undefined;
};

/** `web-2` of `web`. */
export type Instance = {
  /** The key under `[services]`. */
  of: string;
  /** From 1. */
  number: number;
  /** The address that all share; undefined for workers. */
  routeName: string | undefined;
};

/** A service that is there to end, and has no other sign that it did its work. */
export function isOneShot({
  type,
  restart,
  health,
  readyPattern,
}: Pick<ServiceSpec, "type" | "restart" | "health" | "readyPattern">): boolean {
  if (type === "task") return true;
  return (
    type === "worker" && restart === "no" && health === undefined && readyPattern === undefined
  );
}

/** The condition that a service awaits of one that it depends on. */
export function conditionFor({ conditions: its }: Pick<ServiceSpec, "conditions">, name: string) {
  return Object.hasOwn(its, name) ? its[name]! : "ready";
}

/** Which changes apply before the next `up`: all, none that may run other code, or those that git has not brought. */
export type Reload = "auto" | "ask" | "git";

/** The checkout of a git repository that a folder is in. */
export type Checkout = {
  /** Absolute: git's own folder, which all checkouts of the repository share. */
  repository: string;
  /** Absolute: the checkout's own folder. */
  root: string;
  /** The label that a linked worktree has in front of its names; undefined in the main checkout. */
  label?: string | undefined;
};

/** How a worktree is made ready, and ended. */
export type WorktreeSpec = {
  /** Paths and globs, relative to the project's folder. */
  copy: readonly string[];
  /** Shell commands. */
  setup: string | undefined;
  teardown: string | undefined;
  /** The folder in which worktrees are made, relative to the main checkout's. */
  folder: string;
};

/** A committed port that belongs to another checkout: the service has a free one here. */
export type FreedPort = { service: string; port: number };

export type ProjectSpec = {
  /** `shop`; with a label in front in a linked worktree: `fix-nav.shop`. */
  name: string;
  /** `shop.localhost`. */
  domain: string;
  /** Absolute: where locald.toml or the Procfile is. */
  directory: string;
  /** In the order of the file. */
  services: readonly ServiceSpec[];
  /** `personal`: the value is from config.toml, which no project can override. */
  reload: { value: Reload; personal: boolean };
  checkout?: Checkout | undefined;
  /** In the order of the file; undefined: none. */
  freedPorts?: readonly FreedPort[] | undefined;
  /** Absolute: a file of the project that belongs to another user, who may change it at any time. */
  foreign?: string | undefined;
  /** Every file that was read or looked for, absolute: a change in one of them means that the project is read again. */
  files: readonly string[];
  /** Sentences with file and line: what a person should know of its files, and what does not keep it from starting. */
  warnings: readonly string[];
};
