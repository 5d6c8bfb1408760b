/** A container that we run: all that is asked of an engine for it. The shape only. */
import type { HealthCheck } from "../../manifest/project.ts";
import type { ContainerSpec } from "../../manifest/types/own.ts";

export type ContainerPlan = {
  labels: RunLabels;
  /** `shop`: part of the names of what is made. */
  project: string;
  /** Words of our own in front of messages are not needed: the service's name stands beside them. */
  spec: ContainerSpec;
  /** The words behind the entry point; empty: the image's own. */
  words: readonly string[];
  env: Readonly<Record<string, string>>;
  /** The port on 127.0.0.1 at which `spec.inside` is published; undefined: none. */
  port: number | undefined;
  /** Its output is a terminal, and so is its input. */
  tty: boolean;
  /** Milliseconds from the signal to SIGKILL. */
  stopTimeout: number;
  /** Bytes; undefined: as much as there is. */
  memory: number | undefined;
  /** A check that is done by us: inside the container, or at its port. */
  check: HealthCheck | undefined;
  /** `program`: we say when it is ready. `asked`: the supervisor asks it by itself. */
  readiness: "program" | "asked";
};

/** By these a container is known to be ours, whatever its name. */
export type RunLabels = {
  run: string;
  owner: string;
  /** Absolute: the project's folder. */
  directory: string;
  service: string;
  /** Without `.localhost`. Undefined: no request reaches it. */
  routeName: string | undefined;
  /** Set where no daemon knows the run: whoever waits for it (one-off-clients.ts). */
  client?: string | undefined;
};

export const labelNames = {
  run: "localhostess.run",
  owner: "localhostess.owner",
  directory: "localhostess.project",
  service: "localhostess.service",
  name: "localhostess.name",
  /** A container in which an image is made: it need not be asked to end. */
  builds: "localhostess.builds",
  /** The process that waits for the container, by its pid and its birth. */
  client: "localhostess.client",
  /** A volume that builds use again. */
  cache: "localhostess.cache",
} as const;
