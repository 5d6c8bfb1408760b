/** What a project declares: the values that locald.toml, its layers and a Procfile are read into. */

export type StopSignal =
  "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP" | "SIGUSR1" | "SIGUSR2" | "SIGWINCH" | "SIGKILL";

/** How a service is asked whether it is well. Times in milliseconds. */
export type HealthCheck = {
  ask:
    /** A GET of this path on the service's port; 200 to 399 is well. */
    | { kind: "http"; path: string }
    /** A connection to the service's port. */
    | { kind: "tcp" }
    /** By the shell, with the service's own environment and workdir; exit code 0 is well. */
    | { kind: "command"; command: string };
  interval: number;
  timeout: number;
  /** Failures in a row before a service that was ready is unready. */
  retries: number;
  /** After the start, failures do not count for this long. */
  startPeriod: number;
};

/** One service as declared, with every default in its place. References (`${...}`) are still in `env` and `command`. */
export type ServiceSpec = {
  /** The key under `[services]`. */
  name: string;
  /** A worker has no port and no address. */
  type: "exec" | "worker";
  command: string;
  /** Absolute. */
  workdir: string;
  /** Undefined: one is chosen. */
  port: number | undefined;
  /** Layers, `.env` and the service's own, merged. */
  env: Readonly<Record<string, string>>;
  /** Absolute: the files that `env_file` names, of the project and of the service. */
  envFiles: readonly string[];
  /** Named by `depends_on` and by references, without repeats. */
  dependsOn: readonly string[];
  restartWith: readonly string[];
  health: HealthCheck | undefined;
  /** A regular expression; a line of the log that it matches means ready. */
  readyPattern: string | undefined;
  stopSignal: StopSignal;
  /** Milliseconds from the signal to SIGKILL. */
  stopTimeout: number;
  /** Milliseconds until a start that is not ready has failed. */
  startTimeout: number;
  restart: "on-failure" | "always" | "no";
  /** Started by the first request. */
  lazy: boolean;
  /** Milliseconds without a request after which it is stopped. */
  idleTimeout: number | undefined;
  /** Globs, from workdir; a change restarts the service. */
  watch: readonly string[];
  /** False: pipes, with stdout and stderr apart. */
  pty: boolean;
  /** The address that the project gives it, without `.localhost`: `shop`, `api.shop`; undefined for a worker. */
  routeName: string | undefined;
};

/** Which changes of the files apply before the next `up`: all, none that may run other code, or those that git has not brought. */
export type Reload = "auto" | "ask" | "git";

export type ProjectSpec = {
  name: string;
  /** `shop.localhost`. */
  domain: string;
  /** Absolute: where locald.toml or the Procfile is. */
  directory: string;
  /** In the order of the file. */
  services: readonly ServiceSpec[];
  /** `personal`: config.toml says so, and no project can say otherwise. */
  reload: { value: Reload; personal: boolean };
  /** Absolute: a file that says something in it and belongs to another user, who may change it at any time. */
  foreign?: string | undefined;
  /** Every file that was read or looked for, absolute: a change in one of them means reading again. */
  files: readonly string[];
};
