/** What the supervisor knows of a service and discovery cannot: the values that the proxy, the page and the commands are given. */

import type { Pending } from "./pending.ts";

/**
 * `running`: up, not ready. `unready`: was ready, and its check fails. `exited`: ended by itself, with nobody to start
 * it again. `backoff`: ended, and waits to be started again. `failed`: given up.
 */
export type SupervisedState =
  | "stopped"
  | "starting"
  | "running"
  | "ready"
  | "unready"
  | "stopping"
  | "exited"
  | "backoff"
  | "failed";

/** How a process ended. */
export type Exit = {
  /** Null where a signal ended it. */
  code: number | null;
  signal: string | null;
  /** Milliseconds since the Unix epoch. */
  time: number;
  /** Of its output, at most 50 lines, printable. */
  lastLines: readonly string[];
};

/** One supervised service at this moment. */
export type Supervised = {
  /** `shop:api`. */
  id: string;
  project: string;
  /** The project's, with its ending: `shop.localhost`. */
  domain: string;
  service: string;
  type: "exec" | "worker";
  state: SupervisedState;
  /** Why it is so, for a person: `waits for db`, `did not become ready within 30 s`. */
  why: string | undefined;
  /** What the service said of itself by `STATUS=`. */
  status: string | undefined;
  /** The address without `.localhost`; undefined for a worker. */
  routeName: string | undefined;
  pid: number | undefined;
  /** The port it was given. */
  port: number | undefined;
  /** The ports it listens on, where they were looked at. */
  listens: readonly number[];
  /** The users as whom its own processes do. */
  listensAs: readonly number[];
  /** Milliseconds since the Unix epoch; of the process that runs. */
  startedAt: number | undefined;
  readyAt: number | undefined;
  /** Starts after the first that nobody asked for. */
  restarts: number;
  lastExit: Exit | undefined;
  lazy: boolean;
  directory: string;
  warnings: readonly string[];
  /** What its files say now, and waits for `up`. */
  pending?: Pending | undefined;
};

/** It ended by itself, and nothing was wrong: where requests start it, the next one does. */
export function hasEndedWell({ state, lastExit }: Pick<Supervised, "state" | "lastExit">): boolean {
  return state === "exited" && (lastExit === undefined || lastExit.code === 0);
}
