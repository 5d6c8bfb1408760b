/** A container that runs, as its engine tells: the shape only. */
import type { ProcessIdentity } from "../routes/service.ts";

/** A port of the container that this machine listens on for it. */
export type PublishedPort = {
  /** The port inside the container. */
  inside: number;
  /** The port on this machine. */
  port: number;
  /** The addresses on this machine, IPv4 first, never empty. */
  addresses: readonly string[];
};

/** The labels that say something of a name, unchanged. */
export type ContainerLabels = {
  /** `localhostess.name`. */
  name?: string | undefined;
  /** `localhostess.port`. */
  port?: string | undefined;
  /** The service and project of Compose: Docker's, or podman-compose. */
  service?: string | undefined;
  project?: string | undefined;
  /** The number of one of several containers of a service. */
  number?: string | undefined;
  /** `True`: started by `compose run`, beside its service. */
  oneOff?: string | undefined;
  /** The folder that the project was started from. */
  folder?: string | undefined;
};

export type Container = {
  /** Unique on all machines. */
  id: string;
  /** Without the leading slash. */
  name: string;
  image: string;
  command: string;
  labels: ContainerLabels;
  paused: boolean;
  /** Has this machine's network, or may have it: its processes listen here themselves. */
  hostNetwork: boolean;
  /** Milliseconds since the Unix epoch. */
  createdAt: number;
  /** TCP only, by the port inside. */
  ports: readonly PublishedPort[];
  /** Its first process on this machine, where it has the machine's network. */
  process?: ProcessIdentity | undefined;
};
