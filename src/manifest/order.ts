/** The order to our own program: a managed store, or a container, in the place of a command. Pure. */
import type { HealthCheck } from "./project.ts";
import type { BuiltSpec } from "./types/build.ts";
import type { ContainerSpec, PostgresSpec, StoreSpec } from "./types/own.ts";

/** Passed as JSON in the environment of the program. No secret stands in it. */
export type Order = {
  /** `shop:db`. */
  id: string;
  /** As all checkouts have it in their labels: `shop`, `fix-nav.shop`. */
  project: string;
  /** Absolute: the project's folder. */
  directory: string;
  service: string;
  /** The service that it is an instance of, with which it shares an image that is built; undefined: none. */
  instanceOf?: string | undefined;
  own: PostgresSpec | StoreSpec | ContainerSpec | BuiltSpec;
  /**
   * With references filled: a container's words behind the entry point; the command of a service that is built, empty
   * where its build declares one. Else empty.
   */
  command: string;
  /** The port on 127.0.0.1; undefined: it has none. */
  port: number | undefined;
  /** Further ports on 127.0.0.1, by what they are for: `smtp`. */
  ports: Readonly<Record<string, number>>;
  /** Its name without `.localhost`; undefined: no request reaches it. */
  routeName: string | undefined;
  /** Names of the declared variables, which are in the environment of the program. */
  variables: readonly string[];
  /** Undefined for a container, whose data is in its volumes. */
  place: StorePlace | undefined;
  /** Absolute: what is fetched for all projects is kept there. */
  cache: string;
  /** Which daemon's services these are: those of another state directory are not ours to remove. */
  owner: string;
  /** Milliseconds from the signal that ends it to SIGKILL. */
  stopTimeout: number;
  /** Bytes that a container may take; undefined: as many as there are. */
  memory: number | undefined;
  /** A check that a container's program does by itself, inside or at its port. */
  check: HealthCheck | undefined;
  /** `program`: the program says when the service is ready. `asked`: the supervisor asks the service by itself. */
  readiness: "program" | "asked";
  /** Absolute: the folder that notes which engines may have containers of ours. */
  engineNotes: string;
  /** Its output is a terminal. */
  pty: boolean;
  /** Set for a service that is built. */
  build: OrderedBuild | undefined;
  /** The program ends with 0 once it has built: nothing is started. Undefined: it goes on with the service. */
  only: "build" | undefined;
  /**
   * When what it is built for has changed, in milliseconds since the Unix epoch: a build that began later has seen it.
   * Undefined: it is built for what is there when it begins.
   */
  asked?: number | undefined;
  /** The build begins as if nothing had been built before. */
  clean: boolean;
  /** Undefined: everybody's usual places are asked. As `containers` of config.toml. */
  engines: readonly string[] | undefined;
};

export type OrderedBuild = {
  /** Absolute, 0700: the folder of this service's builds alone. */
  place: string;
  /** The words in front of the command. */
  shell: readonly string[];
  /** Absolute: the service's workdir. */
  workdir: string;
};

/** Where a store of one project, checkout, service and version keeps what is its own. Absolute paths, each 0700. */
export type StorePlace = {
  /** The folder of all of it. */
  folder: string;
  /** The store's own files. */
  data: string;
  /** A folder for its unix socket, short enough for one. */
  sockets: string;
  /** A file of mode 0600 with nothing but the password. */
  password: string;
};

/** The variable that it is passed in. */
export const orderVariable = "LOCALHOSTESS_ORDER";

/** Set where a build beside the service's process has just succeeded: what it made is to run, and nothing is built. */
export const builtVariable = "LOCALHOSTESS_BUILT";

/**
 * By these the next build finds what this one has started, and a script's end ends what it has left. A service or a
 * daemon that a script asks for is no part of it, and has neither.
 */
export const buildVariables = {
  place: "LOCALHOSTESS_BUILD",
  script: "LOCALHOSTESS_SCRIPT",
} as const;

/** The status of a build beside the process that found all of it built. */
export const nothingToBuild = "nothing to build";

/** Before the order's program is this one's command: `localhostess <word>`. */
export const orderWord = "__run";

/** How our program ends where it has said why it cannot go on. EX_UNAVAILABLE of sysexits.h. */
export const unavailable = 69;
