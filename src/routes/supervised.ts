/** A service's state as only the supervisor knows it: the values for the proxy, the page and the commands. */

import type { DeclaredSettings } from "../manifest/name-settings.ts";
import type { Checkout } from "../manifest/project.ts";
import type { ServiceType } from "../manifest/types/own.ts";
import type { Pending } from "./pending.ts";

/**
 * `running`: up, not ready. `unready`: was ready, and its check fails now. `exited`: ended by itself, and is not
 * restarted. `completed`: a task that ended with exit code 0. `backoff`: ended, and waits for its restart. `failed`:
 * given up.
 */
export type SupervisedState =
  | "stopped"
  | "starting"
  | "running"
  | "ready"
  | "unready"
  | "stopping"
  | "exited"
  | "completed"
  | "backoff"
  | "failed";

/** The end of a process. */
export type Exit = {
  /** Null if a signal ended it. */
  code: number | null;
  signal: string | null;
  /** Milliseconds since the Unix epoch. */
  time: number;
  /** The last lines of its output, at most 50, printable. */
  lastLines: readonly string[];
};

/** `web-2` of `web`. */
export type Instance = {
  of: string;
  /** From 1. */
  number: number;
  /** The name that all share, without `.localhost`; undefined for workers. */
  routeName: string | undefined;
};

/** The state of one supervised service at this moment. */
export type Supervised = {
  /** The service's id, such as `shop:api`. */
  id: string;
  project: string;
  /** The project's domain: `shop.localhost`. */
  domain: string;
  service: string;
  type: ServiceType;
  state: SupervisedState;
  /** The reason for the state, for a person: `waits for db`, `did not become ready within 30 s`. */
  why: string | undefined;
  /** The text that the service sent as `STATUS=`. */
  status: string | undefined;
  /** The service's name without `.localhost`; undefined for a worker. */
  routeName: string | undefined;
  pid: number | undefined;
  /** The port assigned to the service. */
  port: number | undefined;
  /** Absolute: the unix socket at which this daemon itself answers for it, in the place of a port. */
  socket?: string | undefined;
  /** The ports that its processes listen on, once they have been looked at. */
  listens: readonly number[];
  /** The users as whom its processes listen. */
  listensAs: readonly number[];
  /** Start of the current process. Milliseconds since the Unix epoch. */
  startedAt: number | undefined;
  readyAt: number | undefined;
  /** Automatic restarts, not counting the first start. */
  restarts: number;
  lastExit: Exit | undefined;
  /** Ends by itself and starts that were refused, which leave no `lastExit`: it only grows. */
  failures?: number | undefined;
  /** True while another program has its port: no try helps until that one has gone. */
  isHeld?: boolean | undefined;
  lazy: boolean;
  directory: string;
  /** The checkout of a git repository that its project's folder is in. */
  checkout?: Checkout | undefined;
  warnings: readonly string[];
  /** True while its project's folder is not where it was. */
  isGone?: boolean | undefined;
  /** The next time of its schedule. Milliseconds since the Unix epoch. */
  nextRun?: number | undefined;
  /** Set for one of several processes that share a name: `web-2` of `web`. */
  instance?: Instance | undefined;
  /** The plugin that has made it, from a service that stands in the project's files. */
  plugin?: string | undefined;
  /** How requests to its name are treated, as far as its project says. */
  settings?: DeclaredSettings | undefined;
  /** A change in the project's files that waits for `up`. */
  pending?: Pending | undefined;
};

/** False for a service that need not listen, and does not: nobody is sent to its address. */
export function isAddressed({ type, listens, lazy }: Supervised): boolean {
  return type !== "process" || listens.length > 0 || lazy;
}

/** True if the service ended by itself without an error: the next request starts it, if it is lazy. */
export function hasEndedWell({ state, lastExit }: Pick<Supervised, "state" | "lastExit">): boolean {
  return state === "exited" && (lastExit === undefined || lastExit.code === 0);
}

/** Deaths in a row, without being ready between them, after which nobody waits any longer; it is tried again. */
export const mostAwaitedDeaths = 3;

/** The shell's codes for "cannot be run" and "not found". POSIX, Shell Command Language, 2.8.2. */
const hopelessCodes: ReadonlySet<number | null> = new Set([126, 127]);

/** Whether another try makes no difference, to a service in backoff, by itself. */
export function isHopeless({ isHeld, lastExit }: Pick<Supervised, "isHeld" | "lastExit">): boolean {
  return isHeld === true || hopelessCodes.has(lastExit?.code ?? null);
}
