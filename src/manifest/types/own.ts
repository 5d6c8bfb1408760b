/** The values of one type of services alone, which the keys of that type are read into. */
import type { BuiltSpec } from "./build.ts";

/**
 * The types of services. `exec`: a server; it is ready when it listens. `process`: what a line of a Procfile is; it has
 * a port and an address, but need not listen. `worker`: neither port nor address. `task`: a worker that is run once,
 * and is completed when it ends with exit code 0. The others have an `Own` beside them; `unknown`: a word that no type
 * has.
 */
export const serviceTypes = [
  "exec",
  "process",
  "worker",
  "task",
  "postgres",
  "redis",
  "valkey",
  "mysql",
  "mariadb",
  "mongodb",
  "minio",
  "mailpit",
  "container",
  "site",
  "unknown",
] as const;

export type ServiceType = (typeof serviceTypes)[number];

/** Those that a file may have. */
export const newTypes = serviceTypes.filter((type) => type !== "unknown");

export type NewType = (typeof newTypes)[number];

/** Those that are a command, and nothing besides. */
export const commandTypes = ["exec", "process", "worker", "task"] as const;

/** Stores that run from an installed program, or else in a container of their official image. */
export const storeNames = [
  "redis",
  "valkey",
  "mysql",
  "mariadb",
  "mongodb",
  "minio",
  "mailpit",
] as const;

export type StoreName = (typeof storeNames)[number];

export const stopSignals = [
  ...(["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const),
  ...(["SIGWINCH", "SIGKILL"] as const),
] as const;

export type StopSignal = (typeof stopSignals)[number];

/** A managed PostgreSQL. */
export type PostgresSpec = {
  kind: "postgres";
  /** 17. */
  major: number;
  /** The database that is made, and that dependents are given. */
  database: string;
  /** Absolute: SQL files that are run once, when the data is made. */
  init: readonly string[];
  /** Lines of postgresql.conf. */
  settings: Readonly<Record<string, string>>;
  /** Made in the database, where the binaries have them. */
  extensions: readonly string[];
};

/** A managed store of another kind. */
export type StoreSpec = {
  kind: "store";
  store: StoreName;
  /** `7`, `8.0`; undefined: the installed one, or else the image that we know. */
  version: string | undefined;
  /** Only from one of the two; undefined: an installed program, or else a container. */
  from: "program" | "container" | undefined;
  /** An image in the place of the official one. */
  image: string | undefined;
  /** The database that is made: of mysql, mariadb and mongodb; the buckets of minio are `buckets`. */
  database: string | undefined;
  buckets: readonly string[];
  /** Settings in the store's own words: lines of redis.conf, variables of mysqld. */
  settings: Readonly<Record<string, string>>;
};

/** A port that a container publishes besides its own. */
export type ExtraPort = {
  inside: number;
  /** On 127.0.0.1; undefined: any free one. */
  outside: number | undefined;
  protocol: "tcp" | "udp";
};

/** The use of a further port, by which it is remembered. */
export function furtherPort({ inside, protocol }: ExtraPort): string {
  return protocol === "tcp" ? String(inside) : `${inside}-${protocol}`;
}

/** `${services.mail.port_8025}`. */
export function furtherField({ inside, protocol }: ExtraPort): string {
  return protocol === "tcp" ? `port_${inside}` : `port_${inside}_udp`;
}

/** Whether it may be such a field; which there are is the service's. */
export function isFurtherField(field: string): boolean {
  return /^port_\d{1,5}(?:_udp)?$/.test(field);
}

export type Volume = {
  /** The name of a volume, which is the project's own; or an absolute path on this machine. */
  source: string;
  kind: "named" | "bind";
  /** Absolute, inside. */
  target: string;
  readOnly: boolean;
};

/** How an image is made from a folder. */
export type ImageBuild = DockerfileBuild | BuilderBuild;

export type DockerfileBuild = {
  kind: "dockerfile";
  /** Absolute. */
  context: string;
  /** Relative to the context. */
  dockerfile: string;
  target: string | undefined;
  args: Readonly<Record<string, string>>;
};

/** By the lifecycle of a builder image. */
export type BuilderBuild = {
  kind: "builder";
  /** `heroku/builder:24`. */
  builder: string;
  /** In the place of the builder's own order; empty: that one. */
  buildpacks: readonly string[];
  /** Absolute. */
  context: string;
};

/** A container. The command of its spec follows the entry point, split into words as a shell does. */
export type ContainerSpec = {
  kind: "container";
  /** Undefined where it is built. */
  image: string | undefined;
  build: ImageBuild | undefined;
  /** Undefined: the image's own. */
  entrypoint: readonly string[] | undefined;
  /** `1000:1000`. */
  user: string | undefined;
  /** The working directory inside. */
  workdir: string | undefined;
  /** The port on which it listens inside: published at the service's own port. Undefined: none. */
  inside: number | undefined;
  ports: readonly ExtraPort[];
  volumes: readonly Volume[];
  /** Undefined: that of the image, or else SIGTERM. */
  stopSignal: StopSignal | undefined;
  pull: "missing" | "always" | "never";
};

/** Files of a folder. The command of its spec is what builds them, if it has one. */
export type SiteSpec = {
  kind: "site";
  /** Absolute. */
  path: string;
  /** The file that stands for every path that is none, relative to `path`; undefined: there is none. */
  fallback: string | undefined;
  /** Folders without an index.html are listed. */
  listing: boolean;
  /** Pages are loaded again when a file changes. */
  reload: boolean;
};

export type Own = PostgresSpec | StoreSpec | ContainerSpec | SiteSpec | BuiltSpec;
