/** What a scan of the machine sees: listening sockets and the processes that hold them. */
import type { ProcessIdentity } from "../routes/service.ts";

/** A process that holds a listening socket, or an ancestor of one. */
export type ObservedProcess = {
  pid: number;
  /** Milliseconds since the Unix epoch, rounded down to a whole second. */
  startedAt: number;
  /** The parent's pid; 0 where there is none. */
  parent: number;
  /** The process group's id. */
  group: number;
  uid: number;
  /**
   * `LOCALHOSTESS_NAME` in its environment, which a supervisor gives, else `NAME`, as it stands there; undefined where
   * neither is set, or nothing is readable.
   */
  name: string | undefined;
  /** `PORT` in its environment: where it was asked to listen. */
  wantedPort?: number | undefined;
  /** Its arguments joined by spaces, as they stand. */
  command: string;
  /** Its working directory; undefined where it is not readable. */
  cwd: string | undefined;
};

/** One address and port that is listened on, with every process that holds a socket there. */
export type Observation = {
  /** The kernel's text for it: `127.0.0.1`, `::1`, `0.0.0.0`, `::`, `192.168.1.7`. */
  address: string;
  port: number;
  /** Ascending, never empty. */
  pids: readonly number[];
};

/** What could not be read, and why; told only to those who ask for more words. */
export type Skipped = {
  /** Undefined where a socket is seen, but not who holds it. */
  pid: number | undefined;
  why: string;
};

/** One look at the machine. */
export type Scan = {
  /** Sorted by port, then address. */
  observations: readonly Observation[];
  /** By pid: the owners of observations and their ancestors. */
  processes: ReadonlyMap<number, ObservedProcess>;
  skipped: readonly Skipped[];
};

/** A way of looking: procfs, or lsof with ps. Both see the same on the same machine. */
export interface Source {
  readonly kind: "procfs" | "lsof";
  /**
   * One scan at a time; it ends by itself, or has a deadline.
   *
   * @throws Error with a sentence for a person, where the machine cannot be looked at this way.
   */
  scan(): Promise<Scan>;
  /** Whether the process still runs: synchronous and cheap, for a request on an old snapshot. */
  alive?(process: ProcessIdentity): boolean;
}
