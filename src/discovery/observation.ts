/** What a scan of the machine sees: listening sockets and the processes that hold them. */

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
  /** `NAME` in its environment, as it stands there; undefined where it is not set or not readable. */
  name: string | undefined;
  /** Its arguments joined by spaces, as they stand. */
  command: string;
  /** Its working directory; undefined where it is not readable. */
  cwd: string | undefined;
};

/** One listening TCP socket, with every process that holds it. */
export type Observation = {
  /** The kernel's text for it: `127.0.0.1`, `::1`, `0.0.0.0`, `::`, `192.168.1.7`. */
  address: string;
  port: number;
  /** Ascending, never empty. */
  pids: readonly number[];
};

/** A process that could not be read, and why; told only to those who ask for more words. */
export type Skipped = { pid: number; why: string };

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
  scan(): Promise<Scan>;
}
